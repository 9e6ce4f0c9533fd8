//! What speaks for a file, one sign a function.
//!
//! In: what is known, and one sign: definitions that the place refers to, words in common, a name like
//! that of a test, an edge of the graph. Out: weights and reasons, added to those that files have.

use std::collections::BTreeMap;

use super::Inquiry;
use super::graph::Graph;
use super::known::{Known, has, is_test, module};
use super::leads::Leads;
use super::lexical::{Hit, hits};
use super::place::Around;
use super::rank::{Ranked, Weights};
use super::said::{Said, written_parts};
use crate::workspace::words::hash;

/// A file with less than this in common with a text has little in common with it, however little others
/// have: the weight of a rare name that is defined there.
const CLEAR: f64 = 3.0;
/// What a diagnostic points to counts so much of what it stands at itself.
const RELATED: f64 = 0.6;
/// A frame of a stack trace: which of them matters differs between languages.
const FRAME: f64 = 0.5;
/// Files that the graph is walked from: the best so far.
const SEEDS: usize = 30;

/// Files by their numbers.
pub type Files = BTreeMap<u32, Ranked>;

/// A file that something points to.
pub struct Pointed {
    pub file: u32,
    pub line: Option<u32>,
    pub weight: f64,
    pub why: &'static str,
}

pub fn pointed(inquiry: &Inquiry, known: &Known, asked: &Said, message: &Said) -> Vec<Pointed> {
    let mut all = Vec::new();
    for (path, line) in inquiry.diagnostic.iter().flat_map(|it| &it.related) {
        let file = known.snapshot.number(path).map(|file| file as u32);
        let why = "the diagnostic points here";
        all.extend(file.map(|file| Pointed { file, line: Some(*line), weight: RELATED, why }));
    }
    for (path, line) in asked.places.iter().chain(&message.places) {
        // A stack trace has absolute paths, or others than the workspace's.
        let ends = |known: &str| {
            let (long, short) = if known.len() > path.len() {
                (known, path.as_str())
            } else {
                (path.as_str(), known)
            };
            long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let fits = known.files().iter().enumerate().filter(|(_, file)| ends(&file.path));
        let fits: Vec<u32> = fits.map(|(number, _)| number as u32).take(5).collect();
        let weight = FRAME / fits.len().max(1) as f64;
        let why = "named in the question or the message";
        all.extend(fits.into_iter().map(|file| Pointed { file, line: *line, weight, why }));
    }
    all
}

pub fn add_leads(files: &mut Files, leads: &Leads, own: Option<u32>, weights: &Weights) {
    let mut sums: BTreeMap<u32, (f64, f64, &str)> = BTreeMap::new();
    for (at, lead) in &leads.all {
        let sum = sums.entry(at.0).or_default();
        sum.0 += lead.weight;
        if lead.weight > sum.1 {
            (sum.1, sum.2) = (lead.weight, &lead.why);
        }
    }
    let most = sums
        .iter()
        .filter(|(file, _)| own != Some(**file))
        .map(|(_, sum)| sum.0)
        .fold(0.0, f64::max);
    for (file, (sum, _, why)) in sums {
        files.entry(file).or_default().add(weights.leads * sum / f64::max(most, 1e-9), why);
    }
}

pub fn add_hits(files: &mut Files, hits: BTreeMap<u32, Hit>, weight: f64, whose: &str) {
    let most = hits.values().map(|hit| hit.0).fold(CLEAR, f64::max);
    for (file, (hit, name)) in hits {
        let why = format!("speaks of `{name}`, as {whose} does");
        files.entry(file).or_default().add(weight * hit / most, &why);
    }
}

pub fn add_callers(
    files: &mut Files,
    known: &Known,
    name: &str,
    own: Option<u32>,
    weights: &Weights,
) {
    let word = hash(name);
    let weight = weights.caller * known.rarity(word);
    if weight <= 0.0 {
        return;
    }
    for (number, file) in known.files().iter().enumerate() {
        let number = number as u32;
        if own != Some(number) && has(file, word) {
            let what = if is_test(&file.path) { "a test that uses" } else { "uses" };
            files.entry(number).or_default().add(weight, &format!("{what} `{name}`"));
        }
    }
}

/// `tests/test_config.py` and `config.py`.
pub fn add_alike(
    files: &mut Files,
    known: &Known,
    path: &str,
    place: Option<&Around>,
    weights: &Weights,
) {
    let bare = |path: &str| {
        let stem = module(path).to_lowercase();
        let stem =
            stem.strip_prefix("test_").or_else(|| stem.strip_suffix("_test")).unwrap_or(&stem);
        let stem =
            stem.strip_suffix("_tests").or_else(|| stem.strip_suffix("test")).unwrap_or(stem);
        stem.trim_matches(['_', '-', '.']).to_owned()
    };
    let (own, own_is_test) = (bare(path), is_test(path));
    for (number, file) in known.files().iter().enumerate() {
        if own.len() < 2 || is_test(&file.path) == own_is_test {
            continue;
        }
        let other = bare(&file.path);
        let alike = match (other == own, other.len() > 3 && own.contains(&other)) {
            (true, _) => 1.0,
            (false, true) => 0.5,
            _ => continue,
        };
        let (weight, why) = match own_is_test {
            true => (weights.named_alike, "named like this test"),
            false => (weights.caller, "a test named like this file"),
        };
        files.entry(number as u32).or_default().add(weight * alike, why);
    }
    if let Some(name) = place.and_then(|it| it.name.as_deref()).filter(|_| own_is_test) {
        let parts = written_parts(name).filter(|(word, _)| word != "test");
        let words = parts.map(|(word, written)| (word, written.to_owned())).collect();
        let hits = hits(known, &Said { words, ..Said::default() });
        let most = hits.values().map(|hit| hit.0).fold(CLEAR, f64::max);
        for (file, (hit, word)) in hits {
            let why = format!("speaks of `{word}`, as the test's name does");
            files.entry(file).or_default().add(0.5 * weights.named_alike * hit / most, &why);
        }
    }
}

/// What hangs together with what was found so far.
pub fn add_graph(files: &mut Files, known: &Known, own: Option<u32>, weights: &Weights) {
    let mut seeds: Vec<(u32, f64)> = files.iter().map(|(file, it)| (*file, it.score)).collect();
    seeds.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    seeds.truncate(SEEDS);
    let sum: f64 = seeds.iter().map(|(_, weight)| weight).sum();
    seeds.extend(own.map(|own| (own, f64::max(sum, 1.0))));
    seeds.sort_by_key(|seed| seed.0);
    let ranks = Graph::new(known).ranks(&seeds);
    let others = || ranks.iter().enumerate().filter(|(number, _)| own != Some(*number as u32));
    let most = others().map(|(_, rank)| *rank).fold(0.0, f64::max);
    for (number, rank) in others().filter(|(_, rank)| **rank > 1e-6) {
        let score = weights.graph * rank / f64::max(most, 1e-9);
        files.entry(number as u32).or_default().add(score, "closely used with the files above");
    }
}
