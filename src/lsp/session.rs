//! What one client has open and has asked for. One owner per fact; no lock is held across an await.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dashmap::DashMap;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tower_lsp::lsp_types::Url;

use super::Parts;
use super::ask::Asks;
use super::client_facts::ClientFacts;
use super::popup::LastAsked;
use super::progress::Cancellable;
use super::status::Board;
use crate::ask::sources::Read;
use crate::completer::{Completer, Place};
use crate::document::{Change, Document, EditError, Position, Range, Snapshot};
use crate::journal::Journal;
use crate::journal::watch::Watch;
use crate::model::Store;
use crate::settings::{Layers, Settings};
use crate::wanted;
use crate::workspace::Workspace;

/// The settings as they are now.
#[derive(Clone, Default)]
pub struct SharedSettings(Arc<RwLock<Arc<Settings>>>);

impl SharedSettings {
    /// The settings as they are now.
    pub fn get(&self) -> Arc<Settings> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces them.
    pub fn set(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}

/// A request's moment: the text as it was when the request arrived, and whether it still matters.
pub struct Ticket {
    /// `None` for a document that is not open or not in sync.
    pub snapshot: Option<Snapshot>,
    /// Something newer came for the same document.
    pub superseded: CancellationToken,
}

/// A document that a client has open.
pub struct Open {
    pub document: Document,
    /// What becomes of the suggestions in it.
    pub watch: Watch,
    /// The higher, the later it was opened or changed.
    pub(super) changed: u64,
}

/// One client's session.
pub struct Session {
    pub completer: Completer,
    pub workspace: Arc<Workspace>,
    pub settings: SharedSettings,
    pub store: Option<Store>,
    pub journal: Journal,
    pub asks: Asks,
    pub progress: Cancellable,
    pub board: Board,
    pub(super) menu_asked: LastAsked,
    folders: RwLock<Vec<PathBuf>>,
    /// The next suggestion's number.
    pub(super) suggestions: AtomicU64,
    layers: Mutex<Layers>,
    /// What to say once the client listens.
    first_words: Mutex<Vec<String>>,
    said: Mutex<Vec<String>>,
    facts: RwLock<ClientFacts>,
    paused: AtomicBool,
    pub(super) documents: DashMap<String, Open>,
    /// For each document the newest request's `superseded`.
    turns: DashMap<String, CancellationToken>,
    tickets: DashMap<u64, Ticket>,
    next_ticket: AtomicU64,
    changes: AtomicU64,
    shut_down: AtomicBool,
    exited: CancellationToken,
}

impl Session {
    pub fn new(parts: Parts) -> Session {
        let Parts { engine, settings, user, store, journal, ledger, papers } = parts;
        let (layers, first_words) = match user {
            Ok(layers) => (layers, Vec::new()),
            Err(problem) => (Layers::default(), vec![problem]),
        };
        let workspace: Arc<Workspace> = Arc::default();
        Session {
            completer: Completer::within(engine, workspace.clone()),
            workspace,
            settings,
            store,
            journal,
            asks: Asks::new(ledger, papers),
            progress: Cancellable::default(),
            board: Board::default(),
            menu_asked: LastAsked::default(),
            folders: RwLock::default(),
            suggestions: AtomicU64::new(1),
            layers: Mutex::new(layers),
            first_words: Mutex::new(first_words),
            said: Mutex::default(),
            facts: RwLock::default(),
            paused: AtomicBool::new(false),
            documents: DashMap::new(),
            turns: DashMap::new(),
            tickets: DashMap::new(),
            next_ticket: AtomicU64::new(1),
            changes: AtomicU64::new(1),
            shut_down: AtomicBool::new(false),
            exited: CancellationToken::new(),
        }
    }

    pub fn facts(&self) -> ClientFacts {
        self.facts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_facts(&self, facts: ClientFacts) {
        *self.facts.write().unwrap_or_else(PoisonError::into_inner) = facts;
    }

    /// The folders that the client has open.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.folders.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the folders that the client has open, and reads them where completions want it.
    pub fn set_folders(&self, folders: Vec<PathBuf>) {
        self.folders.write().unwrap_or_else(PoisonError::into_inner).clone_from(&folders);
        if self.settings.get().context.definitions_bytes > 0 {
            self.workspace.open_folders(folders);
        }
    }

    /// The client opened and closed folders. What was read of a closed one stays known until the session
    /// ends; nothing of it is sent or changed any more.
    pub fn change_folders(&self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|folder| !removed.contains(folder));
        let added: Vec<PathBuf> = added.into_iter().filter(|it| !folders.contains(it)).collect();
        folders.extend(added.iter().cloned());
        drop(folders);
        if self.settings.get().context.definitions_bytes > 0 {
            self.workspace.open_folders(added);
        }
    }

    /// An open document's text, by its file; `Some(None)` for one whose text is not known.
    pub fn buffer_read(&self, path: &Path) -> Option<Option<Read>> {
        let uri = Url::from_file_path(path).ok()?;
        // The client may write the same address in another way.
        let snapshot = |open: &Open| open.document.snapshot();
        let exact = self.documents.get(uri.as_str()).map(|open| snapshot(&open));
        let snapshot = exact.or_else(|| {
            let same = |key: &str| path_of(key).as_deref() == Some(path);
            self.documents.iter().find(|open| same(open.key())).map(|open| snapshot(&open))
        })?;
        let read = |it: Snapshot| Read { text: it.rope.to_string(), version: Some(it.version) };
        Some(snapshot.map(read))
    }

    /// The open documents whose text is known, by their URIs, the one that was changed last first.
    pub fn open_documents(&self) -> Vec<(String, Snapshot)> {
        let known = |open: dashmap::mapref::multiple::RefMulti<'_, String, Open>| {
            Some((open.changed, open.key().clone(), open.document.snapshot()?))
        };
        let mut documents: Vec<_> = self.documents.iter().filter_map(known).collect();
        documents.sort_by_key(|(changed, ..)| std::cmp::Reverse(*changed));
        documents.into_iter().map(|(_, uri, snapshot)| (uri, snapshot)).collect()
    }

    /// Changes one of the places that settings come from; returns what a person should hear.
    pub fn change_settings(&self, change: impl FnOnce(&mut Layers)) -> Vec<String> {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut layers);
        let (settings, mut warnings) = layers.settings();
        if let Some(store) = &self.store {
            warnings.extend(wanted::unusable_parts(&settings, store));
        }
        let before = self.settings.get();
        let is_other = before.model != settings.model
            || before.model_path != settings.model_path
            || before.engine.adapters != settings.engine.adapters;
        self.settings.set(settings);
        if is_other {
            // What another model suggested is not what this one would.
            self.documents.iter().for_each(|open| self.completer.forget(open.key()));
        }
        self.board.changed();
        let mut first = self.first_words.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.splice(0..0, first.drain(..));
        // Each is said once, however often settings change.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.retain(|warning| !said.contains(warning));
        said.extend(warnings.iter().cloned());
        warnings
    }

    /// Are completions wanted for this language?
    pub fn wants(&self, language: &str) -> bool {
        self.is_enabled() && !self.settings.get().disabled_languages.iter().any(|l| l == language)
    }

    /// Are completions on at all?
    pub fn is_enabled(&self) -> bool {
        self.settings.get().enabled && !self.paused.load(Ordering::Relaxed)
    }

    /// Pauses or resumes; returns whether completions are on now.
    pub fn toggle(&self) -> bool {
        let paused_before = self.paused.fetch_xor(true, Ordering::Relaxed);
        self.board.changed();
        paused_before
    }

    pub fn open(&self, params: DidOpen) {
        let DidOpen { text_document: d } = params;
        self.completer.forget(&d.uri);
        let document = Document::open(&d.text, d.version, &d.language_id);
        let snapshot = document.snapshot().filter(|s| !s.too_large());
        self.note_buffer(&d.uri, &document);
        let changed = self.changes.fetch_add(1, Ordering::Relaxed);
        let open = Open { document, watch: Watch::new(&d.language_id), changed };
        if let Some(reopened) = self.documents.insert(d.uri.clone(), open) {
            self.closed(reopened);
        }
        // Behind that: who goes on from here finds the new text.
        self.supersede(&d.uri);
        if self.wants(&d.language_id) {
            self.completer.engine().wake();
        }
        if let Some(snapshot) = snapshot.filter(|_| self.wants(&d.language_id)) {
            let place = Place {
                document: &d.uri,
                path: &self.name(&d.uri),
                language: &d.language_id,
                text: &snapshot.rope,
                cursor: 0,
                invoked: false,
            };
            self.completer.opened(place, self.settings.get().style());
        }
    }

    /// `Err` with a warning when the document is unknown or the change does not fit.
    pub fn change(&self, params: DidChange) -> Result<(), String> {
        let DidChange { text_document: ChangedDocument { uri, version }, content_changes } = params;
        let result = self.apply(&uri, version, content_changes);
        // Behind the change: who goes on from here finds the new text.
        self.supersede(&uri);
        result
    }

    fn apply(
        &self,
        uri: &str,
        version: Option<i32>,
        changes: Vec<ContentChange>,
    ) -> Result<(), String> {
        let Some(mut open) = self.documents.get_mut(uri) else {
            return Err(format!("{uri} was changed but is not open"));
        };
        open.changed = self.changes.fetch_add(1, Ordering::Relaxed);
        let before = open.document.snapshot().map(|snapshot| snapshot.rope);
        let document = &mut open.document;
        let version = version.unwrap_or(document.version());
        let changes: Vec<Change> = changes.into_iter().map(Change::from).collect();
        let result = document.change(version, &changes, self.facts().encoding);
        self.note_buffer(uri, document);
        if !matches!(result, Err(EditError::OldVersion { .. })) {
            self.changed(uri, before, &mut open);
        }
        result.map_err(|error: EditError| format!("{uri}: {error}"))
    }

    pub fn close(&self, params: DidClose) {
        let uri = params.text_document.uri;
        // Taken out first, so that nothing goes on from it.
        if let Some((_, turn)) = self.turns.remove(&uri) {
            turn.cancel();
        }
        if let Some((_, open)) = self.documents.remove(&uri) {
            self.closed(open);
        }
        self.completer.forget(&uri);
        self.completer.engine().keep();
        if let Some(path) = path_of(&uri) {
            self.workspace.file(&path);
        }
    }

    /// Somebody wrote a file. An open one counts as it is in the editor.
    pub fn file_changed(&self, uri: &str) {
        if let Some(path) = path_of(uri).filter(|_| !self.documents.contains_key(uri)) {
            self.workspace.file(&path);
        }
    }

    /// A change of this document went wrong halfway: what its text is now nobody knows.
    pub fn lose(&self, uri: &str) {
        if let Some(mut open) = self.documents.get_mut(uri) {
            open.document.lose();
        }
    }

    /// The open documents that get no suggestions whatever the cursor's place, and why, in a word or two.
    pub fn silent_documents(&self) -> Vec<(String, &'static str)> {
        let why = |open: &Open| match open.document.snapshot() {
            None => Some("out of sync"),
            Some(snapshot) if snapshot.too_large() => Some("too large"),
            Some(snapshot) if !self.wants(&snapshot.language_id) => Some("off"),
            Some(_) => None,
        };
        let silent = self.documents.iter().filter_map(|it| Some((it.key().clone(), why(&it)?)));
        let mut silent: Vec<_> = silent.collect();
        silent.sort();
        silent
    }

    /// A document's name in the workspace.
    pub fn name(&self, uri: &str) -> String {
        path_of(uri).map_or_else(String::new, |path| self.workspace.name(&path))
    }

    fn note_buffer(&self, uri: &str, document: &Document) {
        if self.settings.get().context.definitions_bytes == 0 {
            return;
        }
        let snapshot = document.snapshot().filter(|snapshot| !snapshot.too_large());
        if let (Some(path), Some(snapshot)) = (path_of(uri), snapshot) {
            self.workspace.buffer(&path, &snapshot.rope);
        }
    }

    /// Keeps a request's moment until its handler runs.
    pub fn ticket(&self, uri: &str) -> u64 {
        let superseded = CancellationToken::new();
        if let Some(older) = self.turns.insert(uri.to_owned(), superseded.clone()) {
            older.cancel();
        }
        // Behind the insertion: one or the other of the two sees it.
        if self.exited.is_cancelled() {
            superseded.cancel();
            self.turns.remove(uri);
        }
        let number = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        self.tickets.insert(number, Ticket { snapshot: self.snapshot(uri), superseded });
        number
    }

    /// A new moment for a request whose document has changed; `None` when something newer was asked
    /// for there, or the document was closed.
    pub fn ticket_again(&self, uri: &str, ticket: &Ticket) -> Option<Ticket> {
        let superseded = CancellationToken::new();
        {
            let mut turn = self.turns.get_mut(uri).filter(|turn| **turn == ticket.superseded)?;
            turn.clone_from(&superseded);
        }
        Some(Ticket { snapshot: self.snapshot(uri), superseded })
    }

    fn snapshot(&self, uri: &str) -> Option<Snapshot> {
        self.documents.get(uri).and_then(|open| open.document.snapshot())
    }

    pub fn take_ticket(&self, number: u64) -> Option<Ticket> {
        self.tickets.remove(&number).map(|(_, ticket)| ticket)
    }

    fn supersede(&self, uri: &str) {
        if let Some(turn) = self.turns.get(uri) {
            turn.cancel();
        }
    }

    /// The session ends: who still waits for a suggestion hears that there is none.
    pub fn leave(&self) {
        self.exited.cancel();
        // Both under one lock: a menu that goes on with its word must not take a new turn between them.
        self.turns.retain(|_, turn| {
            turn.cancel();
            false
        });
    }

    pub fn shut_down(&self) {
        self.shut_down.store(true, Ordering::Relaxed);
    }

    pub fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Relaxed)
    }

    pub fn exit(&self) {
        self.exited.cancel();
    }

    pub async fn exited(&self) {
        self.exited.cancelled().await;
    }

    pub fn exit_code(&self) -> i32 {
        i32::from(!self.is_shut_down())
    }
}

/// The file that a URI names; `None` for a document that is in no file.
pub fn path_of(uri: &str) -> Option<PathBuf> {
    Url::parse(uri).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// `textDocument/didOpen`. These three are ours because a URI here is only a name: one that does
/// not parse is as good as any other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidOpen {
    text_document: OpenedDocument,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenedDocument {
    uri: String,
    #[serde(default)]
    language_id: String,
    version: i32,
    text: String,
}

/// `textDocument/didChange`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidChange {
    text_document: ChangedDocument,
    content_changes: Vec<ContentChange>,
}

#[derive(Deserialize)]
struct ChangedDocument {
    uri: String,
    version: Option<i32>,
}

#[derive(Deserialize)]
struct ContentChange {
    range: Option<WireRange>,
    text: String,
}

/// `textDocument/didClose`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidClose {
    text_document: NamedDocument,
}

/// A document by its URI.
#[derive(Deserialize)]
pub struct NamedDocument {
    pub uri: String,
}

/// A position as the protocol writes it.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, Eq)]
pub struct WirePosition {
    pub line: u32,
    pub character: u32,
}

/// A range as the protocol writes it.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, PartialEq, Eq)]
pub struct WireRange {
    pub start: WirePosition,
    pub end: WirePosition,
}

impl From<WirePosition> for Position {
    fn from(p: WirePosition) -> Position {
        Position { line: p.line, character: p.character }
    }
}

impl From<Position> for WirePosition {
    fn from(p: Position) -> WirePosition {
        WirePosition { line: p.line, character: p.character }
    }
}

impl From<ContentChange> for Change {
    fn from(change: ContentChange) -> Change {
        let range = change.range.map(|r| Range { start: r.start.into(), end: r.end.into() });
        Change { range, text: change.text }
    }
}
