//! Rows made of any source tree, as its registry installs it.
//!
//! In: a folder. Out: lines of code with the cursor at random inside each, the same each time; all
//! identifiers of the tree. Refuses: files of languages without a grammar, comment lines, and lines
//! of less than 8 characters; binary and very long files for the identifiers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use url::Url;

use super::row::{Row, SHORTEST, random, spread};
use super::score::identifiers;
use crate::syntax;

/// Bytes of the longest file whose names are read.
const MOST: u64 = 4 << 20;
/// How lines begin that are no code.
const COMMENTS: [&str; 4] = ["//", "#", "*", "\"\"\""];

/// A tree's name.
pub fn name(tree: &Path) -> String {
    tree.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// All files, sorted; ignore rules are respected.
pub fn files(tree: &Path) -> Vec<PathBuf> {
    let entries = ignore::WalkBuilder::new(tree).build().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(ignore::DirEntry::into_path).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// A file's URI; empty where the path is not absolute.
pub fn uri(path: &Path) -> String {
    Url::from_file_path(path).map_or_else(|()| String::new(), String::from)
}

/// Lines of a tree's code.
pub fn lines(tree: &Path, most: usize) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    for file in files(tree) {
        let language = syntax::language_of(&file);
        if syntax::language(&language).is_none() {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let code = line.trim_end();
            let indent = code.len() - code.trim_start().len();
            let comment = COMMENTS.iter().any(|c| code[indent..].starts_with(c));
            let place = random(all.len() as u64, (code.len() - indent).saturating_sub(1));
            let at = start + indent + place;
            if code.len() - indent >= SHORTEST && !comment && text.is_char_boundary(at) {
                all.push(Row {
                    name: format!("{}:{}", file.display(), number + 1),
                    group: name(tree),
                    language: language.clone(),
                    uri: uri(&file),
                    before: text[..at].to_owned(),
                    after: text[start + code.len()..].to_owned(),
                    hidden: text[at..start + code.len()].to_owned(),
                    ..Row::default()
                });
            }
            start += line.len();
        }
    }
    spread(all, most)
}

/// Every identifier that stands anywhere in a tree.
pub fn names(tree: &Path) -> HashSet<String> {
    let mut names = HashSet::new();
    for file in files(tree) {
        if std::fs::metadata(&file).is_ok_and(|about| about.len() > MOST) {
            continue;
        }
        let text = std::fs::read(&file).unwrap_or_default();
        if !text.contains(&0) {
            let text = String::from_utf8_lossy(&text);
            names.extend(identifiers(&text).map(|(_, name)| name.to_owned()));
        }
    }
    names
}
