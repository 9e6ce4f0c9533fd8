//! What is to happen when. In: events with their times, ms. Out: the earliest; of several at the same time the
//! one that was put in first, so that the same seed gives the same run.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

pub struct Events<T> {
    heap: BinaryHeap<Entry<T>>,
    count: u64,
}

struct Entry<T> {
    ms: f64,
    number: u64,
    what: T,
}

impl<T> Events<T> {
    pub fn new() -> Events<T> {
        Events { heap: BinaryHeap::new(), count: 0 }
    }

    pub fn push(&mut self, ms: f64, what: T) {
        self.heap.push(Entry { ms, number: self.count, what });
        self.count += 1;
    }

    pub fn pop(&mut self) -> Option<(f64, T)> {
        self.heap.pop().map(|entry| (entry.ms, entry.what))
    }
}

// The heap gives the greatest first: the earliest is the greatest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.ms.total_cmp(&self.ms).then(other.number.cmp(&self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}
