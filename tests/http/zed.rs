//! What Zed sends, and what it reads of the answer.
//!
//! `zed/request.json` is the body that Zed writes for `"prompt_format": "qwen"` and `"max_output_tokens": 64`,
//! key by key as in zed-industries/zed, crates/edit_prediction/src/fim.rs at commit 09512d2e88ed
//! (`format_fim_prompt`, `fim_stop_tokens`) and open_ai_compatible.rs beside it at 0fd68c5e45b0
//! (`send_custom_server_request`): whole lines around the cursor, no path, no temperature.

use serde::Deserialize;
use serde_json::{Value, json};
use tandem::engine::scripted::Scripted;

use crate::harness::{Server, in_time, prompt, read, silent};

const REQUEST: &str = include_str!("zed/request.json");

/// `RawCompletionResponse`: a key that is missing is an error there.
#[derive(Deserialize)]
#[allow(dead_code)]
struct ReadByZed {
    id: String,
    object: String,
    created: u64,
    model: String,
    choices: Vec<Choice>,
    usage: Usage,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Choice {
    text: String,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

#[tokio::test]
async fn the_request_that_zed_sends_gets_the_suggestion_in_the_shape_that_it_reads() {
    let engine = Scripted::saying("or_insert(0) += 1;\n");
    let server = Server::start(engine.clone()).await;
    let reply = server.send(&server.request(&[], REQUEST.as_bytes())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let read: ReadByZed = serde_json::from_str(&reply.body).expect("what Zed reads");
    assert_eq!(read.choices[0].text, "or_insert(0) += 1;");
    assert_eq!((read.object.as_str(), read.model.as_str()), ("text_completion", "scripted"));
    let prompt = &engine.seen().requests[0].prompt;
    assert!(prompt.middle.ends_with("*counts.entry(word)."), "{prompt:?}");
    assert!(prompt.suffix.starts_with("\n    }\n    counts\n}\n"), "{prompt:?}");
    let marks = format!("{}{}{}", prompt.prefix, prompt.middle, prompt.suffix).contains("<|");
    assert!(!marks, "{prompt:?}");
}

#[tokio::test]
async fn typing_along_a_suggestion_runs_no_model() {
    let engine = Scripted::saying("compute(input);\n");
    let server = Server::start(engine.clone()).await;
    let text = |typed: &str| format!("fn main() {{\n    let value = {typed}$0\n}}\n");
    assert_eq!(server.complete(&text("")).await, "compute(input);");
    for typed in ["c", "com", "compute(in"] {
        let rest = &"compute(input);"[typed.len()..];
        assert_eq!(server.complete(&text(typed)).await, rest);
    }
    assert_eq!(engine.seen().requests.len(), 1);
    assert_eq!(server.complete(&text("d")).await, "compute(input);");
    assert_eq!(engine.seen().requests.len(), 2);
}

#[tokio::test]
async fn a_window_that_moves_with_the_cursor_is_still_typed_along() {
    let engine = Scripted::saying("compute(input);\n");
    let server = Server::start(engine.clone()).await;
    let lines: Vec<String> = (0..40).map(|i| format!("    let line_{i} = {i};\n")).collect();
    let window = |from: usize, typed: &str| {
        format!("{}    let value = {typed}$0\n{}", lines[from..20].concat(), lines[20..].concat())
    };
    assert_eq!(server.complete(&window(0, "")).await, "compute(input);");
    assert_eq!(server.complete(&window(4, "comp")).await, "ute(input);");
    assert_eq!(engine.seen().requests.len(), 1);
}

#[tokio::test]
async fn a_suggestion_only_inserts_and_leaves_closers_where_they_stand() {
    let server = Server::start(Scripted::saying("a, b);\n")).await;
    assert_eq!(server.complete("fn main() {\n    add($0)\n}\n").await, "a, b");
}

#[tokio::test]
async fn closing_the_connection_cancels_the_work() {
    let engine = silent();
    let server = Server::start(engine.clone()).await;
    let stream = server.begin(&server.request(&[], REQUEST.as_bytes())).await;
    in_time(engine.asked(1)).await;
    assert_eq!(engine.seen().cancelled, 0);
    drop(stream);
    in_time(engine.cancelled(1)).await;
}

#[tokio::test]
async fn a_newer_request_of_the_same_text_supersedes_the_older_one() {
    let engine = silent();
    let server = Server::start(engine.clone()).await;
    let request = |text: &str| {
        let body = json!({"prompt": prompt(text)}).to_string();
        server.request(&[], body.as_bytes())
    };
    let older = server.begin(&request("fn main() {\n    let a$0\n}\n")).await;
    let other =
        server.begin(&request("class Other:\n    name = $0\n\nclass Further: pass\n")).await;
    in_time(engine.asked(2)).await;
    let newer = server.begin(&request("fn main() {\n    let ab$0\n}\n")).await;
    assert_eq!(read(older).await.text(), "");
    in_time(engine.asked(3)).await;
    assert_eq!(engine.seen().cancelled, 1, "another text's request goes on");
    drop((newer, other));
    in_time(engine.cancelled(3)).await;
}

#[tokio::test]
async fn max_tokens_and_stop_shorten_an_answer_and_none_is_asked_for_with_zero() {
    let engine = Scripted::saying("one(two, three);\n");
    let server = Server::start(engine.clone()).await;
    let with = |extra: Value| {
        let mut body = json!({"prompt": prompt("fn main() {\n    let value = $0\n}\n")});
        body.as_object_mut().expect("an object").extend(extra.as_object().expect("one").clone());
        server.post(body)
    };
    assert_eq!(with(json!({"max_tokens": 0})).await.text(), "");
    assert_eq!(engine.seen().requests.len(), 0);
    assert_eq!(with(json!({"max_tokens": 3, "stop": [",", ")"]})).await.text(), "one(two");
    assert_eq!(engine.seen().requests[0].max_tokens, 3);
}

#[tokio::test]
async fn other_clients_get_a_suffix_of_its_own_and_an_answer_as_events() {
    let engine = Scripted::saying("1;\n");
    let server = Server::start(engine.clone()).await;
    let body = json!({"prompt": "let x = ", "suffix": "\nlet y = 2;\n", "stream": true});
    let reply = server.post(body).await;
    assert_eq!(reply.status, 200);
    let events: Vec<&str> = reply.body.split("\n\n").filter(|it| it.contains("data: ")).collect();
    assert_eq!(events.len(), 3, "{}", reply.body);
    assert!(events[0].contains(r#""text":"1;""#), "{}", events[0]);
    assert!(events[1].contains(r#""finish_reason":"stop""#), "{}", events[1]);
    assert!(events[2].ends_with("data: [DONE]"), "{}", events[2]);
    assert_eq!(engine.seen().requests[0].prompt.suffix, "\nlet y = 2;\n");
}

#[test]
fn the_extension_and_its_page_name_the_port_that_is_the_default() {
    let extension = include_str!("../../editors/zed/src/start.rs");
    assert!(extension.contains(&format!("{:?}", tandem::http::DEFAULT)));
    let page = include_str!("../../editors/zed/README.md");
    assert!(page.contains(&format!("\"http://{}/v1/completions\"", tandem::http::DEFAULT)));
}
