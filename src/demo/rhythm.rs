//! When a person presses the next key. Pure: the same keys have the same gaps each time.
//!
//! In: a [`Pace`] and the keys. Out: gaps. Gaps while typing are log-normal, as those of people
//! are: about 150 ms, longer where a word begins, a line ends or a mistake is noticed.

use std::time::Duration;

use super::session::Kind;
use crate::client::Stroke;

/// How long one looks at a suggestion before taking it.
pub const LOOKING: Duration = Duration::from_millis(700);
/// From taking a suggestion to Enter.
const ENTER_AFTER_ACCEPT: Duration = Duration::from_millis(250);
/// From one key to the next of somebody who types fast.
const FAST: Duration = Duration::from_millis(80);
/// To find another place and go there.
const TRAVEL: Duration = Duration::from_millis(500);
/// To find one's way there.
const READING: Duration = Duration::from_millis(1_000);
/// Half of the gaps while typing are shorter.
const TYPING_MS: f64 = 150.0;
/// The standard deviation of a gap's logarithm.
const SPREAD: f64 = 0.35;

/// When each key comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// When the answer to the one before is there.
    AtOnce,
    /// The same and a short gap later, 80 ms; later where a person would look or go elsewhere.
    Waiting,
    /// One key in this many waits; the others are superseded at once by the next.
    Bursts(usize),
    /// When a person would press it, whether there was an answer or not.
    Typing,
}

/// The gaps of one session.
#[derive(Clone)]
pub struct Rhythm {
    pace: Pace,
    random: u64,
    before: Option<Stroke>,
}

impl Rhythm {
    /// From the beginning.
    pub fn new(pace: Pace) -> Rhythm {
        Rhythm { pace, random: 0x9E37_79B9_7F4A_7C15, before: None }
    }

    /// How long before the next key: since the last one for [`Pace::Typing`], else since its answer.
    pub fn gap(&mut self, next: &Stroke) -> Duration {
        let before = self.before.replace(next.clone());
        let kind = before.as_ref().map(Kind::of);
        match (self.pace, kind, next) {
            (Pace::AtOnce | Pace::Bursts(_), ..) | (_, None, _) => Duration::ZERO,
            (_, _, Stroke::Accept(_) | Stroke::AcceptPart(_)) => LOOKING,
            (_, Some(kind), Stroke::Newline) if kind.takes() => ENTER_AFTER_ACCEPT,
            (_, _, Stroke::Jump(_)) => TRAVEL,
            (Pace::Waiting, ..) => FAST,
            (Pace::Typing, Some(Kind::Jump), _) => READING,
            (Pace::Typing, ..) => self.typing(before.as_ref(), next),
        }
    }

    fn typing(&mut self, before: Option<&Stroke>, next: &Stroke) -> Duration {
        let word =
            |stroke: &Stroke| matches!(stroke, Stroke::Type(c) if c.is_alphanumeric() || *c == '_');
        let slower = match next {
            Stroke::Newline => 2.0,
            Stroke::Backspace | Stroke::Undo if before != Some(next) => 2.5,
            _ if before == Some(&Stroke::Newline) => 2.5,
            _ if word(next) && !before.is_some_and(word) => 1.6,
            _ => 1.0,
        };
        let ms = TYPING_MS * slower * (SPREAD * self.normal()).exp();
        Duration::from_micros((ms * 1e3) as u64)
    }

    /// A normal deviate, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// Between 0 and 1, without 0. An xorshift generator (Marsaglia, 2003).
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::percentile;

    fn gaps(pace: Pace, strokes: &[Stroke]) -> Vec<f64> {
        let mut rhythm = Rhythm::new(pace);
        strokes.iter().map(|stroke| rhythm.gap(stroke).as_secs_f64() * 1e3).collect()
    }

    #[test]
    fn people_type_unevenly_and_each_time_the_same() {
        let strokes: Vec<Stroke> = "abcdefgh".repeat(50).chars().map(Stroke::Type).collect();
        let first = gaps(Pace::Typing, &strokes);
        assert_eq!(first, gaps(Pace::Typing, &strokes));
        let typing = &first[1..];
        let median = percentile(typing, 0.5);
        assert!((130.0..170.0).contains(&median), "{median}");
        assert!(percentile(typing, 0.95) > 1.5 * median);
        assert!(percentile(typing, 0.05) < median / 1.5);
    }

    #[test]
    fn a_suggestion_is_looked_at_before_it_is_taken_and_enter_comes_soon_after() {
        let part = Stroke::AcceptPart("x".into());
        let strokes = [Stroke::Type('a'), part, Stroke::Newline, Stroke::Type('b')];
        assert_eq!(gaps(Pace::Waiting, &strokes), [0.0, 700.0, 250.0, 80.0]);
        assert_eq!(gaps(Pace::AtOnce, &strokes), [0.0; 4]);
        assert_eq!(gaps(Pace::Typing, &strokes)[1..3], [700.0, 250.0]);
    }
}
