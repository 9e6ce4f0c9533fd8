//! The tables. In: the answers of one set. Out: lines for a person; each share has its 95 % interval
//! (Wilson), each difference its own (Bonett and Price, paired) and the chance of McNemar's exact test.

use std::collections::BTreeSet;

use tandem::eval::statistics::{Paired, Share};

use crate::answer::Answer;
use crate::layout::Layout;

/// Percent of confidence to show the effect of.
const THRESHOLDS: [u8; 9] = [0, 10, 20, 30, 40, 50, 60, 70, 80];

/// The answers of a set, by layout; the same rows in each.
pub struct Table<'a> {
    layouts: Vec<(String, Vec<&'a Answer>)>,
}

/// A question about an answer.
type Is = fn(&Answer) -> bool;

impl<'a> Table<'a> {
    pub fn new(layouts: &[String], answers: &'a [Answer]) -> Table<'a> {
        let of = |layout: &String| answers.iter().filter(|a| a.layout == *layout).collect();
        Table { layouts: layouts.iter().map(|layout| (layout.clone(), of(layout))).collect() }
    }

    pub fn print(&self, confidence: bool) {
        self.print_shares("the model's line exact", |a| a.raw_right);
        self.print_shares("shown, exact", |a| a.shown_right);
        if self.any(|a| a.raw_name.is_some()) {
            self.print_shares("the model's name right", |a| a.raw_name == Some(true));
            self.print_shares("its name, however sure", |a| a.unsure_name == Some(true));
            self.print_shares("shown, its name right", |a| a.shown_name == Some(true));
        }
        if self.any(|a| a.passes.is_some()) {
            self.print_shares("shown, tests pass", |a| a.passes == Some(true));
            self.print_shares("tests pass, however sure", |a| a.unsure_passes == Some(true));
        }
        self.print_groups();
        self.print_shown();
        self.print_sameness();
        if confidence && let Some((layout, answers)) = self.layouts.last() {
            print_confidence(layout, answers);
        }
        println!();
    }

    fn any(&self, is: Is) -> bool {
        self.layouts.iter().any(|(_, answers)| answers.iter().any(|answer| is(answer)))
    }

    /// How often, and against the first layout.
    fn print_shares(&self, title: &str, is: Is) {
        println!("  {title:<26} {:<22} against the first: points, won, lost, chance", "share");
        let Some((_, first)) = self.layouts.first() else { return };
        for (number, (layout, answers)) in self.layouts.iter().enumerate() {
            let share = Share::of(answers.iter().map(|answer| is(answer)));
            let (least, most) = share.interval();
            let share = format!("{:>5.1} % [{least:.1}, {most:.1}]", share.percent());
            let pairs = answers.iter().zip(first).map(|(this, first)| (is(this), is(first)));
            let paired = Paired::of(pairs);
            let ((least, most), Paired { won, lost, .. }) = (paired.interval(), paired);
            let against = match number {
                0 => String::new(),
                _ => format!(
                    "{:+.1} [{least:+.1}, {most:+.1}], {won}, {lost}, p {:.3}",
                    paired.points(),
                    paired.chance()
                ),
            };
            println!("    {layout:<24} {share:<22} {against}");
        }
    }

    /// Whether an engine elsewhere says what this one does, and how sure this one was where it does not.
    fn print_sameness(&self) {
        let of = |layout: Layout| {
            let found = self.layouts.iter().find(|(name, _)| *name == layout.name());
            found.map(|(_, answers)| answers)
        };
        let (Some(here), Some(there)) = (of(Layout::Anchored), of(Layout::Elsewhere)) else {
            return;
        };
        let pairs = || here.iter().zip(there);
        let different: Vec<_> = pairs().filter(|(a, b)| a.shown != b.shown).collect();
        println!(
            "  shown here and elsewhere: {} of {} the same",
            here.len() - different.len(),
            here.len()
        );
        for (here, there) in different {
            let text = |answer: &Answer| answer.shown.as_ref().map(|shown| shown.text.clone());
            let least = here.confidence.map_or(f32::NAN, |c| c.least.exp() * 100.0);
            println!(
                "    {}: {:?}, elsewhere {:?}; its least sure token {least:.0} %",
                here.row,
                text(here),
                text(there)
            );
        }
    }

    /// The same by language or tree, in short.
    fn print_groups(&self) {
        let all = self.layouts.iter().flat_map(|(_, answers)| answers);
        let groups: BTreeSet<&str> = all.map(|answer| answer.group.as_str()).collect();
        if groups.len() < 2 {
            return;
        }
        let names: String = self.layouts.iter().map(|(name, _)| format!("{name:>15}")).collect();
        println!("  the model's / shown, exact: {:>5} {names}", "rows");
        for group in groups {
            let mut rows = 0;
            let mut columns = String::new();
            for (_, answers) in &self.layouts {
                let of: Vec<_> = answers.iter().filter(|a| a.group == group).collect();
                rows = of.len();
                let percent = |is: Is| Share::of(of.iter().map(|answer| is(answer))).percent();
                let both = (percent(|a| a.raw_right), percent(|a| a.shown_right));
                columns.push_str(&format!("{:>15}", format!("{:.1} / {:.1}", both.0, both.1)));
            }
            println!("    {group:<25} {rows:>5}  {columns}");
        }
    }

    /// What is wrong with what is shown.
    fn print_shown(&self) {
        println!(
            "  of what is shown           shown  right  of all  kept  parses      tokens  twice  \
             leaked  broken  nowhere"
        );
        for (layout, answers) in &self.layouts {
            let share = |of: &[&&Answer], is: Is| Share::of(of.iter().map(|answer| is(answer)));
            let everything: Vec<_> = answers.iter().filter(|a| a.unsure.is_some()).collect();
            let shown: Vec<_> = answers.iter().filter(|a| a.shown.is_some()).collect();
            let parsing: Vec<_> = shown.iter().copied().filter(|a| a.parses.is_some()).collect();
            let known: Vec<_> = shown.iter().copied().filter(|a| a.nowhere.is_some()).collect();
            let right = share(&shown, |a| a.shown_right);
            let all_right = share(&everything, |a| a.unsure_right);
            let kept = Share { of_these: right.of_these, all: all_right.of_these };
            let parses = share(&parsing, |a| a.parses == Some(true));
            let count = |is: Is| shown.iter().filter(|answer| is(answer)).count();
            let sum = |of: fn(&Answer) -> usize| answers.iter().map(|a| of(a)).sum::<usize>();
            let tokens = sum(|a| a.generated) as f64 / sum(|a| a.kept).max(1) as f64;
            let nowhere = match known.is_empty() {
                true => "-".to_owned(),
                false => {
                    let invents = |a: &Answer| a.nowhere.as_ref().is_some_and(|n| !n.is_empty());
                    format!("{:.1} %", share(&known, invents).percent())
                }
            };
            println!(
                "    {layout:<22} {:>5.1} % {:>5.1} {:>7.1} {:>5.1}  {:<11} {tokens:>6.2} {:>6} {:>7} {:>7}  {nowhere:>7}",
                Share { of_these: shown.len(), all: answers.len() }.percent(),
                right.percent(),
                all_right.percent(),
                kept.percent(),
                format!("{:.1} of {}", parses.percent(), parses.all),
                count(|a| a.repeats_suffix),
                count(|a| a.leaked.is_some()),
                count(|a| a.broken),
            );
        }
    }
}

/// What the columns of the table of what is shown mean.
pub fn print_legend() {
    println!(
        "shown: of all rows. right: of those shown. of all: of what would be shown however sure the model is.\n\
         kept: of the right ones among these, what is still shown. parses: files that parse with the\n\
         suggestion, of those that do with what was hidden. tokens: written for each that is shown, all rows\n\
         together. twice: suggestions that end with what follows. leaked: with a prompt's marker. broken:\n\
         with half a character. nowhere: with a name behind `.` or `::` that stands nowhere in the tree."
    );
}

/// For some thresholds: of what passes the filters, how much is shown, how much of that is right, and
/// how many of the right ones are still shown.
fn print_confidence(layout: &str, answers: &[&Answer]) {
    let shown: Vec<_> = answers.iter().filter(|answer| answer.unsure.is_some()).collect();
    let all_right = shown.iter().filter(|answer| answer.unsure_right).count();
    println!("  {layout}, confidence above    shown  right of these   of the right ones kept");
    for name in ["first", "least", "mean"] {
        for percent in THRESHOLDS {
            let above = |answer: &&&&Answer| {
                answer.confidence.is_none_or(|c| {
                    let value = match name {
                        "first" => c.first,
                        "least" => c.least,
                        _ => c.mean,
                    };
                    value.exp() * 100.0 >= f32::from(percent)
                })
            };
            let kept: Vec<_> = shown.iter().filter(above).collect();
            let right = kept.iter().filter(|answer| answer.unsure_right).count();
            println!(
                "    {name:<6} {percent:>3} %                  {:>5}         {:>5.1} %                  {:>5.1} %",
                kept.len(),
                Share { of_these: right, all: kept.len() }.percent(),
                Share { of_these: right, all: all_right }.percent()
            );
        }
    }
}
