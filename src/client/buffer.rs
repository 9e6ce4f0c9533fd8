//! A text with a cursor, and what keys do to it. Pure.
//!
//! In: a [`Stroke`]. Out: the text after it, and the [`Edit`] that tells a server the same. It
//! indents like a simple editor: a new line is as deep as the one before, one level deeper behind
//! an opener, and a closer typed first on a line takes one level back. Refuses: nothing; places
//! outside the text are the nearest in it. Line breaks are `\n`. What was done can be undone, as in
//! most editors a word at a time.

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
    /// A text comes from elsewhere, as it is.
    Paste(String),
    /// The last step goes: a word or a blank typed, or any other single edit.
    Undo,
    /// The cursor goes to this byte.
    Jump(usize),
}

/// A text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    text: String,
    /// Bytes into the text, always between characters.
    cursor: usize,
    /// What undoes each step, the last one at the end.
    steps: Vec<Step>,
}

/// What undoes one step.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// From here, bytes into the text as the step left it, ...
    from: usize,
    /// ... up to here the text is new, ...
    to: usize,
    /// ... and stands where this stood,
    old: String,
    /// when the cursor was here.
    cursor: usize,
    /// What was typed last, when more of it belongs to the same step.
    open: Option<Class>,
}

/// Characters that are undone together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    Sign,
}

impl Class {
    fn of(c: char) -> Class {
        match c {
            c if c.is_alphanumeric() || c == '_' => Class::Word,
            c if c.is_whitespace() => Class::Blank,
            _ => Class::Sign,
        }
    }
}

impl Buffer {
    /// A text with the cursor at its start.
    pub fn new(text: &str) -> Buffer {
        Buffer { text: text.to_owned(), ..Buffer::default() }
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
        let edit = self.apply(stroke);
        match (stroke, self.steps.last_mut()) {
            (Stroke::Type(c), _) => self.join(Class::of(*c)),
            (Stroke::Jump(_) | Stroke::Undo, Some(step)) => step.open = None,
            _ => {}
        }
        edit
    }

    /// Makes what was typed just now part of the step before, where it goes on with that.
    fn join(&mut self, class: Class) {
        let Some(typed) = self.steps.pop() else { return };
        match self.steps.last_mut() {
            Some(step)
                if step.open == Some(class) && step.to == typed.from && typed.old.is_empty() =>
            {
                step.to = typed.to;
            }
            _ => self.steps.push(Step { open: Some(class), ..typed }),
        }
    }

    fn apply(&mut self, stroke: &Stroke) -> Option<Edit> {
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
            Stroke::AcceptPart(text) | Stroke::Paste(text) => Some(self.replace(at, at, text)),
            Stroke::Undo => {
                let Step { from, to, old, cursor, .. } = self.steps.pop()?;
                let edit = self.replace(from, to, &old);
                // Undoing is no step of its own: there is no redo here.
                self.steps.pop();
                self.cursor = cursor;
                Some(edit)
            }
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
        let old = self.text[from..to].to_owned();
        self.text.replace_range(from..to, text);
        let cursor = std::mem::replace(&mut self.cursor, from + text.len());
        self.steps.push(Step { from, to: self.cursor, old, cursor, open: None });
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
        let mut buffer = Buffer { cursor, ..Buffer::new(&fixture.replace("$0", "")) };
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
    fn undo_takes_back_a_word_or_another_step_and_the_cursor_with_it() {
        use Stroke::{Backspace, Jump, Newline, Paste, Type, Undo};
        let typed = |text: &str| text.chars().map(Type).collect::<Vec<_>>();
        let then = |text: &str, more: &[Stroke]| [typed(text), more.to_vec()].concat();
        check("$0", &then("let ab", &[Undo]), "let $0");
        check("$0", &then("let ab", &[Undo, Undo, Undo]), "$0");
        check("$0", &then("a +=", &[Undo]), "a $0");
        check("x$0", &[Paste("a\nb".into()), Type('c'), Undo, Undo], "x$0");
        check("f(){$0}", &[Newline, Undo], "f(){$0}");
        check("abc$0", &[Backspace, Undo], "abc$0");
        check("{\n    $0", &[Type('}'), Undo], "{\n    $0");
        check("ab$0", &[Type('c'), Jump(0), Type('x'), Undo, Undo, Undo], "ab$0");
    }

    #[test]
    fn typing_after_a_jump_or_an_undo_is_a_step_of_its_own() {
        use Stroke::{Jump, Type, Undo};
        check("$0", &[Type('a'), Jump(1), Type('b'), Undo], "a$0");
        check("$0", &[Type('a'), Type(' '), Undo, Type('b'), Undo], "a$0");
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
