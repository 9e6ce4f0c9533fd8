//! The table that `tandem eval` prints. In: outcomes of one or two sides. Out: text, or JSON.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anstyle::Style;
use serde_json::{Value, json};

use super::Outcome;
use super::statistics::{Paired, Share};
use crate::figures::percentile;

const BOLD: Style = Style::new().bold();

/// The outcomes at the places of one kind, one list for each side, in the same order.
pub struct Table {
    /// `calls` or `lines`.
    pub what: &'static str,
    /// How many such places the folder has.
    pub found: usize,
    pub names: Vec<String>,
    pub outcomes: Vec<Vec<Outcome>>,
}

/// A row of the table: what is counted, and of which outcomes.
struct Count {
    name: &'static str,
    is: fn(&Outcome) -> bool,
    of: fn(&Outcome) -> bool,
}

const ALL: fn(&Outcome) -> bool = |_| true;
const COUNTS: [Count; 4] = [
    Count { name: "the rest of the line, exactly", is: |o| o.line, of: ALL },
    Count { name: "the called name", is: |o| o.name, of: ALL },
    Count { name: "shown unasked", is: |o| o.shown, of: ALL },
    Count { name: "of these, exactly right", is: |o| o.shown_right, of: |o| o.shown },
];

impl Table {
    fn rows(&self) -> usize {
        self.outcomes.first().map_or(0, Vec::len)
    }

    fn counts(&self) -> impl Iterator<Item = &'static Count> {
        // Not each line calls something.
        let is_calls = self.what == "calls";
        COUNTS.iter().filter(move |count| is_calls || count.name != "the called name")
    }

    fn share(&self, side: usize, count: &Count) -> Share {
        Share::of(self.outcomes[side].iter().filter(|o| (count.of)(o)).map(count.is))
    }

    /// How much better the second side is; only where both count the same places.
    fn paired(&self, count: &Count) -> Option<Paired> {
        let [first, second] = &self.outcomes[..] else { return None };
        let is_of_all = self.outcomes.iter().flatten().all(count.of);
        let pairs = second.iter().zip(first).map(|(b, a)| ((count.is)(b), (count.is)(a)));
        is_of_all.then(|| Paired::of(pairs))
    }

    fn ms(&self, side: usize, share: f64) -> f64 {
        let times: Vec<f64> = self.outcomes[side].iter().map(|outcome| outcome.ms).collect();
        if times.is_empty() { f64::NAN } else { percentile(&times, share) }
    }

    fn text(&self) -> String {
        let what = match self.what {
            "calls" => "calls of what another file defines, the cursor before the name",
            _ => "lines, the cursor at random inside",
        };
        let mut text = format!("{} of {} {what}\n\n", self.rows(), self.found);
        if self.rows() == 0 {
            return text;
        }
        let widths: Vec<usize> = self.names.iter().map(|name| name.len().max(22)).collect();
        let mut line = |first: &str, cells: &[String], last: &str| {
            let mut all = format!("{first:<31}");
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(all, "{cell:>width$}  ");
            }
            let _ = writeln!(text, "{}", format!("{all}{last}").trim_end());
        };
        let is_pair = self.names.len() == 2;
        line("", &self.names, if is_pair { "difference, points" } else { "" });
        for count in self.counts() {
            let cell = |side| {
                let share = self.share(side, count);
                let (low, high) = share.interval();
                format!("{:.1} % [{low:.0}, {high:.0}]", share.percent())
            };
            let cells: Vec<String> = (0..self.names.len()).map(cell).collect();
            let last = self.paired(count).map_or_else(String::new, |paired| {
                let (low, high) = paired.interval();
                format!("{:+.1} [{low:+.1}, {high:+.1}]", paired.points())
            });
            line(count.name, &cells, &last);
        }
        let cell = |side| format!("{:.0} / {:.0}", self.ms(side, 0.5), self.ms(side, 0.95));
        let cells: Vec<String> = (0..self.names.len()).map(cell).collect();
        let last = match is_pair {
            true => format!("{:.2} times", self.ms(1, 0.5) / self.ms(0, 0.5)),
            false => String::new(),
        };
        line("ms to the answer, p50 / p95", &cells, &last);
        text
    }

    fn json(&self) -> Value {
        let side = |number: usize| {
            let shares = self.counts().map(|count| {
                let share = self.share(number, count);
                (count.name.to_owned(), json!({"of_these": share.of_these, "all": share.all}))
            });
            json!({
                "name": self.names[number],
                "counts": shares.collect::<serde_json::Map<_, _>>(),
                "p50_ms": self.ms(number, 0.5),
                "p95_ms": self.ms(number, 0.95),
            })
        };
        let differences = self.counts().filter_map(|count| {
            let paired = self.paired(count)?;
            let points = json!({
                "points": paired.points(),
                "interval": paired.interval(),
                "won": paired.won,
                "lost": paired.lost,
                "chance": paired.chance(),
            });
            Some((count.name.to_owned(), points))
        });
        json!({
            "what": self.what,
            "found": self.found,
            "asked": self.rows(),
            "sides": (0..self.names.len()).map(side).collect::<Vec<_>>(),
            "differences": differences.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Prints all of it. A reader that has gone is no error.
pub fn print(folder: &Path, tables: &[Table], json: bool) {
    let mut out = anstream::stdout();
    if json {
        let tables: Vec<Value> = tables.iter().map(Table::json).collect();
        let _ = writeln!(out, "{}", json!({"folder": folder, "sets": tables}));
        return;
    }
    let _ = writeln!(out, "{BOLD}{}{BOLD:#}", folder.display());
    for table in tables {
        let _ = writeln!(out, "\n{}", table.text().trim_end());
    }
    let _ = writeln!(
        out,
        "\nIn brackets: 95 % intervals. A difference whose interval has 0 in it may be chance; more places \
         (--rows) make it narrower."
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn outcomes(right: usize, shown: usize, all: usize, ms: f64) -> Vec<Outcome> {
        let outcome = |number: usize| Outcome {
            line: number < right,
            name: number < right + 2,
            shown: number < shown,
            shown_right: number < right && number < shown,
            ms: ms + number as f64,
        };
        (0..all).map(outcome).collect()
    }

    fn table(what: &'static str, sides: &[(&str, Vec<Outcome>)]) -> Table {
        let names = sides.iter().map(|(name, _)| (*name).to_owned()).collect();
        let outcomes = sides.iter().map(|(_, outcomes)| outcomes.clone()).collect();
        Table { what, found: 1_234, names, outcomes }
    }

    #[test]
    fn two_sides_stand_beside_each_other_with_their_difference() {
        let sides =
            [("coder", outcomes(5, 12, 20, 200.0)), ("coder + house", outcomes(9, 10, 20, 210.0))];
        expect![[r#"
            20 of 1234 calls of what another file defines, the cursor before the name

                                                            coder           coder + house  difference, points
            the rest of the line, exactly         25.0 % [11, 47]         45.0 % [26, 66]  +20.0 [-2.3, +38.6]
            the called name                       35.0 % [18, 57]         55.0 % [34, 74]  +20.0 [-2.3, +38.6]
            shown unasked                         60.0 % [39, 78]         50.0 % [30, 70]  -10.0 [-26.5, +8.3]
            of these, exactly right               41.7 % [19, 68]         90.0 % [60, 98]
            ms to the answer, p50 / p95                 209 / 218               219 / 228  1.05 times
        "#]]
        .assert_eq(&table("calls", &sides).text());
    }

    #[test]
    fn one_side_alone_has_no_difference_and_lines_no_called_name() {
        let text = table("lines", &[("coder", outcomes(5, 12, 20, 200.0))]).text();
        assert!(!text.contains("difference") && !text.contains("called name"), "{text}");
    }

    #[test]
    fn an_empty_set_says_so_and_nothing_else() {
        assert_eq!(table("lines", &[("coder", Vec::new())]).text().lines().count(), 2);
    }

    #[test]
    fn what_is_shown_is_compared_only_over_the_same_places() {
        let sides =
            [("coder", outcomes(5, 12, 20, 200.0)), ("coder + house", outcomes(9, 10, 20, 210.0))];
        let json = table("calls", &sides).json();
        let differences = json["differences"].as_object().expect("an object");
        assert!(differences.contains_key("shown unasked"));
        assert!(!differences.contains_key("of these, exactly right"), "{json}");
        assert_eq!(json["sides"][1]["counts"]["of these, exactly right"]["all"], 10);
    }
}
