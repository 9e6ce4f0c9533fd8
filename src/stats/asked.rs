//! What Claude was asked, from the ledger's requests. Pure.
//!
//! In: each request. Out: counts, tokens and cost, by kind, model and day; files sent against files
//! used; the verdict. Refuses: to show a path.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::names::plain;
use super::verdict::{Answer, verdict};
use crate::ask::bundle::Level;
use crate::ask::ledger::{Kind, Request};
use crate::ask::price::{Money, Usage};

/// Milliseconds after which no request is on its way any more.
const ON_ITS_WAY: u64 = 24 * 60 * 60 * 1_000;

/// What was asked of Claude.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Claude {
    pub all: Asked,
    pub kinds: Vec<Asked>,
    pub models: Vec<Asked>,
    /// In order.
    pub days: Vec<Asked>,
    pub files: Files,
    pub verdict: String,
    /// Money that counts for the budget now; `None` where it cannot be known.
    pub budget: Option<Budget>,
}

/// Some of the requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Asked {
    pub name: String,
    pub requests: u64,
    /// Those that ended, well or not.
    pub ended: u64,
    /// Those that are on their way.
    pub open: u64,
    /// Those that were cut off: whether they were answered is not known.
    pub unknown: u64,
    pub tokens: Usage,
    /// Of those that ended.
    #[serde(rename = "cost_nanodollars")]
    pub cost: Money,
    /// What the others may have cost, and count as.
    #[serde(rename = "counted_as_nanodollars")]
    pub counted_as: Money,
}

/// Files of the answers that came, once for each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Files {
    /// Some of their text was sent.
    pub sent: u64,
    /// Of these, named or changed by the answer.
    pub sent_and_used: u64,
    /// Named or changed, but not sent.
    pub used_unsent: u64,
}

/// What counts for the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    #[serde(rename = "today_nanodollars")]
    pub today: Money,
    #[serde(rename = "day_limit_nanodollars")]
    pub day_limit: Money,
    #[serde(rename = "month_nanodollars")]
    pub month: Money,
    #[serde(rename = "month_limit_nanodollars")]
    pub month_limit: Money,
    /// Of the month, lines of the ledger that could not be read, each counted as a whole request.
    pub broken_lines: usize,
}

/// Takes in requests.
#[derive(Debug, Default)]
pub struct Collected {
    all: Asked,
    kinds: BTreeMap<Kind, Asked>,
    models: BTreeMap<String, Asked>,
    days: BTreeMap<String, Asked>,
    files: Files,
    answers: Vec<Answer>,
}

impl Collected {
    /// Takes in the next request. `now` is in milliseconds since 1970; `is_running` tells whether there
    /// is a process of a number.
    pub fn add(&mut self, request: Request, now: u64, is_running: &dyn Fn(u32) -> bool) {
        let Request { reserved, settled } = &request;
        let recent = reserved.time.abs_diff(now) < ON_ITS_WAY;
        let open = settled.is_none() && recent && is_running(reserved.pid);
        self.all.add(&request, open);
        self.kinds.entry(reserved.about.kind).or_default().add(&request, open);
        self.models.entry(plain(&reserved.about.model)).or_default().add(&request, open);
        self.days.entry(reserved.day.to_string()).or_default().add(&request, open);
        let Some(settled) = settled else { return };
        // A repair asks for the same answer again, and what was never answered used nothing.
        if reserved.about.kind == Kind::Repair || settled.outcome.usage.output == 0 {
            return;
        }
        let files = reserved.about.files.iter();
        let text = files.filter(|file| file.level != Level::Path).map(|file| file.path.as_str());
        let sent: HashSet<&str> = text.collect();
        let outcome = &settled.outcome;
        let used: HashSet<&str> =
            outcome.cited.iter().chain(&outcome.edited).map(String::as_str).collect();
        let used_of_sent = used.intersection(&sent).count();
        let sent = sent.len() + reserved.more_files;
        self.files.sent += sent as u64;
        self.files.sent_and_used += used_of_sent as u64;
        self.files.used_unsent += (used.len() - used_of_sent) as u64;
        self.answers.push(Answer { sent, used: used.len(), used_of_sent });
    }

    /// What they come to.
    pub fn summary(self, budget: Option<Budget>) -> Claude {
        let named = |(name, asked): (String, Asked)| Asked { name, ..asked };
        let kinds = self.kinds.into_iter().map(|(kind, asked)| (kind_name(kind).to_owned(), asked));
        Claude {
            all: Asked { name: "all".to_owned(), ..self.all },
            kinds: kinds.map(named).collect(),
            models: self.models.into_iter().map(named).collect(),
            days: self.days.into_iter().map(named).collect(),
            files: self.files,
            verdict: verdict(&self.answers),
            budget,
        }
    }
}

impl Asked {
    fn add(&mut self, Request { reserved, settled }: &Request, open: bool) {
        let plus = u64::saturating_add;
        self.requests += 1;
        match settled {
            Some(settled) => {
                let usage = settled.outcome.usage;
                self.ended += 1;
                self.cost = Money(plus(self.cost.0, settled.cost.0));
                self.tokens.input = plus(self.tokens.input, usage.input);
                self.tokens.cache_write = plus(self.tokens.cache_write, usage.cache_write);
                self.tokens.cache_read = plus(self.tokens.cache_read, usage.cache_read);
                self.tokens.output = plus(self.tokens.output, usage.output);
            }
            None => {
                let count = if open { &mut self.open } else { &mut self.unknown };
                *count += 1;
                self.counted_as = Money(plus(self.counted_as.0, reserved.worst.0));
            }
        }
    }

    /// Tokens sent, cached or not.
    pub fn tokens_in(&self) -> u64 {
        let Usage { input, cache_write, cache_read, .. } = self.tokens;
        [input, cache_write, cache_read].into_iter().fold(0, u64::saturating_add)
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ask => "question",
        Kind::Why => "why an error",
        Kind::Change => "change",
        Kind::FollowUp => "follow-up",
        Kind::Repair => "repair of edits",
        Kind::Other => "of a later version",
    }
}
