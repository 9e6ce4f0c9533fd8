//! Editors that die, that stop reading, that go while something is under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::engine::scripted::{Scripted, Step};
use tokio::sync::Notify;

use crate::harness::{FILE, Home, INLINE, Server, frame, ghost_params, initialize_params};

/// An engine that says nothing until it is dropped.
fn silent() -> Arc<Scripted> {
    Scripted::new(|_| vec![Step::Wait(Arc::new(Notify::new()))])
}

/// Requests for ghost text and for a menu, of which none is answered by the engine.
fn with_requests_under_way(engine: &Arc<Scripted>) -> Server {
    let home = Home::with_engine(engine.clone(), "popup = \"on\"");
    let mut server = Server::with_file_in(home, "let x = \n");
    let menu = json!({"textDocument": {"uri": FILE}, "position": {"line": 0, "character": 8}});
    server.ask("textDocument/completion", menu);
    engine_was_asked(engine, 1);
    server.ask(INLINE, ghost_params(0, 8));
    engine_was_asked(engine, 2);
    server
}

fn engine_was_asked(engine: &Arc<Scripted>, count: usize) {
    let asked = crate::harness::until(|| (engine.seen().requests.len() >= count).then_some(()));
    asked.expect("a request");
}

#[test]
fn an_input_that_ends_ends_a_server_that_waits_for_an_engine_and_all_is_answered() {
    let mut server = with_requests_under_way(&silent());
    server.close_stdin();
    let gone = Instant::now();
    assert_eq!(server.farewell().code, Some(1));
    // What the protocol promises, not a measurement.
    assert!(gone.elapsed() < Duration::from_secs(8), "{:?}", gone.elapsed());
}

#[test]
fn exit_ends_a_server_that_waits_for_an_engine_and_all_is_answered() {
    let mut server = with_requests_under_way(&silent());
    assert_eq!(server.leave().code, Some(0));
}

/// A server with a request under way whose output nobody reads after it has introduced itself.
fn unheard(engine: &Arc<Scripted>) -> Server {
    let home = Home::with_engine(engine.clone(), "");
    let mut server = Server::start_deaf(home, &[]);
    let id = server.ask("initialize", initialize_params(json!({})));
    server.hear(1);
    server.answer(id);
    server.notify("initialized", json!({}));
    server.open("let x = \n");
    server.ask(INLINE, ghost_params(0, 8));
    engine_was_asked(engine, 1);
    server
}

#[test]
fn an_editor_that_is_killed_takes_the_server_with_it() {
    let mut server = unheard(&silent());
    // Both pipes break, as the system breaks them.
    server.go_deaf();
    server.close_stdin();
    let gone = Instant::now();
    let farewell = server.farewell();
    assert_eq!(farewell.code, Some(1));
    assert!(gone.elapsed() < Duration::from_secs(8), "{:?}", gone.elapsed());
    assert!(!farewell.complaints.contains("panicked"), "{}", farewell.complaints);
}

#[test]
fn a_broken_output_ends_the_server_in_good_order_although_its_input_stays_open() {
    let mut server = unheard(&silent());
    server.go_deaf();
    // Whatever it says next finds nobody. It may have ended before all of this is written.
    server.try_send_raw(&frame(br#"{"jsonrpc":"2.0","id":"a","method":"no/such"}"#));
    let farewell = server.farewell();
    assert_eq!(farewell.code, Some(1));
    assert!(!farewell.complaints.contains("panicked"), "{}", farewell.complaints);
}

#[test]
fn a_client_that_does_not_read_may_go_on_writing_and_finds_all_current_afterwards() {
    let mut server = unheard(&Scripted::saying("1;"));
    // Some 3 MB of answers, for which no pipe has room, between changes.
    for number in 0..3_000 {
        server.ask("workspace/executeCommand", json!({"command": "tandem.status"}));
        if number % 3 == 0 {
            server.replace(8, 8, r#""a""#);
        }
    }
    server.hear(usize::MAX);
    let item = server.ghost(0, 1_008)[0].clone();
    let text = item["insertText"].as_str().expect("a suggestion");
    assert_eq!(text, format!("let x = {}1;", "a".repeat(1_000)));
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn a_client_that_never_reads_again_can_still_say_exit() {
    let mut server = unheard(&Scripted::saying("1;"));
    for _ in 0..1_000 {
        server.ask("workspace/executeCommand", json!({"command": "tandem.status"}));
    }
    server.ask("shutdown", Value::Null);
    server.notify("exit", Value::Null);
    // What it could not say any more is no fault of its.
    server.unheard();
    assert_eq!(server.farewell().code, Some(0));
}
