//! Whether a request that did not work is sent again, and when: the rules of the official clients.
//!
//! In: a status, what its headers say, how often it was tried. Out: a pause, or the reason to give up. Refuses:
//! a third repetition, and to wait longer than somebody at a screen would.

use std::time::Duration;

use jiff::Timestamp;

use super::Patience;

/// How often a request is sent at most.
pub const ATTEMPTS: u32 = 3;

/// What the headers of an answer say about another attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hints {
    should_retry: Option<bool>,
    pub after: Option<Duration>,
}

impl Hints {
    /// By a header's name in lower case. What cannot be read counts as not said.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Hints {
        let should_retry = match header("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let milliseconds = header("retry-after-ms").and_then(seconds).map(|value| value / 1000.0);
        let after = milliseconds.or_else(|| {
            let text = header("retry-after")?;
            seconds(text).or_else(|| {
                let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
                Some(then.duration_since(now).as_secs_f64())
            })
        });
        let after = after.filter(|seconds| *seconds > 0.0);
        Hints {
            should_retry,
            after: after.and_then(|value| Duration::try_from_secs_f64(value).ok()),
        }
    }
}

fn seconds(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

/// The pause before the next attempt; `None` to give up. `attempt` was the last, the first is 1.
pub fn pause(status: u16, hints: Hints, attempt: u32, patience: &Patience) -> Option<Duration> {
    let worth = hints.should_retry.unwrap_or(matches!(status, 408 | 409 | 429 | 500..=599));
    if !worth || attempt >= ATTEMPTS {
        return None;
    }
    match hints.after {
        Some(after) => (after <= patience.longest_wait).then_some(after),
        None => Some(backoff(attempt, patience, fastrand::f64())),
    }
}

/// The pause after a connection that failed.
pub fn after_a_lost_connection(attempt: u32, patience: &Patience) -> Option<Duration> {
    (attempt < ATTEMPTS).then(|| backoff(attempt, patience, fastrand::f64()))
}

/// Twice as long each time; up to a quarter less, by `chance` from 0 to 1, so that many clients do not come
/// back all at once.
fn backoff(attempt: u32, patience: &Patience, chance: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let pause = patience.first_pause.saturating_mul(doubled).min(patience.longest_pause);
    pause.mul_f64(1.0 - 0.25 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(headers: &[(&str, &'static str)]) -> Hints {
        let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        Hints::read(header, "2026-11-21T12:00:00Z".parse().unwrap())
    }

    fn paused(status: u16, headers: &[(&str, &'static str)], attempt: u32) -> Option<Duration> {
        pause(status, hints(headers), attempt, &Patience::default())
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_only_twice() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(
                paused(status, &[], 1).is_some() && paused(status, &[], 2).is_some(),
                "{status}"
            );
            assert_eq!(paused(status, &[], 3), None);
        }
        for status in [400, 401, 402, 403, 404, 413, 422] {
            assert_eq!(paused(status, &[], 1), None, "{status}");
        }
    }

    #[test]
    fn the_apis_own_word_counts_before_the_status() {
        assert_eq!(paused(529, &[("x-should-retry", "false")], 1), None);
        assert!(paused(400, &[("x-should-retry", "true")], 1).is_some());
        assert_eq!(paused(400, &[("x-should-retry", "true")], 3), None);
        assert!(paused(529, &[("x-should-retry", "perhaps")], 1).is_some());
    }

    #[test]
    fn the_pause_that_is_asked_for_is_made() {
        let cases = [
            ("retry-after", "7", Some(7.0)),
            ("retry-after", "1.5", Some(1.5)),
            ("retry-after-ms", "250", Some(0.25)),
            ("retry-after", "Sat, 21 Nov 2026 12:00:30 GMT", Some(30.0)),
            ("retry-after", "61", None),
            ("retry-after", "Sat, 21 Nov 2026 13:00:00 GMT", None),
        ];
        for (name, value, seconds) in cases {
            let seconds = seconds.map(Duration::from_secs_f64);
            assert_eq!(paused(429, &[(name, value)], 1), seconds, "{name}: {value}");
        }
        let both = [("retry-after", "60"), ("retry-after-ms", "10")];
        assert_eq!(paused(429, &both, 1), Some(Duration::from_millis(10)));
    }

    #[test]
    fn nonsense_for_a_pause_is_as_good_as_none() {
        for value in ["soon", "-5", "nan", "inf", "1e300", "", "Sat, 21 Nov 2020 12:00:00 GMT"] {
            let pause = paused(429, &[("retry-after", value)], 1).unwrap();
            assert!(pause <= Patience::default().first_pause, "{value}: {pause:?}");
        }
    }

    #[test]
    fn pauses_grow_to_their_longest() {
        let patience = Patience::default();
        let without_chance = |attempt| backoff(attempt, &patience, 0.0).as_millis();
        assert_eq!([1, 2, 3, 5, 6, 1000].map(without_chance), [500, 1000, 2000, 8000, 8000, 8000]);
        assert_eq!(backoff(1, &patience, 1.0).as_millis(), 375);
    }
}
