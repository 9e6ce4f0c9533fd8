//! What is known of a workspace at one moment, to be read at leisure: a long look at all files must
//! not keep a keystroke waiting for a lock.
//!
//! In: an [`Index`] and [`Words`]. Out: the files in the order of their names, each with what it
//! defines and imports and the names in it, shared with the index and not copied. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::index::Index;
use super::words::{Of, Words};
use crate::syntax::outline::{Definition, Import, Outline};

/// The files of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    files: Vec<File>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// As the workspace names it.
    pub path: Arc<str>,
    /// As in `textDocument.languageId`; `None` for a file that defines nothing.
    pub language: Option<&'static str>,
    pub definitions: Arc<[Definition]>,
    pub imports: Arc<[Import]>,
    /// [Hashes](super::words::hash) of the names that occur, in rising order.
    pub words: Arc<[u32]>,
}

impl Snapshot {
    /// Of files in any order, each path once.
    pub(super) fn new(files: HashMap<Arc<str>, File>) -> Snapshot {
        let mut files: Vec<File> = files.into_values().collect();
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Snapshot { files }
    }

    /// In the order of their paths.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Puts a file in the place of what was known of it; the snapshot alone changes.
    pub fn put(&mut self, path: &str, language: &'static str, outline: Outline, text: &str) {
        let file = File {
            path: path.into(),
            language: Some(language),
            definitions: outline.definitions.into(),
            imports: outline.imports.into(),
            words: Of::text(text).0,
        };
        match self.files.binary_search_by(|file| (*file.path).cmp(path)) {
            Ok(number) => self.files[number] = file,
            Err(number) => self.files.insert(number, file),
        }
    }

    /// The number of a file among [`files`](Self::files).
    pub fn number(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| (*file.path).cmp(path)).ok()
    }
}

impl From<(&Index, &Words)> for Snapshot {
    fn from((index, words): (&Index, &Words)) -> Snapshot {
        let mut files = of_index(index);
        add_words(&mut files, words);
        Snapshot::new(files)
    }
}

pub(super) fn of_index(index: &Index) -> HashMap<Arc<str>, File> {
    let files = index.shared().map(|it| {
        let file = File {
            path: it.path.clone(),
            language: Some(it.language),
            definitions: it.definitions.clone(),
            imports: it.imports.clone(),
            words: Arc::default(),
        };
        (it.path.clone(), file)
    });
    files.collect()
}

pub(super) fn add_words(files: &mut HashMap<Arc<str>, File>, words: &Words) {
    for (path, words) in words.shared() {
        match files.get_mut(path) {
            Some(file) => file.words = words.clone(),
            None => {
                let path: Arc<str> = path.into();
                let file = File {
                    path: path.clone(),
                    language: None,
                    definitions: Arc::default(),
                    imports: Arc::default(),
                    words: words.clone(),
                };
                files.insert(path, file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    #[test]
    fn a_snapshot_has_each_file_once_in_order_and_does_not_change() {
        let (mut index, mut words) = (Index::default(), Words::default());
        for (path, text) in [("b.rs", "fn open() {}"), ("a.rs", "use b::open;\n// nothing here")] {
            words.put(path, Of::text(text));
            index.put(path, "rust", syntax::language("rust").unwrap().outline(text).unwrap());
        }
        let snapshot = Snapshot::from((&index, &words));
        index.remove("b.rs");
        words.remove("b.rs");
        let shown: Vec<_> = snapshot
            .files()
            .iter()
            .map(|file| (&*file.path, file.definitions.len(), file.words.len()))
            .collect();
        assert_eq!(shown, [("a.rs", 0, 5), ("b.rs", 1, 2)]);
        assert_eq!((snapshot.number("b.rs"), snapshot.number("c.rs")), (Some(1), None));
    }
}
