//! `tandem complete FILE:LINE:COL`: one completion, outside an editor.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use ropey::Rope;
use serde_json::json;

use crate::completer::{Completer, Completion, Place, Source};
use crate::document::{Document, Encoding, Position};
use crate::engine::{Figures, State};
use crate::lsp::SharedSettings;
use crate::model::Store;
use crate::{syntax, wanted};

/// A place in a file, both numbers from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub file: PathBuf,
    pub line: u32,
    pub column: u32,
}

impl FromStr for FilePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<FilePlace, String> {
        let usage = || format!("`{text}` is not FILE:LINE:COL, for example src/main.rs:12:8");
        let mut parts = text.rsplitn(3, ':');
        let mut number = || parts.next()?.parse().ok().filter(|&n: &u32| n > 0);
        let (column, line) = (number().ok_or_else(usage)?, number().ok_or_else(usage)?);
        let file = parts.next().filter(|file| !file.is_empty()).ok_or_else(usage)?;
        Ok(FilePlace { file: file.into(), line, column })
    }
}

/// Prints the completion at a place: its text, or with `json` also what it cost.
///
/// # Errors
/// When the file cannot be read or there is no working engine, as a sentence.
pub async fn run(place: &FilePlace, json: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(&place.file)
        .map_err(|error| format!("cannot read {}: {error}", place.file.display()))?;
    let language = syntax::language_of(&place.file);
    let document = Document::open(&text, 0, &language);
    let snapshot = document.snapshot().filter(|s| !s.too_large());
    let snapshot = snapshot.ok_or_else(|| format!("{} is too large", place.file.display()))?;
    let position = Position { line: place.line - 1, character: place.column - 1 };
    let cursor = snapshot.to_byte(position, Encoding::Utf32);

    let settings = SharedSettings::default();
    let (own, warnings) = wanted::user_layers()?.settings();
    warnings.iter().for_each(|warning| eprintln!("tandem: {warning}"));
    let style = own.style();
    settings.set(own);
    let store = Store::default_location().map_err(|error| error.to_string())?;
    let completer = Completer::new(wanted::engine(&settings, store)?);
    let completion = complete(&completer, &snapshot.rope, cursor, &language, style).await?;
    let mut out = anstream::stdout();
    let line = if json {
        describe(&completion).to_string()
    } else {
        completion.suggestion.map(|s| s.text).unwrap_or_default()
    };
    // A reader that has gone is no error.
    let _ = writeln!(out, "{line}");
    Ok(())
}

async fn complete(
    completer: &Completer,
    text: &Rope,
    cursor: usize,
    language: &str,
    style: crate::completer::Style,
) -> Result<Completion, String> {
    let place = Place { document: "file", path: "", language, text, cursor, invoked: true };
    // One question and no more: from the whole prompt, all of a block, and nothing ahead of it.
    let block_wait = std::time::Duration::from_secs(60);
    let style =
        crate::completer::Style { ahead: false, quick: false, candidates: 1, block_wait, ..style };
    let completion = completer.complete(place, style).await;
    match &*completer.engine().state().borrow() {
        State::Failed { message } => Err(message.clone()),
        // It was asked and has not even begun.
        _ if completion.source == Source::Model && completion.figures == Figures::default() => {
            Err("the engine stopped before it answered; try again".to_owned())
        }
        _ => Ok(completion),
    }
}

fn describe(completion: &Completion) -> serde_json::Value {
    let Completion { suggestion, source, figures, .. } = completion;
    json!({
        "text": suggestion.as_ref().map(|s| &s.text),
        "replaces": suggestion.as_ref().map_or(0, |s| s.replaces),
        "source": source,
        // The engine's own cache: tokens of the prompt that were not evaluated again.
        "tokens_reused": figures.reused,
        "tokens_evaluated": figures.evaluated,
        "tokens_generated": figures.generated,
        "from_cache": *source == Source::Cache,
        "ms": {"queue": figures.queue_ms, "prefill": figures.prefill_ms, "decode": figures.decode_ms},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_a_line_and_a_column() {
        let place = |text: &str| text.parse::<FilePlace>();
        let expect = |file: &str, line, column| Ok(FilePlace { file: file.into(), line, column });
        assert_eq!(place("src/main.rs:12:8"), expect("src/main.rs", 12, 8));
        assert_eq!(place(r"C:\a.rs:1:1"), expect(r"C:\a.rs", 1, 1));
        for wrong in ["a.rs", "a.rs:1", "a.rs:0:1", "a.rs:x:1", ":1:1", ""] {
            assert!(place(wrong).unwrap_err().contains("FILE:LINE:COL"), "{wrong}");
        }
    }
}
