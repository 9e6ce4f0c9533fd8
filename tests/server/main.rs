//! The whole server in this process on a scripted engine: protocol, order, cancelling, settings.

mod accepts;
mod candidates;
mod harness;
mod journal;
mod popup;
mod status;

use std::sync::Arc;

use harness::{Editor, FILE};
use serde_json::{Value, json};
use tandem::engine::State;
use tandem::engine::scripted::{Scripted, Step};
use tokio::sync::Notify;

/// An engine that says nothing until it is dropped.
fn silent() -> Arc<Scripted> {
    Scripted::new(|_| vec![Step::Wait(Arc::new(Notify::new()))])
}

#[tokio::test]
async fn ghost_text_is_advertised_and_the_popup_only_where_there_is_none() {
    let mut editor = Editor::start(Scripted::saying(""));
    let result = editor.initialize(json!({})).await;
    let capabilities = &result["capabilities"];
    assert!(capabilities["inlineCompletionProvider"].is_object());
    assert!(capabilities["completionProvider"].is_null());
    assert_eq!(capabilities["textDocumentSync"]["change"], 2);
    assert_eq!(capabilities["positionEncoding"], "utf-16");

    let mut helix = Editor::start(Scripted::saying(""));
    let general = json!({"general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]}});
    let result = helix.initialize(json!({"capabilities": general})).await;
    assert!(result["capabilities"]["completionProvider"].is_object());
    assert_eq!(result["capabilities"]["positionEncoding"], "utf-8");

    let mut zed = Editor::start(Scripted::saying(""));
    let zed_says = json!({"capabilities": {}, "clientInfo": {"name": "Zed Dev"}});
    assert!(zed.initialize(zed_says).await["capabilities"]["completionProvider"].is_null());
}

#[tokio::test]
async fn an_item_replaces_the_line_up_to_the_cursor_and_its_command_is_known() {
    let mut editor = Editor::with_file(Scripted::saying("1;\n"), "    let x = \n").await;
    let id = editor.ask_ghost(0, 12).await;
    let item = editor.answer(id).await["result"][0].clone();
    assert_eq!(item["insertText"], "    let x = 1;");
    assert_eq!(item["filterText"], "    let x = 1;");
    assert_eq!(
        item["range"],
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 12}})
    );
    let command = item["command"]["command"].clone();
    assert_eq!(command, "tandem.accept");
    // Some clients leave the arguments out, others send null.
    for params in [json!({"command": command}), json!({"command": command, "arguments": null})] {
        let answer = editor.request("workspace/executeCommand", params).await;
        assert!(answer.get("error").is_none());
    }
    assert_eq!(editor.status().await["accepted"], 0, "the document's change is what counts");
}

#[tokio::test]
async fn positions_count_in_the_negotiated_units() {
    for (encoding, columns) in [("utf-8", 14), ("utf-16", 11), ("utf-32", 10)] {
        let mut editor = Editor::start(Scripted::saying("1;"));
        let general = json!({"general": {"positionEncodings": [encoding]}});
        editor.initialize(json!({"capabilities": general})).await;
        editor.open(FILE, "rust", "let 🦀aé = \n").await;
        let id = editor.ask_ghost(0, columns).await;
        let item = editor.answer(id).await["result"][0].clone();
        assert_eq!(item["insertText"], "let 🦀aé = 1;", "{encoding}");
        assert_eq!(item["range"]["end"]["character"], columns, "{encoding}");
    }
}

#[tokio::test]
async fn a_request_sees_the_text_as_it_was_when_it_arrived() {
    let engine = Scripted::saying("x");
    let mut editor = Editor::with_file(engine.clone(), "\n").await;
    for i in 0..200 {
        editor.insert(0, i, "a").await;
    }
    let id = editor.ask_ghost(0, 200).await;
    editor.insert(0, 200, "b").await;
    editor.answer(id).await;
    assert_eq!(editor.ghost(0, 201).await, Some(vec![format!("{}bx", "a".repeat(200))]));
    let seen = engine.seen();
    let middle = &seen.requests.last().expect("a request").prompt.middle;
    assert_eq!(*middle, format!("{}b", "a".repeat(200)));
}

#[tokio::test]
async fn a_superseded_request_is_answered_at_once_and_frees_the_engine() {
    let engine = silent();
    let mut editor = Editor::with_file(engine.clone(), "let x\n").await;
    let first = editor.ask_ghost(0, 5).await;
    engine.asked(1).await;
    let second = editor.ask_ghost(0, 5).await;
    assert_eq!(editor.answer(first).await["result"], Value::Null);
    engine.cancelled(1).await;
    engine.asked(2).await;
    editor.insert(0, 5, "y").await;
    assert_eq!(editor.answer(second).await["result"], Value::Null);
    engine.cancelled(2).await;
}

#[tokio::test]
async fn a_cancelled_request_frees_the_engine() {
    let engine = silent();
    let mut editor = Editor::with_file(engine.clone(), "let x\n").await;
    let id = editor.ask_ghost(0, 5).await;
    engine.asked(1).await;
    editor.notify("$/cancelRequest", json!({"id": id})).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32800);
    engine.cancelled(1).await;
    assert_eq!(editor.status().await["cancelled"], 1);
}

#[tokio::test]
async fn every_request_of_a_burst_is_answered_once() {
    let mut editor = Editor::with_file(Scripted::saying("x"), "\n").await;
    let mut ids = Vec::new();
    for i in 0..300 {
        editor.insert(0, i, "a").await;
        ids.push(editor.ask_ghost(0, i + 1).await);
    }
    for id in &ids {
        editor.answer(*id).await;
    }
    editor.status().await;
    assert_eq!(editor.kept(|m| m.get("method").is_none()), 0, "answers that nobody asked for");
}

#[tokio::test]
async fn typing_along_and_going_back_are_answered_without_the_model() {
    let mut editor = Editor::with_file(Scripted::saying(" = 1;\n"), "let x\n").await;
    assert_eq!(editor.ghost(0, 5).await, Some(vec!["let x = 1;".into()]));
    for (column, typed) in [(5, " "), (6, "="), (7, " ")] {
        editor.insert(0, column, typed).await;
        assert_eq!(editor.ghost(0, column + 1).await, Some(vec!["let x = 1;".into()]));
    }
    editor.replace((0, 7), (0, 8), "").await;
    assert_eq!(editor.ghost(0, 7).await, Some(vec!["let x = 1;".into()]));
    let status = editor.status().await;
    assert_eq!((&status["requests"], &status["answered_without_model"]), (&json!(5), &json!(4)));
}

#[tokio::test]
async fn a_suggestion_goes_on_from_the_popups_selected_entry() {
    let engine = Scripted::saying("(a);\n");
    let mut editor = Editor::with_file(engine.clone(), "    com\n").await;
    let range = json!({"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 7}});
    let params = json!({
        "textDocument": {"uri": FILE},
        "position": {"line": 0, "character": 7},
        "context": {
            "triggerKind": 2,
            "selectedCompletionInfo": {"range": range, "text": "compute"},
        },
    });
    let answer = editor.request("textDocument/inlineCompletion", params).await;
    let item = &answer["result"][0];
    assert_eq!((&item["insertText"], &item["range"]), (&json!("compute(a);"), &range));
    assert_eq!(engine.seen().requests[0].prompt.middle, "    compute");
}

#[tokio::test]
async fn inserted_text_has_the_files_own_line_ends() {
    let engine = Scripted::saying("\n    1\n}\n\nfn next() {\n");
    let mut editor = Editor::with_file(engine, "fn a() {\r\n\r\nfn b() {}\r\n").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["fn a() {\r\n    1\r\n}".into()]));
}

#[tokio::test]
async fn a_position_past_the_end_is_clamped() {
    let mut editor = Editor::with_file(Scripted::saying("1;"), "let x = ").await;
    assert_eq!(editor.ghost(0, 9_999).await, Some(vec!["let x = 1;".into()]));
    assert_eq!(editor.ghost(9_999, 0).await, Some(vec!["let x = 1;".into()]));
}

#[tokio::test]
async fn a_document_that_lost_sync_is_silent_until_it_is_whole_again() {
    let mut editor = Editor::with_file(Scripted::saying("1;"), "let x = ").await;
    editor.replace((7, 0), (3, 0), "?").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    editor.open(FILE, "rust", "let x = ").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".into()]));
}

#[tokio::test]
async fn closed_unknown_and_binary_documents_get_no_suggestions() {
    let mut editor = Editor::with_file(Scripted::saying("1;"), "let \0x = ").await;
    assert_eq!(editor.ghost(0, 9).await, Some(vec![]));
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": FILE}})).await;
    assert_eq!(editor.ghost(0, 1).await, Some(vec![]));
}

#[tokio::test]
async fn the_protocols_errors_are_answered_and_the_session_lives() {
    let mut editor = Editor::start(Scripted::saying("1;"));
    let early = editor.request("textDocument/inlineCompletion", json!({})).await;
    assert_eq!(early["error"]["code"], -32002);
    editor.initialize(json!({})).await;
    editor.send_raw(b"Content-Length: 3\r\n\r\n{x}").await;
    assert_eq!(
        editor.wait_for(|m| m["id"].is_null() && m.get("error").is_some()).await["error"]["code"],
        -32700
    );
    assert_eq!(editor.request("no/such", json!({})).await["error"]["code"], -32601);
    assert_eq!(
        editor.request("textDocument/inlineCompletion", json!({})).await["error"]["code"],
        -32602
    );
    let unknown = json!({"command": "tandem.nothing"});
    assert_eq!(editor.request("workspace/executeCommand", unknown).await["error"]["code"], -32602);
    editor.open(FILE, "rust", "let x = ").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".into()]));
    assert_eq!(editor.request("shutdown", Value::Null).await["result"], Value::Null);
    assert_eq!(editor.request("no/such", json!({})).await["error"]["code"], -32600);
    assert_eq!(editor.exit_code(true).await, 0);
}

#[tokio::test]
async fn leaving_without_shutdown_is_exit_code_one() {
    let editor = Editor::with_file(Scripted::saying(""), "").await;
    assert_eq!(editor.exit_code(true).await, 1);
    let editor = Editor::with_file(Scripted::saying(""), "").await;
    assert_eq!(editor.exit_code(false).await, 1);
}

#[tokio::test]
async fn unknown_settings_are_named_once_and_known_ones_work() {
    let mut editor = Editor::start(Scripted::saying("1;"));
    let options = json!({"disabled_languages": ["rust"], "colour": "red", "model_path": "/evil"});
    editor.initialize(json!({"initializationOptions": options})).await;
    let mut said = [
        editor.told("window/showMessage").await["message"].clone(),
        editor.told("window/showMessage").await["message"].clone(),
    ];
    said.sort_by_key(ToString::to_string);
    assert_eq!(
        said[0],
        "tandem: initializationOptions: `model_path` is ignored here; only your own config.toml may set it"
    );
    assert_eq!(said[1], "tandem: initializationOptions: unknown setting `colour`");
    editor.open(FILE, "rust", "let x = ").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    let settings = json!({"settings": {"tandem": {"disabled_languages": []}}});
    editor.notify("workspace/didChangeConfiguration", settings).await;
    editor.status().await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".into()]));
    assert_eq!(editor.kept(|m| m["method"] == "window/showMessage"), 0);
}

#[tokio::test]
async fn the_client_is_asked_for_its_settings() {
    let mut editor = Editor::start(Scripted::saying("1;"));
    let workspace = json!({"workspace": {"configuration": true}});
    editor.initialize(json!({"capabilities": workspace})).await;
    let asked = editor.wait_for(|m| m["method"] == "workspace/configuration").await;
    assert_eq!(asked["params"]["items"][0]["section"], "tandem");
    editor.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": [{"bogus": 1}]})).await;
    let said = editor.told("window/showMessage").await;
    assert_eq!(said["message"], "tandem: workspace/configuration: unknown setting `bogus`");
}

#[tokio::test]
async fn toggling_stops_and_starts_completions() {
    let engine = Scripted::saying("1;");
    let mut editor = Editor::with_file(engine.clone(), "let x = ").await;
    let toggle = json!({"command": "tandem.toggle"});
    let off = editor.request("workspace/executeCommand", toggle.clone()).await;
    assert_eq!(off["result"]["enabled"], false);
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    assert_eq!(engine.seen().requests.len(), 0);
    editor.request("workspace/executeCommand", toggle).await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".into()]));
}

#[tokio::test]
async fn loading_is_shown_as_progress_and_trouble_is_said_once() {
    let engine = Scripted::new(|_| vec![Step::Fail("broken".into())]);
    engine.set_state(State::Loading { fraction: 0.0 });
    let mut editor = Editor::start(engine.clone());
    let window = json!({"window": {"workDoneProgress": true}});
    editor.initialize(json!({"capabilities": window})).await;
    let create = editor.wait_for(|m| m["method"] == "window/workDoneProgress/create").await;
    editor.send(json!({"jsonrpc": "2.0", "id": create["id"], "result": null})).await;
    assert_eq!(editor.told("$/progress").await["value"]["kind"], "begin");
    engine.set_state(State::Loading { fraction: 0.5 });
    assert_eq!(editor.told("$/progress").await["value"]["percentage"], 50);
    engine.set_state(State::Failed { message: "the model is broken".into() });
    assert_eq!(editor.told("$/progress").await["value"]["kind"], "end");
    let said = editor.told("window/showMessage").await;
    assert_eq!(said["message"], "tandem: the model is broken");
    editor.open(FILE, "rust", "let x = ").await;
    engine.set_state(State::Failed { message: "the model is broken".into() });
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    editor.status().await;
    assert_eq!(editor.kept(|m| m["method"] == "window/showMessage"), 0);
}

#[tokio::test]
async fn the_status_says_what_was_done() {
    let mut editor = Editor::with_file(Scripted::saying("1;"), "let x = ").await;
    editor.ghost(0, 8).await;
    let status = editor.status().await;
    assert_eq!(status["model"], "scripted");
    assert_eq!(status["engine"]["state"], "ready");
    assert!(status["engine"]["pid"].is_u64());
    assert_eq!((&status["requests"], &status["tokens_evaluated"]), (&json!(1), &json!(1)));
    for field in ["answered_without_model", "tokens_generated", "cancelled"] {
        assert!(status[field].is_u64(), "{field}");
    }
    assert!(status["latency_ms"]["p50"].is_f64() && status["latency_ms"]["p95"].is_f64());
}

#[tokio::test]
async fn a_model_that_cannot_be_pulled_is_told_and_the_command_returns_at_once() {
    let mut editor = Editor::with_file(Scripted::saying(""), "").await;
    let pull = json!({"command": "tandem.pull"});
    let answer = editor.request("workspace/executeCommand", pull).await;
    assert!(answer.get("error").is_none());
    let said = editor.told("window/showMessage").await;
    assert_eq!(said["message"], "tandem: there is no folder for models");
}

/// A server that has read a folder with one file, which defines `sell`.
async fn in_workspace(
    engine: Arc<Scripted>,
    options: Value,
) -> (tempfile::TempDir, Editor, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shop.rs"), "pub fn sell(price: u32) {}\n").expect("a file");
    let uri = format!("file://{}", folder.path().display());
    let mut editor = Editor::start(engine);
    let folders = json!([{"uri": uri, "name": "shop"}]);
    editor.initialize(json!({"workspaceFolders": folders, "initializationOptions": options})).await;
    (folder, editor, uri)
}

/// Waits until the server says that it knows this of its workspace.
async fn until_workspace_is(editor: &mut Editor, wanted: Value) {
    let asked = async { while editor.status().await["workspace"] != wanted {} };
    let soon = std::time::Duration::from_secs(60);
    tokio::time::timeout(soon, asked).await.expect("the workspace is read");
}

#[cfg(unix)]
#[tokio::test]
async fn the_model_is_told_what_other_files_of_the_workspace_define() {
    let engine = Scripted::saying("x");
    let (folder, mut editor, uri) = in_workspace(engine.clone(), json!({})).await;
    let defined =
        async |editor: &mut Editor| editor.status().await["workspace"]["definitions"].clone();
    while defined(&mut editor).await != 1 {}
    let main = format!("{uri}/main.rs");
    let text = "use shop::sell;\n\nfn one() {}\nfn main() {\n    \n}\n";
    editor.open(&main, "rust", text).await;
    let place = json!({
        "textDocument": {"uri": main},
        "position": {"line": 4, "character": 4},
        "context": {"triggerKind": 2},
    });
    editor.request("textDocument/inlineCompletion", place).await;
    let prompt = engine.seen().requests.pop().expect("a request").prompt;
    assert_eq!(prompt.context, "// shop: sell(price)\n");
    // A file that somebody else has written is read again.
    std::fs::write(folder.path().join("shop.rs"), "").expect("a file");
    let changes = json!({"changes": [{"uri": format!("{uri}/shop.rs"), "type": 2}]});
    editor.notify("workspace/didChangeWatchedFiles", changes).await;
    // What is left is the buffer.
    until_workspace_is(&mut editor, json!({"files": 1, "definitions": 2})).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_opened_later_is_read_too() {
    let (_folder, mut editor, _) = in_workspace(Scripted::saying("x"), json!({})).await;
    until_workspace_is(&mut editor, json!({"files": 1, "definitions": 1})).await;
    let other = tempfile::tempdir().expect("a folder");
    std::fs::write(other.path().join("till.rs"), "pub fn count() {}\n").expect("a file");
    let added = json!([{"uri": format!("file://{}", other.path().display()), "name": "till"}]);
    let event = json!({"event": {"added": added, "removed": []}});
    editor.notify("workspace/didChangeWorkspaceFolders", event).await;
    until_workspace_is(&mut editor, json!({"files": 2, "definitions": 2})).await;
}

#[cfg(unix)]
#[tokio::test]
async fn no_other_file_is_read_where_that_is_turned_off() {
    let options = json!({"context": {"definitions_bytes": 0}});
    let engine = Scripted::saying("x");
    let (_folder, mut editor, uri) = in_workspace(engine, options).await;
    editor.open(&format!("{uri}/main.rs"), "rust", "fn main() {}\n").await;
    assert_eq!(editor.status().await["workspace"]["definitions"], 0);
}
