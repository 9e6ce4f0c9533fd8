//! An engine that serves several sequences at once (continuous batching), step by step.
//!
//! In: jobs, and that one is dropped. Out: how long the next step takes, and which jobs it ended. A step reads a
//! piece of the prompts that are not read yet and writes a token of every other sequence; what it takes depends
//! on how many tokens that is. Whoever comes waits for the next step, and for a slot. Pure.

use std::collections::VecDeque;

use crate::cache::{Cache, Text};

/// What an engine can do, and how fast.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Tokens in a step, and ms it takes; by number of tokens. Between two of them, and past the last two, as on
    /// a line.
    pub step_ms: Vec<(f64, f64)>,
    /// Sequences at once, at most.
    pub slots: usize,
    /// Tokens of prompts read in a step, at most.
    pub chunk_tokens: u32,
    /// Tokens in the KV cache.
    pub cache_tokens: u64,
    /// Tokens that are cached together or not at all.
    pub block_tokens: u32,
}

impl Costs {
    /// What a step of so many tokens takes, ms.
    pub fn step(&self, tokens: u32) -> f64 {
        let tokens = f64::from(tokens);
        let (first, last) = (0, self.step_ms.len() - 1);
        if last == 0 || tokens <= self.step_ms[first].0 {
            return self.step_ms[first].1;
        }
        let above = self.step_ms.iter().position(|(number, _)| *number >= tokens).unwrap_or(last);
        let ((a, a_ms), (b, b_ms)) = (self.step_ms[above - 1], self.step_ms[above]);
        a_ms + (tokens - a) / (b - a) * (b_ms - a_ms)
    }
}

/// A request as the engine sees it.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub id: u64,
    /// Whose prompt it is, for the cache.
    pub place: u32,
    pub text: Text,
    /// Tokens to write, at least 1.
    pub write: u32,
}

/// A job in a slot.
struct Sequence {
    job: Job,
    /// Tokens of the prompt that are in the cache.
    read: u32,
    /// Tokens that this step reads.
    piece: u32,
    written: u32,
    is_dropped: bool,
}

/// What an engine did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub busy_ms: f64,
    /// Prompt tokens of the jobs that came into a slot.
    pub prompt: u64,
    /// Of these, the ones that were in the cache.
    pub reused: u64,
    pub evaluated: u64,
    pub written: u64,
}

pub struct Engine {
    waiting: VecDeque<Job>,
    running: Vec<Sequence>,
    cache: Cache,
    is_stepping: bool,
    pub tally: Tally,
}

impl Engine {
    pub fn new(costs: &Costs) -> Engine {
        Engine {
            waiting: VecDeque::new(),
            running: Vec::new(),
            cache: Cache::new(costs.cache_tokens),
            is_stepping: false,
            tally: Tally::default(),
        }
    }

    /// It has read this some time ago.
    pub fn remember(&mut self, place: u32, text: Text) {
        self.cache.hold(place, text);
    }

    /// A job comes. It begins with the next step.
    pub fn take(&mut self, job: Job) {
        self.waiting.push_back(job);
    }

    /// A job is not wanted any more: one that waits goes at once, one that runs with the end of the step.
    /// Whether it was there.
    pub fn forget(&mut self, id: u64) -> bool {
        if let Some(at) = self.waiting.iter().position(|job| job.id == id) {
            self.waiting.remove(at);
            return true;
        }
        let running = self.running.iter_mut().find(|sequence| sequence.job.id == id);
        running.map(|sequence| sequence.is_dropped = true).is_some()
    }

    /// Begins a step, if there is work and none is under way: how long it takes, ms.
    pub fn begin(&mut self, costs: &Costs) -> Option<f64> {
        if self.is_stepping {
            return None;
        }
        while self.running.len() < costs.slots
            && let Some(job) = self.waiting.pop_front()
        {
            let held = self.cache.find(job.place);
            let read = held.map_or(0, |held| job.text.common(held, costs.block_tokens));
            self.tally.prompt += u64::from(job.text.tokens);
            self.tally.reused += u64::from(read);
            let sequence = Sequence { job, read, piece: 0, written: 0, is_dropped: false };
            self.running.push(sequence);
        }
        if self.running.is_empty() {
            return None;
        }
        let (mut left, mut tokens) = (costs.chunk_tokens, 0);
        for sequence in &mut self.running {
            sequence.piece = (sequence.job.text.tokens - sequence.read).min(left);
            left -= sequence.piece;
            self.tally.evaluated += u64::from(sequence.piece);
            let writes = sequence.read == sequence.job.text.tokens;
            tokens += if writes { 1 } else { sequence.piece };
        }
        self.is_stepping = true;
        let ms = costs.step(tokens);
        self.tally.busy_ms += ms;
        Some(ms)
    }

    /// The step has come to its end; the jobs that have, too, are put into `ended`.
    pub fn end(&mut self, ended: &mut Vec<u64>) {
        self.is_stepping = false;
        let (cache, tally) = (&mut self.cache, &mut self.tally);
        self.running.retain_mut(|sequence| {
            let Sequence { job, read, piece, written, is_dropped } = sequence;
            *read += *piece;
            let is_read = *read == job.text.tokens;
            if *piece > 0 && (is_read || *is_dropped) {
                cache.hold(job.place, Text { tokens: *read, ..job.text });
            }
            // The step that reads the last of a prompt writes the first token.
            if is_read {
                *written += 1;
                tally.written += 1;
            }
            let is_done = !*is_dropped && *written >= job.write;
            if is_done {
                ended.push(job.id);
            }
            !is_done && !*is_dropped
        });
    }
}
