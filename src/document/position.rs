//! Where a client's position lies in the text.
//!
//! In: a rope, a position counted in the negotiated encoding's code units, or a byte offset.
//! Out: a byte offset on a character boundary, or a position.
//! Refuses: nothing. Every function here is total and clamps, as the protocol asks. Who must
//! tell a clamped position from an exact one (an edit must) looks at [`Landing`].
//!
//! Lines end at LF, CRLF and lone CR only, the three the protocol names. The rope counts the
//! same three because ropey is built with `cr_lines` and without `unicode_lines`.

use ropey::Rope;

/// The code unit a client counts characters of a line in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, the protocol's default.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A place in a text as a client names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, counted from 0.
    pub line: u32,
    /// Code units of the negotiated encoding from the start of the line.
    pub character: u32,
}

/// The text between two positions; `end` is not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: Position,
    pub end: Position,
}

/// How a position met the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// On a character boundary of its line.
    Exact,
    /// Past the end of its line; moved to the end of the line's content.
    PastLineEnd,
    /// On a line the text does not have; moved to the end of the text.
    PastText,
    /// Inside a surrogate pair or a UTF-8 sequence; moved to the start of that character.
    InsideCharacter,
}

/// The byte offset of `position`. Past the end of the text is the end of the text, past the end of
/// a line is the end of its content (before the line break), inside a character is its start.
pub fn to_byte(rope: &Rope, position: Position, encoding: Encoding) -> usize {
    locate(rope, position, encoding).0
}

/// As [`to_byte`], and whether the position had to be moved.
pub fn locate(rope: &Rope, position: Position, encoding: Encoding) -> (usize, Landing) {
    let line = position.line as usize;
    if line >= rope.len_lines() {
        return (rope.len_bytes(), Landing::PastText);
    }
    let start = rope.line_to_byte(line);
    let end = content_end(rope, line);
    let unit = units_before(rope, start, encoding).saturating_add(position.character as usize);
    let last = units_before(rope, end, encoding);
    if unit > last {
        return (end, Landing::PastLineEnd);
    }
    // The rope rounds an offset inside a character down to that character's start.
    let char_index = match encoding {
        Encoding::Utf8 => rope.byte_to_char(unit),
        Encoding::Utf16 => rope.utf16_cu_to_char(unit),
        Encoding::Utf32 => unit,
    };
    let byte = rope.char_to_byte(char_index);
    if units_before(rope, byte, encoding) == unit {
        (byte, Landing::Exact)
    } else {
        (byte, Landing::InsideCharacter)
    }
}

/// The position of byte offset `byte`, moved down to a character boundary, and to the end of the
/// text if it lies past it. A byte inside a line break gives a character past the line's content,
/// which [`to_byte`] takes back to the end of the content.
pub fn from_byte(rope: &Rope, byte: usize, encoding: Encoding) -> Position {
    let byte = floor_char(rope, byte);
    let line = rope.byte_to_line(byte);
    let start = rope.line_to_byte(line);
    let character = units_before(rope, byte, encoding) - units_before(rope, start, encoding);
    Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        character: u32::try_from(character).unwrap_or(u32::MAX),
    }
}

/// Bytes of the line break that ends `line`: 2 for CRLF, 1 for LF or CR, 0 for the last line and
/// for a line the text does not have.
pub fn line_break_len(rope: &Rope, line: usize) -> usize {
    if line.saturating_add(1) >= rope.len_lines() {
        return 0;
    }
    // A line with another after it ends in a break, so it is at least one byte long.
    let start = rope.line_to_byte(line);
    let end = rope.line_to_byte(line + 1);
    let crlf = end - start >= 2 && rope.byte(end - 1) == b'\n' && rope.byte(end - 2) == b'\r';
    if crlf { 2 } else { 1 }
}

/// Byte offset where the content of `line` ends, before its line break. A line the text does not
/// have ends where the text does.
pub(super) fn content_end(rope: &Rope, line: usize) -> usize {
    if line.saturating_add(1) >= rope.len_lines() {
        return rope.len_bytes();
    }
    rope.line_to_byte(line + 1) - line_break_len(rope, line)
}

/// The character boundary at or before byte offset `byte`, at most the length of the text.
pub(super) fn floor_char(rope: &Rope, byte: usize) -> usize {
    let byte = byte.min(rope.len_bytes());
    rope.char_to_byte(rope.byte_to_char(byte))
}

/// Code units of the whole text before `byte`, which lies on a character boundary.
fn units_before(rope: &Rope, byte: usize, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => byte,
        Encoding::Utf16 => rope.char_to_utf16_cu(rope.byte_to_char(byte)),
        Encoding::Utf32 => rope.byte_to_char(byte),
    }
}
