//! What a snapshot of the workspace says, made quick to ask: who defines a name, and how rare it is.
//!
//! In: a [`Snapshot`]. Out: numbers of files and definitions. Names are looked up by their hash, and
//! compared where that matters. Pure; one pass over everything, some 100 ms for a million lines.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::syntax::outline::Definition;
use crate::workspace::Snapshot;
use crate::workspace::snapshot::File;
use crate::workspace::words::hash;

/// By a name's hash, which needs no other one.
pub type ByName<T> = HashMap<u32, T, BuildHasherDefault<AsItIs>>;

/// A definition: the numbers of its file, and in that.
pub type At = (u32, u32);

/// Definitions of one name that are looked at: more of them say nothing, and take time.
const MOST_HOMONYMS: usize = 2_000;

/// A hash of what is one already.
#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        // The table looks at the upper bits too.
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number);
    }
}

/// What is known.
pub struct Known<'a> {
    pub snapshot: &'a Snapshot,
    /// Who defines a name, in the order of files.
    pub defined: ByName<Vec<At>>,
    /// In how many files a name occurs.
    occurs: ByName<u32>,
    /// What each file is imported as.
    pub modules: Vec<&'a str>,
}

impl<'a> Known<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Known<'a> {
        let (mut defined, mut occurs) = (ByName::<Vec<At>>::default(), ByName::<u32>::default());
        for (number, file) in snapshot.files().iter().enumerate() {
            for (at, definition) in file.definitions.iter().enumerate() {
                let all = defined.entry(hash(&definition.name)).or_default();
                if all.len() < MOST_HOMONYMS {
                    all.push((number as u32, at as u32));
                }
            }
            for word in &*file.words {
                *occurs.entry(*word).or_default() += 1;
            }
        }
        let modules = snapshot.files().iter().map(|file| module(&file.path)).collect();
        Known { snapshot, defined, occurs, modules }
    }

    pub fn files(&self) -> &'a [File] {
        self.snapshot.files()
    }

    pub fn file(&self, number: u32) -> &'a File {
        &self.snapshot.files()[number as usize]
    }

    pub fn definition(&self, at: At) -> &'a Definition {
        &self.file(at.0).definitions[at.1 as usize]
    }

    /// Who defines this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = At> + use<'_, 'a> {
        let all = self.defined.get(&hash(name)).map(Vec::as_slice).unwrap_or_default();
        let name = name.to_owned();
        all.iter().copied().filter(move |at| self.definition(*at).name == name)
    }

    /// Files in which a name occurs.
    pub fn occurs(&self, word: u32) -> u32 {
        self.occurs.get(&word).copied().unwrap_or(0)
    }

    /// 0 for a name that is in every file, 1 for one that is in a single one of many.
    pub fn rarity(&self, word: u32) -> f64 {
        let all = self.files().len().max(1) as f64;
        let files = f64::from(self.occurs(word).max(1));
        ((1.0 + all / files).ln() - 2_f64.ln()).max(0.0) / ((1.0 + all).ln() - 2_f64.ln()).max(1e-9)
    }
}

/// Does this name occur in the file?
pub fn has(file: &File, word: u32) -> bool {
    file.words.binary_search(&word).is_ok()
}

/// What a file is imported as: its name, or its folder's where that says nothing.
pub fn module(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    match stem {
        "mod" | "lib" | "main" | "__init__" | "index" => parts.next().unwrap_or(stem),
        _ => stem,
    }
}

/// The folder of a file, without the last `/`.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Does a file hold tests, by its name?
pub fn is_test(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let of_tests = |part: &str| {
        matches!(
            part,
            "test"
                | "tests"
                | "testing"
                | "__tests__"
                | "spec"
                | "benches"
                | "examples"
                | "doc"
                | "docs"
        )
    };
    let stem = file.split('.').next().unwrap_or_default();
    folder.split('/').any(of_tests)
        || of_tests(stem)
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("Test")
        || stem.ends_with("Tests")
        || stem == "conftest"
        || file.contains(".test.")
        || file.contains(".spec.")
}

/// Languages whose files use each other's names.
pub fn family(language: &str) -> &str {
    match language {
        "typescript" | "typescriptreact" | "javascript" | "javascriptreact" => "javascript",
        "c" | "cpp" => "c",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tests_is_known_by_its_name() {
        let tests = ["tests/a.py", "src/test_a.py", "a_test.go", "src/a.spec.ts", "src/tests.rs"];
        assert!(tests.iter().all(|path| is_test(path)));
        assert!(!["src/a.rs", "src/latest.rs", "contest/a.py"].iter().any(|path| is_test(path)));
    }

    #[test]
    fn a_file_is_imported_by_its_name_or_its_folders() {
        assert_eq!(
            ["a/b.rs", "a/mod.rs", "a/__init__.py", "lib.rs"].map(module),
            ["b", "a", "a", "lib"]
        );
    }
}
