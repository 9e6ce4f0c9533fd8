//! Consistent hashing: who goes to which engine, so that few move when there is one more.
//!
//! In: how many engines, a key. Out: engines, the key's own first. Each engine stands at many points of a ring; a
//! key goes to the next point. Pure.

use crate::random::mixed;

/// Points of an engine; so many as in nginx.
const POINTS: u64 = 160;

pub struct Ring {
    /// A point in the upper half, its engine in the lower.
    points: Vec<u64>,
}

impl Ring {
    pub fn new(engines: usize) -> Ring {
        let point = |engine: u64, number: u64| {
            mixed((engine * POINTS + number).wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 32 << 32
                | engine
        };
        let mut points: Vec<u64> = (0..engines as u64)
            .flat_map(|engine| (0..POINTS).map(move |number| point(engine, number)))
            .collect();
        points.sort_unstable();
        Ring { points }
    }

    /// The engines at the points from a key on, once around; some come more than once.
    pub fn from(&self, key: u64) -> impl Iterator<Item = usize> {
        let first = self.points.partition_point(|point| point >> 32 < mixed(!key) >> 32);
        let (before, after) = self.points.split_at(first);
        after.iter().chain(before).map(|point| (point & 0xFFFF_FFFF) as usize)
    }
}
