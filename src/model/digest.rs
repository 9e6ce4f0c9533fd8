//! Hashes of files, and the check of an installed model.
//!
//! In: a path. Out: its size and SHA-256, with progress. Refuses: nothing; it only reads.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::ModelError;
use super::progress::{Phase, Progress, Report, Source};
use super::store::Store;

/// Bytes read at a time: large enough to be fast, small enough to show progress.
pub(super) const PIECE: usize = 1 << 20;

/// A model that was read through and is what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// Reads an installed model through and compares size and SHA-256 with what is recorded.
///
/// Fails with [`ModelError::Altered`] where they differ, [`ModelError::NothingToCompare`] where
/// nothing is recorded, and as [`Store::find`] does.
pub async fn verify(store: &Store, name: &str, report: Report) -> Result<Verified, ModelError> {
    let model = store.find(name)?;
    let path = model.path.clone();
    let got = off_thread(move || sha256_of(&path, Source::Local, &report)).await?;
    match model.sha256 {
        None => Err(ModelError::NothingToCompare { path: model.path, got }),
        Some(expected) if expected != got => {
            Err(ModelError::Altered { name: model.name, path: model.path, expected, got })
        }
        Some(sha256) => {
            Ok(Verified { name: model.name, path: model.path, bytes: model.bytes, sha256 })
        }
    }
}

/// The SHA-256 of a file in lower-case hex. Reads all of it.
pub(super) fn sha256_of(
    path: &Path,
    source: Source,
    report: &Report,
) -> Result<String, ModelError> {
    let failed = |e| ModelError::reading(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    loop {
        report(Progress { phase: Phase::Verifying, done, total, source });
        let n = file.read(&mut piece).map_err(failed)?;
        if n == 0 {
            return Ok(hex(hash));
        }
        hash.update(&piece[..n]);
        done += n as u64;
    }
}

pub(crate) fn hex(hash: Sha256) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Runs slow file work beside the async threads.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ModelError> + Send + 'static,
) -> Result<T, ModelError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(died) => Err(ModelError::Task { reason: died.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::progress::silent;
    use crate::model::store::{Receipt, settle};
    use std::fs;

    /// SHA-256 of `abc`, from FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn store_with_abc() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        let fresh = folder.path().join("incoming");
        fs::write(&fresh, b"abc").unwrap();
        let receipt = Receipt { sha256: ABC.to_owned(), bytes: 3, from: "import".to_owned() };
        settle(&fresh, &store.path_of_stem("letters"), Some(&receipt)).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn an_untouched_model_verifies() {
        let (_folder, store) = store_with_abc();
        let verified = verify(&store, "letters", silent()).await.unwrap();
        assert_eq!((verified.bytes, verified.sha256.as_str()), (3, ABC));
    }

    #[tokio::test]
    async fn one_changed_byte_is_found_and_told() {
        let (_folder, store) = store_with_abc();
        fs::write(store.path_of_stem("letters"), b"abd").unwrap();
        let error = verify(&store, "letters", silent()).await.unwrap_err();
        assert!(matches!(error, ModelError::Altered { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_model_without_a_recorded_hash_is_not_called_verified() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        fs::write(store.path_of_stem("dropped"), b"abc").unwrap();
        let error = verify(&store, "dropped", silent()).await.unwrap_err();
        assert!(error.to_string().contains(ABC), "{error}");
    }
}
