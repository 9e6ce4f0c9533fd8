//! One person's desk: a home of its own with the model, a project, and Claude's stand-in; and what runs there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::stand_in::{KEY, Script, StandIn};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// Nothing in these tests takes this long unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at a screen or at the processes.
pub const LOOK: Duration = Duration::from_millis(5);

/// A home, a project, and what asking Claude reaches.
pub struct Desk {
    /// Everything of this desk is below it; its name is in the environment of all that runs here.
    pub home: PathBuf,
    pub stand_in: StandIn,
}

/// A process of this desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub pid: u32,
    pub command: String,
}

impl Desk {
    /// A desk with the model; Claude answers with this.
    pub fn new(script: Script) -> Desk {
        let desk = Desk::without_a_model(script);
        let models = desk.home.join("data/models");
        fs::create_dir_all(&models).expect("a folder");
        let model = model();
        let name = model.file_name().expect("a file's name");
        std::os::unix::fs::symlink(&model, models.join(name)).expect("a link");
        desk
    }

    /// A desk on which no model is installed.
    pub fn without_a_model(script: Script) -> Desk {
        let home = tempfile::tempdir().expect("a folder").keep();
        let home = home.canonicalize().expect("a folder");
        for folder in ["run", "data", "cache", "config", "state", "work"] {
            fs::create_dir_all(home.join(folder)).expect("a folder");
        }
        let stand_in = StandIn::new([script]);
        let config = format!("[ask]\nbase_url = \"{}\"\n", stand_in.address);
        fs::write(home.join("config.toml"), config).expect("a file");
        Desk { home, stand_in }
    }

    /// The folder that the person works in.
    pub fn project(&self) -> PathBuf {
        self.home.join("work")
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.project().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A file of the project as it is on disk.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.project().join(name)).expect("a file of text")
    }

    /// What everything at this desk runs with.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let at = |name: &str| OsString::from(self.home.join(name));
        let mut path = OsString::from(tandem().parent().expect("a folder"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        vec![
            ("HOME", OsString::from(&self.home)),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("TANDEM_RUNTIME_DIR", at("run")),
            ("TANDEM_DATA_DIR", at("data")),
            ("TANDEM_CACHE_DIR", at("cache")),
            ("TANDEM_CONFIG", at("config.toml")),
            ("TANDEM_NO_KEYRING", "1".into()),
            ("ANTHROPIC_API_KEY", KEY.into()),
            ("PATH", path),
            ("LC_ALL", "C.UTF-8".into()),
        ]
    }

    /// The language servers of this desk.
    pub fn servers(&self) -> Vec<Running> {
        self.running("serve")
    }

    /// The engines of this desk.
    pub fn engines(&self) -> Vec<Running> {
        self.running("engine")
    }

    /// Tandem's processes of this desk with this word as their first argument.
    fn running(&self, word: &str) -> Vec<Running> {
        let mut system = System::new().expect("processes can be read");
        let what = ProcessRefreshKind::nothing()
            .with_cmd(UpdateKind::Always)
            .with_environ(UpdateKind::Always)
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let home = format!("TANDEM_RUNTIME_DIR={}", self.home.join("run").display());
        let of_this_desk = |process: &&sysinfo::Process| {
            let cmd = process.cmd();
            let program = cmd.first().map(Path::new).and_then(Path::file_name);
            program.is_some_and(|name| name == "tandem")
                && cmd.get(1).is_some_and(|argument| argument == word)
                && process.environ().iter().any(|variable| *variable == *home)
                && !matches!(
                    process.status(),
                    sysinfo::ProcessStatus::Zombie | sysinfo::ProcessStatus::Dead
                )
        };
        let running = |process: &sysinfo::Process| Running {
            pid: process.pid().as_u32(),
            command: format!("{:?}", process.cmd()),
        };
        system.processes().values().filter(of_this_desk).map(running).collect()
    }

    /// Kills a process at once, as a crash would.
    pub fn kill(&self, running: &Running) {
        let pid = running.pid.to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
    }

    /// Where a screen of this name is kept.
    pub fn picture(name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/editors").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        path
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for left in self.servers().iter().chain(&self.engines()) {
            let _ = Command::new("kill").args(["-9", &left.pid.to_string()]).status();
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Looks until `found` has something.
///
/// # Panics
/// After [`DEADLINE`], with what was looked for and what `seen` says.
pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>, seen: impl Fn() -> String) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "no {what} in time, but:\n{}", seen());
        std::thread::sleep(LOOK);
    }
}

/// The program under test.
pub fn tandem() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tandem"))
}

/// The model that `make model` has put into the user's own folder.
fn model() -> PathBuf {
    let output = Command::new(tandem()).args(["model", "path", "--original"]).output();
    let output = output.expect("tandem runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path").trim().into()
}

/// An editor's program, or `None` where it is not here and `EDITORS=available` says that this is no failure.
///
/// # Panics
/// When it is not here otherwise.
pub fn editor(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    let cache = cache.map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let program = cache.expect("a home").join("tandem/editors/bin").join(name);
    // All others are driven in a terminal.
    let terminal = name == "code-server" || Command::new("tmux").arg("-V").output().is_ok();
    if terminal && program.exists() {
        return Some(program);
    }
    let lenient = std::env::var_os("EDITORS").is_some_and(|wanted| wanted == "available");
    assert!(lenient, "{name} is not here; `make editors` gets it");
    eprintln!("SKIPPED: {name} or tmux is not here and could not be had.");
    None
}

/// The middle of some times, for a figure to print.
pub fn p50(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
