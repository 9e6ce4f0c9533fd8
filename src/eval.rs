//! `tandem eval`: how well a model completes your own code, and what an adapter or another model would change.
//!
//! In: a folder, the settings, and another way to run things. Out: a table: the rest of the line and the called
//! name exactly right, with intervals, and the time to the answer. Places are calls of what another file of the
//! folder defines, and random lines; spread evenly, the same each time. Each is asked as an editor would ask who
//! has come to the line's start and typed up to the cursor, of one side after the other.
//! Refuses: a folder in which there is nothing to ask.
//!
//! Nothing leaves the machine, unless the settings name engines elsewhere; nothing is written down. Decoding is
//! greedy and waits for whole answers, so that all but the times is the same in a second run. The same places, and
//! more, are asked by `make bench-quality`.

pub mod calls;
mod report;
pub mod row;
pub mod score;
pub mod statistics;
pub mod trees;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use ropey::Rope;
use tokio::sync::watch;

use self::report::Table;
use self::row::Row;
use crate::completer::{Completer, Completion, Place, Style};
use crate::engine::{Answer, Engine, Event, Figures, Request, State};
use crate::lsp::SharedSettings;
use crate::model::Store;
use crate::settings::Settings;
use crate::wanted;
use crate::workspace::Workspace;

/// How long a block is waited for: to its end.
const PATIENCE: Duration = Duration::from_secs(600);

/// What to find out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose code.
    pub folder: PathBuf,
    /// Places of each kind.
    pub rows: usize,
    /// The settings as they are.
    pub settings: Settings,
    /// The settings to compare with; `None` to look at the first alone.
    pub other: Option<Settings>,
    /// Print JSON.
    pub json: bool,
}

/// An adapter to put on, as the command line names it: `NAME` or `NAME=SCALE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Worn {
    /// A name from `tandem model list`.
    pub name: String,
    /// 0 to 2.
    pub scale: f32,
}

impl FromStr for Worn {
    type Err = String;

    fn from_str(text: &str) -> Result<Worn, String> {
        let (name, scale) = text.split_once('=').unwrap_or((text, "1"));
        let scale = scale.parse().ok().filter(|scale| (0.0..=2.0).contains(scale));
        let scale = scale.ok_or("the scale is a number from 0 to 2, such as house-style=0.5")?;
        Ok(Worn { name: name.to_owned(), scale })
    }
}

/// The settings to score, and those to compare them with.
pub fn sides(
    own: Settings,
    adapters: Vec<Worn>,
    model: Option<String>,
) -> (Settings, Option<Settings>) {
    let bare = |mut settings: Settings| {
        settings.engine.adapters.clear();
        settings
    };
    if adapters.is_empty() && model.is_none() {
        let other = (!own.engine.adapters.is_empty()).then(|| own.clone());
        return (bare(own), other);
    }
    let mut other = bare(own.clone());
    if let Some(model) = model {
        (other.model, other.model_path) = (model, None);
    }
    other.engine.adapters = adapters.into_iter().map(|worn| (worn.name, worn.scale)).collect();
    // An adapter is held against the model without any.
    (if other.engine.adapters.is_empty() { own } else { bare(own) }, Some(other))
}

/// One way to run things.
struct Side {
    name: String,
    style: Style,
    engine: Arc<Muted>,
    completer: Completer,
}

/// What came of one place.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    /// The rest of the line is exactly right, however sure the model is.
    line: bool,
    /// So is the called name, where one is called.
    name: bool,
    /// Something is shown with the settings as they are.
    shown: bool,
    /// And is right.
    shown_right: bool,
    /// From the key to the answer.
    ms: f64,
}

/// Asks and prints.
///
/// # Errors
/// When there is nothing to ask, or nobody who answers; a sentence.
pub async fn run(options: Options) -> Result<(), String> {
    let folder = std::fs::canonicalize(&options.folder)
        .map_err(|error| format!("{}: {error}", options.folder.display()))?;
    let reading = folder.clone();
    let read = tokio::task::spawn_blocking(move || {
        let workspace = calls::workspace(&reading);
        let none = HashSet::new();
        let calls = calls::rows(&reading, &workspace.index(), &none, usize::MAX);
        let lines = trees::lines(&reading, usize::MAX);
        (workspace, [calls, lines])
    });
    let (workspace, sets) = read.await.map_err(|error| error.to_string())?;
    let workspace = Arc::new(workspace);
    if sets.iter().all(Vec::is_empty) {
        return Err(format!(
            "there is no code of a language that tandem knows in {}",
            folder.display()
        ));
    }
    let store = Store::default_location().map_err(|error| error.to_string())?;
    let mut sides = Vec::new();
    for settings in std::iter::once(options.settings).chain(options.other) {
        sides.push(Side::new(settings, &store, &workspace)?);
    }
    for side in &sides {
        side.wait_until_ready().await?;
    }
    let mut tables = Vec::new();
    for (what, all) in ["calls", "lines"].into_iter().zip(sets) {
        let found = all.len();
        let rows = row::spread(all, options.rows);
        let bar = progress(what, rows.len());
        let mut outcomes = vec![Vec::new(); sides.len()];
        for (number, row) in rows.iter().enumerate() {
            // None has the machine always as the other one left it.
            for turn in 0..sides.len() {
                let at = (number + turn) % sides.len();
                outcomes[at].push(sides[at].ask(row, &workspace).await?);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let names = sides.iter().map(|side| side.name.clone()).collect();
        tables.push(Table { what, found, names, outcomes });
    }
    report::print(&folder, &tables, options.json);
    Ok(())
}

impl Side {
    fn new(settings: Settings, store: &Store, workspace: &Arc<Workspace>) -> Result<Side, String> {
        if let Some(why) = wanted::unusable_parts(&settings, store).into_iter().next() {
            return Err(why);
        }
        let style = Style {
            // Each place by itself, to the end, and the same on a slow machine.
            reuse: false,
            ahead: false,
            quick: false,
            block_wait: PATIENCE,
            in_strings_and_comments: true,
            ..settings.style()
        };
        let name = name(&settings, store);
        let shared = SharedSettings::default();
        shared.set(settings);
        let inner = wanted::engine(&shared, store.clone())?;
        let engine = Arc::new(Muted { inner, is_mute: AtomicBool::new(false) });
        let completer = Completer::within(engine.clone(), workspace.clone());
        Ok(Side { name, style, engine, completer })
    }

    async fn wait_until_ready(&self) -> Result<(), String> {
        self.engine.wake();
        let mut state = self.engine.state();
        let settled = |state: &State| matches!(state, State::Ready(_) | State::Failed { .. });
        match state.wait_for(settled).await.as_deref() {
            Ok(State::Failed { message }) => Err(message.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err("the engine is gone".to_owned()),
        }
    }

    async fn ask(&self, row: &Row, workspace: &Workspace) -> Result<Outcome, String> {
        // At the line's start, where one asks first: from there what is known of other files is chosen.
        let line = row.line_before();
        let start = row.before.len() - line.trim_start().len();
        let begun = format!("{}{}", &row.before[..start], row.after);
        self.engine.is_mute.store(true, Relaxed);
        self.complete(row, workspace, &begun, start, self.style).await;
        self.engine.is_mute.store(false, Relaxed);

        let (text, cursor) = (row.text(), row.before.len());
        let unsure = Style { confidence: 0, ..self.style };
        let started = Instant::now();
        let all = self.complete(row, workspace, &text, cursor, unsure).await;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        // From the KV cache.
        let usual = self.complete(row, workspace, &text, cursor, self.style).await;
        self.completer.forget(&row.uri);
        if let State::Failed { message } = &*self.engine.state().borrow() {
            return Err(message.clone());
        }
        let is_right = |completion: &Completion| {
            let shown = completion.suggestion.as_ref();
            shown.is_some_and(|shown| row.wanted().is_shown(&shown.text, shown.replaces))
        };
        let said = all.suggestion.as_ref().map_or("", |shown| shown.text.as_str());
        let is_name = |name: &str| score::identifier(score::first_line(said)) == name;
        Ok(Outcome {
            line: is_right(&all),
            name: row.call.as_ref().is_some_and(|call| is_name(&call.name)),
            shown: usual.suggestion.is_some(),
            shown_right: is_right(&usual),
            ms,
        })
    }

    async fn complete(
        &self,
        row: &Row,
        workspace: &Workspace,
        text: &str,
        cursor: usize,
        style: Style,
    ) -> Completion {
        let path = row.name.rsplit_once(':').map_or("", |(file, _)| file);
        let place = Place {
            document: &row.uri,
            path: &workspace.name(Path::new(path)),
            language: &row.language,
            text: &Rope::from_str(text),
            cursor,
            invoked: false,
        };
        self.completer.complete(place, style).await
    }
}

/// What a side is called in the table.
fn name(settings: &Settings, store: &Store) -> String {
    let model = match settings.remote.addresses.first() {
        Some(address) => settings.remote.model.clone().unwrap_or_else(|| address.clone()),
        None => wanted::options(settings, store).map_or_else(
            |_| settings.model.clone(),
            |options| options.model.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        ),
    };
    let adapters = settings.engine.adapters.iter().filter(|(_, scale)| **scale > 0.0);
    adapters.fold(model, |name, (adapter, scale)| match *scale {
        1.0 => format!("{name} + {adapter}"),
        scale => format!("{name} + {adapter} at {scale}"),
    })
}

fn progress(what: &'static str, rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    let template = "{msg:>5} {wide_bar} {pos}/{len}, {elapsed}, {eta} left";
    // The template is fixed and parses.
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// An engine that can be kept from working: what the completer does besides is wanted alone then.
struct Muted {
    inner: Arc<dyn Engine>,
    is_mute: AtomicBool,
}

impl Engine for Muted {
    fn complete(&self, request: Request) -> Answer {
        if !self.is_mute.load(Relaxed) {
            return self.inner.complete(request);
        }
        let (answer, events) = Answer::new();
        // The receiver lives in `answer`, so this cannot fail.
        let _ = events.send(Event::Done(Figures::default()));
        answer
    }

    fn state(&self) -> watch::Receiver<State> {
        self.inner.state()
    }

    fn wake(&self) {
        self.inner.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worn(text: &str) -> Vec<Worn> {
        text.split_whitespace().map(|one| one.parse().expect("an adapter")).collect()
    }

    fn with(names: &str) -> Settings {
        let mut settings = Settings::default();
        settings.engine.adapters = worn(names).into_iter().map(|w| (w.name, w.scale)).collect();
        settings
    }

    #[test]
    fn an_adapter_is_held_against_the_bare_model_and_a_model_against_what_is_in_use() {
        let own = with("house");
        let named =
            |name: &str, settings: Settings| Settings { model: name.to_owned(), ..settings };
        for (adapters, model, first, other) in [
            ("", None, with(""), Some(own.clone())),
            ("tests=0.5", None, with(""), Some(with("tests=0.5"))),
            ("", Some("large"), own.clone(), Some(named("large", with("")))),
            ("tests", Some("large"), with(""), Some(named("large", with("tests")))),
        ] {
            let sides = sides(own.clone(), worn(adapters), model.map(str::to_owned));
            assert_eq!(sides, (first, other), "{adapters:?}, {model:?}");
        }
        assert_eq!(sides(with(""), Vec::new(), None), (with(""), None));
    }

    #[test]
    fn a_scale_is_a_number_from_0_to_2() {
        assert_eq!(
            worn("a a=0.25"),
            [Worn { name: "a".into(), scale: 1.0 }, Worn { name: "a".into(), scale: 0.25 }]
        );
        for text in ["a=", "a=x", "a=-1", "a=3", "a=NaN"] {
            assert!(text.parse::<Worn>().is_err(), "{text}");
        }
    }
}
