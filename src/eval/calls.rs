//! Calls of what another file of the tree defines: does the model write the right name?
//!
//! In: a tree and its index. Out: rows whose cursor stands right before the name of a function that one
//! other file defines, and which hide the rest of the line.
//!
//! A name says nothing of whose it is: `list.append(…)` is no call of the `append` that some file of the
//! tree defines. What other trees call too is a library's, mostly ([`common`]): in seven crates and packages
//! 42 of 100 rows were, and a model knows libraries by heart.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::row::{Call, Row, spread};
use super::score::{identifier, identifiers};
use super::trees;
use crate::context;
use crate::syntax::outline::Kind;
use crate::syntax::{self, Language};
use crate::workspace::{Index, Workspace};

/// How lines begin that call nothing: definitions, imports, comments.
const NO_CALLS: [&str; 10] =
    ["fn ", "pub fn", "def ", "async ", "use ", "from ", "import ", "class ", "#", "//"];
/// A shorter name is too common to say where it is from, bytes.
const SHORTEST: usize = 4;
/// No file takes so long to parse: which rows there are must not depend on how busy the machine is.
const PATIENCE: Duration = Duration::from_secs(10);

/// A workspace with the tree read.
pub fn workspace(tree: &Path) -> Workspace {
    let workspace = Workspace::default();
    workspace.open_folders(vec![tree.to_owned()]);
    workspace.settle();
    workspace
}

/// The names that more than one of these trees call.
pub fn common(trees: &[PathBuf]) -> HashSet<String> {
    let mut callers: HashMap<String, usize> = HashMap::new();
    for tree in trees {
        let texts = trees::files(tree).into_iter().filter_map(|file| {
            syntax::language(&syntax::language_of(&file))?;
            std::fs::read_to_string(file).ok()
        });
        let mut called: HashSet<String> = HashSet::new();
        for text in texts {
            let lines = text.lines().filter(|line| !calls_nothing(line));
            called.extend(lines.flat_map(calls).map(|(_, name)| name.to_owned()));
        }
        for name in called {
            *callers.entry(name).or_default() += 1;
        }
    }
    callers.retain(|_, callers| *callers > 1);
    callers.into_keys().collect()
}

/// Calls in a tree of what is in no library: names that are not among the `common` ones.
pub fn rows(tree: &Path, index: &Index, common: &HashSet<String>, most: usize) -> Vec<Row> {
    let mut all = Vec::new();
    for file in trees::files(tree) {
        let Some(language) = syntax::language(&syntax::language_of(&file)) else { continue };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let path = path_in(tree, &file);
        let Some(structure) = language.structure_within(&text, PATIENCE) else { continue };
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let end = start + line.trim_end().len();
            let row = call(line).and_then(|at| {
                let name = Some(identifier(&line[at..])).filter(|name| !common.contains(*name))?;
                let cursor = start + at;
                let definition = defined_elsewhere(index, language, &path, name)?;
                (!structure.is_opaque(cursor)).then(|| Row {
                    name: format!("{}:{}", file.display(), number + 1),
                    group: trees::name(tree),
                    language: language.id.to_owned(),
                    uri: trees::uri(&file),
                    before: text[..cursor].to_owned(),
                    after: text[end..].to_owned(),
                    hidden: text[cursor..end].to_owned(),
                    call: Some(Call { name: name.to_owned(), definition }),
                    ..Row::default()
                })
            });
            all.extend(row);
            start += line.len();
        }
    }
    spread(all, most)
}

/// A file's name within its tree.
pub fn path_in(tree: &Path, file: &Path) -> String {
    file.strip_prefix(tree).unwrap_or(file).to_string_lossy().into_owned()
}

/// Where the first call in a line begins, when the line is not a definition or an import.
fn call(line: &str) -> Option<usize> {
    let mut calls = (!calls_nothing(line)).then(|| calls(line))?;
    calls.next().map(|(at, _)| at)
}

fn calls_nothing(line: &str) -> bool {
    let begins = line.trim_start();
    NO_CALLS.iter().any(|word| begins.starts_with(word)) || line.contains("fn ")
}

fn calls(line: &str) -> impl Iterator<Item = (usize, &str)> {
    identifiers(line)
        .filter(|(at, name)| name.len() >= SHORTEST && line[at + name.len()..].starts_with('('))
}

/// The definition of what only one file defines, and that is another one.
fn defined_elsewhere(index: &Index, language: &Language, path: &str, name: &str) -> Option<String> {
    let mut found = index.named(name).filter(|found| {
        let callable = matches!(found.definition.kind, Kind::Function | Kind::Method);
        // In Rust a method that is not public is a trait's, mostly one of the standard library's.
        let of_a_trait = language.id == "rust"
            && found.definition.kind == Kind::Method
            && !found.definition.signature.starts_with("pub");
        callable && !of_a_trait && found.language == language.id
    });
    let first = found.next().filter(|found| found.path != path)?;
    found.all(|other| other.path == first.path).then(|| context::line(first.definition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_trees_call_too_is_no_row() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let write = |number: usize, name: &str, text: &str| {
            std::fs::write(folders[number].path().join(name), text).unwrap();
        };
        write(0, "shop.py", "def append(x): ...\n\ndef sell_all(x): ...\n");
        write(0, "main.py", "from shop import sell_all\n\nsell_all(1)\nall.append(2)\n");
        write(1, "main.py", "x.append(1)\ndef sell_all(): ...\n");
        let trees = folders.each_ref().map(|folder| folder.path().to_owned());
        let common = common(&trees);
        assert_eq!(common.iter().collect::<Vec<_>>(), ["append"]);
        let workspace = workspace(&trees[0]);
        let called = |common: &HashSet<String>| {
            let rows = rows(&trees[0], &workspace.index(), common, 9);
            let names = rows.into_iter().filter_map(|row| Some(row.call?.name));
            names.collect::<Vec<_>>()
        };
        assert_eq!(called(&common), ["sell_all"]);
        assert_eq!(called(&HashSet::new()), ["sell_all", "append"]);
    }
}
