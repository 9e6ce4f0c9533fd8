//! The folders of one user, and our binary in them.
//!
//! In: settings, a model file, an engine. Out: commands. It does not go before the engines that were
//! started in it are gone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use serde_json::json;
use tandem::engine::rendezvous::Rendezvous;
use tandem::engine::{Engine, host};
use tandem::model::Store;
use tandem::settings::{self, Layers};
use tandem::wanted;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{DEADLINE, LOOK, gguf};

/// The folders of one user who has nothing yet.
pub struct Home {
    /// Ends before its folders go.
    engine: Option<Runtime>,
    folder: TempDir,
}

/// What a command said.
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Home {
        Home { engine: None, folder: tempfile::tempdir().expect("a folder") }
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

    /// A home in which this engine runs, where a server looks for that of its model. It runs in the
    /// test's own process, so that the binary needs to know nothing of tests.
    pub fn with_engine(engine: Arc<dyn Engine>, settings: &str) -> Home {
        let (mut home, model) =
            Home::with_model("scripted.gguf", &gguf::that_fills_in_the_middle());
        let file = home.file("config.toml");
        let text = format!("model_path = {}\n{settings}\n[engine]\nstates_mb = 0\n", json!(model));
        fs::write(&file, text).expect("a settings file");
        let meeting = home.meeting();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let socket = meeting.socket_file();
        runtime.spawn(async move { host::host(&meeting, 100 * DEADLINE, || engine).await });
        until(|| socket.exists().then_some(())).expect("an engine that listens");
        home.engine = Some(runtime);
        home
    }

    /// Where a server looks for the engine of this home's model.
    pub fn meeting(&self) -> Rendezvous {
        let user = settings::read_user_file(&self.file("config.toml")).expect("settings");
        let settings = Layers { user, ..Layers::default() }.settings().0;
        let store = Store::new(self.file("data").join("models"));
        let options = wanted::options(&settings, &store).expect("a model");
        let program = fs::canonicalize(env!("CARGO_BIN_EXE_tandem")).expect("our binary");
        Rendezvous::within(self.file("run"), &program, &options).expect("a folder")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
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

    /// Ends the engines that serve here.
    pub fn end_engines(&self) {
        for lock in files_ending(&self.file("run"), ".lock") {
            let process = fs::read_to_string(lock).unwrap_or_default();
            tandem::machine::end(process.trim().parse().unwrap_or_default());
        }
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
        if let Some(engine) = self.engine.take() {
            engine.shutdown_timeout(DEADLINE);
        }
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
