//! Is the engine's process still alive to us? Pure: no clock of its own.
//!
//! In: that something was heard, and each beat of a clock while something is waited for. Out: whether to
//! ask, or that it hangs. Beats are counted instead of time: after a sleep of this machine or of this
//! process one beat comes late, not ten, and an engine that slept as long is not taken for dead.

use std::time::Duration;

/// From one beat to the next. A keystroke's answer mostly comes sooner, so that nothing is asked.
pub const BEAT: Duration = Duration::from_secs(1);
/// An engine that says nothing for so many beats hangs. What answers is no thread that evaluates; only
/// a machine that swaps lets it wait for seconds.
const SILENT: u32 = 8;
/// How long it may take anything to get through to the engine.
pub const PATIENCE: Duration = Duration::from_secs(SILENT as u64);
/// A model that has not come from one operation to the next for this long hangs. The longest known, a
/// product of matrices for 128 tokens of a 7B model on a slow laptop, takes about a second.
const STUCK: Duration = Duration::from_secs(15);

/// What to do at a beat.
#[derive(Debug, PartialEq, Eq)]
pub enum Beat {
    /// Ask whether it is there.
    Ask,
    /// It is not: why.
    Hangs(String),
}

/// Watches one connection.
#[derive(Default)]
pub struct Watch {
    silent: u32,
}

impl Watch {
    /// Something was heard, or nothing is waited for.
    pub fn rest(&mut self) {
        self.silent = 0;
    }

    /// A beat has passed in which something was waited for.
    pub fn beat(&mut self) -> Beat {
        self.silent += 1;
        if self.silent > SILENT {
            return Beat::Hangs(format!("it said nothing for {SILENT} s"));
        }
        Beat::Ask
    }

    /// The answer to a question: the model has not moved for so long. The sentence says why that is too
    /// long, if it is.
    pub fn answered(&mut self, still: Duration) -> Option<String> {
        self.rest();
        (still >= STUCK).then(|| format!("the model has not moved for {} s", still.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_engine_is_asked_first_and_hangs_after_a_while() {
        let mut watch = Watch::default();
        for _ in 0..SILENT {
            assert_eq!(watch.beat(), Beat::Ask);
        }
        assert!(matches!(watch.beat(), Beat::Hangs(_)));
    }

    #[test]
    fn whatever_is_heard_starts_the_count_anew() {
        let mut watch = Watch::default();
        for _ in 0..3 * SILENT {
            assert_eq!(watch.beat(), Beat::Ask);
            watch.rest();
        }
    }

    #[test]
    fn an_engine_that_answers_while_its_model_does_not_move_hangs_too() {
        let mut watch = Watch::default();
        assert_eq!(watch.answered(STUCK / 2), None);
        assert!(watch.answered(STUCK).is_some_and(|why| why.contains("15 s")));
    }
}
