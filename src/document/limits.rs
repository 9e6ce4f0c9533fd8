//! What is counted about a text so that no edit has to look at all of it.
//!
//! In: a rope and the byte window an edit touches. Out: how many lone CRs and overlong lines lie
//! there. The document subtracts the count before an edit and adds the count after it.
//! Refuses: nothing; whether a text is too large is for its readers to act on.

use ropey::Rope;

use super::edit::Rows;

/// Longest text that is completed in, in bytes. It is kept in sync past that, and only that.
pub const MAX_BYTES: usize = 20 << 20;

/// Longest line that is completed in, in bytes with its line break. Past that a file is data.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Counts over a text, or over the part of it that an edit can change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// CRs with no LF after them: line breaks to the protocol, not to tree-sitter.
    lone_crs: usize,
    /// Lines over [`MAX_LINE_BYTES`].
    long_lines: usize,
}

impl Census {
    pub(super) fn of(rope: &Rope) -> Census {
        Census::around(rope, 0, rope.len_bytes())
    }

    /// Counts the lines that a replacement of bytes `start..end` can change: from the line of the
    /// byte before (an LF there may complete a CRLF) to the line of the byte after. The lines
    /// outside begin and end the same before and after the edit.
    pub(super) fn around(rope: &Rope, start: usize, end: usize) -> Census {
        let first = rope.byte_to_line(start.saturating_sub(1));
        let past = rope.byte_to_line(end) + 1;
        let from = rope.line_to_byte(first);
        let to = rope.line_to_byte(past);
        // Every break is an LF, a CRLF or a lone CR; the rope knows how many there are in all.
        let breaks = past.min(rope.len_lines() - 1) - first;
        Census {
            lone_crs: breaks - line_feeds(rope, from, to),
            long_lines: long_lines(rope, first, past, to - from),
        }
    }

    /// This count after an edit, given what its window held before and holds now.
    pub(super) fn replaced(self, before: Census, after: Census) -> Census {
        Census {
            lone_crs: self.lone_crs - before.lone_crs + after.lone_crs,
            long_lines: self.long_lines - before.long_lines + after.long_lines,
        }
    }

    pub(super) fn rows(self) -> Rows {
        if self.lone_crs == 0 { Rows::Lines } else { Rows::LineFeeds }
    }

    pub(super) fn too_large(self, len_bytes: usize) -> bool {
        len_bytes > MAX_BYTES || self.long_lines > 0
    }
}

fn line_feeds(rope: &Rope, from: usize, to: usize) -> usize {
    let count = |chunk: &str| chunk.bytes().filter(|&byte| byte == b'\n').count();
    rope.byte_slice(from..to).chunks().map(count).sum()
}

fn long_lines(rope: &Rope, first: usize, past: usize, bytes: usize) -> usize {
    // The usual case: all lines of the window together are shorter than one long line.
    if bytes <= MAX_LINE_BYTES {
        return 0;
    }
    (first..past)
        .filter(|&line| rope.line_to_byte(line + 1) - rope.line_to_byte(line) > MAX_LINE_BYTES)
        .count()
}
