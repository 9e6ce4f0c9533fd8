//! The menu of editors without ghost text, over the wire. What is asked here, and when, is what Helix
//! asks (tests/editors/helix.rs has the real one).

use std::sync::Arc;

use serde_json::{Value, json};
use tandem::engine::Fork;
use tandem::engine::scripted::{Scripted, Step};
use tokio::sync::Notify;

use crate::harness::{Editor, FILE};

/// `CompletionTriggerKind`.
const INVOKED: u32 = 1;
const CHARACTER: u32 = 2;
const INCOMPLETE: u32 = 3;

/// An editor without ghost text, with this open; `$0` is the cursor, whose place is returned.
async fn helix(engine: Arc<Scripted>, fixture: &str) -> (Editor, (u32, u32)) {
    let mut helix = Editor::start(engine);
    let general = json!({"general": {"positionEncodings": ["utf-8"]}});
    let named = json!({"capabilities": general, "clientInfo": {"name": "helix"}});
    helix.initialize(named).await;
    let (before, behind) = fixture.split_once("$0").expect("a cursor");
    helix.open(FILE, "rust", &format!("{before}{behind}")).await;
    let line = before.rsplit('\n').next().expect("a line").len();
    (helix, (before.matches('\n').count() as u32, line as u32))
}

async fn ask(helix: &mut Editor, (line, character): (u32, u32), kind: u32) -> i64 {
    let params = json!({
        "textDocument": {"uri": FILE},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": kind},
    });
    helix.send_request("textDocument/completion", params).await
}

async fn menu(helix: &mut Editor, at: (u32, u32), kind: u32) -> Value {
    let id = ask(helix, at, kind).await;
    helix.answer(id).await["result"].clone()
}

/// What the first entry makes of a line of ASCII.
fn accepted(line: &str, menu: &Value) -> String {
    let edit = &menu["items"][0]["textEdit"];
    let at = |end: &str| edit["range"][end]["character"].as_u64().expect("a number") as usize;
    let new = edit["newText"].as_str().expect("a text");
    format!("{}{new}{}", &line[..at("start")], &line[at("end")..])
}

#[tokio::test]
async fn an_entry_is_plain_text_that_replaces_the_word_and_goes_first_only_in_it() {
    let (mut helix, at) = helix(Scripted::saying("pute($a);\n"), "    let x = com$0\n").await;
    let menu = menu(&mut helix, at, INVOKED).await;
    let item = &menu["items"][0];
    assert_eq!((&item["label"], &item["filterText"]), (&json!("compute($a);"), &json!("compute")));
    // Kind 15 would make a snippet of it, in which `$a` means something.
    assert_eq!((&item["kind"], &item["insertTextFormat"]), (&json!(1), &json!(1)));
    assert_eq!((&item["sortText"], &item["preselect"]), (&json!("!0"), &Value::Null));
    assert_eq!(item["documentation"]["value"], "```rust\nlet x = compute($a);\n```");
    assert_eq!(accepted("    let x = com", &menu), "    let x = compute($a);");
}

#[tokio::test]
async fn an_entry_of_several_lines_has_its_own_indentation() {
    let engine = Scripted::saying("\n        1\n    }\n\nfn next() {\n");
    let (mut helix, at) = helix(engine, "impl A {\n    fn one() -> u8 {$0\n}\n").await;
    let menu = menu(&mut helix, at, INVOKED).await;
    let item = &menu["items"][0];
    assert_eq!(item["textEdit"]["newText"], "\n        1\n    }");
    assert_eq!((&item["label"], &item["detail"]), (&json!("1 …"), &json!("tandem")));
}

#[tokio::test]
async fn behind_a_whole_name_the_same_name_of_another_server_sorts_before() {
    let (mut helix, at) = helix(Scripted::saying("(a);\n"), "    let x = compute$0\n").await;
    let menu = menu(&mut helix, at, INVOKED).await;
    assert_eq!(menu["items"][0]["sortText"], "~0");
    assert_eq!(menu["items"][0]["filterText"], "compute");
}

#[tokio::test]
async fn lines_have_the_files_ends_and_closers_behind_the_cursor_are_replaced() {
    let engine = Scripted::saying("\n\t\tone(a);\n\t}\n\nfn next() {\n");
    let (mut helix, at) = helix(engine, "impl A {\r\n\tfn one() {$0}\r\n}\r\n").await;
    let menu = menu(&mut helix, at, INVOKED).await;
    assert_eq!(accepted("\tfn one() {}", &menu), "\tfn one() {\r\n\t\tone(a);\r\n\t}");
    let preview = &menu["items"][0]["documentation"]["value"];
    assert_eq!(preview, "```rust\nfn one() {\n\tone(a);\n}\n```");
}

#[tokio::test]
async fn a_word_that_is_typed_on_keeps_its_request_and_is_answered_as_it_is_then() {
    let wait = Arc::new(Notify::new());
    let engine = Scripted::new({
        let wait = wait.clone();
        move |request| {
            let at =
                "compute(a);\n".strip_prefix(request.prompt.middle.trim_start_matches("let x = "));
            vec![Step::Wait(wait.clone()), Step::Text(at.unwrap_or_default().into())]
        }
    });
    let (mut helix, at) = helix(engine.clone(), "let x = co$0;\n").await;
    let id = ask(&mut helix, at, INVOKED).await;
    engine.asked(1).await;
    // Helix asks for nothing new while a request is open.
    helix.insert(0, 10, "m").await;
    engine.asked(2).await;
    helix.insert(0, 11, "p").await;
    engine.asked(3).await;
    engine.cancelled(2).await;
    wait.notify_one();
    let menu = helix.answer(id).await["result"].clone();
    let item = &menu["items"][0];
    // In the positions of the text that was asked about: that is what the editor applies it to.
    let range = json!({"start": {"line": 0, "character": 8}, "end": {"line": 0, "character": 11}});
    assert_eq!(item["textEdit"]["range"], range);
    assert_eq!(item["filterText"], "compute");
    assert_eq!(accepted("let x = co;", &menu), "let x = compute(a);");
}

#[tokio::test]
async fn a_request_goes_with_its_word() {
    // A blank ends the word, an insertion elsewhere has nothing to do with it, a deletion takes it back.
    let changes = [((0, 10), (0, 10), " "), ((1, 0), (1, 0), "a"), ((0, 9), (0, 10), "")];
    for (from, to, text) in changes {
        let wait = Arc::new(Notify::new());
        let engine = Scripted::new(move |_| vec![Step::Wait(wait.clone())]);
        let (mut helix, at) = helix(engine.clone(), "let x = co$0\n\n").await;
        let id = ask(&mut helix, at, INVOKED).await;
        engine.asked(1).await;
        helix.replace(from, to, text).await;
        assert_eq!(helix.answer(id).await["result"], Value::Null, "{text:?}");
        engine.cancelled(1).await;
    }
}

#[tokio::test]
async fn of_two_requests_for_one_place_the_newer_is_answered() {
    let wait = Arc::new(Notify::new());
    let engine = Scripted::new({
        let wait = wait.clone();
        move |_| vec![Step::Wait(wait.clone()), Step::Text("mpute(a);\n".into())]
    });
    let (mut helix, at) = helix(engine.clone(), "let x = co$0\n").await;
    let older = ask(&mut helix, at, INVOKED).await;
    engine.asked(1).await;
    let newer = ask(&mut helix, at, INCOMPLETE).await;
    assert_eq!(helix.answer(older).await["result"], Value::Null);
    engine.asked(2).await;
    // The key comes after both, so that only the newer goes on with the word.
    helix.insert(0, 10, "m").await;
    engine.asked(3).await;
    engine.cancelled(2).await;
    wait.notify_one();
    assert!(helix.answer(newer).await["result"]["items"].is_array());
}

#[tokio::test]
async fn an_empty_list_is_asked_for_again_only_where_the_model_was_asked() {
    let expect = |incomplete: bool| json!({"isIncomplete": incomplete, "items": []});
    // The next key may find something. Other servers' menus are still open then.
    let (mut helix, at) = helix(Scripted::saying(""), "let x = co$0\n").await;
    assert_eq!(menu(&mut helix, at, CHARACTER).await, expect(true));
    // In a comment it does not, and Helix takes an empty incomplete list for the first answer of all.
    let (mut helix, at) = self::helix(Scripted::saying("mpute\n"), "let x = 1; // co$0\n").await;
    assert_eq!(menu(&mut helix, at, CHARACTER).await, expect(false));
    // It goes on asking with every key where it was told to before.
    assert_eq!(menu(&mut helix, at, INCOMPLETE).await, expect(true));

    let (mut helix, at) = self::helix(Scripted::saying("mpute(a);\n"), "let x = co$0\n").await;
    assert_eq!(menu(&mut helix, at, INVOKED).await["isIncomplete"], true);
}

#[tokio::test]
async fn a_person_who_asks_gets_up_to_three_entries_and_a_word_being_typed_one() {
    let fork = |at, text: &str| Fork { at, text: text.into(), ln: -1.0, behind: 0.0 };
    let engine = Scripted::new(move |request| {
        let middle = &request.prompt.middle;
        let rest =
            if middle.ends_with("two") || middle.ends_with("six") { "(b);\n" } else { "one(a);\n" };
        let forks = vec![fork(0, "two"), fork(0, "six"), fork(0, "seven")];
        vec![Step::Text(rest.into()), Step::Forks(forks)]
    });
    let labels = |menu: Value| -> Vec<String> {
        let items = menu["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["label"].as_str().expect("a label").to_owned()).collect()
    };
    let three = ["one(a);", "two(b);", "six(b);"];
    // A key that triggers says so; without a word, nothing but a person is left.
    let (mut helix, at) = helix(engine.clone(), "let x = $0\n").await;
    assert_eq!(labels(menu(&mut helix, at, CHARACTER).await), ["one(a);"]);
    let asked = menu(&mut helix, at, INVOKED).await;
    assert_eq!(labels(asked.clone()), three);
    let order = asked["items"].as_array().expect("items").iter().map(|item| &item["sortText"]);
    assert_eq!(order.collect::<Vec<_>>(), ["!0", "!1", "!2"]);

    // Behind a word, Helix asks in the same way for a person as for a key. Only a person asks twice.
    let (mut helix, at) = self::helix(engine, "let x = a$0\n").await;
    let one = ["aone(a);"];
    assert_eq!(labels(menu(&mut helix, at, INVOKED).await), one);
    // What is asked for again with each key does not count.
    helix.insert(at.0, at.1, "b").await;
    let at = (at.0, at.1 + 1);
    assert_eq!(labels(menu(&mut helix, at, INCOMPLETE).await), ["abone(a);"]);
    assert_eq!(labels(menu(&mut helix, at, INVOKED).await), ["abone(a);"]);
    assert_eq!(labels(menu(&mut helix, at, INVOKED).await).len(), 3);
}

#[tokio::test]
async fn a_menu_that_a_person_asked_for_stays_theirs_while_the_word_is_typed() {
    use tandem::engine::{Confidence, Figures};
    // The model is in doubt: it is shown to none but a person who asks.
    let doubt = Confidence { first: -3.0, least: -3.0, mean: -3.0, tokens: 3 };
    let figures = Figures { confidence: Some(doubt), ..Figures::default() };
    let engine =
        Scripted::new(move |_| vec![Step::Text("compute(a);\n".into()), Step::Done(figures)]);
    let (mut helix, at) = helix(engine, "let x = $0\n").await;
    assert_eq!(menu(&mut helix, at, CHARACTER).await["items"], json!([]));
    assert_eq!(menu(&mut helix, at, INVOKED).await["items"][0]["label"], "compute(a);");
    helix.insert(at.0, at.1, "c").await;
    let on = menu(&mut helix, (at.0, at.1 + 1), INCOMPLETE).await;
    assert_eq!(on["items"][0]["label"], "compute(a);");
}
