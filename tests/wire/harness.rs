//! A raw client: writes bytes, reads frames, and knows what an editor would not look at.
//!
//! Every wait has a deadline, nothing sleeps. A server never outlives its test, and a test does not
//! end before the engines that its server started are gone.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often to look at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);

pub const FILE: &str = "file:///a.rs";
pub const INLINE: &str = "textDocument/inlineCompletion";

/// A message with its header.
pub fn frame(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// The folders of one user who has nothing yet.
pub struct Home(TempDir);

/// What a command said.
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Home {
        Home(tempfile::tempdir().expect("a folder"))
    }

    /// A home whose `config.toml` says this.
    pub fn with_config(text: &str) -> Home {
        let home = Home::new();
        fs::write(home.file("config.toml"), text).expect("a settings file");
        home
    }

    /// A home whose settings name a model file with this content, and that file.
    pub fn with_model(name: &str, content: &[u8]) -> (Home, PathBuf) {
        let home = Home::new();
        let model = home.file(name);
        fs::write(&model, content).expect("a model file");
        // A JSON string is a TOML string too.
        let setting = format!("model_path = {}\n", json!(model));
        fs::write(home.file("config.toml"), setting).expect("a settings file");
        (home, model)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Our binary in this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command
            .args(arguments)
            .env("TANDEM_RUNTIME_DIR", self.file("run"))
            .env("TANDEM_DATA_DIR", self.file("data"))
            .env("TANDEM_CACHE_DIR", self.file("cache"))
            .env("TANDEM_CONFIG", self.file("config.toml"))
            .env_remove("TANDEM_LOG");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments))
    }
}

/// Runs a command to its end.
pub fn said(mut command: Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("tandem runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Drop for Home {
    fn drop(&mut self) {
        // An engine holds its lock for as long as it lives. One without a model soon leaves.
        let locks = files_ending(&self.file("run"), ".lock");
        let gone = |lock: &PathBuf| File::open(lock).is_ok_and(|file| file.try_lock().is_ok());
        let in_time = until(|| locks.iter().all(gone).then_some(())).is_some();
        assert!(in_time || thread::panicking(), "an engine is still there");
    }
}

fn files_ending(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

/// Looks until there is something; `None` after the deadline.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + DEADLINE;
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::park_timeout(LOOK);
    }
    None
}

enum Incoming {
    Frame(Value),
    /// Bytes that are no frame.
    Garbage(String),
    End,
}

/// A running server.
pub struct Server {
    child: Child,
    /// `None` when closed.
    stdin: Option<ChildStdin>,
    inbox: Receiver<Incoming>,
    complaints: Receiver<String>,
    /// Messages that came while something else was waited for.
    kept: VecDeque<Value>,
    next_id: i64,
    version: i32,
    /// Dropped last: it waits for the engines.
    home: Home,
}

impl Server {
    /// A server in a new home that has not been spoken to.
    pub fn start() -> Server {
        Server::start_in(Home::new(), &[])
    }

    pub fn start_in(home: Home, environment: &[(&str, &str)]) -> Server {
        let mut child = home
            .command(&["serve"])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tandem starts");
        let (tell, inbox) = mpsc::channel();
        let stdout = child.stdout.take().expect("a pipe");
        thread::spawn(move || read_frames(BufReader::new(stdout), &tell));
        let (complain, complaints) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).all(|line| complain.send(line).is_ok())
        });
        Server {
            stdin: child.stdin.take(),
            child,
            inbox,
            complaints,
            kept: VecDeque::new(),
            next_id: 1,
            version: 1,
            home,
        }
    }

    /// A server in a new home, with one Rust file open.
    pub fn with_file(text: &str) -> Server {
        Server::with_file_in(Home::new(), text)
    }

    pub fn with_file_in(home: Home, text: &str) -> Server {
        let mut server = Server::start_in(home, &[]);
        server.initialize(json!({}));
        server.open(text);
        server
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `initialize` and `initialized`; `overrides` replace members of the usual parameters.
    pub fn initialize(&mut self, overrides: Value) -> Value {
        let answer = self.request("initialize", initialize_params(overrides));
        self.notify("initialized", json!({}));
        answer["result"].clone()
    }

    pub fn open(&mut self, text: &str) {
        let document = json!({"uri": FILE, "languageId": "rust", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Replaces a piece of the file's first line. `text` is JSON, so that it may be what no Rust
    /// string can hold.
    pub fn replace(&mut self, from: u32, to: u32, text: &str) {
        self.version += 1;
        let body = format!(
            r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{{
            "textDocument":{{"uri":"{FILE}","version":{}}},
            "contentChanges":[{{"range":{{"start":{{"line":0,"character":{from}}},
            "end":{{"line":0,"character":{to}}}}},"text":{text}}}]}}}}"#,
            self.version
        );
        self.send_raw(&frame(body.as_bytes()));
    }

    /// Asks for ghost text and waits for the answer.
    pub fn ghost(&mut self, line: u32, character: u32) -> Value {
        self.request(INLINE, ghost_params(line, character))["result"].clone()
    }

    pub fn status(&mut self) -> Value {
        let params = json!({"command": "tandem.status"});
        self.request("workspace/executeCommand", params)["result"].clone()
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id();
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.answer(id)
    }

    pub fn next_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub fn send(&mut self, message: &Value) {
        self.send_raw(&frame(message.to_string().as_bytes()));
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("an open input");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// The answer to a request.
    pub fn answer(&mut self, id: i64) -> Value {
        self.wait_for(&format!("the answer to {id}"), |m| {
            m["id"] == json!(id) && m.get("method").is_none()
        })
    }

    /// The next message to the person.
    pub fn message(&mut self) -> String {
        let message = self.wait_for("a message", is_message);
        message["params"]["message"].as_str().expect("text").to_owned()
    }

    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at).expect("just found");
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next(deadline) {
                Some(message) if wanted(&message) => return message,
                Some(message) => self.kept.push_back(message),
                None => panic!("{what} did not come; kept: {:?}", self.kept),
            }
        }
    }

    /// The next frame; `None` when none came before the deadline or none will come.
    fn next(&mut self, deadline: Instant) -> Option<Value> {
        match self.inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Incoming::Frame(message)) => Some(message),
            Ok(Incoming::Garbage(what)) => panic!("standard output carries {what:?}"),
            Ok(Incoming::End) | Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => None,
        }
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Says goodbye as the protocol wants it and keeps its own end open.
    pub fn leave(&mut self) -> Farewell {
        assert_eq!(self.request("shutdown", Value::Null)["result"], Value::Null);
        self.notify("exit", Value::Null);
        self.farewell()
    }

    /// Waits until the process has ended and everything that it wrote is read.
    pub fn farewell(&mut self) -> Farewell {
        let status = until(|| self.child.try_wait().expect("a child"));
        let status = status.expect("the server did not end");
        let deadline = Instant::now() + DEADLINE;
        while let Some(message) = self.next(deadline) {
            self.kept.push_back(message);
        }
        let complaints = std::iter::from_fn(|| self.complaints.recv_timeout(DEADLINE).ok());
        Farewell {
            code: status.code(),
            complaints: complaints.collect::<Vec<_>>().join("\n"),
            unasked: self.kept.drain(..).collect(),
        }
    }
}

/// What a server left behind.
pub struct Farewell {
    pub code: Option<i32>,
    /// All of its standard error.
    pub complaints: String,
    /// The messages that no test waited for.
    pub unasked: Vec<Value>,
}

impl Farewell {
    /// The messages to the person that no test waited for.
    pub fn messages(&self) -> Vec<&Value> {
        self.unasked.iter().filter(|m| is_message(m)).collect()
    }
}

pub fn initialize_params(overrides: Value) -> Value {
    let mut params = json!({
        "processId": null,
        "capabilities": {"textDocument": {"inlineCompletion": {}}},
    });
    if let (Some(params), Value::Object(overrides)) = (params.as_object_mut(), overrides) {
        params.extend(overrides);
    }
    params
}

pub fn ghost_params(line: u32, character: u32) -> Value {
    json!({
        "textDocument": {"uri": FILE},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2},
    })
}

fn is_message(message: &Value) -> bool {
    message["method"] == "window/showMessage"
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads nothing but frames: one byte too many is garbage, and nothing after it is trusted.
fn read_frames(mut input: BufReader<ChildStdout>, tell: &Sender<Incoming>) {
    loop {
        let incoming = read_frame(&mut input);
        let last = !matches!(incoming, Incoming::Frame(_));
        if tell.send(incoming).is_err() || last {
            return;
        }
    }
}

fn read_frame(input: &mut impl BufRead) -> Incoming {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).expect("a pipe");
        let line = String::from_utf8_lossy(&line).into_owned();
        match (line.as_str(), length) {
            ("", None) => return Incoming::End,
            ("\r\n", Some(length)) => return read_body(input, length),
            _ => {}
        }
        let value = line.strip_prefix("Content-Length: ").and_then(|v| v.strip_suffix("\r\n"));
        match value.map(str::parse) {
            Some(Ok(value)) if length.is_none() => length = Some(value),
            _ => return Incoming::Garbage(line),
        }
    }
}

fn read_body(input: &mut impl Read, length: usize) -> Incoming {
    let mut body = vec![0; length];
    if input.read_exact(&mut body).is_err() {
        return Incoming::Garbage("half a frame".into());
    }
    match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Frame(message),
        Err(_) => Incoming::Garbage(String::from_utf8_lossy(&body).into_owned()),
    }
}
