//! As much of the ranked files as the budget holds: the best as text, the next as signatures, more as
//! names.
//!
//! In: the place, the ranking, texts, a budget in tokens. Out: a [`Bundle`]. Refuses: one token more than
//! the budget, more than a share of it for any one file, bodies of what a program wrote, files whose text
//! must not be read.

use std::ops::Range;

use super::cache::Cache;
use super::parts::{fitting, is_generated, shown};
use super::place::{Around, around, grown, line, with_above};
use super::rank::{Ranked, Ranking};
use super::{Bundle, Inquiry, Item, Level};
use crate::ask::tokens::estimate;
use crate::syntax::outline::Kind;
use crate::syntax::outline::places::Placed;

/// Of the budget: for the file that is asked about; for the function around the place, which may take
/// more.
const OWN: (f64, f64) = (0.3, 0.7);
/// Of the budget, for all bodies; with all signatures; the rest is for names.
const BODIES: f64 = 0.82;
const SIGNATURES: f64 = 0.96;
/// Of the budget, for the body of one file: the first ones, the others; for the signatures of one.
const ONE: (f64, f64, f64) = (0.15, 0.07, 0.025);
/// Files that count as the first ones; files that are sent as bodies, as signatures, as names, each
/// with those before.
const FIRST: usize = 4;
const MOST: (usize, usize, usize) = (14, 40, 80);
/// A file this small is sent whole, of the budget.
const WHOLE: f64 = 0.06;
/// Files that are told of as left out.
const LEFT_OUT: usize = 20;
/// What a file's name and the words around it take besides, tokens.
const HEADING: u64 = 6;
/// Reasons that are told of one file.
const REASONS: usize = 2;
/// A file with less of the best one's score is not worth its place.
const LEAST: f64 = 0.01;

/// Packs.
pub fn packed(inquiry: &Inquiry, ranking: &Ranking, cache: &Cache, budget: u64) -> Bundle {
    let mut bundle = Bundle::default();
    let part = |share: f64| (budget as f64 * share) as u64;
    let mut used = 0;
    if let Some(item) = own(inquiry, ranking, cache, budget) {
        used += cost(&item);
        bundle.items.push(item);
    }
    let best = ranking.files.first().map_or(0.0, |file| file.score);
    for (rank, file) in ranking.files.iter().enumerate() {
        if file.score < LEAST * best || bundle.left_out.len() == LEFT_OUT {
            break;
        }
        if rank >= MOST.2 {
            bundle.left_out.push((file.path.clone(), why(file)));
            continue;
        }
        let Some(text) = cache.text(&file.path) else { continue };
        let one = if rank < FIRST { part(ONE.0) } else { part(ONE.1) };
        let room = |of: f64, one: u64| part(of).saturating_sub(used).min(one);
        let mut item = None;
        if rank < MOST.0 && !is_generated(&text) {
            item = body(file, &text, cache, room(BODIES, one), part(WHOLE));
        }
        if item.is_none() && rank < MOST.1 {
            item = signatures(file, room(SIGNATURES, part(ONE.2)));
        }
        let item = item.or_else(|| {
            let item = name_only(&file.path, why(file));
            (cost(&item) <= budget.saturating_sub(used)).then_some(item)
        });
        match item {
            Some(item) => {
                used += cost(&item);
                bundle.items.push(item);
            }
            None => bundle.left_out.push((file.path.clone(), why(file))),
        }
    }
    bundle
}

/// Tokens of an item with its name.
pub fn cost(item: &Item) -> u64 {
    match item.level {
        Level::Path => item.tokens + HEADING,
        _ => item.tokens + estimate(&item.path) + HEADING,
    }
}

fn why(file: &Ranked) -> String {
    let whys: Vec<&str> = file.whys.iter().take(REASONS).map(|(_, why)| why.as_str()).collect();
    whys.join("; ")
}

fn item(path: &str, level: Level, parts: Vec<Range<usize>>, text: String, why: String) -> Item {
    let tokens = estimate(&text);
    Item { path: path.to_owned(), level, parts, text, why, tokens }
}

fn name_only(path: &str, why: String) -> Item {
    item(path, Level::Path, Vec::new(), path.to_owned(), why)
}

/// Bytes that hold no more than so many tokens with the heading.
fn bytes(path: &str, tokens: u64) -> usize {
    // What `estimate` says of one byte more is one token more at most.
    let tokens = tokens.saturating_sub(estimate(path) + HEADING);
    (tokens * 3) as usize
}

/// The file that is asked about: what is around the place, and as much else as there is room for.
fn own(inquiry: &Inquiry, ranking: &Ranking, cache: &Cache, budget: u64) -> Option<Item> {
    let path = inquiry.path.as_deref()?;
    let text = cache.text(path)?;
    let why = if inquiry.diagnostic.is_some() { "the diagnostic is here" } else { "you ask here" };
    let Around { focus, whole, .. } = around(&cache.places(path), &text, &inquiry.range);
    let share = |share: f64| bytes(path, (budget as f64 * share) as u64);
    let first = fitting(&text, std::slice::from_ref(&whole), Some(focus.start), share(OWN.1));
    let places = cache.places(path);
    let mut ranges = first;
    if text.len() <= share(OWN.0) && !is_generated(&text) {
        ranges.push(0..text.len());
    }
    ranges.extend(of_leads(&text, &places, &ranking.own));
    ranges.push(grown(&text, &whole, 10));
    ranges.extend(heads(&text, &places));
    let room = share(OWN.0).max(ranges.iter().take(1).map(Range::len).sum::<usize>() + 64);
    let mut parts = fitting(&text, &ranges, Some(focus.start), room.min(share(OWN.1)));
    if parts.is_empty() {
        parts = fitting(&text, &[focus], None, share(1.0));
    }
    let item = match parts.is_empty() {
        true => name_only(path, why.to_owned()),
        false => {
            let shown = shown(&text, &parts);
            item(path, Level::Body, parts, shown, why.to_owned())
        }
    };
    (cost(&item) <= budget).then_some(item)
}

/// Of a file what matters, as text.
fn body(file: &Ranked, text: &str, cache: &Cache, room: u64, small: u64) -> Option<Item> {
    let most = bytes(&file.path, room);
    let places = cache.places(&file.path);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    if estimate(text) <= small {
        ranges.push(0..text.len());
    }
    for number in &file.pointed {
        let around = around(&places, text, &line(text, *number));
        ranges.push(around.whole);
    }
    ranges.extend(of_leads(text, &places, &file.leads));
    ranges.extend(heads(text, &places));
    let parts = fitting(text, &ranges, None, most);
    // A few lines of a file that has more say less than its signatures.
    if parts.is_empty() || parts.iter().map(Range::len).sum::<usize>() < text.len().min(600) {
        return None;
    }
    let shown = shown(text, &parts);
    Some(item(&file.path, Level::Body, parts, shown, why(file)))
}

/// Where these definitions stand, with the comments above.
fn of_leads(
    text: &str,
    places: &[Placed],
    leads: &[(String, Option<String>)],
) -> Vec<Range<usize>> {
    let stands = |(name, container): &(String, Option<String>)| {
        let found = places.iter().filter(|it| it.kind.is_some() && it.name == *name);
        let mut found: Vec<&Placed> = found.collect();
        found.sort_by_key(|it| it.container != *container);
        found.first().map(|it| with_above(text, it.whole.start)..it.whole.end)
    };
    leads.iter().take(24).filter_map(stands).collect()
}

/// The first lines of what is defined, up to its body.
fn heads(text: &str, places: &[Placed]) -> Vec<Range<usize>> {
    let shown = places.iter().filter(|it| !matches!(it.kind, Some(Kind::Field)));
    let head = |it: &Placed| {
        let start = it.whole.start;
        let end = it.body.as_ref().map_or(it.whole.end, |body| body.start).max(start);
        // What is on the body's first line belongs to it, where that is the head's last.
        start..text[start..end].trim_end().len() + start
    };
    shown.map(head).collect()
}

/// What a file defines, a line each.
fn signatures(file: &Ranked, room: u64) -> Option<Item> {
    let most = bytes(&file.path, room);
    let mut shown = String::new();
    for definition in file.definitions.iter() {
        if definition.kind == Kind::Field {
            continue;
        }
        let signature = &definition.signature;
        let line = match definition.container.as_deref().filter(|it| !it.is_empty()) {
            Some(container) => format!("{container}: {signature}\n"),
            None => format!("{signature}\n"),
        };
        if shown.len() + line.len() + "⋮\n".len() > most {
            shown.push_str("⋮\n");
            break;
        }
        shown.push_str(&line);
    }
    let says_something = shown.len() > "⋮\n".len() && shown.len() <= most;
    says_something.then(|| item(&file.path, Level::Signatures, Vec::new(), shown, why(file)))
}
