//! Which definitions of other files are likely to be used next at a place. Pure.
//!
//! In: the index, a place. Out: what to tell, the best first. Each reason to think of a definition
//! adds to its score; a type's members share what there is to say for the type, so one of many is as
//! unlikely as it is. How often a name is called elsewhere says nothing more (tried): what is in
//! common use the model knows, or guesses.
//!
//! The weights were found by changing one at a time while that made the name stand in 350 and in 600
//! bytes more often, for 700 calls in four Rust crates and three Python packages, a name that the model
//! sees anyway counted as a quarter; then rounded, which cost nothing.

mod imported;
mod scoped;

use std::collections::HashMap;

use super::Place;
use super::around::{Around, around};
use super::told::{self, Told};
use super::types::Types;
use super::words::words;
use crate::syntax::outline::{Definition, Kind};
use crate::workspace::{Found, Index};

/// Bytes before the place in which a name counts as near.
const NEAR: usize = 1_600;
/// Bytes before and after the place in which words count as near.
const WORDS: (usize, usize) = (800, 200);
/// A name all of whose words stand near is so many times likelier, and once more.
const ALIKE: f64 = 3.0;
/// Definitions that are looked at more closely: many times what any budget holds.
const MOST: usize = 300;
/// What a definition's length takes: one of so many bytes counts half.
const LENGTH: f64 = 200.0;

/// What is known at a place, and the scores so far.
struct Choice<'a> {
    index: &'a Index,
    place: Place<'a>,
    types: Types<'a>,
    around: &'a Around,
    /// By where a definition is in memory.
    scores: HashMap<*const Definition, (Found<'a>, f64)>,
}

/// What to tell at a place, the best first.
pub fn chosen(index: &Index, place: Place) -> Vec<Told> {
    let around = around(place.text, place.cursor, NEAR);
    let scope = place.language.scope(&around.text, around.at, around.near.clone());
    let types = Types { index, language: place.language.id, scope: &scope };
    let mut choice = Choice { index, place, types, around: &around, scores: HashMap::new() };
    if !choice.receiver() {
        choice.variables();
        choice.own();
        choice.mentioned();
        choice.imported();
        choice.continued();
        choice.called_before();
        choice.written_last();
    }
    choice.named_alike();
    choice.ranked()
}

impl<'a> Choice<'a> {
    fn add(&mut self, found: Found<'a>, weight: f64) {
        let key = std::ptr::from_ref(found.definition);
        self.scores.entry(key).or_insert((found, 0.0)).1 += weight;
    }

    /// A method of one of these types may be called: `on_value`, or on the type itself; `None` for
    /// either.
    fn receive(&mut self, types: &[String], weight: f64, on_value: Option<bool>) {
        for of in types {
            let bases = self.types.with_bases(of);
            let members = bases.iter().flat_map(|base| self.index.members(base)).filter(|found| {
                found.definition.kind == Kind::Method
                    && found.language == self.place.language.id
                    && on_value.is_none_or(|on_value| takes_self(found) == on_value)
            });
            let members: Vec<Found> = members.collect();
            let share = weight / types.len() as f64 / members.len() as f64;
            for found in members {
                self.add(found, share);
            }
        }
    }

    /// What is named like what stands near is likelier.
    fn named_alike(&mut self) {
        let Around { text, at, .. } = self.around;
        let from = text.floor_char_boundary(at.saturating_sub(WORDS.0));
        let to = text.floor_char_boundary((at + WORDS.1).min(text.len()));
        let near = words(&text[from..to]);
        for (found, score) in self.scores.values_mut() {
            let words = words(&found.definition.name);
            let alike = words.iter().filter(|word| near.contains(*word)).count();
            *score *= 1.0 + ALIKE * alike as f64 / words.len().max(1) as f64;
        }
    }

    fn ranked(self) -> Vec<Told> {
        let near = &self.around.text[self.around.near.clone()];
        let elsewhere = |found: &Found| {
            found.language == self.place.language.id && found.path != self.place.path
        };
        let mut scored: Vec<_> = self.scores.values().filter(|(it, _)| elsewhere(it)).collect();
        let by_place = |found: &Found| (found.path.to_owned(), found.definition.signature.clone());
        scored.sort_by(|(a, more), (b, less)| {
            less.total_cmp(more).then_with(|| by_place(a).cmp(&by_place(b)))
        });
        let mut all: HashMap<Told, f64> = HashMap::new();
        for (found, score) in scored.into_iter().take(MOST) {
            let is_told = can_be_used(self.index, found)
                && says_more_than_its_name(found.definition)
                && !near.contains(&found.definition.signature);
            if is_told {
                let told = told::told(found);
                let score = score / (told.text.len() as f64 + LENGTH);
                let known = all.entry(told).or_default();
                *known = known.max(score);
            }
        }
        let mut all: Vec<(Told, f64)> = all.into_iter().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.into_iter().map(|(told, _)| told).collect()
    }
}

/// A type with nothing in it is a name that stands in the document anyway.
fn says_more_than_its_name(definition: &Definition) -> bool {
    let parts = |signature: &str| signature.contains([':', '{', '(', '=']);
    definition.kind != Kind::Type || parts(&definition.signature)
}

/// Is a method called on a value? Only Rust says so in a signature.
pub fn takes_self(found: &Found) -> bool {
    let Definition { name, signature, .. } = found.definition;
    let Some(at) = told::parameters_at(signature, name).filter(|_| found.language == "rust") else {
        return true;
    };
    signature[at..].split([',', ')']).next().unwrap_or_default().contains("self")
}

/// Does it stand in a Rust trait?
pub fn is_of_a_trait(index: &Index, found: &Found) -> bool {
    let is_trait = |container: &str| {
        index.named(container).any(|of| of.definition.signature.contains("trait "))
    };
    found.language == "rust" && told::container(found.definition).is_some_and(is_trait)
}

/// Can another file use it, and would anyone write its name?
fn can_be_used(index: &Index, found: &Found) -> bool {
    let Definition { name, signature, .. } = found.definition;
    match found.language {
        "rust" => {
            signature.starts_with("pub")
                || signature.starts_with("macro_rules!")
                || is_of_a_trait(index, found)
        }
        "python" => !name.starts_with("__") || name == "__init__",
        _ => true,
    }
}
