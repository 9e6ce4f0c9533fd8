//! Which file is worth using. Pure.
//!
//! In: what was measured. Out: the best candidate, or none: then the original stays. Refuses: a
//! candidate that is hardly faster, or that answers too differently, however fast it is.

use serde::{Deserialize, Serialize};

use crate::engine::llama::quantize::Recipe;
use crate::engine::llama::trial::{Agreement, READ, Speed};

/// A typical keystroke that no earlier answer serves: one in 20 makes the model read 256 tokens
/// again (a jump, a new file, a re-anchor), each has it write some tokens alone and verify two
/// guesses.
const READ_AGAIN: f64 = 256.0 / 20.0;
const WRITTEN: f64 = 4.0;
const VERIFIED: f64 = 2.0;

/// A candidate that is not this much faster than the original is not worth its disk space.
pub const GAIN: f64 = 1.10;
/// The least share of the original's choices that a candidate must make as well; the 0.5B model's
/// candidates make 96 to 98 % of them. It tells a file that answers like the original from a
/// spoilt one. Whether its answers are as *good* is what exact match on the public sets says, for a
/// recipe as such, and not on each machine.
pub const AGREEMENT: f64 = 0.90;
/// Of two candidates that are about equally fast, the one that agrees more is better.
const ABOUT: f64 = 1.03;

/// Milliseconds of a typical keystroke.
pub fn keystroke_ms(speed: &Speed) -> f64 {
    READ_AGAIN / READ as f64 * speed.read_ms + WRITTEN * speed.write_ms + VERIFIED * speed.verify_ms
}

/// What was found out about one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub recipe: Recipe,
    /// Of its file.
    pub bytes: u64,
    pub speed: Speed,
    /// The original's, in the same run.
    pub original: Speed,
    /// `None`: it was too slow to ask.
    pub agreement: Option<Agreement>,
}

impl Candidate {
    /// How many times as fast as the original it handles a typical keystroke.
    pub fn gain(&self) -> f64 {
        keystroke_ms(&self.original) / keystroke_ms(&self.speed)
    }

    /// Whether it is worth asking how it answers.
    pub fn pays(&self) -> bool {
        self.gain() >= GAIN
    }

    /// The share of choices that are the original's; 0 where it was not asked.
    pub fn agreement(&self) -> f64 {
        self.agreement.map_or(0.0, |a| f64::from(a.same_choices) / f64::from(a.choices.max(1)))
    }

    /// Coarse attention is never acceptable, however well it does on the probes: with everything in
    /// Q4_0 the 0.5B model gets 49.4 % of 506 whole lines right instead of 55.9
    /// (`benches/quality`, `SingleLine`), although it makes 115 of 117 of the original's choices.
    fn is_acceptable(&self) -> bool {
        self.pays() && self.agreement() >= AGREEMENT && !self.recipe.reaches_attention()
    }
}

/// The one to use, if any is worth it.
pub fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().filter(|candidate| candidate.is_acceptable()).reduce(|best, other| {
        let faster = other.gain() / best.gain();
        let close = (1.0 / ABOUT..=ABOUT).contains(&faster);
        let better = if close { other.agreement() > best.agreement() } else { faster > 1.0 };
        if better { other } else { best }
    })
}

/// Whether a recipe is worth a trial after those before it. Mostly the first is enough; the one that
/// leaves the output as it is, is for models whose answers the first spoils, or that it cannot make.
pub fn is_worth_a_trial(recipe: Recipe, before: &[Candidate]) -> bool {
    let first = before.iter().find(|candidate| candidate.recipe == Recipe::Iq4Nl);
    let disagrees = |c: &Candidate| c.agreement.is_some() && c.agreement() < AGREEMENT;
    match recipe {
        Recipe::Iq4Nl => true,
        Recipe::Iq4NlFeedForward => first.is_none_or(disagrees),
        Recipe::Q4_0 | Recipe::Q4_0All => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(ms: f64) -> Speed {
        Speed { read_ms: 10.0 * ms, write_ms: ms, verify_ms: 2.0 * ms }
    }

    /// A candidate that is so many times as fast and agrees in so many of 100 choices.
    fn candidate(recipe: &str, gain: f64, same_choices: u32) -> Candidate {
        Candidate {
            recipe: recipe.parse().unwrap(),
            bytes: 1,
            speed: speed(10.0 / gain),
            original: speed(10.0),
            agreement: Some(Agreement { choices: 100, same_choices, answers: 10, same_answers: 5 }),
        }
    }

    fn chosen(candidates: &[Candidate]) -> Option<String> {
        best(candidates).map(|candidate| candidate.recipe.to_string())
    }

    #[test]
    fn the_fastest_that_answers_alike_is_chosen() {
        let candidates = [
            candidate("q4_0", 1.3, 95),
            candidate("iq4_nl", 1.5, 94),
            candidate("q4_0-all", 2.0, 99),
        ];
        assert_eq!(chosen(&candidates).as_deref(), Some("iq4_nl"), "never coarse attention");
    }

    #[test]
    fn a_candidate_that_is_hardly_faster_or_answers_differently_leaves_the_original() {
        assert_eq!(chosen(&[candidate("q4_0", 1.05, 99)]), None);
        assert_eq!(chosen(&[candidate("q4_0", 3.0, 60)]), None);
        assert_eq!(chosen(&[]), None);
        let never_asked = Candidate { agreement: None, ..candidate("q4_0", 1.5, 0) };
        assert_eq!(chosen(&[never_asked]), None);
    }

    #[test]
    fn of_two_that_are_about_as_fast_the_one_that_agrees_more_is_chosen() {
        let candidates = [candidate("q4_0", 1.50, 93), candidate("iq4_nl", 1.49, 97)];
        assert_eq!(chosen(&candidates).as_deref(), Some("iq4_nl"));
    }

    #[test]
    fn speeds_that_cannot_be_believed_choose_nothing() {
        let broken = Candidate { speed: speed(f64::NAN), ..candidate("q4_0", 1.0, 99) };
        assert_eq!(chosen(&[broken]), None);
    }

    #[test]
    fn a_finer_recipe_is_tried_where_the_first_spoils_the_answers_and_not_otherwise() {
        let worth =
            |recipe: &str, before: &[Candidate]| is_worth_a_trial(recipe.parse().unwrap(), before);
        assert!(worth("iq4_nl", &[]));
        let good = [candidate("iq4_nl", 1.3, 95)];
        assert!(!worth("iq4_nl-ffn", &good) && !worth("q4_0", &good) && !worth("q4_0-all", &good));
        let spoilt = [candidate("iq4_nl", 1.3, 40)];
        assert!(!worth("q4_0-all", &spoilt) && worth("iq4_nl-ffn", &spoilt));
        // The first crashed.
        assert!(worth("iq4_nl-ffn", &[]));
        // Not asked, because it was too slow.
        let slow = [Candidate { agreement: None, ..candidate("iq4_nl", 1.0, 0) }];
        assert!(!worth("iq4_nl-ffn", &slow));
    }
}
