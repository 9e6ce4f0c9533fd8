//! How long it took: the middle, and all but the slowest twentieth. Pure.

use serde::Serialize;

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50: f64,
    /// 95 % took no longer.
    pub p95: f64,
}

/// Of milliseconds, in any order; `None` of none.
pub fn latency(mut all: Vec<f32>) -> Option<Latency> {
    all.sort_by(f32::total_cmp);
    // The nearest rank: a value that was measured.
    let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).max(1) - 1).copied();
    let tenths = |ms: f32| (f64::from(ms) * 10.0).round() / 10.0;
    Some(Latency { p50: tenths(rank(50)?), p95: tenths(rank(95)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(latency(Vec::new()), None);
        assert_eq!(latency(vec![7.0]), Some(Latency { p50: 7.0, p95: 7.0 }));
        let hundred = (1..=100).rev().map(|ms| ms as f32).collect();
        assert_eq!(latency(hundred), Some(Latency { p50: 50.0, p95: 95.0 }));
    }
}
