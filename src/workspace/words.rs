//! Which names occur anywhere in a workspace: what a model made up occurs nowhere.
//!
//! In: files' texts. Out: whether a name is in one of them, as a definition, a call, in a comment or a
//! string. Pure. Names are kept as hashes of 32 bits, four bytes for each in each file: among 100,000
//! names one in 40,000 that does not occur is taken for one that does.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The names of a workspace's files.
#[derive(Debug, Default)]
pub struct Words {
    /// In how many files each is.
    all: HashMap<u32, u32>,
    files: HashMap<String, Arc<[u32]>>,
}

/// The names of one text.
#[derive(Debug)]
pub struct Of(pub(super) Arc<[u32]>);

impl Of {
    /// Reads a text.
    pub fn text(text: &str) -> Of {
        let mut words: Vec<u32> = names(text).map(hash).collect();
        words.sort_unstable();
        words.dedup();
        Of(words.into())
    }
}

impl Words {
    /// Puts a file in the place of what was known of it.
    pub fn put(&mut self, path: &str, words: Of) {
        self.remove(path);
        for &word in &*words.0 {
            *self.all.entry(word).or_default() += 1;
        }
        self.files.insert(path.to_owned(), words.0);
    }

    /// Forgets a file.
    pub fn remove(&mut self, path: &str) {
        let Some(words) = self.files.remove(path) else { return };
        for word in &*words {
            if let Some(files) = self.all.get_mut(word) {
                *files -= 1;
                if *files == 0 {
                    self.all.remove(word);
                }
            }
        }
    }

    /// Does it occur?
    pub fn has(&self, name: &str) -> bool {
        self.all.contains_key(&hash(name))
    }

    /// Each file with the [`hash`]es of the names in it, in rising order, shared rather than copied.
    pub fn shared(&self) -> impl Iterator<Item = (&str, &Arc<[u32]>)> {
        self.files.iter().map(|(path, words)| (path.as_str(), words))
    }

    /// Different names in all.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// The names in a text: runs of letters, digits and `_` that do not begin with a digit.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(|c: char| !c.is_numeric()))
}

/// What a name is kept as.
pub fn hash(name: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_as_long_as_a_file_has_it() {
        let mut words = Words::default();
        words.put("a.rs", Of::text("fn open(größe: u8) -> u8 { größe.max(0x1f) }"));
        words.put("b.rs", Of::text("// open_all"));
        let known = |words: &Words| {
            ["open", "größe", "max", "open_all", "ope", "x1f", "0x1f"].map(|name| words.has(name))
        };
        assert_eq!(known(&words), [true, true, true, true, false, false, false]);
        words.put("a.rs", Of::text("open"));
        words.remove("b.rs");
        assert_eq!(known(&words), [true, false, false, false, false, false, false]);
        words.remove("a.rs");
        assert!(words.is_empty());
    }
}
