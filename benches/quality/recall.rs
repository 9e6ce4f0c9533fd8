//! Without any model: how often a called name is among what `context` chooses at all, which is the figure to work
//! on first.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use tandem::eval::calls::{path_in, rows, workspace};
use tandem::eval::trees;
use tandem::{context, syntax};

/// Prints how often the called name is in the context of so many bytes, chosen at the line's start.
pub fn recall(tree: &Path, common: &HashSet<String>, most: usize, bytes: usize, verbose: bool) {
    let started = Instant::now();
    let workspace = workspace(tree);
    let (read, memory) = (started.elapsed(), resident_mb());
    let index = workspace.index();
    let found = rows(tree, &index, common, most);
    let (mut has, mut size, mut known, mut among) = (0, 0, 0, 0);
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
        let here = context::Place { language, text: &text, cursor: row.before.len(), path: &path };
        let names = context::possible(&index, here);
        known += usize::from(names.is_some());
        among += names.iter().filter(|names| names.binary_search(&call.name).is_ok()).count();
        if verbose {
            println!("{}: {} | {} | {there}\n{context}", row.name, row.hidden, call.definition);
            println!("can stand there: {}\n", names.unwrap_or_default().join(" "));
        }
    }
    let each = started.elapsed() / found.len().max(1) as u32;
    println!(
        "{}: {} files and {} definitions read in {read:?}, {memory} MB resident; the name is there for {has} of {}; {} bytes, {each:?}; what can stand there is known for {known}, and has the name for {among}",
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
