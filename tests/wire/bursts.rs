//! Many requests, odd requests: each gets one answer.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::{FILE, INLINE, Server, frame, ghost_params};

#[test]
fn a_position_past_the_end_gets_an_answer() {
    let mut server = Server::with_file("let x = ");
    for (line, character) in [(0, 4_000_000_000), (4_000_000_000, 0), (1 << 31, 1 << 31)] {
        assert_eq!(server.ghost(line, character), json!([]));
    }
    let negative = json!({"textDocument": {"uri": FILE}, "position": {"line": -1, "character": 0}});
    assert_eq!(server.request(INLINE, negative)["error"]["code"], -32602);
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn requests_cancelled_at_once_are_all_answered_exactly_once() {
    let mut server = Server::with_file("let x = ");
    let ids: Vec<i64> = (0..500).map(|_| server.next_id()).collect();
    let mut bytes = Vec::new();
    for id in &ids {
        let params = ghost_params(0, 8);
        let request = json!({"jsonrpc": "2.0", "id": id, "method": INLINE, "params": params});
        let cancel = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}});
        bytes.extend(frame(request.to_string().as_bytes()));
        bytes.extend(frame(cancel.to_string().as_bytes()));
    }
    server.send_raw(&bytes);
    let mut answers: HashMap<i64, u32> = HashMap::new();
    for &id in &ids {
        let answer = server.answer(id);
        let cancelled = answer["error"]["code"] == -32800;
        assert!(cancelled || answer["result"] == json!([]) || answer["result"] == Value::Null);
        *answers.entry(id).or_default() += 1;
    }
    let farewell = server.leave();
    assert_eq!(farewell.code, Some(0));
    for id in farewell.unasked.iter().filter_map(|m| m["id"].as_i64()) {
        *answers.entry(id).or_default() += 1;
    }
    assert_eq!(answers, ids.into_iter().map(|id| (id, 1)).collect());
}
