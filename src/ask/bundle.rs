//! Which parts of a workspace a question needs, within a budget of tokens.

use std::ops::Range;

/// What is asked, and where.
#[derive(Clone, Debug, Default)]
pub struct Inquiry {
    /// In the person's words; may be empty.
    pub question: String,
    /// The file, as the workspace names it; `None` where the question has no place.
    pub path: Option<String>,
    /// Bytes of that file's text: the selection, or an empty range at the cursor.
    pub range: Range<usize>,
    /// What a compiler or linter says there.
    pub diagnostic: Option<Diagnostic>,
    /// Files with unsaved or recent edits, as the workspace names them.
    pub recent: Vec<String>,
}

/// A compiler's or linter's message.
#[derive(Clone, Debug, Default)]
pub struct Diagnostic {
    pub message: String,
    /// Files and lines (from 0) that it names besides its own.
    pub related: Vec<(String, u32)>,
}

/// How much of a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Its name.
    Path,
    /// The signatures of what it defines.
    Signatures,
    /// Text: all of it, or the parts that matter.
    Body,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// As the workspace names it.
    pub path: String,
    pub level: Level,
    /// For [`Level::Body`] the bytes of the file's text that are sent, whole lines, in order, apart.
    pub parts: Vec<Range<usize>>,
    /// What is sent, before secrets are taken out: for a body the parts, with a line `⋮` where
    /// something is left out.
    pub text: String,
    /// For a person: "calls `parse`", "defines `Config`, used in your selection".
    pub why: String,
    /// Of [`text`](Item::text), estimated.
    pub tokens: u64,
}

/// What is sent, the most useful first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    pub items: Vec<Item>,
    /// Files that would have been of use and had no room, and why.
    pub left_out: Vec<(String, String)>,
}

/// Where the texts of files come from: unsaved buffers first, then the disk.
pub trait Texts {
    /// By the workspace's name of the file; `None` for one that must not be read, or cannot.
    fn text(&self, path: &str) -> Option<String>;
}
