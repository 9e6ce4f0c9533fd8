//! The files that a person reads and edits while asking: the preview, the list, the answer.
//!
//! In: texts. Out: Markdown files in the user's cache folder, one private folder a conversation, outside
//! any workspace, so that no repository gets them. Only the newest [`KEPT`] conversations stay. Refuses:
//! to go on when a file cannot be written; a preview that nobody can read is none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::private;

/// Conversations that are kept.
const KEPT: usize = 20;

/// Where the folders of conversations are.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    folder: Option<PathBuf>,
}

/// One conversation's folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// `$TANDEM_CACHE_DIR/asks`, else `tandem/asks` in the user's folder for caches.
pub fn folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    if let Some(folder) = std::env::var_os("TANDEM_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        return Some(PathBuf::from(folder).join("asks"));
    }
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.cache_dir().join("tandem").join("asks"))
}

impl Papers {
    /// In a folder, which is made when it is needed.
    pub fn at(folder: Option<PathBuf>) -> Papers {
        Papers { folder }
    }

    /// A new conversation's folder; the oldest ones go.
    ///
    /// # Errors
    /// When there is no place for it, or it cannot be made.
    pub fn begin(&self) -> io::Result<Folder> {
        let all = self.folder.as_deref().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "there is no folder for caches; set TANDEM_CACHE_DIR",
            )
        })?;
        private::folder(all)?;
        let mut names = names(all);
        // Names are times, so that the oldest comes first.
        names.sort();
        for name in names.iter().rev().skip(KEPT - 1) {
            // What cannot be removed now is removed the next time.
            let _ = fs::remove_dir_all(all.join(name));
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let folder = all.join(format!("{time:014}-{:x}-{:x}", std::process::id(), next()));
        private::folder(&folder)?;
        Ok(Folder(folder))
    }

    /// Removes all conversations; how many there were.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> io::Result<usize> {
        let Some(all) = self.folder.as_deref() else { return Ok(0) };
        let names = names(all);
        for name in &names {
            fs::remove_dir_all(all.join(name))?;
        }
        Ok(names.len())
    }
}

impl Folder {
    /// Writes a file at once: who reads it sees the old text or the new one, whole.
    ///
    /// # Errors
    /// When it cannot be written; then the old one stays.
    pub fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        use io::Write;
        let path = self.path(name);
        // Another window, with newer conversations, may have taken it for old.
        private::folder(&self.0)?;
        // Private, as all temporary files of this crate are.
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }

    /// A file's path, whether it is there or not.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn names(all: &Path) -> Vec<String> {
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn next() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_conversations_stay_and_each_has_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let papers = Papers::at(Some(home.path().join("asks")));
        let first = papers.begin().unwrap();
        first.write("preview.md", "a").unwrap();
        assert_eq!(fs::read_to_string(first.write("preview.md", "b").unwrap()).unwrap(), "b");
        let others: Vec<_> = (0..KEPT).map(|_| papers.begin().unwrap()).collect();
        assert!(!first.path("").exists(), "the oldest is gone");
        assert!(others.iter().all(|folder| folder.path("").exists()));
        assert_eq!(papers.clear().unwrap(), KEPT);
        assert!(Papers::default().begin().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let folder = Papers::at(Some(home.path().join("asks"))).begin().unwrap();
        let file = folder.write("answer.md", "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.path("")), mode(&file)), (0o700, 0o600));
    }
}
