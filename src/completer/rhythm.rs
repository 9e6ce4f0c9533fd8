//! When to ask the model: at once, or after a moment in which the next key may come.
//!
//! In: when keys come, how long the model takes, whether answers come too late. Out: how long to
//! wait. Pure. Someone who types faster than the model answers gets nothing from requests that
//! the next key drops; they cost power, and the answer after the last key waits for them to end.
//! So then, and only then, the server waits about as long as the next key would take.

use std::time::{Duration, Instant};

/// The longest wait.
const MOST_MS: f64 = 120.0;
/// A longer gap between two keys is a pause, not a rhythm.
const PAUSE_MS: f64 = 1_000.0;
/// How much the newest value counts.
const NEWEST: f64 = 0.25;

/// One person's rhythm, and the model's.
#[derive(Clone, Debug, Default)]
pub struct Rhythm {
    last_key: Option<Instant>,
    gap_ms: Option<f64>,
    latency_ms: Option<f64>,
    /// The last request was dropped before its answer came.
    too_late: bool,
}

impl Rhythm {
    /// A key was pressed, or a suggestion asked for.
    pub fn key(&mut self, now: Instant) {
        if let Some(last) = self.last_key.replace(now) {
            let gap = now.saturating_duration_since(last).as_secs_f64() * 1e3;
            if gap < PAUSE_MS {
                self.gap_ms = Some(mixed(self.gap_ms, gap));
            } else {
                self.too_late = false;
            }
        }
    }

    /// The model answered after so long.
    pub fn answered(&mut self, latency: Duration) {
        self.latency_ms = Some(mixed(self.latency_ms, latency.as_secs_f64() * 1e3));
        self.too_late = false;
    }

    /// A request was dropped before the model had answered.
    pub fn dropped(&mut self) {
        self.too_late = true;
    }

    /// How long to wait before the model is asked. At a line's start the next thing is likely a
    /// whole line, and the person is likely thinking: no wait.
    pub fn patience(&self, at_line_start: bool) -> Duration {
        let (Some(gap), Some(latency)) = (self.gap_ms, self.latency_ms) else {
            return Duration::ZERO;
        };
        if at_line_start || !self.too_late || latency <= gap {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((gap * 1.1).min(MOST_MS) / 1e3)
    }
}

fn mixed(old: Option<f64>, new: f64) -> f64 {
    old.map_or(new, |old| old + NEWEST * (new - old))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn typing(gap_ms: u32, latency_ms: u32, too_late: bool) -> Rhythm {
        let (mut rhythm, start) = (Rhythm::default(), Instant::now());
        (0..10).for_each(|key| rhythm.key(start + MS * gap_ms * key));
        (0..10).for_each(|_| rhythm.answered(MS * latency_ms));
        if too_late {
            rhythm.dropped();
        }
        rhythm
    }

    #[test]
    fn there_is_no_wait_while_answers_come_in_time() {
        assert_eq!(typing(150, 60, false).patience(false), Duration::ZERO);
        assert_eq!(typing(150, 60, true).patience(false), Duration::ZERO);
        assert_eq!(Rhythm::default().patience(false), Duration::ZERO);
    }

    #[test]
    fn someone_faster_than_the_model_is_waited_for_but_not_at_a_lines_start() {
        let rhythm = typing(80, 300, true);
        assert_eq!(rhythm.patience(false).as_millis(), 88);
        assert_eq!(rhythm.patience(true), Duration::ZERO);
        assert_eq!(typing(500, 900, true).patience(false).as_millis(), 120);
    }

    #[test]
    fn a_pause_ends_the_wait() {
        let mut rhythm = typing(80, 300, true);
        rhythm.key(Instant::now() + MS * 60_000);
        assert_eq!(rhythm.patience(false), Duration::ZERO);
    }
}
