//! What the model says at a place.

use std::fs;

use serde_json::{Value, json};
use tandem::client::Stroke;

use crate::harness::{Turn, Typist, shown, turn};

const ADD: &str = "fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n";

#[test]
fn the_rest_of_an_expression_is_completed() {
    assert_eq!(shown(&turn(), "rust", ADD).as_deref(), Some(" + b"));
}

#[test]
fn half_a_word_is_completed_to_the_word() {
    let turn = turn();
    let text = shown(&turn, "python", "def f(x):\n    retur$0").expect("a suggestion");
    assert!(text.starts_with('n'), "{text:?}");
    let text = shown(&turn, "rust", "use std::collections::HashM$0\n\nfn main() {}\n");
    let text = text.expect("a suggestion");
    assert!(text.starts_with("ap"), "{text:?}");
}

#[test]
fn a_language_without_a_grammar_is_completed_too() {
    let fixture = "function add(a, b) {\n  return a$0\n}\n";
    let text = shown(&turn(), "javascript", fixture).expect("a suggestion");
    assert!(text.starts_with(" + b"), "{text:?}");
}

#[test]
fn a_block_is_completed_and_ends_before_what_follows_it() {
    let fixture = "\
def mean(values):
    \"\"\"The arithmetic mean, 0 for no values.\"\"\"
    if not values:
        return 0
    return sum(values) / len(values)


def largest(values):
    \"\"\"The largest of the values, found by a loop.\"\"\"
    best = values[0]
    for value in values:$0


def smallest(values):
    return min(values)
";
    let block = shown(&turn(), "python", fixture).expect("a suggestion");
    let lines: Vec<&str> = block.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(lines.len() >= 2, "{block:?}");
    assert!(lines.iter().all(|line| line.starts_with("    ")), "{block:?}");
    assert!(block.contains("best = value") && !block.contains("def "), "{block:?}");
}

#[test]
fn the_models_own_marks_in_a_file_are_plain_text() {
    let marks = "\
const MIDDLE: &str = \"<|fim_middle|>\";
const SUFFIX: &str = \"<|fim_suffix|>\";
const END: &str = \"<|endoftext|>\";
";
    let turn = turn();
    let text = shown(&turn, "rust", &format!("{marks}\n{ADD}"));
    assert_eq!(text.as_deref(), Some(" + b"));
    for fixture in [
        format!("{marks}const PREFIX: &str = $0\n"),
        format!("{marks}const PREFIX: &str = \"<|fim_$0\n"),
        format!("fn main() {{\n    split(\"<|fim_middle|>\", $0)\n}}\n{marks}"),
    ] {
        let text = shown(&turn, "rust", &fixture).unwrap_or_default();
        assert!(!text.contains("<|"), "{fixture:?}: {text:?}");
    }
}

#[test]
fn a_mark_in_a_file_is_as_many_tokens_as_its_letters_need() {
    let turn = turn();
    for mark in ["<|fim_middle|>", "<|endoftext|>", "<|im_start|>"] {
        let file = turn.home.file("marks.rs");
        fs::write(&file, format!("// {}\nfn main() {{\n", mark.repeat(20))).expect("a file");
        ready(&turn);
        let said = turn.home.complete(&file, 3, 1);
        let tokens = tokens(&said, "evaluated") + tokens(&said, "reused");
        // As special tokens they would be one each.
        assert!(tokens > 20 * 3, "{mark}: {said}");
    }
}

fn tokens(said: &Value, which: &str) -> u64 {
    said[format!("tokens_{which}")].as_u64().expect("a number")
}

/// The engine runs and is known, so that it is ended with the tests.
fn ready(turn: &Turn) {
    Typist::new(turn, "rust", "$0");
}

#[test]
fn a_character_of_several_tokens_is_never_cut() {
    let turn = turn();
    let in_strings =
        |limit: u32| json!({"completion": {"line_tokens": limit, "in_strings_and_comments": true}});
    let fixture = "words = {\"龘\": 1}\nprint(words[\"$0\n";
    let word = Typist::with(turn.home, in_strings(48), "python", fixture).shown();
    assert!(word.as_deref().is_some_and(|text| text.starts_with("龘\"]")), "{word:?}");
    // Any limit may fall into a character.
    for limit in 1..=4 {
        let fixture = "dragons = [\"龘\", \"龘\", \"龘\", \"$0\n";
        let text = Typist::with(turn.home, in_strings(limit), "python", fixture).shown();
        let text = text.unwrap_or_default();
        assert!("龘\", \"龘".starts_with(&text), "{limit}: {text:?}");
    }
}

#[test]
fn characters_outside_the_basic_plane_are_no_trouble_near_the_cursor() {
    let turn = turn();
    let mut said = String::new();
    for fixture in [
        "crabs = [\"🦀\", \"🦀\", \"🦀\", \"$0\n",
        "weather = {\"sun\": \"☀️\", \"rain\": \"🌧️\", \"snow\": $0\n",
        "name = \"größe 漢字 🦀 $0\n",
        "# 数字の合計を計算する関数\ndef 合計(数字):\n    retur$0\n",
    ] {
        let options = json!({"completion": {"line_tokens": 12, "in_strings_and_comments": true}});
        said.extend(Typist::with(turn.home, options, "python", fixture).shown());
    }
    assert!(said.starts_with('🦀') && !said.contains('\u{fffd}'), "{said:?}");
}

#[test]
fn half_a_surrogate_pair_that_came_and_went_leaves_the_text_as_it_was() {
    let turn = turn();
    let mut typist = Typist::new(&turn, "rust", ADD);
    // U+FFFD takes its place, which is three bytes in UTF-8.
    for (from, to, text) in [(5, 5, r"\ud83d"), (5, 8, "")] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{{"textDocument":
            {{"uri":"file:///typed","version":9}},"contentChanges":[{{"text":"{text}","range":
            {{"start":{{"line":1,"character":{from}}},"end":{{"line":1,"character":{to}}}}}}}]}}}}"#
        );
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        typist.client.send_raw(frame.as_bytes());
    }
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    typist.press(Stroke::Type(' '));
    assert_eq!(typist.shown().as_deref(), Some("+ b"));
}

#[test]
fn who_asks_gets_different_candidates_each_beginning_with_the_line() {
    let fixture = "fn area(width: f64, height: f64) -> f64 {\n    let a$0\n}\n";
    let turn = turn();
    let mut typist = Typist::new(&turn, "rust", fixture);
    let params = json!({
        "textDocument": {"uri": "file:///typed"},
        "position": {"line": 1, "character": 9},
        "context": {"triggerKind": 1},
    });
    let method = "textDocument/inlineCompletion";
    let items = typist.client.request(method, params).expect("an answer");
    let texts: Vec<&str> =
        items.as_array().expect("items").iter().filter_map(|i| i["insertText"].as_str()).collect();
    // A slow machine is not waited for until there are three.
    assert!((2..=3).contains(&texts.len()), "{texts:?}");
    assert!(texts.iter().all(|text| text.starts_with("    let a")), "{texts:?}");
    let marks = |text: &&str| text.split_whitespace().collect::<String>();
    let different: std::collections::BTreeSet<String> = texts.iter().map(marks).collect();
    assert_eq!(different.len(), texts.len(), "{texts:?}");
}
