//! Speculation: tokens that may come next, guessed at no cost, for the model to verify in one batch.
//!
//! In: the tokens so far, the tail of an answer that was given up, and other sequences. Out: a
//! draft, as long as it is expected to pay. Pure. What is accepted is what greedy decoding would
//! have chosen; a wrong guess costs time, never text.
//!
//! Code repeats itself: a few tokens that were seen before are mostly followed by what followed
//! them then (prompt lookup, Saxena 2023, with short n-grams since answers are short). And when
//! someone types something else than was suggested, the rest of the old suggestion often still
//! comes. Whether a draft pays depends on what a batch costs here, which is measured at the start,
//! and on how often such guesses came true, which is learnt on the way.

use super::healing::Token;

/// Tokens drafted at most. Beyond 8 a batch costs almost what its tokens cost one by one.
pub const MOST: usize = 7;
/// The longest run of tokens that is looked up; a longer match is not a better guess.
const LONGEST: usize = 4;
/// How much the newest outcome counts.
const LEARNING: f64 = 0.05;
/// A draft must promise at least this many times the tokens per ms of plain decoding.
const MARGIN: f64 = 1.1;

/// Where a guess comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The rest of an answer that was given up.
    Tail,
    /// After the same run of this many tokens elsewhere, 2 to [`LONGEST`].
    Run(usize),
}

impl Origin {
    fn number(self) -> usize {
        match self {
            Origin::Tail => 0,
            Origin::Run(length) => length - 1,
        }
    }
}

/// Tokens that may come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// At least one.
    pub tokens: Vec<Token>,
    /// Where they come from.
    pub origin: Origin,
}

/// Guesses, and learns how good its guesses are.
#[derive(Clone, Debug)]
pub struct Guess {
    /// What a batch of 1, 2, … tokens costs, in any unit.
    costs: Vec<f64>,
    /// How often one more token comes true, by [`Origin::number`].
    rates: [f64; LONGEST],
}

impl Guess {
    /// From measured costs: pairs of batch size and time, with the sizes rising from 1. Sizes between
    /// are interpolated; those beyond never pay.
    pub fn new(measured: &[(usize, f64)]) -> Guess {
        let mut costs = Vec::new();
        for pair in measured.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            let slope = (high - low) / (to - from).max(1) as f64;
            costs.extend((from..to).map(|size| low + slope * (size - from) as f64));
        }
        costs.extend(measured.last().map(|(_, cost)| *cost));
        Guess { costs, rates: [0.7, 0.4, 0.6, 0.7] }
    }

    /// A draft of what follows `tokens` (the prompt and the answer so far), at most `most` tokens.
    /// `None` when there is none that is expected to pay.
    pub fn draft(
        &self,
        tokens: &[Token],
        tail: &[Token],
        others: &[&[Token]],
        most: usize,
    ) -> Option<Draft> {
        let found = after_in_tail(tokens, tail).map(|next| (Origin::Tail, next));
        let found = found.into_iter().chain(after_same_run(tokens, others));
        found
            .filter_map(|(origin, next)| {
                let length = self.worth(origin, next.len().min(most).min(MOST));
                (length > 0).then(|| Draft { tokens: next[..length].to_vec(), origin })
            })
            .next()
    }

    /// How many of `available` guessed tokens to verify at once.
    fn worth(&self, origin: Origin, available: usize) -> usize {
        let rate = self.rates[origin.number()];
        let Some(&plain) = self.costs.first() else { return 0 };
        let mut best = (1.0 / plain * MARGIN, 0);
        let (mut expected, mut all_right) = (1.0, 1.0);
        for length in 1..=available {
            let Some(cost) = self.costs.get(length) else { break };
            all_right *= rate;
            expected += all_right;
            if expected / cost > best.0 {
                best = (expected / cost, length);
            }
        }
        best.1
    }

    /// Learns from a draft's fate.
    pub fn learn(&mut self, draft: &Draft, accepted: usize) {
        let rate = &mut self.rates[draft.origin.number()];
        let trials = draft.tokens.len().min(accepted + 1);
        for trial in 0..trials {
            let outcome = if trial < accepted { 1.0 } else { 0.0 };
            *rate += LEARNING * (outcome - *rate);
        }
        // Never written off: text changes, and a guess is tried again now and then.
        *rate = rate.clamp(0.2, 0.98);
    }
}

/// What followed the last token in the given-up tail, where it stands there.
fn after_in_tail<'a>(tokens: &[Token], tail: &'a [Token]) -> Option<&'a [Token]> {
    let last = tokens.last()?;
    let at = tail.iter().position(|token| token == last)?;
    Some(&tail[at + 1..]).filter(|next| !next.is_empty())
}

/// What followed the longest run that ends `tokens`, where it was seen last: in these tokens
/// first, else in the others.
fn after_same_run<'a>(
    tokens: &'a [Token],
    others: &[&'a [Token]],
) -> Option<(Origin, &'a [Token])> {
    (2..=LONGEST.min(tokens.len())).rev().find_map(|length| {
        let run = &tokens[tokens.len() - length..];
        let earlier = &tokens[..tokens.len() - 1];
        let mut places = std::iter::once(earlier).chain(others.iter().copied());
        let next = places.find_map(|place| {
            let at = place.windows(length).rposition(|window| window == run)?;
            Some(&place[at + length..]).filter(|next| !next.is_empty())
        })?;
        Some((Origin::Run(length), next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs as on two cores with the 0.5B in Q4_0: 1 token 12 ms, 2 18, 4 21, 8 36.
    fn guess() -> Guess {
        Guess::new(&[(1, 12.0), (2, 18.0), (4, 21.0), (8, 36.0)])
    }

    #[test]
    fn what_followed_the_same_tokens_before_is_guessed() {
        let before = [1, 2, 3, 4, 5, 6, 7, 9, 2, 3, 4];
        let draft = guess().draft(&before, &[], &[], MOST).expect("a draft");
        assert_eq!((draft.tokens.as_slice(), draft.origin), (&[5, 6, 7][..], Origin::Run(3)));
        let elsewhere: &[Token] = &[8, 2, 3, 4, 70, 71, 72];
        let draft = guess().draft(&[2, 3, 4], &[], &[elsewhere], MOST).expect("a draft");
        assert_eq!(draft.tokens, [70, 71, 72]);
        assert_eq!(guess().draft(&[1, 2, 3], &[], &[], MOST), None);
    }

    #[test]
    fn the_rest_of_a_given_up_answer_is_guessed_first() {
        let draft = guess().draft(&[1, 2, 20], &[10, 20, 30, 31, 32], &[], MOST).expect("a draft");
        assert_eq!((draft.tokens.as_slice(), draft.origin), (&[30, 31, 32][..], Origin::Tail));
        assert_eq!(guess().draft(&[1, 2, 99], &[10, 20, 30], &[], MOST), None);
    }

    #[test]
    fn a_machine_on_which_batches_cost_their_tokens_is_not_asked_to_guess() {
        let slow = Guess::new(&[(1, 10.0), (2, 20.0), (4, 40.0), (8, 80.0)]);
        assert_eq!(slow.draft(&[1, 2, 20], &[10, 20, 30, 31], &[], MOST), None);
        assert_eq!(Guess::new(&[]).draft(&[1, 2, 20], &[20, 30], &[], MOST), None);
    }

    #[test]
    fn what_keeps_coming_true_is_guessed_further_and_what_does_not_is_left() {
        let tail: Vec<Token> = (20..40).collect();
        let length = |guess: &Guess| {
            guess.draft(&[1, 20], &tail, &[], MOST).map_or(0, |draft| draft.tokens.len())
        };
        let (mut good, mut bad) = (guess(), guess());
        let draft = |n| Draft { tokens: tail[1..=n].to_vec(), origin: Origin::Tail };
        (0..50).for_each(|_| good.learn(&draft(4), 4));
        (0..50).for_each(|_| bad.learn(&draft(4), 0));
        assert!(length(&good) > length(&guess()) && length(&guess()) > 0);
        assert_eq!(length(&bad), 0);
    }

    #[test]
    fn no_more_is_guessed_than_is_wanted() {
        let draft = guess().draft(&[1, 20], &[20, 30, 31, 32, 33], &[], 1);
        assert_eq!(draft.map_or(0, |draft| draft.tokens.len()), 1);
    }
}
