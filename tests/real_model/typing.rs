//! How little the model has to do while one types.

use std::fs;

use serde_json::json;
use tandem::client::Stroke;

use crate::harness::{Typist, turn};

const ADD: &str = "fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n";

#[test]
fn typing_along_a_suggestion_and_going_back_into_it_runs_no_model() {
    let turn = turn();
    let mut typist = Typist::new(&turn, "rust", ADD);
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    let before = typist.count("tokens_evaluated");
    let generated = typist.count("tokens_generated");
    for (typed, rest) in [(' ', "+ b"), ('+', " b"), (' ', "b")] {
        typist.press(Stroke::Type(typed));
        assert_eq!(typist.shown().as_deref(), Some(rest));
    }
    for rest in [" b", "+ b", " + b"] {
        typist.press(Stroke::Backspace);
        assert_eq!(typist.shown().as_deref(), Some(rest));
    }
    assert_eq!(typist.count("tokens_evaluated"), before);
    assert_eq!(typist.count("tokens_generated"), generated);
    assert_eq!(typist.count("answered_without_model"), 6);
}

#[test]
fn a_typed_character_costs_three_tokens_at_most_on_average() {
    let turn = turn();
    let fixture = "\
/// The arithmetic mean; 0 for no values.
fn mean(values: &[f64]) -> f64 {
    $0
}

fn main() {
    println!(\"{}\", mean(&[1.0, 2.0]));
}
";
    // Each key asks the model, as if no suggestion were ever the right one.
    let options = json!({"completion": {"reuse": false, "line_tokens": 4, "block_tokens": 0}});
    let mut typist = Typist::with(turn.home, options, "rust", fixture);
    typist.shown();
    let before = typist.count("tokens_evaluated");
    let line = "let total: f64 = values.iter().map(|value| value * 1.0).sum();";
    for typed in line.chars() {
        typist.press(Stroke::Type(typed));
        typist.shown();
    }
    let evaluated = typist.count("tokens_evaluated") - before;
    assert_eq!(typist.count("answered_without_model"), 0);
    let typed = line.len() as u64;
    println!("{evaluated} tokens for {typed} characters");
    assert!(evaluated <= 3 * typed, "{evaluated} tokens for {typed} characters");
}

#[test]
fn the_same_place_again_costs_two_tokens_at_most() {
    let turn = turn();
    let file = turn.home.file("add.rs");
    let fixture = "fn multiply(a: i32, b: i32) -> i32 {\n    a\n}\n";
    fs::write(&file, fixture).expect("a file");
    Typist::new(&turn, "rust", "$0");
    let first = turn.home.complete(&file, 2, 6);
    assert_eq!(first["text"], " * b");
    assert!(first["tokens_evaluated"].as_u64() > Some(10), "{first}");
    let second = turn.home.complete(&file, 2, 6);
    assert_eq!(second["text"], first["text"]);
    assert!(second["tokens_evaluated"].as_u64() <= Some(2), "{second}");
}
