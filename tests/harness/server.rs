//! A raw client: writes bytes, reads frames, and knows what an editor would not look at.
//!
//! Every wait has a deadline, nothing sleeps. A server never outlives its test, and a test does not
//! end before the engines that its server started are gone. Nor does it end before every request of
//! every session has had its one answer: that is checked here, so that no test can forget it.

#[path = "accounts.rs"]
mod accounts;
#[path = "gguf.rs"]
pub mod gguf;
#[path = "home.rs"]
mod home;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use accounts::Accounts;
pub use home::{Home, said, until};

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often to look at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);
/// A request is answered within a second whatever came before it; the rest is for a busy machine.
const PROMISED: Duration = Duration::from_secs(5);

pub const FILE: &str = "file:///a.rs";
pub const INLINE: &str = "textDocument/inlineCompletion";

/// A message with its header.
pub fn frame(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
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
    accounts: Accounts,
    /// Lets so many frames of the output be read.
    ear: Option<Sender<usize>>,
    /// Ends without an ear.
    ears: Option<JoinHandle<()>>,
    expects_answers: bool,
    /// It was killed, or its end was waited for.
    over: bool,
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
        let mut server = Server::start_deaf(home, environment);
        server.hear(usize::MAX);
        server
    }

    /// One whose output is not read before [`hear`](Server::hear).
    pub fn start_deaf(home: Home, environment: &[(&str, &str)]) -> Server {
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
        let (ear, heard) = mpsc::channel();
        let ears = thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            // Without an ear the pipe breaks.
            while let Ok(frames) = heard.recv() {
                if !read_frames(&mut stdout, frames, &tell) {
                    return;
                }
            }
        });
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
            accounts: Accounts::default(),
            ear: Some(ear),
            ears: Some(ears),
            expects_answers: true,
            over: false,
            next_id: 1,
            version: 1,
            home,
        }
    }

    /// Reads the next frames, as many as this.
    pub fn hear(&mut self, frames: usize) {
        let ear = self.ear.as_ref().expect("an ear");
        ear.send(frames).expect("a thread that reads");
    }

    /// No answer is expected of a server whose output stays open and is never read.
    pub fn unheard(&mut self) {
        self.expects_answers = false;
    }

    /// Closes the output of a server that nobody is reading from.
    pub fn go_deaf(&mut self) {
        self.ear = None;
        // What the server says before its pipe is closed breaks nothing.
        self.ears.take().expect("an output").join().expect("a thread that reads");
        self.expects_answers = false;
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
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Sends a request and does not wait for the answer.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id();
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
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

    /// Several messages in one write.
    pub fn send_all(&mut self, messages: &[Value]) {
        let frames = messages.iter().map(|message| frame(message.to_string().as_bytes()));
        self.send_raw(&frames.collect::<Vec<_>>().concat());
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.accounts.wrote(bytes);
        let stdin = self.stdin.as_mut().expect("an open input");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// The same to a server that may have ended.
    pub fn try_send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stdin.as_mut().expect("an open input").write_all(bytes);
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
            Ok(Incoming::Frame(message)) => {
                self.accounts.read(&message);
                Some(message)
            }
            Ok(Incoming::Garbage(what)) => panic!("standard output carries {what:?}"),
            Ok(Incoming::End) | Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => None,
        }
    }

    /// The session lives: the next request is answered in the time that was promised.
    #[track_caller]
    pub fn lives(&mut self) {
        let asked = Instant::now();
        assert!(self.status()["requests"].is_u64());
        assert!(asked.elapsed() < PROMISED, "answered only after {:?}", asked.elapsed());
    }

    /// Ends the process as no editor would; nothing is expected of it any more.
    pub fn kill(&mut self) {
        self.over = true;
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
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
        let deadline = Instant::now() + if self.expects_answers { DEADLINE } else { LOOK };
        while let Some(message) = self.next(deadline) {
            self.kept.push_back(message);
        }
        self.over = true;
        let open = if self.expects_answers { self.accounts.open() } else { Vec::new() };
        assert!(open.is_empty(), "never answered: {open:?}");
        let repeated = self.accounts.more_than_once();
        assert!(repeated.is_empty(), "answered more than once: {repeated:?}");
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
        if !self.over && !thread::panicking() {
            // What a test did not wait for is waited for here.
            let deadline = Instant::now() + DEADLINE;
            while !self.accounts.open().is_empty() {
                let Some(message) = self.next(deadline) else { break };
                self.kept.push_back(message);
            }
            if self.stdin.is_some() {
                self.notify("exit", Value::Null);
            }
            self.farewell();
        }
        // Both fail when it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads nothing but frames: one byte too many is garbage, and nothing after it is trusted. Whether there
/// can be more.
fn read_frames(input: &mut BufReader<ChildStdout>, count: usize, tell: &Sender<Incoming>) -> bool {
    (0..count).all(|_| {
        let incoming = read_frame(input);
        let last = !matches!(incoming, Incoming::Frame(_));
        tell.send(incoming).is_ok() && !last
    })
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
