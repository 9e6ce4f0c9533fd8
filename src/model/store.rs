//! The folder of models on this machine.
//!
//! In: a folder. Out: where a model's file is, which models are there and whole. Beside a file
//! that the catalogue does not pin lies a receipt, `FILE.json`, with the hash it had on arrival.
//! Refuses: to call a file installed whose size is wrong.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::AppStrategy;
use serde::{Deserialize, Serialize};

use super::catalogue::{CATALOGUE, Entry, near};
use super::error::ModelError;

/// A folder with models in it. Making one touches no disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// What was known about a file when it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Lower-case hex.
    pub sha256: String,
    pub bytes: u64,
    /// `hub` or `import`.
    pub from: String,
}

/// A model file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The catalogue's name, or the file's stem for an imported file.
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// The size it should have, where that is recorded.
    pub expected_bytes: Option<u64>,
    /// The SHA-256 it should have, where that is recorded.
    pub sha256: Option<String>,
    pub entry: Option<&'static Entry>,
}

impl Receipt {
    /// The receipt of a file; an unreadable one counts as none.
    pub(super) fn of(model: &Path) -> Option<Receipt> {
        serde_json::from_slice(&fs::read(receipt_path(model)).ok()?).ok()
    }
}

impl Installed {
    pub fn is_whole(&self) -> bool {
        self.expected_bytes.is_none_or(|expected| expected == self.bytes)
    }

    pub(super) fn whole(self) -> Result<Installed, ModelError> {
        match self.expected_bytes {
            Some(expected) if expected != self.bytes => Err(ModelError::Damaged {
                name: self.name,
                path: self.path,
                expected,
                got: self.bytes,
            }),
            _ => Ok(self),
        }
    }
}

impl Store {
    pub fn new(folder: PathBuf) -> Store {
        Store { folder }
    }

    /// `$TANDEM_DATA_DIR/models`, or `models` in the platform's data folder for tandem.
    ///
    /// Fails with [`ModelError::NoDataFolder`] where the user has no home folder.
    pub fn default_location() -> Result<Store, ModelError> {
        let data = match std::env::var_os("TANDEM_DATA_DIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => etcetera::choose_app_strategy(etcetera::AppStrategyArgs {
                top_level_domain: String::new(),
                author: String::new(),
                app_name: "tandem".to_owned(),
            })
            .map_err(|_| ModelError::NoDataFolder)?
            .data_dir(),
        };
        Ok(Store::new(data.join("models")))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the entry's file is, or will be.
    pub fn path_of(&self, entry: &Entry) -> PathBuf {
        self.folder.join(entry.file)
    }

    /// Where an imported file of that name is, or will be.
    pub(super) fn path_of_stem(&self, stem: &str) -> PathBuf {
        self.folder.join(format!("{stem}.gguf"))
    }

    /// The LoRA adapters that are there: a store of their own, within this one.
    pub fn adapters(&self) -> Store {
        Store::new(self.folder.join("adapters"))
    }

    /// The file of an adapter that is there. Only what can be a name is looked for.
    pub fn adapter(&self, name: &str) -> Option<PathBuf> {
        let path = self.adapters().path_of_stem(name);
        (is_plain(name) && path.is_file()).then_some(path)
    }

    /// The adapters, where only they have this name; else this store.
    pub(super) fn holding(&self, name: &str) -> Store {
        let has = |store: &Store| {
            store.installed().iter().any(|model| model.name.eq_ignore_ascii_case(name))
        };
        let adapters = self.adapters();
        if !has(self) && has(&adapters) { adapters } else { self.clone() }
    }

    /// Makes the folder. Fails with [`ModelError::Write`], which names it and the way out.
    pub(super) fn create(&self) -> Result<(), ModelError> {
        fs::create_dir_all(&self.folder).map_err(|e| ModelError::writing(&self.folder, 0, e))
    }

    /// The models that are there, those of the catalogue first and in its order. Files that cannot
    /// be looked at are left out; a store that does not exist yet is empty.
    pub fn installed(&self) -> Vec<Installed> {
        let mut found: Vec<Installed> = CATALOGUE
            .iter()
            .filter_map(|entry| self.look(entry.name.to_owned(), self.path_of(entry), Some(entry)))
            .collect();
        let known: HashSet<PathBuf> = found.iter().map(|model| model.path.clone()).collect();
        let mut others: Vec<Installed> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|file| file.ok().map(|file| file.path()))
            .filter(|path| !known.contains(path))
            .filter(|path| path.extension().is_some_and(|end| end == "gguf"))
            .filter_map(|path| {
                let stem = path.file_stem()?.to_str()?.to_owned();
                self.look(stem, path, None)
            })
            .collect();
        others.sort_by(|a, b| a.name.cmp(&b.name));
        found.extend(others);
        found
    }

    /// The installed model of that name.
    ///
    /// Fails with [`ModelError::NotInstalled`] for a model of the catalogue that is not there,
    /// [`ModelError::Damaged`] for one of the wrong size, [`ModelError::UnknownName`] otherwise.
    pub fn find(&self, name: &str) -> Result<Installed, ModelError> {
        let installed = self.installed();
        if let Some(model) = installed.iter().find(|model| {
            model.name.eq_ignore_ascii_case(name)
                || model.path.file_name().is_some_and(|file| file == name)
        }) {
            return model.clone().whole();
        }
        if let Some(entry) = Entry::by_name(name) {
            return Err(ModelError::NotInstalled { name: entry.name.to_owned() });
        }
        let names = installed.iter().map(|model| model.name.as_str());
        let names = names.chain(CATALOGUE.iter().map(|entry| entry.name));
        let distinct: HashSet<&str> = names.collect();
        Err(ModelError::UnknownName {
            name: name.to_owned(),
            near: near(name, distinct.into_iter()).join(", "),
        })
    }

    /// The entry's file, if it is there and has the right size.
    pub(super) fn have(&self, entry: &'static Entry) -> Option<Installed> {
        self.look(entry.name.to_owned(), self.path_of(entry), Some(entry))
            .filter(Installed::is_whole)
    }

    /// Removes a model and what is noted about it.
    ///
    /// Fails with [`ModelError::Write`].
    pub(super) fn remove(&self, model: &Installed) -> Result<(), ModelError> {
        let stamp = model.path.with_extension("gguf.checked");
        for file in [&model.path, &receipt_path(&model.path), &stamp] {
            drop_if_there(file).map_err(|error| ModelError::writing(file, 0, error))?;
        }
        Ok(())
    }

    fn look(
        &self,
        name: String,
        path: PathBuf,
        entry: Option<&'static Entry>,
    ) -> Option<Installed> {
        let about = fs::metadata(&path).ok().filter(|about| about.is_file())?;
        let receipt = Receipt::of(&path);
        let pinned = entry.and_then(|entry| entry.sha256).map(str::to_owned);
        Some(Installed {
            name,
            bytes: about.len(),
            expected_bytes: entry
                .and_then(|entry| entry.bytes)
                .or(receipt.as_ref().map(|receipt| receipt.bytes)),
            sha256: pinned.or(receipt.map(|receipt| receipt.sha256)),
            path,
            entry,
        })
    }
}

/// Is it fit to be typed as a name, and no way to another folder?
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !name.is_empty() && name.chars().all(plain) && !name.starts_with(['.', '-'])
}

fn receipt_path(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

/// Gives a checked file its final name: the bytes reach the disk first, then one atomic rename.
///
/// `checked` and the final path must be on one file system. Fails with [`ModelError::Write`].
pub(super) fn settle(
    checked: &Path,
    place: &Path,
    receipt: Option<&Receipt>,
) -> Result<(), ModelError> {
    let settle = || -> io::Result<()> {
        // Opened for writing: some systems flush only through such a handle.
        fs::OpenOptions::new().write(true).open(checked)?.sync_all()?;
        match receipt {
            // Before the model: a model without its receipt could not be verified later.
            Some(receipt) => fs::write(receipt_path(place), serde_json::to_vec_pretty(receipt)?)?,
            None => drop_if_there(&receipt_path(place))?,
        }
        fs::rename(checked, place)
    };
    settle().map_err(|e| ModelError::writing(place, 0, e))
}

pub(super) fn drop_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        (folder, store)
    }

    #[test]
    fn a_store_that_does_not_exist_is_empty_and_says_how_to_fill_it() {
        let store = Store::new(PathBuf::from("no/such/folder"));
        assert_eq!(store.installed(), []);
        let told = store.find("qwen2.5-coder-0.5b").unwrap_err().to_string();
        assert!(told.contains("tandem model pull qwen2.5-coder-0.5b"), "{told}");
    }

    #[test]
    fn a_pinned_file_of_the_wrong_size_is_not_found_but_named_as_damaged() {
        let (_folder, store) = store();
        let entry = Entry::default_entry();
        fs::write(store.path_of(entry), b"GGUF").unwrap();
        assert!(!store.installed()[0].is_whole());
        assert!(matches!(store.find(entry.name), Err(ModelError::Damaged { got: 4, .. })));
    }

    #[test]
    fn an_imported_file_is_found_by_its_stem_and_keeps_its_receipt() {
        let (folder, store) = store();
        let fresh = folder.path().join("incoming");
        fs::write(&fresh, b"GGUF").unwrap();
        let receipt = Receipt { sha256: "ab".to_owned(), bytes: 4, from: "import".to_owned() };
        settle(&fresh, &store.path_of_stem("mine"), Some(&receipt)).unwrap();
        let found = store.find("mine").unwrap();
        assert_eq!((found.bytes, found.sha256.as_deref()), (4, Some("ab")));
        assert!(!fresh.exists());
    }

    #[test]
    fn adapters_lie_apart_and_their_names_lead_nowhere_else() {
        let (_folder, store) = store();
        fs::create_dir(store.adapters().folder()).unwrap();
        fs::write(store.adapters().path_of_stem("house"), b"GGUF").unwrap();
        fs::write(store.path_of_stem("model"), b"GGUF").unwrap();
        assert!(store.adapter("house").is_some());
        for name in ["model", "../model", "", ".", "house.gguf", "a/b"] {
            assert_eq!(store.adapter(name), None, "{name:?}");
        }
        assert_eq!(store.installed().len(), 1, "they are no models");
        assert_eq!(store.holding("HOUSE"), store.adapters());
        assert_eq!(store.holding("model"), store);
        assert_eq!(store.holding("none"), store);
    }

    #[test]
    fn an_unknown_name_is_answered_with_names_that_are_near_it_also_imported_ones() {
        let (_folder, store) = store();
        fs::write(store.path_of_stem("granite-code"), b"GGUF").unwrap();
        let told = store.find("granit-code").unwrap_err().to_string();
        assert!(told.contains("granite-code"), "{told}");
    }
}
