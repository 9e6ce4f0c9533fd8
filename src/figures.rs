//! What this server did, in numbers: the answer to `tandem.status`. In memory only.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::completer::{Completion, Source};
use crate::engine::Figures;
use crate::journal::Event;

/// Latencies kept for the percentiles.
const KEPT: usize = 1_000;

/// Counts since the server started.
#[derive(Debug, Default)]
pub struct Counters {
    requests: u64,
    answered_without_model: u64,
    tokens_evaluated: u64,
    tokens_reused: u64,
    tokens_generated: u64,
    cancelled: u64,
    background: Figures,
    background_reused: u64,
    background_jobs: u64,
    quick: u64,
    drafted: u64,
    drafts_accepted: u64,
    fates: Fates,
    latencies: VecDeque<f64>,
}

/// [`Counters`] for reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Completions asked for and not cancelled.
    pub requests: u64,
    /// Of these, answered from an earlier suggestion.
    pub answered_without_model: u64,
    /// Prompt tokens that the model evaluated.
    pub tokens_evaluated: u64,
    /// Prompt tokens that it knew from before.
    pub tokens_reused: u64,
    /// Tokens that it generated.
    pub tokens_generated: u64,
    /// Completions that were superseded or cancelled.
    pub cancelled: u64,
    /// Of the requests, answered from a short prompt while the whole one was not ready.
    pub quick: u64,
    /// Tokens guessed while decoding for requests, and of these the ones that came true.
    pub tokens_drafted: u64,
    /// As above.
    pub drafts_accepted: u64,
    /// Pieces of work done in the background: heads built, suggestions gone ahead of.
    pub background_jobs: u64,
    /// Tokens evaluated for them while nobody waited.
    pub background_evaluated: u64,
    /// Prompt tokens that were known from before then.
    pub background_reused: u64,
    /// Tokens generated for them.
    pub background_generated: u64,
    /// What became of the suggestions.
    #[serde(flatten)]
    pub fates: Fates,
    /// From request to answer.
    pub latency_ms: Percentiles,
}

/// What became of the suggestions, as the changes of the documents tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fates {
    /// Suggestions shown; typed along, one is still the same.
    pub shown: u64,
    /// Of these, accepted at once, or what was left of them.
    pub accepted: u64,
    /// Parts of them, a word or a line, accepted at once.
    pub accepted_in_part: u64,
    /// Typed to their end.
    pub typed_along: u64,
    /// None of these.
    pub turned_down: u64,
    /// Characters that were accepted.
    pub accepted_characters: u64,
    /// Of these, the ones that stood there still at the last look: after 15 seconds and 10 minutes,
    /// and when a document is closed.
    pub kept_characters: u64,
}

impl Fates {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Shown { .. } => self.shown += 1,
            Event::Accepted { characters, .. } => {
                self.accepted += 1;
                self.accepted_characters += *characters as u64;
            }
            Event::AcceptedPart { characters, .. } => {
                self.accepted_in_part += 1;
                self.accepted_characters += *characters as u64;
            }
            Event::TypedAlong { .. } => self.typed_along += 1,
            Event::TurnedDown { .. } => self.turned_down += 1,
            // A second look takes the place of the first: see `Counters::note_kept`.
            Event::Kept { .. } => {}
        }
    }
}

/// Of the last 1,000 values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half are below.
    pub p50: f64,
    /// 95 of 100 are below.
    pub p95: f64,
}

impl Counters {
    /// Counts a completion that came to its end.
    pub fn note(&mut self, completion: &Completion, latency: Duration) {
        self.requests += 1;
        self.answered_without_model += u64::from(completion.source == Source::Cache);
        self.tokens_evaluated += u64::from(completion.figures.evaluated);
        self.tokens_reused += u64::from(completion.figures.reused);
        self.tokens_generated += u64::from(completion.figures.generated);
        self.quick += u64::from(completion.figures.quick);
        self.drafted += u64::from(completion.figures.drafted);
        self.drafts_accepted += u64::from(completion.figures.accepted);
        if self.latencies.len() >= KEPT {
            self.latencies.pop_front();
        }
        self.latencies.push_back(latency.as_secs_f64() * 1e3);
    }

    /// Counts a completion that was dropped before its end, and what it is known to have cost.
    pub fn note_cancelled(&mut self, figures: Figures) {
        self.cancelled += 1;
        self.tokens_evaluated += u64::from(figures.evaluated);
        self.tokens_reused += u64::from(figures.reused);
        self.tokens_generated += u64::from(figures.generated);
    }

    /// Counts work that was done while nobody waited.
    pub fn note_background(&mut self, figures: Figures) {
        self.background_jobs += 1;
        self.background.evaluated += figures.evaluated;
        self.background_reused += u64::from(figures.reused);
        self.background.generated += figures.generated;
    }

    /// Counts what became of a suggestion.
    pub fn note_fate(&mut self, event: &Event) {
        self.fates.note(event);
    }

    /// After a look at accepted texts so many characters more, or fewer, are known to stand.
    pub fn note_kept(&mut self, change: i64) {
        self.fates.kept_characters = self.fates.kept_characters.saturating_add_signed(change);
    }

    /// For reading.
    pub fn summary(&self) -> Summary {
        let latencies: Vec<f64> = self.latencies.iter().copied().collect();
        Summary {
            requests: self.requests,
            answered_without_model: self.answered_without_model,
            tokens_evaluated: self.tokens_evaluated,
            tokens_reused: self.tokens_reused,
            tokens_generated: self.tokens_generated,
            cancelled: self.cancelled,
            quick: self.quick,
            tokens_drafted: self.drafted,
            drafts_accepted: self.drafts_accepted,
            background_jobs: self.background_jobs,
            background_evaluated: u64::from(self.background.evaluated),
            background_reused: self.background_reused,
            background_generated: u64::from(self.background.generated),
            fates: self.fates,
            latency_ms: Percentiles {
                p50: percentile(&latencies, 0.5),
                p95: percentile(&latencies, 0.95),
            },
        }
    }
}

/// The value below which this share of the values lies; 0 for none. Nearest rank.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!((percentile(&values, 0.5), percentile(&values, 0.95)), (50.0, 95.0));
        assert_eq!(percentile(&[7.0], 0.95), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_completion_from_the_cache_counts_as_answered_without_the_model() {
        let mut counters = Counters::default();
        let from = |source| Completion { source, ..Completion::default() };
        counters.note(&from(Source::Cache), Duration::from_millis(1));
        counters.note(&from(Source::Model), Duration::from_millis(3));
        let summary = counters.summary();
        assert_eq!((summary.requests, summary.answered_without_model), (2, 1));
        assert_eq!(summary.latency_ms, Percentiles { p50: 1.0, p95: 3.0 });
    }
}
