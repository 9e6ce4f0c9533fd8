//! Edits from an answer into the editor, after a person has looked at them.
//!
//! An answer's blocks are resolved anew against the texts as they are when they are applied; one that
//! does not fit leaves everything as it is. An editor that can ask for each change itself gets all files
//! in one edit, others one file at a time, each after a yes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp::Client;
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{ApplyWorkspaceEditResponse, MessageType, Url};

use super::start::{boxed_look, choose};
use super::{Talk, show};
use crate::ask::conversation::Asked;
use crate::ask::edits::{self, Block, FileEdit, Place, Problem};
use crate::ask::preview;
use crate::ask::question::Kind;
use crate::ask::sources::{Read, from_disk};
use crate::document::{Encoding, position};
use crate::lsp::session::{Session, WirePosition};
use crate::lsp::words::plain;
use crate::syntax;

const APPLY: &str = "Apply";
const SKIP: &str = "Skip this file";
const STOP: &str = "Stop";
pub const REPAIR: &str = "Ask Claude to put that right";
const LATER: &str = "Not now";

/// `workspace/applyEdit`, whose edit we write ourselves: lsp-types 0.94 knows less of annotations.
enum Apply {}

impl Request for Apply {
    type Params = Value;
    type Result = ApplyWorkspaceEditResponse;
    const METHOD: &'static str = "workspace/applyEdit";
}

/// One file's new text, and where it goes.
struct Change {
    edit: FileEdit,
    path: PathBuf,
    before: String,
    /// The client's version of that text.
    version: Option<i32>,
    /// Why it takes a yes of its own.
    sensitive: Option<String>,
}

/// Reads an answer's edits, and puts them on its page. Whether there is something to say about them.
pub fn read(session: &Session, talk: &Arc<Talk>, whole: bool) -> bool {
    let text = talk.inner().page.text.clone();
    let (mut notes, mut diffs) = (Vec::new(), Vec::new());
    let (mut problems, mut blocks) = (Vec::<Problem>::new(), Vec::new());
    if !whole {
        notes.push("The answer is not whole, so that none of its edits is offered.".to_owned());
    } else {
        match edits::parse(&text) {
            Ok(found) => blocks = found,
            Err(found) => problems = found,
        }
        match problems.is_empty().then(|| changes(session, talk, &blocks)) {
            Some(Ok(changes)) => {
                for change in &changes {
                    notes.extend(change.notes());
                    let after = change.edit.applied(&change.before);
                    diffs.push(edits::diff(&change.before, &after, &change.edit.path));
                }
            }
            Some(Err(found)) => problems = found,
            None => {}
        }
    }
    notes.extend(problems.iter().map(|problem| format!("Does not fit: {problem}")));
    let mut inner = talk.inner();
    inner.blocks = if problems.is_empty() { blocks } else { Vec::new() };
    let says = !inner.blocks.is_empty() || !problems.is_empty();
    (inner.page.notes, inner.page.diffs, inner.problems) = (notes, diffs, problems);
    says
}

/// Asks what is to become of an answer's edits.
pub async fn offer(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
) -> Result<(), String> {
    let (files, problems, repaired) = {
        let inner = talk.inner();
        (inner.page.diffs.len(), inner.problems.clone(), inner.repaired)
    };
    if problems.is_empty() {
        let text = format!(
            "tandem: Claude proposes edits in {}; the answer shows them.",
            preview::files(files)
        );
        return match choose(client, &text, &[APPLY, LATER]).await.as_deref() {
            Some(APPLY) => apply(client, session, talk, None).await,
            _ => Ok(()),
        };
    }
    let count = problems.len();
    let text = format!(
        "tandem: {count} of Claude's edits do not fit; nothing is changed. The answer says why."
    );
    if repaired {
        client.show_message(MessageType::WARNING, plain(text)).await;
        return Ok(());
    }
    if choose(client, &text, &[REPAIR, LATER]).await.as_deref() == Some(REPAIR) {
        return repair(client, session, talk).await;
    }
    Ok(())
}

/// `tandem.repair`: asks Claude to write edits again that do not fit, once. What is sent is shown before,
/// this time too.
pub async fn repair(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
) -> Result<(), String> {
    {
        let mut inner = talk.inner();
        if inner.problems.is_empty() || inner.repaired || inner.conversation.is_asking() {
            return Err("there is nothing to put right".into());
        }
        let question = edits::repair(&inner.problems);
        inner.repaired = true;
        inner.conversation.ask(&Asked { kind: Kind::Change, question, ..Asked::default() });
    }
    boxed_look(client, session, talk).await
}

/// `tandem.applyEdits`: all edits, or those of one file, which choosing them by its name agrees to.
pub async fn apply(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
    only: Option<&str>,
) -> Result<(), String> {
    let mut wanted = Vec::new();
    for change in fitting(session, talk, only)? {
        if let Some(why) = change.sensitive.as_ref().filter(|_| only.is_none()) {
            let text = format!("tandem: {} {why}. Change it?", change.edit.path);
            match choose(client, &text, &[APPLY, SKIP, STOP]).await.as_deref() {
                Some(APPLY) => {}
                Some(SKIP) => continue,
                _ => return Ok(()),
            }
        }
        wanted.push(change);
    }
    let facts = session.facts();
    if facts.annotates_changes && facts.changes_documents {
        let applied = send(client, session, talk, &wanted, true).await?;
        return done(client, if applied { wanted.len() } else { 0 }).await;
    }
    if only.is_none() {
        show(client, session, &talk.answer(), false).await;
    }
    let mut applied = 0;
    for change in wanted {
        let is_agreed = only.is_some() || change.sensitive.is_some();
        let asked = match is_agreed {
            true => Some(APPLY.to_owned()),
            false => {
                let text = format!("tandem: change {}? The answer shows how.", change.edit.path);
                choose(client, &text, &[APPLY, SKIP, STOP]).await
            }
        };
        match asked.as_deref() {
            Some(APPLY) => {
                let sent = send(client, session, talk, &[change], false).await;
                applied += usize::from(sent.map_err(|problem| after(applied, problem))?);
            }
            Some(SKIP) => {}
            Some(_) => break,
            // Closed, or an editor that shows no such messages.
            None => {
                let text =
                    "tandem: each file's edits can be applied from the code actions of the answer";
                client.show_message(MessageType::INFO, plain(text)).await;
                break;
            }
        }
    }
    done(client, applied).await
}

/// A problem, and what was done before it.
fn after(applied: usize, problem: String) -> String {
    match applied {
        0 => problem,
        count => format!("{} changed, then: {problem}", preview::files(count)),
    }
}

/// What an answer's edits make of the files as they are now, or of one of them.
fn fitting(session: &Session, talk: &Talk, only: Option<&str>) -> Result<Vec<Change>, String> {
    let mut blocks = talk.inner().blocks.clone();
    blocks.retain(|block| only.is_none_or(|only| block.path == only));
    if blocks.is_empty() {
        return Err("there are no edits to apply".into());
    }
    changes(session, talk, &blocks).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        format!("nothing is changed: {}", problems.join(" "))
    })
}

async fn done(client: &Client, files: usize) -> Result<(), String> {
    let text = match files {
        0 => "tandem: nothing is changed".to_owned(),
        count => format!("tandem: {} changed", preview::files(count)),
    };
    client.show_message(MessageType::INFO, plain(text)).await;
    Ok(())
}

/// What the blocks make of the files as they are now; all or nothing. Each file is read once.
fn changes(session: &Session, talk: &Talk, blocks: &[Block]) -> Result<Vec<Change>, Vec<Problem>> {
    let (sent, placeholders) = {
        let inner = talk.inner();
        (inner.conversation.sent.clone(), inner.conversation.placeholders.clone())
    };
    let place = |name: &str| edits::place(&talk.folders, name);
    let mut refused: Vec<Problem> = Vec::new();
    let mut reads: HashMap<&str, Option<Read>> = HashMap::new();
    for block in blocks {
        match place(&block.path) {
            Place::Fine(path) | Place::NeedsYes(path, _) => {
                reads.entry(&block.path).or_insert_with(|| session.text_at(&path));
            }
            Place::Refused(why) => {
                refused.push(Problem::Refused { path: block.path.clone(), why });
            }
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let read = |name: &str| reads.get(name).cloned().flatten();
    let now = |name: &str| read(name).map(|read| read.text);
    let mut changes = Vec::new();
    for edit in edits::resolve(blocks, &sent, &now, &placeholders)? {
        let (path, sensitive) = match place(&edit.path) {
            Place::Fine(path) => (path, None),
            Place::NeedsYes(path, why) => (path, Some(why)),
            Place::Refused(why) => {
                refused.push(Problem::Refused { path: edit.path, why });
                continue;
            }
        };
        if edit.created && path.symlink_metadata().is_ok() {
            let path = edit.path;
            refused.push(Problem::Refused { path, why: "it exists already".into() });
            continue;
        }
        let (before, version) =
            read(&edit.path).map(|it| (it.text, it.version)).unwrap_or_default();
        changes.push(Change { edit, path, before, version, sensitive });
    }
    if refused.is_empty() { Ok(changes) } else { Err(refused) }
}

impl Change {
    /// What a person should know before saying yes.
    fn notes(&self) -> Vec<String> {
        let path = &self.edit.path;
        let mut notes = Vec::new();
        if self.edit.created {
            notes.push(format!("`{path}` is a new file."));
        }
        if let Some(why) = &self.sensitive {
            notes.push(format!("`{path}` {why}."));
        }
        let after = self.edit.applied(&self.before);
        if edits::breaks_syntax(&syntax::language_of(&self.path), &self.before, &after) {
            notes.push(format!("`{path}` does not parse any more with this."));
        }
        notes
    }

    /// As `documentChanges` have it.
    fn document_changes(&self, encoding: Encoding, annotated: bool) -> Option<Vec<Value>> {
        let uri = Url::from_file_path(&self.path).ok()?;
        let edits = self.edits(encoding, annotated);
        let document = json!({"uri": uri, "version": self.version});
        Some(vec![json!({"textDocument": document, "edits": edits})])
    }

    fn creation(&self, annotated: bool) -> Option<Vec<Value>> {
        let uri = Url::from_file_path(&self.path).ok()?;
        let mut create = json!({"kind": "create", "uri": uri, "options": {"overwrite": false}});
        if annotated {
            create["annotationId"] = json!(ANNOTATION);
        }
        let edits = self.edits(Encoding::Utf8, annotated);
        let write = json!({"textDocument": {"uri": uri, "version": null}, "edits": edits});
        Some(vec![create, write])
    }

    fn edits(&self, encoding: Encoding, annotated: bool) -> Vec<Value> {
        let rope = ropey::Rope::from_str(&self.before);
        let place = |byte| WirePosition::from(position::from_byte(&rope, byte, encoding));
        let edits = self.edit.edits.iter().map(|(range, text)| {
            let range = json!({"start": place(range.start), "end": place(range.end)});
            let mut edit = json!({"range": range, "newText": text});
            if annotated {
                edit["annotationId"] = json!(ANNOTATION);
            }
            edit
        });
        edits.collect()
    }
}

const ANNOTATION: &str = "claude";

/// Sends one edit to the client; whether it was applied.
async fn send(
    client: &Client,
    session: &Session,
    talk: &Talk,
    changes: &[Change],
    annotated: bool,
) -> Result<bool, String> {
    if changes.is_empty() {
        return Ok(false);
    }
    for change in changes {
        // A question may have stood for minutes. What changes from here on the version tells the client.
        let fresh = fitting(session, talk, Some(&change.edit.path))?;
        let is_same = |it: &Change| it.before == change.before && it.version == change.version;
        if !fresh.iter().all(is_same) {
            return Err(format!("{} has changed meanwhile; apply again", change.edit.path));
        }
    }
    let facts = session.facts();
    let mut edit = if facts.changes_documents {
        let mut all = Vec::new();
        for change in changes {
            if change.edit.created && !facts.creates_files {
                return Err(format!(
                    "your editor cannot create {} for a language server; create it empty, then apply again",
                    change.edit.path
                ));
            }
            let made = match change.edit.created {
                true => change.creation(annotated),
                false => change.document_changes(facts.encoding, annotated),
            };
            all.extend(made.ok_or_else(|| format!("{} is gone", change.edit.path))?);
        }
        json!({"documentChanges": all})
    } else {
        let mut all = serde_json::Map::new();
        for change in changes {
            let uri = Url::from_file_path(&change.path).map_err(|()| "a file has no address")?;
            all.insert(uri.into(), json!(change.edits(facts.encoding, false)));
        }
        json!({"changes": all})
    };
    if annotated {
        let about = json!({"label": "Claude's edits", "needsConfirmation": true});
        edit["changeAnnotations"] = json!({ANNOTATION: about});
    }
    let asked =
        client.send_request::<Apply>(json!({"label": "tandem: Claude's edits", "edit": edit}));
    let answer =
        asked.await.map_err(|error| format!("the editor did not apply the edits: {error}"))?;
    match (answer.applied, answer.failure_reason) {
        (false, Some(why)) => Err(format!("the editor did not apply the edits: {why}")),
        (applied, _) => {
            if applied {
                // Applied twice they might fit again.
                let is_done = |path: &str| changes.iter().any(|change| change.edit.path == path);
                talk.inner().blocks.retain(|block| !is_done(&block.path));
            }
            Ok(applied)
        }
    }
}

impl Session {
    /// A file's text, as the editor has it or as it is on the disk; `None` also for one that is open and
    /// whose text is not known.
    fn text_at(&self, path: &Path) -> Option<Read> {
        self.buffer_read(path).unwrap_or_else(|| from_disk(path))
    }
}
