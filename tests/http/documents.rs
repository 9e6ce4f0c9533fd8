//! Where an editor has the document open: prompts show a piece of it, the model sees all that it should.

use serde_json::json;
use tandem::engine::scripted::Scripted;

use crate::harness::{Server, prompt, silent};

/// A file with a cursor in its middle, and the lines around that alone.
fn file() -> (String, String) {
    let function =
        |i| format!("fn number_{i}() -> u32 {{\n    let value = {i};\n    value\n}}\n\n");
    let part = |numbers: std::ops::Range<usize>| numbers.map(function).collect::<String>();
    let middle = format!("{}    let here = $0\n{}", part(10..14), part(14..18));
    (format!("{}{middle}{}", part(0..10), part(18..20)), middle)
}

#[tokio::test]
async fn the_model_sees_the_document_beyond_the_prompts_window() {
    let engine = Scripted::saying("number_3();\n");
    let server = Server::start(engine.clone()).await;
    let (whole, shown) = file();
    let _editor = server.editor(&whole.replace("$0", "")).await;
    assert_eq!(server.complete(&shown).await, "number_3();");
    let seen = engine.seen().requests[0].prompt.clone();
    assert!(seen.prefix.contains("fn number_5()"), "{seen:?}");
    assert!(seen.middle.ends_with("let here = "), "{seen:?}");
}

#[tokio::test]
async fn a_key_that_the_editor_has_not_told_of_yet_is_in_the_prompt_all_the_same() {
    let engine = Scripted::saying("number_3();\n");
    let server = Server::start(engine.clone()).await;
    let (whole, shown) = file();
    let _editor = server.editor(&whole.replace("$0", "")).await;
    assert_eq!(server.complete(&shown.replace("$0", "nu$0")).await, "number_3();");
    let seen = engine.seen().requests[0].prompt.clone();
    assert!(seen.prefix.contains("fn number_5()"), "{seen:?}");
    assert!(seen.middle.ends_with("let here = nu"), "{seen:?}");
}

#[tokio::test]
async fn line_breaks_of_windows_are_found_in_prompts_without_them() {
    let engine = Scripted::saying("number_3();\n");
    let server = Server::start(engine.clone()).await;
    let (whole, shown) = file();
    let _editor = server.editor(&whole.replace("$0", "").replace('\n', "\r\n")).await;
    assert_eq!(server.complete(&shown).await, "number_3();");
    assert!(engine.seen().requests[0].prompt.prefix.contains("fn number_5()"));
}

#[tokio::test]
async fn an_accepted_suggestion_is_counted_in_the_editors_session() {
    let server = Server::start(Scripted::saying("compute();\n")).await;
    let mut editor = server.editor("fn main() {\n    let value = \n}\n").await;
    let shown = server.complete("fn main() {\n    let value = $0\n}\n").await;
    assert_eq!(shown, "compute();");
    assert_eq!(editor.status().await["accepted"], 0);
    editor.insert(1, 16, &shown).await;
    assert_eq!(editor.status().await["accepted"], 1);
}

#[tokio::test]
async fn what_is_turned_off_in_the_editor_is_off_here_too() {
    let engine = Scripted::saying("compute();\n");
    let server = Server::start(engine.clone()).await;
    let mut editor = server.editor("fn main() {\n    let value = \n}\n").await;
    let text = "fn main() {\n    let value = $0\n}\n";
    editor.set(json!({"disabled_languages": ["rust"]})).await;
    assert_eq!(server.complete(text).await, "");
    editor.set(json!({"enabled": false, "disabled_languages": []})).await;
    assert_eq!(server.complete(text).await, "");
    assert_eq!(engine.seen().requests.len(), 0);
    editor.set(json!({"enabled": true})).await;
    assert_eq!(server.complete(text).await, "compute();");
}

#[tokio::test]
async fn of_two_documents_that_fit_it_is_the_one_that_was_changed_last() {
    let server = Server::start(Scripted::saying("compute();\n")).await;
    let mut editor = server.editor("fn main() {\n    let valu = \n}\n").await;
    editor.set(json!({"disabled_languages": ["text"]})).await;
    let copy = json!({
        "uri": "file:///project/copy.txt",
        "languageId": "text",
        "version": 1,
        "text": "fn main() {\n    let value = \n}\n",
    });
    editor.notify("textDocument/didOpen", json!({"textDocument": copy})).await;
    editor.status().await;
    let text = "fn main() {\n    let value = $0\n}\n";
    assert_eq!(server.complete(text).await, "");
    editor.insert(1, 12, "e").await;
    assert_eq!(server.complete(text).await, "compute();");
}

#[tokio::test]
async fn marks_in_the_text_itself_are_understood_where_the_document_is_known() {
    let engine = Scripted::saying("compute();\n");
    let server = Server::start(engine.clone()).await;
    let text = "fn main() {\n    let mark = \"<|fim_suffix|>\";\n    let value = $0\n}\n";
    assert_eq!(server.complete(text).await, "", "it could mean either");
    assert_eq!(engine.seen().requests.len(), 0);
    let _editor = server.editor(&text.replace("$0", "")).await;
    assert_eq!(server.complete(text).await, "compute();");
    assert!(engine.seen().requests[0].prompt.middle.ends_with("let value = "));
}

#[tokio::test]
async fn a_prompt_that_names_another_file_is_not_of_the_open_one() {
    let engine = Scripted::saying("number_3();\n");
    let server = Server::start(engine.clone()).await;
    let (whole, shown) = file();
    let _editor = server.editor(&whole.replace("$0", "")).await;
    for (path, of_the_open_one) in [("b.rs", false), ("project/a.rs", true)] {
        let prompt = format!("<|file_sep|>{path}\n{}", prompt(&shown));
        server.post(json!({"prompt": prompt})).await.text();
        let seen = engine.seen().requests.last().expect("a request").prompt.clone();
        assert_eq!(seen.prefix.contains("fn number_5()"), of_the_open_one, "{path}");
    }
}

#[tokio::test]
async fn text_that_is_none_is_not_completed() {
    let engine = silent();
    let server = Server::start(engine.clone()).await;
    assert_eq!(server.complete("let a\u{0}b = $0\n").await, "");
    assert_eq!(engine.seen().requests.len(), 0);
}
