//! The engine's process: shared, killed, late.

use rustix::process::Signal;
use serde_json::json;
use tandem::client::{Editor, Stroke};

use crate::harness::{Home, Typist, count, kill, marked, turn, until};

const ADD: &str = "fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n";

#[test]
fn two_editors_share_one_engine() {
    let turn = turn();
    let mut one = Typist::new(&turn, "rust", ADD);
    let mut other = Typist::new(&turn, "python", "def f(x):\n    retur$0");
    assert_eq!(turn.home.engine(&mut one.client), turn.home.engine(&mut other.client));
    assert_eq!(one.shown().as_deref(), Some(" + b"));
    assert!(other.shown().expect("a suggestion").starts_with('n'));
    // Its work is the other's alone.
    assert_eq!((one.count("requests"), other.count("requests")), (1, 1));
}

#[test]
fn an_engine_killed_while_one_types_comes_back_and_nothing_else_is_lost() {
    let turn = turn();
    let mut typist = Typist::new(&turn, "rust", ADD);
    let killed = turn.home.engine(&mut typist.client);

    // What takes the engine seconds to read is certainly not answered yet.
    let line = "fn unrelated_function(argument: Vec<u8>) -> Option<String> { todo() }\n";
    let (cursor, text) = marked(&format!("{}let x$0\n", line.repeat(30)));
    let mut long = Editor::open(&mut typist.client, "file:///long", "rust", &text);
    long.press(&mut typist.client, &Stroke::Jump(cursor));
    let pending = long.ask(&mut typist.client);
    typist.press(Stroke::Type(' '));
    assert_eq!(typist.count("requests"), 0);
    kill(killed, Signal::KILL);
    assert_eq!(typist.client.finish_inline(pending).expect("an answer"), None);

    // The document is as it was typed, and one goes on typing.
    until("a suggestion from a new engine", || typist.shown().filter(|text| text == "+ b"));
    let engine = turn.home.engine(&mut typist.client);
    assert_ne!(engine, killed);
    typist.press(Stroke::Type('+'));
    assert_eq!(typist.shown().as_deref(), Some(" b"));
}

#[test]
fn what_is_broken_off_is_not_written_down_each_time() {
    let turn = turn();
    let home = Home::new();
    home.put_model();
    let mut typist = Typist::with(&home, json!({}), "rust", ADD);
    let line = "fn unrelated_function(argument: Vec<u8>) -> Option<String> { todo() }\n";
    let mut editors: Vec<Editor> = (0..2)
        .map(|number| {
            let text = format!("// {number}\n{}let x = ", line.repeat(30));
            let mut editor =
                Editor::open(&mut typist.client, &format!("file:///{number}"), "rust", &text);
            editor.press(&mut typist.client, &Stroke::Jump(text.len()));
            editor
        })
        .collect();
    // Each breaks off what the other has begun.
    for _ in 0..20 {
        for editor in &mut editors {
            editor.press(&mut typist.client, &Stroke::Type('a'));
            let id = editor.ask(&mut typist.client);
            typist.client.cancel(id);
            let _ = typist.client.finish_inline(id);
        }
    }
    assert!(typist.shown().is_some());
    let logs = std::fs::read_dir(home.file("run")).expect("a folder").flatten();
    let logs = logs.filter(|entry| entry.path().extension().is_some_and(|end| end == "log"));
    for log in logs {
        let text = std::fs::read_to_string(log.path()).expect("a log");
        assert!(text.lines().count() < 10, "{text}");
    }
    home.engine(&mut typist.client);
    drop(turn);
}

#[test]
fn a_model_that_comes_late_is_used_without_a_restart() {
    let _turn = turn();
    let home = Home::new();
    let mut client = home.server(json!({}));
    let (cursor, text) = marked(ADD);
    let mut editor = Editor::open(&mut client, "file:///typed", "rust", &text);
    editor.press(&mut client, &Stroke::Jump(cursor));
    assert_eq!(editor.suggestion(&mut client).expect("an answer"), None);
    let server = client.pid();

    home.put_model();
    let item = until("a suggestion", || editor.suggestion(&mut client).expect("an answer"));
    assert_eq!(item.insert_text, "    a + b");
    assert!(count(&mut client, "tokens_generated") > 0);
    assert_eq!(client.pid(), server);
    kill(home.engine(&mut client), Signal::KILL);
}
