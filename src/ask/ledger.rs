//! The ledger: what was asked of Claude, and what it cost. Reserved before sending, settled on usage.
//!
//! In: what a request may cost at most, what may be spent, what is sent; later, what it did cost. Out: a
//! [`Reservation`], without which nothing is sent, and a file that a person can read: times, models,
//! money, and the names of the files that left the machine. No contents. Refuses: more than the budget
//! of the request, the day or the month has left, over all windows, also after a crash; and to send what
//! it cannot write down.
//!
//! A day is the user's own, from midnight to midnight, and a request counts for the day on which it was
//! reserved. One that was cut off (a crash, a kill) may have been answered and charged for, so what was
//! reserved counts for its day and month; there is nothing to clean up.
//!
//! Everything here waits for a disk and for other windows, some milliseconds; call it where that does no
//! harm.

pub mod budget;
pub mod error;
mod file;
pub mod reader;
pub mod record;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Zoned;
use jiff::civil::Date;

pub use self::budget::Spent;
use self::budget::plus;
pub use self::error::{Budget, LedgerError, Refusal, dollars};
use self::file::{Locked, MOST_BYTES};
pub use self::reader::{Request, read};
pub use self::record::{About, Answered, Kind, Sent};
use self::record::{Event, Reserved, Settled};
use super::price::Money;

/// Requests from which the estimate of tokens is corrected, at least and at most.
const CALIBRATION: std::ops::RangeInclusive<usize> = 3..=20;

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// On one request: `ask.budget.request_dollars`.
    pub request: Money,
    /// From midnight to midnight: `ask.budget.day_dollars`.
    pub day: Money,
    /// From the month's first day: `ask.budget.month_dollars`.
    pub month: Money,
}

impl Limits {
    /// From dollars, as the settings have them. Nothing for what is negative or no number.
    pub fn dollars(request: f64, day: f64, month: f64) -> Limits {
        // A cast from f64 ends at the least and the most there is, and gives 0 for what is no number.
        let money = |dollars: f64| Money((dollars * 1e9).round() as u64);
        Limits { request: money(request), day: money(day), month: money(month) }
    }
}

/// Where it is written down.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: Option<PathBuf>,
    most_bytes: u64,
}

/// Money set aside for one request. Whoever drops it without a word has spent it.
#[derive(Debug)]
#[must_use = "what is not settled or released counts as spent"]
pub struct Reservation {
    ledger: Ledger,
    id: String,
    worst: Money,
}

/// What was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// Requests of which nothing is said any more.
    pub requests: usize,
    /// Of the files.
    pub bytes: u64,
    /// What is still known to have been spent in this month.
    pub month: Money,
}

/// The ledger's folder: `ledger` beside the [journal's](crate::journal::folder).
pub fn folder() -> Option<PathBuf> {
    crate::journal::folder().map(|journal| journal.with_file_name("ledger"))
}

impl Ledger {
    /// A ledger in a folder. Without one, nothing can be reserved. Touches no disk.
    pub fn at(folder: Option<PathBuf>) -> Ledger {
        Ledger { folder, most_bytes: MOST_BYTES }
    }

    /// Where it is, when it is anywhere.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Sets money aside for a request that costs so much at most. It is on the disk when this returns.
    ///
    /// # Errors
    /// When a budget has not so much left, or when it cannot be written down: send nothing then.
    pub fn reserve(
        &self,
        worst: Money,
        limits: Limits,
        about: About,
    ) -> Result<Reservation, LedgerError> {
        self.reserve_at(&Zoned::now(), worst, limits, about)
    }

    fn reserve_at(
        &self,
        now: &Zoned,
        worst: Money,
        limits: Limits,
        about: About,
    ) -> Result<Reservation, LedgerError> {
        let ledger = self.lock()?;
        let sums = ledger.sums()?;
        let (today, time) = (now.date(), milliseconds(now));
        let spent = sums.spent(today, limits.request);
        let broken = (spent.broken > 0).then(|| (spent.broken, ledger.path()));
        if let Some(refusal) = refusal(worst, limits, spent, broken) {
            if sums.needs_note(today) {
                // So that what cannot be read, or is dated ahead, does not count for ever.
                ledger.append(Event::Noted { day: today }, today, time)?;
            }
            return Err(LedgerError::Budget(refusal));
        }
        let id = name(time);
        let reserved = Reserved {
            id: id.clone(),
            day: today,
            worst,
            time,
            pid: std::process::id(),
            about,
            more_files: 0,
        };
        ledger.append(Event::Reserved(reserved), today, time)?;
        Ok(Reservation { ledger: self.clone(), id, worst })
    }

    /// What counts today and this month. The limits say how much a line counts that cannot be read.
    ///
    /// # Errors
    /// When it cannot be known.
    pub fn spent(&self, limits: Limits) -> Result<Spent, LedgerError> {
        self.spent_at(&Zoned::now(), limits)
    }

    fn spent_at(&self, now: &Zoned, limits: Limits) -> Result<Spent, LedgerError> {
        // To look makes no folder.
        if self.folder().is_some_and(|folder| !folder.exists()) {
            return Ok(Spent::default());
        }
        Ok(self.lock()?.sums()?.spent(now.date(), limits.request))
    }

    /// Why this request would be refused now, if it would; for a preview.
    ///
    /// # Errors
    /// When it cannot be known.
    pub fn would_refuse(
        &self,
        worst: Money,
        limits: Limits,
    ) -> Result<Option<Refusal>, LedgerError> {
        Ok(refusal(worst, limits, self.spent(limits)?, None))
    }

    /// By how much the estimate of a request's tokens is to be multiplied for this model: the median of
    /// what the last requests showed. `None` while there are too few.
    pub fn calibration(&self, model: &str) -> Option<f64> {
        let mut ratios = Vec::new();
        let visit = |Request { reserved, settled }: Request| {
            let Some(settled) = settled.filter(|_| reserved.about.model == model) else { return };
            let usage = settled.outcome.usage;
            let input = [usage.input, usage.cache_write, usage.cache_read];
            let input = input.into_iter().fold(0, u64::saturating_add);
            let estimated = reserved.about.estimated_tokens;
            // What was broken off has usage that was itself estimated.
            let is_told = !matches!(settled.outcome.stop.as_str(), "cancelled" | "failed");
            if is_told && input > 0 && estimated > 0 {
                ratios.push(input as f64 / estimated as f64);
            }
        };
        read(self.folder()?, visit).ok()?;
        let mut last = ratios.split_off(ratios.len().saturating_sub(*CALIBRATION.end()));
        last.sort_by(f64::total_cmp);
        CALIBRATION.contains(&last.len()).then(|| {
            let middle = last.len() / 2;
            let median = match last.len() % 2 {
                1 => last[middle],
                _ => (last[middle - 1] + last[middle]) / 2.0,
            };
            // An estimate is never this far off; a gateway's odd count must not break the budget.
            median.clamp(0.5, 2.0)
        })
    }

    /// Removes the history. What the budget of this month needs stays, as sums without any path.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn clear(&self) -> Result<Cleared, LedgerError> {
        self.clear_at(&Zoned::now())
    }

    fn clear_at(&self, now: &Zoned) -> Result<Cleared, LedgerError> {
        if self.folder().is_none_or(|folder| !folder.exists()) {
            return Ok(Cleared { requests: 0, bytes: 0, month: Money(0) });
        }
        let (today, time) = (now.date(), milliseconds(now));
        let ledger = self.lock()?;
        let mut requests = 0;
        let failed = |source| LedgerError::Io { path: ledger.path(), source };
        read(self.folder().unwrap_or(Path::new("")), |_| requests += 1).map_err(failed)?;
        let (bytes, _) = ledger.clear(today, time)?;
        let Spent { month, .. } = ledger.sums()?.spent(today, Money(0));
        Ok(Cleared { requests, bytes, month })
    }

    fn end(&self, event: impl FnOnce(Date, u64) -> Event) -> Result<(), LedgerError> {
        let now = Zoned::now();
        let (today, time) = (now.date(), milliseconds(&now));
        self.lock()?.append(event(today, time), today, time)
    }

    fn lock(&self) -> Result<Locked<'_>, LedgerError> {
        file::lock(self.folder().ok_or(LedgerError::NoFolder)?, self.most_bytes)
    }
}

impl Reservation {
    /// Names the request in the ledger.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is set aside.
    pub fn worst(&self) -> Money {
        self.worst
    }

    /// The request has ended and did cost this, even if more than was set aside.
    ///
    /// # Errors
    /// When it cannot be written down: what was set aside counts then.
    pub fn settle(self, cost: Money, outcome: Answered) -> Result<(), LedgerError> {
        let Reservation { ledger, id, .. } = self;
        ledger.end(|day, time| Event::Settled(Settled { id, day, cost, time, outcome }))
    }

    /// Nothing was sent: the money is free again.
    ///
    /// # Errors
    /// When it cannot be written down: what was set aside counts then.
    pub fn release(self) -> Result<(), LedgerError> {
        let Reservation { ledger, id, .. } = self;
        ledger.end(|day, _| Event::Released { id, day })
    }
}

/// The first budget that has not enough left.
fn refusal(
    needed: Money,
    limits: Limits,
    spent: Spent,
    broken: Option<(usize, PathBuf)>,
) -> Option<Refusal> {
    let budgets = [
        (Budget::Request, limits.request, Money(0)),
        (Budget::Day, limits.day, spent.today),
        (Budget::Month, limits.month, spent.month),
    ];
    let (budget, limit, spent) =
        budgets.into_iter().find(|(_, limit, spent)| plus(*spent, needed) > *limit)?;
    let left = Money(limit.0.saturating_sub(spent.0));
    let broken = broken.filter(|_| budget != Budget::Request);
    Some(Refusal { budget, limit, left, needed, broken })
}

/// A name that no other request has: when, which process, which of its requests.
fn name(time: u64) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{time:x}-{:x}-{number:x}", std::process::id())
}

/// Since 1970; 0 with a clock before that.
fn milliseconds(now: &Zoned) -> u64 {
    u64::try_from(now.timestamp().as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
