//! One completion, from cursor to suggestion: typed-along cache → prompt → engine → suggestion.
//!
//! In: a [`Place`] in a snapshot. Out: a [`Completion`], which may be empty. It knows no protocol.
//! Dropping the future cancels the engine's work. It cannot fail: an engine that does is an empty
//! completion, and the engine's state says why.

mod background;
mod memory;
mod rhythm;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use ropey::Rope;

use self::memory::Memory;
use self::rhythm::Rhythm;
use crate::engine::{Confidence, Engine, Event, Figures, Request, Stop};
use crate::figures::Counters;
use crate::prompt::{self, Budget, Prompt};
use crate::suggestion::{self, Around, Extent, Suggestion, silence};
use crate::workspace::{self, Workspace};
use crate::{context, syntax};

/// Bytes of definitions from other files.
pub const CONTEXT: usize = 400;
/// Of 249 answers in spans of HumanEval, those whose least certain token has this probability (percent)
/// are right in 66.7 % instead of 55.8 of cases, and 89 % of the right ones are among them (0.5B; `cargo
/// bench --bench exact_match -- --set RandomSpan --rows 250 --only-anchored --confidence`). The least
/// certain token tells right from wrong better than the first or the mean.
const CONFIDENCE: u32 = 50;
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
        // Nothing chosen anew: it was shown before.
        confidence.is_some_and(|c| c.least.exp() * 100.0 < self.confidence as f32)
    }
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
    /// Where it came from.
    pub source: Source,
    /// What the model did for it.
    pub figures: Figures,
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

    /// The completion at a place.
    pub async fn complete(&self, place: Place<'_>, style: Style) -> Completion {
        let started = Instant::now();
        lock(&self.rhythm).key(started);
        let mut run = Run { completer: self, figures: Figures::default(), finished: false };
        let (suggestion, source) = self.answer(&place, style, &mut run.figures).await;
        run.finished = true;
        if source == Source::Model {
            lock(&self.rhythm).answered(started.elapsed());
        }
        let completion = Completion { suggestion, source, figures: run.figures };
        self.counters().note(&completion, started.elapsed());
        completion
    }

    async fn answer(
        &self,
        place: &Place<'_>,
        style: Style,
        figures: &mut Figures,
    ) -> (Option<Suggestion>, Source) {
        let (prompt, rest_of_line) = {
            let mut memory = self.documents.entry(place.document.to_owned()).or_default();
            let context = |at| self.context(place, at, style);
            let prompt = memory.prompt(place.text, place.cursor, style.budget, &context);
            (prompt, rest_of_line(place.text, place.cursor))
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
        let anywhere = style.in_strings_and_comments;
        if silence::why(around, false, anywhere, place.invoked).is_some() {
            return (None, Source::Nothing);
        }

        let extent = match Extent::wanted(around) {
            Extent::Block if style.block_tokens > 0 => Extent::Block,
            _ => Extent::Line,
        };
        let known = if style.reuse { self.known(place, &prompt, extent, around) } else { None };
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
                let made = self.generate(&prompt, extent, around, style, figures).await;
                let Some((text, whole)) = made else { return (None, Source::Model) };
                let doubtful = style.is_doubtful(figures.confidence);
                self.remember(place.document, &prompt, text.clone(), whole, doubtful);
                (text, Source::Model, doubtful)
            }
        };
        let wanted = place.invoked || !doubtful;
        let suggestion = suggestion::shape(&text, around).filter(|_| wanted);
        if style.ahead {
            if figures.quick {
                self.warm(place.document, prompt.clone(), None);
            } else {
                self.re_anchor(place, &prompt, style);
            }
            if let Some(suggestion) = &suggestion {
                self.go_ahead(place.document, &prompt, &suggestion.text);
            }
        }
        (suggestion, source)
    }

    /// Asks the engine and reads along until there is enough, or a block has been waited for long
    /// enough: the text, and whether it is all that is wanted. `None` when the engine fails.
    async fn generate(
        &self,
        prompt: &Prompt,
        extent: Extent,
        around: Around<'_>,
        style: Style,
        figures: &mut Figures,
    ) -> Option<(String, bool)> {
        let deadline = tokio::time::Instant::now() + style.block_wait;
        let mut late = false;
        let (max_tokens, stop) = match extent {
            Extent::Line => (style.line_tokens, Stop::Line),
            Extent::Block => (style.block_tokens, Stop::Never),
        };
        let quick = style.quick;
        let request = Request { quick, ..Request::new(prompt.clone(), max_tokens, stop) };
        let mut answer = self.engine.complete(request);
        let mut text = String::new();
        loop {
            let event = if extent == Extent::Block && !late {
                tokio::select! {
                    biased;
                    event = answer.next() => event,
                    () = tokio::time::sleep_until(deadline) => {
                        late = true;
                        if let Some(lines) = shown_early(&text) {
                            return Some((lines, false));
                        }
                        continue;
                    }
                }
            } else {
                answer.next().await
            };
            match event? {
                Event::Begun(so_far) => *figures = so_far,
                Event::Forks(_) => {}
                Event::Text(piece) => {
                    let line_ended = piece.contains('\n');
                    text.push_str(&piece);
                    figures.generated += 1;
                    // The engine stops a line by itself and then says what it cost.
                    if extent == Extent::Block
                        && line_ended
                        && let Some(end) = extent.reached(around, &text)
                    {
                        text.truncate(end);
                        return Some((text, true));
                    }
                    if late
                        && line_ended
                        && let Some(lines) = shown_early(&text)
                    {
                        return Some((lines, false));
                    }
                }
                Event::Done(all) => {
                    *figures = all;
                    let at_limit = all.generated + 1 >= max_tokens;
                    text.truncate(extent.cut(around, &text, at_limit));
                    return Some((text, true));
                }
                Event::Failed(message) => {
                    tracing::debug!("no completion: {message}");
                    return None;
                }
            }
        }
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

/// The lines of a block so far, when there is one worth showing.
fn shown_early(text: &str) -> Option<String> {
    let lines = &text[..=text.rfind('\n')?];
    (!lines.trim().is_empty()).then(|| lines.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::{Scripted, Step};

    struct Editor {
        engine: Arc<Scripted>,
        completer: Completer,
    }

    fn editor(engine: Arc<Scripted>) -> Editor {
        Editor { completer: Completer::new(engine.clone()), engine }
    }

    impl Editor {
        /// The suggestion at `$0`, or "nothing", and whether the model ran for it.
        async fn shows(&self, fixture: &str) -> (String, Source) {
            let cursor = fixture.find("$0").expect("a cursor");
            let text = Rope::from_str(&fixture.replace("$0", ""));
            let place = Place {
                document: "a",
                path: "",
                language: "rust",
                text: &text,
                cursor,
                invoked: false,
            };
            let completion = self.completer.complete(place, Style::default()).await;
            let text = completion.suggestion.map_or("nothing".to_owned(), |s| s.text);
            (text, completion.source)
        }
    }

    #[tokio::test]
    async fn typing_along_a_suggestion_runs_no_model() {
        let editor = editor(Scripted::saying(" = compute(a);\n"));
        assert_eq!(editor.shows("let x$0\n").await, (" = compute(a);".into(), Source::Model));
        assert_eq!(editor.shows("let x = co$0\n").await, ("mpute(a);".into(), Source::Cache));
        assert_eq!(editor.shows("let x = $0\n").await, ("compute(a);".into(), Source::Cache));
        assert_eq!(editor.engine.seen().requests.len(), 1);
    }

    #[tokio::test]
    async fn a_bracket_that_the_editor_closes_is_typed_along_too() {
        let editor = editor(Scripted::saying(" = compute(a);\n"));
        editor.shows("let x$0\n").await;
        let (text, source) = editor.shows("let x = compute($0)\n").await;
        assert_eq!((text.as_str(), source), ("a);", Source::Cache));
    }

    #[tokio::test]
    async fn typing_something_else_asks_the_model_and_going_back_does_not() {
        let editor = editor(Scripted::saying(" = compute(a);\n"));
        editor.shows("let x$0\n").await;
        assert_eq!(editor.shows("let x:$0\n").await.1, Source::Model);
        assert_eq!(editor.shows("let x$0\n").await.1, Source::Cache);
        assert_eq!(editor.shows("let y$0\n").await.1, Source::Model);
    }

    #[tokio::test]
    async fn an_edit_elsewhere_makes_old_answers_worthless() {
        let editor = editor(Scripted::saying(" = compute(a);\n"));
        editor.shows("let x$0\nfoo\n").await;
        assert_eq!(editor.shows("let x = $0\nbar\n").await.1, Source::Model);
    }

    #[tokio::test]
    async fn inside_a_word_there_is_silence() {
        let editor = editor(Scripted::saying("x"));
        assert_eq!(editor.shows("let fo$0o\n").await, ("nothing".into(), Source::Nothing));
        assert_eq!(editor.engine.seen().requests.len(), 0);
    }

    #[tokio::test]
    async fn a_block_is_shown_whole_and_the_engine_is_let_go_at_its_end() {
        let text = "\n    let y = 1;\n    y\n}\n\nfn g() {\n    never";
        let endless = Arc::new(tokio::sync::Notify::new());
        let engine = Scripted::new(move |_| {
            let mut steps: Vec<Step> =
                text.split_inclusive('\n').map(|l| Step::Text(l.into())).collect();
            steps.push(Step::Wait(endless.clone()));
            steps
        });
        let editor = editor(engine);
        let (shown, _) = editor.shows("fn f() {$0\n").await;
        assert_eq!(shown, "\n    let y = 1;\n    y\n}");
        editor.engine.cancelled(1).await;
    }

    /// An engine that knows one text and goes on in it wherever it is asked.
    fn author(text: &'static str) -> Arc<Scripted> {
        Scripted::new(move |request| {
            let before = memory::before(&request.prompt);
            let rest = text.strip_prefix(before.as_str()).unwrap_or_default();
            let line = request.stop == Stop::Line;
            let end = rest.find('\n').filter(|_| line).map_or(rest.len(), |at| at + 1);
            rest[..end].split_inclusive('\n').map(|line| Step::Text(line.into())).collect()
        })
    }

    #[tokio::test]
    async fn accept_and_enter_are_answered_from_what_was_decoded_ahead() {
        let editor = editor(author("let x = 1;\nlet y = 2;\nlet z = 3;\nlet w = 4;\n"));
        assert_eq!(editor.shows("let x$0\n").await, (" = 1;".into(), Source::Model));
        editor.engine.worked_ahead(1).await;
        assert_eq!(editor.shows("let x = 1;$0\n").await, ("nothing".into(), Source::Nothing));
        assert_eq!(editor.shows("let x = 1;\n$0\n").await, ("let y = 2;".into(), Source::Cache));
        assert_eq!(editor.engine.seen().requests.len(), 1);
        // And ahead of that one in turn.
        editor.engine.worked_ahead(2).await;
        assert_eq!(editor.shows("let x = 1;\nlet y = 2;\n$0\n").await.1, Source::Cache);
    }

    #[tokio::test]
    async fn nothing_goes_on_ahead_when_that_is_turned_off() {
        let editor = editor(Scripted::saying(" = 1;\n"));
        let text = Rope::from_str("let x");
        let place = Place {
            document: "a",
            path: "",
            language: "rust",
            text: &text,
            cursor: 5,
            invoked: false,
        };
        let style = Style { ahead: false, ..Style::default() };
        editor.completer.opened(place.clone(), style);
        editor.completer.complete(place, style).await;
        assert_eq!(editor.engine.seen().background.len(), 0);
    }

    #[tokio::test]
    async fn a_grown_middle_gets_a_nearer_anchor_in_the_background() {
        let editor = editor(Scripted::saying("x"));
        let lines = |count: usize| "let some = thing;\n".repeat(count);
        let shows = |count: usize| format!("{}let a$0\nend\n", lines(count));
        editor.shows(&shows(4)).await;
        editor.shows(&shows(50)).await;
        editor.engine.worked_ahead(1).await;
        let warmed = editor.engine.seen().background;
        let warm: Vec<_> = warmed.iter().filter(|request| request.max_tokens == 0).collect();
        assert_eq!(warm.len(), 1);
        let middle = |requests: &[Request]| requests.last().expect("one").prompt.middle.len();
        assert!(middle(&editor.engine.seen().requests) > 600);
        loop {
            // The swap comes with the end of that work, which the engine tells us first.
            tokio::task::yield_now().await;
            let grown =
                format!("{}let a{}$0\nend\n", lines(50), editor.engine.seen().requests.len());
            editor.shows(&grown).await;
            if middle(&editor.engine.seen().requests) < 200 {
                break;
            }
        }
    }

    #[tokio::test]
    async fn an_opened_document_is_made_ready() {
        let editor = editor(Scripted::saying("x"));
        let text = Rope::from_str(&"fn f() {}\n".repeat(30));
        let place = Place {
            document: "a",
            path: "",
            language: "rust",
            text: &text,
            cursor: 0,
            invoked: false,
        };
        editor.completer.opened(place, Style::default());
        editor.engine.worked_ahead(1).await;
        let seen = editor.engine.seen();
        assert_eq!(seen.background[0].prompt.prefix.len(), text.len_bytes());
        assert_eq!((seen.background[0].max_tokens, seen.requests.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_block_that_takes_long_is_shown_as_far_as_it_is() {
        let endless = Arc::new(tokio::sync::Notify::new());
        let engine = Scripted::new(move |request| {
            let now = request.urgency == crate::engine::Urgency::Now;
            let text = if now { "\n    let y = 1;\n    let z" } else { " = 2;\n}" };
            vec![Step::Text(text.into()), Step::Wait(endless.clone())]
        });
        let editor = editor(engine);
        let text = Rope::from_str("fn f() {\n");
        let place = Place {
            document: "a",
            path: "",
            language: "rust",
            text: &text,
            cursor: 8,
            invoked: false,
        };
        let style = Style { block_wait: Duration::ZERO, ..Style::default() };
        let shown = editor.completer.complete(place, style).await;
        let shown_text = shown.suggestion.map(|suggestion| suggestion.text);
        assert_eq!(shown_text.as_deref(), Some("\n    let y = 1;"));
        editor.engine.cancelled(1).await;
        assert_eq!(editor.engine.seen().background[0].prompt.middle, "fn f() {\n    let y = 1;");
    }

    #[tokio::test]
    async fn what_another_file_defines_is_told_before_the_anchor() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.rs"), "pub fn sell(price: u32) {}\n").unwrap();
        let workspace = Arc::new(Workspace::default());
        workspace.open_folders(vec![folder.path().to_owned()]);
        workspace.settle();
        let engine = Scripted::saying("x");
        let completer = Completer::within(engine.clone(), workspace);
        let text = Rope::from_str("use shop::sell;\n\nfn f() {\n    ");
        let (document, cursor) = ("a", text.len_bytes());
        let place =
            Place { document, path: "a.rs", language: "rust", text: &text, cursor, invoked: false };
        completer.complete(place.clone(), Style::default()).await;
        assert_eq!(engine.seen().requests[0].prompt.context, "// shop: sell(price)\n");
        completer.forget("a");
        completer.complete(place, Style { context: 0, ..Style::default() }).await;
        assert_eq!(engine.seen().requests[1].prompt.context, "");
    }

    #[tokio::test]
    async fn what_the_model_doubts_is_shown_only_to_who_asks_or_types_its_beginning() {
        let confidence = Some(Confidence::and(None, 0.2_f32.ln()));
        let figures = Figures { confidence, ..Figures::default() };
        let editor =
            editor(Scripted::new(move |_| vec![Step::Text(" = 1;".into()), Step::Done(figures)]));
        let text = Rope::from_str("let x");
        let place = |text, cursor, invoked| Place {
            document: "a",
            path: "",
            language: "rust",
            text,
            cursor,
            invoked,
        };
        let style = Style { confidence: 50, ahead: false, ..Style::default() };
        for _ in 0..2 {
            let shown = editor.completer.complete(place(&text, 5, false), style).await;
            assert_eq!(shown.suggestion, None);
        }
        let asked = editor.completer.complete(place(&text, 5, true), style).await;
        assert_eq!(asked.suggestion.map(|s| s.text).as_deref(), Some(" = 1;"));
        let typed = Rope::from_str("let x =");
        let along = editor.completer.complete(place(&typed, 7, false), style).await;
        assert_eq!(along.suggestion.map(|s| s.text).as_deref(), Some(" 1;"));
        assert_eq!(editor.engine.seen().requests.len(), 1);
    }

    #[tokio::test]
    async fn in_a_comment_there_is_silence_unless_that_is_wanted() {
        let editor = editor(Scripted::saying("x"));
        assert_eq!(editor.shows("// let x$0\n").await, ("nothing".into(), Source::Nothing));
        let text = Rope::from_str("// let x");
        let place = Place {
            document: "a",
            path: "",
            language: "rust",
            text: &text,
            cursor: 8,
            invoked: false,
        };
        let style = Style { in_strings_and_comments: true, ..Style::default() };
        assert_eq!(editor.completer.complete(place, style).await.source, Source::Model);
    }

    #[tokio::test]
    async fn a_failing_engine_is_an_empty_completion() {
        let editor = editor(Scripted::new(|_| vec![Step::Fail("broken".into())]));
        assert_eq!(editor.shows("let x$0\n").await, ("nothing".into(), Source::Model));
    }
}
