//! The folders of one user with the model and nothing else, and servers in them.
//!
//! In: the model of whoever runs this. Out: servers; what is kept on disk, bytes. It goes with the folders.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tandem::client::{Client, Launch};
use tandem::machine;
use tandem::model::{DEFAULT, Store, choice};

/// Of all saved states together, MB: less than an hour of typing would fill.
pub const STATES_MB: u64 = 150;

pub struct House {
    private: tempfile::TempDir,
}

impl House {
    pub fn new() -> Result<House, String> {
        let store = Store::default_location().map_err(|error| error.to_string())?;
        let model = choice::choose(&store, DEFAULT, None, None)
            .map_err(|problem| format!("{problem}: run `make model`"))?;
        let private = tempfile::tempdir().map_err(|error| error.to_string())?;
        let house = House { private };
        let models = house.file("data").join("models");
        let settings = format!("[engine]\nidle_minutes = 1\nstates_mb = {STATES_MB}\n");
        let name = model.file_name().unwrap_or_default().to_owned();
        std::fs::create_dir_all(&models)
            .and_then(|()| std::fs::write(house.file("config.toml"), settings))
            // A link, not the file: 491 MB.
            .and_then(|()| link(&model, &models.join(name)))
            .map_err(|error| error.to_string())?;
        Ok(house)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.private.path().join(name)
    }

    /// A server, initialized.
    pub fn server(&self) -> Result<Client, String> {
        let place = |name: &str| OsString::from(self.file(name));
        let environment = [
            ("TANDEM_RUNTIME_DIR", place("run")),
            ("TANDEM_DATA_DIR", place("data")),
            ("TANDEM_CACHE_DIR", place("cache")),
            ("TANDEM_CONFIG", place("config.toml")),
        ];
        let mut client = Client::spawn(Launch {
            program: Path::new(env!("CARGO_BIN_EXE_tandem")),
            arguments: &["serve"],
            environment: &environment,
            configuration: Value::Null,
        })
        .map_err(|error| error.to_string())?;
        client.initialize(json!({})).map_err(|error| error.to_string())?;
        Ok(client)
    }

    /// The engine's process, as its lock says.
    pub fn engine(&self) -> Option<u32> {
        let entries = std::fs::read_dir(self.file("run")).ok()?.flatten();
        let mut locks = entries.map(|entry| entry.path());
        let lock = locks.find(|path| path.extension().is_some_and(|end| end == "lock"))?;
        let process = std::fs::read_to_string(lock).ok()?.trim().parse().ok()?;
        machine::is_running(process).then_some(process)
    }

    /// Ends the engine.
    pub fn end(&self) {
        if let Some(engine) = self.engine() {
            machine::end(engine);
        }
    }
}

/// Bytes of the files in a folder and below it.
pub fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => Some(bytes(&entry.path())),
        Ok(about) if about.is_file() => Some(about.len()),
        _ => None,
    });
    sizes.sum()
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::hard_link(from, to)
}
