//! A tandem of its own for each run: a server and an engine that have seen nothing before, in
//! folders that nobody else uses and with none of the user's settings. The models are the user's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::client::{Client, Launch};
use tandem::demo::session::{self, SessionError};
use tandem::engine::About;

/// How long the model may take to load, and to be checked the first time.
const LOADING: Duration = Duration::from_secs(180);
/// How long an engine may take to go.
const FAREWELL: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(5);

/// What to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// The server's.
    pub path: PathBuf,
    /// A name from `tandem model list`.
    pub model: Option<String>,
    /// `completion.block_tokens`; 0 for lines only.
    pub block_tokens: Option<u32>,
    /// The address of an engine to use instead of one here.
    pub elsewhere: Option<String>,
}

/// Folders in which servers meet one engine, and in which it keeps what it keeps.
pub struct House {
    private: tempfile::TempDir,
}

impl House {
    /// Empty ones.
    pub fn new() -> Result<House, SessionError> {
        Ok(House { private: tempfile::tempdir()? })
    }

    fn write_settings(&self, program: &Program) -> std::io::Result<()> {
        // If this program is killed, its engine goes by itself soon.
        let mut settings = "[engine]\nidle_minutes = 1\n[journal]\nenabled = false\n".to_owned();
        if let Some(address) = &program.elsewhere {
            settings.push_str(&format!("[remote]\naddresses = [{}]\n", json!(address)));
        }
        std::fs::write(self.private.path().join("config.toml"), settings)
    }

    /// A server, initialized, and its engine when that is ready.
    pub fn launch(&self, program: &Program, reuse: bool) -> Result<(Client, About), SessionError> {
        self.write_settings(program)?;
        let place = |name: &str| OsString::from(self.private.path().join(name));
        let environment = [
            ("TANDEM_RUNTIME_DIR", place("run")),
            ("TANDEM_CACHE_DIR", place("cache")),
            ("TANDEM_CONFIG", place("config.toml")),
        ];
        let mut client = Client::spawn(Launch {
            program: &program.path,
            arguments: &["serve"],
            environment: &environment,
            configuration: Value::Null,
        })?;
        let mut wanted = json!({"completion": {"reuse": reuse}});
        if let Some(tokens) = program.block_tokens {
            wanted["completion"]["block_tokens"] = json!(tokens);
            // A peer is asked everywhere.
            wanted["completion"]["in_strings_and_comments"] = json!(true);
        }
        if let Some(model) = &program.model {
            wanted["model"] = json!(model);
        }
        client.initialize(wanted)?;
        let engine = session::wake(&mut client, LOADING, |_| Ok(()))?;
        Ok((client, engine))
    }

    /// The engines that run here. Only where /proc says so.
    pub fn engines(&self) -> usize {
        let place = self.private.path().join("run").to_string_lossy().into_owned();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        let engine = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            line.contains(&place) && line.split('\0').any(|word| word == "engine")
        };
        lines.filter(engine).count()
    }
}

/// Ends an engine that nobody else can be using, as it was met in folders of our own, and waits
/// until it is gone.
pub fn end(engine: u32) {
    signal(engine, Signal::End);
    let deadline = Instant::now() + FAREWELL;
    while tandem::machine::is_running(engine) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
}

/// An engine that is stopped for as long as this lives, so that it does not take the processor
/// from whoever is measured meanwhile, nor gain from the time that the other takes.
pub struct Stopped(u32);

impl Stopped {
    pub fn engine(engine: u32) -> Stopped {
        signal(engine, Signal::Stop);
        Stopped(engine)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, Signal::Continue);
    }
}

enum Signal {
    End,
    Stop,
    Continue,
}

#[cfg(unix)]
fn signal(process: u32, signal: Signal) {
    use rustix::process;
    let signal = match signal {
        Signal::End => process::Signal::TERM,
        Signal::Stop => process::Signal::STOP,
        Signal::Continue => process::Signal::CONT,
    };
    if let Some(pid) = i32::try_from(process).ok().and_then(process::Pid::from_raw) {
        // It may have gone by itself.
        let _ = process::kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
fn signal(_: u32, _: Signal) {}

/// Resident memory, KiB; `None` where /proc does not say.
pub fn resident_kib(process: u32) -> Option<u64> {
    let status = Path::new("/proc").join(process.to_string()).join("status");
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
