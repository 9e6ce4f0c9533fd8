//! Speculation: tokens that may come next, guessed at no cost, for the model to verify in one batch.
//!
//! In: the tokens so far, the tail of an answer that was given up, and other sequences. Out: a
//! candidate, and how much of it is worth a try. Pure. What is accepted is what greedy decoding would
//! have chosen; a wrong guess costs time, never text.
//!
//! Code repeats itself: a few tokens that were seen before are mostly followed by what followed
//! them then (prompt lookup, Saxena 2023, with short n-grams since answers are short). And when
//! someone types something else than was suggested, the rest of the old suggestion often still
//! comes. Whether a draft pays depends on what a batch costs here, which is measured when nobody waits,
//! and on how often such guesses come true, which is learnt from every token, drafted or not: to
//! look what would have been guessed costs nothing. Guesses that have just come true several times in
//! a row are far better than others, so they are learnt about apart.

use super::healing::Token;

/// Tokens drafted at most. llama.cpp's fast kernels take 16 rows at a time on a CPU with AVX-512: 16
/// tokens cost little more than 8 there (0.5B in Q4_0, 2 cores, ms: 1 token 13, 2 20, 4 32, 8 56,
/// 16 62).
pub const MOST: usize = 15;
/// The longest run of tokens that is looked up; a longer match is not a better guess.
const LONGEST: usize = 4;
/// How much the newest outcome counts.
pub(super) const LEARNING: f64 = 0.05;
/// A draft must promise at least this many times the tokens per ms of plain decoding: promises are a
/// little better than what comes of them.
const MARGIN: f64 = 1.2;
/// How often a batch's last row is decided by evaluating its token alone, at first.
pub(super) const DECIDED_ALONE: f64 = 0.1;
/// Kinds of streak: none, one to three, four and more tokens.
const STREAKS: usize = 3;

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
pub struct Candidate {
    /// At least one, at most [`MOST`].
    pub tokens: Vec<Token>,
    /// Where they come from.
    pub origin: Origin,
}

/// Guesses, and learns how good its guesses are.
#[derive(Clone, Debug)]
pub struct Guess {
    /// What a batch of 1, 2, … tokens costs, in any unit.
    costs: Vec<f64>,
    /// How often one more token comes true, by [`Origin::number`] and kind of streak.
    rates: [[f64; STREAKS]; LONGEST],
    /// Guesses in a row that came true, in the answer at hand.
    streak: usize,
    /// How often a drafted step costs a plain one besides, because of a near tie.
    decided_alone: f64,
}

impl Guess {
    /// From measured costs: pairs of batch size and time, with the sizes rising from 1. Sizes between
    /// are interpolated; those beyond never pay.
    pub fn new(measured: &[(usize, f64)]) -> Guess {
        let costs = by_size(measured);
        let rates = [[0.5, 0.8, 0.95], [0.4, 0.7, 0.9], [0.5, 0.8, 0.95], [0.6, 0.85, 0.95]];
        Guess { costs, rates, streak: 0, decided_alone: DECIDED_ALONE }
    }

    /// An answer begins.
    pub fn begin(&mut self) {
        self.streak = 0;
    }

    /// What may follow `tokens` (the prompt and the answer so far), looked up in the rest of a
    /// given-up answer, in these tokens, and in other sequences.
    pub fn look(tokens: &[Token], tail: &[Token], others: &[&[Token]]) -> Option<Candidate> {
        let found = after_in_tail(tokens, tail).map(|next| (Origin::Tail, next));
        let (origin, next) = found.or_else(|| after_same_run(tokens, others))?;
        Some(Candidate { tokens: next[..next.len().min(MOST)].to_vec(), origin })
    }

    /// How many of a candidate's tokens, at most `most`, to verify with the one that is due; 0
    /// when that is not expected to pay.
    pub fn worth(&self, candidate: &Candidate, most: usize) -> usize {
        let most = candidate.tokens.len().min(most);
        let rate = |ahead| self.rate(candidate.origin, self.streak + ahead);
        worth(&self.costs, self.decided_alone, most, 0.0, rate)
    }

    /// Learns from the tokens that really came: as many of a candidate's as came true, and the
    /// one after those.
    pub fn learn(&mut self, candidate: &Candidate, came: &[Token]) {
        for (guessed, real) in candidate.tokens.iter().zip(came) {
            let outcome = if guessed == real { 1.0 } else { 0.0 };
            let rate = &mut self.rates[candidate.origin.number()][kind(self.streak)];
            *rate += LEARNING * (outcome - *rate);
            self.streak = if guessed == real { self.streak + 1 } else { 0 };
            if guessed != real {
                break;
            }
        }
    }

    /// A drafted step ended, with a near tie or without.
    pub fn learn_of_tie(&mut self, tie: bool) {
        let outcome = if tie { 1.0 } else { 0.0 };
        self.decided_alone += LEARNING * (outcome - self.decided_alone);
    }

    fn rate(&self, origin: Origin, streak: usize) -> f64 {
        self.rates[origin.number()][kind(streak)]
    }
}

/// What a batch of 1, 2, … tokens costs, from measured costs as in [`Guess::new`].
pub(super) fn by_size(measured: &[(usize, f64)]) -> Vec<f64> {
    let mut costs = Vec::new();
    for pair in measured.windows(2) {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        let slope = (high - low) / (to - from).max(1) as f64;
        costs.extend((from..to).map(|size| low + slope * (size - from) as f64));
    }
    costs.extend(measured.last().map(|(_, cost)| *cost));
    costs
}

/// How many tokens, at most `most`, to draft and verify with the one that is due; 0 when that is not expected to
/// pay. Each costs `drafting` to draft, and comes true at a `rate` when those ahead of it, so many, have.
pub(super) fn worth(
    costs: &[f64],
    decided_alone: f64,
    most: usize,
    drafting: f64,
    rate: impl Fn(usize) -> f64,
) -> usize {
    let Some(&plain) = costs.first() else { return 0 };
    let mut best = (MARGIN / plain, 0);
    let (mut expected, mut all_right) = (1.0, 1.0);
    for length in 1..=most {
        let Some(cost) = costs.get(length) else { break };
        all_right *= rate(length - 1);
        expected += all_right;
        let gain = expected / (cost + drafting * length as f64 + decided_alone * plain);
        if gain > best.0 {
            best = (gain, length);
        }
    }
    best.1
}

fn kind(streak: usize) -> usize {
    match streak {
        0 => 0,
        1..=3 => 1,
        _ => 2,
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

    /// Costs in ms as on two Zen 5 cores with the 0.5B in Q4_0.
    fn guess() -> Guess {
        Guess::new(&[(1, 12.0), (2, 18.0), (4, 21.0), (8, 36.0), (16, 58.0)])
    }

    #[test]
    fn what_followed_the_same_tokens_before_is_guessed() {
        let before = [1, 2, 3, 4, 5, 6, 7, 9, 2, 3, 4];
        let found = Guess::look(&before, &[], &[]).expect("a candidate");
        assert_eq!(found.origin, Origin::Run(3));
        assert_eq!(found.tokens, [5, 6, 7, 9, 2, 3]);
        let elsewhere: &[Token] = &[8, 2, 3, 4, 70, 71, 72];
        let found = Guess::look(&[2, 3, 4], &[], &[elsewhere]).expect("a candidate");
        assert_eq!(found.tokens, [70, 71, 72]);
        assert_eq!(Guess::look(&[1, 2, 3], &[], &[]), None);
    }

    #[test]
    fn the_rest_of_a_given_up_answer_is_guessed_first() {
        let found = Guess::look(&[1, 2, 20], &[10, 20, 30, 31, 32], &[]).expect("a candidate");
        assert_eq!((found.tokens.as_slice(), found.origin), (&[30, 31, 32][..], Origin::Tail));
        assert_eq!(Guess::look(&[1, 2, 99], &[10, 20, 30], &[]), None);
    }

    fn candidate() -> Candidate {
        Candidate { tokens: (30..45).collect(), origin: Origin::Tail }
    }

    #[test]
    fn a_machine_on_which_batches_cost_their_tokens_is_not_asked_to_verify() {
        let mut slow = Guess::new(&[(1, 10.0), (2, 20.0), (4, 40.0), (8, 80.0), (16, 160.0)]);
        (0..99).for_each(|_| slow.learn(&candidate(), &candidate().tokens));
        assert_eq!(slow.worth(&candidate(), MOST), 0);
        assert_eq!(Guess::new(&[]).worth(&candidate(), MOST), 0);
    }

    #[test]
    fn what_keeps_coming_true_is_guessed_further_and_what_does_not_is_left() {
        let (mut good, mut bad) = (guess(), guess());
        (0..50).for_each(|_| good.learn(&candidate(), &candidate().tokens));
        (0..50).for_each(|_| bad.learn(&candidate(), &[99]));
        assert_eq!(good.worth(&candidate(), MOST), MOST);
        assert_eq!(bad.worth(&candidate(), MOST), 0);
        good.begin();
        bad.begin();
        assert!(good.worth(&candidate(), MOST) > bad.worth(&candidate(), MOST));
        assert_eq!(good.worth(&candidate(), 0), 0, "no more than is wanted");
    }

    #[test]
    fn steps_that_have_to_be_taken_twice_are_not_worth_as_much() {
        let calm = Guess::new(&[(1, 12.0), (2, 13.0)]);
        let mut torn = calm.clone();
        (0..99).for_each(|_| torn.learn_of_tie(true));
        assert_eq!((calm.worth(&candidate(), MOST), torn.worth(&candidate(), MOST)), (1, 0));
    }

    #[test]
    fn a_streak_makes_a_guess_better_and_a_miss_ends_it() {
        let mut guess = guess();
        let first = guess.worth(&candidate(), MOST);
        guess.learn(&candidate(), &[30, 31, 32, 33, 34]);
        assert!(guess.worth(&candidate(), MOST) > first);
        guess.learn(&candidate(), &[30, 99]);
        assert_eq!(guess.streak, 0);
    }
}
