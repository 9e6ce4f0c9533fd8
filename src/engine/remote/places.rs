//! Which of several engines elsewhere is asked.
//!
//! In: how each request went. Out: the order in which to try them. Pure; whoever asks says what time it is.
//!
//! The one that answered fastest goes first. One that failed is left alone for a second, and twice as long
//! each time it fails again, up to a minute; then it is tried again, so that everybody comes home by himself.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What one measurement counts beside all before it.
const NEWEST: f64 = 0.2;

/// How the engines have done so far, by number.
#[derive(Debug)]
pub struct Places(Vec<Place>);

#[derive(Clone, Debug, Default)]
struct Place {
    /// To the first token, ms; smoothed. None before the first answer.
    ms: Option<f64>,
    /// Failures since the last answer.
    failures: u32,
    not_before: Option<Instant>,
}

impl Places {
    pub fn new(count: usize) -> Places {
        Places(vec![Place::default(); count])
    }

    /// Those that may be asked now: the fastest first, those not yet known in the order in which they were
    /// given, and after those that are.
    pub fn order(&self, now: Instant) -> Vec<usize> {
        let may_be = |place: &Place| place.not_before.is_none_or(|until| now >= until);
        let mut order: Vec<usize> = (0..self.0.len()).filter(|&n| may_be(&self.0[n])).collect();
        order.sort_by(|&a, &b| {
            let ms = |number: usize| self.0[number].ms.unwrap_or(f64::INFINITY);
            ms(a).total_cmp(&ms(b))
        });
        order
    }

    /// A request was answered; its first token came after so many ms.
    pub fn answered(&mut self, number: usize, ms: f64) {
        let place = &mut self.0[number];
        let before = place.ms.unwrap_or(ms);
        *place = Place { ms: Some(before + NEWEST * (ms - before)), ..Place::default() };
    }

    /// A request was not answered. `wait` is what the engine itself asks for.
    pub fn failed(&mut self, number: usize, now: Instant, wait: Option<Duration>) {
        let place = &mut self.0[number];
        let pause = FIRST_PAUSE.saturating_mul(1 << place.failures.min(10));
        place.failures += 1;
        let pause = pause.max(wait.unwrap_or_default()).min(LONGEST_PAUSE);
        place.not_before = Some(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_fastest_is_asked_first_and_the_unknown_last() {
        let (mut places, now) = (Places::new(3), Instant::now());
        assert_eq!(places.order(now), [0, 1, 2], "as they were given");
        places.answered(1, 80.0);
        places.answered(2, 40.0);
        assert_eq!(places.order(now), [2, 1, 0]);
        for _ in 0..20 {
            places.answered(2, 200.0);
        }
        assert_eq!(places.order(now), [1, 2, 0], "one that became slow goes behind");
    }

    #[test]
    fn one_that_failed_is_left_alone_and_comes_home() {
        let (mut places, now) = (Places::new(2), Instant::now());
        places.answered(0, 10.0);
        places.answered(1, 90.0);
        places.failed(0, now, None);
        assert_eq!(places.order(now), [1]);
        assert_eq!(places.order(now + SECOND), [0, 1], "it is tried again, and first");
        // It fails again: twice as long.
        places.failed(0, now + SECOND, None);
        assert_eq!(places.order(now + 2 * SECOND), [1]);
        assert_eq!(places.order(now + 3 * SECOND), [0, 1]);
        places.answered(0, 10.0);
        places.failed(0, now, None);
        assert_eq!(places.order(now + SECOND), [0, 1], "an answer makes good");
    }

    #[test]
    fn a_pause_has_an_end_and_the_engine_may_ask_for_one() {
        let (mut places, now) = (Places::new(1), Instant::now());
        places.failed(0, now, Some(20 * SECOND));
        assert_eq!(places.order(now + 19 * SECOND), [0; 0]);
        assert_eq!(places.order(now + 20 * SECOND), [0]);
        for _ in 0..50 {
            places.failed(0, now, Some(9_999 * SECOND));
        }
        assert_eq!(places.order(now + LONGEST_PAUSE - SECOND), [0; 0]);
        assert_eq!(places.order(now + LONGEST_PAUSE), [0]);
    }
}
