//! What a client's status bar is told.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem::ask::ledger::Ledger;
use tandem::ask::papers::Papers;
use tandem::engine::State;
use tandem::engine::scripted::{Scripted, Step};
use tandem::journal::Journal;
use tandem::lsp::{Parts, SharedSettings};
use tandem::model::Store;
use tandem::settings::Layers;
use tokio::sync::Notify;

use crate::harness::{Editor, FILE};

async fn status_bar(mut editor: Editor, options: Value) -> Editor {
    let capabilities = json!({
        "textDocument": {"inlineCompletion": {}},
        "experimental": {"tandemStatus": true},
    });
    let overrides = json!({"capabilities": capabilities, "initializationOptions": options});
    editor.initialize(overrides).await;
    editor
}

/// The next status with this state.
async fn told(editor: &mut Editor, state: &str) -> Value {
    let method = |m: &Value| m["method"] == "tandem/status" && m["params"]["state"] == state;
    editor.wait_for(method).await["params"].clone()
}

#[tokio::test]
async fn a_status_bar_hears_of_loading_working_and_being_switched_off() {
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    let engine = Scripted::new(move |_| vec![Step::Wait(gate.clone()), Step::Text("1;\n".into())]);
    engine.set_state(State::Loading { fraction: 0.5 });
    let options = json!({"disabled_languages": ["markdown"]});
    let mut editor = status_bar(Editor::start(engine.clone()), options).await;
    let loading = told(&mut editor, "loading").await;
    assert_eq!(loading["percent"], 50);
    assert_eq!(loading["disabledLanguages"], json!(["markdown"]));

    engine.set_state(State::Ready(Default::default()));
    told(&mut editor, "ready").await;
    editor.open(FILE, "rust", "let x = \n").await;
    let asked = editor.ask_ghost(0, 8).await;
    told(&mut editor, "working").await;
    go_on.notify_one();
    editor.answer(asked).await;
    told(&mut editor, "ready").await;

    let toggle = json!({"command": "tandem.toggle"});
    editor.request("workspace/executeCommand", toggle).await;
    told(&mut editor, "off").await;
}

#[tokio::test]
async fn a_status_bar_hears_that_there_is_no_model_and_no_message_pops_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Scripted::saying("");
    engine.set_state(State::Asleep);
    let mut editor = status_bar(
        Editor::start_from(Parts {
            engine: engine.clone(),
            settings: SharedSettings::default(),
            user: Ok(Layers::default()),
            store: Some(Store::new(folder.path().to_owned())),
            journal: Journal::default(),
            ledger: Ledger::at(None),
            papers: Papers::default(),
        }),
        json!({}),
    )
    .await;
    let missing = told(&mut editor, "no_model").await;
    assert!(missing["message"].as_str().is_some_and(|m| m.contains("tandem model pull")));
    engine.set_state(State::Failed { message: "There is no model.".into() });
    editor.status().await;
    editor.status().await;
    engine.set_state(State::Ready(Default::default()));
    told(&mut editor, "ready").await;
    assert_eq!(editor.kept(|message| message["method"] == "window/showMessage"), 0);
}

#[tokio::test]
async fn a_client_without_a_status_bar_is_told_nothing_of_it() {
    let mut editor = Editor::with_file(Scripted::saying("1;\n"), "let x = \n").await;
    editor.ghost(0, 8).await;
    editor.status().await;
    assert_eq!(editor.kept(|message| message["method"] == "tandem/status"), 0);
}
