//! A loaded model and its context as the worker sees them, and what they cost here.
//!
//! In: llama.cpp's model. Out: a [`Transformer`]. Refuses: models without tokens to fill in the middle.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token_type::LlamaTokenAttr;

use super::adapters::Adapters;
use super::context::{Context, Shape};
use super::name_of;
use crate::engine::costs::Costs;
use crate::engine::guess;
use crate::engine::healing::{Token, Vocabulary};
use crate::engine::interrupt::Interrupt;
use crate::engine::transformer::{Evaluated, FimTokens, Transformer};
use crate::engine::{Adapter, ranking};

/// Batch sizes whose cost is measured, each this often.
pub const MEASURED: [usize; 5] = [1, 2, 4, 8, guess::MOST + 1];
const MEASURED_TIMES: usize = 2;
/// A prompt's tokens that are evaluated to measure how fast that is.
pub const MEASURED_PREFILL: usize = 64;
/// Logits closer than this may change places by rounding alone: a batch's kernels add up in another
/// order than a single token's. Without this test 9 of 197 guessed answers differed from plain ones
/// (`benches/engine.rs`, 0.5B in Q4_0), with it 1 of 281.
const NEAR_TIE: f32 = 0.25;
/// Text pieces that no model should write although they are not control tokens in every file.
const NEVER_TEXT: [&str; 9] = [
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
];

/// What contexts are made from.
#[derive(Clone)]
pub struct Room {
    /// Its size.
    pub shape: Shape,
    /// Who may break off what it evaluates.
    pub interrupt: Arc<Interrupt>,
}

impl Room {
    fn context<'m>(&self, model: &'m LlamaModel) -> Result<Context<'m>, String> {
        let context = Context::new(model, self.shape, self.interrupt.clone());
        context.ok_or_else(|| {
            "no memory for the model's context; set smaller `engine.context_tokens` or `engine.documents`"
                .to_owned()
        })
    }
}

/// A loaded model as the worker sees it.
pub struct Model<'m> {
    model: &'m LlamaModel,
    context: Context<'m>,
    room: Room,
    adapters: Adapters<'m>,
    words: Words,
    fim: FimTokens,
}

/// What was measured so far: times, ms.
#[derive(Debug, Default)]
pub struct Measured {
    /// Of [`MEASURED_PREFILL`] tokens of a prompt.
    starts: Vec<f64>,
    batches: Vec<(usize, f64)>,
}

/// A model's tokens as text.
struct Words {
    vocabulary: Vocabulary,
    /// Which of them are never text.
    stops: Vec<bool>,
}

impl Words {
    fn of(model: &LlamaModel) -> Words {
        let vocab = model.vocab();
        let mut stops = Vec::new();
        let mut texts = Vec::new();
        for token in vocab.tokens() {
            let text = vocab.token_to_piece(token, true, None);
            let never_text = NEVER_TEXT.iter().any(|t| t.as_bytes() == text);
            let plain = LlamaTokenAttr::Normal | LlamaTokenAttr::Byte;
            let stop = never_text
                || vocab.is_eog(token)
                || vocab.is_control(token)
                || !vocab.attr(token).intersects(plain);
            stops.push(stop);
            texts.push(if stop { Vec::new() } else { text });
        }
        Words { vocabulary: Vocabulary::new(texts), stops }
    }

    /// Are these another model's? Either may have more at the end, which are never text: vocabularies are filled up to
    /// a round number.
    fn are_those_of(&self, other: &Words) -> bool {
        let (own, others) = (&self.stops, &other.stops);
        let common = own.len().min(others.len());
        let is_filling = |stops: &[bool]| stops[common..].iter().all(|&stop| stop);
        let same = |token| self.vocabulary.bytes_of(token) == other.vocabulary.bytes_of(token);
        is_filling(own)
            && is_filling(others)
            && own[..common] == others[..common]
            && (0..common as Token).all(same)
    }
}

impl<'m> Model<'m> {
    /// With an empty context; the file is what adapters are held against.
    ///
    /// # Errors
    /// When it cannot fill in the middle, or there is no memory for the context.
    pub fn new(model: &'m LlamaModel, room: Room, file: &Path) -> Result<Self, String> {
        let vocab = model.vocab();
        let (prefix, suffix, middle) = (vocab.fim_pre(), vocab.fim_suf(), vocab.fim_mid());
        if prefix.0 < 0 || suffix.0 < 0 || middle.0 < 0 {
            return Err(format!(
                "{} cannot fill in the middle: its vocabulary has no such tokens. \
                 Use a code model that can, for example `tandem model pull qwen2.5-coder-0.5b`",
                name_of(file)
            ));
        }
        // Each takes a tenth of a second, in which nobody's keystroke is answered.
        let (words, context) = std::thread::scope(|scope| {
            let words = scope.spawn(|| Words::of(model));
            let context = room.context(model);
            (words.join().map_err(|_| "the vocabulary cannot be read".to_owned()), context)
        });
        Ok(Model {
            model,
            context: context?,
            room,
            adapters: Adapters::new(model, file),
            words: words?,
            fim: FimTokens { prefix: prefix.0, suffix: suffix.0, middle: middle.0 },
        })
    }

    /// Are its tokens those of another model?
    pub fn speaks_as(&self, other: &Model<'_>) -> bool {
        self.fim == other.fim && self.words.are_those_of(&other.words)
    }

    /// What a token costs here, ms.
    ///
    /// # Errors
    /// When the model cannot go on.
    pub fn cost_of_a_token(&mut self) -> Result<f64, String> {
        let start = self.start();
        self.evaluate(0, 0, &start, 1)?;
        let mut best = f64::INFINITY;
        for _ in 0..MEASURED_TIMES {
            let took = self.time(0, start.len(), &start[..1], 1)?;
            best = best.min(took.unwrap_or(f64::INFINITY));
        }
        self.clear();
        Ok(best)
    }

    /// Goes on to measure what batches cost here, in an empty sequence, until that is known or something newer
    /// arrives. It also makes llama.cpp take the memory that it takes at first use.
    ///
    /// # Errors
    /// When the model cannot go on.
    pub fn measure(
        &mut self,
        sequence: usize,
        so_far: &mut Measured,
        newer: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Costs>, String> {
        let start = self.start();
        loop {
            let Some(ms) = self.unless(newer, sequence, 0, &start, 1)? else { return Ok(None) };
            so_far.starts.push(ms);
            if so_far.starts.len() >= MEASURED_TIMES {
                break;
            }
        }
        while let Some(&size) = MEASURED.get(so_far.batches.len()) {
            let mut best = f64::INFINITY;
            for _ in 0..MEASURED_TIMES {
                let timed = self.unless(newer, sequence, start.len(), &start[..size], size)?;
                let Some(ms) = timed else { return Ok(None) };
                best = best.min(ms);
            }
            so_far.batches.push((size, best));
        }
        let prefill_ms = so_far.starts.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Some(Costs { batches: so_far.batches.clone(), prefill_ms }))
    }

    fn start(&self) -> Vec<Token> {
        vec![self.fim.prefix; MEASURED_PREFILL]
    }

    fn unless(
        &mut self,
        newer: &mut dyn FnMut() -> bool,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Option<f64>, String> {
        if newer() { Ok(None) } else { self.time(sequence, position, tokens, rows) }
    }

    /// How long these tokens take at a position, ms; `None` when that was broken off.
    fn time(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Option<f64>, String> {
        self.truncate(sequence, position);
        let started = Instant::now();
        let evaluated = self.evaluate(sequence, position, tokens, rows)?;
        let is_whole = matches!(evaluated, Evaluated::All);
        Ok(is_whole.then(|| started.elapsed().as_secs_f64() * 1e3))
    }
}

impl Transformer for Model<'_> {
    fn vocabulary(&self) -> &Vocabulary {
        &self.words.vocabulary
    }

    fn is_stop(&self, token: Token) -> bool {
        usize::try_from(token).ok().and_then(|t| self.words.stops.get(t)).copied().unwrap_or(true)
    }

    fn fim(&self) -> FimTokens {
        self.fim
    }

    fn tokenize(&self, text: &str) -> Vec<Token> {
        let tokens = self.model.vocab().tokenize(text.as_bytes(), false, false);
        tokens.into_iter().map(|token| token.0).collect()
    }

    fn wear(&mut self, adapters: &[Adapter]) -> Result<bool, String> {
        let is_new = self.adapters.read(adapters)?;
        if is_new {
            // The old one goes when there is a new one, so that without memory for both the old one stays.
            self.context = self.room.context(self.model)?;
            self.adapters.counted();
        }
        self.adapters.put_on(&mut self.context, adapters)?;
        self.adapters.tidy(adapters.len());
        Ok(!is_new)
    }

    fn evaluate(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String> {
        self.context.evaluate(sequence, position, tokens, rows)
    }

    fn best(&self, row: usize, remains: &[u8]) -> Option<Token> {
        let logits = self.context.logits(row);
        let better = |best: Option<(Token, f32)>, (token, logit): (Token, f32)| match best {
            Some((t, l)) if l > logit || (l == logit && t < token) => Some((t, l)),
            _ if logit.is_nan() => best,
            _ => Some((token, logit)),
        };
        let best = if remains.is_empty() {
            (0..).zip(logits.iter().copied()).fold(None, better)
        } else {
            let logit = |t: Token| Some((t, *logits.get(t as usize)?));
            self.words.vocabulary.candidates(remains).filter_map(logit).fold(None, better)
        };
        best.map(|(token, _)| token)
    }

    fn ranked(&self, row: usize, most: usize, fit: &dyn Fn(&[u8]) -> bool) -> Vec<(Token, f32)> {
        ranking::ranked(self.context.logits(row), most, &|token| {
            fit(self.words.vocabulary.bytes_of(token))
        })
    }

    fn ln_probability(&self, row: usize, token: Token) -> f32 {
        ranking::ln_probability(self.context.logits(row), token)
    }

    fn is_near_tie(&self, row: usize) -> bool {
        let mut best = [f32::NEG_INFINITY; 2];
        for &logit in self.context.logits(row) {
            if logit > best[0] {
                best = [logit, best[0]];
            } else if logit > best[1] {
                best[1] = logit;
            }
        }
        best[0] - best[1] < NEAR_TIE
    }

    fn truncate(&mut self, sequence: usize, length: usize) {
        self.context.truncate(sequence, length);
    }

    fn fork(&mut self, from: usize, to: usize, length: usize) {
        self.context.fork(from, to, length);
    }

    fn clear(&mut self) {
        self.context.clear();
    }

    fn save(&mut self, sequence: usize) -> Result<Vec<u8>, String> {
        self.context.save(sequence)
    }

    fn load(&mut self, sequence: usize, state: &[u8]) -> Result<(), String> {
        self.context.load(sequence, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens by their texts; an empty one is never text.
    fn words(texts: &[&str]) -> Words {
        let stops = texts.iter().map(|text| text.is_empty()).collect();
        let bytes = texts.iter().map(|text| text.as_bytes().to_vec());
        Words { vocabulary: Vocabulary::new(bytes), stops }
    }

    #[test]
    fn two_models_speak_the_same_when_they_differ_in_what_is_no_text_at_the_end() {
        let one = words(&["a", "", "b"]);
        for (other, same) in [
            (words(&["a", "", "b"]), true),
            (words(&["a", "", "b", "", ""]), true),
            (words(&["a", "", "b", "c"]), false),
            (words(&["a", "", "c"]), false),
            (words(&["a", "b", ""]), false),
            (words(&["a", ""]), false),
        ] {
            assert_eq!(one.are_those_of(&other), same);
            assert_eq!(other.are_those_of(&one), same);
        }
        // A token of the same text that is a mark here and text there.
        let mark = Words { stops: vec![true, true, false], ..words(&["a", "", "b"]) };
        assert!(!one.are_those_of(&mark));
    }
}
