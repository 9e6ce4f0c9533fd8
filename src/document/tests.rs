//! The document against a model that is too simple to be wrong: the text as a plain vector of the
//! encoding's code units, spliced.

use proptest::prelude::*;
use proptest::sample::select;
use tree_sitter::{Node, Parser, Point, Tree};

use super::edit::Rows;
use super::position::{from_byte, line_break_len, to_byte};
use super::*;
use model::{model_batch, model_offset, text_of, units};

mod model;

const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

fn model_point(text: &str, byte: usize) -> Point {
    let before = &text[..byte];
    let row = before.matches('\n').count();
    Point::new(row, byte - before.rfind('\n').map_or(0, |lf| lf + 1))
}

// ---- generators ------------------------------------------------------------------------------

const PIECES: [&str; 15] = [
    "a",
    "é",
    "e\u{301}",
    "漢",
    "😀",
    "👩‍💻",
    "\n",
    "\r\n",
    "\r",
    "\u{2028}",
    "\u{b}",
    "\u{c}",
    "\u{feff}",
    "tab\t",
    "\0",
];

fn any_text(pieces: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(select(&PIECES[..]), 0..pieces).prop_map(|pieces| pieces.concat())
}

fn any_position() -> impl Strategy<Value = Position> {
    (0u32..8, 0u32..9).prop_map(|(line, character)| Position { line, character })
}

fn any_change() -> impl Strategy<Value = Change> {
    // Mostly ordered ranges, so that most changes are accepted.
    let range = (any_position(), any_position(), prop::bool::weighted(0.05)).prop_map(
        |(a, b, reversed)| match reversed {
            true => Range { start: a.max(b), end: a.min(b) },
            false => Range { start: a.min(b), end: a.max(b) },
        },
    );
    (prop::option::weighted(0.97, range), any_text(5))
        .prop_map(|(range, text)| Change { range, text })
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    select(&ENCODINGS[..])
}

/// So many cases, or as many times more as `TANDEM_CASES` says. What fails is kept in
/// `proptest-regressions` and tried first from then on.
fn cases(cases: u32) -> ProptestConfig {
    let times = std::env::var("TANDEM_CASES").ok().and_then(|times| times.parse().ok());
    ProptestConfig { cases: cases * times.unwrap_or(1), ..ProptestConfig::default() }
}

proptest! {
    // 20 batches each: 100,000.
    #![proptest_config(cases(5_000))]

    #[test]
    fn a_document_holds_the_text_its_client_holds(
        text in any_text(30),
        batches in prop::collection::vec(prop::collection::vec(any_change(), 1..4), 20),
        encoding in any_encoding(),
    ) {
        let mut document = Document::open(&text, 0, "text");
        let mut expected = text;
        for (version, batch) in (1..).zip(&batches) {
            let after = model_batch(&expected, batch, encoding);
            let outcome = document.change(version, batch, encoding);
            prop_assert_eq!(outcome.is_ok(), after.is_some(), "{:?} {:?}", outcome, batch);
            match after {
                Some(text) => expected = text,
                None => {
                    prop_assert!(document.snapshot().is_none());
                    let again = Change { range: None, text: expected.clone() };
                    prop_assert!(document.change(version, &[again], encoding).is_ok());
                }
            }
            prop_assert_eq!(document.snapshot().unwrap().rope.to_string(), expected.clone());
            prop_assert_eq!(document.text.census, Census::of(&document.text.rope));
        }
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn an_edit_counts_rows_and_columns_as_tree_sitter_does(
        text in any_text(30),
        change in any_change(),
        encoding in any_encoding(),
    ) {
        let rope = Rope::from_str(&text);
        let rows = Census::of(&rope).rows();
        let Ok(edit) = Edit::resolve(&rope, &change, encoding) else { return Ok(()) };
        let told = edit.input_edit(&rope, rows);
        let mut after = rope.clone();
        edit.apply(&mut after);
        let after = after.to_string();
        prop_assert_eq!(told.start_position, model_point(&text, edit.start_byte));
        prop_assert_eq!(told.old_end_position, model_point(&text, edit.old_end_byte));
        prop_assert_eq!(told.new_end_position, model_point(&after, edit.new_end_byte()));
    }

    #[test]
    fn any_position_is_taken_to_a_character_boundary_and_boundaries_come_back(
        text in any_text(30),
        position in any_position(),
        encoding in any_encoding(),
    ) {
        let rope = Rope::from_str(&text);
        let byte = to_byte(&rope, position, encoding);
        prop_assert!(text.is_char_boundary(byte));
        prop_assert_eq!(to_byte(&rope, from_byte(&rope, byte, encoding), encoding), byte);
        let units = units(&text, encoding);
        let mut offset = model_offset(&units, position).unwrap_or(units.len());
        while text_of(&units[..offset], encoding).is_none() {
            offset -= 1;
        }
        prop_assert_eq!(&text[..byte], text_of(&units[..offset], encoding).unwrap());
    }

    #[test]
    fn snapshots_never_panic_whatever_offset_they_are_asked_about(
        text in any_text(20),
        (a, b) in (0usize..80, 0usize..80),
    ) {
        let snapshot = Document::open(&text, 0, "text").snapshot().unwrap();
        prop_assert!(text.contains(&snapshot.slice(a..b)));
        prop_assert!(snapshot.line_start(a) <= snapshot.line_end(a));
        prop_assert!(text.is_char_boundary(snapshot.line_end(a)));
        from_byte(&snapshot.rope, a, Encoding::Utf16);
    }
}

// ---- trees -----------------------------------------------------------------------------------

fn parse(snapshot: &Snapshot, old: Option<&Tree>) -> Tree {
    let mut parser = Parser::new();
    let language = match &*snapshot.language_id {
        "python" => tree_sitter_python::LANGUAGE,
        _ => tree_sitter_rust::LANGUAGE,
    };
    parser.set_language(&language.into()).unwrap();
    parser.parse(snapshot.rope.to_string(), old).unwrap()
}

/// Every node with its bytes and points: more than the s-expression says.
fn nodes(node: Node, into: &mut Vec<String>) {
    into.push(format!("{} {:?}", node.kind(), node.range()));
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        nodes(child, into);
    }
}

const PYTHON: [&str; 8] = [
    "def f(x):",
    "    return \"é😀\u{2028}\"",
    "# 注释 e\u{301}",
    "class C:",
    "    pass",
    "x = [1, '漢']",
    "",
    "if x: y = 1",
];

const SOURCES: [&str; 8] = [
    "fn f() { let s = \"é😀\u{2028}\"; }",
    "// 注释 😀 e\u{301}",
    "struct S { x: u8, }",
    "fn g(x: &str) -> usize { x.len() /* 漢 */ + 1 }",
    "const A: char = 'ß';",
    "/* one\rtwo */",
    "",
    "impl S { fn h(&self) {\r self.x; } }",
];

fn source_edit(lines: &'static [&'static str]) -> impl Strategy<Value = (u32, u32, String)> {
    let ends = select(vec!["\n", "\r\n", "\r"]);
    let text = (select(lines), ends).prop_map(|(line, end)| format!("{line}{end}"));
    let text = prop_oneof![9 => text, 1 => select(vec![" ", "\n", "\r", "\r\n", "x"]).prop_map(String::from)];
    (0u32..12, 0u32..3, text)
}

type Lines = Vec<(&'static str, &'static str)>;

fn source_lines(lines: &'static [&'static str]) -> impl Strategy<Value = Lines> {
    prop::collection::vec((select(lines), select(vec!["\n", "\r\n", "\r"])), 0..8)
}

/// After each batch the tree that was kept equals a fresh one, node by node, where both are free of
/// errors. With errors tree-sitter promises nothing: how it recovers depends on which old nodes it can
/// take over, so two right trees of one text may differ. That both have errors or neither is not
/// promised either, and not asked.
fn follow(
    language: &str,
    start: &Lines,
    bom: bool,
    edits: &[Vec<(u32, u32, String)>],
    encoding: Encoding,
) -> Result<(), TestCaseError> {
    let mut text = String::from(if bom { "\u{feff}" } else { "" });
    text.extend(start.iter().flat_map(|(line, end)| [*line, *end]));
    let mut document = Document::open(&text, 0, language);
    for (version, batch) in (1..).zip(edits) {
        let lines = document.text.rope.len_lines() as u32;
        let changes: Vec<Change> = batch
            .iter()
            .map(|(line, removed, text)| {
                let at = |line| Position { line, character: 0 };
                let range = Some(Range {
                    start: at(line % lines),
                    end: at((line % lines + removed).min(lines)),
                });
                Change { range, text: text.clone() }
            })
            .collect();
        if document.change(version, &changes, encoding).is_err() {
            break;
        }
        let snapshot = document.snapshot().unwrap();
        let fresh = parse(&snapshot, None);
        let tree = parse(&snapshot, document.stale_tree().as_ref());
        if !fresh.root_node().has_error() && !tree.root_node().has_error() {
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            nodes(fresh.root_node(), &mut expected);
            nodes(tree.root_node(), &mut found);
            prop_assert_eq!(tree.root_node().to_sexp(), fresh.root_node().to_sexp());
            prop_assert_eq!(found, expected);
        }
        prop_assert!(document.set_tree(&snapshot, tree));
    }
    Ok(())
}

proptest! {
    // About six batches each.
    #![proptest_config(cases(500))]

    #[test]
    fn a_rust_tree_fed_with_edits_equals_a_fresh_parse(
        start in source_lines(&SOURCES),
        bom in prop::bool::weighted(0.2),
        edits in prop::collection::vec(prop::collection::vec(source_edit(&SOURCES), 1..3), 1..12),
        encoding in any_encoding(),
    ) {
        follow("rust", &start, bom, &edits, encoding)?;
    }

    #[test]
    fn a_python_tree_fed_with_edits_equals_a_fresh_parse(
        start in source_lines(&PYTHON),
        bom in prop::bool::weighted(0.2),
        edits in prop::collection::vec(prop::collection::vec(source_edit(&PYTHON), 1..3), 1..12),
        encoding in any_encoding(),
    ) {
        follow("python", &start, bom, &edits, encoding)?;
    }
}

/// Where every node of a tree starts: byte and point.
fn starts(node: Node, into: &mut Vec<(usize, Point)>) {
    into.push((node.start_byte(), node.start_position()));
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        starts(child, into);
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// A parse would work most points out anew and so hide a wrong one.
    #[test]
    fn in_a_stale_tree_the_nodes_behind_an_edit_are_at_their_new_points(
        lines in prop::collection::vec((select(&SOURCES[..]), select(vec!["\n", "\r\n", "\r"])), 2..8),
        change in any_change(),
    ) {
        let text: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
        let mut document = Document::open(&text, 0, "rust");
        let snapshot = document.snapshot().unwrap();
        document.set_tree(&snapshot, parse(&snapshot, None));
        let edit = Edit::resolve(&snapshot.rope, &change, Encoding::Utf16);
        prop_assume!(change.range.is_some() && edit.is_ok());
        let end = edit.unwrap().new_end_byte();
        document.change(1, &[change], Encoding::Utf16).unwrap();
        let after = document.snapshot().unwrap().rope.to_string();
        let mut nodes = Vec::new();
        starts(document.stale_tree().unwrap().root_node(), &mut nodes);
        for (byte, point) in nodes.into_iter().filter(|(byte, _)| *byte > end) {
            prop_assert_eq!(point, model_point(&after, byte), "byte {}", byte);
        }
    }
}

// ---- one thing at a time ---------------------------------------------------------------------

fn at(line: u32, character: u32) -> Position {
    Position { line, character }
}

fn replace(start: (u32, u32), end: (u32, u32), text: &str) -> Change {
    let range = Some(Range { start: at(start.0, start.1), end: at(end.0, end.1) });
    Change { range, text: text.into() }
}

fn full(text: &str) -> Change {
    Change { range: None, text: text.into() }
}

/// What a UTF-16 change does to an open document.
fn check(text: &str, change: Change, expected: Result<&str, EditError>) {
    let mut document = Document::open(text, 1, "text");
    let outcome = document.change(2, &[change], Encoding::Utf16);
    assert_eq!(outcome.err(), expected.err());
    let text = document.snapshot().map(|snapshot| snapshot.rope.to_string());
    assert_eq!(text.as_deref(), expected.ok());
}

#[test]
fn a_character_past_the_end_of_its_line_is_the_end_before_the_line_break() {
    check("ab\r\ncd", replace((0, 99), (0, 99), "!"), Ok("ab!\r\ncd"));
    check("ab\rcd", replace((0, 3), (0, u32::MAX), "!"), Ok("ab!\rcd"));
    check("ab\ncd", replace((1, 7), (1, 8), "!"), Ok("ab\ncd!"));
}

#[test]
fn one_line_past_the_last_is_the_end_of_the_text() {
    check("ab\ncd", replace((0, 0), (2, 0), "x"), Ok("x"));
    check("", replace((1, 5), (1, 5), "x"), Ok("x"));
}

#[test]
fn a_line_further_off_is_refused() {
    check("ab\ncd", replace((0, 0), (3, 0), ""), Err(EditError::NoSuchLine { line: 3, lines: 2 }));
    let far = 1 << 31;
    check("", replace((far, 0), (far, 0), ""), Err(EditError::NoSuchLine { line: far, lines: 1 }));
}

#[test]
fn a_range_that_ends_before_it_starts_is_refused() {
    let error = EditError::Reversed { start: at(1, 0), end: at(0, 2) };
    check("ab\ncd", replace((1, 0), (0, 2), ""), Err(error));
}

#[test]
fn half_a_surrogate_pair_is_refused_in_an_edit_and_rounded_down_elsewhere() {
    let error = EditError::InsideCharacter { at: at(0, 2) };
    check("a😀b", replace((0, 2), (0, 3), ""), Err(error));
    assert_eq!(to_byte(&Rope::from_str("a😀b"), at(0, 2), Encoding::Utf16), 1);
}

#[test]
fn the_middle_of_a_utf8_sequence_is_refused_in_an_edit_and_rounded_down_elsewhere() {
    let mut document = Document::open("漢", 1, "text");
    let change = replace((0, 1), (0, 1), "x");
    let error = EditError::InsideCharacter { at: at(0, 1) };
    assert_eq!(document.change(2, &[change], Encoding::Utf8), Err(error));
    assert_eq!(to_byte(&Rope::from_str("漢"), at(0, 2), Encoding::Utf8), 0);
}

#[test]
fn positions_clamp_to_the_text() {
    let rope = Rope::from_str("ab\r\ncd");
    for encoding in ENCODINGS {
        assert_eq!(to_byte(&rope, at(0, u32::MAX), encoding), 2);
        assert_eq!(to_byte(&rope, at(u32::MAX, 0), encoding), 6);
        assert_eq!(from_byte(&rope, 99, encoding), at(1, 2));
    }
    assert_eq!(from_byte(&Rope::from_str("a😀"), 3, Encoding::Utf16), at(0, 1));
}

#[test]
fn only_the_protocols_three_line_breaks_break_lines() {
    let rope = Rope::from_str("a\u{2028}b\u{b}c\u{c}d\u{85}e\nf\r\ng\rh");
    assert_eq!(rope.len_lines(), 4);
    assert_eq!([0, 1, 2, 3, 4].map(|line| line_break_len(&rope, line)), [1, 2, 1, 0, 0]);
    assert_eq!(line_break_len(&rope, usize::MAX), 0);
}

#[test]
fn one_bad_change_rejects_its_whole_batch_and_a_full_text_heals() {
    let mut document = Document::open("ab", 1, "text");
    let batch = [replace((0, 0), (0, 0), "x"), replace((9, 0), (9, 0), "y")];
    assert!(document.change(2, &batch, Encoding::Utf16).is_err());
    assert!(!document.in_sync() && document.snapshot().is_none());
    assert!(document.stale_tree().is_none());

    let fine = [replace((0, 0), (0, 0), "x")];
    assert_eq!(document.change(3, &fine, Encoding::Utf16), Err(EditError::OutOfSync));

    let healing = [fine[0].clone(), full("new"), replace((0, 0), (0, 1), "N")];
    assert_eq!(document.change(4, &healing, Encoding::Utf16), Ok(()));
    let snapshot = document.snapshot().unwrap();
    assert_eq!((snapshot.rope.to_string().as_str(), snapshot.version), ("New", 4));
}

#[test]
fn a_version_going_backwards_is_ignored_and_changes_nothing() {
    let mut document = Document::open("ab", 5, "text");
    let error = EditError::OldVersion { current: 5, offered: 4 };
    assert_eq!(document.change(4, &[full("old")], Encoding::Utf16), Err(error));
    let snapshot = document.snapshot().unwrap();
    assert_eq!((snapshot.rope.to_string().as_str(), snapshot.version), ("ab", 5));
}

#[test]
fn a_repeated_version_is_applied() {
    let mut document = Document::open("ab", 0, "text");
    assert_eq!(document.change(0, &[replace((0, 2), (0, 2), "c")], Encoding::Utf16), Ok(()));
    assert_eq!(document.snapshot().unwrap().rope.to_string(), "abc");
}

#[test]
fn a_snapshot_does_not_move_with_the_document() {
    let mut document = Document::open("ab", 1, "text");
    let before = document.snapshot().unwrap();
    document.change(2, &[replace((0, 0), (0, 2), "cd")], Encoding::Utf16).unwrap();
    assert_eq!((before.rope.to_string().as_str(), before.version), ("ab", 1));
}

#[test]
fn a_tree_of_an_older_text_is_not_taken_even_under_the_same_version() {
    let mut document = Document::open("fn a() {}", 0, "rust");
    let before = document.snapshot().unwrap();
    document.change(0, &[replace((0, 3), (0, 4), "b")], Encoding::Utf16).unwrap();
    let tree = parse(&before, None);
    assert!(!document.set_tree(&before, tree.clone()));
    assert!(document.stale_tree().is_none());
    assert!(!Document::open("fn a() {}", 0, "rust").set_tree(&before, tree));
}

#[test]
fn a_snapshot_has_a_tree_only_while_the_tree_is_of_its_text() {
    let mut document = Document::open("fn a() {}", 1, "rust");
    let snapshot = document.snapshot().unwrap();
    assert!(document.set_tree(&snapshot, parse(&snapshot, None)));
    assert!(document.snapshot().unwrap().tree.is_some());
    document.change(2, &[replace((0, 3), (0, 4), "b")], Encoding::Utf16).unwrap();
    assert!(document.snapshot().unwrap().tree.is_none());
    assert!(document.stale_tree().unwrap().root_node().has_changes());
    document.change(3, &[full("fn b() {}")], Encoding::Utf16).unwrap();
    assert!(document.stale_tree().is_none());
}

#[test]
fn a_byte_order_mark_counts_as_the_clients_character() {
    check("\u{feff}ab\r\n", replace((0, 1), (0, 2), "X"), Ok("\u{feff}Xb\r\n"));
}

#[test]
fn rows_are_lines_until_a_lone_cr_comes_in() {
    let mut document = Document::open("a\r\nb", 1, "text");
    assert_eq!(document.text.census.rows(), Rows::Lines);
    document.change(2, &[replace((0, 1), (1, 0), "\r")], Encoding::Utf16).unwrap();
    assert_eq!(document.text.census.rows(), Rows::LineFeeds);
    document.change(3, &[replace((1, 0), (1, 0), "\n")], Encoding::Utf16).unwrap();
    assert_eq!(document.text.census.rows(), Rows::Lines);
}

#[test]
fn a_line_grown_too_long_and_cut_again_is_noticed_both_times() {
    let mut document = Document::open("head\nbody\ntail", 1, "text");
    let long = "x".repeat(MAX_LINE_BYTES);
    document.change(2, &[replace((1, 2), (1, 2), &long)], Encoding::Utf8).unwrap();
    let snapshot = document.snapshot().unwrap();
    assert!(snapshot.too_large());
    let tree = parse(&Document::open("", 0, "rust").snapshot().unwrap(), None);
    assert!(!document.set_tree(&snapshot, tree), "nobody parses such a text");
    document.change(3, &[replace((1, 500), (1, 500), "\n")], Encoding::Utf8).unwrap();
    assert!(!document.snapshot().unwrap().too_large());
    document.change(4, &[replace((1, 500), (2, 0), "")], Encoding::Utf8).unwrap();
    assert!(document.snapshot().unwrap().too_large());
}

/// On the counts alone: building twenty megabytes of rope takes an unoptimised test half a minute.
#[test]
fn a_text_over_the_byte_limit_is_too_large() {
    let census = Census::of(&Rope::from_str("short\nlines"));
    assert!(!census.too_large(MAX_BYTES));
    assert!(census.too_large(MAX_BYTES + 1));
}

#[test]
fn the_end_of_line_is_the_one_most_of_the_first_lines_have() {
    let eol = |text: &str| Document::open(text, 0, "text").snapshot().unwrap().eol();
    assert_eq!(eol("no break"), "\n");
    assert_eq!(eol("a\r\nb\r\nc\n"), "\r\n");
    assert_eq!(eol("a\nb\nc\r\n"), "\n");
    assert_eq!(eol(&("a\n".repeat(100) + &"b\r\n".repeat(500))), "\n");
}

#[test]
fn a_line_ends_before_its_break_and_starts_after_the_one_before() {
    let snapshot = Document::open("ab\r\ncd\re", 0, "text").snapshot().unwrap();
    let lines =
        [0, 2, 3, 4, 6, 7, 99].map(|byte| (snapshot.line_start(byte), snapshot.line_end(byte)));
    assert_eq!(lines, [(0, 2), (0, 2), (0, 2), (4, 6), (4, 6), (7, 8), (7, 8)]);
    assert_eq!(snapshot.slice(1..5), "b\r\nc");
}
