//! One pull of a model at a time, over all processes.
//!
//! In: the store and the entry. Out: a lock, after waiting for whoever has it. Refuses: nothing;
//! where the file system knows no locks, the pull goes on without.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::SourceChoice;
use crate::model::catalogue::Entry;
use crate::model::error::ModelError;
use crate::model::progress::{Phase, Progress, Report, Source};
use crate::model::store::Store;

/// Held until dropped.
pub struct Lock {
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// Call only when the model is in place: whoever still waits on the removed file, or makes a
    /// new one, then finds the model and does nothing.
    pub fn done(self) {
        // A lock file left behind does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// How often a waiting pull looks again. Polling, because a blocked thread could not be stopped.
const AGAIN: Duration = Duration::from_millis(100);

pub async fn take(
    store: &Store,
    entry: &Entry,
    source: SourceChoice,
    report: &Report,
) -> Result<Lock, ModelError> {
    let path = store.folder().join(format!("{}.lock", entry.file));
    let failed = |e| ModelError::writing(&path, 0, e);
    let file = File::create(&path).map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                report(Progress {
                    phase: Phase::Waiting,
                    done: 0,
                    total: 0,
                    source: match source {
                        SourceChoice::Pypi => Source::Pypi,
                        _ => Source::Hub,
                    },
                });
                tokio::time::sleep(AGAIN).await;
            }
            // Some network file systems.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => break,
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
    }
    Ok(Lock { _file: file, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn the_second_pull_says_that_it_waits_and_goes_on_when_the_first_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        let entry = Entry::default_entry();
        let silent = crate::model::silent();
        let first = take(&store, entry, SourceChoice::Auto, &silent).await;
        // The first one ends as soon as the second has said that it waits.
        let first = Mutex::new(Some(first.unwrap()));
        let waited = Arc::new(Mutex::new(false));
        let heard = waited.clone();
        let report: Report = Arc::new(move |progress| {
            *heard.lock().unwrap() |= progress.phase == Phase::Waiting;
            drop(first.lock().unwrap().take());
        });
        take(&store, entry, SourceChoice::Auto, &report).await.unwrap();
        assert!(*waited.lock().unwrap());
    }
}
