//! An open document: the text a client is typing in, and snapshots of it.
//!
//! In: the text at opening, then batches of changes in the client's positions, then syntax trees
//! parsed elsewhere. Out: immutable [`Snapshot`]s, cheap to take.
//! Refuses: a batch with one change that does not fit. It is then rejected whole, and the document
//! gives no snapshot until its full text comes, because completing in a wrong text is worse than
//! not completing.
//!
//! No protocol crate appears here, and nothing here parses or waits. Parsing is done elsewhere:
//! take a snapshot and the [`Document::stale_tree`], parse, hand back with [`Document::set_tree`].

pub mod edit;
pub mod limits;
pub mod position;
#[cfg(test)]
mod tests;
pub mod touched;

use std::sync::Arc;

use ropey::{Rope, RopeSlice};
use tree_sitter::Tree;

pub use edit::{Change, Edit, EditError};
use limits::Census;
pub use limits::{MAX_BYTES, MAX_LINE_BYTES};
pub use position::{Encoding, Position, Range};
use touched::Touched;

/// Lines looked at to find a file's end of line.
const EOL_LINES: usize = 100;

/// A document as the client has it, byte order mark included.
#[derive(Clone, Debug)]
pub struct Document {
    text: Text,
    version: i32,
    language_id: Arc<str>,
    in_sync: bool,
    touched: Touched,
}

/// The text and what is kept about it. A batch works on a clone, so a bad one leaves no trace.
#[derive(Clone, Debug)]
struct Text {
    rope: Rope,
    census: Census,
    /// The last tree, moved along with every edit since.
    tree: Option<Tree>,
    /// No edit came since `tree` was parsed.
    tree_is_current: bool,
}

impl Document {
    /// `version` and `language_id` as the client gave them.
    pub fn open(text: &str, version: i32, language_id: &str) -> Document {
        let (text, touched) = (Text::new(text), Touched::default());
        Document { text, version, language_id: language_id.into(), in_sync: true, touched }
    }

    /// Applies a batch of changes in order, each to the text the one before it left.
    ///
    /// [`EditError::OldVersion`] is a warning, the document stays as it is. Every other error
    /// leaves it out of sync until a full text comes. A version equal to the current one is
    /// applied, since some clients do not count.
    pub fn change(
        &mut self,
        version: i32,
        changes: &[Change],
        encoding: Encoding,
    ) -> Result<(), EditError> {
        if version < self.version {
            let current = self.version;
            return Err(EditError::OldVersion { current, offered: version });
        }
        self.version = version;
        // Nothing before the last full text can be seen in the result.
        let full = changes.iter().rposition(|change| change.range.is_none());
        if !self.in_sync && full.is_none() {
            return Err(EditError::OutOfSync);
        }
        match self.text.edited(&changes[full.unwrap_or(0)..], encoding) {
            Ok((text, touched)) => {
                self.text = text;
                self.touched = touched;
                self.in_sync = true;
                Ok(())
            }
            Err(error) => {
                self.lose();
                Err(error)
            }
        }
    }

    /// Forgets the text, because it may not be the client's any more.
    pub fn lose(&mut self) {
        self.text = Text::new("");
        self.in_sync = false;
    }

    /// The version the client is at, also when the document is out of sync.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Whether the text is known to be the client's.
    pub fn in_sync(&self) -> bool {
        self.in_sync
    }

    /// What the last batch that was applied has touched.
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// The text as it is now; none while out of sync. Costs a few reference counts.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let Text { rope, census, tree, tree_is_current } = &self.text;
        self.in_sync.then(|| Snapshot {
            rope: rope.clone(),
            version: self.version,
            language_id: self.language_id.clone(),
            tree: tree.clone().filter(|_| *tree_is_current),
            too_large: census.too_large(rope.len_bytes()),
        })
    }

    /// The last tree with all edits since fed to it: the one to give to an incremental parse of
    /// the next snapshot. Take both under one lock.
    pub fn stale_tree(&self) -> Option<Tree> {
        self.text.tree.clone()
    }

    /// Stores the tree parsed from `parsed`, unless the text has moved on since. Returns whether it
    /// was stored. The text itself is compared, by identity, and not the version: versions start
    /// again when a document is reopened and some clients repeat them.
    pub fn set_tree(&mut self, parsed: &Snapshot, tree: Tree) -> bool {
        let wanted = self.in_sync && !parsed.too_large && self.text.rope.is_instance(&parsed.rope);
        if wanted {
            self.text.tree = Some(tree);
            self.text.tree_is_current = true;
        }
        wanted
    }
}

impl Text {
    fn new(text: &str) -> Text {
        let rope = Rope::from_str(text);
        let census = Census::of(&rope);
        Text { rope, census, tree: None, tree_is_current: false }
    }

    fn edited(&self, changes: &[Change], encoding: Encoding) -> Result<(Text, Touched), EditError> {
        let mut text = self.clone();
        let mut touched = Touched::default();
        for change in changes {
            match change.range {
                None => {
                    text = Text::new(&change.text);
                    touched = Touched::whole(self.rope.len_bytes(), text.rope.len_bytes());
                }
                Some(_) => text.replace(change, encoding, &mut touched)?,
            }
        }
        if text.census.too_large(text.rope.len_bytes()) {
            // Nobody parses it, and tree-sitter's offsets are 32 bits wide.
            text.tree = None;
        }
        Ok((text, touched))
    }

    fn replace(
        &mut self,
        change: &Change,
        encoding: Encoding,
        touched: &mut Touched,
    ) -> Result<(), EditError> {
        let edit = Edit::resolve(&self.rope, change, encoding)?;
        if let Some(tree) = &mut self.tree {
            tree.edit(&edit.input_edit(&self.rope, self.census.rows()));
        }
        let before = Census::around(&self.rope, edit.start_byte, edit.old_end_byte);
        edit.apply(&mut self.rope);
        touched.note(edit.start_byte..edit.old_end_byte, edit.text.len());
        let after = Census::around(&self.rope, edit.start_byte, edit.new_end_byte());
        self.census = self.census.replaced(before, after);
        self.tree_is_current = false;
        Ok(())
    }
}

/// A document at one moment. Never changes; cloning costs a few reference counts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub rope: Rope,
    /// The client's version of this text.
    pub version: i32,
    /// The client's name for the language.
    pub language_id: Arc<str>,
    /// Parsed from exactly this text; none while the parse is behind, or never happens.
    pub tree: Option<Tree>,
    too_large: bool,
}

impl Snapshot {
    /// Over [`MAX_BYTES`], or with a line over [`MAX_LINE_BYTES`]: not to be parsed or completed in.
    pub fn too_large(&self) -> bool {
        self.too_large
    }

    pub fn len_bytes(&self) -> usize {
        self.rope.len_bytes()
    }

    /// The text of a byte range. Both ends are moved down to a character boundary and into the
    /// text; a reversed range is empty.
    pub fn slice(&self, bytes: std::ops::Range<usize>) -> String {
        let start = position::floor_char(&self.rope, bytes.start);
        let end = position::floor_char(&self.rope, bytes.end).max(start);
        self.rope.byte_slice(start..end).to_string()
    }

    /// Byte offset where the line of byte `byte` starts.
    pub fn line_start(&self, byte: usize) -> usize {
        self.rope.line_to_byte(self.line_of(byte))
    }

    /// Byte offset where the content of the line of byte `byte` ends, before its line break.
    pub fn line_end(&self, byte: usize) -> usize {
        position::content_end(&self.rope, self.line_of(byte))
    }

    /// The end of line most used in the first hundred lines; LF when they are even or there are
    /// none.
    pub fn eol(&self) -> &'static str {
        let ended = (self.rope.len_lines() - 1).min(EOL_LINES);
        // Walking the lines takes a tenth of looking each one up, and each suggestion asks.
        let ends_in_crlf = |line: &RopeSlice| {
            let length = line.len_bytes();
            length >= 2 && line.byte(length - 2) == b'\r' && line.byte(length - 1) == b'\n'
        };
        let crlf = self.rope.lines().take(ended).filter(ends_in_crlf).count();
        if crlf * 2 > ended { "\r\n" } else { "\n" }
    }

    /// The byte offset of a client's position, clamped as [`position::to_byte`] says.
    pub fn to_byte(&self, position: Position, encoding: Encoding) -> usize {
        position::to_byte(&self.rope, position, encoding)
    }

    /// The client's position of a byte offset, clamped as [`position::from_byte`] says.
    pub fn position(&self, byte: usize, encoding: Encoding) -> Position {
        position::from_byte(&self.rope, byte, encoding)
    }

    fn line_of(&self, byte: usize) -> usize {
        self.rope.byte_to_line(byte.min(self.rope.len_bytes()))
    }
}
