//! Which files a question needs, the best first.
//!
//! In: the question and its place, what is known, texts. Out: files with scores, reasons, and the
//! definitions in them that matter. Three things are added up, each as a part of its own largest: what
//! the place refers to, two calls deep ([`leads`](super::leads)); what hangs together with that
//! ([`graph`](super::graph)); what is spoken of ([`lexical`](super::lexical)). Ties go by path.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Inquiry;
use super::cache::Cache;
use super::known::{At, Known, is_test};
use super::leads::{Leads, Start};
use super::lexical::hits;
use super::place::{Around, around, line};
use super::said::{parts, said};
use super::signs::{
    Files, Pointed, add_alike, add_callers, add_graph, add_hits, add_leads, pointed,
};
use crate::syntax::outline::Definition;
use crate::workspace::words::hash;

/// What each counts.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    pub leads: f64,
    pub graph: f64,
    pub question: f64,
    pub message: f64,
    /// A test's file, and the file with its name.
    pub named_alike: f64,
    /// A file that the diagnostic or a stack trace points to.
    pub pointed: f64,
    pub recent: f64,
    /// A file that uses what the question is about.
    pub caller: f64,
    /// Files of tests and examples: what is wrong is rarely there.
    pub tests: f64,
}

/// Set by hand while looking at hyper, toml_edit, rich and releases of tokio, serde_json, pytest and
/// werkzeug, not fitted; the figures in [`super`] are of others.
pub const WEIGHTS: Weights = Weights {
    leads: 1.0,
    graph: 0.5,
    question: 0.6,
    message: 0.5,
    named_alike: 0.5,
    pointed: 0.8,
    recent: 0.1,
    caller: 0.1,
    tests: 0.4,
};

/// A definition that the question or the message names.
const NAMED: f64 = 0.7;

/// A file that may be needed.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    pub path: String,
    pub score: f64,
    /// The heaviest first.
    pub whys: Vec<(f64, String)>,
    /// Definitions that matter, the heaviest first: name and container.
    pub leads: Vec<(String, Option<String>)>,
    /// Lines that something points to.
    pub pointed: Vec<u32>,
    /// What the workspace knows that it defines.
    pub definitions: Arc<[Definition]>,
}

impl Ranked {
    pub fn add(&mut self, weight: f64, why: &str) {
        self.score += weight;
        if !why.is_empty() && !self.whys.iter().any(|(_, known)| known == why) {
            self.whys.push((weight, why.to_owned()));
        }
    }
}

/// The files, without the one that the question is asked in, and what leads lead into that one.
pub struct Ranking {
    pub files: Vec<Ranked>,
    pub own: Vec<(String, Option<String>)>,
}

/// Ranks the files of a workspace.
pub fn ranking(inquiry: &Inquiry, known: &Known, cache: &Cache, weights: &Weights) -> Ranking {
    let asked = said(&inquiry.question);
    let mut message = inquiry.diagnostic.as_ref().map(|it| said(&it.message)).unwrap_or_default();
    let place = place(inquiry, cache);
    if let Some(own) = place.as_ref().and_then(|it| it.name.as_ref()) {
        // A trace ends where one asks; that others have a function of that name says nothing.
        message.names.retain(|name| name != own);
        let parts: Vec<String> = parts(own).collect();
        message.words.retain(|(word, _)| !parts.contains(word));
    }
    let spoken: BTreeSet<String> = asked.names.iter().chain(&message.names).cloned().collect();
    let mut starts: Vec<Start> = Vec::new();
    let mut files = Files::new();
    if let (Some(path), Some(around)) = (&inquiry.path, &place) {
        let wherein = match inquiry.range.len() {
            0 => "around your cursor".to_owned(),
            _ => "around your selection".to_owned(),
        };
        let Around { whole, focus, .. } = around.clone();
        starts.push(Start { path: path.clone(), whole, focus, weight: 1.0, wherein });
    }
    for pointed in pointed(inquiry, known, &asked, &message) {
        let Pointed { file, line, weight, why } = pointed;
        let path = known.file(file).path.to_string();
        if let Some(line) = line {
            files.entry(file).or_default().pointed.push(line);
            starts.extend(start_at(cache, &path, line, weight));
        }
        files.entry(file).or_default().add(weights.pointed * weight, why);
    }
    let mut leads = Leads::new(known, cache, &spoken);
    starts.iter().for_each(|start| leads.start(start));
    for (names, why) in
        [(&asked.names, "named in the question"), (&message.names, "named in the message")]
    {
        for name in names {
            let all: Vec<At> = known.named(name).collect();
            let share = NAMED * known.rarity(hash(name)) / (all.len().max(1) as f64);
            all.into_iter().for_each(|at| {
                leads.add(at, share / names.len() as f64, || format!("defines `{name}`, {why}"))
            });
        }
    }
    leads.follow();
    let own =
        inquiry.path.as_deref().and_then(|path| known.snapshot.number(path)).map(|it| it as u32);
    add_leads(&mut files, &leads, own, weights);
    add_hits(&mut files, hits(known, &asked), weights.question, "the question");
    add_hits(&mut files, hits(known, &message), weights.message, "the message");
    if let Some(name) = place.as_ref().and_then(|it| it.name.as_deref()) {
        add_callers(&mut files, known, name, own, weights);
    }
    if let Some(path) = &inquiry.path {
        add_alike(&mut files, known, path, place.as_ref(), weights);
    }
    for path in &inquiry.recent {
        if let Some(number) = known.snapshot.number(path) {
            files.entry(number as u32).or_default().add(weights.recent, "changed recently");
        }
    }
    add_graph(&mut files, known, own, weights);
    sorted(files, &leads, own, inquiry, weights)
}

fn sorted(
    files: Files,
    leads: &Leads,
    own: Option<u32>,
    inquiry: &Inquiry,
    weights: &Weights,
) -> Ranking {
    let known = leads.known;
    let mut ranked: Vec<Ranked> = Vec::new();
    let mut own_leads = Vec::new();
    for (number, mut file) in files {
        file.path = known.file(number).path.to_string();
        file.definitions = known.file(number).definitions.clone();
        let mut best: Vec<(At, f64)> = leads
            .all
            .range((number, 0)..(number + 1, 0))
            .map(|(at, it)| (*at, it.weight))
            .collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        file.leads = best
            .iter()
            .map(|(at, _)| {
                let definition = known.definition(*at);
                (definition.name.clone(), definition.container.clone())
            })
            .collect();
        if own == Some(number) {
            own_leads = file.leads;
            continue;
        }
        if is_test(&file.path) {
            file.score *= weights.tests;
        }
        file.whys.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        if file.score > 0.0 && inquiry.path.as_deref() != Some(file.path.as_str()) {
            ranked.push(file);
        }
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    Ranking { files: ranked, own: own_leads }
}

fn place(inquiry: &Inquiry, cache: &Cache) -> Option<Around> {
    let path = inquiry.path.as_deref()?;
    Some(around(&cache.places(path), &cache.text(path)?, &inquiry.range))
}

fn start_at(cache: &Cache, path: &str, number: u32, weight: f64) -> Option<Start> {
    let text = cache.text(path)?;
    let Around { whole, focus, .. } = around(&cache.places(path), &text, &line(&text, number));
    let wherein = "where the message points".to_owned();
    Some(Start { path: path.to_owned(), whole, focus, weight, wherein })
}
