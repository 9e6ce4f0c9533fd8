//! What a sample says about the whole. Pure.
//!
//! In: counts. Out: 95 % intervals, in percent and points, and the exact McNemar test. Refuses:
//! nothing; an empty sample has the widest interval.

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_964;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub of_these: usize,
    pub all: usize,
}

impl Share {
    pub fn of(all: impl IntoIterator<Item = bool>) -> Share {
        all.into_iter().fold(Share::default(), |share, yes| Share {
            of_these: share.of_these + usize::from(yes),
            all: share.all + 1,
        })
    }

    /// 0 for an empty sample.
    pub fn percent(self) -> f64 {
        100.0 * self.of_these as f64 / self.all.max(1) as f64
    }

    /// Wilson's interval, which is right for small samples and near 0 and 100 % too.
    pub fn interval(self) -> (f64, f64) {
        if self.all == 0 {
            return (0.0, 100.0);
        }
        let (n, p) = (self.all as f64, self.of_these as f64 / self.all as f64);
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 100.0 / (1.0 + Z * Z / n);
        (((middle - half) * scale).max(0.0), ((middle + half) * scale).min(100.0))
    }
}

/// Two ways of doing the same rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paired {
    /// Rows that this way gets right and the first does not.
    pub won: usize,
    /// And the other way round.
    pub lost: usize,
    pub rows: usize,
}

impl Paired {
    /// Of pairs of (this way, the first way).
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Paired {
        pairs.into_iter().fold(Paired::default(), |paired, (this, first)| Paired {
            won: paired.won + usize::from(this && !first),
            lost: paired.lost + usize::from(first && !this),
            rows: paired.rows + 1,
        })
    }

    /// How much better this way is, in points of percent.
    pub fn points(self) -> f64 {
        100.0 * (self.won as f64 - self.lost as f64) / self.rows.max(1) as f64
    }

    /// The interval of [`points`](Self::points): Bonett and Price's adjusted Wald interval for
    /// paired proportions (2012), which adds one row to each kind of pair that differs, so that it
    /// does not shrink to nothing where none differs.
    pub fn interval(self) -> (f64, f64) {
        let n = self.rows as f64 + 2.0;
        let (won, lost) = ((self.won + 1) as f64 / n, (self.lost + 1) as f64 / n);
        let (middle, half) = (won - lost, Z * ((won + lost - (won - lost).powi(2)) / n).sqrt());
        (100.0 * (middle - half).max(-1.0), 100.0 * (middle + half).min(1.0))
    }

    /// McNemar's exact test, two-sided: how likely a difference at least as large is by chance.
    pub fn chance(self) -> f64 {
        let (n, least) = (self.won + self.lost, self.won.min(self.lost));
        // Logarithms, because 2^-n is 0 for a large n.
        let mut ln_choose = 0.0;
        let mut sum = 0.0;
        for k in 0..=least {
            if k > 0 {
                ln_choose += ((n - k + 1) as f64).ln() - (k as f64).ln();
            }
            sum += (ln_choose - n as f64 * std::f64::consts::LN_2).exp();
        }
        (2.0 * sum).min(1.0)
    }
}
