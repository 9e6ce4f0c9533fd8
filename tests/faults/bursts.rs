//! More requests than anyone waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tandem::engine::scripted::{Scripted, Step};
use tokio::sync::Notify;

use crate::harness::{Home, INLINE, Server, ghost_params, until};

#[test]
fn of_five_hundred_requests_that_are_each_cancelled_none_is_still_worked_on() {
    let engine = Scripted::new(|_| vec![Step::Wait(Arc::new(Notify::new()))]);
    let home = Home::with_engine(engine.clone(), "[completion]\nahead = false");
    let mut server = Server::with_file_in(home, "let x = \n");
    let mut ids = Vec::new();
    for number in 0..500 {
        let id = server.ask(INLINE, ghost_params(0, 8));
        // One has begun before it is cancelled, for certain.
        if number == 0 {
            until(|| (!engine.seen().requests.is_empty()).then_some(())).expect("a request");
        }
        server.notify("$/cancelRequest", json!({"id": id}));
        ids.push(id);
    }
    for id in ids {
        let answer = server.answer(id);
        assert!(answer["error"]["code"] == -32800 || answer["result"] == Value::Null, "{answer}");
    }
    let idle = until(|| {
        let seen = engine.seen();
        (seen.cancelled + seen.finished == seen.requests.len()).then_some(seen.requests.len())
    });
    assert!(idle.expect("an engine that is idle") > 0, "the engine was never asked");
    server.lives();
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn a_request_in_each_of_two_hundred_documents_does_not_keep_the_server_from_listening() {
    let engine = Scripted::new(|_| vec![Step::Wait(Arc::new(Notify::new()))]);
    let home = Home::with_engine(engine.clone(), "[completion]\nahead = false");
    let mut server = Server::with_file_in(home, "let x = \n");
    let mut ids = Vec::new();
    for number in 0..200 {
        let uri = format!("file:///{number}.rs");
        let document =
            json!({"uri": uri, "languageId": "rust", "version": 1, "text": "let x = \n"});
        server.notify("textDocument/didOpen", json!({"textDocument": document}));
        let mut params = ghost_params(0, 8);
        params["textDocument"]["uri"] = json!(uri);
        ids.push(server.ask(INLINE, params));
    }
    server.lives();
    for id in ids {
        server.notify("$/cancelRequest", json!({"id": id}));
        assert_eq!(server.answer(id)["error"]["code"], -32800);
    }
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn a_change_while_a_suggestion_is_made_lets_nothing_stale_through() {
    let (go, asked) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (wait, count) = (go.clone(), asked.clone());
    let engine = Scripted::new(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => vec![Step::Text("stale".into()), Step::Wait(wait.clone()), Step::Text(";\n".into())],
        _ => vec![Step::Text("fresh;\n".into())],
    });
    let home = Home::with_engine(engine, "[completion]\nahead = false");
    let mut server = Server::with_file_in(home, "let x = \n");
    let first = server.ask(INLINE, ghost_params(0, 8));
    until(|| (asked.load(Ordering::Relaxed) > 0).then_some(())).expect("a request");
    server.replace(4, 5, r#""other""#);
    assert_eq!(server.answer(first)["result"], Value::Null);
    go.notify_one();
    let ghost = server.ghost(0, 12);
    assert_eq!(ghost[0]["insertText"], "let other = fresh;", "{ghost}");
    assert_eq!(server.leave().code, Some(0));
}
