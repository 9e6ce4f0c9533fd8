//! What `tandem model …` prints.
//!
//! In: the words of the command line. Out: answers on stdout, progress on stderr. Refuses: to
//! decide anything; the rest of the room does.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use indicatif::DecimalBytes;
use serde_json::json;

use super::catalogue::{CATALOGUE, DEFAULT, Entry};
use super::error::ModelError;
use super::gguf;
use super::import::Kind;
use super::optimize::{self, Candidate, Outcome, Record, Standing, verdict};
use super::progress::ProgressBar;
use super::pull::{Optimize, Options, SourceChoice};
use super::store::{Installed, Store};

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

/// One line on stdout. A reader that has gone (`| head`) is no error.
fn say(line: impl Display) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// `tandem model list`: the catalogue, then what was imported.
pub async fn list(json: bool) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let rows = rows(&store.installed(), |model| optimize::standing(&store, model));
    let adapters = store.adapters().installed();
    if json {
        let models: Vec<_> = rows.iter().map(Row::json).collect();
        let adapters: Vec<_> = adapters.iter().map(adapter_json).collect();
        say(json!({ "folder": store.folder(), "models": models, "adapters": adapters }));
        return Ok(());
    }
    let width = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (names, sizes, states) =
        (width(|row| &row.name), width(|row| &row.size), width(|row| row.state));
    say(format!("{BOLD}{:names$}  {:>sizes$}  {:states$}  NOTE{BOLD:#}", "NAME", "SIZE", ""));
    for row in &rows {
        let style = if row.state == INSTALLED { GREEN } else { DIM };
        say(format!(
            "{:names$}  {:>sizes$}  {style}{:states$}{style:#}  {}",
            row.name, row.size, row.state, row.note
        ));
        if let Some(standing) = &row.standing {
            say(format!("{:names$}  {:>sizes$}  {DIM}{}{DIM:#}", "", "", standing.words()));
        }
    }
    for adapter in &adapters {
        let about = match gguf::inspect_adapter(&adapter.path) {
            Ok(about) => format!("LoRA adapter for {}, rank {}", about.architecture, about.rank),
            Err(problem) => format!("it {problem}"),
        };
        let size = DecimalBytes(adapter.bytes).to_string();
        say(format!(
            "{:names$}  {size:>sizes$}  {GREEN}{INSTALLED:states$}{GREEN:#}  {about}",
            adapter.name
        ));
    }
    say(format!(
        "\nModels are in {}. Fetch one with `tandem model pull NAME`.",
        store.folder().display()
    ));
    Ok(())
}

const INSTALLED: &str = "installed";

/// A line of the table.
struct Row {
    name: String,
    size: String,
    state: &'static str,
    note: String,
    entry: Option<&'static Entry>,
    there: Option<Installed>,
    /// Of its weights on this CPU; `None` for what is not here.
    standing: Option<Standing>,
}

fn rows(installed: &[Installed], standing: impl Fn(&Installed) -> Standing) -> Vec<Row> {
    let known = CATALOGUE.iter().map(|entry| {
        let there = installed.iter().find(|model| model.entry == Some(entry));
        let from = match entry.wheels {
            Some(_) => "; hub or PyPI",
            None => "",
        };
        let note = format!("{}: {}{from}", entry.parameters, entry.note);
        Row::new(entry.name, entry.about_bytes, note, Some(entry), there)
    });
    let imported = installed.iter().filter(|model| model.entry.is_none());
    let imported = imported
        .map(|model| Row::new(&model.name, model.bytes, "imported".into(), None, Some(model)));
    let weighed = known.chain(imported).map(|row| Row {
        standing: row.there.as_ref().filter(|model| model.is_whole()).map(&standing),
        ..row
    });
    weighed.collect()
}

impl Row {
    fn new(
        name: &str,
        bytes: u64,
        note: String,
        entry: Option<&'static Entry>,
        there: Option<&Installed>,
    ) -> Row {
        let bytes = there.map_or(bytes, |model| model.bytes);
        Row {
            name: name.to_owned(),
            size: DecimalBytes(bytes).to_string(),
            state: match there {
                None => "-",
                Some(model) if model.is_whole() => INSTALLED,
                Some(_) => "damaged",
            },
            note,
            entry,
            there: there.cloned(),
            standing: None,
        }
    }

    fn json(&self) -> serde_json::Value {
        let entry = self.entry;
        json!({
            "name": self.name,
            "default": self.name == DEFAULT,
            "installed": self.state == INSTALLED,
            "damaged": self.there.as_ref().is_some_and(|model| !model.is_whole()),
            "path": self.there.as_ref().map(|model| &model.path),
            "bytes": self.there.as_ref().map(|model| model.bytes).or(entry.and_then(|e| e.bytes)),
            "about_bytes": entry.map(|e| e.about_bytes),
            "sha256": self.there.as_ref().and_then(|model| model.sha256.as_deref())
                .or(entry.and_then(|e| e.sha256)),
            "parameters": entry.map(|e| e.parameters),
            "memory_bytes": entry.map(|e| e.memory_bytes),
            "repository": entry.map(|e| e.repo),
            "file": entry.map(|e| e.file),
            "pypi": entry.is_some_and(|e| e.wheels.is_some()),
            "note": entry.map(|e| e.note),
            "optimized": self.standing.as_ref().map(standing_json),
        })
    }
}

fn adapter_json(adapter: &Installed) -> serde_json::Value {
    let about = gguf::inspect_adapter(&adapter.path);
    json!({
        "name": adapter.name,
        "path": adapter.path,
        "sha256": adapter.sha256,
        "about": about.as_ref().ok(),
        "problem": about.as_ref().err().map(|problem| format!("it {problem}")),
    })
}

fn standing_json(standing: &Standing) -> serde_json::Value {
    let (state, record, path) = match standing {
        Standing::Untried => ("untried", None, None),
        Standing::Stale(_) => ("stale", None, None),
        Standing::Original(record) => ("original", Some(record), None),
        Standing::Derived(record, path) => ("derived", Some(record), Some(path)),
    };
    json!({ "state": state, "words": standing.words(), "path": path, "record": record })
}

/// Stops a chore on Ctrl-C, so that it can remove what is unfinished.
async fn unless_stopped<T>(
    chore: impl Future<Output = Result<T, ModelError>>,
) -> Result<T, ModelError> {
    tokio::select! {
        done = chore => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(ModelError::Stopped),
    }
}

/// `tandem model pull [NAME]`: prints the path of the model.
pub async fn pull(
    name: Option<&str>,
    source: SourceChoice,
    optimize: Optimize,
) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let entry = Entry::named(name.unwrap_or(DEFAULT))?;
    let report = ProgressBar::new(entry.name).report();
    let options = Options { optimize, ..Options::new(source) };
    let pulled = unless_stopped(super::pull(&store, entry, &options, report)).await?;
    let how = match pulled.from {
        None => "is already there".to_owned(),
        Some(source) => format!("came from {} and matches its SHA-256", source.words()),
    };
    say(format!("{} {how}: {}", pulled.name, pulled.path.display()));
    match pulled.optimized {
        Some(Ok(outcome)) => tell(pulled.name, &outcome),
        // The model is there and works; only the speed is not what it could be.
        Some(Err(problem)) => eprintln!("tandem: {problem}"),
        None => {}
    }
    Ok(())
}

/// `tandem model optimize [NAME]`.
pub async fn optimize(
    name: Option<&str>,
    options: &optimize::Options,
    json: bool,
) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let name = name.unwrap_or(DEFAULT);
    let report = ProgressBar::new(name).report();
    let outcome = unless_stopped(optimize::optimize(&store, name, options, &report)).await;
    // The bar goes before the answer comes.
    drop(report);
    let outcome = outcome?;
    if json {
        say(match &outcome {
            Outcome::Skipped(why) => json!({ "state": "skipped", "words": why }),
            Outcome::Known(standing) | Outcome::Decided(standing, _) => standing_json(standing),
        });
        return Ok(());
    }
    if let Outcome::Known(Standing::Original(record) | Standing::Derived(record, _))
    | Outcome::Decided(Standing::Original(record) | Standing::Derived(record, _), _) = &outcome
    {
        table(record).iter().for_each(say);
    }
    tell(name, &outcome);
    Ok(())
}

/// What came of it, in a line.
fn tell(name: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Skipped(why) => say(format!("{name} is used as it is: {why}.")),
        Outcome::Known(standing) => say(format!("{name}: {}.", standing.words())),
        Outcome::Decided(standing, troubles) => {
            for trouble in troubles {
                eprintln!("tandem: {trouble}");
            }
            say(format!("{name}: {}.", standing.words()));
        }
    }
}

/// The candidates in a table, the original of the first trial above them.
fn table(record: &Record) -> Vec<String> {
    let line = |name: &str, mb: u64, speed: &crate::engine::llama::trial::Speed, rest: String| {
        format!(
            "{name:<12} {mb:>6} MB {:>9.0} {:>9.1} {:>9.1} {:>10.0}   {rest}",
            speed.read_ms,
            speed.write_ms,
            speed.verify_ms,
            verdict::keystroke_ms(speed),
        )
    };
    let mb = |bytes: u64| bytes / 1_000_000;
    let mut lines = vec![format!(
        "{BOLD}{:<12} {:>9} {:>9} {:>9} {:>9} {:>10}   AGAINST THE ORIGINAL{BOLD:#}",
        "WEIGHTS", "SIZE", "read 128", "write 1", "verify 4", "keystroke"
    )];
    if let Some(first) = record.candidates.first() {
        let rest = "(all times in ms)".to_owned();
        lines.push(line("original", mb(record.original.bytes), &first.original, rest));
    }
    let chosen = record.chosen.as_ref().map(|chosen| chosen.recipe);
    for candidate in &record.candidates {
        let mark = if chosen == Some(candidate.recipe) { ", in use" } else { "" };
        let rest = format!("{}{mark}", against(candidate));
        let name = candidate.recipe.to_string();
        lines.push(line(&name, mb(candidate.bytes), &candidate.speed, rest));
    }
    lines
}

/// How a candidate compares, in one run with the original.
fn against(candidate: &Candidate) -> String {
    let faster = format!("{:.2} times as fast", candidate.gain());
    match candidate.agreement {
        None => format!("{faster}: not worth it"),
        Some(a) => format!(
            "{faster}, {} of {} choices and {} of {} answers the same",
            a.same_choices, a.choices, a.same_answers, a.answers
        ),
    }
}

/// `tandem model remove NAME`: the file, what is noted about it, and what was derived from it.
pub async fn remove(name: &str) -> Result<(), ModelError> {
    let store = Store::default_location()?.holding(name);
    let there = |model: &Installed| model.name.eq_ignore_ascii_case(name);
    // One that is not whole can be removed as well.
    let model = match store.installed().into_iter().find(there) {
        Some(model) => model,
        None => store.find(name)?,
    };
    optimize::forget(&store, &model)?;
    store.remove(&model)?;
    say(format!("removed {}", model.path.display()));
    Ok(())
}

/// `tandem model import FILE`.
pub async fn import(path: &Path) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    let report = ProgressBar::new(&shown).report();
    let imported = super::import(&store, path, report).await?;
    say(format!("imported as {0}: {1}", imported.name, imported.path.display()));
    say(match imported.kind {
        Kind::Model => format!(
            "`tandem model optimize {}` looks for weights that run faster here.",
            imported.name
        ),
        Kind::Adapter => format!(
            "To use it, write to your settings:\n  [engine.adapters]\n  {} = 1.0",
            json!(imported.name)
        ),
    });
    Ok(())
}

/// `tandem model path [NAME]`: the path alone, for scripts. `in_use` says which file is really run
/// for a model, and what a person should hear about that.
pub async fn path(
    name: Option<&str>,
    in_use: impl Fn(&Store, &Path) -> (PathBuf, Option<String>),
) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let model = store.find(name.unwrap_or(DEFAULT))?;
    let (path, warning) = in_use(&store, &model.path);
    if let Some(warning) = warning {
        eprintln!("tandem: {warning}");
    }
    say(path.display());
    Ok(())
}

/// `tandem model verify [NAME]`.
pub async fn verify(name: Option<&str>) -> Result<(), ModelError> {
    let name = name.unwrap_or(DEFAULT);
    let store = Store::default_location()?.holding(name);
    let report = ProgressBar::new(name).report();
    let verified = super::verify(&store, name, report.clone()).await?;
    say(format!(
        "{} is whole: {} bytes, SHA-256 {}",
        verified.name, verified.bytes, verified.sha256
    ));
    let model = store.find(name)?;
    if let Some(derived) = optimize::verify(&store, &model, report).await? {
        say(format!(
            "{} for this CPU is whole: {} bytes, SHA-256 {}",
            derived.recipe, derived.bytes, derived.sha256
        ));
    }
    Ok(())
}

/// `tandem model recommend`, for a machine with that much memory (bytes); the speed is that of the
/// default model there, in decoded tokens a second, where it has been measured.
pub async fn recommend(
    json: bool,
    memory: u64,
    video_memory: Option<u64>,
    tokens_per_second: Option<f64>,
) -> Result<(), ModelError> {
    let choice = super::recommend(memory, video_memory, tokens_per_second);
    if json {
        say(json!({
            "name": choice.entry.name,
            "reason": choice.reason,
            "memory_bytes": memory,
            "video_memory_bytes": video_memory,
        }));
        return Ok(());
    }
    say(format!("{BOLD}{}{BOLD:#}: {}.", choice.entry.name, choice.reason));
    let store = Store::default_location()?;
    if store.have(choice.entry).is_none() {
        say(format!("Fetch it with `tandem model pull {}`.", choice.entry.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_table_tells_installed_damaged_missing_and_imported_models_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        // Pinned, so its size is known to be wrong; the other has nothing to be held against.
        fs::write(store.path_of(Entry::default_entry()), b"GGUF").unwrap();
        fs::write(folder.path().join("mine.gguf"), b"GGUF").unwrap();
        let rows = rows(&store.installed(), |_| Standing::Untried);
        let state = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.state);
        assert_eq!(state(DEFAULT), Some("damaged"));
        assert_eq!(state("qwen2.5-coder-1.5b"), Some("-"));
        assert_eq!(state("mine"), Some(INSTALLED));
    }
}
