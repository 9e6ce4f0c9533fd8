//! A text with a cursor, and what keys do to it. Pure.
//!
//! In: a [`Stroke`]. Out: the text after it, and the [`Edit`] that tells a server the same. It
//! indents like a simple editor: a new line is as deep as the one before, one level deeper behind
//! an opener, and a closer typed first on a line takes one level back. Refuses: nothing; places
//! outside the text are the nearest in it. Line breaks are `\n`.

use serde::{Deserialize, Serialize};

use super::Item;

/// One level of indentation.
const INDENT: &str = "    ";

/// A place as the protocol writes it, counted in UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From 0.
    pub line: u32,
    /// Bytes into the line.
    pub character: u32,
}

/// From a place up to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first place inside.
    pub start: Position,
    /// The first place behind.
    pub end: Position,
}

/// A piece of text replaced by another; places are those before the edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: Range,
    /// By what.
    pub text: String,
}

/// What one does at a keyboard.
#[derive(Clone, Debug, PartialEq)]
pub enum Stroke {
    /// A character.
    Type(char),
    /// One level of indentation.
    Tab,
    /// A new line with its indentation.
    Newline,
    /// The character before the cursor goes, or one level of indentation.
    Backspace,
    /// The character behind the cursor goes.
    Delete,
    /// A suggestion is taken as a whole.
    Accept(Item),
    /// Only its first lines, or words, are taken: this text.
    AcceptPart(String),
    /// The cursor goes to this byte.
    Jump(usize),
}

/// A text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    text: String,
    /// Bytes into the text, always between characters.
    cursor: usize,
}

impl Buffer {
    /// A text with the cursor at its start.
    pub fn new(text: &str) -> Buffer {
        Buffer { text: text.to_owned(), cursor: 0 }
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Bytes into the text.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The cursor's place.
    pub fn position(&self) -> Position {
        self.position_of(self.cursor)
    }

    /// The cursor's line up to the cursor.
    pub fn line_before(&self) -> &str {
        &self.text[self.line_start()..self.cursor]
    }

    /// Does what the key does; `None` when that changes no text.
    pub fn press(&mut self, stroke: &Stroke) -> Option<Edit> {
        let at = self.cursor;
        let before = self.line_before();
        let blank = before.chars().all(|c| c == ' ');
        match stroke {
            Stroke::Type(c) if blank && matches!(c, '}' | ')' | ']') => {
                let back = before.len().min(INDENT.len());
                Some(self.replace(at - back, at, &c.to_string()))
            }
            Stroke::Type(c) => Some(self.replace(at, at, &c.to_string())),
            Stroke::Tab => Some(self.replace(at, at, INDENT)),
            Stroke::Newline => {
                // White space alone on a line is not left behind.
                let from = if blank { at - before.len() } else { at };
                let text = format!("\n{}", indent_below(before));
                Some(self.replace(from, at, &text))
            }
            Stroke::Backspace => {
                let one = self.text[..at].chars().next_back()?.len_utf8();
                let level = if blank { before.len().min(INDENT.len()) } else { 0 };
                Some(self.replace(at - level.max(one), at, ""))
            }
            Stroke::Delete => {
                let one = self.text[at..].chars().next()?.len_utf8();
                Some(self.replace(at, at + one, ""))
            }
            Stroke::Accept(item) => {
                let (start, end) = self.reach(item);
                Some(self.replace(start, end, &item.insert_text))
            }
            Stroke::AcceptPart(text) => Some(self.replace(at, at, text)),
            Stroke::Jump(byte) => {
                self.cursor = self.text.floor_char_boundary(*byte);
                None
            }
        }
    }

    /// What a suggestion would add behind the cursor: the ghost text. `None` when it does not go
    /// on from the text before the cursor.
    pub fn ghost<'i>(&self, item: &'i Item) -> Option<&'i str> {
        let (start, _) = self.reach(item);
        item.insert_text.strip_prefix(self.text.get(start..self.cursor)?)
    }

    /// The byte of a place.
    pub fn byte(&self, position: Position) -> usize {
        let mut start = 0;
        for _ in 0..position.line {
            match self.text[start..].find('\n') {
                Some(length) => start += length + 1,
                None => return self.text.len(),
            }
        }
        let length = self.text[start..].find('\n').unwrap_or(self.text.len() - start);
        self.text.floor_char_boundary(start + length.min(position.character as usize))
    }

    /// The place of a byte.
    pub fn position_of(&self, byte: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count();
        Position { line: line as u32, character: (before.len() - line_start) as u32 }
    }

    /// From where to where a suggestion replaces.
    fn reach(&self, item: &Item) -> (usize, usize) {
        match item.range {
            Some(range) => {
                let start = self.byte(range.start);
                (start, self.byte(range.end).max(start))
            }
            None => (self.cursor, self.cursor),
        }
    }

    /// Replaces and puts the cursor behind.
    fn replace(&mut self, from: usize, to: usize, text: &str) -> Edit {
        let range = Range { start: self.position_of(from), end: self.position_of(to) };
        self.text.replace_range(from..to, text);
        self.cursor = from + text.len();
        Edit { range, text: text.to_owned() }
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }
}

fn indent_below(line: &str) -> String {
    let width = line.len() - line.trim_start_matches(' ').len();
    let deeper = line.trim_end().ends_with(['{', '(', '[', ':']);
    format!("{}{}", &line[..width], if deeper { INDENT } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `$0` marks the cursor. Checks the text, and that the edit says the same to a server.
    fn check(fixture: &str, strokes: &[Stroke], expect: &str) {
        let cursor = fixture.find("$0").expect("a cursor");
        let mut buffer = Buffer { text: fixture.replace("$0", ""), cursor };
        let mut server = buffer.clone();
        for stroke in strokes {
            if let Some(Edit { range, text }) = buffer.press(stroke) {
                let (from, to) = (server.byte(range.start), server.byte(range.end));
                server.text.replace_range(from..to, &text);
            }
        }
        assert_eq!(server.text, buffer.text);
        let mut shown = buffer.text.clone();
        shown.insert_str(buffer.cursor, "$0");
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_new_line_is_indented_and_a_closer_comes_back() {
        use Stroke::{Newline, Type};
        check("fn f() {$0", &[Newline, Type('1')], "fn f() {\n    1$0");
        check("fn f() {\n    1$0", &[Newline, Type('}')], "fn f() {\n    1\n}$0");
        check("  if x:$0\n", &[Newline, Newline], "  if x:\n\n      $0\n");
    }

    #[test]
    fn backspace_takes_a_character_or_a_level() {
        check("aé$0b", &[Stroke::Backspace, Stroke::Delete], "a$0");
        check("x\n        $0", &[Stroke::Backspace], "x\n    $0");
        check("x\n$0", &[Stroke::Backspace], "x$0");
        check("$0", &[Stroke::Backspace, Stroke::Delete], "$0");
    }

    #[test]
    fn an_accepted_suggestion_replaces_its_range() {
        let place = |line, character| Position { line, character };
        let item = Item {
            insert_text: "  foo(é);".into(),
            filter_text: None,
            range: Some(Range { start: place(1, 0), end: place(1, 7) }),
            command: None,
        };
        let mut buffer = Buffer::new("a\n  foo()\nb");
        buffer.press(&Stroke::Jump(8));
        assert_eq!(buffer.ghost(&item), Some("é);"));
        check("a\n  foo($0)\nb", &[Stroke::Accept(item)], "a\n  foo(é);$0\nb");
    }

    #[test]
    fn places_outside_are_the_nearest_inside() {
        let buffer = Buffer::new("aé\nb");
        let byte = |line, character| buffer.byte(Position { line, character });
        assert_eq!((byte(0, 2), byte(0, 99), byte(1, 1), byte(9, 9)), (1, 3, 5, 5));
    }
}
