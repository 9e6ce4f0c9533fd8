//! The stand-in itself: it refuses what the real API refuses.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use tandem::ask::api::{self, ApiError};

use crate::api::{endpoint, question};
use crate::stand_in::{KEY, StandIn};

/// Sends what the client never would; the answer's head and body.
fn raw(stand_in: &StandIn, headers: &[(&str, &str)]) -> String {
    let host = stand_in.address.strip_prefix("http://").unwrap();
    let body = question().to_string();
    let mut request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // A character may be in two pieces, with a length between them.
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_stand_in_wants_one_credential_and_a_known_version() {
    let stand_in = StandIn::new([]);
    let json = ("content-type", "application/json");
    let version = ("anthropic-version", "2023-06-01");
    let bearer = format!("Bearer {KEY}");
    let (key, token) = (("x-api-key", KEY), ("authorization", bearer.as_str()));
    let new = ("anthropic-version", "2026-10-21");
    let old = ("anthropic-version", "2019-01-01");
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[json, version, key], "200 OK"),
        (&[json, new, token], "200 OK"),
        (&[json, version, key, token], "401 Unauthorized"),
        (&[json, version], "401 Unauthorized"),
        (&[json, version, ("x-api-key", "sk-ant-other")], "401 Unauthorized"),
        (&[json, key], "anthropic-version: header is required"),
        (&[json, old, key], "is not a valid version"),
        (&[version, key], "content-type"),
    ];
    for (headers, needed) in cases {
        let answer = raw(&stand_in, headers);
        assert!(answer.contains(needed), "{headers:?}: {answer}");
        let is_error = answer.contains(r#"{"error":{"message":"#) && answer.contains("request_id");
        assert_eq!(is_error, needed != "200 OK", "{answer}");
    }
}

#[tokio::test]
async fn the_stand_in_refuses_what_the_api_refuses() {
    let stand_in = StandIn::new([]);
    let mark = json!({"type": "ephemeral"});
    let marked = json!({"type": "text", "text": "x", "cache_control": mark});
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let cases = [
        ("temperature", json!(1.0), 400, "temperature: Extra inputs are not permitted"),
        ("top_p", json!(0.9), 400, "top_p"),
        ("top_k", json!(5), 400, "top_k"),
        ("prompt", json!("x"), 400, "prompt: Extra inputs"),
        ("model", Value::Null, 400, "model"),
        ("model", json!("claude-3-opus"), 404, "model: claude-3-opus"),
        ("max_tokens", json!(0), 400, "max_tokens"),
        ("max_tokens", json!(1_000_000), 400, "max_tokens"),
        ("stream", json!("yes"), 400, "stream"),
        (
            "thinking",
            json!({"type": "enabled", "budget_tokens": 2048}),
            400,
            "thinking.type.enabled",
        ),
        ("thinking", json!({"type": "adaptive", "budget_tokens": 2048}), 400, "thinking"),
        ("thinking", json!({"type": "adaptive", "display": "full"}), 400, "display"),
        ("output_config", json!({"effort": "extreme"}), 400, "effort"),
        ("output_config", json!({"verbosity": "low"}), 400, "verbosity"),
        ("tool_choice", json!({"type": "any"}), 400, "tool_choice"),
        ("tool_choice", json!({"type": "tool", "name": "x"}), 400, "tool_choice"),
        ("messages", json!([]), 400, "messages"),
        ("messages", json!([{"role": "robot", "content": "x"}]), 400, "role"),
        (
            "messages",
            json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]),
            400,
            "prefill",
        ),
        ("messages", user(json!("")), 400, "non-empty"),
        ("messages", user(json!([{"type": "text", "text": ""}])), 400, "non-empty"),
        (
            "messages",
            user(json!([{"type": "text", "text": "x", "path": "a.rs"}])),
            400,
            "path: Extra",
        ),
        ("messages", user(json!([marked, marked, marked, marked])), 400, "A maximum of 4"),
        ("system", json!([{"type": "text", "text": ""}]), 400, "non-empty"),
        (
            "system",
            json!([{"type": "text", "text": "x", "cache_control": {"type": "for ever"}}]),
            400,
            "ephemeral",
        ),
    ];
    for (field, value, status, needed) in cases {
        let mut body = question();
        body[field] = value;
        let sent = api::send(&endpoint(&stand_in), body.to_string().into(), |_| {}).await;
        let Err(ApiError::Refused(refused)) = sent else { panic!("{body}: {sent:?}") };
        assert_eq!(refused.status, status, "{body}");
        assert!(refused.message.contains(needed), "{body}: {}", refused.message);
    }
    for field in ["model", "max_tokens", "messages"] {
        let mut body = question();
        body.as_object_mut().unwrap().remove(field);
        let sent = api::send(&endpoint(&stand_in), body.to_string().into(), |_| {}).await;
        let Err(ApiError::Refused(refused)) = sent else { panic!("{body}: {sent:?}") };
        assert_eq!(refused.message, format!("{field}: Field required"));
    }
}

#[tokio::test]
async fn a_model_that_always_thinks_cannot_be_told_not_to() {
    let stand_in = StandIn::new([]);
    for (model, is_fine) in [("claude-sonnet-5-5", true), ("claude-opus-5-5", false)] {
        let mut body = question();
        body["model"] = json!(model);
        body["thinking"] = json!({"type": "disabled"});
        let sent = api::send(&endpoint(&stand_in), body.to_string().into(), |_| {}).await;
        assert_eq!(sent.is_ok(), is_fine, "{model}");
    }
}
