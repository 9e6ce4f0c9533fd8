//! Edits from an answer into the editor: exact, looked at, all or nothing.

use std::fs;

use serde_json::json;
use tandem::ask::ledger;

use crate::desk::{CHOOSE, Desk, LOCK, TOLD, text, uri};
use crate::stand_in::Script;

fn edits(search: &str, replace: &str) -> String {
    format!(
        "It takes one too many.\n\nsrc/lock.rs\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"
    )
}

#[tokio::test]
async fn edits_are_applied_in_one_edit_after_a_look_with_versions_and_annotations() {
    let mut desk = Desk::usual(text(&edits("    n - 1", "    n"))).await;
    let lock = desk.uri("src/lock.rs");
    desk.editor.open(&lock, "rust", LOCK).await;
    let (_, _, answer) = desk.answered(json!({"kind": "change", "question": "take none"})).await;
    assert!(answer.contains("-    n - 1") && answer.contains("+    n"), "{answer}");
    desk.say("Apply").await;
    let asked = desk.editor.wait_for(|m| m["method"] == "workspace/applyEdit").await;
    let edit = &asked["params"]["edit"];
    let change = &edit["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": lock, "version": 1}));
    assert_eq!(change["edits"][0]["range"]["start"]["line"], 1);
    let annotation = change["edits"][0]["annotationId"].as_str().expect("an annotation");
    assert_eq!(edit["changeAnnotations"][annotation]["needsConfirmation"], true);
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"applied": true}});
    desk.editor.send(reply).await;
    let told = desk.editor.told(TOLD).await;
    assert_eq!(told["message"], "tandem: 1 file changed");
    let ledger = desk.requests();
    assert_eq!(ledger[0].settled.as_ref().expect("settled").outcome.edited, ["src/lock.rs"]);
}

#[tokio::test]
async fn edits_that_do_not_fit_change_nothing_and_one_repair_is_offered_with_a_look() {
    let mut desk = Desk::usual(text(&edits("    n - 7", "    n"))).await;
    let (_, _, answer) = desk.answered(json!({"kind": "change", "question": "take none"})).await;
    assert!(answer.contains("Does not fit"), "{answer}");
    desk.say("Ask Claude to put that right").await;
    let shown = desk.preview().await;
    assert_eq!(desk.stand_in.seen().len(), 1, "sent without a look");
    desk.choose(&shown.id, Some(&shown.choices[0])).await;
    desk.document().await;
    // Once is enough.
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("do not fit")), "{told}");
    assert_eq!(desk.editor.kept(|m| m["method"] == "workspace/applyEdit"), 0);
    assert_eq!(desk.requests()[1].reserved.about.kind, ledger::Kind::Repair);
    assert_eq!(fs::read_to_string(desk.path("src/lock.rs")).expect("a file"), LOCK);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let mut desk = Desk::usual(text(&edits("    n - 1", "    n"))).await;
    desk.answered(json!({"kind": "change", "question": "take none"})).await;
    let message = desk.editor.wait_for(|m| m["method"] == CHOOSE).await;
    fs::write(desk.path("src/lock.rs"), LOCK.replace("n - 1", "n - 2")).expect("a file");
    desk.choose(&message["id"], Some("Apply")).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("nothing is changed")), "{told}");
}

#[tokio::test]
async fn an_answer_that_is_not_whole_is_never_applied() {
    let script = Script::Long(edits("    n - 1", "    n"));
    let mut desk = Desk::usual(script).await;
    let (_, _, answer) = desk.answered(json!({"kind": "change", "question": "take none"})).await;
    assert!(answer.contains("not whole") && !answer.contains("+    n"), "{answer}");
    desk.execute(&json!({"command": "tandem.applyEdits"})).await;
    let told = desk.editor.told(TOLD).await;
    assert_eq!(told["message"], "tandem: there are no edits to apply");
}

#[tokio::test]
async fn a_ci_file_takes_a_yes_of_its_own() {
    let answer =
        edits("    n - 1", "    n").replace("src/lock.rs\n<", ".github/workflows/x.yml\n<");
    let answer = answer.replace("    n - 1\n", "");
    let mut desk = Desk::usual(text(&answer)).await;
    let (_, _, page) = desk.answered(json!({"kind": "change", "question": "add CI"})).await;
    assert!(page.contains("is a new file"), "{page}");
    desk.say("Apply").await;
    let message = desk.editor.wait_for(|m| m["method"] == CHOOSE).await;
    assert!(
        message["params"]["message"].to_string().contains(".github/workflows/x.yml"),
        "{message}"
    );
    desk.choose(&message["id"], Some("Stop")).await;
    assert_eq!(desk.editor.kept(|m| m["method"] == "workspace/applyEdit"), 0);
}

#[tokio::test]
async fn an_editor_without_annotations_is_asked_for_each_file_and_no_stale_edit_is_made() {
    let plain = json!({"workspace": {"workspaceEdit": {"changeAnnotationSupport": null}}});
    let answer =
        "src/pool.rs\n<<<<<<< SEARCH\n    take(n) + 1\n=======\n    take(n)\n>>>>>>> REPLACE\n";
    let mut desk = Desk::with(text(answer), |_| json!({}), plain).await;
    let (_, page, words) = desk.answered(json!({"kind": "change", "question": "take none"})).await;
    desk.editor.open(&uri(&page), "markdown", &words).await;
    desk.say("Apply").await;
    desk.document().await;
    let message = desk.editor.wait_for(|m| m["method"] == CHOOSE).await;
    assert!(message["params"]["message"].to_string().contains("change src/pool.rs?"), "{message}");
    // Somebody types while the question stands.
    let change = json!({
        "textDocument": {"uri": desk.uri("src/pool.rs"), "version": 2},
        "contentChanges": [{
            "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
            "text": "// new\n",
        }],
    });
    desk.editor.notify("textDocument/didChange", change).await;
    desk.choose(&message["id"], Some("Apply")).await;
    let told = desk.editor.told(TOLD).await;
    assert!(told["message"].as_str().is_some_and(|m| m.contains("meanwhile")), "{told}");
    // From the answer's code actions, without another question, at the place where it is now.
    let actions = desk.actions(&uri(&page), 0, 0).await;
    let apply = actions.iter().find(|a| a["title"] == "Apply Claude's edits").expect("an action");
    let mut command = apply["command"].clone();
    command["arguments"][0]["path"] = json!("src/pool.rs");
    desk.execute(&command).await;
    let asked = desk.editor.wait_for(|m| m["method"] == "workspace/applyEdit").await;
    let change = &asked["params"]["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"]["version"], 2);
    assert_eq!(change["edits"][0]["range"]["start"]["line"], 4);
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"applied": true}});
    desk.editor.send(reply).await;
    assert_eq!(desk.editor.told(TOLD).await["message"], "tandem: 1 file changed");
    desk.execute(&command).await;
    assert_eq!(desk.editor.told(TOLD).await["message"], "tandem: there are no edits to apply");
}

#[tokio::test]
async fn what_did_not_fit_is_forgotten_with_the_next_answer() {
    let mut desk = Desk::usual(text(&edits("    n - 7", "    n"))).await;
    let (_, first, words) = desk.answered(json!({"kind": "change", "question": "take none"})).await;
    let message = desk.editor.wait_for(|m| m["method"] == CHOOSE).await;
    desk.choose(&message["id"], None).await;
    desk.editor.open(&uri(&first), "markdown", &words).await;
    let repairs = |actions: &[serde_json::Value]| {
        actions.iter().filter(|a| a["title"] == "Ask Claude to put that right").count()
    };
    let actions = desk.actions(&uri(&first), 0, 0).await;
    assert_eq!(repairs(&actions), 1);
    let of =
        |action: &serde_json::Value| action["command"]["arguments"][0]["conversation"].as_u64();
    let talk = actions.iter().find_map(of).expect("the conversation");
    let follow_up = json!({"conversation": talk, "kind": "ask", "question": "and why?"});
    let (_, second, words) = desk.answered(follow_up).await;
    desk.editor.open(&uri(&second), "markdown", &words).await;
    assert_eq!(repairs(&desk.actions(&uri(&second), 0, 0).await), 0);
}
