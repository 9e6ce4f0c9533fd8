//! Edits from an answer into the editor, after a person has looked at them.
//!
//! An answer's blocks are resolved anew against the texts as they are when they are applied; one that
//! does not fit leaves everything as it is. An editor that can ask for each change itself gets all files
//! in one edit, others one file at a time, each after a yes.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp::Client;
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{ApplyWorkspaceEditResponse, MessageType, Url};

use super::start::{boxed_look, choose};
use super::{Talk, show};
use crate::ask::conversation::Asked;
use crate::ask::edits::{self, Block, FileEdit, Place, Problem};
use crate::ask::question::Kind;
use crate::ask::sources::from_disk;
use crate::document::{Encoding, position};
use crate::lsp::session::{Session, WirePosition};
use crate::syntax;

const APPLY: &str = "Apply";
const SKIP: &str = "Skip this file";
const STOP: &str = "Stop";
const REPAIR: &str = "Ask Claude to put that right";
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
        let text =
            format!("tandem: Claude proposes edits in {files} files; the answer shows them.");
        return match choose(client, &text, &[APPLY, LATER]).await.as_deref() {
            Some(APPLY) => apply(client, session, talk).await,
            _ => Ok(()),
        };
    }
    let count = problems.len();
    let text = format!(
        "tandem: {count} of Claude's edits do not fit; nothing is changed. The answer says why."
    );
    if repaired {
        client.show_message(MessageType::WARNING, text).await;
        return Ok(());
    }
    if choose(client, &text, &[REPAIR, LATER]).await.as_deref() == Some(REPAIR) {
        let question = edits::repair(&problems);
        let asked = Asked { kind: Kind::Change, question, ..Asked::default() };
        {
            let mut inner = talk.inner();
            inner.repaired = true;
            inner.conversation.ask(&asked);
        }
        // What is sent is shown before, this time too.
        return boxed_look(client, session, talk).await;
    }
    Ok(())
}

/// `tandem.applyEdits`.
pub async fn apply(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
) -> Result<(), String> {
    let blocks = talk.inner().blocks.clone();
    if blocks.is_empty() {
        return Err("there are no edits to apply".into());
    }
    let all = changes(session, talk, &blocks).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        format!("nothing is changed: {}", problems.join(" "))
    })?;
    let mut wanted = Vec::new();
    for change in all {
        if let Some(why) = &change.sensitive {
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
        let applied = send(client, session, &wanted, true).await?;
        return done(client, if applied { wanted.len() } else { 0 }).await;
    }
    show(client, session, &talk.answer()).await;
    let mut applied = 0;
    for change in wanted {
        let asked = match &change.sensitive {
            Some(_) => Some(APPLY.to_owned()),
            None => {
                let text = format!("tandem: change {}? The answer shows how.", change.edit.path);
                choose(client, &text, &[APPLY, SKIP, STOP]).await
            }
        };
        match asked.as_deref() {
            Some(APPLY) => applied += usize::from(send(client, session, &[change], false).await?),
            Some(SKIP) => {}
            _ => break,
        }
    }
    done(client, applied).await
}

async fn done(client: &Client, files: usize) -> Result<(), String> {
    let text = match files {
        0 => "tandem: nothing is changed".to_owned(),
        1 => "tandem: one file is changed".to_owned(),
        files => format!("tandem: {files} files are changed"),
    };
    client.show_message(MessageType::INFO, text).await;
    Ok(())
}

/// What the blocks make of the files as they are now; all or nothing.
fn changes(session: &Session, talk: &Talk, blocks: &[Block]) -> Result<Vec<Change>, Vec<Problem>> {
    let (sent, placeholders) = {
        let inner = talk.inner();
        (inner.conversation.sent.clone(), inner.conversation.placeholders.clone())
    };
    let place = |name: &str| edits::place(&talk.folders, name);
    let now = |name: &str| match place(name) {
        Place::Fine(path) | Place::NeedsYes(path, _) => {
            session.text_at(&path).map(|(text, _)| text)
        }
        Place::Refused(_) => None,
    };
    let resolved = edits::resolve(blocks, &sent, &now, &placeholders)?;
    let mut changes = Vec::new();
    let mut problems = Vec::new();
    for edit in resolved {
        let (path, sensitive) = match place(&edit.path) {
            Place::Fine(path) => (path, None),
            Place::NeedsYes(path, why) => (path, Some(why)),
            Place::Refused(why) => {
                problems.push(Problem::Refused { path: edit.path, why });
                continue;
            }
        };
        if edit.created && path.symlink_metadata().is_ok() {
            problems.push(Problem::Exists { line: 0, path: edit.path });
            continue;
        }
        let before = session.text_at(&path).map(|(text, _)| text).unwrap_or_default();
        changes.push(Change { edit, path, before, sensitive });
    }
    if problems.is_empty() { Ok(changes) } else { Err(problems) }
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
    fn document_changes(&self, session: &Session, annotated: bool) -> Option<Vec<Value>> {
        let uri = Url::from_file_path(&self.path).ok()?;
        let (encoding, version) = (session.facts().encoding, session.text_at(&self.path)?.1);
        let edits = self.edits(encoding, annotated);
        Some(vec![json!({"textDocument": {"uri": uri, "version": version}, "edits": edits})])
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
    changes: &[Change],
    annotated: bool,
) -> Result<bool, String> {
    if changes.is_empty() {
        return Ok(false);
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
                false => change.document_changes(session, annotated),
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
        (applied, _) => Ok(applied),
    }
}

impl Session {
    /// A file's text, as the editor has it or as it is on the disk, and the editor's version.
    pub(super) fn text_at(&self, path: &std::path::Path) -> Option<(String, Option<i32>)> {
        let open = self.buffer_read(path);
        let read = open.or_else(|| from_disk(path))?;
        Some((read.text, read.version))
    }
}
