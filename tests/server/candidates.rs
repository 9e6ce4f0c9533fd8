//! Several suggestions for one place, over the wire.

use serde_json::json;
use tandem::engine::Fork;
use tandem::engine::scripted::{Scripted, Step};

use crate::harness::{Editor, FILE};

#[tokio::test]
async fn an_explicit_trigger_gives_up_to_three_different_items_an_automatic_one_gives_one() {
    let fork = |at, text: &str| Fork { at, text: text.into(), ln: -1.0, behind: 0.0 };
    let engine = Scripted::new(move |request| {
        let middle = &request.prompt.middle;
        let rest =
            if middle.ends_with("two") || middle.ends_with("six") { "(b);\n" } else { "one(a);\n" };
        let forks = vec![fork(0, "two"), fork(0, "six"), fork(0, "seven")];
        vec![Step::Text(rest.into()), Step::Forks(forks)]
    });
    let mut editor = Editor::with_file(engine, "let x = \r\n").await;
    let mut texts = Vec::new();
    for kind in [2, 1] {
        let params = json!({
            "textDocument": {"uri": FILE},
            "position": {"line": 0, "character": 8},
            "context": {"triggerKind": kind},
        });
        let answer = editor.request("textDocument/inlineCompletion", params).await;
        let items = answer["result"].as_array().expect("items").clone();
        texts.push(items.iter().map(|item| item["insertText"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(texts[0], ["let x = one(a);"]);
    assert_eq!(texts[1], ["let x = one(a);", "let x = two(b);", "let x = six(b);"]);
}
