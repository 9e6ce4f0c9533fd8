//! From the place of a question to the definitions that it depends on, by what their texts refer to.
//!
//! In: starts, each a range of a file's text with a weight; names that are spoken of. Out: definitions
//! with weights and, for a person, why. The best few are followed into their own bodies, and what those
//! refer to gets a part of their weight: the cause of a failure is often two calls away. Texts are asked
//! for of the few files that are followed, at most [`FOLLOWED`] and those of the starts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::cache::{Cache, PATIENCE};
use super::known::{At, Known};
use super::meant::{Origin, meant};
use super::place::lines;
use crate::syntax::outline::{Definition, Kind};
use crate::syntax::scope::Scope;
use crate::syntax::{self, Language};
use crate::workspace::words::{self, hash};

/// Definitions that are followed into their bodies.
const FOLLOWED: usize = 14;
/// Rounds of that; the first one follows half of them.
const ROUNDS: usize = 3;
/// What a definition gives on to all it refers to.
const ONWARD: f64 = 0.55;
/// How much more a name counts that is on the cursor's line or in the selection.
const FOCUS: f64 = 3.0;
/// How much more one counts that the question or the message speaks of.
const SPOKEN_OF: f64 = 8.0;
/// Languages in which a function parses without what is around it, which saves the time for that.
const STAND_ALONE: [&str; 3] = ["rust", "python", "go"];
/// Names of a piece of text that are looked up.
const MOST_NAMES: usize = 400;

/// A definition that may matter.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    pub weight: f64,
    /// Of the heaviest part of the weight.
    pub why: String,
    part: f64,
}

/// Where to begin.
pub struct Start {
    pub path: String,
    /// Bytes of its text, whole lines.
    pub whole: Range<usize>,
    pub focus: Range<usize>,
    pub weight: f64,
    /// "in your selection".
    pub wherein: String,
}

/// What was found so far.
pub struct Leads<'a> {
    pub known: &'a Known<'a>,
    cache: &'a Cache<'a>,
    /// Names that the question or the message speaks of.
    spoken_of: &'a BTreeSet<String>,
    pub all: BTreeMap<At, Lead>,
}

impl<'a> Leads<'a> {
    pub fn new(
        known: &'a Known<'a>,
        cache: &'a Cache<'a>,
        spoken_of: &'a BTreeSet<String>,
    ) -> Leads<'a> {
        Leads { known, cache, spoken_of, all: BTreeMap::new() }
    }

    pub fn add(&mut self, at: At, weight: f64, why: impl FnOnce() -> String) {
        let lead = self.all.entry(at).or_default();
        lead.weight += weight;
        if weight > lead.part {
            (lead.part, lead.why) = (weight, why());
        }
    }

    /// What a start refers to.
    pub fn start(&mut self, start: &Start) {
        let Some(text) = self.cache.text(&start.path) else { return };
        let text: &str = &text;
        let found =
            self.referred(&start.path, text, start.whole.clone(), start.focus.clone(), None);
        for (at, share) in found {
            let definition = self.known.definition(at);
            self.add(at, start.weight * share, || {
                format!("defines `{}`, {} {}", definition.name, used(definition), start.wherein)
            });
        }
    }

    /// Follows the best into their bodies.
    pub fn follow(&mut self) {
        let mut followed: BTreeSet<At> = BTreeSet::new();
        for round in 0..ROUNDS {
            let most = (FOLLOWED >> (round + 1)).max(1);
            let mut best: Vec<(At, f64)> =
                self.all.iter().map(|(at, it)| (*at, it.weight)).collect();
            best.retain(|(at, _)| {
                !followed.contains(at) && can_be_followed(self.known.definition(*at))
            });
            best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            for (at, weight) in best.into_iter().take(most) {
                followed.insert(at);
                self.follow_one(at, weight);
            }
        }
    }

    fn follow_one(&mut self, from: At, weight: f64) {
        let (file, definition) = (self.known.file(from.0), self.known.definition(from));
        let Some(text) = self.cache.text(&file.path) else { return };
        let places = self.cache.places(&file.path);
        let own = places.iter().find(|it| {
            it.name == definition.name && it.container == definition.container && it.kind.is_some()
        });
        let Some(own) = own else { return };
        let found = match STAND_ALONE.contains(&file.language.unwrap_or_default()) {
            true => {
                let body = &text[own.whole.clone()];
                self.referred(&file.path, body, 0..body.len(), 0..0, own.container.as_deref())
            }
            false => self.referred(&file.path, &text, own.whole.clone(), 0..0, None),
        };
        for (at, share) in found.into_iter().filter(|(at, _)| *at != from) {
            let to = self.known.definition(at);
            self.add(at, ONWARD * weight * share, || {
                format!("defines `{}`, {} in `{}`", to.name, used(to), definition.name)
            });
        }
    }

    /// What a piece of text refers to: shares of 1 at most. `within` is the type around all of the text.
    fn referred(
        &self,
        path: &str,
        text: &str,
        whole: Range<usize>,
        focus: Range<usize>,
        within: Option<&str>,
    ) -> Vec<(At, f64)> {
        let number = self.known.snapshot.number(path).map(|number| number as u32);
        let Some(language) = language(path) else { return Vec::new() };
        let mut scope: Scope =
            language.scope_within(text, whole.end.min(text.len()), whole.clone(), PATIENCE);
        scope.within.extend(within.map(str::to_owned));
        let imports = number.map(|number| &*self.known.file(number).imports).unwrap_or_default();
        let origin = Origin { file: number, path, language: language.id, imports, scope: &scope };
        let focus = lines(text, &focus);
        let focused: BTreeSet<&str> = match focus.len() < whole.len() {
            true => words::names(&text[focus]).collect(),
            false => BTreeSet::new(),
        };
        let (mut sum, mut all) = (0.0, Vec::new());
        for reference in scope.references.iter().take(MOST_NAMES) {
            let name = reference.name.as_str();
            let mut weight = 0.25 + self.known.rarity(hash(name));
            weight *= if focused.contains(name) { FOCUS } else { 1.0 };
            weight *= if self.spoken_of.contains(name) { SPOKEN_OF } else { 1.0 };
            let meant = meant(self.known, &origin, reference);
            if meant.is_empty() {
                continue;
            }
            sum += weight;
            for (at, share) in meant {
                let of_kind = by_kind(self.known.definition(at).kind);
                all.push((at, weight * share * of_kind));
            }
        }
        all.iter_mut().for_each(|(_, weight)| *weight /= f64::max(sum, 1e-9));
        all
    }
}

/// The language of a file that has a grammar.
pub fn language(path: &str) -> Option<&'static Language> {
    syntax::language(&syntax::language_of(path.as_ref()))
}

/// What can be wrong, more than what is only named.
fn by_kind(kind: Kind) -> f64 {
    match kind {
        Kind::Function | Kind::Method | Kind::Macro => 1.0,
        Kind::Type => 0.5,
        Kind::Constant | Kind::Field => 0.3,
        Kind::Module => 0.1,
    }
}

fn can_be_followed(definition: &Definition) -> bool {
    matches!(definition.kind, Kind::Function | Kind::Method)
}

fn used(definition: &Definition) -> &'static str {
    match definition.kind {
        Kind::Function | Kind::Method | Kind::Macro => "called",
        _ => "used",
    }
}
