//! `tandem stats`: what tandem did for you, and what Claude cost. From two local files, for you alone.
//!
//! In: the [journal](crate::journal) and the [ledger](crate::ask::ledger). Out: a [`Summary`], as text,
//! as JSON or as a page of HTML that asks nothing from anywhere. Refuses: nothing; what cannot be read
//! in the files is left out and counted.

pub mod asked;
pub mod command;
mod html;
pub mod local;
mod names;
pub mod percentile;
pub mod plot;
mod text;
pub mod verdict;

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::ask::ledger::{self, Ledger, Limits};
use crate::ask::price::{Money, Usage};
use crate::journal;
use crate::private::records::LeftOut;

/// Raised when a key of the JSON changes its meaning; new keys do not raise it.
pub const VERSION: u32 = 1;

/// All figures. Money is in thousand-millionths of a dollar, times are in milliseconds, days are those
/// of the user's time zone, and all counts reach as far back as the files do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// [`VERSION`].
    pub v: u32,
    pub suggestions: local::Suggestions,
    pub claude: asked::Claude,
    pub left_out: BothLeftOut,
}

/// Lines of the two files that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BothLeftOut {
    pub journal: LeftOut,
    pub ledger: LeftOut,
}

/// What is assumed to say what suggestions would have cost elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// Tokens of each request's prompt.
    pub prompt_tokens: u64,
    /// Characters of a suggestion in a token.
    pub characters_per_token: f64,
}

impl Default for Assumption {
    /// Prompts are some 1,500 tokens with the default `context` settings; code has 3 to 3.5 characters
    /// in a token of most tokenizers.
    fn default() -> Self {
        Assumption { prompt_tokens: 1_500, characters_per_token: 3.0 }
    }
}

impl Assumption {
    /// Tokens of so many characters.
    pub fn tokens(&self, characters: u64) -> u64 {
        (characters as f64 / self.characters_per_token.max(0.1)).ceil() as u64
    }
}

/// A model that is paid for.
#[derive(Clone, Copy)]
pub struct Pricing<'a> {
    /// As the API calls it.
    pub model: &'a str,
    /// What a request costs on a day; `None` where no price is known.
    pub cost: &'a dyn Fn(&Usage, Date) -> Option<Money>,
}

/// Where the figures come from, and what they are held against.
pub struct Sources<'a> {
    /// The journal's folder.
    pub journal: Option<PathBuf>,
    pub ledger: Ledger,
    pub limits: Limits,
    pub assumption: Assumption,
    pub pricing: Option<Pricing<'a>>,
    pub zone: TimeZone,
    /// Milliseconds since 1970.
    pub now: u64,
    /// Is there a process of this number?
    pub is_running: &'a dyn Fn(u32) -> bool,
}

/// Reads both files, line by line.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn summary(sources: &Sources) -> io::Result<Summary> {
    let mut suggestions = local::Collected::new(sources.zone.clone());
    let mut asked = asked::Collected::default();
    let mut left_out = BothLeftOut::default();
    if let Some(folder) = &sources.journal {
        left_out.journal = journal::read(folder, |record| suggestions.add(record))?;
    }
    if let Some(folder) = sources.ledger.folder() {
        let add = |request| asked.add(request, sources.now, sources.is_running);
        left_out.ledger = ledger::read(folder, add)?;
    }
    left_out.journal.broken += suggestions.undated;
    let limits = sources.limits;
    let budget = sources.ledger.spent(limits).ok().map(|spent| asked::Budget {
        today: spent.today,
        day_limit: limits.day,
        month: spent.month,
        month_limit: limits.month,
        broken_lines: spent.broken,
    });
    Ok(Summary {
        v: VERSION,
        suggestions: suggestions.summary(sources.assumption, sources.pricing.as_ref()),
        claude: asked.summary(budget),
        left_out,
    })
}

impl Summary {
    /// Nothing was ever written down.
    pub fn is_empty(&self) -> bool {
        self.suggestions.all.shown == 0 && self.claude.all.requests == 0
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// For other programs.
    pub fn json(&self) -> String {
        // Plain values always serialise.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For a browser: one page with all it needs.
    pub fn html(&self) -> String {
        html::page(self)
    }
}

/// What `tandem stats clear` removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// Files and bytes of the journal.
    pub journal: (usize, u64),
    pub ledger: ledger::Cleared,
}

/// Removes the journal, and of the ledger all but the sums that this month's budget needs.
///
/// # Errors
/// When a file cannot be removed or written, as a sentence.
pub fn clear(journal: Option<&Path>, ledger: &Ledger) -> Result<Cleared, String> {
    let removed = match journal {
        Some(folder) => journal::clear(folder).map_err(|error| {
            format!(
                "cannot remove the journal in {}: {error}; remove it yourself",
                folder.display()
            )
        })?,
        None => (0, 0),
    };
    let ledger = ledger.clear().map_err(|error| error.to_string())?;
    Ok(Cleared { journal: removed, ledger })
}

#[cfg(test)]
mod tests;
