//! What the server shows after an accept, of a whole suggestion or of a part.

use std::sync::Arc;

use serde_json::json;
use tandem::engine::scripted::{Scripted, Step};
use tandem::engine::{Stop, Urgency};

use crate::harness::{Editor, FILE};

/// An engine that knows one text, and goes on in it wherever it is asked.
fn author(text: &'static str) -> Arc<Scripted> {
    Scripted::new(move |request| {
        let before = format!("{}{}", request.prompt.prefix, request.prompt.middle);
        let rest = text.strip_prefix(before.as_str()).unwrap_or_default();
        let line = request.stop == Stop::Line;
        let end = rest.find('\n').filter(|_| line).map_or(rest.len(), |at| at + 1);
        rest[..end].split_inclusive('\n').map(|line| Step::Text(line.into())).collect()
    })
}

fn one(text: &str) -> Option<Vec<String>> {
    Some(vec![text.to_owned()])
}

#[tokio::test]
async fn enter_after_an_accepted_line_is_answered_from_what_was_decoded_ahead() {
    let engine = author("a = b(c)\nd = e(f)\n");
    let mut editor = Editor::with_file(engine.clone(), "a\n").await;
    assert_eq!(editor.ghost(0, 1).await, one("a = b(c)"));
    engine.worked_ahead(1).await;
    editor.replace((0, 0), (0, 1), "a = b(c)").await;
    editor.insert(0, 8, "\n").await;
    assert_eq!(editor.ghost(1, 0).await, one("d = e(f)"));
    let status = editor.status().await;
    assert_eq!((&status["accepted"], &status["accepted_characters"]), (&json!(1), &json!(7)));
    assert_eq!(engine.seen().requests.len(), 1);
}

#[tokio::test]
async fn just_after_a_single_line_accept_there_is_silence_until_the_next_edit_unless_one_asks() {
    let engine = Scripted::new(|request| {
        let accepted = request.prompt.middle.ends_with("c)");
        vec![Step::Text(if accepted { ".d()\n" } else { " = b(c)\n" }.into())]
    });
    let mut editor = Editor::with_file(engine, "a\n").await;
    editor.ghost(0, 1).await;
    editor.replace((0, 0), (0, 1), "a = b(c)").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    assert_eq!(editor.ghost_asked_for(0, 8).await, one("a = b(c).d()"));
    // Typed by hand, the same text is no accept.
    editor.replace((0, 7), (0, 8), "").await;
    editor.insert(0, 7, ")").await;
    assert_eq!(editor.ghost(0, 8).await, one("a = b(c).d()"));
}

#[tokio::test]
async fn the_rest_of_a_suggestion_taken_word_by_word_stays_and_runs_no_model() {
    let engine = Scripted::saying(" = compute(one, two);\n");
    let mut editor = Editor::with_file(engine.clone(), "let x\n").await;
    let whole = "let x = compute(one, two);";
    assert_eq!(editor.ghost(0, 5).await, one(whole));
    // As an editor takes a word: inserted, or with the line replaced from its start.
    editor.insert(0, 5, " =").await;
    assert_eq!(editor.ghost(0, 7).await, one(whole));
    editor.replace((0, 0), (0, 7), "let x = compute").await;
    assert_eq!(editor.ghost(0, 15).await, one(whole));
    editor.insert(0, 15, "(").await;
    assert_eq!(editor.ghost(0, 16).await, one(whole));
    assert_eq!(engine.seen().requests.len(), 1);
    let status = editor.status().await;
    assert_eq!((&status["shown"], &status["accepted_in_part"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_block_is_taken_line_by_line_with_the_rest_shown_behind_each() {
    for eol in ["\n", "\r\n"] {
        let engine = author("fn f() {\n    let y = 1;\n    let z = 2;\n    y + z\n}\n\nfn g() {\n");
        let text = format!("fn f() {{{eol}{eol}fn g() {{}}{eol}");
        let mut editor = Editor::with_file(engine.clone(), &text).await;
        let block = ["fn f() {", "    let y = 1;", "    let z = 2;", "    y + z", "}"];
        assert_eq!(editor.ghost(0, 8).await, one(&block.join(eol)));
        for taken in 1..block.len() {
            let line = taken as u32 - 1;
            let from = block[taken - 1].len() as u32;
            // Every other line as a replacement from the start of the line before.
            if taken % 2 == 0 {
                let both = format!("{}{eol}{}", block[taken - 1], block[taken]);
                editor.replace((line, 0), (line, from), &both).await;
            } else {
                editor.insert(line, from, &format!("{eol}{}", block[taken])).await;
            }
            let shown = editor.ghost(taken as u32, block[taken].len() as u32).await;
            let rest = block[taken..].join(eol);
            let wanted = if taken + 1 < block.len() { one(&rest) } else { shown.clone() };
            assert_eq!(shown, wanted, "after {taken} lines");
        }
        let seen = engine.seen();
        assert_eq!(seen.requests.iter().filter(|r| r.urgency == Urgency::Now).count(), 1);
        let status = editor.status().await;
        let counts = ["shown", "accepted", "accepted_in_part"].map(|key| status[key].clone());
        assert_eq!(counts, [json!(1), json!(1), json!(3)]);
    }
}

#[tokio::test]
async fn a_rest_that_was_turned_down_is_gone() {
    let engine = author("fn f() {\n    let y = 1;\n    y\n}\n");
    let mut editor = Editor::with_file(engine, "fn f() {\n").await;
    editor.ghost(0, 8).await;
    editor.insert(0, 8, "\n    let y = 1;").await;
    assert_eq!(editor.ghost(1, 14).await, one("    let y = 1;\n    y\n}"));
    editor.insert(1, 14, " ").await;
    assert_eq!(editor.ghost(1, 15).await, Some(vec![]));
    assert_eq!(editor.status().await["turned_down"], 1);
}

#[tokio::test]
async fn a_suggestion_that_was_overtaken_was_never_shown() {
    let go = Arc::new(tokio::sync::Notify::new());
    let waits = go.clone();
    let engine =
        Scripted::new(move |_| vec![Step::Wait(waits.clone()), Step::Text(" = 1;\n".into())]);
    let mut editor = Editor::with_file(engine.clone(), "let x\n").await;
    let first = editor.ask_ghost(0, 5).await;
    engine.asked(1).await;
    editor.insert(0, 5, "y").await;
    go.notify_waiters();
    editor.answer(first).await;
    assert_eq!(editor.status().await["shown"], 0);
}

#[tokio::test]
async fn several_changes_of_one_notification_are_one_accept() {
    let mut editor = Editor::with_file(Scripted::saying(" = one(a);\n"), "let x\nend\n").await;
    editor.ghost(0, 5).await;
    let at = |character: u32| json!({"line": 0, "character": character});
    let piece = |from: u32, text: &str| json!({"range": {"start": at(from), "end": at(from)}, "text": text});
    let params = json!({
        "textDocument": {"uri": FILE, "version": 9},
        "contentChanges": [piece(5, " = "), piece(8, "one"), piece(11, "(a);")],
    });
    editor.notify("textDocument/didChange", params).await;
    assert_eq!(editor.status().await["accepted"], 1);
    // And with the whole text sent.
    editor.open(FILE, "rust", "let x\nend\n").await;
    editor.ghost(0, 5).await;
    let whole = json!({
        "textDocument": {"uri": FILE, "version": 2},
        "contentChanges": [{"text": "let x = one(a);\nend\n"}],
    });
    editor.notify("textDocument/didChange", whole).await;
    assert_eq!(editor.status().await["accepted"], 2);
}

#[tokio::test]
async fn an_entry_of_the_menu_is_an_accept_in_editors_without_ghost_text() {
    let mut helix = Editor::start(Scripted::saying("pute(a);\n"));
    let general = json!({"general": {"positionEncodings": ["utf-8"]}});
    helix.initialize(json!({"capabilities": general})).await;
    helix.open(FILE, "rust", "let x = com\n").await;
    let params = json!({"textDocument": {"uri": FILE}, "position": {"line": 0, "character": 11}});
    helix.request("textDocument/completion", params).await;
    helix.replace((0, 8), (0, 11), "compute(a);").await;
    let status = helix.status().await;
    assert_eq!((&status["shown"], &status["accepted"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_suggestion_behind_the_popups_entry_is_accepted_with_it() {
    let mut editor = Editor::with_file(Scripted::saying("(a);\n"), "    com\n").await;
    let range = json!({"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 7}});
    let params = json!({
        "textDocument": {"uri": FILE},
        "position": {"line": 0, "character": 7},
        "context": {"triggerKind": 2, "selectedCompletionInfo": {"range": range, "text": "compute"}},
    });
    editor.request("textDocument/inlineCompletion", params).await;
    editor.insert(0, 7, "pute(a);").await;
    assert_eq!(editor.status().await["accepted"], 1);
}

#[tokio::test]
async fn another_of_several_suggestions_is_an_accept_too() {
    use tandem::engine::{Figures, Fork};
    let engine = Scripted::new(|request| {
        if request.prompt.middle.ends_with('x') && request.forks > 0 {
            let fork = Fork { at: 0, text: ": u8".into(), ln: -1.0, behind: 0.0 };
            let figures = Figures::default();
            return vec![
                Step::Text(" = 1;\n".into()),
                Step::Forks(vec![fork]),
                Step::Done(figures),
            ];
        }
        vec![Step::Text(" = 2;\n".into())]
    });
    let mut editor = Editor::with_file(engine, "let x\n").await;
    let asked = editor.ghost_asked_for(0, 5).await.expect("an answer");
    assert_eq!(asked, ["let x = 1;", "let x: u8 = 2;"]);
    editor.replace((0, 0), (0, 5), "let x: u8 = 2;").await;
    let status = editor.status().await;
    assert_eq!((&status["shown"], &status["accepted"]), (&json!(1), &json!(1)));
    assert_eq!(status["accepted_characters"], 9);
}
