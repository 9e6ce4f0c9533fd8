//! How one request is answered: find what is known, evaluate what is missing, [`decode`].
//!
//! In: a [`Job`] and a question, whether something newer has arrived. Out: its events. It looks
//! for newer work, and for nobody waiting any more, between any two pieces.

mod decode;

use std::time::Instant;

use super::{End, Job, TOKENIZED, Worker};
use crate::engine::cache::Plan;
use crate::engine::forks::Forks;
use crate::engine::heads::{Head, Parts};
use crate::engine::healing::{self, Token};
use crate::engine::names::Names;
use crate::engine::transformer::{Evaluated, Transformer};
use crate::engine::writer::Writer;
use crate::engine::{Confidence, Event, Figures, Request, Urgency};

/// Tokens of a prompt evaluated in one go for a keystroke. On 2 cores with the 0.5B (tokens/s): pieces
/// of 16 give 147, 32 185, 64 223, 128 237, 512 250. A piece can be broken off.
const PIECE: usize = 128;
/// The same in the background, where a piece broken off by each key would never be finished.
const SMALL_PIECE: usize = 32;
/// A whole head is waited for when it lacks no more than this many tokens; else a quick one.
const SOON: usize = 64;
/// A saved state is read when it brings at least this many tokens more than the KV cache has.
const WORTH_READING: usize = 48;

/// A request on its way to an answer.
struct Run<'a> {
    out: Writer,
    figures: Figures,
    started: Instant,
    sequence: usize,
    max_tokens: u32,
    free_tokens: u32,
    /// The bytes still to be forced.
    remains: &'a [u8],
    /// While a name is written that must be one of some.
    names: Option<Names<'a>>,
    /// Where it could have gone on otherwise, when that was asked for.
    forks: Option<Forks>,
    first_free: Option<Instant>,
}

/// What to do after a step.
enum Step {
    Go,
    Stop(End),
}

impl<T: Transformer> Worker<T> {
    /// Works on a job until it is finished, unwanted, or something newer arrives.
    pub(super) fn answer(
        &mut self,
        job: &mut Job,
        newer: &mut dyn FnMut() -> bool,
    ) -> Result<End, String> {
        let started = Instant::now();
        let request = job.request.clone();
        if let Err(why) = self.wear(&request.adapters) {
            // The model is sound: other requests go on with what is there.
            let _ = job.events.send(Event::Failed(why));
            return Ok(End::Finished);
        }
        let kept = healing::kept(&request.prompt.middle);
        let word = request.prompt.middle.as_bytes()[kept..].to_vec();
        let (head, mut plan) = self.choose_head(&request, kept, &word);
        if !request.names.is_empty() || request.forks > 0 {
            // What was chosen may not be chosen again, and what else could have been is not known.
            plan.chosen = 0;
        }
        let figures = Figures {
            queue_ms: (started - job.arrived).as_secs_f64() * 1e3,
            reused: (plan.given + plan.chosen) as u32,
            quick: head.quick,
            ..Figures::default()
        };
        tracing::debug!(
            sequence = plan.sequence, base = head.tokens.len(), plan.given, plan.chosen, head.quick,
            urgency = ?request.urgency, word = %String::from_utf8_lossy(&word), "request"
        );
        let mut run = Run {
            out: Writer::new(job.events.clone(), word.len(), request.stop, job.sent),
            figures,
            started,
            sequence: plan.sequence,
            max_tokens: request.max_tokens,
            free_tokens: 0,
            remains: &word,
            names: Names::new(&request.names, &request.prompt.middle),
            forks: (request.forks > 0).then(|| Forks::new(request.forks as usize)),
            first_free: None,
        };
        self.settle(plan);
        self.unsaved.insert(run.sequence);
        let ended = self.work(&mut run, &request, &head, plan, newer);
        job.sent = run.out.sent();
        if let Ok(None) = ended {
            run.finish();
        }
        ended.map(|end| end.unwrap_or(End::Finished))
    }

    /// `None` when the answer is complete, else why it is not.
    fn work(
        &mut self,
        run: &mut Run<'_>,
        request: &Request,
        head: &Head,
        plan: Plan,
        newer: &mut dyn FnMut() -> bool,
    ) -> Result<Option<End>, String> {
        if request.max_tokens > 0 && self.say_again(run, head.tokens.len()) {
            return Ok(None);
        }
        if let Step::Stop(end) = self.prefill(run, request, head, plan, newer)? {
            return Ok(Some(end));
        }
        if request.max_tokens > 0 {
            return self.decode(run, newer);
        }
        Ok(match self.prepare_drafter(run, newer) {
            Step::Go => None,
            Step::Stop(end) => Some(end),
        })
    }

    /// The head to answer from, and what of it is there already.
    fn choose_head(&mut self, request: &Request, kept: usize, word: &[u8]) -> (Head, Plan) {
        let prompt = &request.prompt;
        let parts = Parts {
            prefix: self.tokenize(&prompt.prefix),
            context: self.tokenize(&prompt.context),
            suffix: self.tokenize(&prompt.suffix),
            middle: self.tokenize(&prompt.middle[..kept]),
        };
        let room = (request.max_tokens as usize + word.len()).min(self.context_tokens / 2);
        let most = self.context_tokens - room;
        let fim = self.transformer.fim();
        let heads = if request.quick {
            parts.all(fim, most, self.quick_tokens, self.transformer.vocabulary())
        } else {
            vec![parts.whole(fim, most)]
        };
        self.read_state(&heads[0]);
        let mut best: Option<(usize, Head, Plan)> = None;
        for head in heads {
            let plan = self.plan(&head, word);
            let missing = head.tokens.len() - plan.given;
            // The whole head comes first and is taken unless another spares a real wait.
            let soon = !head.quick && missing <= SOON;
            if best.as_ref().is_none_or(|(least, ..)| missing + SOON / 2 < *least) {
                best = Some((missing, head, plan));
            }
            if soon {
                break;
            }
        }
        // There is always a whole head.
        best.map_or_else(
            || (Head { tokens: Vec::new(), quick: false }, NOWHERE),
            |(_, h, p)| (h, p),
        )
    }

    fn plan(&self, head: &Head, word: &[u8]) -> Plan {
        let vocabulary = self.transformer.vocabulary();
        self.cache.plan(&head.tokens, word, |token| vocabulary.bytes_of(token).to_vec())
    }

    /// Brings a saved state into the KV cache when it has more of this head.
    fn read_state(&mut self, head: &Head) {
        let under = self.under(self.cache.mix());
        let Some(states) = &mut self.states else { return };
        let shared = states.shared(&head.tokens, &under);
        let known = self.cache.plan(&head.tokens, b"", |_| Vec::new()).given;
        if shared < known + WORTH_READING {
            return;
        }
        let started = Instant::now();
        let Some(saved) = states.take(&head.tokens, &under) else { return };
        if saved.tokens.len() > self.context_tokens {
            return;
        }
        let sequence = self.cache.spare(None);
        self.forget(sequence, 0);
        self.make_room(saved.tokens.len(), sequence);
        if self.cache.free() < saved.tokens.len() {
            return;
        }
        if let Err(problem) = self.transformer.load(sequence, &saved.state) {
            tracing::warn!("a saved state is not used: {problem}");
            self.transformer.truncate(sequence, 0);
            return;
        }
        for (token, under) in saved.tokens.iter().zip(&saved.chosen_under) {
            self.cache.push(sequence, *token, under.as_deref());
        }
        self.cache.touch(sequence);
        tracing::debug!(shared, ms = started.elapsed().as_secs_f64() * 1e3, "read a saved state");
    }

    /// Makes the plan's sequence hold what the plan keeps, and nothing else.
    fn settle(&mut self, plan: Plan) {
        let Plan { sequence, source, given, chosen } = plan;
        let keep = given + chosen;
        if source == sequence {
            let lost = &self.cache.sequence(sequence).tokens()[keep..];
            let under = &self.cache.sequence(sequence).chosen_under()[keep..];
            let free = under.iter().rev().take_while(|under| under.is_some()).count();
            if free > 1 {
                self.tail = lost[lost.len() - free..].to_vec();
            }
            self.forget(sequence, keep);
        } else {
            self.forget(sequence, 0);
            self.cache.fork(source, sequence, keep);
            self.transformer.fork(source, sequence, keep);
        }
        self.cache.touch(sequence);
    }

    /// What the model chose before and would choose again is text at no cost. `true` when that is
    /// the whole answer.
    fn say_again(&mut self, run: &mut Run<'_>, base: usize) -> bool {
        let vocabulary = self.transformer.vocabulary();
        for &token in self.cache.sequence(run.sequence).tokens().iter().skip(base) {
            let bytes = vocabulary.bytes_of(token);
            run.free_tokens += u32::from(run.remains.is_empty());
            run.remains = healing::after(bytes, run.remains);
            run.out.push(bytes);
            if run.is_long_enough() {
                return true;
            }
        }
        false
    }

    /// Evaluates what is missing of the prompt; at least one token, for its logits.
    fn prefill(
        &mut self,
        run: &mut Run<'_>,
        request: &Request,
        head: &Head,
        plan: Plan,
        newer: &mut dyn FnMut() -> bool,
    ) -> Result<Step, String> {
        let sequence = run.sequence;
        let length = self.cache.sequence(sequence).len();
        let (missing, under): (Vec<Token>, _) = if plan.given < head.tokens.len() {
            (head.tokens[plan.given..].to_vec(), None)
        } else if request.max_tokens == 0 {
            return Ok(Step::Go);
        } else {
            // All of it is there but its logits.
            let last = self.cache.sequence(sequence);
            let (token, under) =
                (last.tokens()[length - 1], last.chosen_under()[length - 1].clone());
            self.forget(sequence, length - 1);
            (vec![token], under)
        };
        let piece = if request.urgency == Urgency::Now { PIECE } else { SMALL_PIECE };
        for piece in missing.chunks(piece) {
            if let Step::Stop(end) = run.look(newer) {
                return Ok(Step::Stop(end));
            }
            match self.evaluate(sequence, piece, 1)? {
                Evaluated::All => {}
                Evaluated::Nothing => return Ok(Step::Stop(run.broken_off())),
            }
            run.figures.evaluated += piece.len() as u32;
            piece.iter().for_each(|&token| self.cache.push(sequence, token, under.as_deref()));
        }
        Ok(Step::Go)
    }

    /// Evaluates tokens at a sequence's end; the caller records those that stay.
    fn evaluate(
        &mut self,
        sequence: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String> {
        self.make_room(tokens.len(), sequence);
        if self.cache.free() < tokens.len() {
            return Err("the context is full; set a larger `engine.documents`".to_owned());
        }
        let position = self.cache.sequence(sequence).len();
        self.transformer.evaluate(sequence, position, tokens, rows)
    }

    fn make_room(&mut self, tokens: usize, but: usize) {
        for emptied in self.cache.room(tokens, but) {
            self.transformer.truncate(emptied, 0);
            self.unsaved.remove(&emptied);
        }
    }

    fn forget(&mut self, sequence: usize, from: usize) {
        if from < self.cache.sequence(sequence).len() {
            self.cache.truncate(sequence, from);
            self.transformer.truncate(sequence, from);
        }
    }

    fn tokenize(&mut self, text: &str) -> Vec<Token> {
        if let Some((_, tokens)) = self.tokenized.iter().find(|(known, _)| known == text) {
            return tokens.clone();
        }
        let tokens = self.transformer.tokenize(text);
        if self.tokenized.len() >= TOKENIZED {
            self.tokenized.remove(0);
        }
        self.tokenized.push((text.to_owned(), tokens.clone()));
        tokens
    }
}

/// The plan for no head at all.
const NOWHERE: Plan = Plan { sequence: 0, source: 0, given: 0, chosen: 0 };

impl Run<'_> {
    /// Is the answer long enough?
    fn is_long_enough(&self) -> bool {
        self.out.ended() || self.free_tokens >= self.max_tokens
    }

    /// Between two pieces: go on?
    fn look(&self, newer: &mut dyn FnMut() -> bool) -> Step {
        if self.out.unwanted() {
            return Step::Stop(End::Finished);
        }
        if newer() { Step::Stop(End::Preempted) } else { Step::Go }
    }

    /// In the middle of a piece: why?
    fn broken_off(&self) -> End {
        if self.out.unwanted() { End::Finished } else { End::Preempted }
    }

    /// The model has chosen a token freely, with this logarithm of its probability.
    fn note_chosen(&mut self, ln: f32) {
        self.figures.confidence = Some(Confidence::and(self.figures.confidence, ln));
    }

    /// The model's next token, which becomes text.
    fn take(&mut self, bytes: &[u8]) {
        if self.remains.is_empty() {
            if self.first_free.is_none() {
                let now = Instant::now();
                self.first_free = Some(now);
                let prefill_ms = (now - self.started).as_secs_f64() * 1e3;
                self.out.begin(Figures { prefill_ms, ..self.figures });
            }
            self.free_tokens += 1;
        }
        self.out.push(bytes);
    }

    /// A token of the answer has been evaluated.
    fn note_decoded(&mut self) {
        if self.remains.is_empty() {
            self.figures.generated += 1;
        } else {
            self.figures.evaluated += 1;
        }
    }

    fn finish(self) {
        let ended = Instant::now();
        let first = self.first_free.unwrap_or(ended);
        let figures = Figures {
            prefill_ms: (first - self.started).as_secs_f64() * 1e3,
            decode_ms: (ended - first).as_secs_f64() * 1e3,
            ..self.figures
        };
        if let Some(forks) = self.forks {
            self.out.say_forks(forks.into_best());
        }
        self.out.finish(figures);
    }
}
