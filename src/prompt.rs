//! Text and cursor → prompt. Pure: no I/O, no tokens, no model.
//!
//! In: the document's text, the cursor's byte offset, and the anchor of the last prompt.
//! Out: a [`Prompt`]: three plain strings, in the order in which the model reads them.
//! Refuses: nothing. Any text and any cursor give a prompt; empty parts are allowed.
//!
//! The fill-in-the-middle prompt is `<fim_prefix>P<fim_suffix>S<fim_middle>M`. Everyone else ends
//! P at the cursor, so each keystroke changes P and all of S is evaluated again. Here P ends at an
//! **anchor**, the start of a line a few lines above the cursor; what stands between anchor and
//! cursor is M, the beginning of the answer. Typing then only ever appends to the prompt, and the
//! KV cache of everything before stays valid exactly.

use ropey::Rope;
use serde::{Deserialize, Serialize};

/// What the model reads. Line breaks are `\n`, whatever the file uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prompt {
    /// The text before the anchor, from the window's start.
    pub prefix: String,
    /// What to know of other files: comment lines that the model reads between prefix and middle, as
    /// if they stood right before the anchor. They change only with the anchor.
    #[serde(default)]
    pub context: String,
    /// The text after the cursor, without the closers right of it (see [`closers_after`]) or, after
    /// Enter between two brackets, on the next line.
    pub suffix: String,
    /// The text from the anchor to the cursor: the beginning of the answer.
    pub middle: String,
}

impl Prompt {
    /// The same with some of its answer.
    pub fn further(&self, begun: &str) -> Prompt {
        let mut prompt = self.clone();
        prompt.middle.push_str(begun);
        prompt
    }
}

/// How much of the document the model sees, in bytes. Code is about three bytes a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The prefix never grows past this.
    pub prefix: usize,
    /// The suffix is cut at the last line end before this.
    pub suffix: usize,
    /// A middle longer than this is re-anchored.
    pub middle: usize,
    /// The anchor is the start of the line this many lines above the cursor's.
    pub lines_above: usize,
}

impl Default for Budget {
    /// About 1,000 tokens in all: what 2 cores evaluate in 2 to 3 s when nothing is cached.
    fn default() -> Self {
        Budget { prefix: 2_400, suffix: 800, middle: 1_200, lines_above: 3 }
    }
}

/// A place in a document from which prompts are made, and the text it was made for.
///
/// It stays good for as long as only the text between it and the cursor changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Where the prefix starts, bytes into the document.
    start: usize,
    /// Where the prefix ends and the middle starts, bytes into the document.
    at: usize,
    prefix: String,
    context: String,
    suffix: String,
    /// The suffix reaches the end of the document.
    suffix_is_all: bool,
}

impl Anchor {
    /// The anchor for a cursor, staying as near to `previous` as its text allows, so that as much
    /// as possible of what the engine has evaluated stays a common prefix. `context` is asked what
    /// to know of other files at an anchor that has moved to this byte.
    pub fn new(
        text: &Rope,
        cursor: usize,
        budget: Budget,
        previous: Option<&Anchor>,
        context: &dyn Fn(usize) -> String,
    ) -> Anchor {
        let cursor = floor_char(text, cursor);
        let at = previous
            .map(|p| p.at)
            .filter(|&at| at <= cursor && cursor - at <= budget.middle / 2)
            .filter(|&at| at == line_start(text, at))
            .unwrap_or_else(|| anchor_above(text, cursor, budget));
        let start = previous
            .map(|p| p.start)
            .filter(|&start| start <= at && at - start <= budget.prefix)
            .filter(|&start| start == 0 || at - start >= budget.prefix / 3)
            .filter(|&start| can_cut(text, start))
            .unwrap_or_else(|| window_start(text, at, budget.prefix));
        let after = cursor + closers_after(text, cursor);
        let (suffix, suffix_is_all) = suffix_window(text, after, budget.suffix);
        let context = match previous.filter(|p| p.at == at) {
            Some(previous) => previous.context.clone(),
            None => context(at),
        };
        Anchor { start, at, prefix: plain(text, start, at), context, suffix, suffix_is_all }
    }

    /// The same anchor after text above it has grown, or shrunk, by some bytes; `None` when it
    /// would lie outside the document.
    pub fn moved(&self, by: isize) -> Option<Anchor> {
        let start = self.start.checked_add_signed(by)?;
        Some(Anchor { start, at: self.at.checked_add_signed(by)?, ..self.clone() })
    }

    /// The prompt for a cursor below this anchor; `None` when the anchor does not fit any more
    /// (the cursor left the region, text outside it changed, or the middle outgrew its budget).
    pub fn prompt(&self, text: &Rope, cursor: usize, budget: Budget) -> Option<Prompt> {
        let cursor = floor_char(text, cursor);
        if cursor < self.at || cursor - self.at > budget.middle || self.at > text.len_bytes() {
            return None;
        }
        // A line feed typed behind a lone carriage return makes one line break of the two.
        if !can_cut(text, self.start) || !can_cut(text, self.at) {
            return None;
        }
        if plain(text, self.start, self.at) != self.prefix {
            return None;
        }
        // While the text below is only ever pushed down its window is cut at the same place, so
        // plain equality is the test.
        let is_below = |from| {
            let (suffix, is_all) = suffix_window(text, from, budget.suffix);
            suffix == self.suffix && is_all == self.suffix_is_all
        };
        let after = cursor + closers_after(text, cursor);
        let closing = closing_line(text, after);
        let fits = is_below(after) || (closing > 0 && is_below(after + closing));
        if !fits {
            return None;
        }
        let suffix = self.suffix.clone();
        Some(self.given(suffix, plain(text, self.at, cursor)))
    }

    fn given(&self, suffix: String, middle: String) -> Prompt {
        Prompt { prefix: self.prefix.clone(), context: self.context.clone(), suffix, middle }
    }
}

/// The prompt for a cursor, and the anchor to hand in next time. Nothing of other files.
pub fn prompt(
    text: &Rope,
    cursor: usize,
    budget: Budget,
    previous: Option<&Anchor>,
) -> (Prompt, Anchor) {
    prompt_in_context(text, cursor, budget, previous, &|_| String::new())
}

/// As [`prompt`], with what [`Anchor::new`] is told of other files.
pub fn prompt_in_context(
    text: &Rope,
    cursor: usize,
    budget: Budget,
    previous: Option<&Anchor>,
    context: &dyn Fn(usize) -> String,
) -> (Prompt, Anchor) {
    if let Some(anchor) = previous
        && let Some(prompt) = anchor.prompt(text, cursor, budget)
    {
        return (prompt, anchor.clone());
    }
    let anchor = Anchor::new(text, cursor, budget, previous, context);
    let middle = plain(text, anchor.at, floor_char(text, cursor));
    (anchor.given(anchor.suffix.clone(), middle), anchor)
}

/// The beginning that most prompts in a document share, as far as one prefix goes.
pub fn opening(text: &Rope, budget: Budget) -> Prompt {
    let end = line_start(text, budget.prefix.min(text.len_bytes()));
    Prompt { prefix: plain(text, 0, end), ..Prompt::default() }
}

/// The bytes right of the cursor that only close what was opened: `)`, `]`, `}`, quotes, `>` and
/// the `;` or `,` behind them, when nothing else follows on the line; else 0.
///
/// Editors insert these while one types an opening bracket. Were they part of the suffix, each
/// such key would invalidate it; so the model writes them itself and the answer replaces them.
pub fn closers_after(text: &Rope, cursor: usize) -> usize {
    let mut length = 0;
    let mut closes = false;
    for c in text.byte_slice(cursor..).chars() {
        match c {
            ')' | ']' | '}' | '>' | '"' | '\'' | '`' => closes = true,
            ';' | ',' | ' ' | '\t' if closes => {}
            '\n' | '\r' => return if closes { length } else { 0 },
            _ => return 0,
        }
        length += c.len_utf8();
        if length > 32 {
            return 0;
        }
    }
    if closes { length } else { 0 }
}

/// The bytes of the next line, from the line break before it, when that line only closes what was
/// opened; else 0.
///
/// Enter between two brackets puts the closing one there. Were it part of the suffix from then on,
/// that key would invalidate it: a thousand tokens for one line break. As long as the anchor stays,
/// the model writes it itself, as it did when it stood right of the cursor.
fn closing_line(text: &Rope, at: usize) -> usize {
    let line = text.byte_to_line(at);
    if line + 1 >= text.len_lines() {
        return 0;
    }
    let next = text.line_to_byte(line + 1);
    let blank = |from: usize| {
        let blanks = text.byte_slice(from..).chars().take_while(|c| matches!(c, ' ' | '\t'));
        blanks.count()
    };
    let first = next + blank(next);
    let closers = closers_after(text, first);
    // Only a line break stands between, and a line that is all closers begins with one.
    let break_only = text.byte_slice(at..next).chars().all(|c| matches!(c, '\r' | '\n'));
    if break_only && closers > 0 { first + closers - at } else { 0 }
}

/// The start of the line `lines_above` lines above the cursor's, unless that makes the middle too
/// long; then the nearest line start that does not, or a place inside a very long line.
fn anchor_above(text: &Rope, cursor: usize, budget: Budget) -> usize {
    let line = text.byte_to_line(cursor);
    (line.saturating_sub(budget.lines_above)..=line)
        .map(|line| text.line_to_byte(line))
        .find(|&start| cursor - start <= budget.middle / 2)
        .unwrap_or_else(|| inside(text, cursor - budget.middle / 2).min(cursor))
}

/// Where a new window starts: about two thirds of the budget above the anchor, so that it can
/// grow before it must move again, at the line that best begins something: least indented,
/// preferably after a blank line.
fn window_start(text: &Rope, at: usize, budget: usize) -> usize {
    if at <= budget {
        return 0;
    }
    let earliest = at - budget * 4 / 5;
    let latest = at - budget / 2;
    let (first, last) = (text.byte_to_line(earliest) + 1, text.byte_to_line(latest));
    let best = (first..=last)
        .min_by_key(|&line| {
            let indent = text.line(line).chars().take_while(|c| *c == ' ' || *c == '\t').count();
            let blank = text.line(line).chars().all(char::is_whitespace);
            let after_blank = text.line(line - 1).chars().all(char::is_whitespace);
            (blank, indent, !after_blank, line)
        })
        .map(|line| text.line_to_byte(line));
    best.unwrap_or_else(|| inside(text, earliest).min(at))
}

/// The first place at or behind a byte of a long line where a text can be cut: before a character, and not in
/// the middle of a CRLF, which would be read as two line breaks.
fn inside(text: &Rope, byte: usize) -> usize {
    let before = floor_char(text, byte);
    let at = if before < byte { text.char_to_byte(text.byte_to_char(before) + 1) } else { before };
    if can_cut(text, at) { at } else { at + 1 }
}

/// Is this between two characters, and not in the middle of a CRLF?
fn can_cut(text: &Rope, byte: usize) -> bool {
    let is = |byte: usize, wanted: u8| byte < text.len_bytes() && text.byte(byte) == wanted;
    let in_crlf = byte > 0 && is(byte - 1, b'\r') && is(byte, b'\n');
    floor_char(text, byte) == byte && !in_crlf
}

/// Up to `budget` bytes of text from `from`, ending at a line end where there is one, and whether
/// that is all the text there is.
fn suffix_window(text: &Rope, from: usize, budget: usize) -> (String, bool) {
    let from = floor_char(text, from);
    if text.len_bytes() - from <= budget {
        return (plain(text, from, text.len_bytes()), true);
    }
    let limit = floor_char(text, from + budget);
    let line = line_start(text, limit);
    (plain(text, from, if line > from { line } else { limit }), false)
}

/// A piece of the document as the model sees it: `\n` for every line break, no byte order mark.
pub fn plain(text: &Rope, from: usize, to: usize) -> String {
    let piece = text.byte_slice(from..to.max(from)).to_string();
    let piece = match piece.strip_prefix('\u{feff}') {
        Some(rest) if from == 0 => rest.to_owned(),
        _ => piece,
    };
    if piece.contains('\r') { piece.replace("\r\n", "\n").replace('\r', "\n") } else { piece }
}

fn line_start(text: &Rope, byte: usize) -> usize {
    text.line_to_byte(text.byte_to_line(byte.min(text.len_bytes())))
}

fn floor_char(text: &Rope, byte: usize) -> usize {
    let byte = byte.min(text.len_bytes());
    text.char_to_byte(text.byte_to_char(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `$0` marks the cursor.
    fn fixture(text: &str) -> (Rope, usize) {
        let cursor = text.find("$0").expect("a cursor");
        (Rope::from_str(&text.replace("$0", "")), cursor)
    }

    fn first(text: &str) -> (Prompt, Anchor) {
        let (text, cursor) = fixture(text);
        prompt(&text, cursor, Budget::default(), None)
    }

    #[test]
    fn an_anchor_behind_a_lone_carriage_return_moves_when_that_becomes_half_a_line_break() {
        let budget = Budget { lines_above: 0, ..Budget::default() };
        let text = Rope::from_str("a\rb");
        let (before, anchor) = prompt(&text, 3, budget, None);
        assert_eq!((before.prefix.as_str(), before.middle.as_str()), ("a\n", "b"));
        let text = Rope::from_str("a\r\nb");
        let (after, _) = prompt(&text, 4, budget, Some(&anchor));
        assert_eq!(format!("{}{}", after.prefix, after.middle), "a\nb");
    }

    #[test]
    fn the_prefix_ends_three_lines_above_the_cursor() {
        let (prompt, _) = first("a\nb\nc\nd\ne$0\nf\n");
        assert_eq!(
            prompt,
            Prompt {
                prefix: "a\n".into(),
                suffix: "\nf\n".into(),
                middle: "b\nc\nd\ne".into(),
                ..Prompt::default()
            }
        );
    }

    #[test]
    fn typing_only_appends_to_the_prompt() {
        let (before, anchor) = first("a\nb\nc\nd\nlet x$0\nf\n");
        let mut line = String::from("let x");
        for typed in [" ", "=", " ", "f", "(", "y", ")", ";", "\n", "    ", "z"] {
            line.push_str(typed);
            let (text, cursor) = fixture(&format!("a\nb\nc\nd\n{line}$0\nf\n"));
            let (after, kept) = prompt(&text, cursor, Budget::default(), Some(&anchor));
            assert_eq!(kept, anchor);
            assert_eq!(after.prefix, before.prefix);
            assert_eq!(after.suffix, before.suffix);
            assert!(after.middle.starts_with(&before.middle));
        }
    }

    #[test]
    fn a_bracket_closed_by_the_editor_does_not_change_the_suffix() {
        let (_, anchor) = first("a\nb\nfoo$0\nf\n");
        for now in ["a\nb\nfoo($0)\nf\n", "a\nb\nfoo(\"$0\");\nf\n", "a\nb\nfoo(x$0)\nf\n"] {
            let (text, cursor) = fixture(now);
            assert!(anchor.prompt(&text, cursor, Budget::default()).is_some(), "{now:?}");
        }
    }

    #[test]
    fn enter_between_brackets_does_not_change_the_suffix() {
        let (before, anchor) = first("a\nb\nfoo({$0})\nf\n");
        let unchanged = [
            "a\nb\nfoo({\n    $0\n})\nf\n",
            "a\nb\nfoo({\n    x$0\n});\nf\n",
            "a\nb\nfoo({\r\n\tbar($0)\r\n})\r\nf\r\n",
            "a\nb\nfoo({\n    x\n})$0\nf\n",
        ];
        for now in unchanged {
            let (text, cursor) = fixture(now);
            let kept = anchor.prompt(&text, cursor, Budget::default());
            assert_eq!(kept.map(|prompt| prompt.suffix), Some(before.suffix.clone()), "{now:?}");
        }
        for now in [
            "a\nb\nfoo({\n    $0\n}) + 1\nf\n",
            "a\nb\nfoo({\n    $0\n\n})\nf\n",
            "a\nb\nfoo({\n    $0\n}",
        ] {
            let (text, cursor) = fixture(now);
            assert_eq!(anchor.prompt(&text, cursor, Budget::default()), None, "{now:?}");
        }
    }

    #[test]
    fn an_edit_below_or_above_needs_a_new_anchor() {
        let (_, anchor) = first("a\nb\nc\nd\ne$0\nf\n");
        for now in
            ["a\nb\nc\nd\ne$0\nF\n", "A\nb\nc\nd\ne$0\nf\n", "a\nb\nc\nd\ne$0 more\nf\n", "$0"]
        {
            let (text, cursor) = fixture(now);
            assert_eq!(anchor.prompt(&text, cursor, Budget::default()), None, "{now:?}");
        }
    }

    #[test]
    fn the_context_changes_only_when_the_anchor_moves() {
        let (text, cursor) = fixture("a\nb\nc\nd\ne$0\nf\n");
        let budget = Budget::default();
        let say = |what: &'static str| move |at: usize| format!("// {what} {at}\n");
        let (first, anchor) = prompt_in_context(&text, cursor, budget, None, &say("one"));
        assert_eq!((first.prefix.as_str(), first.context.as_str()), ("a\n", "// one 2\n"));
        let (text, cursor) = fixture("a\nb\nc\nd\ne!$0\nf\n");
        let (typed, anchor) = prompt_in_context(&text, cursor, budget, Some(&anchor), &say("two"));
        assert_eq!(typed.context, "// one 2\n");
        let (text, cursor) = fixture("a\nb\nc\nd\ne!$0\nF\n");
        let (below, anchor) =
            prompt_in_context(&text, cursor, budget, Some(&anchor), &say("three"));
        assert_eq!(below.context, "// one 2\n");
        let (text, cursor) = fixture("a$0\nb\nc\nd\ne!\nF\n");
        let (above, _) = prompt_in_context(&text, cursor, budget, Some(&anchor), &say("four"));
        assert_eq!(above.context, "// four 0\n");
    }

    #[test]
    fn moving_the_cursor_within_the_region_keeps_the_prefix() {
        let (before, anchor) = first("a\nb\nc\nd\nfoo($0)\nf\ng\n");
        let (text, cursor) = fixture("a\nb\nc\nd\nfoo()\nf$0\ng\n");
        let (after, _) = prompt(&text, cursor, Budget::default(), Some(&anchor));
        assert_eq!(after.prefix, before.prefix);
        assert_eq!(after.suffix, "\ng\n");
    }

    #[test]
    fn the_window_moves_in_steps_and_starts_where_something_begins() {
        let function = |i: usize| format!("fn f{i}() {{\n    let value = {i};\n    value\n}}\n\n");
        let text: String = (0..400).map(function).collect();
        let rope = Rope::from_str(&text);
        let mut anchor: Option<Anchor> = None;
        let mut starts = std::collections::BTreeSet::new();
        for line in 600..700 {
            let cursor = rope.line_to_byte(line);
            let (prompt, next) = prompt(&rope, cursor, Budget::default(), anchor.as_ref());
            assert!(prompt.prefix.starts_with("fn f"), "{}", prompt.prefix);
            assert!(prompt.prefix.len() <= Budget::default().prefix);
            starts.insert(next.start);
            anchor = Some(next);
        }
        assert!(starts.len() <= 4, "moved {} times in 100 lines", starts.len());
    }

    #[test]
    fn a_windows_file_gives_the_same_prompt() {
        let (unix, _) = first("a\nb\nc\nd\ne$0\nf\n");
        let (dos, _) = first("a\r\nb\r\nc\r\nd\r\ne$0\r\nf\r\n");
        assert_eq!(unix, dos);
        let (marked, _) = first("\u{feff}a\nb\nc\nd\ne$0\nf\n");
        assert_eq!(unix, marked);
    }

    #[test]
    fn very_long_lines_and_odd_cursors_stay_within_the_budget() {
        let rope = Rope::from_str(&"é".repeat(10_000));
        for cursor in [0, 1, 9_999, 10_001, 20_000, 90_000] {
            let (prompt, _) = prompt(&rope, cursor, Budget::default(), None);
            assert!(prompt.prefix.len() <= 2_400 && prompt.suffix.len() <= 800);
            assert!(prompt.middle.len() <= 1_200);
        }
    }
}
