//! Which installed model to run, and whether its file may be shown to llama.cpp.
//!
//! In: a name or a path from the settings. Out: a path. Refuses: a file whose header is unsound,
//! that cannot fill in the middle, or whose SHA-256 is not the recorded one. Where one is recorded, all that
//! is looked at once for a file of that size and time, and remembered beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::catalogue::{DEFAULT, Entry};
use super::digest::sha256_of;
use super::error::ModelError;
use super::gguf;
use super::progress::{Source, silent};
use super::store::Store;
use crate::engine::sandbox::Places;

/// The name that leaves the choice to us.
pub const AUTO: &str = "auto";

/// The file to run: `path` where the user has named one, else the model called `name`. `auto` is
/// the model recommended for this machine's GPU where it is installed, else the default, else
/// whatever is there.
///
/// # Errors
/// When nothing fits, as a sentence with the command that fixes it.
pub fn choose(
    store: &Store,
    name: &str,
    path: Option<&Path>,
    video_memory: Option<u64>,
) -> Result<PathBuf, ModelError> {
    if let Some(path) = path {
        return match fs::metadata(path) {
            Ok(_) => Ok(path.to_owned()),
            Err(error) => Err(ModelError::reading(path, error)),
        };
    }
    if name != AUTO {
        return Ok(store.find(name)?.path);
    }
    let wanted = super::recommend(0, video_memory, None).entry;
    let installed = store.installed();
    let whole = || installed.iter().filter(|model| model.is_whole());
    let named = |name: &str| whole().find(|model| model.name == name);
    match named(wanted.name).or_else(|| named(DEFAULT)).or_else(|| whole().next()) {
        Some(model) => Ok(model.path.clone()),
        // Says whether it is missing or damaged.
        None => Ok(store.find(Entry::default_entry().name)?.path),
    }
}

/// What a file was when its header and its hash were last found right.
#[derive(PartialEq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
    sha256: String,
    /// Our version: another one may know more of what a header must not say.
    checked_by: String,
}

impl Stamp {
    /// What the file at `path` is now.
    fn now(path: &Path, sha256: String) -> io::Result<Stamp> {
        let about = fs::metadata(path)?;
        let (bytes, modified) = (about.len(), about.modified()?);
        Ok(Stamp { bytes, modified, sha256, checked_by: env!("CARGO_PKG_VERSION").to_owned() })
    }
}

/// Checks a file before llama.cpp reads it: its header, and its hash where one is recorded. One that was found right
/// before and has not changed since is not read again, which would take 70 ms of each start of an engine.
///
/// # Errors
/// [`ModelError::Gguf`] for an unsound header or a model that cannot fill in the middle,
/// [`ModelError::Altered`] for a wrong hash, [`ModelError::Read`].
pub fn check(path: &Path) -> Result<(), ModelError> {
    let store = Store::new(path.parent().unwrap_or(Path::new(".")).to_owned());
    let recorded = store.installed().into_iter().find(|model| model.path == path);
    let recorded = recorded.and_then(|model| Some((model.name, model.sha256?)));
    let Some((name, expected)) = recorded else { return check_header(path) };
    let now = Stamp::now(path, expected).map_err(|error| ModelError::reading(path, error))?;
    let stamp_file = stamp_of(path);
    let known = fs::read(&stamp_file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if known.is_some_and(|stamp: Stamp| stamp == now) {
        return Ok(());
    }
    check_header(path)?;
    let got = sha256_of(path, Source::Local, &silent())?;
    if got != now.sha256 {
        let path = path.to_owned();
        return Err(ModelError::Altered { name, path, expected: now.sha256, got });
    }
    if let Ok(stamp) = serde_json::to_vec(&now) {
        // Where it cannot be written all of it is simply checked again next time.
        let _ = fs::write(stamp_file, stamp);
    }
    Ok(())
}

fn check_header(path: &Path) -> Result<(), ModelError> {
    let sound = gguf::inspect(path).and_then(|summary| summary.require_usable().map(drop));
    sound.map_err(|source| ModelError::Gguf { path: path.to_owned(), source })
}

/// What of the file system [`check`] needs for a file: to read the file, and the folder with what is recorded of
/// it; to write the stamp there. A file that is none of ours has no stamp.
pub fn places(path: &Path) -> Places {
    let mut read = vec![path.to_owned()];
    let mut write = Vec::new();
    let folder = path.parent().unwrap_or(Path::new("."));
    let recorded = Store::new(folder.to_owned()).installed();
    if recorded.iter().any(|model| model.path == path && model.sha256.is_some()) {
        read.push(folder.to_owned());
        let stamp = stamp_of(path);
        // It must be there for a rule to be about it. An empty one is no stamp.
        let made = fs::File::options().create(true).append(true).open(&stamp);
        write.extend(made.is_ok().then_some(stamp));
    }
    Places { read, write }
}

fn stamp_of(path: &Path) -> PathBuf {
    path.with_extension("gguf.checked")
}

#[cfg(test)]
mod tests {
    use super::super::gguf::builder::Builder;
    use super::super::store::{Receipt, settle};
    use super::*;

    fn folder_with(name: &str, bytes: &[u8], sha256: Option<&str>) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        let incoming = folder.path().join("incoming");
        fs::write(&incoming, bytes).unwrap();
        let receipt = sha256.map(|sha256| Receipt {
            sha256: sha256.to_owned(),
            bytes: bytes.len() as u64,
            from: "import".to_owned(),
        });
        settle(&incoming, &folder.path().join(name), receipt.as_ref()).unwrap();
        (folder, store)
    }

    #[test]
    fn auto_takes_what_is_installed_and_says_how_to_get_one_when_nothing_is() {
        let (folder, store) = folder_with("mine.gguf", b"GGUF", None);
        assert_eq!(choose(&store, AUTO, None, None).unwrap(), folder.path().join("mine.gguf"));
        let empty = Store::new(folder.path().join("empty"));
        let told = choose(&empty, AUTO, None, None).unwrap_err().to_string();
        assert!(told.contains("tandem model pull"), "{told}");
    }

    #[test]
    fn a_file_of_the_users_own_goes_before_any_name() {
        let (folder, store) = folder_with("mine.gguf", b"GGUF", None);
        let mine = folder.path().join("mine.gguf");
        assert_eq!(choose(&store, "qwen2.5-coder-0.5b", Some(&mine), None).unwrap(), mine);
        let gone = folder.path().join("gone.gguf");
        assert!(choose(&store, AUTO, Some(&gone), None).is_err());
    }

    #[test]
    fn a_file_with_another_hash_than_recorded_is_refused_before_llama_cpp_reads_it() {
        let bytes = Builder::qwen().bytes();
        let (folder, _) = folder_with("mine.gguf", &bytes, Some("00"));
        let error = check(&folder.path().join("mine.gguf")).unwrap_err();
        assert!(matches!(error, ModelError::Altered { .. }), "{error}");
    }

    #[test]
    fn a_file_found_right_is_not_read_again_until_it_changes() {
        let bytes = Builder::qwen().bytes();
        let sha256 = super::super::digest::hex(sha2::Digest::chain_update(
            <sha2::Sha256 as sha2::Digest>::new(),
            &bytes,
        ));
        let (folder, _) = folder_with("mine.gguf", &bytes, Some(&sha256));
        let path = folder.path().join("mine.gguf");
        check(&path).unwrap();
        assert!(path.with_extension("gguf.checked").exists());
        let stamp = fs::read_to_string(stamp_of(&path)).unwrap();
        // Another byte at the same time would go unseen: size and time stand for the file.
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let write = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        };
        write(&other);
        check(&path).unwrap();
        // What another version found right is looked at again.
        let by_another = stamp.replace(env!("CARGO_PKG_VERSION"), "0.0.0");
        assert_ne!(by_another, stamp);
        fs::write(stamp_of(&path), by_another).unwrap();
        assert!(matches!(check(&path), Err(ModelError::Altered { .. })));
        write(&bytes);
        check(&path).unwrap();
        fs::write(&path, other).unwrap();
        assert!(matches!(check(&path), Err(ModelError::Altered { .. })));
    }
}
