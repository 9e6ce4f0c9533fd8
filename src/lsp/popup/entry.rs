//! What a suggestion is in a menu. Pure.
//!
//! In: the cursor's line and a suggestion. Out: what is read, matched, previewed and inserted. It
//! knows no positions. A menu's entry replaces the word before the cursor, since that is what editors
//! match an entry with.

use crate::suggestion::Suggestion;

/// Characters of a label. A menu is as wide as its longest entry.
const LABEL: usize = 60;
/// Stands for what a label leaves out.
const MORE: char = '…';

/// The cursor's line.
pub struct Line<'a> {
    /// Up to the cursor.
    pub before: &'a str,
    /// From the cursor.
    pub behind: &'a str,
    /// As in `textDocument.languageId`.
    pub language: &'a str,
}

/// A suggestion as an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its first line, and whether there is more.
    pub label: String,
    /// What is matched with what a person types: the word as the suggestion ends it. An entry whose
    /// text is only the word as far as it is typed would be gone with the next key.
    pub filter: String,
    /// The lines as they would be, as Markdown.
    pub preview: String,
    /// What replaces the word before the cursor; line breaks as `\n`.
    pub text: String,
    /// It is no whole word yet that stands before the cursor. Behind one, the same word from another
    /// server says something too (that it must be imported).
    pub goes_on_in_word: bool,
}

impl Entry {
    pub fn new(line: &Line, suggestion: &Suggestion) -> Entry {
        let word = word(line.before);
        let text = format!("{word}{}", suggestion.text);
        let label = label(&text);
        let grown = &text[..text.len() - text.trim_start_matches(is_in_word).len()];
        Entry {
            filter: if grown.is_empty() { label.clone() } else { grown.to_owned() },
            label,
            preview: preview(line, suggestion),
            goes_on_in_word: word.is_empty() || suggestion.text.starts_with(is_in_word),
            text,
        }
    }
}

/// The word that a text ends with, which may be empty.
pub fn word(text: &str) -> &str {
    &text[text.trim_end_matches(is_in_word).len()..]
}

/// As Helix has it (`char_is_word`).
pub fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn label(text: &str) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or_default().trim_end();
    let mut label: String = line.chars().take(LABEL).collect();
    let (cut, more) = (label.len() < line.len(), line.len() < text.len());
    if more && !cut {
        label.push(' ');
    }
    if more || cut {
        label.push(MORE);
    }
    label
}

/// The cursor's line and those that come, without the indentation that they share.
fn preview(line: &Line, suggestion: &Suggestion) -> String {
    let behind = line.behind.get(suggestion.replaces..).unwrap_or_default();
    let whole = format!("{}{}{}", line.before, suggestion.text, behind.trim_end());
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let filled = whole.lines().filter(|line| !line.trim().is_empty());
    let shared = filled.map(indent).min().unwrap_or_default();
    let lines: Vec<&str> = whole.lines().map(|line| line.get(shared..).unwrap_or("")).collect();
    let fence = "`".repeat(longest_run(&whole).max(2) + 1);
    format!("{fence}{}\n{}\n{fence}", line.language, lines.join("\n"))
}

/// Back ticks in a row, at most: a fence must have more.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry at `$0` in a line.
    fn entry(fixture: &str, text: &str, replaces: usize) -> Entry {
        let (before, behind) = fixture.split_once("$0").expect("a cursor");
        let line = Line { before, behind, language: "rust" };
        Entry::new(&line, &Suggestion { text: text.into(), replaces })
    }

    #[test]
    fn an_entry_replaces_the_word_and_matches_it_however_far_it_is_typed() {
        let it = entry("    let x = com$0", "pute(a);", 0);
        assert_eq!((&*it.text, &*it.filter, &*it.label), ("compute(a);", "compute", "compute(a);"));
        assert!(it.goes_on_in_word);
        let it = entry("    let x = compute$0", "(a);", 0);
        assert_eq!((&*it.text, &*it.filter), ("compute(a);", "compute"));
        assert!(!it.goes_on_in_word, "the word is whole");
    }

    #[test]
    fn without_a_word_the_first_one_that_comes_is_matched() {
        let it = entry("    let x = $0", "compute(a);", 0);
        assert_eq!((&*it.text, &*it.filter), ("compute(a);", "compute"));
        assert!(it.goes_on_in_word);
        let it = entry("    let x = $0", "(a, b);", 0);
        assert_eq!((&*it.text, &*it.filter), ("(a, b);", "(a, b);"));
    }

    #[test]
    fn a_label_is_one_line_and_says_when_there_is_more() {
        assert_eq!(entry("fn one() {$0", "\n    1\n}", 0).label, "1 …");
        assert_eq!(entry("if $0", "a {\n    b\n}", 0).label, "a { …");
        let long = "a".repeat(80);
        assert_eq!(entry("$0", &long, 0).label, format!("{}…", &long[..60]));
        assert_eq!(entry("$0", &"é".repeat(80), 0).label, format!("{}…", "é".repeat(60)));
    }

    #[test]
    fn the_preview_is_the_lines_as_they_would_be() {
        let it = entry("        for a in$0) // all", " b:\n            c(a)\n        d()", 1);
        assert_eq!(it.preview, "```rust\nfor a in b:\n    c(a)\nd() // all\n```");
        let it = entry("\tif a {$0", "\n\t\tb()\n\n\t}", 0);
        assert_eq!(it.preview, "```rust\nif a {\n\tb()\n\n}\n```");
        assert_eq!(entry("let a = $0", "\"```\";", 0).preview, "````rust\nlet a = \"```\";\n````");
    }
}
