//! The real server in this process, and an editor at the other end of a pipe.
//!
//! In: the engine, a tree to open as the workspace, and settings. Out: what the server would show at a
//! row's place. The server's settings are the default ones but for what would make rows depend on each
//! other or on the machine's speed: no answer from earlier suggestions, no work ahead, and a block is
//! waited for. It also answers in strings and comments. Refuses: a server that does not
//! answer, by saying so.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ropey::Rope;
use serde_json::json;
use tandem::ask::ledger::Ledger;
use tandem::ask::papers::Papers;
use tandem::client::{Client, ClientError, Edit, Item, Position, Range, Trigger};
use tandem::document::{Encoding, position};
use tandem::eval::row::Row;
use tandem::eval::trees;
use tandem::journal::Journal;
use tandem::lsp::{self, Parts, SharedSettings};
use tandem::settings::Layers;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::{Handle, Runtime};

use crate::recorder::{Mode, Recorder};

/// How long an answer may take; a cold one takes a second or two on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a tree may take to be read.
const READING: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(20);

/// What to start a server with.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The workspace, if its files are to be known, and how many of them the index will hold.
    pub tree: Option<(&'a Path, usize)>,
    /// Bytes of other files' definitions, where they are known.
    pub bytes: usize,
    /// Show what the model is unsure of, too.
    pub unsure: bool,
}

/// One server and its editor.
pub struct Server {
    client: Client,
    recorder: Arc<Recorder>,
}

/// What would be shown.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Shown {
    pub text: String,
    /// Bytes behind the cursor that it replaces.
    pub replaces: usize,
}

impl Server {
    /// # Errors
    /// As [`Client`] has them; a tree that is not read in time is a deadline.
    pub fn start(
        runtime: &Runtime,
        recorder: &Arc<Recorder>,
        setting: Setting<'_>,
    ) -> Result<Server, ClientError> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (server_in, server_out) = tokio::io::split(theirs);
        let engine = recorder.clone();
        let settings = SharedSettings::default();
        let (user, journal) = (Ok(Layers::default()), Journal::default());
        let (ledger, papers) = (Ledger::at(None), Papers::default());
        let parts = Parts { engine, settings, user, store: None, journal, ledger, papers };
        runtime.spawn(lsp::serve(server_in, server_out, parts));
        let (from_server, to_server) = tokio::io::split(ours);
        let handle = runtime.handle().clone();
        let from_server = Output(from_server, handle.clone());
        let mut client =
            Client::over(from_server, Input(to_server, handle), serde_json::Value::Null);
        let mut options = json!({"completion": {
            "reuse": false,
            "ahead": false,
            "in_strings_and_comments": true,
            "block_ms": 60_000,
        }});
        if setting.unsure {
            options["completion"]["confidence"] = json!(0);
        }
        let folders: Vec<_> = setting.tree.iter().map(|(tree, _)| trees::uri(tree)).collect();
        let bytes = if setting.tree.is_some() { setting.bytes } else { 0 };
        options["context"] = json!({"definitions_bytes": bytes});
        client.initialize_in(&folders, options)?;
        let mut server = Server { client, recorder: recorder.clone() };
        if let Some((_, files)) = setting.tree {
            server.wait_for_index(files)?;
        }
        Ok(server)
    }

    fn wait_for_index(&mut self, files: usize) -> Result<(), ClientError> {
        let deadline = Instant::now() + READING;
        loop {
            let status = self.client.execute("tandem.status", vec![])?;
            if status["workspace"]["files"].as_u64() >= Some(files as u64) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let method = "tandem.status, until the workspace is read".to_owned();
                return Err(ClientError::Deadline { method, after: READING });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Opens a row's text as it is.
    pub fn open(&mut self, row: &Row) {
        self.client.open(&row.uri, &row.language, &row.text());
    }

    /// Opens a row's text without its line, goes there, and types the line up to the cursor. So what
    /// is known of other files is chosen at the line's start, where one asks first.
    ///
    /// # Errors
    /// As [`Client`] has them.
    pub fn open_and_type(&mut self, row: &Row) -> Result<(), ClientError> {
        let line = row.line_before();
        let indent = line.len() - line.trim_start().len();
        let start = row.before.len() - line.len() + indent;
        let text = format!("{}{}", &row.before[..start], row.after);
        let at = place(&Rope::from_str(&text), start);
        self.client.open(&row.uri, &row.language, &text);
        self.recorder.set(Mode::Mute);
        self.inline(row, at, Trigger::Automatic)?;
        let edit = Edit { range: Range { start: at, end: at }, text: line[indent..].to_owned() };
        self.client.change(&row.uri, 2, &edit);
        Ok(())
    }

    /// What is shown at the row's cursor.
    ///
    /// # Errors
    /// As [`Client`] has them.
    pub fn ask(&mut self, row: &Row, trigger: Trigger) -> Result<Option<Shown>, ClientError> {
        let text = Rope::from_str(&row.text());
        let cursor = row.before.len();
        let Some(item) = self.inline(row, place(&text, cursor), trigger)? else { return Ok(None) };
        let range = item.range.unwrap_or_default();
        let byte = |at: Position| {
            let at = position::Position { line: at.line, character: at.character };
            position::to_byte(&text, at, Encoding::Utf8)
        };
        let (start, end) = (byte(range.start), byte(range.end));
        let typed = text.byte_slice(start.min(cursor)..cursor).to_string();
        let shown = item.insert_text.strip_prefix(&typed).map(str::to_owned);
        let shown = shown.filter(|_| start <= cursor && end >= cursor);
        let text = shown.ok_or_else(|| ClientError::Senseless {
            method: "textDocument/inlineCompletion".into(),
            why: "it does not go on from what is typed".into(),
        })?;
        Ok(Some(Shown { text, replaces: end - cursor }))
    }

    fn inline(
        &mut self,
        row: &Row,
        at: Position,
        trigger: Trigger,
    ) -> Result<Option<Item>, ClientError> {
        let id = self.client.start_inline(&row.uri, at, trigger);
        self.client.finish_inline_within(id, PATIENCE)
    }

    pub fn close(&mut self, row: &Row) {
        self.client.close(&row.uri);
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`Client`] has them.
    pub fn end(self) -> Result<(), ClientError> {
        self.client.shutdown().map(drop)
    }
}

/// A byte as a position.
fn place(text: &Rope, byte: usize) -> Position {
    let at = position::from_byte(text, byte, Encoding::Utf8);
    Position { line: at.line, character: at.character }
}

/// The editor's ends of the pipe, for threads that may wait.
struct Output(ReadHalf<DuplexStream>, Handle);
struct Input(WriteHalf<DuplexStream>, Handle);

impl Read for Output {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.1.block_on(self.0.read(bytes))
    }
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.block_on(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.block_on(self.0.flush())
    }
}
