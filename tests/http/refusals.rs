//! Who gets no answer, and what they are told.

use serde_json::json;
use tandem::engine::State;
use tandem::engine::scripted::Scripted;

use crate::harness::{Server, in_time, prompt, read, silent};

const BODY: &[u8] = br#"{"prompt": "let x = "}"#;

#[tokio::test]
async fn browsers_and_other_hosts_get_no_answer() {
    let engine = Scripted::saying("1;\n");
    let server = Server::start(engine.clone()).await;
    let port = server.address.port();
    let evil = format!("Host: evil.example:{port}");
    for headers in [
        ["Origin: https://evil.example"].as_slice(),
        &["Origin: null"],
        &["Sec-Fetch-Site: cross-site"],
        &[evil.as_str()],
        &["Host: 127.0.0.1"],
    ] {
        let reply = server.send(&server.request(headers, BODY)).await;
        assert_eq!(reply.status, 403, "{headers:?}: {}", reply.body);
        assert!(reply.problem().starts_with("tandem: "), "{}", reply.body);
    }
    assert_eq!(engine.seen().requests.len(), 0);
    let localhost = format!("Host: localhost:{port}");
    assert_eq!(server.send(&server.request(&[&localhost], BODY)).await.text(), "1;");
}

#[tokio::test]
async fn with_a_token_only_those_who_have_it_get_answers() {
    let server = Server::start_with(Scripted::saying("1;\n"), Some("s3cret")).await;
    for headers in [[].as_slice(), &["Authorization: Bearer s3cre"], &["Authorization: s3cret"]] {
        let reply = server.send(&server.request(headers, BODY)).await;
        assert_eq!(
            (reply.status, reply.json()["error"]["code"].clone()),
            (401, "invalid_api_key".into())
        );
        assert!(!reply.body.contains("s3cre"), "{}", reply.body);
    }
    let with = server.request(&["Authorization: Bearer s3cret"], BODY);
    assert_eq!(server.send(&with).await.text(), "1;");
}

#[tokio::test]
async fn what_is_no_request_is_told_so_in_openais_shape() {
    let server = Server::start(Scripted::saying("1;\n")).await;
    for (body, status) in [
        (b"no json".to_vec(), 400),
        (b"{}".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (vec![b' '; (1 << 20) + 1], 413),
    ] {
        let reply = server.send(&server.request(&[], &body)).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        assert!(!reply.problem().is_empty());
    }
    let host = server.address;
    for line in ["GET /", "GET /v1/completions", "POST /v1/chat/completions", "DELETE /v1/models"] {
        let bytes = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = server.send(bytes.as_bytes()).await;
        assert_eq!(
            (reply.status, reply.json()["error"]["code"].clone()),
            (404, "not_found".into())
        );
    }
    assert_eq!(server.post(json!({"prompt": "let x = "})).await.text(), "1;", "and it goes on");
}

#[tokio::test]
async fn the_models_are_the_one_and_health_is_the_engines() {
    let engine = Scripted::saying("");
    let server = Server::start(engine.clone()).await;
    let host = server.address;
    let get = async |path: &str| {
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        server.send(bytes.as_bytes()).await
    };
    let models = get("/v1/models").await.json();
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("scripted")));
    assert_eq!(get("/health").await.status, 200);
    engine.set_state(State::Failed { message: "no model".into() });
    assert_eq!(get("/health").await.status, 503);
}

#[tokio::test]
async fn an_engine_that_cannot_work_says_why() {
    let engine = Scripted::new(|_| vec![tandem::engine::scripted::Step::Fail("broken".into())]);
    engine
        .set_state(State::Failed { message: "there is no model: run `tandem model pull`".into() });
    let server = Server::start(engine).await;
    let reply = server.post(json!({"prompt": "let x = "})).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.problem(), "tandem: there is no model: run `tandem model pull`");
}

#[tokio::test]
async fn more_at_once_than_a_person_causes_is_refused() {
    let engine = silent();
    let server = Server::start(engine.clone()).await;
    let mut streams = Vec::new();
    for i in 0..8 {
        let text = format!("{}\nlet value_{i} = $0\n", i.to_string().repeat(50));
        let body = json!({"prompt": prompt(&text)}).to_string();
        streams.push(server.begin(&server.request(&[], body.as_bytes())).await);
    }
    in_time(engine.asked(8)).await;
    assert_eq!(server.post(json!({"prompt": "let x = "})).await.status, 429);
    drop(streams);
    in_time(engine.cancelled(8)).await;
    let body = json!({"prompt": "let x = "}).to_string();
    let later = server.begin(&server.request(&[], body.as_bytes())).await;
    in_time(engine.asked(9)).await;
    drop(later);
}

#[tokio::test]
async fn half_a_request_holds_nobody_up() {
    let server = Server::start(Scripted::saying("1;\n")).await;
    let half = server.begin(b"POST /v1/completions HTTP/1.1\r\nHost: ").await;
    assert_eq!(server.post(json!({"prompt": "let x = "})).await.text(), "1;");
    drop(half);
    let garbage = server.begin(b"\x16\x03\x01\x02\x00\x01\r\n\r\n").await;
    assert_eq!(read(garbage).await.status, 400);
}
