use super::*;
use crate::completer::Source;
use crate::document::position::Encoding;
use crate::document::{Change, Document, Range};

/// A document in an editor, and a clock.
struct Page {
    document: Document,
    watch: Watch,
    cursor: usize,
    now: Instant,
    shown: u64,
    after: Option<(usize, After)>,
    said: Vec<Note>,
}

impl Page {
    /// `$0` marks the cursor.
    fn new(fixture: &str) -> Page {
        let cursor = fixture.find("$0").expect("a cursor");
        Page {
            document: Document::open(&fixture.replace("$0", ""), 1, "rust"),
            watch: Watch::new("rust"),
            cursor,
            now: Instant::now(),
            shown: 0,
            after: None,
            said: Vec::new(),
        }
    }

    fn rope(&self) -> Rope {
        self.document.snapshot().expect("in sync").rope
    }

    fn shows(mut self, text: &str) -> Page {
        self.shown += 1;
        let event = Event::Shown {
            characters: text.chars().count(),
            lines: lines(text),
            source: Source::Model,
            model: None,
            latency_ms: 1.0,
            confidence: None,
            invoked: false,
        };
        let texts = vec![(text.to_owned(), 0)];
        let offer =
            Offer { suggestion: self.shown, at: self.cursor, texts, from_word: false, event };
        let notes = self.watch.show(offer, &self.rope(), self.now);
        self.said.extend(notes);
        self
    }

    /// Several edits in one notification, each in the text the one before left. Bytes.
    fn changes(mut self, edits: &[(usize, usize, &str)]) -> Page {
        let before = self.rope();
        let mut text = before.to_string();
        let mut changes = Vec::new();
        for (from, to, new) in edits {
            let rope = Rope::from_str(&text);
            let at = |byte| crate::document::position::from_byte(&rope, byte, Encoding::Utf8);
            let range = Range { start: at(*from), end: at(*to) };
            changes.push(Change { range: Some(range), text: (*new).to_owned() });
            text.replace_range(from..to, new);
            self.cursor = from + new.len();
        }
        self.document.change(1, &changes, Encoding::Utf8).expect("a change that fits");
        let touched = self.document.touched();
        let outcome = self.watch.change(&before, &self.rope(), touched, self.now);
        self.said.extend(outcome.notes);
        self.after = outcome.after;
        self
    }

    fn types(self, text: &str) -> Page {
        let at = self.cursor;
        self.changes(&[(at, at, text)])
    }

    /// Replaces the cursor's line up to the cursor, as our items say.
    fn takes(self, text: &str) -> Page {
        let rope = self.rope();
        let line = rope.line_to_byte(rope.byte_to_line(self.cursor));
        let whole = format!("{}{text}", rope.byte_slice(line..self.cursor));
        let at = self.cursor;
        self.changes(&[(line, at, &whole)])
    }

    fn waits(mut self, seconds: u64) -> Page {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn ends(mut self) -> Page {
        let rope = self.rope();
        let notes = self.watch.end(&rope, self.now);
        self.said.extend(notes);
        self
    }

    /// Each note as a word and its characters, with the suggestion's number.
    fn said(&self) -> String {
        let word = |note: &Note| {
            let what = match &note.event {
                Event::Shown { characters, .. } => format!("shown {characters}"),
                Event::Accepted { characters, lines, .. } => format!("all {characters} in {lines}"),
                Event::AcceptedPart { characters, .. } => format!("part {characters}"),
                Event::TypedAlong { characters, .. } => format!("typed {characters}"),
                Event::TurnedDown { characters, .. } => format!("down {characters}"),
                Event::Kept { characters, of, stands, after_ms } => {
                    format!("kept {characters} of {of} after {}s {stands}", after_ms / 1000)
                }
            };
            format!("{}: {what}", note.suggestion)
        };
        self.said.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

fn part(rest: &str) -> After {
    After::Part(Suggestion { text: rest.to_owned(), replaces: 0 })
}

#[test]
fn a_suggestion_taken_as_a_whole_is_one_accept_also_when_its_line_is_replaced() {
    let typed = Page::new("let x$0\nend\n").shows(" = 1;").types(" = 1;");
    let taken = Page::new("let x$0\nend\n").shows(" = 1;").takes(" = 1;");
    for page in [typed, taken] {
        assert_eq!(page.said(), "1: shown 5, 1: all 5 in 1");
        assert_eq!(page.after, Some((10, After::Accept)));
    }
}

#[test]
fn an_accept_in_several_pieces_of_one_notification_is_one() {
    let page = Page::new("foo($0)\nend\n").shows("a, b");
    let page = page.changes(&[(4, 4, "a"), (5, 5, ","), (6, 6, " b")]);
    assert_eq!(page.said(), "1: shown 4, 1: all 4 in 1");
    // With a line added at the top by the same command.
    let page = Page::new("top\n\nlet x$0\nend\n").shows(" = 1;");
    let page = page.changes(&[(10, 10, " = 1;"), (0, 0, "use a;\n")]);
    assert_eq!(page.said(), "1: shown 5, 1: all 5 in 1");
    assert_eq!(page.after, Some((22, After::Accept)));
}

#[test]
fn a_suggestion_typed_along_is_one_suggestion_however_often_it_is_asked_for() {
    let page = Page::new("let x$0\nend\n").shows(" = 1;").types(" ").shows("= 1;").types("=");
    let page = page.shows(" 1;").types(" ").types("1").types(";");
    assert_eq!(page.said(), "1: shown 5, 1: typed 5");
    assert_eq!(page.after, None);
}

#[test]
fn going_back_into_it_is_no_refusal_and_going_further_back_is() {
    let page = Page::new("let x$0\nend\n").shows(" = 1;").types(" ").types("=");
    let page = page.changes(&[(6, 7, "")]);
    assert_eq!(page.said(), "1: shown 5");
    let page = page.changes(&[(4, 6, "")]);
    assert_eq!(page.said(), "1: shown 5, 1: down 4");
}

#[test]
fn something_else_here_or_elsewhere_turns_it_down() {
    let here = Page::new("let x$0\nend\n").shows(" = 1;").types(":");
    let elsewhere = Page::new("let x$0\nend\n").shows(" = 1;").changes(&[(8, 8, "!")]);
    let shown = Page::new("let x$0\nend\n").shows(" = 1;").shows(": u8;");
    assert_eq!(here.said(), "1: shown 5, 1: down 5");
    assert_eq!(elsewhere.said(), "1: shown 5, 1: down 5");
    assert_eq!(shown.said(), "1: shown 5, 1: down 5, 2: shown 5");
}

#[test]
fn after_a_part_the_rest_is_followed_on() {
    let page = Page::new("let x$0\nend\n").shows(" = foo(a);").takes(" = foo");
    assert_eq!(page.after, Some((11, part("(a);"))));
    let page = page.shows("(a);").types("(");
    assert_eq!(page.after, Some((12, part("a);"))));
    let page = page.takes("a);");
    assert_eq!(page.said(), "1: shown 10, 1: part 6, 1: all 3 in 1");
    assert_eq!(page.after, Some((15, After::Accept)));
    let page = Page::new("let x$0\nend\n").shows(" = foo(a);").types(" = foo").types("!");
    assert_eq!(page.said(), "1: shown 10, 1: part 6, 1: down 4");
}

#[test]
fn a_block_is_taken_line_by_line_in_a_file_with_crlf() {
    let page = Page::new("fn f() {$0\r\nend\r\n").shows("\n    a;\n    b;\n}");
    let page = page.takes("\r\n    a;");
    assert_eq!(page.after, Some((16, part("\n    b;\n}"))));
    let page = page.shows("\n    b;\n}").takes("\r\n    b;").takes("\r\n}");
    assert_eq!(page.said(), "1: shown 16, 1: part 7, 1: part 7, 1: all 2 in 2");
    assert_eq!(page.after, None, "a block is no single line");
}

#[test]
fn a_bracket_that_the_editor_adds_and_a_closer_typed_over_are_typed_along() {
    let page = Page::new("x = foo$0\nend\n").shows("(a);").types("()");
    let mut page = page.changes(&[(8, 8, "a")]);
    // The editor goes over its own closer, and reports it replaced by itself.
    page = page.changes(&[(9, 10, ")")]);
    assert_eq!(page.said(), "1: shown 4");
    let page = page.changes(&[(10, 10, ";")]);
    assert_eq!(page.said(), "1: shown 4, 1: typed 4");
}

#[test]
fn a_menus_entry_that_is_part_of_it_is_typed_along() {
    let page = Page::new("let x = com$0\nend\n").shows("pute(a);").changes(&[(8, 11, "compute")]);
    assert_eq!(page.said(), "1: shown 8");
    let page = page.types("(a);");
    assert_eq!(page.said(), "1: shown 8, 1: all 4 in 1");
}

#[test]
fn the_one_that_is_taken_of_several_is_the_accept() {
    let mut page = Page::new("let x$0\nend\n");
    let event = Event::TypedAlong { characters: 0, after_ms: 0 };
    let texts = vec![(" = 1;".to_owned(), 0), (": u8 = 1;".to_owned(), 0)];
    let offer = Offer { suggestion: 1, at: 5, texts, from_word: false, event };
    page.watch.show(offer, &page.rope(), page.now);
    assert_eq!(page.takes(": u8 = 1;").said(), "1: all 9 in 1");
}

#[test]
fn an_accepted_text_is_looked_at_as_it_stood_when_that_was_due() {
    let page = Page::new("let x$0\nend\n").shows(" = compute(a);").takes(" = compute(a);");
    let page = page.waits(5).changes(&[(0, 0, "// above\n")]);
    let page = page.waits(60).changes(&[(14, 28, "")]);
    let kept = "1: kept 14 of 14 after 15s true";
    assert_eq!(page.said(), format!("1: shown 14, 1: all 14 in 1, {kept}"));
    assert_eq!(page.watch.kept(), 14);
    // It was removed a minute later, and the last look sees that.
    let page = page.waits(900).types("!");
    assert!(page.said().ends_with("1: kept 0 of 14 after 600s false"), "{}", page.said());
    assert_eq!(page.watch.kept(), 0);
}

#[test]
fn a_document_that_is_closed_early_is_looked_at_then() {
    let page = Page::new("let x$0\nend\n").shows(" = 1;").takes(" = 1;").waits(3);
    let page = page.shows("\nlet y").ends();
    let end = "1: all 5 in 1, 2: shown 6, 2: down 6, 1: kept 5 of 5 after 3s true";
    assert_eq!(page.said(), format!("1: shown 5, {end}"));
    assert_eq!(page.said.len(), page.ends().said.len(), "once");
}

#[test]
fn words_taken_one_after_another_are_looked_at_as_one_text() {
    let page = Page::new("let x$0\nend\n").shows(" = foo(a);").takes(" = foo").takes("(a);");
    let page = page.waits(20).ends();
    assert!(page.said().ends_with("1: kept 10 of 10 after 15s true"), "{}", page.said());
}

#[test]
fn with_nothing_shown_a_change_costs_nothing_and_says_nothing() {
    let page = Page::new("let x$0\n").types(" = 1;");
    assert_eq!((page.said().as_str(), page.after), ("", None));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_edited_nothing_panics_and_each_suggestion_ends_once(
        edits in proptest::collection::vec((0usize..40, 0usize..6, "[ab(){\r\n é]{0,6}", proptest::bool::ANY), 1..12),
    ) {
        let mut page = Page::new("fn f() {\r\n    a$0 é\n}\n");
        for (at, length, text, shows) in edits {
            if shows {
                page = page.shows("(b);\n    c");
            }
            let rope = page.rope();
            let whole = rope.to_string();
            let from = whole.floor_char_boundary(at.min(whole.len()));
            let to = whole.floor_char_boundary((from + length).min(whole.len()));
            // A position between the two of a CRLF cannot be named.
            if whole.get(..from).is_some_and(|t| t.ends_with('\r')) || whole.get(..to).is_some_and(|t| t.ends_with('\r')) {
                continue;
            }
            page = page.changes(&[(from, to, &text)]);
        }
        let page = page.ends();
        let ends = page.said.iter().filter(|n| matches!(n.event, Event::Accepted { .. } | Event::TypedAlong { .. } | Event::TurnedDown { .. })).count();
        let shown = page.said.iter().filter(|n| matches!(n.event, Event::Shown { .. })).count();
        proptest::prop_assert_eq!(ends, shown);
    }
}
