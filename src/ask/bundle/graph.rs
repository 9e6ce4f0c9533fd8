//! How files hang together: who uses what whom defines; and what is near some of them in that. Pure.
//!
//! In: what is known. Out: a weight for each file: personalised PageRank (Page, Brin and others 1999;
//! Haveliwala 2002) from the files that a question is about, along uses and, less, against them. A rare
//! name binds more than a common one, and one with many definers hardly. Sums are taken in the order of
//! files, so the same question has the same answer to the last bit.

use std::collections::HashSet;

use super::known::{At, Known, family};
use crate::workspace::words::hash;

/// A name that more files define binds none of them.
const MOST_DEFINERS: usize = 24;
/// Files that one file is bound to: the strongest.
const MOST_EDGES: usize = 48;
/// How much of a file's weight goes on; the rest begins anew where the question is.
const DAMPING: f64 = 0.6;
/// How much of that goes against the direction of use: to callers and tests.
const BACKWARDS: f64 = 0.25;
/// What is left after so many steps is a 400th.
const STEPS: usize = 12;
/// What a name binds in a file that imports the definer's module, times.
const IMPORTED: f64 = 3.0;
/// What a name binds in a file that defines it itself too, times.
const OWN: f64 = 0.15;

/// Who uses whom: for each file the numbers of others, with shares of 1.
pub struct Graph {
    forth: Vec<Vec<(u32, f64)>>,
    back: Vec<Vec<(u32, f64)>>,
}

impl Graph {
    pub fn new(known: &Known) -> Graph {
        let count = known.files().len();
        let modules: Vec<u32> = known.modules.iter().map(|module| hash(module)).collect();
        let mut weights = vec![0.0; count];
        let mut forth: Vec<Vec<(u32, f64)>> = Vec::with_capacity(count);
        for (from, file) in known.files().iter().enumerate() {
            let parts = file.imports.iter().flat_map(|it| it.path.split([':', '.', '/']));
            let imported: HashSet<u32> = parts.filter(|part| !part.is_empty()).map(hash).collect();
            let own_family = file.language.map(family);
            let mut touched: Vec<u32> = Vec::new();
            for word in &*file.words {
                let Some(all) = known.defined.get(word) else { continue };
                let definers = definers(all);
                if definers.is_empty() {
                    continue;
                }
                let is_own = definers.contains(&(from as u32));
                let weight = known.rarity(*word).powi(2) * if is_own { OWN } else { 1.0 };
                for to in &definers {
                    let other = known.file(*to).language.map(family);
                    if *to as usize == from || own_family.is_some() && other != own_family {
                        continue;
                    }
                    let is_imported = imported.contains(&modules[*to as usize]);
                    let share = weight / definers.len() as f64;
                    let known_weight = &mut weights[*to as usize];
                    if *known_weight == 0.0 {
                        touched.push(*to);
                    }
                    *known_weight += share * if is_imported { IMPORTED } else { 1.0 };
                }
            }
            touched.sort_unstable();
            touched.dedup();
            let mut edges: Vec<(u32, f64)> = touched
                .iter()
                .map(|to| (*to, std::mem::take(&mut weights[*to as usize])))
                .collect();
            edges.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            edges.truncate(MOST_EDGES);
            forth.push(edges);
        }
        let mut back: Vec<Vec<(u32, f64)>> = vec![Vec::new(); count];
        for (from, edges) in forth.iter().enumerate() {
            for (to, weight) in edges {
                back[*to as usize].push((from as u32, *weight));
            }
        }
        forth.iter_mut().chain(&mut back).for_each(|edges| share(edges));
        Graph { forth, back }
    }

    /// The weight of each file, where `seeds` have the weights given; all together 1 at most.
    pub fn ranks(&self, seeds: &[(u32, f64)]) -> Vec<f64> {
        let mut begin = vec![0.0; self.forth.len()];
        let sum: f64 = seeds.iter().map(|(_, weight)| weight).sum();
        if sum <= 0.0 {
            return begin;
        }
        for (file, weight) in seeds {
            begin[*file as usize] += weight / sum;
        }
        let mut ranks = begin.clone();
        for _ in 0..STEPS {
            let mut next: Vec<f64> = begin.iter().map(|weight| (1.0 - DAMPING) * weight).collect();
            for (from, rank) in ranks.iter().enumerate().filter(|(_, rank)| **rank > 1e-9) {
                let ways = [(&self.forth, 1.0 - BACKWARDS), (&self.back, BACKWARDS)];
                for (edges, part) in ways {
                    for (to, share) in &edges[from] {
                        next[*to as usize] += DAMPING * part * rank * share;
                    }
                }
            }
            ranks = next;
        }
        ranks
    }
}

/// The files of these definitions, each once; none where there are too many.
fn definers(all: &[At]) -> Vec<u32> {
    let mut definers: Vec<u32> = Vec::new();
    for (file, _) in all {
        if definers.last() != Some(file) {
            definers.push(*file);
            if definers.len() > MOST_DEFINERS {
                return Vec::new();
            }
        }
    }
    definers
}

fn share(edges: &mut [(u32, f64)]) {
    let sum: f64 = edges.iter().map(|(_, weight)| weight).sum();
    edges.iter_mut().for_each(|(_, weight)| *weight /= sum.max(1e-12));
}
