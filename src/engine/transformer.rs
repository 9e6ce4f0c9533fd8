//! What the worker needs of a language model: tokens, evaluation, and a KV cache of sequences that
//! can be cut, forked, saved and loaded. `llama` is the real one; the worker's tests have a toy.

use super::Adapter;
use super::healing::{Token, Vocabulary};

/// The tokens around prefix, suffix and middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FimTokens {
    /// Before the prefix.
    pub prefix: Token,
    /// Before the suffix.
    pub suffix: Token,
    /// Before the middle.
    pub middle: Token,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluated {
    /// All of it was evaluated.
    All,
    /// It was broken off; the sequence is as it was before.
    Nothing,
}

/// A loaded model and its KV cache. Failures are sentences for a person; after one, what the cache
/// holds is unknown until [`clear`](Self::clear).
pub trait Transformer {
    /// Every token's bytes.
    fn vocabulary(&self) -> &Vocabulary;

    /// Does this token end an answer, or can it not be text?
    fn is_stop(&self, token: Token) -> bool;

    /// The tokens of the fill-in-the-middle layout.
    fn fim(&self) -> FimTokens;

    /// Text as tokens. What looks like a special token in somebody's file is plain text.
    fn tokenize(&self, text: &str) -> Vec<Token>;

    /// From now on the weights are the model's own, changed by these adapters; none for its own alone. What the
    /// cache holds stays as it was evaluated: telling the two apart is the caller's. `false` when the cache had
    /// to be emptied for it.
    ///
    /// # Errors
    /// When an adapter cannot be used. Which ones are then in use is unknown until the next call.
    fn wear(&mut self, adapters: &[Adapter]) -> Result<bool, String>;

    /// Evaluates tokens from a position of a sequence on. The logits after the last `rows` of them
    /// can be read until the next call.
    ///
    /// # Errors
    /// When the model cannot go on.
    fn evaluate(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String>;

    /// The best next token after row `row` of the last evaluation (0 is the first of its `rows`):
    /// of all when nothing `remains` to be forced, else of those that fit. Among equals the lowest
    /// number wins. `None` when no token fits.
    fn best(&self, row: usize, remains: &[u8]) -> Option<Token>;

    /// The best next tokens after a row, at most `most`, whose bytes `fit`: the best first, each with the
    /// natural logarithm of its probability among all that fit. Tokens that end an answer have no
    /// bytes.
    fn ranked(&self, row: usize, most: usize, fit: &dyn Fn(&[u8]) -> bool) -> Vec<(Token, f32)>;

    /// The natural logarithm of a token's probability after row `row`, of all tokens.
    fn ln_probability(&self, row: usize, token: Token) -> f32;

    /// Is the best token after a row so near the second that rounding could have decided? A batch's
    /// sums are rounded otherwise than a single token's.
    fn is_near_tie(&self, row: usize) -> bool;

    /// Forgets a sequence's tokens from position `length` on.
    fn truncate(&mut self, sequence: usize, length: usize);

    /// Makes `to` (another, empty sequence) the first `length` tokens of `from`.
    fn fork(&mut self, from: usize, to: usize, length: usize);

    /// Forgets everything.
    fn clear(&mut self);

    /// A sequence's keys and values.
    ///
    /// # Errors
    /// When there is no memory for them.
    fn save(&mut self, sequence: usize) -> Result<Vec<u8>, String>;

    /// Puts saved keys and values into an empty sequence.
    ///
    /// # Errors
    /// When they are not of this model and these settings.
    fn load(&mut self, sequence: usize, state: &[u8]) -> Result<(), String>;
}
