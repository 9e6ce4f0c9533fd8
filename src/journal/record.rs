//! The journal's records: one line of JSON each.
//!
//! What they say of a document is its language, nothing else: no text, no path, no name. A reader
//! must leave out records of a later [`VERSION`] and ignore keys that it does not know.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::completer::Source;

/// Raised when a key changes its meaning; new keys do not raise it.
pub const VERSION: u32 = 1;
/// A language's name is the client's; characters of it that are kept.
const MOST_NAME: usize = 40;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub v: u32,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The same for all records of one server.
    pub run: String,
    /// The same for all records of one suggestion within a run.
    pub suggestion: u64,
    /// As in `textDocument.languageId`.
    pub language: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened to a suggestion. Each begins with `Shown` and ends with one of `Accepted`,
/// `TypedAlong` and `TurnedDown`; `AcceptedPart` comes in between, `Kept` after an accept. Characters
/// are those of the suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was sent to the editor, and nothing newer had come. Asked for again while one types along,
    /// it is the same suggestion.
    Shown {
        characters: usize,
        lines: usize,
        source: Source,
        /// The model's name, where it is known.
        model: Option<String>,
        /// From the request to the answer.
        latency_ms: f64,
        /// The probability of the model's least certain token, where it chose any.
        confidence: Option<f32>,
        /// The person asked for it.
        invoked: bool,
    },
    /// What was left of it was taken at once.
    Accepted {
        characters: usize,
        lines: usize,
        /// Since it was shown.
        after_ms: u64,
    },
    /// Some of it was taken at once, the rest is still shown.
    AcceptedPart { characters: usize, lines: usize, after_ms: u64 },
    /// It was typed to its end, key by key, but for parts taken before.
    TypedAlong { characters: usize, after_ms: u64 },
    /// Something else was typed, or the cursor went elsewhere.
    TurnedDown {
        /// What was left of it.
        characters: usize,
        after_ms: u64,
    },
    /// An accepted text was looked at later: see [`kept`](super::kept).
    Kept {
        /// Characters that stood there still.
        characters: usize,
        /// Of so many accepted.
        of: usize,
        /// It is still the same text.
        stands: bool,
        /// How long after the accept.
        after_ms: u64,
    },
}

/// Something to write down.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// As in [`Record`].
    pub suggestion: u64,
    /// As in [`Record`].
    pub language: String,
    /// What happened.
    pub event: Event,
}

impl Note {
    /// As a record of this moment.
    pub(super) fn record(self, run: &str) -> Record {
        let Note { suggestion, language, event } = self;
        let language = language.chars().take(MOST_NAME).collect();
        Record { v: VERSION, time: now(), run: run.to_owned(), suggestion, language, event }
    }
}

/// Milliseconds since 1970; 0 with a clock before that.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_line_that_readers_know() {
        let event = Event::Kept { characters: 4, of: 5, stands: true, after_ms: 15_000 };
        let note = Note { suggestion: 7, language: "rust".into(), event };
        let record = Record { time: 1, ..note.record("ab") };
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(
            line,
            r#"{"v":1,"time":1,"run":"ab","suggestion":7,"language":"rust","event":"kept","characters":4,"of":5,"stands":true,"after_ms":15000}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn the_clients_name_for_a_language_cannot_carry_a_text() {
        let event = Event::TypedAlong { characters: 1, after_ms: 0 };
        let note = Note { suggestion: 1, language: "x".repeat(1_000), event };
        assert_eq!(note.record("").language.len(), MOST_NAME);
    }
}
