//! The pure part of `make bench-quality`, whose figures a README stands on, and how it speaks to a
//! server in its own process. The bench itself has no test harness, so that is tested here.

use std::io::{Read, Write};

use serde_json::{Value, json};
use tandem::client::Client;
use tandem::eval::score::{Wanted, is_broken, is_suffix_repeated, leaked, members, pieces_shown};
use tandem::eval::statistics::{Paired, Share};

/// The hidden text is between `$0` and `$1`.
fn check(fixture: &str, expect: &[(&str, bool)], is_right: impl Fn(Wanted, &str) -> bool) {
    let (_, behind) = fixture.split_once("$0").expect("a cursor");
    let (hidden, after) = behind.split_once("$1").expect("an end");
    for (text, right) in expect {
        let wanted = Wanted { hidden, after, trimmed: false };
        assert_eq!(is_right(wanted, text), *right, "{fixture:?} + {text:?}");
    }
}

#[test]
fn the_models_text_is_right_when_its_first_line_is() {
    let is_right = |wanted: Wanted, text: &str| wanted.is_generated(text);
    check("a = $0b + c$1\nd\n", &[("b + c", true), ("b + c  \nd", true), ("b", false)], is_right);
    check(
        "f($0b$1)\r\n",
        &[("b)", true), ("b", true), ("b, c)", false), ("b\r\n", true)],
        is_right,
    );
    check("$0    x$1\n", &[("x", false), ("    x", true)], is_right);
    let wanted = Wanted { hidden: "    x", after: "\n", trimmed: true };
    assert!(wanted.is_generated("x\n"));
}

#[test]
fn a_suggestion_is_right_when_the_line_is_what_it_was() {
    let shown = |replaces| move |wanted: Wanted, text: &str| wanted.is_shown(text, replaces);
    check("f($0b$1);\n", &[("b", true), ("b);", false), ("c", false)], shown(0));
    check("f($0b$1);\n", &[("b);", true), ("b", false)], shown(2));
    check("if a {$0 b(); }$1\n", &[(" b(); }", true), (" b();\n}", false)], shown(0));
    check("$0a$1\n", &[("a\nb\n", true), ("b\na", false)], shown(0));
}

#[test]
fn members_are_what_stands_behind_a_dot_or_two_colons() {
    let check = |before, shown, rest, expect: &[&str]| {
        assert_eq!(members(before, shown, rest), expect, "{before}$0{shown}$1{rest}");
    };
    check("let a = b.", "open(c.d)", "", &["open", "d"]);
    check("let a = b.op", "en(c)", "", &["open"]);
    check("let a = b.o", "p", "en()\nx.y", &["open"]);
    check("", "Vec::new()\n    .len()", "", &["new", "len"]);
    check("b.open(", "c", ").d()", &[]);
    check("", "for i in 0..n { 1.5; }", "", &[]);
}

#[test]
fn a_suggestion_that_ends_with_what_follows_says_it_twice() {
    let check = |shown, follows, expect| {
        assert_eq!(is_suffix_repeated(shown, follows), expect, "{shown:?} {follows:?}");
    };
    check("a, b)", ", b)\n", true);
    check("a)", ")\n", false);
    check("one();\n    two_things();\n", "\n    two_things();\n}\n", true);
    check("one();\n    two_thi", "\n    two_things();\n}\n", false);
    check("one();\n    two_things()", "\n    two_things();\n}\n", true);
    check("x = configuration", "\nconfiguration.read()\n", false);
    check("a()\n    break", "\n    break\n", true);
    check("return x", "\n    return y\n", false);
    check("end", "\nend\n", false);
}

#[test]
fn markers_and_half_characters_count_unless_the_document_has_them() {
    assert_eq!(leaked("x<|fim_pad|>", "y"), Some("<|fim_"));
    assert_eq!(leaked("\"<|im_end|>\"", "let a = \"<|im_end|>\";"), None);
    assert_eq!(leaked("a <| b |> c", ""), None);
    assert!(is_broken("a\u{fffd}", "") && !is_broken("a\u{fffd}", "\u{fffd}"));
}

#[test]
fn the_pieces_of_what_is_shown_are_counted_without_blanks() {
    let pieces = ["    let", " a", " = ", "1", ";", "\n", "}"].map(str::to_owned);
    assert_eq!(pieces_shown(&pieces, "\tlet a = 1;"), 5);
    assert_eq!(pieces_shown(&pieces, ""), 0);
    assert_eq!(pieces_shown(&pieces, "let a = 1;\n}"), 7);
}

/// To a tenth.
fn rounded((least, most): (f64, f64)) -> (f64, f64) {
    ((least * 10.0).round() / 10.0, (most * 10.0).round() / 10.0)
}

#[test]
fn a_share_has_wilsons_interval() {
    let share = Share::of((0..100).map(|i| i < 40));
    assert_eq!(share, Share { of_these: 40, all: 100 });
    assert_eq!(share.percent(), 40.0);
    assert_eq!(rounded(share.interval()), (30.9, 49.8));
    assert_eq!(rounded(Share { of_these: 0, all: 20 }.interval()), (0.0, 16.1));
    assert_eq!(Share::default().interval(), (0.0, 100.0));
}

#[test]
fn a_paired_difference_has_an_interval_even_where_nothing_differs() {
    let pairs = [(true, false), (true, false), (false, true), (true, true), (false, false)];
    let paired = Paired::of(pairs);
    assert_eq!(paired, Paired { won: 2, lost: 1, rows: 5 });
    assert_eq!(paired.points(), 20.0);
    let paired = Paired { won: 51, lost: 6, rows: 300 };
    assert_eq!(rounded(paired.interval()), (10.2, 19.6));
    let (least, most) = Paired { won: 0, lost: 0, rows: 10 }.interval();
    assert!(least < -20.0 && most > 20.0);
}

#[test]
fn mcnemars_test_is_exact() {
    let chance = |won, lost| Paired { won, lost, rows: 100 }.chance();
    assert!((chance(10, 2) - 0.0386).abs() < 1e-4);
    assert!((chance(5, 5) - 1.0).abs() < 1e-9 && (chance(0, 0) - 1.0).abs() < 1e-9);
    assert!(chance(3_000, 0) < 1e-9);
}

#[test]
fn a_client_speaks_to_a_server_in_its_own_process_until_that_closes_its_end() {
    let (from_server, mut server_out) = std::io::pipe().expect("a pipe");
    let (mut server_in, to_server) = std::io::pipe().expect("a pipe");
    let server = std::thread::spawn(move || {
        let mut heard = String::new();
        let mut hear = |last: &str| {
            let mut bytes = [0; 4_096];
            while !heard.contains(last) {
                let read = server_in.read(&mut bytes).expect("a message");
                assert!(read > 0, "{heard}");
                heard.push_str(std::str::from_utf8(&bytes[..read]).expect("ASCII"));
            }
            heard.clone()
        };
        let mut say = |id: u32, result: Value| {
            let body = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
            write!(server_out, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("a reader");
        };
        hear("file:///tree");
        say(1, json!({"capabilities": {"positionEncoding": "utf-8"}}));
        hear("shutdown");
        say(2, Value::Null);
        hear("exit")
    });
    let mut client = Client::over(from_server, to_server, Value::Null);
    client.initialize_in(&["file:///tree".to_owned()], json!({"model": "x"})).expect("an answer");
    assert_eq!(client.pid(), std::process::id());
    assert_eq!(client.shutdown().expect("an end"), None);
    assert!(server.join().expect("no panic").contains("workspaceFolders"));
}
