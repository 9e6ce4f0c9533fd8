//! A small model that drafts what a larger one then verifies in one batch.
//!
//! In: the tokens of one of the larger model's sequences. Out: tokens that may come next. Nothing is kept in step
//! with the larger model's cache: its tokens say what the small one should hold, and what differs is evaluated. What
//! is accepted is what the larger model would have chosen (speculative decoding: Leviathan et al. 2023, Chen et al.
//! 2023; greedy here), so a bad draft costs time, never text.
//!
//! How many tokens to draft depends on what batches cost the larger model and a token the small one, which is measured
//! at the start, and on how often drafts come true, which is learnt. A draft ends early where the small model
//! itself is no longer sure. On a machine where it does not pay, nothing is drafted.

use super::guess::{DECIDED_ALONE, LEARNING, MOST, by_size, worth};
use super::healing::Token;
use super::transformer::{Evaluated, Transformer};

/// How often a drafted token comes true, before anything is known. Every answer takes it back there by
/// [`FORGETTING`], so that drafting is tried again where it once did not pay.
const RATE: f64 = 0.8;
const FORGETTING: f64 = 0.01;
/// A sequence is copied to another when that spares so many tokens; copying takes as long as some of them.
const WORTH_COPYING: usize = 32;
/// Tokens that are read for an answer at most before it goes on without drafts; and how many at a time. The rest is
/// read with the next ones, or in the background.
const READ_AT_MOST: usize = 128;
const PIECE: usize = 32;

/// What drafting costs and may bring, measured.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The larger model's batch sizes, rising from 1, and what one takes, in any unit.
    pub batches: Vec<(usize, f64)>,
    /// What a token takes the small model, in the same unit.
    pub token: f64,
    /// So many tokens each time, whether or not it pays: to measure, and for tests.
    pub always: Option<usize>,
}

/// How much was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The draft model holds all there is, and knows what it would say next.
    All,
    /// As much as was allowed.
    Part,
    /// It was broken off.
    Nothing,
}

/// A draft model at work.
pub struct Drafter<T> {
    model: T,
    /// The tokens that each of its sequences holds.
    held: Vec<Vec<Token>>,
    costs: Vec<f64>,
    token: f64,
    always: Option<usize>,
    /// How often a drafted token comes true when those before it have.
    rate: f64,
    /// How often a drafted step costs a plain one besides, because of a near tie.
    decided_alone: f64,
    /// Tokens that it may still read for the answer at hand.
    may_read: usize,
}

impl<T: Transformer> Drafter<T> {
    /// With as many sequences as the larger model has.
    pub fn new(model: T, sequences: usize, terms: &Terms) -> Drafter<T> {
        Drafter {
            model,
            held: vec![Vec::new(); sequences],
            costs: by_size(&terms.batches),
            token: terms.token,
            always: terms.always,
            rate: RATE,
            decided_alone: DECIDED_ALONE,
            may_read: READ_AT_MOST,
        }
    }

    /// An answer begins.
    pub fn begin(&mut self) {
        self.may_read = READ_AT_MOST;
        self.rate += FORGETTING * (RATE - self.rate);
    }

    /// Forgets every sequence.
    pub fn clear(&mut self) {
        self.model.clear();
        self.held.iter_mut().for_each(Vec::clear);
    }

    /// Makes its sequence of that number hold these tokens, evaluating at most `most` of them.
    ///
    /// # Errors
    /// When the model cannot go on. What it holds is then unknown.
    pub fn read(&mut self, sequence: usize, tokens: &[Token], most: usize) -> Result<Read, String> {
        self.keep_shared(sequence, tokens);
        let known = self.held[sequence].len();
        let to = tokens.len().min(known + most);
        if known == to {
            return Ok(if to == tokens.len() { Read::All } else { Read::Part });
        }
        let missing = &tokens[known..to];
        match self.model.evaluate(sequence, known, missing, 1)? {
            Evaluated::Nothing => Ok(Read::Nothing),
            Evaluated::All => {
                self.held[sequence].extend(missing);
                Ok(if to == tokens.len() { Read::All } else { Read::Part })
            }
        }
    }

    /// Tokens that it says come after these, at most `most`; none when that would not pay, or when it has not read
    /// enough yet, or was broken off.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn draft(
        &mut self,
        sequence: usize,
        tokens: &[Token],
        most: usize,
    ) -> Result<Vec<Token>, String> {
        let mut drafted = Vec::new();
        let wanted = self.wanted(most);
        if wanted == 0 || !self.catch_up(sequence, tokens)? {
            return Ok(drafted);
        }
        let mut all_right = 1.0;
        while let Some(token) = self.model.best(0, b"").filter(|&token| !self.model.is_stop(token))
        {
            all_right *= f64::from(self.model.ln_probability(0, token)).exp();
            if !self.pays(wanted, all_right) {
                break;
            }
            drafted.push(token);
            if drafted.len() == wanted {
                break;
            }
            let position = self.held[sequence].len();
            match self.model.evaluate(sequence, position, &[token], 1)? {
                Evaluated::All => self.held[sequence].push(token),
                Evaluated::Nothing => return Ok(Vec::new()),
            }
        }
        Ok(drafted)
    }

    /// Learns from the tokens that really came: as many of the drafted as came true, and the one after those. A near
    /// `tie` in the batch had its last token evaluated again.
    pub fn learn(&mut self, drafted: &[Token], came: &[Token], tie: bool) {
        let towards = |value: &mut f64, outcome: bool| {
            *value += LEARNING * (f64::from(u8::from(outcome)) - *value);
        };
        for (guess, real) in drafted.iter().zip(came) {
            towards(&mut self.rate, guess == real);
        }
        towards(&mut self.decided_alone, tie);
    }

    /// Tokens that it drafts at a time while all goes as usual; 0 where drafting would not pay.
    pub fn usual(&self) -> usize {
        self.wanted(MOST)
    }

    /// The same, at most so many.
    fn wanted(&self, most: usize) -> usize {
        let most = most.min(MOST);
        match self.always {
            Some(always) => always.min(most),
            None => worth(&self.costs, self.decided_alone, most, self.token, |_| self.rate),
        }
    }

    /// Is a drafted token worth its place in a batch of about `wanted`, when it comes true this often?
    fn pays(&self, wanted: usize, all_right: f64) -> bool {
        let (Some(plain), Some(batch)) = (self.costs.first(), self.costs.get(wanted)) else {
            return self.always.is_some();
        };
        let place = (batch - plain) / wanted as f64;
        self.always.is_some() || all_right * plain > place
    }

    /// Reads what is missing, as far as an answer may wait for it.
    fn catch_up(&mut self, sequence: usize, tokens: &[Token]) -> Result<bool, String> {
        self.keep_shared(sequence, tokens);
        let missing = tokens.len() - self.held[sequence].len();
        if missing <= PIECE {
            return Ok(self.read(sequence, tokens, PIECE)? == Read::All);
        }
        while self.may_read > 0 {
            let piece = PIECE.min(self.may_read);
            self.may_read -= piece;
            match self.read(sequence, tokens, piece)? {
                Read::All => return Ok(true),
                Read::Part => {}
                Read::Nothing => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Leaves in a sequence what it shares with these tokens, or another one does that shares much more. The last of
    /// the tokens is never held then: evaluating it tells what comes next.
    fn keep_shared(&mut self, sequence: usize, tokens: &[Token]) {
        let last = tokens.len().saturating_sub(1);
        let shared = |held: &Vec<Token>| {
            held.iter().zip(&tokens[..last]).take_while(|(held, token)| held == token).count()
        };
        let own = shared(&self.held[sequence]);
        let most = self.held.iter().map(shared).enumerate().max_by_key(|&(_, shared)| shared);
        match most {
            Some((other, most)) if most >= own + WORTH_COPYING => {
                self.model.truncate(sequence, 0);
                self.model.fork(other, sequence, most);
                self.held[sequence] = self.held[other][..most].to_vec();
            }
            _ => {
                self.model.truncate(sequence, own);
                self.held[sequence].truncate(own);
            }
        }
    }
}
