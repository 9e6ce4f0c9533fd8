//! The journal as a server keeps it: which records, and nothing of anybody's text.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tandem::engine::scripted::Scripted;
use tandem::journal::{self, Event, Journal, Record};

use crate::harness::{Editor, FILE};

async fn with_journal(folder: &Path, options: Value, text: &str) -> Editor {
    let engine = Scripted::saying(" = secret_name(a);\n");
    let mut editor = Editor::start_with(engine, Journal::at(Some(folder.to_owned())));
    editor.initialize(json!({"initializationOptions": options})).await;
    editor.open(FILE, "rust", text).await;
    editor
}

fn records(folder: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    journal::read(folder, |record| records.push(record)).expect("a journal");
    records
}

fn words(records: &[Record]) -> Vec<String> {
    let word = |record: &Record| {
        let event = serde_json::to_value(&record.event).expect("JSON");
        format!("{} {}", event["event"].as_str().unwrap_or_default(), event["characters"])
    };
    records.iter().map(word).collect()
}

#[tokio::test]
async fn it_holds_what_was_shown_accepted_and_kept_and_no_text() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("journal");
    let mut editor = with_journal(&folder, json!({}), "let my_word\n").await;
    editor.ghost(0, 11).await;
    editor.insert(0, 11, " ").await;
    editor.ghost(0, 12).await;
    editor.insert(0, 12, "= secret_name").await;
    editor.insert(0, 25, "(a);").await;
    editor.insert(0, 29, "\n").await;
    assert_eq!(editor.request("shutdown", Value::Null).await["result"], Value::Null);
    assert_eq!(editor.exit_code(true).await, 0);

    let records = records(&folder);
    let wanted = ["shown 18", "accepted_part 13", "accepted 4", "kept 17"];
    assert_eq!(words(&records), wanted);
    assert!(records.iter().all(|r| r.language == "rust" && r.suggestion == records[0].suggestion));
    let Event::Shown { model, lines, invoked, .. } = &records[0].event else { panic!("not shown") };
    assert_eq!((model.as_deref(), *lines, *invoked), (Some("scripted"), 1, false));
    let file = fs::read_to_string(folder.join("journal.jsonl")).expect("a file");
    for word in ["my_word", "secret_name", "a.rs"] {
        assert!(!file.contains(word), "{word} is in the journal");
    }
}

#[tokio::test]
async fn turned_off_it_is_not_even_made() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("journal");
    let off = json!({"journal": {"enabled": false}});
    let mut editor = with_journal(&folder, off, "let x\n").await;
    editor.ghost(0, 5).await;
    editor.insert(0, 5, " = secret_name(a);").await;
    let status = editor.status().await;
    assert_eq!((&status["accepted"], &status["journal"]["enabled"]), (&json!(1), &json!(false)));
    editor.exit_code(true).await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn where_it_cannot_be_written_the_server_goes_on_and_says_so_once() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("file");
    fs::write(&file, "").expect("a file");
    let mut editor = with_journal(&file.join("journal"), json!({}), "let x\n").await;
    let problem = async |editor: &mut Editor| editor.status().await["journal"]["problem"].clone();
    assert_eq!(problem(&mut editor).await, Value::Null);
    editor.ghost(0, 5).await;
    // The thread that writes needs a moment to find out.
    while problem(&mut editor).await.is_null() {}
    editor.insert(0, 5, " = secret_name(a);").await;
    let status = editor.status().await;
    assert_eq!(status["accepted"], 1);
    assert_eq!(editor.exit_code(true).await, 1);
}

#[tokio::test]
async fn a_client_that_just_goes_loses_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("journal");
    let mut editor = with_journal(&folder, json!({}), "let x\n").await;
    editor.ghost(0, 5).await;
    editor.replace((0, 0), (0, 5), "let x = secret_name(a);").await;
    editor.exit_code(false).await;
    assert_eq!(words(&records(&folder)), ["shown 18", "accepted 18", "kept 18"]);
}

#[tokio::test]
async fn a_closed_document_is_looked_at_and_the_status_tells() {
    let home = tempfile::tempdir().expect("a folder");
    let mut editor = with_journal(&home.path().join("journal"), json!({}), "let x\n").await;
    editor.ghost(0, 5).await;
    editor.insert(0, 5, " = secret_name(a);").await;
    editor.replace((0, 20), (0, 21), "other").await;
    assert_eq!(editor.status().await["kept_characters"], 0, "not looked at yet");
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": FILE}})).await;
    // One word of six letters and marks is another one now.
    assert_eq!(editor.status().await["kept_characters"], 16);
}
