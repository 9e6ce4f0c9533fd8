//! A file's text as Claude saw it: without hidden characters, each line ended by `\n`; and the way back to
//! the bytes of the file.
//!
//! In: the text of a file. Out: where whole lines occur in it, as bytes of that text. Cannot fail.

use std::ops::Range;

use crate::ask::privacy::hidden::hidden;

/// A text in lines.
pub struct Lines {
    /// Of each line: its text as Claude saw it, with `\n`.
    shown: String,
    /// Where each line begins in `shown`, and where the last one ends.
    starts: Vec<usize>,
    /// Where each line begins in the file, and where the last one ends; bytes.
    bytes: Vec<usize>,
    /// Whether the line has hidden characters.
    has_hidden: Vec<bool>,
}

impl Lines {
    pub fn of(text: &str) -> Lines {
        // A byte order mark is before the first line.
        let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (starts, bytes) = (vec![0], vec![at]);
        let mut lines = Lines { shown: String::new(), starts, bytes, has_hidden: Vec::new() };
        let mut hidden = hidden(text).peekable();
        for line in text[at..].split_inclusive('\n') {
            let end = at + line.len();
            let kept = end - line.len() + line.trim_end_matches('\n').trim_end_matches('\r').len();
            let (mut from, mut has_hidden) = (at, false);
            // None reaches into the next line: line ends are not hidden.
            while let Some(range) = hidden.next_if(|range| range.start < end) {
                lines.shown.push_str(&text[from.min(range.start)..range.start.min(kept)]);
                (from, has_hidden) = (range.end, true);
            }
            lines.shown.push_str(text.get(from..kept).unwrap_or_default());
            lines.shown.push('\n');
            lines.starts.push(lines.shown.len());
            lines.bytes.push(end);
            lines.has_hidden.push(has_hidden);
            at = end;
        }
        lines
    }

    /// The whole text as Claude saw it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub fn count(&self) -> usize {
        self.has_hidden.len()
    }

    /// A line as Claude saw it, without its end.
    pub fn line(&self, at: usize) -> &str {
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        let line = range.and_then(|(start, end)| self.shown.get(*start..*end));
        line.unwrap_or_default().trim_end_matches('\n')
    }

    /// The first lines of all places where these whole lines are; `wanted` ends with `\n`.
    pub fn places(&self, wanted: &str) -> Vec<usize> {
        let begins = |at: &usize| self.starts.binary_search(at).ok();
        // Overlapping ones too: "a\na\n" is twice in three lines "a".
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(found) = self.shown[from..].find(wanted).map(|found| found + from) {
            places.extend(begins(&found));
            // To where the next line begins.
            from = self.starts[self.starts.partition_point(|start| *start <= found)];
        }
        places
    }

    /// The bytes of some lines in the file, with their ends.
    pub fn bytes(&self, lines: &Range<usize>) -> Range<usize> {
        self.bytes[lines.start]..self.bytes[lines.end]
    }

    pub fn has_hidden(&self, lines: &Range<usize>) -> bool {
        self.has_hidden[lines.clone()].contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_found_whatever_ends_them_and_hides_in_them() {
        let text = "\u{feff}a\r\nb\u{200b}b\r\n\r\na b\r\na";
        let lines = Lines::of(text);
        assert_eq!((lines.count(), lines.line(1), lines.line(4)), (5, "bb", "a"));
        assert_eq!(lines.places("bb\n\na b\n"), [1]);
        assert_eq!((lines.places("a\n"), lines.places("b\n")), (vec![0, 4], vec![]));
        assert_eq!(&text[lines.bytes(&(1..3))], "b\u{200b}b\r\n\r\n");
        assert_eq!(lines.bytes(&(0..1)), 3..6);
        assert!(lines.has_hidden(&(1..2)) && !lines.has_hidden(&(2..5)));
    }

    #[test]
    fn places_may_overlap() {
        assert_eq!(Lines::of("a\na\na\n").places("a\na\n"), [0, 1]);
        assert_eq!(Lines::of("").places("a\n"), [0; 0]);
    }
}
