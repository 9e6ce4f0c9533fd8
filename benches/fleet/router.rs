//! Which engine gets a request: what a gateway does.
//!
//! In: who asks; when a request has left. Out: an engine. Pure.

use std::collections::BTreeSet;

use crate::ring::Ring;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests; of several, the one asked longest ago.
    LeastLoaded,
    /// Each developer's own, by consistent hashing; the next one on the ring while that is full.
    ByPrefix,
}

impl Router {
    pub const ALL: [Router; 3] = [Router::RoundRobin, Router::LeastLoaded, Router::ByPrefix];

    pub fn name(self) -> &'static str {
        match self {
            Router::RoundRobin => "round-robin",
            Router::LeastLoaded => "least-loaded",
            Router::ByPrefix => "by-prefix",
        }
    }
}

/// Points of the ring that are tried for an engine that is not full, as in nginx.
const TRIES: usize = 20;

/// A gateway before some engines.
pub struct Gateway {
    /// Requests at each engine, and when it was last asked.
    at: Vec<(u32, u64)>,
    /// With so many an engine is full.
    full: u32,
    asked: u64,
    way: Way,
}

enum Way {
    RoundRobin,
    LeastLoaded(BTreeSet<(u32, u64, usize)>),
    ByPrefix(Ring),
}

impl Gateway {
    pub fn new(router: Router, engines: usize, full: u32) -> Gateway {
        let way = match router {
            Router::RoundRobin => Way::RoundRobin,
            Router::LeastLoaded => Way::LeastLoaded((0..engines).map(|e| (0, 0, e)).collect()),
            Router::ByPrefix => Way::ByPrefix(Ring::new(engines)),
        };
        Gateway { at: vec![(0, 0); engines], full, asked: 0, way }
    }

    /// Where a request of this developer goes; it counts there until [`Gateway::left`].
    pub fn choose(&mut self, developer: u32) -> usize {
        let engine = match &self.way {
            Way::RoundRobin => (self.asked % self.at.len() as u64) as usize,
            // There is at least one engine.
            Way::LeastLoaded(order) => order.first().map_or(0, |(.., engine)| *engine),
            Way::ByPrefix(ring) => {
                let mut tried = ring.from(developer.into()).take(TRIES);
                let own = tried.next().unwrap_or(0);
                let is_free = |engine: &usize| self.at[*engine].0 < self.full;
                Some(own).filter(is_free).or_else(|| tried.find(is_free)).unwrap_or(own)
            }
        };
        self.asked += 1;
        let (requests, _) = self.at[engine];
        self.set(engine, (requests + 1, self.asked));
        engine
    }

    /// A request has left its engine.
    pub fn left(&mut self, engine: usize) {
        let (requests, asked) = self.at[engine];
        self.set(engine, (requests - 1, asked));
    }

    fn set(&mut self, engine: usize, new: (u32, u64)) {
        let old = std::mem::replace(&mut self.at[engine], new);
        if let Way::LeastLoaded(order) = &mut self.way {
            order.remove(&(old.0, old.1, engine));
            order.insert((new.0, new.1, engine));
        }
    }
}
