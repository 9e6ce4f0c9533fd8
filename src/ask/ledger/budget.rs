//! What was spent, from the ledger's lines. Pure: no clock, no disk.
//!
//! In: each line as it stands in the file, and what day it is. Out: what counts for the day and for the
//! month. Refuses: to let money vanish. What was reserved and not settled counts as reserved, since it
//! may have been answered. A line that cannot be read and may have been a reservation counts as much as
//! one request may cost, on the day of the line behind it. What a clock that was ahead has dated later
//! than today counts as today's; once a line with a day of today stands behind it, it stays there.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::record::Day;
use crate::ask::price::Money;

/// Days with requests that are carried to the next file; more than a year of them.
const CARRIED: usize = 400;

/// All that the lines so far say of money.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// Settled, in the order of the file; neighbours have different days.
    days: Vec<Day>,
    open: HashMap<String, Open>,
    /// Broken lines behind the last one that has a day.
    undated: usize,
}

/// Reserved, and neither settled nor released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// In `days`.
    at: usize,
    pub worst: Money,
    /// Milliseconds since 1970.
    pub time: u64,
}

/// What counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Today, with what is reserved.
    pub today: Money,
    /// This month, with today.
    pub month: Money,
    /// Of the month: reserved and not settled. It is on its way, or was cut off.
    pub open: Money,
    /// Of the month: lines of the ledger that could not be read, each counted as a whole request.
    pub broken: usize,
}

/// What the budget needs of a line, of whatever version.
#[derive(Deserialize)]
struct Light<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Cow<'a, str>,
    day: Option<Date>,
    worst: Option<Money>,
    cost: Option<Money>,
    #[serde(default)]
    time: u64,
    #[serde(default)]
    days: Vec<Day>,
}

impl Sums {
    /// Takes in the file's next line.
    pub fn line(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let Ok(light) = serde_json::from_slice::<Light>(line) else {
            self.undated += usize::from(may_have_reserved(line));
            return;
        };
        match (&*light.event, light.day) {
            ("reserved", Some(day)) if light.worst.is_some() && !light.id.is_empty() => {
                let (at, worst) = (self.at(day), light.worst.unwrap_or_default());
                self.open.insert(light.id.into_owned(), Open { at, worst, time: light.time });
            }
            ("settled", Some(day)) if light.cost.is_some() => {
                let last = self.at(day);
                // Without its reservation, which was broken: on its own day.
                let at = self.open.remove(&*light.id).map_or(last, |open| open.at);
                self.spend(at, light.cost.unwrap_or_default());
            }
            ("released", Some(day)) => {
                self.at(day);
                self.open.remove(&*light.id);
            }
            ("noted", Some(day)) => {
                self.at(day);
            }
            ("carried", _) => {
                for Day { day, spent, broken } in light.days {
                    let at = self.at(day);
                    self.spend(at, spent);
                    self.days[at].broken = self.days[at].broken.saturating_add(broken);
                }
            }
            // Nothing of a later version that reserves is passed over.
            (_, day) => {
                self.undated += usize::from(light.worst.is_some() || light.event == "reserved");
                if let Some(day) = day {
                    self.at(day);
                }
            }
        }
    }

    /// What counts on this day, when a line that cannot be read counts so much.
    pub fn spent(&self, today: Date, broken_line: Money) -> Spent {
        let mut reserved = vec![Money(0); self.days.len()];
        for open in self.open.values() {
            reserved[open.at] = plus(reserved[open.at], open.worst);
        }
        let mut spent = Spent::default();
        let mut add = |amount, is_today: bool, is_month: bool| {
            if is_today {
                spent.today = plus(spent.today, amount);
            }
            if is_month {
                spent.month = plus(spent.month, amount);
            }
        };
        let times = |broken: usize| Money(broken_line.0.saturating_mul(broken as u64));
        add(times(self.undated), true, true);
        let (mut open, mut broken) = (Money(0), self.undated);
        let month = today.first_of_month();
        // The earliest day from here to the end of the file.
        let mut earliest = today;
        for (day, reserved) in self.days.iter().zip(&reserved).rev() {
            earliest = earliest.min(day.day);
            let is_today = day.day == today || (day.day > today && earliest == today);
            let its_month = day.day.first_of_month();
            let is_month =
                its_month == month || (its_month > month && earliest.first_of_month() == month);
            add(plus(plus(day.spent, *reserved), times(day.broken)), is_today, is_month);
            if is_month {
                open = plus(open, *reserved);
                broken += day.broken;
            }
        }
        Spent { open, broken, ..spent }
    }

    /// Must a line be written so that what stands there gets its day?
    pub fn needs_note(&self, today: Date) -> bool {
        self.undated > 0 || self.days.last().is_some_and(|last| last.day > today)
    }

    /// Is this request open?
    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }

    /// Counts what is open as spent, but for what `stays`.
    pub fn close(&mut self, stays: impl Fn(&Open) -> bool) {
        let (stay, go): (HashMap<_, _>, HashMap<_, _>) =
            self.open.drain().partition(|(_, open)| stays(open));
        self.open = stay;
        go.values().for_each(|open| self.spend(open.at, open.worst));
    }

    /// What a new file must say in place of the lines so far, but for what is open.
    pub fn carried(mut self, today: Date) -> Vec<Day> {
        if self.undated > 0 {
            self.at(today);
        }
        let from = self.days.len().saturating_sub(CARRIED);
        self.days.split_off(from)
    }

    /// Only those of this month, as [`carried`](Sums::carried).
    pub fn carried_of_month(self, today: Date) -> Vec<Day> {
        let mut days = self.carried(today);
        let month = today.first_of_month();
        // What a clock that was ahead has written may still count.
        days.retain(|day| day.day >= month);
        days
    }

    /// Where a line with this day counts. What was broken before it is not later than that.
    fn at(&mut self, day: Date) -> usize {
        if self.days.last().is_none_or(|last| last.day != day) {
            self.days.push(Day { day, spent: Money(0), broken: 0 });
        }
        let at = self.days.len() - 1;
        self.days[at].broken += std::mem::take(&mut self.undated);
        at
    }

    fn spend(&mut self, at: usize, amount: Money) {
        self.days[at].spent = plus(self.days[at].spent, amount);
    }
}

/// The sum; what is more than can be written is all there is.
pub fn plus(a: Money, b: Money) -> Money {
    Money(a.0.saturating_add(b.0))
}

/// A line that is cut or damaged: all but one that begins like the end of a request, whose reservation
/// stands elsewhere and counts.
fn may_have_reserved(line: &[u8]) -> bool {
    let begins = |event: &str| {
        let start = format!("{{\"v\":1,\"event\":\"{event}\"");
        line.starts_with(start.as_bytes())
    };
    !["settled", "released", "noted"].into_iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Money = Money(100);

    fn sums(lines: &[&str]) -> Sums {
        let mut sums = Sums::default();
        lines.iter().for_each(|line| sums.line(line.as_bytes()));
        sums
    }

    fn reserved(id: &str, day: &str, worst: u64) -> String {
        format!(
            r#"{{"v":1,"event":"reserved","id":"{id}","day":"{day}","worst":{worst},"time":5,"kind":"ask"}}"#
        )
    }

    fn settled(id: &str, day: &str, cost: u64) -> String {
        format!(r#"{{"v":1,"event":"settled","id":"{id}","day":"{day}","cost":{cost}}}"#)
    }

    fn note(day: &str) -> String {
        format!(r#"{{"v":1,"event":"noted","day":"{day}"}}"#)
    }

    fn check(lines: &[String], today: &str, expect: (u64, u64)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let spent = sums(&lines).spent(today.parse().unwrap(), EACH);
        assert_eq!((spent.today.0, spent.month.0), expect, "on {today}: {lines:#?}");
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_settled_or_released() {
        let mut lines = vec![reserved("a", "2026-11-21", 50), reserved("b", "2026-11-21", 30)];
        check(&lines, "2026-11-21", (80, 80));
        lines.push(settled("a", "2026-11-21", 7));
        check(&lines, "2026-11-21", (37, 37));
        lines.push(r#"{"v":1,"event":"released","id":"b","day":"2026-11-21"}"#.into());
        check(&lines, "2026-11-21", (7, 7));
        lines.extend([reserved("c", "2026-11-21", 5), settled("c", "2026-11-21", 50)]);
        check(&lines, "2026-11-21", (57, 57));
    }

    #[test]
    fn a_day_and_a_month_end_and_a_request_counts_where_it_began() {
        let lines = [
            reserved("a", "2026-10-31", 50),
            reserved("b", "2026-11-01", 40),
            settled("a", "2026-11-01", 9),
            settled("b", "2026-11-02", 8),
        ];
        check(&lines, "2026-11-02", (0, 8));
        check(&lines, "2026-11-01", (8, 8));
        check(&lines, "2026-10-31", (17, 17));
        check(&lines, "2026-12-01", (0, 0));
        check(&lines, "2027-11-01", (0, 0));
    }

    #[test]
    fn what_was_cut_off_counts_its_worst_case_for_its_day_and_month_and_no_longer() {
        let lines = [reserved("a", "2026-11-20", 50), reserved("b", "2026-11-21", 1)];
        check(&lines, "2026-11-21", (1, 51));
        check(&lines, "2026-12-21", (0, 0));
        let spent = sums(&[&lines[0]]).spent("2026-11-21".parse().unwrap(), EACH);
        assert_eq!(spent.open, Money(50));
    }

    #[test]
    fn a_clock_put_back_loses_no_money_and_blocks_no_later_day() {
        let ahead = reserved("a", "2099-01-01", 50);
        check(std::slice::from_ref(&ahead), "2026-11-21", (50, 50));
        let looked_at = [ahead.clone(), note("2026-11-21")];
        check(&looked_at, "2026-11-21", (50, 50));
        check(&looked_at, "2026-11-22", (0, 50));
        check(&looked_at, "2026-12-01", (0, 0));
        // A battery is empty: it is 1970 for a moment.
        let in_between = [reserved("b", "2026-11-21", 30), reserved("c", "1970-01-01", 3)];
        check(&in_between[..1], "1970-01-01", (30, 30));
        check(&in_between, "2026-11-21", (30, 30));
        // Flown west, over the date line.
        check(&[reserved("d", "2026-12-01", 4)], "2026-11-30", (4, 4));
    }

    #[test]
    fn a_broken_line_that_may_have_reserved_counts_as_a_request_until_its_month_ends() {
        let broken = reserved("a", "2026-11-21", 50)[..70].to_owned();
        check(std::slice::from_ref(&broken), "2026-11-21", (100, 100));
        let behind = [broken.clone(), note("2026-11-21")];
        check(&behind, "2026-11-21", (100, 100));
        check(&behind, "2026-11-22", (0, 100));
        check(&behind, "2026-12-01", (0, 0));
        check(&[settled("a", "2026-11-21", 5)[..40].to_owned()], "2026-11-21", (0, 0));
        check(&["[1,2]".into(), "\u{0}\u{0}".into()], "2026-11-21", (200, 200));
        // Its end counts by itself.
        check(&[broken, settled("a", "2026-11-21", 5)], "2026-11-21", (105, 105));
    }

    #[test]
    fn later_versions_count_too() {
        let later = reserved("a", "2026-11-21", 50).replace("\"v\":1", "\"v\":2,\"mood\":[1]");
        check(&[later], "2026-11-21", (50, 50));
        let unknown = r#"{"v":2,"event":"lent","day":"2026-11-21","worst":3}"#;
        check(&[unknown.into()], "2026-11-21", (100, 100));
        check(&[r#"{"v":2,"event":"sung"}"#.into()], "2026-11-21", (0, 0));
    }

    #[test]
    fn absurd_amounts_are_all_there_is_instead_of_starting_again() {
        let lines = [reserved("a", "2026-11-21", u64::MAX), reserved("b", "2026-11-21", 9)];
        check(&lines, "2026-11-21", (u64::MAX, u64::MAX));
    }

    #[test]
    fn what_is_carried_counts_as_the_lines_did() {
        let lines = [
            reserved("a", "2026-11-20", 50),
            settled("a", "2026-11-20", 5),
            "broken".to_owned(),
            reserved("b", "2099-11-20", 20),
            reserved("c", "2026-11-21", 7),
            settled("c", "2026-11-21", 3),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for today in ["2026-11-20", "2026-11-21", "2026-11-30", "2026-12-01", "2099-11-20"] {
            let today: Date = today.parse().unwrap();
            let mut before = sums(&lines);
            before.close(|_| false);
            let expect = before.spent(today, EACH);
            let days = serde_json::to_string(&before.carried(today)).unwrap();
            let carried = format!(r#"{{"v":1,"event":"carried","days":{days}}}"#);
            assert_eq!(sums(&[&carried]).spent(today, EACH), expect);
        }
    }
}
