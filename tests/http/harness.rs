//! A client that writes its own bytes, and a server with or without an editor behind it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::ask::ledger::Ledger;
use tandem::ask::papers::Papers;
use tandem::engine::Engine;
use tandem::engine::scripted::{Scripted, Step};
use tandem::http;
use tandem::journal::Journal;
use tandem::lsp::{self, Parts, Session, SharedSettings};
use tandem::settings::Layers;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What comes of something, unless it never comes.
pub async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("in time")
}

/// An engine that says nothing until it is dropped.
pub fn silent() -> Arc<Scripted> {
    Scripted::new(|_| vec![Step::Wait(Arc::new(Notify::new()))])
}

/// A prompt as Zed writes it, of a text with `$0` at the cursor.
pub fn prompt(text: &str) -> String {
    let (prefix, suffix) = text.split_once("$0").expect("a cursor");
    format!("<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>")
}

/// A server, and an editor that has started it.
pub struct Server {
    pub address: SocketAddr,
    pub session: Arc<Session>,
    _serving: AbortOnDropHandle<()>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The suggestion.
    pub fn text(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()["choices"][0]["text"].as_str().expect("a text").to_owned()
    }

    /// The sentence that says why there is none.
    pub fn problem(&self) -> String {
        self.json()["error"]["message"].as_str().expect("a message").to_owned()
    }
}

impl Server {
    pub async fn start(engine: Arc<dyn Engine>) -> Server {
        Server::start_with(engine, None).await
    }

    /// One that wants a token.
    pub async fn start_with(engine: Arc<dyn Engine>, token: Option<&str>) -> Server {
        let settings = SharedSettings::default();
        let (ledger, papers) = (Ledger::at(None), Papers::default());
        let (user, journal) = (Ok(Layers::default()), Journal::default());
        let parts = Parts { engine, settings, user, store: None, journal, ledger, papers };
        let session = Arc::new(Session::new(parts));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = http::serve(listener, session.clone(), token.map(Into::into));
        let serving = AbortOnDropHandle::new(tokio::spawn(serving));
        Server { address, session, _serving: serving }
    }

    /// Asks for a completion of a text with `$0` at the cursor.
    pub async fn complete(&self, text: &str) -> String {
        self.post(json!({"model": "tandem", "prompt": prompt(text)})).await.text()
    }

    pub async fn post(&self, body: Value) -> Reply {
        self.send(&self.request(&[], body.to_string().as_bytes())).await
    }

    /// A request's bytes, with these headers besides the usual ones.
    pub fn request(&self, headers: &[&str], body: &[u8]) -> Vec<u8> {
        let host = format!("Host: {}", self.address);
        let host = if headers.iter().any(|it| it.starts_with("Host:")) { None } else { Some(host) };
        let mut head = vec!["POST /v1/completions HTTP/1.1".to_owned()];
        head.extend(host);
        head.extend(headers.iter().map(|&header| header.to_owned()));
        head.push("Content-Type: application/json".into());
        head.push(format!("Content-Length: {}", body.len()));
        head.push("Connection: close\r\n\r\n".into());
        [head.join("\r\n").as_bytes(), body].concat()
    }

    /// Sends bytes and reads the answer to its end.
    pub async fn send(&self, bytes: &[u8]) -> Reply {
        read(self.begin(bytes).await).await
    }

    /// Sends bytes.
    pub async fn begin(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("somebody listens");
        stream.write_all(bytes).await.expect("somebody reads");
        stream
    }

    /// An editor of this server's session, with one Rust file open.
    pub async fn editor(&self, text: &str) -> Editor {
        let (to_server, server_in) = tokio::io::duplex(1 << 20);
        let (server_out, from_server) = tokio::io::duplex(1 << 20);
        tokio::spawn(lsp::serve_session(server_in, server_out, self.session.clone()));
        let mut editor = Editor { to_server, from_server: BufReader::new(from_server), next: 1 };
        let options = json!({"processId": null, "capabilities": {}, "clientInfo": {"name": "Zed"}});
        editor.request("initialize", options).await;
        editor.notify("initialized", json!({})).await;
        let document = json!({"uri": FILE, "languageId": "rust", "version": 1, "text": text});
        editor.notify("textDocument/didOpen", json!({"textDocument": document})).await;
        editor.status().await;
        editor
    }
}

/// Reads an answer to its end.
pub async fn read(mut stream: TcpStream) -> Reply {
    let mut answer = String::new();
    in_time(stream.read_to_string(&mut answer)).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Reply { status: status.expect("a status"), body: body.to_owned() }
}

pub const FILE: &str = "file:///project/a.rs";

/// The editor that has started a server.
pub struct Editor {
    to_server: DuplexStream,
    from_server: BufReader<DuplexStream>,
    next: i64,
}

impl Editor {
    /// Inserts text at a position. Returns when the server knows.
    pub async fn insert(&mut self, line: u32, character: u32, text: &str) {
        let at = json!({"line": line, "character": character});
        let params = json!({
            "textDocument": {"uri": FILE, "version": self.next},
            "contentChanges": [{"range": {"start": at, "end": at}, "text": text}],
        });
        self.notify("textDocument/didChange", params).await;
        self.status().await;
    }

    /// The server's settings from now on.
    pub async fn set(&mut self, settings: Value) {
        let params = json!({"settings": {"tandem": settings}});
        self.notify("workspace/didChangeConfiguration", params).await;
        self.status().await;
    }

    pub async fn status(&mut self) -> Value {
        self.request("workspace/executeCommand", json!({"command": "tandem.status"})).await
    }

    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        loop {
            let message = in_time(self.read()).await;
            if message["id"] == json!(id) && message.get("method").is_none() {
                return message["result"].clone();
            }
        }
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    async fn send(&mut self, message: Value) {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.to_server.write_all(frame.as_bytes()).await.expect("the server reads");
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
}
