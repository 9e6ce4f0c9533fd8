//! Two files of one model side by side: which is faster, and do they answer alike.
//!
//! In: the original, a candidate, tokens and prompts. Out: milliseconds and counts. The two take
//! turns, so that whatever else the machine does slows both alike: believe the ratio, not the
//! level. It runs in a process of its own (`model::optimize::workshop`) and decides nothing.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use serde::{Deserialize, Serialize};

use super::backends;
use crate::prompt::Prompt;

/// Tokens of the text that is read for timing.
pub const READ: usize = 128;
/// Tokens evaluated in one go while reading, as the engine does.
const PIECE: usize = 64;
/// Steps of one token, and of [`GUESSED`] tokens, in a round.
const STEPS: usize = 8;
const GUESSES: usize = 4;
/// Guessed tokens that one step verifies.
pub const GUESSED: usize = 4;
/// Tokens of an answer at most.
const ANSWER: usize = 12;

/// How fast a file runs, in milliseconds, each the median of some rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// To read [`READ`] tokens in pieces of 64.
    pub read_ms: f64,
    /// To write one token.
    pub write_ms: f64,
    /// To verify [`GUESSED`] tokens in one step.
    pub verify_ms: f64,
}

/// How much the candidate agrees with what the original answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Choices that the original made.
    pub choices: u32,
    /// Those that the candidate makes as well, after the same text.
    pub same_choices: u32,
    /// Answers, of some choices each.
    pub answers: u32,
    /// Those that the candidate gives to the last choice.
    pub same_answers: u32,
}

/// The original's greedy answer to a prompt: tokens up to the end of the line.
pub type Answered = Vec<i32>;

/// Loads both and lets `work` compare them.
///
/// # Errors
/// When one cannot be loaded or run, as a sentence.
pub fn compare<T>(
    original: &Path,
    candidate: &Path,
    threads: u32,
    work: impl FnOnce(&mut Runner, &mut Runner) -> Result<T, String>,
) -> Result<T, String> {
    let backend = backends::start()?;
    let load = |path: &Path| {
        // It is about this CPU; a GPU would have no use for the candidates.
        let params = LlamaModelParams::default().with_n_gpu_layers(0);
        LlamaModel::load_from_file(&backend, path, &params)
            .map_err(|e| format!("llama.cpp cannot load {}: {e}", path.display()))
    };
    let (original, candidate) = (load(original)?, load(candidate)?);
    work(
        &mut Runner::new(&backend, &original, threads)?,
        &mut Runner::new(&backend, &candidate, threads)?,
    )
}

/// A loaded model with one sequence.
pub struct Runner<'m> {
    model: &'m LlamaModel,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
}

impl<'m> Runner<'m> {
    fn new(backend: &LlamaBackend, model: &'m LlamaModel, threads: u32) -> Result<Self, String> {
        let threads = match threads {
            0 => crate::machine::physical_cores(),
            threads => threads,
        };
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(1_024))
            .with_n_batch(512)
            .with_n_ubatch(512)
            .with_n_threads(threads as i32)
            .with_n_threads_batch(threads as i32);
        let context = model
            .new_context(backend, params)
            .map_err(|e| format!("no memory for the model's context: {e}"))?;
        Ok(Runner { model, context, batch: LlamaBatch::new(512, 1) })
    }

    fn warm_up(&mut self, tokens: &[i32]) -> Result<(), String> {
        self.context.clear_kv_cache();
        self.decode(0, tokens.get(..PIECE).unwrap_or(tokens), |_| false)
    }

    /// One round of the three kinds of work, on any text that is long enough.
    fn round(&mut self, tokens: &[i32]) -> Result<Speed, String> {
        let mut rest = tokens.iter().copied().cycle();
        let mut take = |n: usize| -> Vec<i32> { rest.by_ref().take(n).collect() };
        self.context.clear_kv_cache();
        let mut at = 0;
        let mut timed = |times: usize, size: usize, every: bool| -> Result<f64, String> {
            let started = Instant::now();
            for _ in 0..times {
                self.decode(at, &take(size), |i| every || i + 1 == size)?;
                at += size;
            }
            Ok(started.elapsed().as_secs_f64() * 1e3)
        };
        Ok(Speed {
            read_ms: timed(READ / PIECE, PIECE, false)?,
            write_ms: timed(STEPS, 1, true)? / STEPS as f64,
            verify_ms: timed(GUESSES, GUESSED, true)? / GUESSES as f64,
        })
    }

    /// Evaluates tokens at a position and keeps the scores of those that `wants` names.
    fn decode(
        &mut self,
        at: usize,
        tokens: &[i32],
        wants: impl Fn(usize) -> bool,
    ) -> Result<(), String> {
        self.batch.clear();
        for (i, &token) in tokens.iter().enumerate() {
            self.batch
                .add(LlamaToken(token), (at + i) as i32, &[0], wants(i))
                .map_err(|e| format!("llama.cpp: {e}"))?;
        }
        self.context.decode(&mut self.batch).map_err(|e| format!("llama.cpp cannot decode: {e}"))
    }

    /// The best token after the `i`-th of the last batch; among equals the lowest number.
    fn best(&self, i: usize) -> i32 {
        let logits = self.context.get_logits_ith(i as i32);
        let mut best = 0;
        for (token, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = token;
            }
        }
        best as i32
    }

    fn tokens_of(&self, prompt: &Prompt) -> Vec<i32> {
        let vocabulary = self.model.vocab();
        let text = |text: &str| {
            vocabulary.tokenize(text.as_bytes(), false, false).into_iter().map(|t| t.0)
        };
        let mut tokens = vec![vocabulary.fim_pre().0];
        tokens.extend(text(&prompt.prefix));
        tokens.push(vocabulary.fim_suf().0);
        tokens.extend(text(&prompt.suffix));
        tokens.push(vocabulary.fim_mid().0);
        tokens.extend(text(&prompt.middle));
        tokens
    }

    /// The greedy answer, with the token that ends its first line.
    ///
    /// # Errors
    /// When llama.cpp cannot decode.
    pub fn answer(&mut self, prompt: &Prompt) -> Result<Answered, String> {
        let tokens = self.tokens_of(prompt);
        self.context.clear_kv_cache();
        self.decode(0, &tokens, |i| i + 1 == tokens.len())?;
        let mut answer = vec![self.best(tokens.len() - 1)];
        while answer.len() < ANSWER {
            let last = answer[answer.len() - 1];
            if self.ends_a_line(last) {
                break;
            }
            self.decode(tokens.len() + answer.len() - 1, &[last], |_| true)?;
            answer.push(self.best(0));
        }
        Ok(answer)
    }

    fn ends_a_line(&self, token: i32) -> bool {
        let vocabulary = self.model.vocab();
        let token = LlamaToken(token);
        vocabulary.is_eog(token)
            || vocabulary.is_control(token)
            || vocabulary.token_to_piece(token, true, None).contains(&b'\n')
    }

    /// Holds this model's choices against the original's answer, in one pass: at each place of the
    /// answer it is asked what it would choose there. Greedy answers are alike exactly when all
    /// choices are.
    ///
    /// # Errors
    /// When llama.cpp cannot decode.
    pub fn compare(
        &mut self,
        prompt: &Prompt,
        answer: &Answered,
        agreement: &mut Agreement,
    ) -> Result<(), String> {
        let mut tokens = self.tokens_of(prompt);
        let first = tokens.len() - 1;
        // The last choice is made before its token, so that one need not be read.
        tokens.extend(answer.iter().take(answer.len().saturating_sub(1)));
        self.context.clear_kv_cache();
        self.decode(0, &tokens, |i| i >= first)?;
        let places = answer.iter().enumerate();
        let same = places.filter(|&(i, &token)| self.best(first + i) == token).count();
        agreement.choices += answer.len() as u32;
        agreement.same_choices += same as u32;
        agreement.answers += 1;
        agreement.same_answers += u32::from(same == answer.len());
        Ok(())
    }
}

/// Times both, turn by turn. `told` hears of each round that is done.
///
/// # Errors
/// When llama.cpp cannot decode.
pub fn time(
    original: &mut Runner,
    candidate: &mut Runner,
    text: &Prompt,
    rounds: usize,
    mut told: impl FnMut(usize),
) -> Result<(Speed, Speed), String> {
    let tokens = original.tokens_of(text);
    // llama.cpp takes memory at first use.
    original.warm_up(&tokens)?;
    candidate.warm_up(&tokens)?;
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        one.push(original.round(&tokens)?);
        other.push(candidate.round(&tokens)?);
        told(round + 1);
    }
    Ok((median(&one), median(&other)))
}

fn median(rounds: &[Speed]) -> Speed {
    let of = |value: fn(&Speed) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Speed {
        read_ms: of(|speed| speed.read_ms),
        write_ms: of(|speed| speed.write_ms),
        verify_ms: of(|speed| speed.verify_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_does_not_count() {
        let speed = |ms| Speed { read_ms: ms, write_ms: ms, verify_ms: ms };
        assert_eq!(median(&[speed(9.0), speed(100.0), speed(8.0)]), speed(9.0));
    }
}
