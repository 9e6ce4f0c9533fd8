//! Bringing in a model file that the user already has.
//!
//! In: a path to a GGUF file: a model, or a LoRA adapter. Out: a copy in the store, under the catalogue's name
//! if its hash is one of the catalogue's, else under its own. Refuses: a file whose header our reader does not
//! accept, a model that cannot fill in the middle, a name that belongs to something else.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::Entry;
use super::digest::{PIECE, hex, off_thread, sha256_of};
use super::error::ModelError;
use super::gguf::{self, GgufError};
use super::progress::{Phase, Progress, Report, Source};
use super::store::{Receipt, Store, drop_if_there, is_plain, settle};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Model,
    /// LoRA, to be used beside a model.
    Adapter,
}

/// A model or an adapter that is now in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The name to use from now on.
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    pub kind: Kind,
}

/// Copies the file into the store. The original stays.
///
/// Fails with [`ModelError::Gguf`] for what is no usable model, [`ModelError::Taken`] and
/// [`ModelError::NameTaken`] where the name belongs to something else.
pub async fn import(store: &Store, path: &Path, report: Report) -> Result<Imported, ModelError> {
    let (store, path) = (store.clone(), path.to_owned());
    off_thread(move || import_now(&store, &path, &report)).await
}

fn import_now(store: &Store, path: &Path, report: &Report) -> Result<Imported, ModelError> {
    let refused = |source: GgufError| ModelError::Gguf { path: path.to_owned(), source };
    let (kind, bytes, store) = match gguf::inspect(path) {
        Err(GgufError::Adapter) => {
            let adapter = gguf::inspect_adapter(path).map_err(refused)?;
            (Kind::Adapter, adapter.bytes, store.adapters())
        }
        model => {
            let model = model.map_err(refused)?;
            model.require_usable().map_err(refused)?;
            (Kind::Model, model.bytes, store.clone())
        }
    };
    let stem = plain_stem(path)?;
    store.create()?;
    // Not a name that a model has, and another one for each process.
    let copy = store.folder().join(format!("{stem}.{}.incoming", std::process::id()));
    let placed = copied(path, &copy, bytes, report).and_then(|sha256| {
        let (name, path) = place(&store, &stem, &copy, bytes, &sha256, report)?;
        Ok(Imported { name, path, bytes, sha256, kind })
    });
    // Gone already if it was placed.
    let _ = drop_if_there(&copy);
    placed
}

/// The file's name without its end, if it is fit to be typed as a model's name.
fn plain_stem(path: &Path) -> Result<String, ModelError> {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|stem| is_plain(stem))
        .map(str::to_owned)
        .ok_or_else(|| ModelError::BadName { path: path.to_owned() })
}

/// Copies and hashes in one go.
fn copied(from: &Path, to: &Path, total: u64, report: &Report) -> Result<String, ModelError> {
    let mut source = File::open(from).map_err(|e| ModelError::reading(from, e))?;
    let mut copy = File::create(to).map_err(|e| ModelError::writing(to, total, e))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    loop {
        report(Progress { phase: Phase::Copying, done, total, source: Source::Local });
        let n = source.read(&mut piece).map_err(|e| ModelError::reading(from, e))?;
        if n == 0 {
            return Ok(hex(hash));
        }
        copy.write_all(&piece[..n])
            .map_err(|e| ModelError::writing(to, total.saturating_sub(done), e))?;
        hash.update(&piece[..n]);
        done += n as u64;
    }
}

/// Chooses the name and gives it to the copy.
fn place(
    store: &Store,
    stem: &str,
    copy: &Path,
    bytes: u64,
    sha256: &str,
    report: &Report,
) -> Result<(String, PathBuf), ModelError> {
    let pinned = Entry::by_sha256(sha256);
    let (name, path) = match pinned {
        Some(entry) => (entry.name.to_owned(), store.path_of(entry)),
        None => (own_name(stem, sha256)?, store.path_of_stem(stem)),
    };
    let receipt = Receipt { sha256: sha256.to_owned(), bytes, from: "import".to_owned() };
    // The same contents again are no harm: a file dropped into the store gets its receipt so.
    let same = fs::metadata(&path).map(|about| about.len() == bytes);
    match same {
        Ok(true) if sha256_of(&path, Source::Local, report)? == sha256 => {}
        Ok(_) if pinned.is_none() => return Err(ModelError::Taken { path }),
        _ => {}
    }
    settle(copy, &path, pinned.is_none().then_some(&receipt))?;
    Ok((name, path))
}

/// The name of a file that the catalogue does not pin.
fn own_name(stem: &str, sha256: &str) -> Result<String, ModelError> {
    let taken =
        |name: &str| ModelError::NameTaken { name: name.to_owned(), got: sha256.to_owned() };
    match Entry::by_file(&format!("{stem}.gguf")) {
        // Another quantisation under the official file's name would pass for that one.
        Some(entry) if entry.sha256.is_some() => Err(taken(entry.name)),
        Some(entry) => Ok(entry.name.to_owned()),
        None if Entry::by_name(stem).is_some() => Err(taken(stem)),
        None => Ok(stem.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::gguf::builder::Builder;
    use super::super::progress::silent;
    use super::super::verify;
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Scene {
        fn new() -> Scene {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::new(folder.path().join("models"));
            Scene { folder, store }
        }

        async fn import(&self, file: &str, bytes: &[u8]) -> Result<Imported, ModelError> {
            let path = self.folder.path().join(file);
            fs::write(&path, bytes).unwrap();
            import(&self.store, &path, silent()).await
        }
    }

    #[tokio::test]
    async fn an_imported_model_is_listed_under_its_stem_and_can_be_verified() {
        let scene = Scene::new();
        let imported = scene.import("my-coder.gguf", &Builder::qwen().bytes()).await;
        let imported = imported.unwrap();
        assert_eq!(imported.name, "my-coder");
        assert_eq!(scene.store.find("my-coder").unwrap().path, imported.path);
        let verified = verify(&scene.store, "my-coder", silent()).await.unwrap();
        assert_eq!(verified.sha256, imported.sha256);
    }

    #[tokio::test]
    async fn the_same_file_twice_is_fine_and_another_under_its_name_is_refused() {
        let scene = Scene::new();
        let bytes = Builder::qwen().bytes();
        scene.import("my-coder.gguf", &bytes).await.unwrap();
        scene.import("my-coder.gguf", &bytes).await.unwrap();
        let mut other = bytes.clone();
        other.extend([0; 32]);
        let error = scene.import("my-coder.gguf", &other).await.unwrap_err();
        assert!(matches!(error, ModelError::Taken { .. }), "{error}");
        assert_eq!(scene.store.installed().len(), 1);
    }

    #[tokio::test]
    async fn an_adapter_goes_to_the_adapters_and_is_no_model() {
        let scene = Scene::new();
        let imported = scene.import("house.gguf", &Builder::adapter().bytes()).await.unwrap();
        assert_eq!((imported.kind, imported.name.as_str()), (Kind::Adapter, "house"));
        assert_eq!(scene.store.adapter("house"), Some(imported.path));
        assert_eq!(scene.store.installed(), []);
        let verified = verify(&scene.store.adapters(), "house", silent()).await.unwrap();
        assert_eq!(verified.sha256, imported.sha256);
    }

    #[tokio::test]
    async fn a_file_that_only_bears_a_pinned_models_name_does_not_become_it() {
        let scene = Scene::new();
        for file in [Entry::default_entry().file, "qwen2.5-coder-0.5b.gguf"] {
            let error = scene.import(file, &Builder::qwen().bytes()).await;
            let error = error.unwrap_err();
            assert!(matches!(error, ModelError::NameTaken { .. }), "{error}");
        }
        assert_eq!(fs::read_dir(scene.store.folder()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn the_file_of_an_unpinned_entry_takes_that_entrys_name() {
        let scene = Scene::new();
        let entry = Entry::by_name("qwen2.5-coder-7b").unwrap();
        let imported = scene.import(entry.file, &Builder::qwen().bytes()).await;
        assert_eq!(imported.unwrap().name, entry.name);
        assert!(scene.store.find(entry.name).unwrap().sha256.is_some());
    }

    #[tokio::test]
    async fn what_is_no_model_or_cannot_fill_in_is_refused_before_it_is_copied() {
        let scene = Scene::new();
        let error = scene.import("page.gguf", b"<html>").await.unwrap_err();
        assert!(error.to_string().contains("HTML"), "{error}");
        let chat = Builder::new("llama").bytes();
        let error = scene.import("chat.gguf", &chat).await.unwrap_err();
        assert!(error.to_string().contains("Qwen2.5-Coder"), "{error}");
        assert!(!scene.store.folder().exists());
    }

    #[tokio::test]
    async fn a_name_that_could_not_be_typed_is_refused() {
        let scene = Scene::new();
        let bytes = Builder::qwen().bytes();
        let error = scene.import("my model.gguf", &bytes).await.unwrap_err();
        assert!(matches!(error, ModelError::BadName { .. }), "{error}");
    }
}
