//! Changes that do not fit, versions that go back, text that is none.

use serde_json::{Value, json};
use tandem::engine::scripted::Scripted;

use crate::harness::{FILE, Home, INLINE, Server};

/// A server whose engine always says `1;`, with one file open.
fn with_file(text: &str) -> Server {
    let home = Home::with_engine(Scripted::saying("1;"), "");
    Server::with_file_in(home, text)
}

/// What is inserted at a place because a person asks, and nothing where there is nothing.
fn asked_for(server: &mut Server, uri: &str, line: u32, character: u32) -> Option<String> {
    let params = json!({
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1},
    });
    let answer = server.request(INLINE, params);
    answer["result"][0]["insertText"].as_str().map(str::to_owned)
}

fn open(server: &mut Server, uri: &str, language: &str, version: i32, text: &str) {
    let document = json!({"uri": uri, "languageId": language, "version": version, "text": text});
    server.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn change(server: &mut Server, uri: &str, version: i32, changes: Value) {
    let document = json!({"uri": uri, "version": version});
    let params = json!({"textDocument": document, "contentChanges": changes});
    server.notify("textDocument/didChange", params);
}

fn range(from: (u32, u32), to: (u32, u32), text: &str) -> Value {
    let at = |(line, character): (u32, u32)| json!({"line": line, "character": character});
    json!({"range": {"start": at(from), "end": at(to)}, "text": text})
}

/// The change silences its document, alone and until its whole text comes.
#[track_caller]
fn check_silences(unfit: Value) {
    let mut server = with_file("let 🦀 = \n");
    open(&mut server, "file:///b.rs", "rust", 1, "let b = \n");
    // What fits before it in the same batch is not taken either.
    change(&mut server, FILE, 2, json!([range((0, 0), (0, 0), "x"), unfit]));
    assert_eq!(asked_for(&mut server, FILE, 0, 9), None);
    assert_eq!(server.status()["silent"], json!([{"uri": FILE, "why": "out of sync"}]));
    change(&mut server, FILE, 3, json!([range((0, 0), (0, 0), "y")]));
    assert_eq!(asked_for(&mut server, FILE, 0, 9), None);
    assert_eq!(asked_for(&mut server, "file:///b.rs", 0, 8).as_deref(), Some("let b = 1;"));
    change(&mut server, FILE, 4, json!([{"text": "let whole = \n"}]));
    assert_eq!(asked_for(&mut server, FILE, 0, 12).as_deref(), Some("let whole = 1;"));
    assert_eq!(server.status()["silent"], json!([]));
    let farewell = server.leave();
    assert_eq!((farewell.code, farewell.messages().len()), (Some(0), 0));
}

#[test]
fn a_range_that_ends_before_it_starts_silences_its_document() {
    check_silences(range((0, 5), (0, 2), "?"));
}

#[test]
fn half_a_character_silences_its_document() {
    check_silences(range((0, 6), (0, 6), "?"));
}

#[test]
fn a_line_far_past_the_end_silences_its_document() {
    check_silences(range((1 << 31, 0), (1 << 31, 0), "?"));
}

#[test]
fn a_character_past_the_end_of_its_line_is_the_end_of_the_line() {
    let mut server = with_file("let x\n");
    change(&mut server, FILE, 2, json!([range((0, 4_000_000_000), (0, 4_000_000_000), " = ")]));
    assert_eq!(asked_for(&mut server, FILE, 0, 8).as_deref(), Some("let x = 1;"));
}

#[test]
fn a_version_that_goes_back_is_ignored() {
    let mut server = with_file("let x = \n");
    change(&mut server, FILE, 7, json!([range((0, 4), (0, 5), "seven")]));
    change(&mut server, FILE, 6, json!([range((0, 4), (0, 9), "six")]));
    assert_eq!(asked_for(&mut server, FILE, 0, 12).as_deref(), Some("let seven = 1;"));
    assert!(server.leave().complaints.contains("version 6 came after version 7"));
}

#[test]
fn changes_of_what_is_not_open_are_ignored_and_complained_about_in_the_log_alone() {
    let mut server = with_file("let x = \n");
    change(&mut server, "file:///never.rs", 2, json!([range((0, 0), (0, 0), "?")]));
    server.notify("textDocument/didClose", json!({"textDocument": {"uri": "file:///never.rs"}}));
    server.notify("textDocument/didClose", json!({"textDocument": {"uri": FILE}}));
    change(&mut server, FILE, 2, json!([range((0, 0), (0, 0), "?")]));
    assert_eq!(asked_for(&mut server, FILE, 0, 8), None);
    open(&mut server, FILE, "rust", 1, "let again = \n");
    assert_eq!(asked_for(&mut server, FILE, 0, 12).as_deref(), Some("let again = 1;"));
    let farewell = server.leave();
    assert_eq!(farewell.messages().len(), 0);
    assert!(farewell.complaints.contains("never.rs was changed but is not open"));
}

#[test]
fn a_document_that_is_opened_twice_has_the_second_text() {
    let mut server = with_file("let first = \n");
    open(&mut server, FILE, "rust", 1, "let second = \n");
    change(&mut server, FILE, 2, json!([range((0, 4), (0, 10), "third")]));
    assert_eq!(asked_for(&mut server, FILE, 0, 12).as_deref(), Some("let third = 1;"));
}

#[test]
fn a_byte_order_mark_counts_and_lines_keep_their_ends() {
    let home = Home::with_engine(Scripted::saying("\n    1\n}\n"), "");
    let mut server =
        Server::with_file_in(home, "\u{feff}fn one() {\r\n}\r\nfn two() -> u32 {\r\n\r\n\r\n");
    change(&mut server, FILE, 2, json!([range((0, 1), (0, 3), "pub fn")]));
    let text = asked_for(&mut server, FILE, 2, 17).expect("a block");
    assert!(text.starts_with("fn two() -> u32 {\r\n    1"), "{text:?}");
    assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
}

#[test]
fn binary_content_gets_no_suggestions_and_an_unknown_language_breaks_nothing() {
    let mut server = with_file("let x\0 = \n");
    assert_eq!(asked_for(&mut server, FILE, 0, 9), None);
    open(&mut server, "file:///a.xyz", "no-such-language\u{0}🦀", 1, "x = \n");
    asked_for(&mut server, "file:///a.xyz", 0, 4);
    open(&mut server, "not an address", "", 1, "x = \n");
    asked_for(&mut server, "not an address", 0, 4);
    server.lives();
    assert_eq!(server.leave().code, Some(0));
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// The text as a client in UTF-16 holds it, by lines as the protocol breaks them.
fn lines(units: &[u16]) -> Vec<(usize, usize)> {
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < units.len() {
        let crlf = units[at] == 13 && units.get(at + 1) == Some(&10);
        if units[at] == 10 || units[at] == 13 {
            lines.push((start, at));
            at += usize::from(crlf);
            start = at + 1;
        }
        at += 1;
    }
    lines.push((start, units.len()));
    lines
}

#[test]
fn after_ten_thousand_edits_the_text_is_the_clients() {
    const PIECES: [&str; 12] =
        ["a", "x = ", "🦀", "漢字", "\r\n", "\n", "\r", "\u{2028}", "é", "\u{b}", "", "foo bar"];
    let mut server = with_file("");
    let mut dice = Dice(20_260_101);
    let mut units: Vec<u16> = Vec::new();
    let mut compared = 0;
    for version in 2..10_002 {
        // A place between characters; not inside a CRLF, where no position can be.
        let place = |dice: &mut Dice, units: &[u16]| {
            let all = lines(units);
            let line = dice.below(all.len());
            let (start, end) = all[line];
            let mut at = start + dice.below(end - start + 1);
            at -= usize::from(
                units.get(at).is_some_and(|unit| (0xdc00..0xe000).contains(unit)) && at > start,
            );
            (at, (line as u32, (at - start) as u32))
        };
        let (one, other) = (place(&mut dice, &units), place(&mut dice, &units));
        let (from, mut to) = (one.min(other), one.max(other));
        // Mostly insertions and small deletions, or the text would stay short.
        if to.0 - from.0 > 4 && units.len() < 2_000 {
            to = from;
        }
        let text: String = (0..dice.below(4)).map(|_| PIECES[dice.below(PIECES.len())]).collect();
        units.splice(from.0..to.0, text.encode_utf16());
        change(&mut server, FILE, version, json!([range(from.1, to.1, &text)]));
        if version % 250 == 0 {
            let all = lines(&units);
            for line in (0..4).map(|_| dice.below(all.len())) {
                let (start, end) = all[line];
                let expected = String::from_utf16(&units[start..end]).expect("whole characters");
                let got = asked_for(&mut server, FILE, line as u32, (end - start) as u32);
                if let Some(got) = got {
                    assert!(got.starts_with(&expected), "{got:?} where there is {expected:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 40, "only {compared} lines were compared");
    assert_eq!(server.status()["silent"], json!([]));
    assert_eq!(server.leave().code, Some(0));
}
