//! How a session begins and ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{FILE, INLINE, Server, ghost_params};

#[test]
fn a_request_before_initialize_is_told_so_and_initialize_still_works() {
    let mut server = Server::start();
    assert_eq!(server.request(INLINE, ghost_params(0, 0))["error"]["code"], -32002);
    assert_eq!(server.request("no/such", json!({}))["error"]["code"], -32002);
    assert!(server.initialize(json!({}))["capabilities"].is_object());
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn an_unknown_method_is_named_unknown_and_the_session_lives() {
    let mut server = Server::with_file("let x = ");
    assert_eq!(server.request("textDocument/noSuch", json!({}))["error"]["code"], -32601);
    server.notify("$/noSuch", json!({}));
    assert_eq!(server.ghost(0, 8), json!([]));
}

#[test]
fn requests_after_shutdown_are_invalid() {
    let mut server = Server::with_file("let x = ");
    assert_eq!(server.request("shutdown", Value::Null)["result"], Value::Null);
    assert_eq!(server.request(INLINE, ghost_params(0, 8))["error"]["code"], -32600);
    assert_eq!(server.request("no/such", json!({}))["error"]["code"], -32600);
    server.notify("exit", Value::Null);
    assert_eq!(server.farewell().code, Some(0));
}

#[test]
fn exit_after_shutdown_ends_the_process_with_0_although_its_input_stays_open() {
    let mut server = Server::with_file("let x = ");
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn exit_cuts_no_frame_in_half() {
    // The message that there is no model is written while the session ends, now and then.
    for _ in 0..40 {
        let mut server = Server::with_file("let x = ");
        assert_eq!(server.leave().code, Some(0));
    }
}

#[test]
fn exit_without_shutdown_ends_the_process_with_1_although_its_input_stays_open() {
    let mut server = Server::with_file("let x = ");
    server.notify("exit", Value::Null);
    assert_eq!(server.farewell().code, Some(1));
}

#[test]
fn exit_before_initialize_ends_the_process_with_1() {
    let mut server = Server::start();
    server.notify("exit", Value::Null);
    assert_eq!(server.farewell().code, Some(1));
}

#[test]
fn the_end_of_the_input_ends_the_process() {
    let mut server = Server::with_file("let x = ");
    server.close_stdin();
    assert_eq!(server.farewell().code, Some(1));
}

#[test]
fn the_end_of_the_editors_process_ends_the_server_although_its_input_stays_open() {
    let mut editor = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat runs");
    let mut server = Server::start();
    server.initialize(json!({"processId": editor.id()}));
    server.open("let x = ");
    assert_eq!(server.ghost(0, 8), json!([]));
    editor.kill().expect("a child");
    editor.wait().expect("a child");
    let gone = Instant::now();
    assert_eq!(server.farewell().code, Some(1));
    // What the protocol promises, not a measurement.
    assert!(gone.elapsed() < Duration::from_secs(5), "{:?}", gone.elapsed());
}

#[test]
fn a_server_that_nobody_speaks_to_any_more_leaves_no_answer_out() {
    let mut server = Server::with_file("let x = ");
    let id = server.next_id();
    let params = json!({"textDocument": {"uri": FILE}, "position": {"line": 0, "character": 8}});
    server.send(&json!({"jsonrpc": "2.0", "id": id, "method": INLINE, "params": params}));
    server.close_stdin();
    assert_eq!(server.answer(id)["result"], json!([]));
    assert_eq!(server.farewell().code, Some(1));
}
