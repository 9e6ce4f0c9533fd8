//! One completion, from cursor to suggestion: typed-along cache → prompt → engine → suggestion.
//!
//! In: a [`Place`] in a snapshot. Out: a [`Completion`], which may be empty. It knows no protocol.
//! Dropping the future cancels the engine's work. It cannot fail: an engine that does is an empty
//! completion, and the engine's state says why.

mod background;
mod blocks;
mod candidates;
mod generate;
mod memory;
mod names;
mod rhythm;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use ropey::Rope;

use self::blocks::Opened;
use self::generate::{Generated, Wanted};
use self::memory::Memory;
use self::rhythm::Rhythm;
use crate::engine::{Confidence, Engine, Figures};
use crate::figures::Counters;
use crate::prompt::{self, Budget, Prompt};
use crate::suggestion::silence::{self, After, Asking};
use crate::suggestion::{self, Around, Extent, Suggestion};
use crate::workspace::{self, Workspace};
use crate::{context, syntax};

/// Bytes of definitions from other files. Of 80 calls of what another file defines the 0.5B writes the right
/// name in 49 with this much, in 48 with 400 bytes, in 50 with none and in 59 with the right definition
/// given by hand (`cargo bench --bench quality -- --set cross-file --bytes N`): more is no better, and
/// costs time whenever the anchor moves. Of 326 calls later on, in 60.1 % with none, 60.7 with 150 bytes,
/// 68.4 by hand.
pub const CONTEXT: usize = 150;
/// Of 249 answers in spans of HumanEval, those whose least certain token has this probability (percent)
/// are right in 66.7 % instead of 55.8 of cases, and 89 % of the right ones are among them (0.5B; `cargo
/// bench --bench quality -- --set RandomSpan --rows 250 --layouts anchored --confidence`). The least
/// certain token tells right from wrong better than the first or the mean. That the text ends where the
/// answer begins was tried as a sign of doubt and says nothing: in 163 of 163 such answers the model held
/// it less likely than 20 %.
const CONFIDENCE: u32 = 50;
/// Suggestions when a person asks.
const CANDIDATES: usize = 3;
/// How long a block is waited for. What comes within 300 to 400 ms of a key still belongs to it.
const BLOCK_WAIT: Duration = Duration::from_millis(350);

/// Where a completion is wanted.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// Names the document; what is remembered is remembered under it.
    pub document: &'a str,
    /// The document's name in the workspace; empty for one that is in none.
    pub path: &'a str,
    /// As in `textDocument.languageId`.
    pub language: &'a str,
    /// The text at the time of the request.
    pub text: &'a Rope,
    /// Bytes into the text.
    pub cursor: usize,
    /// The person asked, rather than just typed.
    pub invoked: bool,
}

/// How to complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// How much the model sees.
    pub budget: Budget,
    /// Bytes of definitions from other files that it sees besides; 0 for none.
    pub context: usize,
    /// Tokens generated at most for the rest of a line.
    pub line_tokens: u32,
    /// Tokens generated at most for a block; 0 for never more than a line.
    pub block_tokens: u32,
    /// Percent: an answer with a token that the model held less likely than this is not shown unasked.
    /// 0 shows all.
    pub confidence: u32,
    /// Different suggestions at most when a person asks; unasked there is one.
    pub candidates: usize,
    /// Suggest in strings and comments without being asked.
    pub in_strings_and_comments: bool,
    /// Answer from earlier suggestions while one types along.
    pub reuse: bool,
    /// Work ahead while nobody waits: warm documents, decode what follows a suggestion.
    pub ahead: bool,
    /// Answer from a short prompt first where the whole one would take long.
    pub quick: bool,
    /// A block that takes longer is shown as far as it is, if that is a line; the rest is decoded
    /// ahead and there when it is wanted.
    pub block_wait: Duration,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            budget: Budget::default(),
            context: CONTEXT,
            line_tokens: 48,
            block_tokens: 128,
            confidence: CONFIDENCE,
            candidates: CANDIDATES,
            in_strings_and_comments: false,
            reuse: true,
            ahead: true,
            quick: true,
            block_wait: BLOCK_WAIT,
        }
    }
}

impl Style {
    fn is_doubtful(self, confidence: Option<Confidence>) -> bool {
        is_below(confidence, self.confidence)
    }
}

/// Percent. Nothing chosen anew is nothing to doubt: it was shown before.
fn is_below(confidence: Option<Confidence>, percent: u32) -> bool {
    confidence.is_some_and(|c| c.least.exp() * 100.0 < percent as f32)
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// There was nothing to ask: the place wants no suggestion.
    #[default]
    Nothing,
    /// An earlier suggestion that was typed along.
    Cache,
    /// The model.
    Model,
}

/// What came of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The text, if there is any worth showing.
    pub suggestion: Option<Suggestion>,
    /// Different ones, when a person asked.
    pub others: Vec<Suggestion>,
    /// Where it came from.
    pub source: Source,
    /// What the model did for it.
    pub figures: Figures,
}

/// What a request came to, without what it cost.
#[derive(Default)]
struct Answered {
    suggestion: Option<Suggestion>,
    others: Vec<Suggestion>,
    source: Source,
}

/// Completes in all open documents.
pub struct Completer {
    engine: Arc<dyn Engine>,
    workspace: Arc<Workspace>,
    documents: Arc<DashMap<String, Memory>>,
    counters: Arc<Mutex<Counters>>,
    rhythm: Mutex<Rhythm>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Completer {
    /// A completer on an engine, which knows nothing of other files.
    pub fn new(engine: Arc<dyn Engine>) -> Completer {
        Completer::within(engine, Arc::default())
    }

    /// A completer on an engine that knows what a workspace defines.
    pub fn within(engine: Arc<dyn Engine>, workspace: Arc<Workspace>) -> Completer {
        Completer {
            engine,
            workspace,
            documents: Arc::default(),
            counters: Arc::default(),
            rhythm: Mutex::default(),
        }
    }

    /// The engine it asks.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// What happened so far.
    pub fn counters(&self) -> MutexGuard<'_, Counters> {
        lock(&self.counters)
    }

    /// Forgets a document, and what goes on for it.
    pub fn forget(&self, document: &str) {
        self.documents.remove(document);
    }

    /// What was accepted, up to this byte; `None` when something else has changed since.
    pub fn accepted(&self, document: &str, after: Option<(usize, After)>) {
        if let Some(mut memory) = self.documents.get_mut(document) {
            memory.after = after;
        }
    }

    /// The completion at a place.
    pub async fn complete(&self, place: Place<'_>, style: Style) -> Completion {
        let started = Instant::now();
        lock(&self.rhythm).key(started);
        let mut run = Run { completer: self, figures: Figures::default(), finished: false };
        let Answered { suggestion, others, source } =
            self.answer(&place, style, &mut run.figures).await;
        run.finished = true;
        if source == Source::Model {
            lock(&self.rhythm).answered(started.elapsed());
        }
        let completion = Completion { suggestion, others, source, figures: run.figures };
        self.counters().note(&completion, started.elapsed());
        completion
    }

    async fn answer(&self, place: &Place<'_>, style: Style, figures: &mut Figures) -> Answered {
        let (prompt, rest_of_line, after) = {
            let mut memory = self.documents.entry(place.document.to_owned()).or_default();
            let context = |at| self.context(place, at, style);
            let prompt = memory.prompt(place.text, place.cursor, style.budget, &context);
            let after = memory.after.clone().filter(|(at, _)| *at == place.cursor);
            (prompt, rest_of_line(place.text, place.cursor), after.map(|(_, after)| after))
        };
        let before = format!("{}{}", prompt.prefix, prompt.middle);
        // Of the text, not the prompt, whose suffix may leave out a line that closes a bracket.
        let below = lines_below(place.text, place.cursor, style.budget.suffix);
        let around = Around {
            before: &before,
            rest_of_line: &rest_of_line,
            below: &below,
            language: place.language,
        };
        let asking = Asking {
            invoked: place.invoked,
            in_strings_and_comments: style.in_strings_and_comments,
            after: after.as_ref(),
        };
        if silence::why(around, asking).is_some() {
            return Answered::default();
        }
        if let Some(After::Part(rest)) = after.filter(|_| style.reuse && !place.invoked) {
            // What was shown before; the filters have seen the whole.
            if style.ahead {
                self.go_ahead(place.document, &prompt, &rest.text, None, style);
            }
            let suggestion = Some(rest);
            return Answered { suggestion, source: Source::Cache, ..Answered::default() };
        }

        let extent = match Extent::wanted(around) {
            Extent::Block if style.block_tokens > 0 => Extent::Block,
            _ => Extent::Line,
        };
        let several = place.invoked && style.candidates > 1;
        let forks = if several { candidates::FORKS } else { 0 };
        let wanted =
            Wanted { prompt: &prompt, extent, around, style, begun: "", forks, names: &[] };
        let known = if style.reuse { self.known(place, &prompt, extent, around) } else { None };
        let mut forks = None;
        let (text, source, doubtful) = match known {
            Some((text, doubtful)) => (text, Source::Cache, doubtful),
            None => {
                // What was decoded ahead of another suggestion is of no use any more.
                if let Some(mut memory) = self.documents.get_mut(place.document) {
                    memory.ahead = None;
                }
                if !place.invoked {
                    let at_line_start = around.line_before().trim().is_empty();
                    let patience = lock(&self.rhythm).patience(at_line_start);
                    if !patience.is_zero() {
                        tokio::time::sleep(patience).await;
                    }
                }
                let made = self.generate_known(place, wanted, figures).await;
                let Some((Generated { text, whole, forks: found }, doubtful)) = made else {
                    return Answered { source: Source::Model, ..Answered::default() };
                };
                self.remember(place.document, &prompt, text.clone(), whole, doubtful);
                forks = Some(found);
                (text, Source::Model, doubtful)
            }
        };
        let shown = place.invoked || !doubtful;
        let mut suggestion = suggestion::shape(&text, around).filter(|_| shown);
        let mut opened = None;
        if let Some(line) = &suggestion
            && style.block_tokens > 0
        {
            opened = Opened::by(&line.text, around);
            if let Some(opened) = &opened {
                let invoked = place.invoked;
                let whole =
                    self.with_block(place.document, wanted, line, opened, invoked, figures).await;
                suggestion = whole.or(suggestion);
            }
        }
        let others = match (&suggestion, several) {
            (Some(first), true) => {
                let main = forks.map(|forks| (text, forks));
                self.others(place.document, wanted, first, main, figures).await
            }
            _ => Vec::new(),
        };
        if style.ahead {
            if figures.quick {
                self.warm(place.document, prompt.clone(), None);
            } else {
                self.re_anchor(place, &prompt, style);
            }
            if let Some(suggestion) = &suggestion {
                let opened = opened.filter(|_| !suggestion.text.contains('\n'));
                self.go_ahead(place.document, &prompt, &suggestion.text, opened, style);
            }
        }
        Answered { suggestion, others, source }
    }

    /// What to know of other files at an anchor: comment lines.
    fn context(&self, place: &Place<'_>, anchor: usize, style: Style) -> String {
        let Some(language) = syntax::language(place.language).filter(|_| style.context > 0) else {
            return String::new();
        };
        let index = self.workspace.index();
        if index.files() == 0 || place.text.len_bytes() as u64 > workspace::MAX_FILE {
            return String::new();
        }
        let text = place.text.to_string();
        let indent: String =
            text[anchor..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let at = context::Place { language, text: &text, cursor: place.cursor, path: place.path };
        context::comment(&index, at, style.context, &indent)
    }

    /// What earlier answers say about a place, when that is enough, and whether it is doubtful.
    fn known(
        &self,
        place: &Place<'_>,
        prompt: &Prompt,
        extent: Extent,
        around: Around<'_>,
    ) -> Option<(String, bool)> {
        let memory = self.documents.get(place.document)?;
        memory.known(prompt).find_map(|known| Some((known.enough(extent, around)?, known.doubtful)))
    }

    fn remember(&self, document: &str, prompt: &Prompt, text: String, whole: bool, doubtful: bool) {
        // A document that was closed meanwhile stays forgotten.
        if let Some(mut memory) = self.documents.get_mut(document) {
            memory.remember(prompt, text, whole, doubtful);
        }
    }
}

/// A completion under way; dropped before its end it still counts, with what it cost so far.
struct Run<'a> {
    completer: &'a Completer,
    figures: Figures,
    finished: bool,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.completer.counters().note_cancelled(self.figures);
            lock(&self.completer.rhythm).dropped();
        }
    }
}

/// Up to `limit` bytes of the lines below the cursor's.
fn lines_below(text: &Rope, cursor: usize, limit: usize) -> String {
    let line = text.byte_to_line(cursor.min(text.len_bytes()));
    let from = text.line_to_byte((line + 1).min(text.len_lines()));
    let to = text.char_to_byte(text.byte_to_char((from + limit).min(text.len_bytes())));
    prompt::plain(text, from, to)
}

fn rest_of_line(text: &Rope, cursor: usize) -> String {
    let rest = text.byte_slice(cursor.min(text.len_bytes())..);
    rest.chars().take_while(|c| *c != '\n' && *c != '\r').collect()
}
