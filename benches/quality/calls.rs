//! Calls of what another file of the tree defines: does the model write the right name?
//!
//! In: a tree and its index. Out: rows whose cursor stands right before the name of a function that one
//! other file defines, and which hide the rest of the line. With [`recall`], without any model: how
//! often the name is among what `context` chooses, which is the figure to work on first.

use std::path::Path;
use std::time::Instant;

use tandem::context;
use tandem::syntax::outline::Kind;
use tandem::syntax::{self, Language};
use tandem::workspace::{Index, Workspace};

use crate::rows::{Call, Row, spread};
use crate::score::{identifier, identifiers};
use crate::trees;

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

fn path_in(tree: &Path, file: &Path) -> String {
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

/// Prints how often the called name is in the context of so many bytes, chosen at the line's start.
pub fn recall(tree: &Path, most: usize, bytes: usize, verbose: bool) {
    let started = Instant::now();
    let workspace = workspace(tree);
    let (read, memory) = (started.elapsed(), resident_mb());
    let index = workspace.index();
    let found = rows(tree, &index, most);
    let (mut has, mut size) = (0, 0);
    let started = Instant::now();
    for row in &found {
        let Some((language, call)) = syntax::language(&row.language).zip(row.call.as_ref()) else {
            continue;
        };
        let text = row.text();
        let file = row.name.rsplit_once(':').map_or("", |(file, _)| file);
        let path = path_in(tree, Path::new(file));
        let cursor = row.before.len() - row.line_before().len();
        let place = context::Place { language, text: &text, cursor, path: &path };
        let context = context::comment(&index, place, bytes, "");
        let there = context.lines().any(|line| line.contains(&format!("{}(", call.name)));
        has += usize::from(there);
        size += context.len();
        if verbose {
            println!("{}: {} | {} | {there}\n{context}", row.name, row.hidden, call.definition);
        }
    }
    let each = started.elapsed() / found.len().max(1) as u32;
    println!(
        "{}: {} files and {} definitions read in {read:?}, {memory} MB resident; the name is there for {has} of {}; {} bytes, {each:?}",
        trees::name(tree),
        index.files(),
        index.definitions(),
        found.len(),
        size / found.len().max(1)
    );
}

/// Megabytes that this process holds, where the system says.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_000
}
