//! A client's change, checked against the text it is about to change.
//!
//! In: a rope and one content change in the client's positions.
//! Out: an [`Edit`] in bytes, a value that can be applied, or told to a tree in tree-sitter's rows
//! and columns.
//! Refuses: a range that ends before it starts, a line far past the end, a position inside a
//! character. Any of them means that client and server no longer hold the same text, and guessing
//! would only hide it. A character past the end of its line is no such sign: the protocol says
//! it means the end of the line.

use ropey::Rope;
use thiserror::Error;
use tree_sitter::{InputEdit, Point};

use super::position::{Encoding, Landing, Position, Range, locate};

/// One content change as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The text to replace; none means the whole document.
    pub range: Option<Range>,
    /// What stands there afterwards.
    pub text: String,
}

/// Why a batch of changes was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    #[error(
        "the change ends at {}:{}, before its start at {}:{}",
        .end.line, .end.character, .start.line, .start.character
    )]
    Reversed { start: Position, end: Position },
    #[error("the change names line {line} of a document that has {lines}")]
    NoSuchLine { line: u32, lines: usize },
    #[error("the change cuts a character in two at {}:{}", .at.line, .at.character)]
    InsideCharacter { at: Position },
    #[error("the document is out of sync; send its full text or reopen it")]
    OutOfSync,
    /// A warning: the change was left out, the document is as it was and still in sync.
    #[error("version {offered} came after version {current}; the change is ignored")]
    OldVersion { current: i32, offered: i32 },
}

/// How tree-sitter's rows are found in a text. tree-sitter starts a row after LF only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The text has no lone CR, so rows are the rope's lines: O(log n).
    Lines,
    /// The text has a lone CR, which ends a line but no row. LFs are counted from the start: O(n).
    LineFeeds,
}

/// A replacement that fits the text it was resolved against. Offsets in bytes, on character
/// boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub start_byte: usize,
    pub old_end_byte: usize,
    pub text: String,
}

impl Edit {
    /// Checks `change` against `rope`. A line one past the last is taken as the end of the text,
    /// since clients use it to say so; a line further off is an error.
    pub fn resolve(rope: &Rope, change: &Change, encoding: Encoding) -> Result<Edit, EditError> {
        let (start_byte, old_end_byte) = match change.range {
            None => (0, rope.len_bytes()),
            Some(Range { start, end }) if start > end => {
                return Err(EditError::Reversed { start, end });
            }
            Some(Range { start, end }) => {
                (exact(rope, start, encoding)?, exact(rope, end, encoding)?)
            }
        };
        Ok(Edit { start_byte, old_end_byte, text: change.text.clone() })
    }

    /// Byte offset where the new text ends once applied.
    pub fn new_end_byte(&self) -> usize {
        self.start_byte + self.text.len()
    }

    /// Applies the edit to the text it was resolved against.
    pub fn apply(&self, rope: &mut Rope) {
        if self.start_byte == 0 && self.old_end_byte == rope.len_bytes() {
            *rope = Rope::from_str(&self.text);
            return;
        }
        let start = rope.byte_to_char(self.start_byte);
        let end = rope.byte_to_char(self.old_end_byte);
        rope.remove(start..end);
        rope.insert(start, &self.text);
    }

    /// The edit in tree-sitter's words, for [`tree_sitter::Tree::edit`]: points in rows (by LF) and
    /// byte columns. `rope` is the text that the edit was resolved against. Not part of the edit
    /// itself, because with [`Rows::LineFeeds`] it reads all text above, which is wasted on a
    /// document without a tree.
    pub fn input_edit(&self, rope: &Rope, rows: Rows) -> InputEdit {
        let start = point_at(rope, self.start_byte, rows);
        let removed = rope.byte_slice(self.start_byte..self.old_end_byte);
        InputEdit {
            start_byte: self.start_byte,
            old_end_byte: self.old_end_byte,
            new_end_byte: self.new_end_byte(),
            start_position: start,
            old_end_position: removed.chunks().fold(start, advance),
            new_end_position: advance(start, &self.text),
        }
    }
}

/// The byte offset of a position an edit may use.
fn exact(rope: &Rope, at: Position, encoding: Encoding) -> Result<usize, EditError> {
    let lines = rope.len_lines();
    match locate(rope, at, encoding) {
        (_, Landing::PastText) if at.line as usize > lines => {
            Err(EditError::NoSuchLine { line: at.line, lines })
        }
        (_, Landing::InsideCharacter) => Err(EditError::InsideCharacter { at }),
        (byte, _) => Ok(byte),
    }
}

/// tree-sitter's point for byte offset `byte`.
fn point_at(rope: &Rope, byte: usize, rows: Rows) -> Point {
    match rows {
        Rows::Lines => {
            let row = rope.byte_to_line(byte);
            Point::new(row, byte - rope.line_to_byte(row))
        }
        Rows::LineFeeds => rope.byte_slice(..byte).chunks().fold(Point::new(0, 0), advance),
    }
}

/// The point reached from `from` by walking over `text`.
fn advance(from: Point, text: &str) -> Point {
    match text.rfind('\n') {
        None => Point::new(from.row, from.column + text.len()),
        Some(last) => {
            let rows = text.bytes().filter(|&byte| byte == b'\n').count();
            Point::new(from.row + rows, text.len() - last - 1)
        }
    }
}
