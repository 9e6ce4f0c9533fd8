//! What came of one row in one layout.
//!
//! In: what the model said and what the server shows of it. Out: an [`Answer`], all that the tables and
//! the JSON need. Running a program is the caller's.

use std::collections::HashSet;

use serde::Serialize;
use tandem::engine::Confidence;
use tandem::eval::row::Row;
use tandem::eval::score;

use crate::parse::parses;
use crate::recorder::Asked;
use crate::server::Shown;

/// What came of one row in one layout.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub set: &'static str,
    pub group: String,
    pub row: String,
    pub layout: String,
    pub hidden: String,
    /// What the model was told of other files.
    pub context: String,
    /// What the model said, before any filter.
    pub raw: String,
    pub raw_right: bool,
    /// The server did not ask the model until a person did, so it showed nothing by itself.
    pub silent: bool,
    /// What passes the filters, however sure the model is.
    pub unsure: Option<Shown>,
    pub unsure_right: bool,
    /// What is shown with the default settings; all below is about that.
    pub shown: Option<Shown>,
    pub shown_right: bool,
    pub confidence: Option<Confidence>,
    /// Tokens that were read, evaluated and written.
    pub reused: u32,
    pub evaluated: u32,
    pub generated: usize,
    /// Of those written, the ones shown.
    pub kept: usize,
    /// Where the whole file parses: does it with what is shown?
    pub parses: Option<bool>,
    pub repeats_suffix: bool,
    pub leaked: Option<&'static str>,
    pub broken: bool,
    /// Members that stand nowhere in the tree, where there is one.
    pub nowhere: Option<Vec<String>>,
    /// Where there is a call: is its name right?
    pub raw_name: Option<bool>,
    pub unsure_name: Option<bool>,
    pub shown_name: Option<bool>,
    /// Where there are tests: do they pass, with what is shown, and however sure the model is?
    pub passes: Option<bool>,
    pub unsure_passes: Option<bool>,
}

/// What the server did at a row.
pub struct Seen<'a> {
    pub set: &'static str,
    pub layout: String,
    /// The first request, which any name may answer.
    pub asked: Asked,
    /// All requests for what is shown: an answer can be tried again with names that exist.
    pub made: Vec<Asked>,
    pub silent: bool,
    pub unsure: Option<Shown>,
    pub shown: Option<Shown>,
    /// All names of the row's tree.
    pub names: Option<&'a HashSet<String>>,
    /// The file parses with nothing hidden.
    pub parsed: bool,
}

impl Answer {
    pub fn new(row: &Row, seen: Seen<'_>) -> Answer {
        let Seen { set, layout, asked, made, silent, unsure, shown, names, parsed } = seen;
        let wanted = row.wanted();
        let right = |shown: &Option<Shown>| {
            shown.as_ref().is_some_and(|shown| wanted.is_shown(&shown.text, shown.replaces))
        };
        let raw = asked.text();
        let is_name = |text: &str| {
            let call = row.call.as_ref()?;
            Some(score::identifier(score::first_line(text)) == call.name)
        };
        let is_named = |shown: &Option<Shown>| is_name(shown.as_ref().map_or("", |it| &it.text));
        let (unsure_name, shown_name) = (is_named(&unsure), is_named(&shown));
        let document = row.whole();
        let text = shown.as_ref().map_or("", |shown| shown.text.as_str());
        let follows = shown.as_ref().and_then(|shown| row.after.get(shown.replaces..));
        let follows = follows.unwrap_or_default();
        let shown_right = right(&shown);
        let nowhere = names.map(|names| {
            let mut members = score::members(row.line_before(), text, follows);
            let here: HashSet<&str> = score::identifiers(&document).map(|(_, name)| name).collect();
            members.retain(|name| !names.contains(name) && !here.contains(name.as_str()));
            members
        });
        let with_it = (parsed && shown.is_some()).then(|| with(row, text, follows));
        Answer {
            set,
            group: row.group.clone(),
            row: row.name.clone(),
            layout,
            hidden: row.hidden.clone(),
            context: asked.context.clone(),
            raw_right: wanted.is_generated(&raw),
            silent,
            unsure_right: right(&unsure),
            shown_right,
            confidence: asked.figures.confidence,
            reused: asked.figures.reused,
            evaluated: asked.figures.evaluated,
            generated: made.iter().map(Asked::generated).sum(),
            kept: made.last().map_or(0, |last| score::pieces_shown(&last.pieces, text)),
            parses: with_it.and_then(|file| parses(&row.language, &file)),
            // What is right stands twice because it did.
            repeats_suffix: !shown_right && score::is_suffix_repeated(text, follows),
            leaked: score::leaked(text, &document),
            broken: score::is_broken(text, &document),
            nowhere,
            raw_name: is_name(&raw),
            unsure_name,
            shown_name,
            passes: None,
            unsure_passes: None,
            raw,
            unsure,
            shown,
        }
    }
}

/// The file with what is shown.
pub fn with(row: &Row, text: &str, follows: &str) -> String {
    format!("{}{text}{follows}", row.before)
}
