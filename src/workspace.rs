//! What the files of a workspace define: found in the background, kept up to date while one types.
//!
//! In: the folders a client has open, and the text of its buffers, which wins over the disk. Out:
//! an [`Index`] to read. Refuses: what ignore rules exclude, links (so that none leads in circles),
//! large files, and more than its budgets. One thread of low priority does the work and sleeps when
//! there is none; dropping the workspace ends it. Nothing of this leaves the machine.

pub mod index;
pub mod snapshot;
pub mod words;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::Duration;

use ignore::WalkBuilder;
use ropey::Rope;

pub use index::{Found, Index};
pub use snapshot::Snapshot;
pub use words::Words;

use crate::machine;
use crate::syntax::{self, Language};

/// A longer file is generated or data, bytes.
pub const MAX_FILE: u64 = 512 * 1024;
/// Source read in all, bytes: some 2 million lines.
const MAX_SOURCE: u64 = 64 * 1024 * 1024;
/// Files looked at, of any kind.
const MAX_FILES: usize = 100_000;
/// How long one file may take: nobody waits for it, and on a busy machine what is of low priority may have to.
const PATIENCE: Duration = Duration::from_secs(10);
/// A buffer is read when nobody has typed for this long: its own names are in the text anyway.
const QUIET: Duration = Duration::from_millis(300);
/// Names of ignore files beside git's own.
pub(crate) const IGNORE_FILES: [&str; 5] =
    [".aiignore", ".cursorignore", ".aiderignore", ".continueignore", ".copilotignore"];

/// The definitions of a client's workspace.
#[derive(Default)]
pub struct Workspace {
    index: Arc<RwLock<Index>>,
    words: Arc<RwLock<Words>>,
    folders: Arc<RwLock<Vec<PathBuf>>>,
    worker: Mutex<Option<Sender<Task>>>,
}

enum Task {
    /// Read these folders.
    Folders(Vec<PathBuf>),
    /// A buffer's text, which counts instead of the file's from now on.
    Buffer(PathBuf, Rope),
    /// The file counts: it was written, or its buffer was closed.
    File(PathBuf),
    /// Say when everything before this is done.
    Settled(Sender<()>),
}

impl Workspace {
    /// What is known now. Do not hold it across an await.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names that occur. Do not hold it across an await.
    pub fn words(&self) -> RwLockReadGuard<'_, Words> {
        self.words.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now, to be read without a lock. Takes some ms with 100,000 files, and holds each
    /// lock for part of that.
    pub fn snapshot(&self) -> Snapshot {
        let mut files = snapshot::of_index(&self.index());
        snapshot::add_words(&mut files, &self.words());
        Snapshot::new(files)
    }

    /// The folders that are read.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.folders.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads these folders in the background.
    pub fn open_folders(&self, folders: Vec<PathBuf>) {
        if folders.is_empty() {
            return;
        }
        let mut all = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(folders.iter().cloned());
        drop(all);
        self.order(Task::Folders(folders));
    }

    /// A buffer was opened or changed.
    pub fn buffer(&self, path: &Path, text: &Rope) {
        if text.len_bytes() as u64 <= MAX_FILE && language(path).is_some() {
            self.order(Task::Buffer(path.to_owned(), text.clone()));
        }
    }

    /// A buffer was closed, or a file was written by someone else.
    pub fn file(&self, path: &Path) {
        if language(path).is_some() {
            self.order(Task::File(path.to_owned()));
        }
    }

    /// A file's name in the index: relative to the folder it is in, with `/`.
    pub fn name(&self, path: &Path) -> String {
        name(&self.folders.read().unwrap_or_else(PoisonError::into_inner), path)
    }

    /// Waits until all that was ordered so far is done. For benches and tests.
    pub fn settle(&self) {
        let (done, wait) = channel();
        self.order(Task::Settled(done));
        // Without a thread nothing more will come.
        let _ = wait.recv();
    }

    fn order(&self, task: Task) {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = worker.get_or_insert_with(|| self.start());
        // A thread that could not start, or is gone, leaves the index as it is.
        let _ = sender.send(task);
    }

    fn start(&self) -> Sender<Task> {
        let (sender, tasks) = channel();
        let worker = Worker {
            tasks,
            index: self.index.clone(),
            words: self.words.clone(),
            folders: self.folders.clone(),
            buffers: HashSet::new(),
            pending: HashMap::new(),
            later: VecDeque::new(),
            files_left: MAX_FILES,
            source_left: MAX_SOURCE,
        };
        let started = thread::Builder::new().name("workspace".to_owned()).spawn(|| worker.run());
        if let Err(error) = started {
            tracing::warn!("the workspace is not read: {error}");
        }
        sender
    }
}

/// The one who reads.
struct Worker {
    tasks: Receiver<Task>,
    index: Arc<RwLock<Index>>,
    words: Arc<RwLock<Words>>,
    folders: Arc<RwLock<Vec<PathBuf>>>,
    /// Files whose buffer counts.
    buffers: HashSet<PathBuf>,
    /// What is to be read when nobody types; no text means the file.
    pending: HashMap<PathBuf, Option<Rope>>,
    /// What came while folders were read and has to wait for them.
    later: VecDeque<Task>,
    files_left: usize,
    source_left: u64,
}

/// Whether the workspace is still there.
#[derive(PartialEq)]
enum Owner {
    There,
    Gone,
}

/// Where a file stands.
#[derive(PartialEq)]
enum Stands {
    Inside,
    /// In a folder of the workspace, but excluded, behind a link, too long or not there.
    Ignored,
    Outside,
}

/// Is this a folder to read whole? A file opened by itself in `/` or at home makes no workspace of all
/// that is there.
pub fn is_workspace(folder: &Path) -> bool {
    folder.parent().is_some() && etcetera::home_dir().ok().as_deref() != Some(folder)
}

/// How a folder is read.
pub(crate) fn rules(folder: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(folder);
    walk.follow_links(false).require_git(false).max_filesize(Some(MAX_FILE));
    for file in IGNORE_FILES {
        walk.add_custom_ignore_filename(file);
    }
    walk
}

impl Worker {
    fn run(mut self) {
        machine::lower_this_threads_priority();
        loop {
            let task = match self.later.pop_front() {
                Some(task) => Ok(task),
                None if self.pending.is_empty() => {
                    self.tasks.recv().map_err(|_| RecvTimeoutError::Disconnected)
                }
                None => self.tasks.recv_timeout(QUIET),
            };
            match task {
                Ok(task) => {
                    if self.take(task) == Owner::Gone {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.read_pending(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, task: Task) -> Owner {
        match task {
            Task::Folders(folders) => {
                return match folders.iter().all(|folder| self.walk(folder) == Owner::There) {
                    true => Owner::There,
                    false => Owner::Gone,
                };
            }
            Task::Buffer(path, text) => {
                let known = self.buffers.contains(&path);
                // One that is not on disk yet cannot be asked about.
                if known || !path.exists() || self.stands(&path) != Stands::Ignored {
                    self.buffers.insert(path.clone());
                    self.pending.insert(path, Some(text));
                }
            }
            Task::File(path) => {
                self.buffers.remove(&path);
                self.pending.insert(path, None);
            }
            Task::Settled(done) => {
                self.read_pending();
                // Nobody waits any more: as good.
                let _ = done.send(());
            }
        }
        Owner::There
    }

    fn walk(&mut self, folder: &Path) -> Owner {
        // What cannot be read is as good as not there.
        for entry in rules(folder).build().flatten() {
            match self.tasks.try_recv() {
                Ok(task @ (Task::Folders(_) | Task::Settled(_))) => self.later.push_back(task),
                Ok(task) => drop(self.take(task)),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Owner::Gone,
            }
            if self.files_left == 0 || self.source_left == 0 {
                tracing::info!("{} is too large to be read whole", folder.display());
                return Owner::There;
            }
            self.files_left -= 1;
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if is_file && !self.buffers.contains(entry.path()) {
                let bytes = self.read_file(entry.path());
                self.source_left = self.source_left.saturating_sub(bytes);
            }
        }
        Owner::There
    }

    fn read_pending(&mut self) {
        for (path, text) in std::mem::take(&mut self.pending) {
            match text {
                Some(text) => self.put(&path, &text.to_string()),
                None if self.stands(&path) == Stands::Inside => drop(self.read_file(&path)),
                None => self.remove(&path),
            }
        }
    }

    /// Reads a file; its length in bytes where that is source.
    fn read_file(&self, path: &Path) -> u64 {
        // A pipe would be waited for.
        let fits = |about: &fs::Metadata| about.is_file() && about.len() <= MAX_FILE;
        let readable =
            language(path).is_some() && fs::symlink_metadata(path).is_ok_and(|a| fits(&a));
        match readable.then(|| fs::read_to_string(path)) {
            Some(Ok(text)) => {
                self.put(path, &text);
                text.len() as u64
            }
            // Gone, grown, or not text.
            _ => {
                self.remove(path);
                0
            }
        }
    }

    /// Would reading the folders come upon this file?
    fn stands(&self, path: &Path) -> Stands {
        let folders = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = folders.iter().find(|folder| path.starts_with(folder)) else {
            return Stands::Outside;
        };
        let wanted = path.to_owned();
        // Only the way to it is gone.
        let walk =
            rules(folder).filter_entry(move |entry| wanted.starts_with(entry.path())).build();
        match walk.flatten().any(|entry| entry.path() == path) {
            true => Stands::Inside,
            false => Stands::Ignored,
        }
    }

    fn put(&self, path: &Path, text: &str) {
        let Some(language) = language(path) else { return };
        let name = self.name(path);
        let words = words::Of::text(text);
        self.change_words(|known| known.put(&name, words));
        // One that takes too long keeps what was known of its definitions.
        if let Some(outline) = language.outline_within(text, PATIENCE) {
            self.change_index(|index| index.put(&name, language.id, outline));
        }
    }

    fn remove(&self, path: &Path) {
        let name = self.name(path);
        self.change_words(|words| words.remove(&name));
        self.change_index(|index| index.remove(&name));
    }

    fn name(&self, path: &Path) -> String {
        name(&self.folders.read().unwrap_or_else(PoisonError::into_inner), path)
    }

    fn change_index(&self, change: impl FnOnce(&mut Index)) {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn change_words(&self, change: impl FnOnce(&mut Words)) {
        change(&mut self.words.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn language(path: &Path) -> Option<&'static Language> {
    syntax::language(&syntax::language_of(path))
}

fn name(folders: &[PathBuf], path: &Path) -> String {
    let inside = folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
    let name = inside.unwrap_or(path).to_string_lossy();
    if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(files: &[(&str, &str)]) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let workspace = Workspace::default();
        workspace.open_folders(vec![folder.path().to_owned()]);
        workspace.settle();
        (folder, workspace)
    }

    fn places(workspace: &Workspace, name: &str) -> Vec<String> {
        let index = workspace.index();
        let mut places: Vec<String> = index.named(name).map(|f| f.path.to_owned()).collect();
        places.sort();
        places
    }

    #[test]
    fn files_are_read_unless_ignored() {
        let (_folder, workspace) = opened(&[
            ("src/a.rs", "fn open() {}"),
            ("lib/b.py", "def open(): pass"),
            (".gitignore", "built/\n"),
            ("built/c.rs", "fn open() {}"),
            (".aiignore", "secret.rs\n"),
            ("secret.rs", "fn open() {}"),
            ("notes.txt", "fn open() {}"),
        ]);
        assert_eq!(places(&workspace, "open"), ["lib/b.py", "src/a.rs"]);
    }

    #[test]
    fn an_unsaved_buffer_wins_until_it_is_closed() {
        let (folder, workspace) = opened(&[("a.rs", "fn old() {}")]);
        let path = folder.path().join("a.rs");
        workspace.buffer(&path, &Rope::from_str("fn new() {}"));
        workspace.settle();
        assert_eq!((places(&workspace, "old").len(), places(&workspace, "new").len()), (0, 1));
        workspace.open_folders(vec![folder.path().to_owned()]);
        workspace.settle();
        assert_eq!(places(&workspace, "old").len(), 0, "the walk does not bring the file back");
        workspace.file(&path);
        workspace.settle();
        assert_eq!((places(&workspace, "old").len(), places(&workspace, "new").len()), (1, 0));
        fs::remove_file(&path).unwrap();
        workspace.file(&path);
        workspace.settle();
        assert_eq!(places(&workspace, "old").len(), 0);
    }

    #[test]
    fn an_ignored_file_stays_unread_when_it_is_opened_closed_or_written() {
        let (folder, workspace) =
            opened(&[(".gitignore", "built/\n"), ("built/c.rs", "fn open() {}")]);
        let path = folder.path().join("built/c.rs");
        workspace.buffer(&path, &Rope::from_str("fn open() {}"));
        workspace.settle();
        assert_eq!(places(&workspace, "open").len(), 0);
        workspace.file(&path);
        workspace.settle();
        assert_eq!(places(&workspace, "open").len(), 0);
        let fresh = folder.path().join("fresh.rs");
        fs::write(&fresh, "fn open() {}").unwrap();
        workspace.file(&fresh);
        workspace.settle();
        assert_eq!(places(&workspace, "open"), ["fresh.rs"]);
    }

    #[test]
    fn a_buffer_outside_the_folders_counts_while_it_is_open() {
        let (_folder, workspace) = opened(&[]);
        let elsewhere = tempfile::tempdir().unwrap();
        let path = elsewhere.path().join("a.rs");
        fs::write(&path, "fn open() {}").unwrap();
        workspace.buffer(&path, &Rope::from_str("fn open() {}"));
        workspace.settle();
        assert_eq!(places(&workspace, "open").len(), 1);
        workspace.file(&path);
        workspace.settle();
        assert_eq!(places(&workspace, "open").len(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_in_circles_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rs"), "fn open() {}").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        let workspace = Workspace::default();
        workspace.open_folders(vec![folder.path().to_owned()]);
        workspace.settle();
        assert_eq!(places(&workspace, "open"), ["a.rs"]);
    }

    #[test]
    fn what_is_too_long_or_not_text_is_passed_over() {
        let long = format!("fn long() {{}}\n{}", " ".repeat(MAX_FILE as usize));
        let (folder, workspace) = opened(&[("long.rs", &long)]);
        fs::write(folder.path().join("raw.rs"), b"fn raw() {} \xff").unwrap();
        workspace.file(&folder.path().join("raw.rs"));
        workspace.settle();
        assert_eq!((places(&workspace, "long").len(), places(&workspace, "raw").len()), (0, 0));
    }
}
