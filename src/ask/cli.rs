//! `tandem ask`: a question from a terminal.
//!
//! In: a place in a file and a question. Out: the answer on standard output, everything else on standard
//! error; with `--dry-run` the request's bytes and nothing sent. Refuses: to send without a yes, which
//! takes a terminal or `--yes`; to change a file without another, which takes a terminal.

use std::collections::HashMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::api::Address;
use super::bundle::{self, Inquiry};
use super::conversation::{Asked, Conversation, Prepared};
use super::ledger::{self, Ledger};
use super::papers::Papers;
use super::preview::{self, Around};
use super::price::{Model, Table};
use super::privacy::Guard;
use super::question::Kind;
use super::sources::{Sources, own_folder};
use crate::settings::AskSettings;
use crate::wanted;
use crate::workspace::Workspace;

/// `FILE:LINE`, or a file alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlace {
    pub file: PathBuf,
    /// From 1.
    pub line: Option<usize>,
}

impl FromStr for LinePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<LinePlace, String> {
        let place = text.rsplit_once(':').and_then(|(file, line)| {
            let line = line.parse().ok().filter(|&line| line > 0)?;
            (!file.is_empty()).then(|| LinePlace { file: file.into(), line: Some(line) })
        });
        match place {
            Some(place) => Ok(place),
            None if text.is_empty() => {
                Err("a file, or FILE:LINE, for example src/main.rs:12".into())
            }
            None => Ok(LinePlace { file: text.into(), line: None }),
        }
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    pub place: LinePlace,
    pub question: String,
    /// Ask for edits.
    pub edit: bool,
    /// Print the request and send nothing.
    pub dry_run: bool,
    /// Send without asking.
    pub yes: bool,
    /// Instead of the one in the settings.
    pub model: Option<String>,
    /// The workspace's folder; the file's repository where not given.
    pub root: Option<PathBuf>,
}

/// All that is known before anything is sent.
struct Draft {
    conversation: Conversation,
    prepared: Prepared,
    model: Model,
    settings: AskSettings,
    folders: Vec<PathBuf>,
    host: String,
}

/// Asks.
///
/// # Errors
/// As sentences: a file that cannot be read, an unknown model, no key, no money left, whatever the API
/// says.
pub async fn run(options: Options, ledger: Ledger, papers: Papers) -> Result<(), String> {
    let read = options.clone();
    let draft = tokio::task::spawn_blocking(move || draft(&read)).await;
    let draft = draft.map_err(|error| error.to_string())??;
    let limits = draft.settings.budget.limits();
    let left = ledger.spent(limits).ok().map(|spent| {
        (limits.day.saturating_sub(spent.today), limits.month.saturating_sub(spent.month))
    });
    let left_out = draft.conversation.left_out.clone();
    let around = Around { host: draft.host.clone(), left, left_out, always: false };
    if options.dry_run {
        eprintln!("{}", preview::summary(&draft.prepared, &around));
        // A reader that has gone is no error.
        let _ = io::stdout().write_all(&draft.prepared.body);
        return Ok(());
    }
    eprintln!("{}", preview::summary(&draft.prepared, &around));
    let page = preview::markdown(&draft.prepared, &around);
    let shown = papers.begin().and_then(|folder| folder.write("preview-1.md", &page));
    let shown = shown.map_err(|error| format!("cannot write the preview: {error}"))?;
    eprintln!("Byte for byte: {}", shown.display());
    if !options.yes && !agreed("Send this? [y/N] ")? {
        eprintln!("Nothing was sent.");
        return Ok(());
    }
    online::send(&options, draft, ledger).await
}

fn draft(options: &Options) -> Result<Draft, String> {
    let (own, warnings) = wanted::user_layers()?.settings();
    let mut settings = own.ask;
    if !settings.enabled {
        return Err("asking Claude is turned off by `ask.enabled` in your config.toml".into());
    }
    if let Some(model) = &options.model {
        settings.model.clone_from(model);
    }
    let (table, more) = Table::new(&settings.models);
    let model = table.model(&settings.model).map_err(|error| error.to_string())?.clone();
    let address = Address::find(settings.base_url.as_deref());
    let host = address.map_err(|error| error.to_string())?.host();
    let file = std::fs::canonicalize(&options.place.file)
        .map_err(|error| format!("cannot read {}: {error}", options.place.file.display()))?;
    let root = match &options.root {
        Some(root) => std::fs::canonicalize(root).ok(),
        None => own_folder(&file),
    };
    let root = root.filter(|root| file.starts_with(root)).ok_or_else(|| {
        let file = file.display();
        format!("{file} is in no workspace; name the folder around it: --root FOLDER")
    })?;
    let folders = vec![root];
    let (guard, denied) = Guard::new(&folders, &settings.never);
    for warning in warnings.iter().chain(&more).chain(&denied) {
        eprintln!("tandem: {warning}");
    }
    let workspace = Workspace::default();
    workspace.open_folders(folders.clone());
    workspace.settle();
    let sources = Sources::new(folders.clone(), HashMap::new(), guard);
    let name = workspace.name(&file);
    let text = sources.read(&name).map(|read| read.text).ok_or_else(|| {
        let why = sources.refused().into_iter().find(|(path, _)| *path == name);
        why.map_or_else(
            || format!("{} is not text, or too long", file.display()),
            |(path, why)| format!("{path} is never sent: {why}"),
        )
    })?;
    let kind = if options.edit { Kind::Change } else { Kind::Ask };
    let question = options.question.clone();
    let range = line(&text, options.place.line.unwrap_or(1));
    let number = options.place.line.unwrap_or(1);
    let path = Some(name);
    let asked =
        Asked { kind, question, path: path.clone(), lines: (number, number), ..Asked::default() };
    let inquiry =
        Inquiry { question: asked.question().to_owned(), path, range, ..Inquiry::default() };
    let mut bundle =
        bundle::bundle(&inquiry, workspace.snapshot(), &sources, u64::from(settings.bundle_tokens));
    bundle.left_out.extend(sources.refused());
    let conversation = Conversation::new(&asked, bundle, |name| sources.read(name));
    let day = jiff::Zoned::now().date();
    let prepared = conversation.prepare(&settings, &model, None, day);
    Ok(Draft { conversation, prepared, model, settings, folders, host })
}

/// An empty range where a line's text begins.
fn line(text: &str, number: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(number - 1).map(str::len).sum();
    let blank = text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
    start + blank..start + blank
}

/// Whether the person at the terminal says yes.
fn agreed(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Err("there is nobody to say yes; `--yes` sends without being asked".into());
    }
    eprint!("{question}");
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// On standard output; a reader that has gone is no error.
fn say(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A text that cannot command a terminal.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

mod online {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::ask::api::Progress;
    use crate::ask::edits::{self, FileEdit, Place};
    use crate::ask::send::Sending;
    use crate::ask::sources::from_disk;

    pub async fn send(options: &Options, draft: Draft, ledger: Ledger) -> Result<(), String> {
        let cancelled = CancellationToken::new();
        let stop = cancelled.clone();
        tokio::spawn(async move {
            // The first one ends the request, one at any other time the program.
            while tokio::signal::ctrl_c().await.is_ok() && !stop.is_cancelled() {
                stop.cancel();
            }
            std::process::exit(130);
        });
        let spinner = indicatif::ProgressBar::new_spinner();
        spinner.enable_steady_tick(std::time::Duration::from_millis(120));
        spinner.set_message("sent");
        let kind = if options.edit { ledger::Kind::Change } else { ledger::Kind::Ask };
        let sending = Sending {
            prepared: draft.prepared,
            model: draft.model,
            settings: draft.settings,
            host: draft.host,
            ledger: Arc::new(ledger),
            kind,
            run: String::new(),
        };
        let sent = sending.send(&cancelled, |progress| match progress {
            Progress::Text(text) => spinner.suspend(|| say(&harmless(text))),
            Progress::Thinking(_) => spinner.set_message("thinking"),
            Progress::Waiting { seconds, why, .. } => {
                spinner.set_message(format!("{why}; trying again in {seconds:.0} s"));
            }
            Progress::Sent | Progress::Started { .. } | Progress::Usage(_) => {}
        });
        let sent = sent.await;
        spinner.finish_and_clear();
        cancelled.cancel();
        let sent = sent?;
        say("\n");
        let usage = sent.usage;
        eprintln!("{} tokens in, {} out, {}", usage.prompt(), usage.output, sent.cost);
        match sent.warning {
            Some(warning) if !sent.whole => return Err(warning),
            Some(warning) => eprintln!("{warning}"),
            None => {}
        }
        if options.edit && !io::stdin().is_terminal() {
            eprintln!("There is nobody to look at the edits, so that none is made.");
        } else if options.edit {
            apply(&draft.conversation, &draft.folders, &sent.text)?;
        }
        Ok(())
    }

    /// Shows the edits and makes those that the person wants; all of them fit, or none is made.
    fn apply(conversation: &Conversation, folders: &[PathBuf], text: &str) -> Result<(), String> {
        let said = |problems: Vec<edits::Problem>| {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            format!("nothing is changed: {}", problems.join("; "))
        };
        let place = |name: &str| match edits::place(folders, name) {
            Place::Fine(path) => Ok((path, None)),
            Place::NeedsYes(path, why) => Ok((path, Some(why))),
            Place::Refused(why) => Err(format!("nothing is changed: {name}: {why}")),
        };
        let now = |name: &str| from_disk(&place(name).ok()?.0).map(|read| read.text);
        let blocks = edits::parse(text).map_err(said)?;
        let resolved =
            edits::resolve(&blocks, &conversation.sent, &now, &conversation.placeholders);
        let mut all = Vec::new();
        for edit in resolved.map_err(said)? {
            let (path, why) = place(&edit.path)?;
            all.push((edit, path, why));
        }
        for (edit, path, why) in all {
            let before = from_disk(&path).map(|read| read.text).unwrap_or_default();
            let after = edit.applied(&before);
            eprintln!("{}", harmless(&edits::diff(&before, &after, &edit.path)));
            let note = why.map_or_else(String::new, |why| format!(" It {why}."));
            if agreed(&format!("Change {}?{note} [y/N] ", harmless(&edit.path)))? {
                write(&path, &edit, &before, &after)?;
            }
        }
        Ok(())
    }

    /// The old text or the new one, whole; the file's permissions stay. Not over what somebody else has
    /// written since it was shown.
    fn write(path: &Path, edit: &FileEdit, before: &str, after: &str) -> Result<(), String> {
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        let folder = path.parent().unwrap_or(Path::new("."));
        if edit.created {
            std::fs::create_dir_all(folder).map_err(failed)?;
            let mut file = std::fs::File::create_new(path).map_err(failed)?;
            return file.write_all(after.as_bytes()).map_err(failed);
        }
        if from_disk(path).is_none_or(|read| read.text != before) {
            return Err(format!("{} has changed meanwhile; ask again", path.display()));
        }
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(after.as_bytes()).map_err(failed)?;
        let about = std::fs::metadata(path).map_err(failed)?;
        file.as_file().set_permissions(about.permissions()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_with_or_without_a_line() {
        let place = |text: &str| text.parse::<LinePlace>().map(|p| (p.file, p.line));
        assert_eq!(place("a/b.rs:12"), Ok(("a/b.rs".into(), Some(12))));
        assert_eq!(place("a/b.rs"), Ok(("a/b.rs".into(), None)));
        assert_eq!(place("C:\\b.rs"), Ok(("C:\\b.rs".into(), None)));
        assert!(place("").is_err());
    }

    #[test]
    fn a_line_that_is_not_there_is_the_texts_end() {
        assert_eq!(line("a\n  b\n", 2), 4..4);
        assert_eq!(line("a\n", 9), 2..2);
        assert_eq!(line("é\n\tb", 2), 4..4);
    }

    #[test]
    fn an_answer_cannot_command_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}\n\tc\u{9b}"), "a[2Jb\n\tc");
    }
}
