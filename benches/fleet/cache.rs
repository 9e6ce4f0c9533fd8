//! An engine's KV cache: which prompts it has read, the one used longest ago thrown out first.
//!
//! In: places (a developer's place in a document) and their prompts. Out: how much of a prompt is there. A prompt
//! is not its tokens here but what decides how much two have in common.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::BuildHasherDefault;

/// What a prompt at some place consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Where the prompt begins; two of different windows have nothing in common.
    pub window: u32,
    /// Where its anchor is; two of one window with different anchors have the head in common.
    pub anchor: u32,
    /// Tokens of the head.
    pub head: u32,
    /// Tokens in all; with the same anchor one only grows.
    pub tokens: u32,
}

impl Text {
    /// Tokens of this prompt that need not be read where `held` has been, in whole blocks. The last token
    /// always is: it says what comes next.
    pub fn common(self, held: Text, block: u32) -> u32 {
        let same = match () {
            () if self.window != held.window => 0,
            () if self.anchor != held.anchor => self.head.min(held.head).min(held.tokens),
            () => held.tokens,
        };
        let most = same.min(self.tokens.saturating_sub(1));
        most - most % block.max(1)
    }
}

const NONE: usize = usize::MAX;

struct Entry {
    place: u32,
    text: Text,
    newer: usize,
    older: usize,
}

pub struct Cache {
    capacity: u64,
    used: u64,
    entries: Vec<Entry>,
    free: Vec<usize>,
    // Not the usual random keys: a run is to be the same each time.
    at: HashMap<u32, usize, BuildHasherDefault<DefaultHasher>>,
    newest: usize,
    oldest: usize,
}

impl Cache {
    /// Of so many tokens.
    pub fn new(capacity: u64) -> Cache {
        Cache {
            capacity,
            used: 0,
            entries: Vec::new(),
            free: Vec::new(),
            at: HashMap::default(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// What is held of a place, which is used by this.
    pub fn find(&mut self, place: u32) -> Option<Text> {
        let at = *self.at.get(&place)?;
        self.unlink(at);
        self.link(at);
        Some(self.entries[at].text)
    }

    /// Holds this instead of what was held of the place.
    pub fn hold(&mut self, place: u32, text: Text) {
        if u64::from(text.tokens) > self.capacity {
            return;
        }
        let at = match self.at.get(&place) {
            Some(&at) => {
                self.used -= u64::from(self.entries[at].text.tokens);
                self.unlink(at);
                self.entries[at].text = text;
                at
            }
            None => self.entry(place, text),
        };
        self.used += u64::from(text.tokens);
        self.link(at);
        while self.used > self.capacity {
            self.evict();
        }
    }

    fn entry(&mut self, place: u32, text: Text) -> usize {
        let entry = Entry { place, text, newer: NONE, older: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at] = entry;
                at
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.at.insert(place, at);
        at
    }

    fn evict(&mut self) {
        let at = self.oldest;
        self.unlink(at);
        self.used -= u64::from(self.entries[at].text.tokens);
        self.at.remove(&self.entries[at].place);
        self.free.push(at);
    }

    fn link(&mut self, at: usize) {
        self.entries[at].newer = NONE;
        self.entries[at].older = self.newest;
        match self.newest {
            NONE => self.oldest = at,
            newest => self.entries[newest].newer = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: usize) {
        let Entry { newer, older, .. } = self.entries[at];
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older].newer = newer,
        }
    }
}
