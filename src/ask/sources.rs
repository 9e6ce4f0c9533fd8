//! The texts that a question may draw on: unsaved buffers first, then the disk.
//!
//! In: the workspace's folders, the editor's buffers, and who may be read ([`Guard`]). Out: texts by
//! the workspace's names of files; which were read, and which were refused and why. Refuses: what the
//! guard refuses, files longer than the workspace reads, and what is not text.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::bundle::Texts;
use super::privacy::{Guard, Verdict};
use crate::workspace::{MAX_FILE, is_workspace};

/// A text as it was when it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub text: String,
    /// The client's version, for a buffer.
    pub version: Option<i32>,
}

/// Where texts come from. For one question: what it has read stays as it was.
pub struct Sources {
    folders: Vec<PathBuf>,
    buffers: HashMap<PathBuf, Read>,
    guard: Guard,
    read: RefCell<BTreeMap<String, Option<Read>>>,
    refused: RefCell<BTreeMap<String, String>>,
}

impl Sources {
    /// `folders` are the workspace's, in its order; `buffers` by path.
    pub fn new(folders: Vec<PathBuf>, buffers: HashMap<PathBuf, Read>, guard: Guard) -> Sources {
        let (read, refused) = (RefCell::default(), RefCell::default());
        Sources { folders, buffers, guard, read, refused }
    }

    /// What was read of this file; `None` where it was not, or may not be.
    pub fn read(&self, name: &str) -> Option<Read> {
        if let Some(known) = self.read.borrow().get(name) {
            return known.clone();
        }
        let read = self.find(name);
        self.read.borrow_mut().insert(name.to_owned(), read.clone());
        read
    }

    /// Why this file may not be sent, if it may not.
    pub fn refuses(&self, path: &Path) -> Option<String> {
        match self.guard.verdict(path) {
            Verdict::Never(why) => Some(why),
            Verdict::Allowed => None,
        }
    }

    /// Files that would have been read and may not be, with the reason.
    pub fn refused(&self) -> Vec<(String, String)> {
        self.refused.borrow().iter().map(|(name, why)| (name.clone(), why.clone())).collect()
    }

    fn find(&self, name: &str) -> Option<Read> {
        let path = path_of(&self.folders, name, |path| {
            self.buffers.contains_key(path) || path.symlink_metadata().is_ok()
        })?;
        if let Verdict::Never(why) = self.guard.verdict(&path) {
            self.refused.borrow_mut().insert(name.to_owned(), why);
            return None;
        }
        self.buffers.get(&path).cloned().or_else(|| from_disk(&path))
    }
}

impl Texts for Sources {
    fn text(&self, path: &str) -> Option<String> {
        self.read(path).map(|read| read.text)
    }
}

/// The file that the workspace calls by this name.
pub fn path_of(
    folders: &[PathBuf],
    name: &str,
    is_there: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let inside = folders.iter().map(|folder| folder.join(name));
    inside.into_iter().find(|path| is_there(path))
}

/// What the workspace calls a file: relative to the folder it is in, with `/`; `None` outside.
pub fn name_in(folders: &[PathBuf], path: &Path) -> Option<String> {
    let inside = folders.iter().find_map(|folder| path.strip_prefix(folder).ok())?;
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
}

/// The repository that a file is in, else its folder; `None` for one that is no workspace.
pub fn own_folder(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let repository = folder.ancestors().find(|folder| folder.join(".git").exists());
    Some(repository.unwrap_or(folder).to_owned()).filter(|folder| is_workspace(folder))
}

/// A file's text as it is on the disk.
pub fn from_disk(path: &Path) -> Option<Read> {
    let about = path.symlink_metadata().ok()?;
    // A pipe would be waited for.
    let fits = about.is_file() && about.len() <= MAX_FILE;
    let text = fits.then(|| std::fs::read_to_string(path))?.ok()?;
    Some(Read { text, version: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_first_and_what_was_read_stays() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("a.rs", "disk");
        write("b.rs", "disk");
        write(".gitignore", "c.rs\n");
        write("c.rs", "secret");
        let buffer = Read { text: "buffer".into(), version: Some(3) };
        let buffers = HashMap::from([
            (folder.join("a.rs"), buffer.clone()),
            (folder.join("new.rs"), buffer.clone()),
            (folder.join("c.rs"), buffer.clone()),
        ]);
        let (guard, warnings) = Guard::new(std::slice::from_ref(&folder), &[]);
        assert!(warnings.is_empty());
        let sources = Sources::new(vec![folder.clone()], buffers, guard);
        assert_eq!(sources.read("a.rs"), Some(buffer.clone()));
        assert_eq!(sources.read("new.rs"), Some(buffer));
        assert_eq!(sources.text("b.rs").as_deref(), Some("disk"));
        write("b.rs", "later");
        assert_eq!(sources.text("b.rs").as_deref(), Some("disk"));
        assert_eq!((sources.read("c.rs"), sources.read("gone.rs")), (None, None));
        assert_eq!(sources.refused().len(), 1, "{:?}", sources.refused());
    }
}
