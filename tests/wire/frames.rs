//! Bytes that are not what they should be, and bytes that come as they like.

use serde_json::{Value, json};

use crate::harness::{Server, frame, initialize_params};

fn is_parse_error(message: &Value) -> bool {
    message["id"].is_null() && message["error"]["code"] == -32700
}

/// The bytes get a parse error, and the request behind them its answer.
#[track_caller]
fn check_is_refused(bytes: &[u8]) {
    let mut server = Server::with_file("let x = ");
    server.send_raw(bytes);
    server.wait_for("a parse error", is_parse_error);
    assert!(server.status()["requests"].is_u64());
    let farewell = server.leave();
    assert_eq!(farewell.code, Some(0));
    let errors = farewell.unasked.iter().filter(|m| m.get("error").is_some());
    assert_eq!(errors.count(), 0, "{:?}", farewell.unasked);
}

#[test]
fn a_body_that_is_no_json_gets_a_parse_error_and_the_session_lives() {
    check_is_refused(&frame(b"{\"jsonrpc\": \"2.0\", oops}"));
}

#[test]
fn a_body_that_is_not_utf_8_gets_a_parse_error_and_the_session_lives() {
    check_is_refused(&frame(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\"}"));
}

#[test]
fn a_length_that_is_no_number_gets_a_parse_error_and_the_session_lives() {
    check_is_refused(b"Content-Length: abc\r\n\r\n");
}

#[test]
fn a_negative_length_gets_a_parse_error_and_the_session_lives() {
    check_is_refused(b"Content-Length: -1\r\n\r\n");
}

#[test]
fn headers_without_a_length_get_a_parse_error_and_the_session_lives() {
    check_is_refused(b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n");
}

#[test]
fn a_length_of_ten_gigabytes_gets_a_parse_error_and_takes_no_memory() {
    let mut server = Server::with_file("let x = ");
    server.status();
    let before = resident_bytes(server.pid());
    server.send_raw(b"Content-Length: 10000000000\r\n\r\n");
    server.wait_for("a parse error", is_parse_error);
    server.status();
    let grown = resident_bytes(server.pid()).saturating_sub(before);
    assert!(grown < 50_000_000, "{grown} bytes");
    assert_eq!(server.leave().code, Some(0));
}

fn resident_bytes(process: u32) -> u64 {
    let pid = sysinfo::Pid::from_u32(process);
    let mut system = sysinfo::System::new().expect("a system");
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).expect("a process").memory()
}

#[test]
fn a_lone_surrogate_leaves_the_document_in_sync() {
    let mut server = Server::with_file("let x = ");
    server.replace(8, 8, r#""\ud83d""#);
    // Past the end this would be clamped; inside half a character it would be refused.
    server.replace(8, 9, r#""1;""#);
    assert_eq!(server.ghost(0, 10), json!([]));
    let farewell = server.leave();
    assert_eq!(farewell.code, Some(0));
    assert!(!farewell.complaints.contains("didChange"), "{}", farewell.complaints);
    let errors = farewell.unasked.iter().filter(|m| m.get("error").is_some());
    assert_eq!(errors.count(), 0, "{:?}", farewell.unasked);
}

#[test]
fn a_change_that_does_not_fit_is_complained_about_and_the_session_lives() {
    let mut server = Server::with_file("let x = ");
    server.replace(5, 2, r#""?""#);
    assert_eq!(server.ghost(0, 8), json!([]));
    let farewell = server.leave();
    assert!(farewell.complaints.contains("didChange"), "{}", farewell.complaints);
    assert_eq!(farewell.code, Some(0));
}

#[test]
fn a_session_may_come_one_byte_at_a_time() {
    let mut server = Server::start();
    let mut bytes = Vec::new();
    let messages = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params(json!({}))}),
        json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}),
        json!({"jsonrpc": "2.0", "id": "zwei", "method": "no/such🦀", "params": {}}),
        json!({"jsonrpc": "2.0", "id": 3, "method": "shutdown"}),
    ];
    for message in messages {
        bytes.extend(frame(message.to_string().as_bytes()));
    }
    for byte in &bytes {
        server.send_raw(std::slice::from_ref(byte));
    }
    assert!(server.answer(1)["result"]["capabilities"].is_object());
    let unknown = server.wait_for("the answer to zwei", |m| m["id"] == "zwei");
    assert_eq!(unknown["error"]["code"], -32601);
    assert_eq!(server.answer(3)["result"], Value::Null);
}

#[test]
fn a_thousand_requests_in_one_write_are_all_answered() {
    let mut server = Server::with_file("let x = ");
    let mut bytes = Vec::new();
    let ids: Vec<i64> = (0..1_000).map(|_| server.next_id()).collect();
    for id in &ids {
        let command = json!({"command": "tandem.status"});
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "workspace/executeCommand", "params": command});
        bytes.extend(frame(message.to_string().as_bytes()));
    }
    server.send_raw(&bytes);
    for id in ids {
        assert!(server.answer(id)["result"]["requests"].is_u64());
    }
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn headers_may_be_in_lower_case_and_more_than_one() {
    let mut server = Server::with_file("let x = ");
    let body = br#"{"jsonrpc":"2.0","id":"a","method":"no/such"}"#;
    let head = format!(
        "x-one: 1\r\ncontent-length: {}\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
        body.len()
    );
    server.send_raw(&[head.as_bytes(), body].concat());
    let answer = server.wait_for("an answer", |m| m["id"] == "a");
    assert_eq!(answer["error"]["code"], -32601);
}

#[test]
fn standard_output_carries_only_frames_however_much_is_logged() {
    let mut server = Server::start_in(crate::harness::Home::new(), &[("TANDEM_LOG", "debug")]);
    server.initialize(json!({"initializationOptions": {"no_such_setting": 1}}));
    server.open("let x = ");
    server.replace(5, 2, r#""?""#);
    server.send_raw(&frame(b"{oops}"));
    server.wait_for("a parse error", is_parse_error);
    server.ghost(0, 8);
    // The harness stops at the first byte that belongs to no frame.
    let farewell = server.leave();
    assert!(farewell.complaints.contains("didChange"), "nothing was logged");
}
