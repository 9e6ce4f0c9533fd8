//! What one change makes of a suggestion that is shown. Pure.
//!
//! In: the suggestion, how much of it stands in the text, the text around it before and after the
//! change. Out: a [`Step`] (how much of it stands there now, and whether that came at once or by a
//! key), or nothing: something else was typed. Refuses: to look at who changed the text. Every
//! editor inserts in its own way (the whole line, a minimal difference, several pieces), so only the
//! text that results is compared, and in it neither the blanks that lead a line nor the kind of
//! line break: editors indent what they insert.
//!
//! What one key does is not taken for an accept of its characters: a character; blanks (Tab, or
//! Enter with its indentation); a pair of brackets or quotes, of which the editor has added the
//! second; Enter with the mark that goes on a comment. And a part accepted at once ends where a word
//! or line ends, as the editors' commands for it do, so that keys which an editor reports together
//! mostly count as typed. Left unseen: two such keys that end at the end of a word.

/// A text as it is compared: its characters, without `\r` and the blanks that lead a line, each
/// with the byte behind it.
pub type Marks = Vec<(char, usize)>;

/// The second of these comes with the first.
const PAIRS: [(char, char); 7] =
    [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('"', '"'), ('\'', '\''), ('`', '`')];
/// Bytes behind an insertion that may be an editor's closers and their indentation.
const MOST_CLOSERS: usize = 64;

/// The text around a suggestion.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Before the change, from the start of the suggestion's first line to the end of what stands
    /// there of it.
    pub head: &'a str,
    /// Before the change, from there to the end of what was changed.
    pub tail: &'a str,
    /// All of it after the change.
    pub now: &'a str,
    /// The change replaced from the start of the word at the cursor: a menu's entry does so.
    pub from_word: bool,
}

/// A suggestion that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The whole of it, line breaks as `\n`.
    pub text: String,
    /// The same, as it is compared.
    pub marks: Marks,
    /// How many of the marks stand in the text.
    pub taken: usize,
    /// How many bytes behind it go with the rest of it.
    pub replaces: usize,
}

/// How a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By a key, forward, or back into what was typed along.
    Key,
    /// At once: accepted.
    AtOnce,
}

/// What a change has made of a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub manner: Manner,
    /// Marks that stand in the text now.
    pub taken: usize,
    /// Bytes behind it that go with the rest.
    pub replaces: usize,
    /// In `now`: what is new of it, bytes.
    pub inserted: std::ops::Range<usize>,
}

impl Shown {
    /// A suggestion behind this text of its line.
    pub fn new(line_before: &str, text: &str, replaces: usize) -> Shown {
        let all = marks(&format!("{line_before}{text}"));
        let marks = all.into_iter().filter(|(_, end)| *end > line_before.len());
        let marks = marks.map(|(c, end)| (c, end - line_before.len())).collect();
        Shown { text: text.to_owned(), marks, taken: 0, replaces }
    }

    /// What does not stand in the text yet.
    pub fn rest(&self) -> &str {
        &self.text[self.end_of(self.taken)..]
    }

    /// The part of it that a step brought.
    pub fn part(&self, step: &Step) -> &str {
        let (from, to) = (self.end_of(self.taken), self.end_of(step.taken));
        &self.text[from..to.max(from)]
    }

    /// All of it stands in the text.
    pub fn is_whole(&self) -> bool {
        self.taken >= self.marks.len()
    }

    fn end_of(&self, marks: usize) -> usize {
        // At the end also of what is not compared.
        if marks >= self.marks.len() {
            return self.text.len();
        }
        marks.checked_sub(1).map_or(0, |last| self.marks[last].1)
    }

    /// What a change has made of it; `None` when it does not go on from the text any more.
    pub fn step(&self, around: Around<'_>) -> Option<Step> {
        let Around { head, tail, now, .. } = around;
        let before = marks(head);
        let base = before.len().checked_sub(self.taken)?;
        let taken_in = |text: &str| self.taken_in(&before[..base], text);
        // With the rest goes what it replaces.
        if let Some(text) = tail.get(self.replaces..).and_then(|tail| now.strip_suffix(tail))
            && taken_in(text) == Some(self.marks.len())
        {
            return Some(self.arrived(around, base, text, self.marks.len(), 0, false));
        }
        let text = now.strip_suffix(tail)?;
        if let Some(taken) = taken_in(text) {
            return Some(self.arrived(around, base, text, taken, self.replaces, false));
        }
        // Without the closers that the editor added behind.
        let is_closer = |c: char| c.is_whitespace() || PAIRS.iter().any(|(_, close)| *close == c);
        let mut end = text.len();
        for c in text.chars().rev().take(MOST_CLOSERS).take_while(|c| is_closer(*c)) {
            end -= c.len_utf8();
            let (inner, closers) = text.split_at(end);
            let taken = taken_in(inner).filter(|taken| *taken > self.taken);
            if let Some(taken) = taken.filter(|_| are_closers(inner, closers)) {
                let replaces = self.replaces + closers.len();
                return Some(self.arrived(around, base, inner, taken, replaces, true));
            }
        }
        None
    }

    /// How many marks stand in a text that starts as the text before did.
    fn taken_in(&self, before: &[(char, usize)], text: &str) -> Option<usize> {
        let is = marks(text);
        let same = |a: &[(char, usize)], b: &[(char, usize)]| {
            a.iter().map(|(c, _)| c).eq(b.iter().map(|(c, _)| c))
        };
        let (start, rest) = is.split_at_checked(before.len())?;
        let fits = same(start, before) && same(rest, self.marks.get(..rest.len())?);
        fits.then_some(rest.len())
    }

    fn arrived(
        &self,
        around: Around<'_>,
        base: usize,
        text: &str,
        taken: usize,
        replaces: usize,
        closed: bool,
    ) -> Step {
        let start = if text.starts_with(around.head) {
            around.head.len()
        } else {
            let last = (base + self.taken.min(taken)).checked_sub(1);
            last.map_or(0, |last| marks(text)[last].1)
        };
        // A closer that stood there already was typed over, not brought.
        let stood = base + self.taken + marks(around.tail).len();
        let grew_by_one = marks(around.now).len() <= stood + 1;
        let is_key = closed || around.from_word || grew_by_one || self.is_key(taken);
        let manner = if is_key { Manner::Key } else { Manner::AtOnce };
        Step { manner, taken, replaces, inserted: start..text.len() }
    }

    /// Could one key have brought the text from what was taken to this?
    fn is_key(&self, taken: usize) -> bool {
        let new: Vec<char> =
            self.marks.get(self.taken..taken).unwrap_or_default().iter().map(|(c, _)| *c).collect();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        match new.as_slice() {
            [] | [_] => true,
            [open, close] if PAIRS.contains(&(*open, *close)) => true,
            all if all.iter().all(|c| c.is_whitespace()) => true,
            _ if taken >= self.marks.len() => false,
            ['\n', mark @ ..] if !mark.iter().any(|c| is_word(*c) || *c == '\n') => true,
            [.., last] => is_word(*last) && is_word(self.marks[taken].0),
        }
    }
}

/// Are these what an editor adds behind a text by itself?
fn are_closers(inner: &str, closers: &str) -> bool {
    let last = inner.trim_end().chars().next_back();
    match closers.trim_start().chars().next() {
        // Enter between two brackets.
        None => {
            closers.contains(['\n', '\r']) && inner.trim_end_matches([' ', '\t']).ends_with('\n')
        }
        Some(close) => last.is_some_and(|open| PAIRS.contains(&(open, close))),
    }
}

/// A text as it is compared.
pub fn marks(text: &str) -> Marks {
    let mut leading = true;
    let mut marks = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match c {
            '\r' => {}
            ' ' | '\t' if leading => {}
            c => {
                leading = c == '\n';
                marks.push((c, end));
            }
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The suggestion's text is shown at `$0` and the text becomes `now`: how that came, and what is
    /// left of it.
    fn check(
        fixture: &str,
        text: &str,
        replaces: usize,
        now: &str,
        expect: Option<(Manner, &str)>,
    ) {
        let (head, tail) = fixture.split_once("$0").expect("a cursor");
        let shown = Shown::new(head, text, replaces);
        let step = shown.step(Around { head, tail, now, from_word: false });
        let left = step.map(|step| {
            let after = Shown { taken: step.taken, ..shown.clone() };
            (step.manner, after.rest().to_owned())
        });
        let expect = expect.map(|(manner, rest)| (manner, rest.to_owned()));
        assert_eq!(left, expect, "{fixture:?} + {text:?} became {now:?}");
    }

    const KEY: Manner = Manner::Key;
    const AT_ONCE: Manner = Manner::AtOnce;

    #[test]
    fn all_of_it_at_once_is_an_accept() {
        check("let x$0\n", " = 1;", 0, "let x = 1;\n", Some((AT_ONCE, "")));
        check("foo($0)\n", "a);", 1, "foo(a);\n", Some((AT_ONCE, "")));
        check("f() {$0\r\n", "\n    1\n}", 0, "f() {\r\n    1\r\n}\r\n", Some((AT_ONCE, "")));
    }

    #[test]
    fn an_accept_that_the_editor_indents_its_own_way_is_one() {
        check(
            "\tif a {$0\n",
            "\n        b;\n    }",
            0,
            "\tif a {\n\t\tb;\n\t}\n",
            Some((AT_ONCE, "")),
        );
        check("    $0\n", "return x", 0, "  return x\n", Some((AT_ONCE, "")));
    }

    #[test]
    fn the_next_word_or_line_at_once_is_a_part() {
        check("let x$0\n", " = compute(a);", 0, "let x =\n", Some((AT_ONCE, " compute(a);")));
        check("let x = $0\n", "compute(a);", 0, "let x = compute\n", Some((AT_ONCE, "(a);")));
        check("{$0\n", "\n  a;\n  b;\n}", 0, "{\n  a;\n", Some((AT_ONCE, "\n  b;\n}")));
        check("{$0\r\n", "\n  a;\n  b;\n}", 0, "{\r\n  a;\r\n", Some((AT_ONCE, "\n  b;\n}")));
    }

    #[test]
    fn a_character_is_a_key_and_so_are_a_few_within_a_word() {
        check("let x = $0\n", "compute(a);", 0, "let x = c\n", Some((KEY, "ompute(a);")));
        check("let x = $0\n", "compute(a);", 0, "let x = comp\n", Some((KEY, "ute(a);")));
        check("let x$0\n", "s", 0, "let xs\n", Some((KEY, "")));
        check("x = $0\n", "好的", 0, "x = 好\n", Some((KEY, "的")));
    }

    #[test]
    fn blanks_and_enter_are_keys_whatever_comes_with_them() {
        check("{$0\n", "\n    a;\n}", 0, "{\n    \n", Some((KEY, "    a;\n}")));
        check("x$0\n", "    y", 0, "x    \n", Some((KEY, "y")));
        check("/// a$0\n", "\n/// b", 0, "/// a\n/// \n", Some((KEY, "b")));
        // Enter between two brackets.
        check("f() {$0}\n", "\n    a;\n}", 1, "f() {\n    \n}\n", Some((KEY, "    a;\n}")));
    }

    #[test]
    fn a_bracket_that_the_editor_adds_is_no_second_character() {
        check("foo$0\n", "(a);", 0, "foo()\n", Some((KEY, "a);")));
        check("foo$0\n", "();", 0, "foo()\n", Some((KEY, ";")));
        check("s = $0\n", "\"a\"", 0, "s = \"\"\n", Some((KEY, "a\"")));
        check("s = \"\"$0\n", "\"a\"\"\"", 0, "s = \"\"\"\"\"\"\n", Some((KEY, "a\"\"\"")));
        check("foo(a$0)\n", ");", 1, "foo(a);\n", Some((KEY, "")));
        // A snippet of the menu: it brings the brackets too.
        check("x = $0\n", "compute(a);", 0, "x = compute()\n", Some((KEY, "a);")));
    }

    #[test]
    fn something_else_is_no_step() {
        check("let x$0\n", " = 1;", 0, "let xy\n", None);
        check("let x$0\n", " = 1;", 0, "let \n", None);
        check("let x$0\n", " = 1;", 0, "let x = 12\n", None);
        check("foo$0\n", "(a);", 0, "foo)\n", None);
        check("foo$0\n", "(a);", 0, "foo(b)\n", None);
        check("foo$0 bar\n", "(a);", 0, "foo(a); baz\n", None);
    }

    #[test]
    fn going_back_into_what_was_typed_along_is_a_step_back() {
        let mut shown = Shown::new("let x", " = 1;", 0);
        shown.taken = 3;
        let around = Around { head: "let x = ", tail: "\n", now: "let x =\n", from_word: false };
        let step = shown.step(around).expect("a step");
        assert_eq!((step.manner, step.taken, shown.part(&step)), (KEY, 2, ""));
        let further = Around { now: "let \n", ..around };
        assert_eq!(shown.step(further), None);
    }

    #[test]
    fn a_menus_entry_is_no_accept() {
        let shown = Shown::new("let x = com", "pute(a);", 0);
        let around =
            Around { head: "let x = com", tail: "\n", now: "let x = compute\n", from_word: true };
        assert_eq!(shown.step(around).map(|step| step.manner), Some(KEY));
        let inserted = Around { from_word: false, ..around };
        assert_eq!(shown.step(inserted).map(|step| step.manner), Some(AT_ONCE));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_suggestion_typed_key_by_key_is_typed_along_to_its_end_and_accepted_at_once_it_is_an_accept(
            head in "[a-c(){} =é]{0,12}",
            text in "[a-c(){};=é\n ]{2,30}",
            tail in "[)};]{0,2}\n",
        ) {
            let whole = Shown::new(&head, &text, 0);
            let mut shown = whole.clone();
            let mut so_far = head.clone();
            for c in text.chars() {
                let before = so_far.clone();
                so_far.push(c);
                let now = format!("{so_far}{tail}");
                let step = shown.step(Around { head: &before, tail: &tail, now: &now, from_word: false });
                let step = step.expect("typed along");
                prop_assert_eq!(step.manner, Manner::Key);
                shown.taken = step.taken;
            }
            prop_assert!(shown.is_whole());
            let now = format!("{so_far}{tail}");
            let step = whole.step(Around { head: &head, tail: &tail, now: &now, from_word: false });
            let step = step.expect("accepted");
            prop_assert_eq!(step.taken, whole.marks.len());
            prop_assert_eq!(&now[step.inserted.clone()], text.as_str());
            // And part after part.
            let mut shown = whole.clone();
            let mut before = head.clone();
            for part in text.split_inclusive(' ') {
                let next = format!("{before}{part}");
                let now = format!("{next}{tail}");
                let step = shown.step(Around { head: &before, tail: &tail, now: &now, from_word: false });
                shown.taken = step.expect("a part").taken;
                before = next;
            }
            prop_assert!(shown.is_whole());
        }

        #[test]
        fn any_change_is_judged_without_a_panic(
            head in "[ab(\r\n é]{0,8}", text in "[ab()\"\r\n é]{0,8}", tail in "[ab)\r\n é]{0,4}",
            now in "[ab()\"\r\n é]{0,16}", replaces in 0usize..4, taken in 0usize..9,
        ) {
            let mut shown = Shown::new(&head, &text, replaces);
            shown.taken = taken.min(shown.marks.len());
            if let Some(step) = shown.step(Around { head: &head, tail: &tail, now: &now, from_word: false }) {
                shown.part(&step);
                prop_assert!(step.taken <= shown.marks.len());
                prop_assert!(now.get(step.inserted).is_some());
            }
        }
    }
}
