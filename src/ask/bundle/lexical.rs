//! Which files speak of what a text speaks of. Pure.
//!
//! In: names and words of a question or a message. Out: a weight for each file: what it defines under
//! such a name counts most, a part of its path or of a name that it defines less, a name that only
//! occurs least; a rare one more than a common one (as in BM25), a long file's words less.

use std::collections::{BTreeMap, HashMap};

use super::known::{Known, has};
use super::said::{Said, parts};
use crate::workspace::words::hash;

/// A name that looks like code, and is defined there.
const DEFINES: f64 = 3.0;
/// One that occurs.
const OCCURS: f64 = 1.0;
/// A word that is all of a defined name, part of one, part of the path, or occurs.
const WORD: (f64, f64, f64, f64) = (1.0, 0.7, 1.2, 0.4);

/// What speaks for a file: a weight, and the name that weighs most.
pub type Hit = (f64, String);

/// Files that a text speaks of, by their numbers.
pub fn hits(known: &Known, said: &Said) -> BTreeMap<u32, Hit> {
    let mut hits: BTreeMap<u32, Hit> = BTreeMap::new();
    let mut best: HashMap<u32, f64> = HashMap::new();
    let mut add = |file: u32, weight: f64, name: &str| {
        let hit = hits.entry(file).or_insert_with(|| (0.0, String::new()));
        hit.0 += weight;
        let best = best.entry(file).or_default();
        if weight > *best {
            *best = weight;
            name.clone_into(&mut hit.1);
        }
    };
    for name in &said.names {
        let word = hash(name);
        let mut definers: Vec<u32> = known.named(name).map(|at| at.0).collect();
        definers.dedup();
        let rarity = known.rarity(word);
        let defines = DEFINES * rarity / (definers.len().max(1) as f64).sqrt();
        definers.iter().for_each(|file| add(*file, defines, name));
        if known.occurs(word) > 0 && rarity > 0.0 {
            for (number, file) in known.files().iter().enumerate() {
                if has(file, word) {
                    add(number as u32, OCCURS * rarity, name);
                }
            }
        }
    }
    for (word, number, weight) in by_words(known, &said.words) {
        add(number, weight, &said.words[word].1);
    }
    hits
}

/// Words, the numbers of files, and weights.
fn by_words(known: &Known, words: &[(String, String)]) -> Vec<(usize, u32, f64)> {
    let wanted: HashMap<&str, usize> =
        words.iter().enumerate().map(|(number, (word, _))| (word.as_str(), number)).collect();
    let mut all: Vec<Vec<(u32, f64)>> = vec![Vec::new(); words.len()];
    if words.is_empty() {
        return Vec::new();
    }
    let spellings: Vec<Vec<u32>> = words.iter().map(|(word, _)| spellings(word)).collect();
    let mean = known.files().iter().map(|file| file.words.len()).sum::<usize>() as f64
        / known.files().len().max(1) as f64;
    for (number, file) in known.files().iter().enumerate() {
        let mut own = vec![0.0_f64; words.len()];
        let mut note = |name: &str, whole: f64, part: f64| {
            let found: Vec<String> = parts(name).collect();
            let weight = if found.len() == 1 { whole } else { part };
            for part in found {
                if let Some(word) = wanted.get(part.as_str()) {
                    own[*word] = own[*word].max(weight);
                }
            }
        };
        for definition in &*file.definitions {
            note(&definition.name, WORD.0, WORD.1);
        }
        let stem = file.path.rsplit_once('.').map_or(&*file.path, |(stem, _)| stem);
        for part in stem.rsplit('/').take(2) {
            part.split(['-', '.']).for_each(|part| note(part, WORD.2, WORD.2));
        }
        let length = 0.5 + 0.5 * file.words.len() as f64 / mean.max(1.0);
        for (word, spellings) in spellings.iter().enumerate() {
            if spellings.iter().any(|spelling| has(file, *spelling)) {
                own[word] += WORD.3 / length;
            }
            if own[word] > 0.0 {
                all[word].push((number as u32, own[word]));
            }
        }
    }
    let count = known.files().len() as f64;
    let each = all.into_iter().enumerate().flat_map(|(word, files)| {
        let rarity = (1.0 + count / files.len().max(1) as f64).ln() - 2_f64.ln();
        let rarity = rarity.max(0.0) / ((1.0 + count).ln() - 2_f64.ln()).max(1e-9);
        files.into_iter().map(move |(number, weight)| (word, number, weight * rarity))
    });
    each.collect()
}

/// How a word without its ending may be written.
fn spellings(word: &str) -> Vec<u32> {
    let mut letters = word.chars();
    let large: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let endings = ["", "e", "s", "es", "ed", "ing"];
    let all = [word, &large].map(|word| endings.map(|ending| hash(&format!("{word}{ending}"))));
    all.concat()
}
