//! Somebody who types: in bursts, with pauses, here and there in his files.
//!
//! In: habits, chance. Out: when he presses the next key that matters, and what the prompt then is. Keys that are
//! answered without the model are passed over, as nobody outside sees them. Pure.

use crate::cache::Text;
use crate::random::Random;

/// What people do, and what tandem then asks for.
#[derive(Clone, Debug)]
pub struct Habits {
    /// From one key to the next within a burst, mean, ms.
    pub gap_ms: f64,
    /// The standard deviation of its logarithm.
    pub gap_spread: f64,
    /// Keys of a burst, mean.
    pub burst_keys: f64,
    /// From one burst to the next, mean, ms.
    pub pause_ms: f64,
    /// Of the keys after one that was answered: for how many the model is asked.
    pub model_share: f64,
    /// Of the keys after one that was not answered in time, the same.
    pub again_share: f64,
    /// Of the bursts: begins where no engine has read.
    pub new_share: f64,
    /// Of the bursts: begins where he was before.
    pub back_share: f64,
    /// A prompt where no engine has read, tokens.
    pub first_tokens: u32,
    /// What a prompt has more than the one asked before it at the same place, tokens.
    pub grown_tokens: u32,
    /// Grown by so many tokens, a prompt gets a nearer anchor, in the background.
    pub anchor_tokens: u32,
    /// What stays of a prompt then, tokens.
    pub head_tokens: u32,
    /// Tokens of an answer, mean and at most.
    pub write_tokens: f64,
    pub write_most: u32,
    /// Of the answers: what comes after them is asked for, too, while one reads.
    pub ahead_share: f64,
    /// Tokens of that, mean and at most.
    pub ahead_tokens: f64,
    pub ahead_most: u32,
    /// From a developer to an engine, or back, ms.
    pub network_ms: f64,
}

impl Habits {
    /// From the beginning of one burst to that of the next, mean, ms.
    pub fn cycle_ms(&self) -> f64 {
        self.burst_keys * self.gap_ms + self.pause_ms
    }
}

/// Places that the engine may still know; the oldest gives way to a new one.
pub const PLACES: u32 = 4;
/// The most that tandem waits before it asks for somebody who types faster than answers come, ms
/// (`src/completer/rhythm.rs`); also what the newest wait counts beside those before.
const PATIENCE_MS: f64 = 120.0;
const NEWEST: f64 = 0.25;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Asks the model.
    Asks,
    /// Is answered from the last suggestion, or wants none.
    Passes,
    /// Begins a burst, somewhere.
    Arrives,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Nothing,
    /// Tandem waits whether another key comes.
    Held,
    Sent(u64),
}

pub struct Developer {
    random: Random,
    keys_left: u32,
    /// What the next key does, unless the last request has not been answered by then.
    pub next: Key,
    here: u32,
    places: [Text; PLACES as usize],
    windows: u32,
    pub asked: Asked,
    pub asked_ms: f64,
    /// Counts the requests, so that one that was held knows whether it is still wanted.
    pub asks: u32,
    is_too_late: bool,
    wait_ms: f64,
    /// In the background: what comes after a suggestion; the same place from a nearer anchor.
    pub ahead: Option<u64>,
    pub warming: Option<u64>,
}

impl Developer {
    /// One who has worked for a while: he has been at all his places.
    pub fn new(habits: &Habits, seed: u64, number: u32) -> Developer {
        let mut random = Random::new(seed, number.into());
        let here = (random.uniform() * f64::from(PLACES)) as u32;
        let places = [1, 2, 3, 4].map(|window| {
            let grown = (random.uniform() * f64::from(habits.anchor_tokens)) as u32;
            let (head, tokens) = (habits.head_tokens, habits.first_tokens + grown);
            Text { window, anchor: 0, head, tokens }
        });
        Developer {
            random,
            keys_left: 0,
            next: Key::Arrives,
            here,
            places,
            windows: PLACES,
            asked: Asked::Nothing,
            asked_ms: 0.0,
            asks: 0,
            is_too_late: false,
            wait_ms: 0.0,
            ahead: None,
            warming: None,
        }
    }

    /// Where he has been, and the prompts there; where he is comes last.
    pub fn known(&self, number: u32) -> impl Iterator<Item = (u32, Text)> {
        let places = (1..=PLACES).map(|further| (self.here + further) % PLACES);
        places.map(move |place| (number * PLACES + place, self.places[place as usize]))
    }

    /// When he comes to work, ms.
    pub fn begins(&mut self, habits: &Habits) -> f64 {
        habits.cycle_ms() * self.random.uniform()
    }

    /// A key is pressed: whether it asks the model.
    pub fn press(&mut self, habits: &Habits, is_late: bool) -> bool {
        match self.next {
            Key::Arrives => {
                self.arrive(habits);
                true
            }
            _ if is_late => self.random.chance(habits.again_share),
            Key::Asks => true,
            Key::Passes => self.random.chance(habits.model_share),
        }
    }

    fn arrive(&mut self, habits: &Habits) {
        self.keys_left = self.random.geometric(habits.burst_keys, u32::MAX);
        let where_to = self.random.uniform();
        if where_to < habits.new_share {
            self.here = self.windows % PLACES;
            self.windows += 1;
            let (head, tokens) = (habits.head_tokens, habits.first_tokens);
            self.places[self.here as usize] =
                Text { window: self.windows, anchor: 0, head, tokens };
        } else if where_to < habits.new_share + habits.back_share {
            let further = 1 + (self.random.uniform() * f64::from(PLACES - 1)) as u32;
            self.here = (self.here + further) % PLACES;
        }
    }

    /// From this key to the next one that matters, ms. While a request is under way that is the very next key.
    pub fn until_next(&mut self, habits: &Habits) -> f64 {
        let mut ms = 0.0;
        loop {
            self.keys_left -= self.keys_left.min(1);
            if self.keys_left == 0 {
                self.next = Key::Arrives;
                return ms + self.random.exponential(habits.pause_ms);
            }
            ms += self.random.log_normal(habits.gap_ms, habits.gap_spread);
            if self.asked != Asked::Nothing {
                self.next = Key::Passes;
                return ms;
            }
            if self.random.chance(habits.model_share) {
                self.next = Key::Asks;
                return ms;
            }
        }
    }

    /// How long tandem waits before it asks, ms: not at all while answers come faster than keys.
    pub fn patience_ms(&self, habits: &Habits) -> f64 {
        let is_slow = self.is_too_late && self.wait_ms > habits.gap_ms;
        if is_slow { (habits.gap_ms * 1.1).min(PATIENCE_MS) } else { 0.0 }
    }

    /// The answer came.
    pub fn answered(&mut self, ms: f64) {
        self.asked = Asked::Nothing;
        self.is_too_late = false;
        self.wait_ms += if self.wait_ms == 0.0 { ms } else { NEWEST * (ms - self.wait_ms) };
    }

    /// The next key came first.
    pub fn superseded(&mut self) {
        self.asked = Asked::Nothing;
        self.is_too_late = true;
    }

    /// The prompt of a request, and tokens to write.
    pub fn ask(&mut self, habits: &Habits) -> (Text, u32) {
        // After one that came to nothing only a key has been typed since.
        let grown = if self.is_too_late { 1 } else { habits.grown_tokens };
        let text = &mut self.places[self.here as usize];
        text.tokens += grown;
        (*text, self.random.geometric(habits.write_tokens, habits.write_most))
    }

    /// What comes after the suggestion, if that is asked for.
    pub fn ask_ahead(&mut self, habits: &Habits) -> Option<(Text, u32)> {
        let text = self.places[self.here as usize];
        let wants = self.random.chance(habits.ahead_share);
        wants.then(|| (text, self.random.geometric(habits.ahead_tokens, habits.ahead_most)))
    }

    /// The prompt from a nearer anchor, if it is time for one. It is as long as a first one; its head stays.
    pub fn ask_nearer(&self, habits: &Habits) -> Option<(Text, u32)> {
        let text = self.places[self.here as usize];
        let is_time = text.tokens >= habits.first_tokens + habits.anchor_tokens;
        let nearer = Text { anchor: text.anchor + 1, tokens: habits.first_tokens, ..text };
        (is_time && self.warming.is_none()).then_some((nearer, 1))
    }

    /// The engine has read it: prompts are made from there now.
    pub fn nearer(&mut self, habits: &Habits, window: u32) {
        let here = self.places.iter_mut().find(|text| text.window == window);
        if let Some(text) = here {
            text.anchor += 1;
            text.tokens = habits.first_tokens.max(text.tokens - habits.anchor_tokens);
        }
    }

    /// Where he is, among the places of all developers.
    pub fn place(&self, number: u32) -> u32 {
        number * PLACES + self.here
    }
}
