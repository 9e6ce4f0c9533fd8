//! An editor at the other end of a pipe: the whole server in this process, on a scripted engine.
//!
//! The clock runs from the first byte written to the last byte of the answer read. Building and
//! understanding the messages is the editor's own business and stands outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::ask::ledger::Ledger;
use tandem::ask::papers::Papers;
use tandem::engine::Engine;
use tandem::journal::Journal;
use tandem::lsp::{self, Parts, SharedSettings};
use tandem::settings::Layers;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

const FILE: &str = "file:///typed.rs";

/// A place in the text: line and UTF-16 code unit, from 0.
pub type At = (u32, u32);

/// One client with one file open.
pub struct Editor {
    to_server: DuplexStream,
    from_server: BufReader<DuplexStream>,
    id: i64,
    version: i32,
}

/// What came of a key.
pub struct Answered {
    /// From the first byte of the change to the last byte of the answer.
    pub took: Duration,
    /// The text of the suggestion, if there was one.
    pub suggested: Option<String>,
}

impl Editor {
    /// A server with `text` open as Rust.
    pub async fn open(engine: Arc<dyn Engine>, text: &str) -> Editor {
        let (to_server, server_in) = tokio::io::duplex(1 << 20);
        let (server_out, from_server) = tokio::io::duplex(1 << 20);
        let settings = SharedSettings::default();
        let (user, journal) = (Ok(Layers::default()), Journal::default());
        let (ledger, papers) = (Ledger::at(None), Papers::default());
        let parts = Parts { engine, settings, user, store: None, journal, ledger, papers };
        tokio::spawn(lsp::serve(server_in, server_out, parts));
        let from_server = BufReader::new(from_server);
        let mut editor = Editor { to_server, from_server, id: 0, version: 0 };
        let capabilities = json!({"textDocument": {"inlineCompletion": {}}});
        let mut params = json!({"processId": null, "capabilities": capabilities});
        params["initializationOptions"] = json!({"completion": {"in_strings_and_comments": true}});
        let initialize = editor.request("initialize", params);
        editor.write(&initialize).await;
        editor.answer().await;
        editor.write(&notification("initialized", json!({}))).await;
        let document = json!({"uri": FILE, "languageId": "rust", "version": 0, "text": text});
        let open = notification("textDocument/didOpen", json!({"textDocument": document}));
        editor.write(&open).await;
        // Opening is no keystroke: wait until it is done.
        editor.key((0, 0), (0, 0), "", (0, 0)).await;
        editor
    }

    /// Replaces text and waits for nothing.
    pub async fn replace(&mut self, from: At, to: At, text: &str) {
        let change = self.change(from, to, text);
        self.write(&change).await;
    }

    /// Replaces text and asks for a suggestion at `cursor`, in one write, as an editor does.
    pub async fn key(&mut self, from: At, to: At, text: &str, cursor: At) -> Answered {
        let mut frames = self.change(from, to, text);
        let params = json!({
            "textDocument": {"uri": FILE},
            "position": position(cursor),
            "context": {"triggerKind": 2},
        });
        frames.extend(self.request("textDocument/inlineCompletion", params));
        let started = Instant::now();
        self.write(&frames).await;
        let body = self.answer().await;
        let took = started.elapsed();
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        assert!(answer.get("error").is_none(), "{answer}");
        let suggested = answer["result"][0]["insertText"].as_str().map(str::to_owned);
        Answered { took, suggested }
    }

    fn change(&mut self, from: At, to: At, text: &str) -> Vec<u8> {
        self.version += 1;
        let range = json!({"start": position(from), "end": position(to)});
        let params = json!({
            "textDocument": {"uri": FILE, "version": self.version},
            "contentChanges": [{"range": range, "text": text}],
        });
        notification("textDocument/didChange", params)
    }

    fn request(&mut self, method: &str, params: Value) -> Vec<u8> {
        self.id += 1;
        frame(json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.to_server.write_all(bytes).await.expect("the server reads");
    }

    /// The body of the answer to the last request; what the server says by itself is passed over.
    async fn answer(&mut self) -> Vec<u8> {
        let wanted = format!("\"id\":{}", self.id);
        loop {
            let body = self.body().await;
            if str::from_utf8(&body).is_ok_and(|body| body.contains(&wanted)) {
                return body;
            }
        }
    }

    async fn body(&mut self) -> Vec<u8> {
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
        body
    }
}

fn position((line, character): At) -> Value {
    json!({"line": line, "character": character})
}

fn notification(method: &str, params: Value) -> Vec<u8> {
    frame(json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

fn frame(message: Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
