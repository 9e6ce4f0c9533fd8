//! Chance, the same for the same seed on every machine.
//!
//! In: a seed. Out: numbers of the distributions that the simulation needs. A SplitMix64 generator (Steele,
//! Lea, Flood, 2014): a word of state, so that every developer can have one.

#[derive(Clone, Debug)]
pub struct Random(u64);

/// Spreads a number over all 64 bits.
pub fn mixed(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Random {
    /// The sequences of two streams of one seed have nothing to do with each other.
    pub fn new(seed: u64, stream: u64) -> Random {
        Random(mixed(seed).wrapping_add(mixed(stream.wrapping_add(0x9E37_79B9))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// Between 0 and 1, without either.
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.uniform().ln()
    }

    /// With this mean; `spread` is the standard deviation of its logarithm.
    pub fn log_normal(&mut self, mean: f64, spread: f64) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        mean * (spread * normal - spread * spread / 2.0).exp()
    }

    /// 1, 2, 3, … with this mean, which is at least 1; no more than `most`.
    pub fn geometric(&mut self, mean: f64, most: u32) -> u32 {
        if mean <= 1.0 {
            return 1.min(most);
        }
        let tries = self.uniform().ln() / (-1.0 / mean).ln_1p();
        (tries.ceil() as u32).clamp(1, most)
    }
}
