//! What the local model did, from the journal's records. Pure.
//!
//! In: each record, in the order of writing. Out: counts, by day, language, source and model, and what
//! the same would have cost. Refuses: to count what became of a suggestion whose beginning is not in the
//! journal any more. In memory is some 30 bytes a suggestion.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::names::Names;
use super::percentile::{Latency, latency};
use super::{Assumption, Pricing};
use crate::ask::price::{Money, Usage};
use crate::completer::Source;
use crate::journal::{Event, Record};

/// Groups by name that are told apart; languages are named by clients, and a strange one could name very
/// many.
const MOST_GROUPS: usize = 40;
/// When accepted texts are looked at, milliseconds: as in the journal.
const LOOKS: [u64; 2] = [15_000, 600_000];

/// What became of the suggestions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Suggestions {
    pub all: Group,
    /// Of `all.characters_shown`, estimated.
    pub tokens_shown: u64,
    /// Of `all.characters_inserted`, estimated.
    pub tokens_inserted: u64,
    pub kept: Kept,
    /// In order.
    pub days: Vec<Group>,
    /// The most shown first, and so below.
    pub languages: Vec<Group>,
    pub sources: Vec<Group>,
    pub models: Vec<Group>,
    pub would_have_cost: Option<WouldHaveCost>,
}

/// Some of the suggestions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    pub name: String,
    pub shown: u64,
    /// Taken whole, at once.
    pub accepted: u64,
    /// Taken in part, and no further.
    pub accepted_in_part: u64,
    /// Typed to the end.
    pub typed_along: u64,
    pub turned_down: u64,
    /// What became of it is not in the journal.
    pub unknown: u64,
    pub characters_shown: u64,
    /// By accepting, whole or in part.
    pub characters_inserted: u64,
    /// From the request to the answer.
    pub latency_ms: Option<Latency>,
}

/// What stood of accepted texts, later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub after_15_s: Look,
    pub after_10_min: Look,
    /// The document was closed before.
    pub sooner: Look,
}

/// Accepted texts that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Look {
    pub texts: u64,
    /// Still the same text.
    pub stand: u64,
    pub characters: u64,
    /// Of those that were accepted.
    pub of_characters: u64,
}

/// What the suggestions would have cost from a model that is paid for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WouldHaveCost {
    pub model: String,
    #[serde(rename = "cost_nanodollars")]
    pub cost: Money,
    /// One for each suggestion shown.
    pub requests: u64,
    #[serde(flatten)]
    pub assumption: Assumption,
}

/// One suggestion.
#[derive(Clone, Copy, Debug)]
struct Fact {
    day: u32,
    language: u32,
    source: Source,
    /// 0 for none.
    model: u32,
    latency_ms: f32,
    characters: u32,
    inserted: u32,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Accepted,
    InPart,
    TypedAlong,
    TurnedDown,
}

/// Takes in records.
#[derive(Debug)]
pub struct Collected {
    zone: TimeZone,
    facts: Vec<Fact>,
    /// By run and number.
    known: HashMap<(u32, u64), u32>,
    runs: Names,
    languages: Names,
    models: Names,
    days: Vec<Date>,
    day_numbers: HashMap<Date, u32>,
    kept: Kept,
    /// Records with a time that no clock shows.
    pub undated: usize,
}

impl Collected {
    /// Nothing yet. Days are those of this time zone.
    pub fn new(zone: TimeZone) -> Collected {
        let mut models = Names::default();
        models.number("");
        Collected {
            zone,
            facts: Vec::new(),
            known: HashMap::new(),
            runs: Names::default(),
            languages: Names::default(),
            models,
            days: Vec::new(),
            day_numbers: HashMap::new(),
            kept: Kept::default(),
            undated: 0,
        }
    }

    /// Takes in the next record.
    pub fn add(&mut self, record: Record) {
        let key = (self.runs.number(&record.run), record.suggestion);
        let event = match record.event {
            Event::Shown { characters, source, model, latency_ms, .. } => {
                let Some(day) = self.day(record.time) else {
                    self.undated += 1;
                    return;
                };
                let fact = Fact {
                    day,
                    language: self.languages.number(&record.language),
                    source,
                    model: self.models.number(model.as_deref().unwrap_or_default()),
                    latency_ms: latency_ms.clamp(0.0, 1e9) as f32,
                    characters: clamped(characters),
                    inserted: 0,
                    fate: Fate::Unknown,
                };
                // Shown again: the first counts.
                let next = self.facts.len() as u32;
                if *self.known.entry(key).or_insert(next) == next {
                    self.facts.push(fact);
                }
                return;
            }
            Event::Kept { characters, of, stands, after_ms } => {
                let look = match after_ms {
                    soon if soon < LOOKS[0] => &mut self.kept.sooner,
                    first if first < LOOKS[1] => &mut self.kept.after_15_s,
                    _ => &mut self.kept.after_10_min,
                };
                look.texts += 1;
                look.stand += u64::from(stands);
                look.characters += u64::from(clamped(characters));
                look.of_characters += u64::from(clamped(of));
                return;
            }
            other => other,
        };
        let Some(fact) = self.known.get(&key).and_then(|at| self.facts.get_mut(*at as usize))
        else {
            return;
        };
        let in_part = fact.fate == Fate::InPart;
        let (fate, inserted) = match event {
            Event::Accepted { characters, .. } => (Fate::Accepted, characters),
            Event::AcceptedPart { characters, .. } => (Fate::InPart, characters),
            Event::TypedAlong { .. } if in_part => (Fate::InPart, 0),
            Event::TypedAlong { .. } => (Fate::TypedAlong, 0),
            _ if in_part => (Fate::InPart, 0),
            _ => (Fate::TurnedDown, 0),
        };
        fact.fate = fate;
        fact.inserted = fact.inserted.saturating_add(clamped(inserted));
    }

    /// What they come to.
    pub fn summary(self, assumption: Assumption, pricing: Option<&Pricing>) -> Suggestions {
        let facts = &self.facts;
        let all = self.groups(|_| 0, |_| "all".to_owned()).pop().unwrap_or_default();
        let mut days = self.groups(|fact| fact.day, |day| self.days[day as usize].to_string());
        days.sort_by(|a, b| a.name.cmp(&b.name));
        let by_name = |key: fn(&Fact) -> u32, name: &dyn Fn(u32) -> String| {
            most_shown_first(self.groups(key, name))
        };
        let source = |fact: &Fact| fact.source as u32;
        let tokens = |characters: u64| assumption.tokens(characters);
        let would_have_cost = pricing.filter(|_| !facts.is_empty()).and_then(|pricing| {
            let mut sum = Money(0);
            for fact in facts {
                let output = tokens(u64::from(fact.characters));
                let usage = Usage { input: assumption.prompt_tokens, output, ..Usage::default() };
                let cost = (pricing.cost)(&usage, self.days[fact.day as usize])?;
                sum = Money(sum.0.saturating_add(cost.0));
            }
            let model = pricing.model.to_owned();
            Some(WouldHaveCost { model, cost: sum, requests: facts.len() as u64, assumption })
        });
        Suggestions {
            tokens_shown: tokens(all.characters_shown),
            tokens_inserted: tokens(all.characters_inserted),
            kept: self.kept,
            days,
            languages: by_name(|fact| fact.language, &|number| self.languages.name(number)),
            sources: by_name(source, &|number| source_name(number).to_owned()),
            models: by_name(|fact| fact.model, &|number| match number {
                0 => "not known".to_owned(),
                number => self.models.name(number),
            }),
            would_have_cost,
            all,
        }
    }

    fn groups(&self, key: impl Fn(&Fact) -> u32, name: impl Fn(u32) -> String) -> Vec<Group> {
        let mut groups: HashMap<u32, (Group, Vec<f32>)> = HashMap::new();
        for fact in &self.facts {
            let (group, latencies) = groups.entry(key(fact)).or_default();
            group.shown += 1;
            group.characters_shown += u64::from(fact.characters);
            group.characters_inserted += u64::from(fact.inserted);
            let count = match fact.fate {
                Fate::Unknown => &mut group.unknown,
                Fate::Accepted => &mut group.accepted,
                Fate::InPart => &mut group.accepted_in_part,
                Fate::TypedAlong => &mut group.typed_along,
                Fate::TurnedDown => &mut group.turned_down,
            };
            *count += 1;
            latencies.push(fact.latency_ms);
        }
        let named = |(number, (group, latencies)): (u32, (Group, Vec<f32>))| Group {
            name: name(number),
            latency_ms: latency(latencies),
            ..group
        };
        groups.into_iter().map(named).collect()
    }

    fn day(&mut self, time: u64) -> Option<u32> {
        let time = Timestamp::from_millisecond(i64::try_from(time).ok()?).ok()?;
        let day = time.to_zoned(self.zone.clone()).date();
        let next = self.days.len() as u32;
        let number = *self.day_numbers.entry(day).or_insert(next);
        if number == next {
            self.days.push(day);
        }
        Some(number)
    }
}

/// Where a suggestion came from, for a person.
fn source_name(number: u32) -> &'static str {
    match number {
        n if n == Source::Model as u32 => "model",
        n if n == Source::Cache as u32 => "earlier answer",
        _ => "nothing",
    }
}

fn most_shown_first(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by(|a, b| b.shown.cmp(&a.shown).then_with(|| a.name.cmp(&b.name)));
    if groups.len() > MOST_GROUPS {
        let mut others = Group { name: "others".to_owned(), ..Group::default() };
        for group in groups.drain(MOST_GROUPS..) {
            others.shown += group.shown;
            others.accepted += group.accepted;
            others.accepted_in_part += group.accepted_in_part;
            others.typed_along += group.typed_along;
            others.turned_down += group.turned_down;
            others.unknown += group.unknown;
            others.characters_shown += group.characters_shown;
            others.characters_inserted += group.characters_inserted;
        }
        groups.push(others);
    }
    groups
}

/// No suggestion is as long; a broken line may say so.
fn clamped(characters: usize) -> u32 {
    u32::try_from(characters).unwrap_or(u32::MAX)
}
