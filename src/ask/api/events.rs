//! An answer, put together from the events of its stream.
//!
//! In: the data of one event after another. Out: [`Progress`], and what has come so far. Refuses: an error that
//! the API sends in the middle, what is no event at all, more text than an answer can have. Events, blocks
//! and deltas of kinds that it does not know are passed over: new ones may come at any time.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Partial, Progress, Stop};
use crate::ask::price::Usage;
use crate::ask::tokens;
use crate::net::clean;

/// Bytes of an answer's text. The longest that any model gives, 128,000 tokens, has less than 1 MB.
const LONGEST_TEXT: usize = 4_000_000;

/// Blocks that are open at the same time; there is one.
const MOST_OPEN: usize = 1_000;

/// Bytes of a model's name; none is near it.
const LONGEST_NAME: usize = 200;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        delta: End,
        usage: Option<Counts>,
    },
    MessageStop,
    Error {
        error: Failure,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Start {
    model: Option<String>,
    usage: Option<Counts>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct End {
    stop_reason: Option<String>,
    stop_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    category: Option<String>,
    explanation: Option<String>,
}

/// Of the whole request so far, not of the event.
#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Thinking,
    Unknown,
}

/// Why the rest of a stream is not read.
#[derive(Debug, PartialEq)]
pub enum Broken {
    /// The API says that it failed.
    Failed {
        kind: String,
        message: String,
    },
    /// This is no stream of the API.
    Strange(String),
    TooMuch(String),
}

/// An answer while it comes.
pub struct Reading<'a> {
    secret: &'a str,
    so_far: Partial,
    stop: Option<Stop>,
    open: HashMap<u64, Kind>,
    /// Tokens, estimated from what is shown of it.
    thought: u64,
    has_started: bool,
    has_content: bool,
    has_ended: bool,
}

impl<'a> Reading<'a> {
    /// `secret` is kept out of all words that are not the answer itself.
    pub fn new(secret: &'a str, request_id: Option<String>) -> Reading<'a> {
        Reading {
            secret,
            so_far: Partial { request_id, ..Partial::default() },
            stop: None,
            open: HashMap::new(),
            thought: 0,
            has_started: false,
            has_content: false,
            has_ended: false,
        }
    }

    /// Whether a first piece has come: then nothing is tried again.
    pub fn has_content(&self) -> bool {
        self.has_content
    }

    /// Whether the API said that this was all.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What there is, of an answer that is whole.
    pub fn finished(self) -> (Partial, Stop) {
        (self.so_far, self.stop.unwrap_or_else(|| Stop::Other(String::new())))
    }

    /// What there is, of an answer that is not.
    pub fn partial(self) -> Partial {
        let come = tokens::estimate(&self.so_far.text).saturating_add(self.thought);
        let mut partial = self.so_far;
        partial.usage.output = partial.usage.output.max(come);
        partial
    }

    /// Takes the data of one event.
    pub fn take(&mut self, data: &str, tell: &mut impl FnMut(Progress)) -> Result<(), Broken> {
        let event: Event = serde_json::from_str(data).map_err(|error| {
            Broken::Strange(format!("an event of its stream cannot be read ({error})"))
        })?;
        match event {
            Event::MessageStart { message } => self.start(message, tell),
            Event::ContentBlockStart { index, content_block } => {
                self.open_block(index, content_block, tell)
            }
            Event::ContentBlockDelta { index, delta } => self.delta(index, delta, tell),
            Event::ContentBlockStop { index } => {
                self.open.remove(&index);
                Ok(())
            }
            Event::MessageDelta { delta, usage } => {
                self.end(delta);
                self.count(usage, tell);
                Ok(())
            }
            Event::MessageStop => {
                self.has_ended = true;
                Ok(())
            }
            Event::Error { error } => Err(Broken::Failed {
                kind: clean(&error.r#type, self.secret),
                message: clean(&error.message, self.secret),
            }),
            Event::Unknown => Ok(()),
        }
    }

    fn start(&mut self, start: Start, tell: &mut impl FnMut(Progress)) -> Result<(), Broken> {
        if self.has_started {
            return Err(Broken::Strange("a second message begins in its stream".to_owned()));
        }
        self.has_started = true;
        let model: String = start
            .model
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_graphic)
            .take(LONGEST_NAME)
            .collect();
        self.so_far.model = Some(model.clone());
        tell(Progress::Started { model });
        self.count(start.usage, tell);
        Ok(())
    }

    fn open_block(
        &mut self,
        index: u64,
        block: Block,
        tell: &mut impl FnMut(Progress),
    ) -> Result<(), Broken> {
        if self.open.len() >= MOST_OPEN {
            return Err(Broken::Strange("its stream opens blocks without an end".to_owned()));
        }
        self.has_content = true;
        let kind = match &block {
            Block::Text { .. } => Kind::Text,
            Block::Thinking { .. } => Kind::Thinking,
            Block::Unknown => Kind::Unknown,
        };
        if self.open.insert(index, kind).is_some() {
            return Err(Broken::Strange("a block of its stream begins twice".to_owned()));
        }
        match block {
            Block::Text { text } if !text.is_empty() => self.text(text, tell),
            Block::Thinking { thinking } => {
                self.thinking(thinking, tell);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn delta(
        &mut self,
        index: u64,
        delta: Delta,
        tell: &mut impl FnMut(Progress),
    ) -> Result<(), Broken> {
        let Some(kind) = self.open.get(&index) else {
            return Err(Broken::Strange("its stream goes on with a block that never began".into()));
        };
        match (kind, delta) {
            (Kind::Text, Delta::Text { text }) => self.text(text, tell),
            (Kind::Thinking, Delta::Thinking { thinking }) => {
                self.thinking(thinking, tell);
                Ok(())
            }
            // A signature, or what is newer than this.
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: String, tell: &mut impl FnMut(Progress)) -> Result<(), Broken> {
        if self.so_far.text.len().saturating_add(text.len()) > LONGEST_TEXT {
            return Err(Broken::TooMuch(format!("it is longer than {LONGEST_TEXT} bytes")));
        }
        self.so_far.text.push_str(&text);
        tell(Progress::Text(text));
        Ok(())
    }

    fn thinking(&mut self, text: String, tell: &mut impl FnMut(Progress)) {
        self.thought = self.thought.saturating_add(tokens::estimate(&text));
        tell(Progress::Thinking(text));
    }

    fn end(&mut self, end: End) {
        let Some(word) = end.stop_reason else { return };
        let (category, explanation) = end
            .stop_details
            .map_or((None, None), |details| (details.category, details.explanation));
        let shown = |text: Option<String>| text.map(|text| clean(&text, self.secret));
        self.stop = Some(Stop::of(&clean(&word, self.secret), shown(category), shown(explanation)));
    }

    /// Counts are of the whole so far, so they only grow; one that is not there has not changed.
    fn count(&mut self, counts: Option<Counts>, tell: &mut impl FnMut(Progress)) {
        let Some(counts) = counts else { return };
        let Usage { input, cache_write, cache_read, output } = &mut self.so_far.usage;
        for (known, told) in [
            (input, counts.input_tokens),
            (cache_write, counts.cache_creation_input_tokens),
            (cache_read, counts.cache_read_input_tokens),
            (output, counts.output_tokens),
        ] {
            *known = (*known).max(told.unwrap_or(0));
        }
        tell(Progress::Usage(self.so_far.usage));
    }
}

#[cfg(test)]
mod tests;
