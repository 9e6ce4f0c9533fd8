//! Edits that Claude proposes: from the text of a complete answer to changes of files, all or none.
//!
//! In: an answer, what was sent, the texts as they are now. Out: [`FileEdit`]s, and for each path whether it
//! may be touched ([`place`]). Refuses: a search that does not occur exactly once in what was sent and in
//! the file as it is now, or where it was not shown; overlaps; secrets that move to another file; and with
//! one block all others. Each [`Problem`] is a sentence, for a person and for one round of repair.

mod blocks;
mod check;
mod closest;
mod lines;
pub mod place;
mod resolve;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use blocks::{Block, FORMAT, parse};
pub use check::{breaks_syntax, diff};
pub use place::{Place, place};
pub use resolve::resolve;

/// A file as it was when it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    /// As the workspace names it.
    pub path: String,
    /// The file's own text: with its secrets, and with what is hidden.
    pub text: String,
    /// Bytes of the text that were shown: whole lines, in order.
    pub parts: Vec<Range<usize>>,
}

/// What changes in one file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileEdit {
    /// As the workspace names it.
    pub path: String,
    /// The file does not exist yet: do not overwrite one that came to be meanwhile.
    pub created: bool,
    /// Bytes of the text as it is now, and what takes their place; in order, apart.
    pub edits: Vec<(Range<usize>, String)>,
}

impl FileEdit {
    /// The text with the edits; of a new file, from nothing.
    pub fn applied(&self, text: &str) -> String {
        let (mut changed, mut from) = (String::with_capacity(text.len()), 0);
        for (range, new) in &self.edits {
            changed.push_str(text.get(from..range.start).unwrap_or_default());
            changed.push_str(new);
            from = range.end;
        }
        changed.push_str(text.get(from..).unwrap_or_default());
        changed
    }
}

/// Why edits cannot be applied. Lines are those of the answer, from 1.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error(
        "The block in line {line} has no path above it (`{found}` is none): write the path of the file alone on the line above."
    )]
    NoPath { line: usize, found: String },
    #[error("The block in line {line} is not whole: {why}.")]
    Unfinished { line: usize, why: &'static str },
    #[error(
        "In line {line} a block ends that does not begin: write the line <<<<<<< SEARCH before it."
    )]
    Stray { line: usize },
    #[error("The block in line {line} is indented: its markers must begin their lines.")]
    Indented { line: usize },
    #[error(
        "The block in line {line} changes `{path}`, whose text was not sent: only files that were sent can be changed."
    )]
    NotSent { line: usize, path: String },
    #[error(
        "The lines that the block in line {line} searches are not in `{path}` as it was sent.{closest}"
    )]
    NotFound { line: usize, path: String, closest: String },
    #[error(
        "The lines that the block in line {line} searches are {times} times in `{path}`: take more lines around them, so that they are there once."
    )]
    Repeated { line: usize, path: String, times: usize },
    #[error(
        "The block in line {line} searches lines of `{path}` that were not in what was sent: only what was shown can be changed."
    )]
    NotShown { line: usize, path: String },
    #[error(
        "`{path}` was changed after it was sent, at the lines of the block in line {line}: ask again."
    )]
    Changed { line: usize, path: String },
    #[error(
        "The block in line {line} would make `{path}`, which exists: search for the lines to change."
    )]
    Exists { line: usize, path: String },
    #[error(
        "The blocks in lines {other} and {line} search the same lines of `{path}`: make one block of them."
    )]
    Overlaps { line: usize, other: usize, path: String },
    #[error(
        "The block in line {line} can be read in two ways, because lines of seven equal signs are among its own: search for other lines."
    )]
    Ambiguous { line: usize },
    #[error(
        "The block in line {line} writes `{placeholder}` into `{path}`, where no such secret stands: write a placeholder only in the file that it is in."
    )]
    Placeholder { line: usize, path: String, placeholder: String },
    #[error(
        "The block in line {line} changes a line of `{path}` that has hidden characters, which were not sent: change that line by hand."
    )]
    Hidden { line: usize, path: String },
    /// For the one who asked [`place`].
    #[error("`{path}` is not changed: {why}.")]
    Refused { path: String, why: String },
}

/// What is said to Claude in the one round of repair.
pub fn repair(problems: &[Problem]) -> String {
    let list: String = problems.iter().map(|problem| format!("- {problem}\n")).collect();
    format!(
        "None of your edit blocks was applied, because of these problems:\n\n{list}\nWrite all blocks \
         again, corrected, against the files as they were sent. Write nothing else."
    )
}
