//! A user with the small model and nothing else, and an editor for them.
//!
//! An engine outlives its servers on purpose, and a test binary has no last line; so the engines
//! are ended by a process that waits for this one's end.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tandem::client::{Client, Editor, Launch, Stroke};
use tandem::model::{DEFAULT, Store, choice};

/// Loading and one cold answer take a few seconds even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often to look at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);

/// The installed model's file.
pub fn model() -> PathBuf {
    let store = Store::default_location().expect("a folder for models");
    let chosen = choice::choose(&store, DEFAULT, None, None);
    chosen.unwrap_or_else(|problem| panic!("{problem}: run `make model`"))
}

/// One user's folders.
pub struct Home {
    folder: PathBuf,
    variables: Vec<(&'static str, &'static str)>,
    undertaker: Mutex<ChildStdin>,
}

/// The user whose engine all tests share, and the turn to use it.
pub struct Turn {
    pub home: &'static Home,
    _turn: MutexGuard<'static, ()>,
}

/// Waits until no other test runs.
pub fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    static HOME: OnceLock<Home> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let home = HOME.get_or_init(|| {
        let home = Home::new();
        home.put_model();
        home
    });
    Turn { home, _turn: turn }
}

impl Home {
    /// A home without a model. It goes, with the engines that were seen in it, when this process
    /// does.
    pub fn new() -> Home {
        Home::with_environment(&[])
    }

    /// The same, with these variables besides.
    #[expect(clippy::zombie_processes, reason = "it outlives this process on purpose")]
    pub fn with_environment(variables: &[(&'static str, &'static str)]) -> Home {
        let folder = tempfile::tempdir().expect("a folder").keep();
        // Its standard input ends when we do, however we end.
        let mut undertaker = Command::new("sh")
            .arg("-c")
            .arg(r#"engines=$(sort -u); kill -9 $engines 2>/dev/null; rm -rf "$0""#)
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let stdin = undertaker.stdin.take().expect("a pipe");
        Home { folder, variables: variables.to_vec(), undertaker: Mutex::new(stdin) }
    }

    /// Puts the model where `tandem model pull` would.
    pub fn put_model(&self) {
        let model = model();
        let models = self.folder.join("data").join("models");
        fs::create_dir_all(&models).expect("a folder");
        let name = model.file_name().expect("a file's name");
        std::os::unix::fs::symlink(&model, models.join(name)).expect("a link");
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let folders: [(&str, OsString); 4] = [
            ("TANDEM_RUNTIME_DIR", self.file("run").into()),
            ("TANDEM_DATA_DIR", self.file("data").into()),
            ("TANDEM_CACHE_DIR", self.file("cache").into()),
            ("TANDEM_CONFIG", self.file("config.toml").into()),
        ];
        let others = self.variables.iter().map(|(name, value)| (*name, OsString::from(value)));
        folders.into_iter().chain(others).collect()
    }

    /// A server that was told these `initializationOptions`.
    pub fn server(&self, options: Value) -> Client {
        let mut client = Client::spawn(Launch {
            program: Path::new(env!("CARGO_BIN_EXE_tandem")),
            arguments: &["serve"],
            environment: &self.environment(),
            configuration: Value::Null,
        })
        .expect("tandem starts");
        client.initialize(options).expect("an introduction");
        client
    }

    /// What `tandem` says with these arguments.
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        let output =
            command.args(arguments).envs(self.environment()).output().expect("tandem runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// `tandem complete FILE:LINE:COL --json`.
    pub fn complete(&self, file: &Path, line: usize, column: usize) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        let place = format!("{}:{line}:{column}", file.display());
        let output = command
            .args(["complete", "--json", &place])
            .envs(self.environment())
            .output()
            .expect("tandem runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The engine's process, as soon as it is ready.
    pub fn engine(&self, client: &mut Client) -> u32 {
        let pid = until("the engine is ready", || {
            let engine = status(client)["engine"].clone();
            assert_ne!(engine["state"], "failed", "{engine}");
            engine["pid"].as_u64()
        });
        let mut undertaker = self.undertaker.lock().unwrap_or_else(PoisonError::into_inner);
        // It is told once for each test; the same process is killed once.
        writeln!(undertaker, "{pid}").expect("the undertaker listens");
        u32::try_from(pid).expect("a process number")
    }
}

/// Sends a signal to an engine's process.
pub fn kill(process: u32, signal: Signal) {
    let pid = Pid::from_raw(process.cast_signed()).expect("a process number");
    // One that has just ended by itself is ended too.
    let _ = kill_process(pid, signal);
}

/// Looks until there is something.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match look() {
            Some(found) => return found,
            None => assert!(Instant::now() < deadline, "in vain: {what}"),
        }
        std::thread::park_timeout(LOOK);
    }
}

pub fn status(client: &mut Client) -> Value {
    client.execute("tandem.status", vec![]).expect("a status")
}

/// A number of the status.
pub fn count(client: &mut Client, name: &str) -> u64 {
    status(client)[name].as_u64().expect("a number")
}

/// An editor with one open document and its cursor at `$0`.
pub struct Typist {
    pub client: Client,
    pub editor: Editor,
}

impl Typist {
    /// In the shared engine, which is ready then.
    pub fn new(turn: &Turn, language: &str, fixture: &str) -> Typist {
        // A machine that builds something else at the same time may take long for a block.
        let patient = json!({"completion": {"block_ms": 60_000}});
        Typist::with(turn.home, patient, language, fixture)
    }

    /// Whatever the model thinks of its answers, they are shown.
    pub fn with(home: &Home, mut options: Value, language: &str, fixture: &str) -> Typist {
        options["completion"]["confidence"] = json!(0);
        let mut client = home.server(options);
        let (cursor, text) = marked(fixture);
        let mut editor = Editor::open(&mut client, "file:///typed", language, &text);
        editor.press(&mut client, &Stroke::Jump(cursor));
        home.engine(&mut client);
        Typist { client, editor }
    }

    /// What is shown behind the cursor.
    pub fn shown(&mut self) -> Option<String> {
        let item = self.editor.suggestion(&mut self.client).expect("an answer")?;
        let typed = self.editor.buffer().line_before();
        let rest = item.insert_text.strip_prefix(typed);
        Some(rest.expect("a suggestion that goes on from what is typed").to_owned())
    }

    pub fn press(&mut self, stroke: Stroke) {
        self.editor.press(&mut self.client, &stroke);
    }

    pub fn count(&mut self, name: &str) -> u64 {
        count(&mut self.client, name)
    }
}

/// The cursor's byte and the text without its mark.
pub fn marked(fixture: &str) -> (usize, String) {
    (fixture.find("$0").expect("a cursor"), fixture.replacen("$0", "", 1))
}

/// What is shown at `$0` in a document of this language.
pub fn shown(turn: &Turn, language: &str, fixture: &str) -> Option<String> {
    Typist::new(turn, language, fixture).shown()
}
