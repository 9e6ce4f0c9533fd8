//! Greedy decoding, several tokens at a time where somebody has drafted them.
//!
//! In: a sequence whose last token's logits can be read. Out: the answer's text, as it comes. What is drafted
//! costs time when it is wrong, never text: each token is what the model would have chosen by itself.

use super::{Run, SMALL_PIECE, Step};
use crate::engine::draft::{Drafter, Read};
use crate::engine::forks::{Forks, Way};
use crate::engine::guess::{Candidate, Guess};
use crate::engine::healing::{self, Token};
use crate::engine::transformer::{Evaluated, Transformer};
use crate::engine::worker::{End, Worker};

impl<T: Transformer> Worker<T> {
    /// Decodes greedily until the answer is long enough, the model ends it, or it is broken off.
    /// Drafted tokens are verified together with the token that is due.
    pub(super) fn decode(
        &mut self,
        run: &mut Run<'_>,
        newer: &mut dyn FnMut() -> bool,
    ) -> Result<Option<End>, String> {
        let sequence = run.sequence;
        self.guess.iter_mut().for_each(Guess::begin);
        self.drafter.iter_mut().for_each(Drafter::begin);
        let mut next = self.next(run, 0);
        let mut row = 0;
        while let Some(token) = next.filter(|&token| !self.transformer.is_stop(token)) {
            if run.remains.is_empty() {
                let ln = self.ln_probability(run, row, token);
                run.note_chosen(ln);
            }
            self.note_forks(run, row, Some(token));
            run.take(self.transformer.vocabulary().bytes_of(token));
            let full = self.cache.sequence(sequence).len() + 1 >= self.context_tokens;
            if run.is_long_enough() || full {
                return Ok(None);
            }
            if let Step::Stop(end) = run.look(newer) {
                return Ok(Some(end));
            }
            let under = run.remains;
            let after = healing::after(self.transformer.vocabulary().bytes_of(token), under);
            let candidate = self.look(run, token, after);
            let mut drafted = self.worth_drafting(run, candidate.as_ref());
            let is_modelled = drafted.is_empty();
            if is_modelled {
                drafted = self.draft(run, token, after);
            }
            let batch: Vec<Token> = std::iter::once(token).chain(drafted.iter().copied()).collect();
            if self.evaluate(sequence, &batch, batch.len())? == Evaluated::Nothing {
                return Ok(Some(run.broken_off()));
            }
            // One of a few names is not what the model would choose again.
            self.cache.push(sequence, token, run.names.is_none().then_some(under));
            run.note_decoded();
            let bytes = self.transformer.vocabulary().bytes_of(token);
            run.names.take_if(|names| names.take(bytes, under));
            run.remains = after;
            let mut accepted = 0;
            let mut ended = false;
            // A near tie in a batch is decided by evaluating its token alone, as without a guess.
            let mut unsure = !drafted.is_empty() && self.transformer.is_near_tie(0);
            next = self.next(run, 0);
            row = 0;
            while !unsure && accepted < drafted.len() && next == Some(drafted[accepted]) {
                let token = drafted[accepted];
                if self.transformer.is_stop(token) {
                    break;
                }
                run.note_chosen(self.transformer.ln_probability(row, token));
                run.take(self.transformer.vocabulary().bytes_of(token));
                self.cache.push(sequence, token, Some(b""));
                run.note_decoded();
                accepted += 1;
                ended = run.is_long_enough();
                if ended {
                    break;
                }
                row = accepted;
                unsure = self.transformer.is_near_tie(row);
                next = self.transformer.best(row, b"");
            }
            let after = next.filter(|_| !ended);
            let came: Vec<Token> = drafted[..accepted].iter().copied().chain(after).collect();
            if let (Some(candidate), Some(guess)) = (&candidate, &mut self.guess) {
                guess.learn(candidate, &came);
            }
            if !drafted.is_empty() {
                run.figures.drafted += drafted.len() as u32;
                run.figures.accepted += accepted as u32;
                let tie = unsure && !ended;
                match &mut self.drafter {
                    Some(drafter) if is_modelled => drafter.learn(&drafted, &came, tie),
                    _ => self.guess.iter_mut().for_each(|guess| guess.learn_of_tie(tie)),
                }
                self.transformer.truncate(sequence, self.cache.sequence(sequence).len());
            }
            if unsure && !ended {
                match self.evaluate_last_alone(sequence)? {
                    Evaluated::All => {
                        row = 0;
                        next = self.transformer.best(row, run.remains);
                    }
                    Evaluated::Nothing => return Ok(Some(run.broken_off())),
                }
            }
            if ended {
                return Ok(None);
            }
        }
        self.note_forks(run, row, None);
        Ok(None)
    }

    /// The best next token that may come.
    fn next(&self, run: &Run<'_>, row: usize) -> Option<Token> {
        match &run.names {
            Some(names) => {
                let fit = |token: &[u8]| names.allow(token, run.remains);
                self.transformer.ranked(row, 1, &fit).first().map(|&(token, _)| token)
            }
            None => self.transformer.best(row, run.remains),
        }
    }

    /// How likely a token is, where it is one of a few names among these.
    fn ln_probability(&self, run: &Run<'_>, row: usize, token: Token) -> f32 {
        match &run.names {
            Some(names) => {
                let fit = |token: &[u8]| names.allow(token, run.remains);
                self.transformer.ranked(row, 1, &fit).first().map_or(0.0, |&(_, ln)| ln)
            }
            None => self.transformer.ln_probability(row, token),
        }
    }

    /// What else could have come in the place of a chosen token, or of the end.
    fn note_forks(&self, run: &mut Run<'_>, row: usize, chosen: Option<Token>) {
        let Some(forks) = &mut run.forks else { return };
        let Some(at) = run.out.between_characters() else { return };
        let (remains, names) = (run.remains, &run.names);
        let fit = |token: &[u8]| match names {
            Some(names) => names.allow(token, remains),
            None => remains.is_empty() || healing::fits(token, remains),
        };
        let vocabulary = self.transformer.vocabulary();
        let mut options = Vec::new();
        let ranked = self.transformer.ranked(row, Forks::LOOKED_AT, &fit);
        if let (false, [(_, first), (_, second), ..]) = (remains.is_empty(), &ranked[..]) {
            let lead = run.figures.forced_lead.unwrap_or(f32::INFINITY);
            run.figures.forced_lead = Some(lead.min(first - second));
        }
        for (token, ln) in ranked {
            let ends = self.transformer.is_stop(token);
            let is_chosen = chosen.map_or(ends, |chosen| chosen == token);
            // Shorter than what is forced, it says nothing of its own.
            if let Some(bytes) = vocabulary.bytes_of(token).get(remains.len()..)
                && (is_chosen || ends || !bytes.is_empty())
            {
                options.push(Way { bytes, ln, is_chosen });
            }
        }
        forks.step(at, &options);
        // Whoever asked may leave when the block is long enough.
        if let Some(forks) = run.forks.take_if(|forks| forks.line_ended()) {
            run.out.say_forks(forks.into_best());
        }
    }

    /// Evaluates a sequence's last token again, by itself.
    fn evaluate_last_alone(&mut self, sequence: usize) -> Result<Evaluated, String> {
        let last = self.cache.sequence(sequence).len() - 1;
        let token = self.cache.sequence(sequence).tokens()[last];
        let under = self.cache.sequence(sequence).chosen_under()[last].clone();
        self.forget(sequence, last);
        let evaluated = self.evaluate(sequence, &[token], 1)?;
        if evaluated == Evaluated::All {
            self.cache.push(sequence, token, under.as_deref());
        }
        Ok(evaluated)
    }

    /// What may follow the token that is due, when nothing is to be forced `after` it.
    fn look(&self, run: &Run<'_>, due: Token, after: &[u8]) -> Option<Candidate> {
        self.guess.as_ref().filter(|_| run.is_plain(after))?;
        let tokens = self.tokens_with(run, due);
        let others: Vec<&[Token]> =
            self.cache.sequences().iter().map(|other| other.tokens()).collect();
        Guess::look(&tokens, &self.tail, &others)
    }

    /// The tokens of a candidate to verify with the one that is due.
    fn worth_drafting(&self, run: &Run<'_>, candidate: Option<&Candidate>) -> Vec<Token> {
        let (Some(candidate), Some(guess)) = (candidate, &self.guess) else { return Vec::new() };
        candidate.tokens[..guess.worth(candidate, self.most_drafted(run))].to_vec()
    }

    /// What the draft model says comes after the token that is due, as far as that is worth its time. One that
    /// fails is not asked again.
    fn draft(&mut self, run: &Run<'_>, due: Token, after: &[u8]) -> Vec<Token> {
        let most = self.most_drafted(run);
        let tokens = self.tokens_with(run, due);
        let Some(drafter) = self.drafter.as_mut().filter(|_| run.is_plain(after)) else {
            return Vec::new();
        };
        drafter.draft(run.sequence, &tokens, most).unwrap_or_else(|problem| {
            self.drop_drafter(&problem);
            Vec::new()
        })
    }

    fn drop_drafter(&mut self, problem: &str) {
        tracing::warn!("the draft model is left aside: {problem}");
        self.drafter = None;
    }

    /// Has the draft model read what the model has read, in the background.
    pub(super) fn prepare_drafter(
        &mut self,
        run: &Run<'_>,
        newer: &mut dyn FnMut() -> bool,
    ) -> Step {
        let tokens = self.cache.sequence(run.sequence).tokens();
        while let Some(drafter) = &mut self.drafter {
            if let Step::Stop(end) = run.look(newer) {
                return Step::Stop(end);
            }
            match drafter.read(run.sequence, tokens, SMALL_PIECE) {
                Ok(Read::All) => break,
                Ok(Read::Part) => {}
                Ok(Read::Nothing) => return Step::Stop(run.broken_off()),
                Err(problem) => {
                    self.drop_drafter(&problem);
                    break;
                }
            }
        }
        Step::Go
    }

    /// A sequence's tokens, and the one that is due there.
    fn tokens_with(&self, run: &Run<'_>, due: Token) -> Vec<Token> {
        let tokens = self.cache.sequence(run.sequence).tokens().iter().copied();
        tokens.chain([due]).collect()
    }

    /// Tokens that may be verified besides the one that is due.
    fn most_drafted(&self, run: &Run<'_>) -> usize {
        let room = self.context_tokens.saturating_sub(self.cache.sequence(run.sequence).len() + 2);
        room.min(run.max_tokens.saturating_sub(run.free_tokens) as usize)
    }
}

impl Run<'_> {
    /// Is the next token whatever the model likes best, with nothing forced or noted?
    fn is_plain(&self, after: &[u8]) -> bool {
        after.is_empty() && self.names.is_none() && self.forks.is_none()
    }
}
