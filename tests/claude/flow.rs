//! Asking through the whole server: an editor in this process, a workspace on the disk, the API's
//! stand-in. What leaves is what was shown, or nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tandem::ask::ledger::{self, Ledger};

use crate::desk::{Desk, LOCK, SHOW, TOLD, shown_body, text, uri};
use crate::stand_in::Script;

#[tokio::test]
async fn what_is_sent_is_byte_for_byte_what_was_shown_and_nothing_before_a_yes() {
    let mut desk = Desk::usual(text("It subtracts one in `src/lock.rs`.")).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    assert!(desk.stand_in.seen().is_empty(), "sent before a yes");
    for part in
        ["src/pool.rs", "src/lock.rs", "why is this one too few?", "127.0.0.1", "claude-sonnet"]
    {
        assert!(shown.preview.contains(part), "{part} in {}", shown.preview);
    }
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    let answer = desk.document().await;
    let requests = desk.stand_in.seen();
    assert_eq!(requests.len(), 1);
    assert_eq!(String::from_utf8_lossy(&requests[0].body), shown_body(&shown.preview));
    let answer = fs::read_to_string(answer).expect("an answer");
    assert!(answer.contains("It subtracts one in `src/lock.rs`."), "{answer}");
    let ledger = desk.requests();
    let settled = ledger[0].settled.as_ref().expect("settled");
    assert_eq!(settled.outcome.cited, ["src/lock.rs"]);
    assert!(settled.cost.0 > 0 && settled.cost <= ledger[0].reserved.worst);
    assert!(shown.preview.contains(&ledger[0].reserved.about.body_sha256));
}

#[tokio::test]
async fn cancelling_sends_nothing_and_reserves_nothing() {
    let mut desk = Desk::usual(text("no")).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some("Cancel")).await;
    // Nothing is left to send.
    let send = json!({"command": "tandem.send", "arguments": [{"sha256": "00"}]});
    desk.execute(&send).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("cancelled already")), "{told}");
    assert!(desk.stand_in.seen().is_empty() && desk.requests().is_empty());
}

#[tokio::test]
async fn a_closed_message_leaves_the_choices_on_the_preview() {
    let mut desk = Desk::usual(text("Here.")).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, None).await;
    let actions = desk.actions(&uri(&shown.path), 0, 0).await;
    let titles: Vec<_> = actions.iter().filter_map(|a| a["title"].as_str()).collect();
    assert!(titles[0].starts_with("Send to 127.0.0.1"), "{titles:?}");
    assert_eq!(titles[1..], ["Edit the list", "Cancel: send nothing"]);
    // A request that was not shown has another hash.
    let mut forged = actions[0]["command"].clone();
    forged["arguments"][0]["sha256"] = json!("00");
    desk.execute(&forged).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("another one")), "{told}");
    assert!(desk.stand_in.seen().is_empty());
    desk.execute(&actions[0]["command"]).await;
    let answer = fs::read_to_string(desk.document().await).expect("an answer");
    assert!(answer.contains("Here."));
}

#[tokio::test]
async fn what_is_taken_off_the_list_stays_here() {
    let mut desk = Desk::usual(text("ok")).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some("Edit the list")).await;
    let list = desk.document().await;
    let text = fs::read_to_string(&list).expect("a list");
    let edited = text.replace("- [x] 2. `src/lock.rs`", "- [ ] 2. `src/lock.rs`");
    assert_ne!(text, edited);
    // Unsaved, as it stands in the editor.
    desk.editor.open(&uri(&list), "markdown", &edited).await;
    desk.say("Look again").await;
    let again = desk.preview().await;
    desk.choose(&again.id, Some(&again.choices[0])).await;
    desk.document().await;
    let body = String::from_utf8(desk.stand_in.seen()[0].body.clone()).expect("text");
    assert!(body.contains("drain") && !body.contains("src/lock.rs"), "{body}");
    assert_eq!(body, shown_body(&again.preview));
}

#[tokio::test]
async fn the_buffer_is_sent_and_not_the_file() {
    let mut desk = Desk::usual(text("ok")).await;
    let lock = desk.uri("src/lock.rs");
    desk.editor.open(&lock, "rust", &LOCK.replace("n - 1", "n - 1 // unsaved")).await;
    let (_, _, _) = desk.answered(json!({})).await;
    let body = String::from_utf8(desk.stand_in.seen()[0].body.clone()).expect("text");
    assert!(body.contains("// unsaved"), "{body}");
}

#[tokio::test]
async fn a_follow_up_goes_on_from_the_same_bytes() {
    let mut desk = Desk::usual(text("First.")).await;
    let (first, answer, _) = desk.answered(json!({})).await;
    let text = fs::read_to_string(&answer).expect("an answer");
    let asked = text.replace("\n?: \n", "\n?: and why not two?\n");
    let line = asked.lines().position(|l| l.starts_with("?: and")).expect("a line") as u32;
    desk.editor.open(&uri(&answer), "markdown", &asked).await;
    let actions = desk.actions(&uri(&answer), line, 4).await;
    assert_eq!(actions.len(), 1, "{actions:?}");
    desk.execute(&actions[0]["command"]).await;
    let second = desk.preview().await;
    assert!(!second.choices.contains(&"Edit the list".to_owned()), "what is gone is gone");
    desk.choose(&second.id, Some(&second.choices[0])).await;
    let page = fs::read_to_string(desk.document().await).expect("an answer");
    assert_eq!(page.matches("First.").count(), 2, "{page}");
    let (a, b) = (shown_body(&first.preview), shown_body(&second.preview));
    let files = |body: &str| body[..body.rfind("</file-").expect("files")].to_owned();
    assert_eq!(files(a), files(b));
    assert!(b.contains("and why not two?") && b.contains("First."));
    assert_eq!(desk.requests()[1].reserved.about.kind, ledger::Kind::FollowUp);
}

#[tokio::test]
async fn a_comment_and_a_symbol_can_be_asked_about() {
    let mut desk = Desk::usual(text("ok")).await;
    let titles = |actions: Vec<Value>| -> Vec<String> {
        actions.iter().filter_map(|a| a["title"].as_str().map(str::to_owned)).collect()
    };
    let pool = desk.uri("src/pool.rs");
    assert_eq!(titles(desk.actions(&pool, 2, 9).await), ["Ask Claude about `drain`"]);
    let other = desk.uri("src/other.rs");
    desk.editor.open(&other, "rust", "// !: use a loop\n").await;
    let actions = desk.actions(&other, 0, 5).await;
    assert_eq!(titles(actions.clone())[0], "Ask Claude to change: use a loop");
    assert_eq!(actions[0]["command"]["arguments"][0]["kind"], "change");
}

#[tokio::test]
async fn an_error_is_asked_about_with_all_that_it_names() {
    let mut desk = Desk::usual(text("ok")).await;
    let at = json!({"start": {"line": 3, "character": 4}, "end": {"line": 3, "character": 8}});
    let related =
        json!([{"location": {"uri": desk.uri("src/lock.rs"), "range": at}, "message": "here"}]);
    let diagnostic =
        json!({"range": at, "message": "mismatched types", "relatedInformation": related});
    let params = json!({
        "textDocument": {"uri": desk.uri("src/pool.rs")},
        "range": at,
        "context": {"diagnostics": [diagnostic], "only": ["quickfix"]},
    });
    let answer = desk.editor.request("textDocument/codeAction", params).await;
    let action = answer["result"][0].clone();
    assert_eq!(action["title"], "Ask Claude: why this error: mismatched types");
    assert_eq!(answer["result"].as_array().map(Vec::len), Some(1), "only quick fixes were wanted");
    desk.execute(&action["command"]).await;
    let shown = desk.preview().await;
    for part in ["mismatched types", "See also src/lock.rs, line 4"] {
        assert!(shown.preview.contains(part), "{part} in {}", shown.preview);
    }
}

#[tokio::test]
async fn commands_without_arguments_ask_about_the_last_place() {
    let mut desk = Desk::usual(text("ok")).await;
    let pool = desk.uri("src/pool.rs");
    desk.actions(&pool, 2, 9).await;
    desk.execute(&json!({"command": "tandem.ask"})).await;
    let shown = desk.preview().await;
    assert!(
        shown.preview.contains("src/pool.rs, line 3") && shown.preview.contains("Explain"),
        "{}",
        shown.preview
    );
    desk.execute(&json!({"command": "tandem.cancel"})).await;
    let told = desk.editor.told(TOLD).await;
    assert_eq!(told["message"], "tandem: nothing was sent");
    desk.execute(&json!({"command": "tandem.applyEdits"})).await;
    let told = desk.editor.told(TOLD).await;
    assert_eq!(told["message"], "tandem: there are no edits to apply");
}

#[tokio::test]
async fn a_client_that_can_ask_for_text_asks_for_the_question() {
    let capabilities = json!({"experimental": {"tandemInput": true}});
    let mut desk = Desk::with(text("ok"), |_| json!({}), capabilities).await;
    desk.ask(json!({"question": ""})).await;
    let asked = desk.editor.wait_for(|m| m["method"] == "tandem/input").await;
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": "does it ever block?"});
    desk.editor.send(reply).await;
    let shown = desk.preview().await;
    assert!(shown.preview.contains("does it ever block?"));
}

#[tokio::test]
async fn cancelling_closes_the_connection_and_keeps_what_came() {
    let progress = json!({"window": {"workDoneProgress": true}});
    let mut desk = Desk::with(Script::Silent, |_| json!({}), progress).await;
    desk.ask(json!({})).await;
    // That of reading the workspace.
    desk.report().await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    let token = desk.report().await;
    let answering = |m: &Value| m["params"]["value"].to_string().contains("answering");
    desk.editor.wait_for(answering).await;
    let began = std::time::Instant::now();
    desk.editor.notify("window/workDoneProgress/cancel", json!({"token": token})).await;
    desk.stand_in.gone().await;
    eprintln!("cancel to closed connection: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let answer = fs::read_to_string(desk.document().await).expect("an answer");
    assert!(answer.contains("It was cancelled"), "{answer}");
    let settled = desk.requests()[0].settled.clone().expect("settled");
    assert_eq!(settled.outcome.stop, "cancelled");
    assert!(settled.cost.0 > 0, "what was read is charged");
}

#[tokio::test]
async fn no_more_is_spent_than_there_is() {
    let ask = json!({"budget": {"day_dollars": 0.0001}});
    let mut desk = Desk::with(text("no"), |_| ask, json!({})).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    let told = desk.editor.told(TOLD).await;
    assert!(
        told["message"].as_str().is_some_and(|m| m.contains("ask.budget.day_dollars")),
        "{told}"
    );
    assert!(desk.stand_in.seen().is_empty());
}

#[tokio::test]
async fn what_the_workspace_says_about_asking_is_not_listened_to() {
    let mut desk = Desk::usual(text("ok")).await;
    let hostile = json!({"settings": {"tandem": {"ask": {
        "base_url": "http://127.0.0.1:1", "always": [desk.path("")],
    }}}});
    desk.editor.notify("workspace/didChangeConfiguration", hostile).await;
    let told = desk.editor.told(TOLD).await;
    assert!(
        told["message"].as_str().is_some_and(|m| m.contains("`ask` is ignored here")),
        "{told}"
    );
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    assert!(shown.choices[0].contains(&desk.stand_in.address["http://".len()..]));
    assert!(desk.stand_in.seen().is_empty());
}

#[tokio::test]
async fn always_sends_at_once_what_can_be_read_and_keeps_to_the_budget() {
    let both = |root: &Path| json!([root, root.with_file_name("other")]);
    let always = |root: &Path| json!({"always": both(root)});
    let mut desk = Desk::with(text("Here."), always, json!({})).await;
    desk.ask(json!({})).await;
    let preview = fs::read_to_string(desk.document().await).expect("a preview");
    assert!(preview.contains("`ask.always`"), "{preview}");
    let answer = fs::read_to_string(desk.document().await).expect("an answer");
    assert!(answer.contains("Here."));
    assert_eq!(String::from_utf8_lossy(&desk.stand_in.seen()[0].body), shown_body(&preview));

    let poor = |root: &Path| json!({"always": both(root), "budget": {"request_dollars": 0.0}});
    let mut desk = Desk::with(text("no"), poor, json!({})).await;
    desk.ask(json!({})).await;
    desk.document().await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("request_dollars")), "{told}");
    assert!(desk.stand_in.seen().is_empty());
}

#[tokio::test]
async fn a_file_that_must_not_leave_cannot_be_asked_about() {
    let mut desk = Desk::usual(text("no")).await;
    let env = desk.uri(".env");
    desk.editor.open(&env, "plaintext", "DATABASE=words_of_the_file\n").await;
    let all = json!({"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}});
    desk.ask(json!({"uri": env, "range": all})).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains(".env is never sent")), "{told}");
    // Nor is it named by an error elsewhere.
    let related = json!([[env, 0], [desk.uri("src/lock.rs"), 0], ["file:///etc/passwd", 0]]);
    desk.ask(json!({"diagnostic": {"message": "wrong", "related": related}})).await;
    let shown = desk.preview().await;
    assert!(shown.preview.contains("See also src/lock.rs"), "{}", shown.preview);
    for part in ["words_of_the_file", ".env", "passwd"] {
        assert!(!shown_body(&shown.preview).contains(part), "{part} in {}", shown.preview);
    }
}

#[tokio::test]
async fn a_session_that_ends_settles_what_is_on_its_way() {
    let mut desk = Desk::usual(Script::Silent).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    desk.stand_in.asked().await;
    let Desk { home, editor, stand_in } = desk;
    editor.exit_code(true).await;
    stand_in.gone().await;
    let mut requests = Vec::new();
    ledger::read(&home.path().join("ledger"), |request| requests.push(request)).expect("a ledger");
    assert_eq!(requests[0].settled.as_ref().expect("settled").outcome.stop, "cancelled");
}

#[tokio::test]
async fn a_file_that_another_folder_excludes_stays_there_whatever_it_is_called() {
    let mut desk = Desk::usual(text("no")).await;
    let other = desk.home.path().join("other/src/pool.rs");
    desk.editor.open(&uri(&other), "rust", "fn hidden_in_the_other() {}\n").await;
    let all = json!({"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}});
    desk.ask(json!({"uri": uri(&other), "range": all})).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("is never sent")), "{told}");
}

#[tokio::test]
async fn an_editor_that_asks_for_texts_sees_the_answer_as_it_comes() {
    let content = json!({"workspace": {"textDocumentContent": {}}});
    let mut desk = Desk::with(Script::Slow, |_| json!({}), content).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    let message = desk.editor.wait_for(|m| m["method"] == SHOW).await;
    let address = message["params"]["uri"].clone();
    assert!(address.as_str().is_some_and(|uri| uri.starts_with("tandem-answer:")), "{message}");
    // The client never says that it has shown it, and the answer goes on.
    let page = desk.editor.request("workspace/textDocumentContent", json!({"uri": address})).await;
    assert!(
        page["result"]["text"].as_str().is_some_and(|text| text.contains("Der Schl")),
        "{page}"
    );
    desk.stand_in.go_on();
    let refreshed = "workspace/textDocumentContent/refresh";
    let refresh = desk.editor.wait_for(|m| m["method"] == refreshed).await;
    assert_eq!(refresh["params"]["uri"], address);
    desk.editor.send(json!({"jsonrpc": "2.0", "id": refresh["id"], "result": null})).await;
    let answer = fs::read_to_string(desk.document().await).expect("an answer");
    assert!(answer.contains("Der Schlüssel."), "{answer}");
}

#[tokio::test]
async fn after_an_answer_without_words_one_can_ask_on() {
    let mut desk = Desk::usual(text("")).await;
    let (_, answer, _) = desk.answered(json!({})).await;
    let page = fs::read_to_string(&answer).expect("an answer");
    let asked = page.replace("\n?: \n", "\n?: once more\n");
    let line = asked.lines().position(|l| l == "?: once more").expect("a line") as u32;
    desk.editor.open(&uri(&answer), "markdown", &asked).await;
    let actions = desk.actions(&uri(&answer), line, 4).await;
    desk.execute(&actions[0]["command"]).await;
    let second = desk.preview().await;
    desk.choose(&second.id, Some(&second.choices[0])).await;
    desk.document().await;
    assert_eq!(desk.stand_in.seen().len(), 2, "the stand-in takes no empty text");
}

#[tokio::test]
async fn what_was_refused_costs_nothing() {
    let mut desk = Desk::usual(Script::Status(401, "authentication_error", vec![])).await;
    desk.ask(json!({})).await;
    let shown = desk.preview().await;
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("tandem key set")), "{told}");
    let ledger = Ledger::at(Some(desk.home.path().join("ledger")));
    let spent = ledger.spent(ledger::Limits::dollars(1.0, 1.0, 1.0)).expect("a ledger");
    assert_eq!((spent.today.0, spent.open.0), (0, 0));
    // The same can be sent again.
    let actions = desk.actions(&uri(&shown.path), 0, 0).await;
    assert!(actions[0]["title"].as_str().is_some_and(|title| title.starts_with("Send to")));
}
