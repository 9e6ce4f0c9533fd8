//! A small language client over a child's standard input and output, or a pipe to a server in this
//! process: for the demo, the benches and the tests.
//!
//! In: a program to start or a pipe, then requests. Out: its answers, its notifications, and the lines it
//! says on standard error. Every wait has a deadline; the child does not outlive the client.
//! Refuses: a server that does not count positions in UTF-8 (bytes), so that nothing here has to
//! convert. It is no editor: [`Editor`] is a small one on top of it.

pub mod buffer;
pub mod editor;
mod error;
mod item;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use buffer::{Buffer, Edit, Position, Range, Stroke};
pub use editor::Editor;
pub use error::{ClientError, Refusal};
pub use item::{AfterAccept, Item};
use wire::Incoming;

/// How long an ordinary request may take. A suggestion from nothing takes seconds on a slow CPU.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to answer `shutdown`, and again to be gone after `exit`.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often to look whether it is gone.
const LOOK: Duration = Duration::from_millis(5);
/// Lines from the server's standard error that are kept.
const COMPLAINTS: usize = 50;

const INLINE: &str = "textDocument/inlineCompletion";
const EXECUTE: &str = "workspace/executeCommand";

/// What to start, and what to tell it when it asks.
pub struct Launch<'a> {
    /// The server.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Environment variables besides our own.
    pub environment: &'a [(&'a str, OsString)],
    /// The answer to `workspace/configuration`, for every section asked for.
    pub configuration: Value,
}

/// A client of one running server.
pub struct Client {
    /// `None` for a server in this process.
    child: Option<Child>,
    outbox: mpsc::Sender<Vec<u8>>,
    inbox: mpsc::Receiver<Incoming>,
    /// The server has closed its output.
    ended: bool,
    answers: HashMap<i64, Result<Value, Refusal>>,
    notifications: VecDeque<Notification>,
    complaints: VecDeque<String>,
    next_id: i64,
}

/// Something the server says unasked.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// For example `$/progress`.
    pub method: String,
    /// Null when there are none.
    pub params: Value,
}

/// Why a suggestion is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A person asked.
    Invoked = 1,
    /// The editor asks while one types.
    Automatic = 2,
}

impl Client {
    /// Starts a server. It is not initialized yet.
    ///
    /// # Errors
    /// [`ClientError::Start`].
    pub fn spawn(launch: Launch<'_>) -> Result<Client, ClientError> {
        let Launch { program, arguments, environment, configuration } = launch;
        let failed = |error| ClientError::Start { program: program.to_owned(), error };
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (OsStr::new(name), value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            // All three were asked for above.
            return Err(failed(io::Error::other("no pipes")));
        };
        let (outbox, frames) = mpsc::channel();
        let (tell, inbox) = mpsc::channel();
        wire::write_frames(stdin, frames);
        wire::read_lines(stderr, tell.clone());
        wire::read_frames(stdout, tell, outbox.clone(), configuration);
        Ok(Client::with(Some(child), outbox, inbox))
    }

    /// A client of a server in this process, which reads what is written to `to_server`. It is not
    /// initialized yet. `configuration` as for [`Launch`].
    pub fn over(
        from_server: impl io::Read + Send + 'static,
        to_server: impl io::Write + Send + 'static,
        configuration: Value,
    ) -> Client {
        let (outbox, frames) = mpsc::channel();
        let (tell, inbox) = mpsc::channel();
        wire::write_frames(to_server, frames);
        wire::read_frames(from_server, tell, outbox.clone(), configuration);
        Client::with(None, outbox, inbox)
    }

    fn with(
        child: Option<Child>,
        outbox: mpsc::Sender<Vec<u8>>,
        inbox: mpsc::Receiver<Incoming>,
    ) -> Client {
        Client {
            child,
            outbox,
            inbox,
            ended: false,
            answers: HashMap::new(),
            notifications: VecDeque::new(),
            complaints: VecDeque::new(),
            next_id: 1,
        }
    }

    /// The server's process, which may be this one.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or_else(std::process::id, Child::id)
    }

    /// Introduces itself as an editor with ghost text. Returns the server's `InitializeResult`.
    ///
    /// # Errors
    /// Any; [`ClientError::Senseless`] when the server does not count in UTF-8.
    pub fn initialize(&mut self, options: Value) -> Result<Value, ClientError> {
        self.initialize_in(&[], options)
    }

    /// The same, with these folders open; each is a URI.
    ///
    /// # Errors
    /// As for [`initialize`](Self::initialize).
    pub fn initialize_in(
        &mut self,
        folders: &[String],
        options: Value,
    ) -> Result<Value, ClientError> {
        let folder = |uri: &String| json!({"uri": uri, "name": uri});
        let params = json!({
            "processId": std::process::id(),
            "clientInfo": {"name": "tandem-client", "version": env!("CARGO_PKG_VERSION")},
            "rootUri": null,
            "workspaceFolders": folders.iter().map(folder).collect::<Vec<_>>(),
            "initializationOptions": options,
            "capabilities": {
                "general": {"positionEncodings": ["utf-8", "utf-16"]},
                "textDocument": {
                    "synchronization": {"dynamicRegistration": false, "didSave": true},
                    "inlineCompletion": {"dynamicRegistration": false},
                },
                "window": {"workDoneProgress": true},
                "workspace": {"configuration": true, "executeCommand": {}},
            },
        });
        let result = self.request("initialize", params)?;
        if result.pointer("/capabilities/positionEncoding") != Some(&json!("utf-8")) {
            let why = "this client needs positionEncoding utf-8".to_owned();
            return Err(ClientError::Senseless { method: "initialize".into(), why });
        }
        self.notify("initialized", json!({}));
        Ok(result)
    }

    /// `textDocument/didOpen`, as version 1.
    pub fn open(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// `textDocument/didChange` with one edit.
    pub fn change(&mut self, uri: &str, version: i32, edit: &Edit) {
        let params = json!({
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"range": edit.range, "text": edit.text}],
        });
        self.notify("textDocument/didChange", params);
    }

    /// `textDocument/didClose`.
    pub fn close(&mut self, uri: &str) {
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    }

    /// `textDocument/inlineCompletion`, without waiting: the id to wait for, or to cancel.
    pub fn start_inline(&mut self, uri: &str, position: Position, trigger: Trigger) -> i64 {
        let params = json!({
            "textDocument": {"uri": uri},
            "position": position,
            "context": {"triggerKind": trigger as u32},
        });
        self.start(INLINE, params)
    }

    /// The suggestion that a request started with [`start_inline`](Self::start_inline) got; the
    /// first if there are more, `None` for an empty list, for null, and for a snippet.
    ///
    /// # Errors
    /// Any but [`ClientError::Start`].
    pub fn finish_inline(&mut self, id: i64) -> Result<Option<Item>, ClientError> {
        self.finish_inline_within(id, PATIENCE)
    }

    /// The same for somebody who does not wait long. After [`ClientError::Deadline`] the answer can
    /// still be waited for.
    ///
    /// # Errors
    /// Any but [`ClientError::Start`].
    pub fn finish_inline_within(
        &mut self,
        id: i64,
        patience: Duration,
    ) -> Result<Option<Item>, ClientError> {
        let mut result = self.wait(id, INLINE, patience)?;
        // The protocol allows a bare list and a list in an object.
        if let Some(items) = result.get_mut("items") {
            result = items.take();
        }
        let Some(first) = result.as_array_mut().and_then(|items| items.drain(..).next()) else {
            return Ok(None);
        };
        if first["insertText"].is_object() {
            return Ok(None);
        }
        serde_json::from_value(first).map(Some).map_err(|error| ClientError::Senseless {
            method: INLINE.into(),
            why: error.to_string(),
        })
    }

    /// Asks for a suggestion and waits for it.
    ///
    /// # Errors
    /// As for [`finish_inline`](Self::finish_inline).
    pub fn inline(
        &mut self,
        uri: &str,
        position: Position,
        trigger: Trigger,
    ) -> Result<Option<Item>, ClientError> {
        let id = self.start_inline(uri, position, trigger);
        self.finish_inline(id)
    }

    /// `$/cancelRequest`. The answer still comes, and is an error if the request was under way.
    pub fn cancel(&mut self, id: i64) {
        self.notify("$/cancelRequest", json!({"id": id}));
    }

    /// `workspace/executeCommand`.
    ///
    /// # Errors
    /// Any but [`ClientError::Start`].
    pub fn execute(&mut self, command: &str, arguments: Vec<Value>) -> Result<Value, ClientError> {
        let id = self.start_execute(command, arguments);
        self.wait(id, EXECUTE, PATIENCE)
    }

    /// `workspace/executeCommand`, without waiting: the id to wait for.
    pub fn start_execute(&mut self, command: &str, arguments: Vec<Value>) -> i64 {
        self.start(EXECUTE, json!({"command": command, "arguments": arguments}))
    }

    /// Sends a request and waits for its result.
    ///
    /// # Errors
    /// Any but [`ClientError::Start`].
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, ClientError> {
        let id = self.start(method, params);
        self.wait(id, method, PATIENCE)
    }

    /// Sends a request; the id to wait for.
    pub fn start(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Waits for the result of a request.
    ///
    /// # Errors
    /// Any but [`ClientError::Start`].
    pub fn wait(
        &mut self,
        id: i64,
        method: &str,
        patience: Duration,
    ) -> Result<Value, ClientError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                let method = method.to_owned();
                return answer.map_err(|refusal| ClientError::Refused { method, refusal });
            }
            match self.take_in(deadline) {
                Taken::One => {}
                Taken::Nothing => {
                    return Err(ClientError::Deadline { method: method.into(), after: patience });
                }
                Taken::End => {
                    let complaints = self.complaints().collect::<Vec<_>>().join(" / ");
                    return Err(ClientError::Gone { method: method.into(), complaints });
                }
            }
        }
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends bytes as they are, for tests of what a server does with bad ones.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        // A server that is gone is noticed by whoever waits for an answer.
        let _ = self.outbox.send(bytes.to_vec());
    }

    /// The next notification, in the order of arrival; `None` when none comes in time.
    pub fn notification(&mut self, patience: Duration) -> Option<Notification> {
        let deadline = Instant::now() + patience;
        while self.notifications.is_empty() {
            if !matches!(self.take_in(deadline), Taken::One) {
                return None;
            }
        }
        self.notifications.pop_front()
    }

    /// Answers that came and that nobody has waited for: after everything was waited for, those to requests
    /// that were answered twice.
    pub fn stray_answers(&self) -> usize {
        self.answers.len()
    }

    /// The last lines from the server's standard error that were read while waiting.
    pub fn complaints(&self) -> impl Iterator<Item = &str> {
        self.complaints.iter().map(String::as_str)
    }

    /// Says goodbye as the protocol wants it; a server that does not go is killed. The exit code,
    /// `None` for one that had to be killed, was ended by a signal, or is in this process.
    ///
    /// # Errors
    /// When the server refuses or has gone before.
    pub fn shutdown(mut self) -> Result<Option<i32>, ClientError> {
        let id = self.start("shutdown", Value::Null);
        let answer = self.wait(id, "shutdown", FAREWELL);
        self.notify("exit", Value::Null);
        let deadline = Instant::now() + FAREWELL;
        let Some(child) = &mut self.child else {
            while matches!(self.take_in(deadline), Taken::One) {}
            return answer.map(|_| None);
        };
        while Instant::now() < deadline {
            if let Ok(Some(status)) = child.try_wait() {
                return answer.map(|_| status.code());
            }
            std::thread::sleep(LOOK);
        }
        answer.map(|_| None)
    }

    fn send(&mut self, message: &Value) {
        self.send_raw(&wire::frame(message));
    }

    /// Takes in one message, if one comes before the deadline.
    fn take_in(&mut self, deadline: Instant) -> Taken {
        if self.ended {
            return Taken::End;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match self.inbox.recv_timeout(left) {
            Ok(Incoming::Answer { id, result }) => {
                self.answers.insert(id, result);
            }
            Ok(Incoming::Notification(notification)) => self.notifications.push_back(notification),
            Ok(Incoming::Complaint(line)) => {
                if self.complaints.len() >= COMPLAINTS {
                    self.complaints.pop_front();
                }
                self.complaints.push_back(line);
            }
            Ok(Incoming::End) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                self.ended = true;
                return Taken::End;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => return Taken::Nothing,
        }
        Taken::One
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        // Both fail when the child has ended and was waited for, which is what is wanted.
        let _ = child.kill();
        let _ = child.wait();
    }
}

enum Taken {
    One,
    Nothing,
    End,
}
