//! The ledger's records: one line of JSON each.
//!
//! What they say of a request: when, which kind, of which model where, which files of the workspace it
//! held and how much of each, what it may cost and what it did. No content of a file, no question, no
//! answer. A later version must keep `event`, `id`, `day`, `worst`, `cost` and `days` as they are: the
//! budget counts what any version has spent.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ask::bundle::Level;
use crate::ask::price::{Money, Usage};
use crate::private::records::Versioned;

/// Raised when a key changes its meaning; new keys do not raise it.
pub const VERSION: u32 = 1;
/// Bytes of a line at most; some 100,000 files.
pub const MOST_LINE: usize = 8 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// [`VERSION`].
    pub v: u32,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. A request begins with `Reserved` and ends with `Settled` or `Released`; one that does
/// not end was cut off, and counts what was reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Reserved(Reserved),
    Settled(Settled),
    /// Nothing was sent.
    Released {
        id: String,
        day: Date,
    },
    /// What requests have cost that this file does not list any more.
    Carried {
        days: Vec<Day>,
    },
    /// The ledger was looked at on this day, and what stands before cannot be of a later one.
    Noted {
        day: Date,
    },
}

/// Money set aside for a request, before it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reserved {
    /// Names the request.
    pub id: String,
    /// Where the user is: the day that it counts for.
    pub day: Date,
    /// What it can cost at most.
    pub worst: Money,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The process that sends it.
    pub pid: u32,
    #[serde(flatten)]
    pub about: About,
    /// Files that are not listed: the line would have been too long.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_files: usize,
}

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    pub kind: Kind,
    /// The same for all requests of one conversation or server.
    pub run: String,
    /// As the API calls it.
    pub model: String,
    /// Where it is sent.
    pub host: String,
    /// Of the whole request.
    pub estimated_tokens: u64,
    /// What of the workspace is in it.
    pub files: Vec<Sent>,
    /// Of the request's body, hexadecimal: what was shown in the preview.
    pub body_sha256: String,
}

/// Why Claude is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Ask,
    /// Why an error is reported.
    Why,
    /// For a change.
    Change,
    FollowUp,
    /// Edits that did not fit are asked for again.
    Repair,
    /// Of a later version.
    #[serde(other)]
    Other,
}

/// A file that is sent, or what of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// As the workspace names it.
    pub path: String,
    #[serde(with = "LevelForm")]
    pub level: Level,
    /// Of what was sent of it, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// [`Level`], to be read again too.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Level", rename_all = "snake_case")]
enum LevelForm {
    Path,
    Signatures,
    Body,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    pub id: String,
    /// On which the answer ended; the cost counts for the day on which it was reserved.
    pub day: Date,
    pub cost: Money,
    /// Milliseconds since 1970.
    pub time: u64,
    #[serde(flatten)]
    pub outcome: Answered,
}

/// What an answer came to, but for its cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub usage: Usage,
    /// As the API calls it: `end_turn`; or why there was none.
    pub stop: String,
    /// From sending to the end.
    pub milliseconds: u64,
    /// Files that the answer names, as the workspace does.
    pub cited: Vec<String>,
    /// Files that it changes.
    pub edited: Vec<String>,
}

/// What was spent on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub day: Date,
    pub spent: Money,
    /// Lines that could not be read and may each have been a request.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub broken: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Versioned for Line {
    const LATEST: u32 = VERSION;
    const MOST_LINE: usize = MOST_LINE;

    fn version(&self) -> u32 {
        self.v
    }
}

impl Event {
    /// As a line of the file. Files that would make it too long for a reader are left out and counted.
    pub(super) fn line(mut self) -> String {
        loop {
            // Plain values always serialise.
            let line = Line { v: VERSION, event: self };
            let mut text = serde_json::to_string(&line).unwrap_or_default();
            self = line.event;
            let halved = match &mut self {
                Event::Reserved(reserved) => {
                    let keep = reserved.about.files.len() / 2;
                    let left_out = reserved.about.files.drain(keep..).count();
                    reserved.more_files += left_out;
                    left_out > 0
                }
                Event::Settled(Settled { outcome, .. }) => {
                    let all = outcome.cited.len() + outcome.edited.len();
                    outcome.cited.truncate(outcome.cited.len() / 2);
                    outcome.edited.truncate(outcome.edited.len() / 2);
                    all > 0
                }
                _ => false,
            };
            if text.len() < MOST_LINE || !halved {
                text.push('\n');
                return text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(files: usize) -> Event {
        let file = |number| Sent {
            path: format!("src/{}{number}.rs", "x".repeat(200)),
            level: Level::Signatures,
            sha256: None,
        };
        let about = About { files: (0..files).map(file).collect(), ..About::default() };
        let day = jiff::civil::date(2026, 11, 21);
        let id = "a".to_owned();
        Event::Reserved(Reserved {
            id,
            day,
            worst: Money(7),
            time: 1,
            pid: 2,
            about,
            more_files: 0,
        })
    }

    #[test]
    fn a_record_is_the_line_that_readers_know() {
        let about = About {
            kind: Kind::FollowUp,
            files: vec![Sent { path: "a.rs".into(), level: Level::Body, sha256: None }],
            ..About::default()
        };
        let Event::Reserved(first) = reserved(0) else { panic!("a reservation") };
        let line = Event::Reserved(Reserved { about, ..first }).line();
        assert_eq!(
            line,
            "{\"v\":1,\"event\":\"reserved\",\"id\":\"a\",\"day\":\"2026-11-21\",\"worst\":7,\"time\":1,\
             \"pid\":2,\"kind\":\"follow_up\",\"run\":\"\",\"model\":\"\",\"host\":\"\",\
             \"estimated_tokens\":0,\"files\":[{\"path\":\"a.rs\",\"level\":\"body\"}],\
             \"body_sha256\":\"\"}\n"
        );
        assert_eq!(serde_json::from_str::<Line>(&line).unwrap().event.line(), line);
    }

    #[test]
    fn a_line_of_very_many_files_stays_readable_and_says_how_many_it_leaves_out() {
        let line = reserved(50_000).line();
        assert!(line.len() <= MOST_LINE);
        let Event::Reserved(read) = serde_json::from_str::<Line>(&line).unwrap().event else {
            panic!("a reservation")
        };
        assert!(read.more_files > 0);
        assert_eq!(read.about.files.len() + read.more_files, 50_000);
    }

    #[test]
    fn a_kind_of_a_later_version_is_still_a_request() {
        assert_eq!(serde_json::from_str::<Kind>("\"sing\"").unwrap(), Kind::Other);
    }
}
