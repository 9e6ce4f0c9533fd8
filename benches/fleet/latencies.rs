//! How long answers take, also those that nobody waited for.
//!
//! In: waits, of answered and of superseded requests. Out: quantiles. Whoever looks only at answers sees an engine
//! get faster as it drowns: slow answers are the ones that the next key drops. A dropped request says that its
//! answer would have taken longer than so long; that is reckoned in after Kaplan and Meier (1958). Pure.

/// Longer waits are one.
const LONGEST_MS: usize = 20_000;

/// By whole ms.
pub struct Latencies {
    answered: Vec<u32>,
    superseded: Vec<u32>,
}

impl Latencies {
    pub fn new() -> Latencies {
        Latencies { answered: vec![0; LONGEST_MS + 1], superseded: vec![0; LONGEST_MS + 1] }
    }

    pub fn answered(&mut self, ms: f64) {
        self.answered[(ms as usize).min(LONGEST_MS)] += 1;
    }

    pub fn superseded(&mut self, ms: f64) {
        self.superseded[(ms as usize).min(LONGEST_MS)] += 1;
    }

    /// Of all, a share.
    pub fn superseded_share(&self) -> f64 {
        let sum = |waits: &[u32]| waits.iter().map(|count| f64::from(*count)).sum::<f64>();
        let superseded = sum(&self.superseded);
        superseded / (superseded + sum(&self.answered)).max(1.0)
    }

    /// The wait that this share does not exceed, ms; `None` where so many were never seen to be answered.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let (mut left, mut longer) = (0.0, 1.0);
        for count in self.answered.iter().chain(&self.superseded) {
            left += f64::from(*count);
        }
        for ms in 0..LONGEST_MS {
            let [answered, superseded] =
                [&self.answered, &self.superseded].map(|waits| f64::from(waits[ms]));
            if answered > 0.0 {
                longer *= 1.0 - answered / left;
                if 1.0 - longer >= share {
                    return Some(ms as f64 + 0.5);
                }
            }
            left -= answered + superseded;
        }
        None
    }
}
