//! Calls of what another file of the tree defines: does the model write the right name?
//!
//! In: a tree and its index. Out: rows whose cursor stands right before the name of a function that one
//! other file defines, and which hide the rest of the line.

use std::path::Path;

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

/// A workspace with the tree read.
pub fn workspace(tree: &Path) -> Workspace {
    let workspace = Workspace::default();
    workspace.open_folders(vec![tree.to_owned()]);
    workspace.settle();
    workspace
}

/// Calls in a tree.
pub fn rows(tree: &Path, index: &Index, most: usize) -> Vec<Row> {
    let mut all = Vec::new();
    for file in trees::files(tree) {
        let Some(language) = syntax::language(&syntax::language_of(&file)) else { continue };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let path = path_in(tree, &file);
        let Some(structure) = language.structure(&text) else { continue };
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let end = start + line.trim_end().len();
            let row = call(line).and_then(|at| {
                let name = identifier(&line[at..]);
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
    let begins = line.trim_start();
    if NO_CALLS.iter().any(|word| begins.starts_with(word)) || line.contains("fn ") {
        return None;
    }
    let called = |(at, name): &(usize, &str)| {
        name.len() >= SHORTEST && line[at + name.len()..].starts_with('(')
    };
    identifiers(line).find(called).map(|(at, _)| at)
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
