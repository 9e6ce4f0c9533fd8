//! An editor for tests: the whole server in this process, on a scripted engine, over a pipe.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::ask::ledger::Ledger;
use tandem::ask::papers::Papers;
use tandem::engine::Engine;
use tandem::journal::Journal;
use tandem::lsp::{self, Parts, SharedSettings};
use tandem::settings::Layers;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(10);

pub const FILE: &str = "file:///a.rs";

pub struct Editor {
    to_server: DuplexStream,
    from_server: BufReader<DuplexStream>,
    server: JoinHandle<i32>,
    next_id: i64,
    /// Messages that came while something else was waited for.
    kept: VecDeque<Value>,
    version: i32,
}

impl Editor {
    /// An editor that shows ghost text, with one Rust file open.
    pub async fn with_file(engine: Arc<dyn Engine>, text: &str) -> Editor {
        let mut editor = Editor::start(engine);
        editor.initialize(json!({})).await;
        editor.open(FILE, "rust", text).await;
        editor
    }

    /// A server that has not been spoken to. It keeps no journal.
    pub fn start(engine: Arc<dyn Engine>) -> Editor {
        Editor::start_with(engine, Journal::default())
    }

    /// The same, with a journal.
    pub fn start_with(engine: Arc<dyn Engine>, journal: Journal) -> Editor {
        let settings = SharedSettings::default();
        let user = Ok(Layers::default());
        let (ledger, papers) = (Ledger::at(None), Papers::default());
        Editor::start_from(Parts { engine, settings, user, store: None, journal, ledger, papers })
    }

    /// A server of these parts.
    pub fn start_from(parts: Parts) -> Editor {
        let (to_server, server_in) = tokio::io::duplex(1 << 20);
        let (server_out, from_server) = tokio::io::duplex(1 << 20);
        let server = tokio::spawn(lsp::serve(server_in, server_out, parts));
        let from_server = BufReader::new(from_server);
        Editor { to_server, from_server, server, next_id: 1, kept: VecDeque::new(), version: 1 }
    }

    /// `initialize` and `initialized`; `overrides` are merged into the usual parameters.
    pub async fn initialize(&mut self, overrides: Value) -> Value {
        let mut params = json!({
            "processId": null,
            "capabilities": {"textDocument": {"inlineCompletion": {}}},
        });
        if let (Some(params), Some(overrides)) = (params.as_object_mut(), overrides.as_object()) {
            params.extend(overrides.clone());
        }
        let answer = self.request("initialize", params).await;
        self.notify("initialized", json!({})).await;
        answer["result"].clone()
    }

    pub async fn open(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document})).await;
    }

    /// Inserts text at a position of the first file.
    pub async fn insert(&mut self, line: u32, character: u32, text: &str) {
        self.replace((line, character), (line, character), text).await;
    }

    pub async fn replace(&mut self, from: (u32, u32), to: (u32, u32), text: &str) {
        self.version += 1;
        let at = |(line, character): (u32, u32)| json!({"line": line, "character": character});
        let params = json!({
            "textDocument": {"uri": FILE, "version": self.version},
            "contentChanges": [{"range": {"start": at(from), "end": at(to)}, "text": text}],
        });
        self.notify("textDocument/didChange", params).await;
    }

    /// The texts of the suggestions at a position, `null` as `None`.
    pub async fn ghost(&mut self, line: u32, character: u32) -> Option<Vec<String>> {
        let id = self.ask_ghost(line, character).await;
        let answer = self.answer(id).await;
        let items = answer["result"].as_array()?;
        Some(items.iter().map(|i| i["insertText"].as_str().unwrap_or_default().into()).collect())
    }

    /// As [`ghost`](Editor::ghost), because a person asked.
    pub async fn ghost_asked_for(&mut self, line: u32, character: u32) -> Option<Vec<String>> {
        let params = json!({
            "textDocument": {"uri": FILE},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        });
        let answer = self.request("textDocument/inlineCompletion", params).await;
        let items = answer["result"].as_array()?;
        Some(items.iter().map(|i| i["insertText"].as_str().unwrap_or_default().into()).collect())
    }

    /// Asks for suggestions and does not wait.
    pub async fn ask_ghost(&mut self, line: u32, character: u32) -> i64 {
        let params = json!({
            "textDocument": {"uri": FILE},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 2},
        });
        self.send_request("textDocument/inlineCompletion", params).await
    }

    pub async fn status(&mut self) -> Value {
        let params = json!({"command": "tandem.status"});
        self.request("workspace/executeCommand", params).await["result"].clone()
    }

    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params).await;
        self.answer(id).await
    }

    pub async fn send_request(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        id
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    pub async fn send(&mut self, message: Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.to_server.write_all(bytes).await.expect("the server reads");
    }

    /// The answer to a request.
    pub async fn answer(&mut self, id: i64) -> Value {
        self.wait_for(|m| m["id"] == json!(id) && m.get("method").is_none()).await
    }

    /// The next message that the server sends by itself with this method.
    pub async fn told(&mut self, method: &str) -> Value {
        self.wait_for(|m| m["method"] == json!(method)).await["params"].clone()
    }

    pub async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at).expect("just found");
        }
        loop {
            let message = tokio::time::timeout(DEADLINE, self.read()).await;
            let message =
                message.unwrap_or_else(|_| panic!("no answer in time, but {:#?}", self.kept));
            if wanted(&message) {
                return message;
            }
            self.kept.push_back(message);
        }
    }

    /// How often messages that were not waited for match.
    pub fn kept(&self, wanted: impl Fn(&Value) -> bool) -> usize {
        self.kept.iter().filter(|message| wanted(message)).count()
    }

    async fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut header = String::new();
            self.from_server.read_line(&mut header).await.expect("a header");
            match header.trim_end().split_once(": ") {
                Some((_, value)) => length = value.parse().expect("a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from_server.read_exact(&mut body).await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Says `exit`, or just goes away, and returns the exit code.
    pub async fn exit_code(mut self, polite: bool) -> i32 {
        if polite {
            self.notify("exit", Value::Null).await;
        } else {
            drop(self.to_server);
        }
        tokio::time::timeout(DEADLINE, self.server).await.expect("an end").expect("no panic")
    }
}
