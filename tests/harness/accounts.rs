//! Which requests a client has sent, and how often each was answered.
//!
//! In: the bytes that are written, and the messages that are read. Out: what was never answered, and what
//! was answered twice. A request that no reader could find in the bytes is none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Which requests went out, and how often each was answered.
#[derive(Default)]
pub struct Accounts {
    /// Bytes that are no whole message yet.
    begun: Vec<u8>,
    /// Identifiers as JSON, so that `1` is not `"1"`.
    asked: BTreeSet<String>,
    answered: BTreeMap<String, u32>,
}

impl Accounts {
    /// Finds the requests in what is written, also where it comes in pieces or between garbage.
    pub fn wrote(&mut self, bytes: &[u8]) {
        const NAME: &[u8] = b"Content-Length: ";
        self.begun.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(found) = find(&self.begun[at..], NAME) {
            let head = at + found;
            let number = head + NAME.len();
            let digits = self.begun[number..].iter().take_while(|it| it.is_ascii_digit()).count();
            let body = number + digits + 4;
            if body > self.begun.len() {
                at = head;
                break;
            }
            let text = String::from_utf8_lossy(&self.begun[number..number + digits]);
            let length = text.parse::<usize>().ok().filter(|length| *length < 1 << 30);
            let Some(length) = length.filter(|_| self.begun[..body].ends_with(b"\r\n\r\n")) else {
                at = number;
                continue;
            };
            if self.begun.len() < body + length {
                at = head;
                break;
            }
            at = body + length;
            let message: Value = serde_json::from_slice(&self.begun[body..at]).unwrap_or_default();
            if message["method"].is_string() && !message["id"].is_null() {
                self.asked.insert(message["id"].to_string());
            }
        }
        // A piece of a header may be at the end.
        let most = self.begun.len().saturating_sub(NAME.len());
        let used = if find(&self.begun[at..], NAME).is_some() { at } else { at.max(most) };
        self.begun.drain(..used);
    }

    pub fn read(&mut self, message: &Value) {
        if message.get("method").is_none() && !message["id"].is_null() {
            *self.answered.entry(message["id"].to_string()).or_default() += 1;
        }
    }

    pub fn open(&self) -> Vec<&String> {
        self.asked.iter().filter(|id| !self.answered.contains_key(*id)).collect()
    }

    pub fn more_than_once(&self) -> Vec<&String> {
        self.answered.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id).collect()
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
