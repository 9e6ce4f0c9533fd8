//! The completer on a scripted engine.

use super::*;
use crate::engine::scripted::{Scripted, Step};
use crate::engine::{Fork, Request, Stop};

struct Editor {
    engine: Arc<Scripted>,
    completer: Completer,
}

fn editor(engine: Arc<Scripted>) -> Editor {
    Editor { completer: Completer::new(engine.clone()), engine }
}

impl Editor {
    /// The suggestion at `$0`, or "nothing", and whether the model ran for it.
    async fn shows(&self, fixture: &str) -> (String, Source) {
        let cursor = fixture.find("$0").expect("a cursor");
        let text = Rope::from_str(&fixture.replace("$0", ""));
        let place = Place {
            document: "a",
            path: "",
            language: "rust",
            text: &text,
            cursor,
            invoked: false,
        };
        let completion = self.completer.complete(place, Style::default()).await;
        let text = completion.suggestion.map_or("nothing".to_owned(), |s| s.text);
        (text, completion.source)
    }
}

#[tokio::test]
async fn typing_along_a_suggestion_runs_no_model() {
    let editor = editor(Scripted::saying(" = compute(a);\n"));
    assert_eq!(editor.shows("let x$0\n").await, (" = compute(a);".into(), Source::Model));
    assert_eq!(editor.shows("let x = co$0\n").await, ("mpute(a);".into(), Source::Cache));
    assert_eq!(editor.shows("let x = $0\n").await, ("compute(a);".into(), Source::Cache));
    assert_eq!(editor.engine.seen().requests.len(), 1);
}

#[tokio::test]
async fn a_bracket_that_the_editor_closes_is_typed_along_too() {
    let editor = editor(Scripted::saying(" = compute(a);\n"));
    editor.shows("let x$0\n").await;
    let (text, source) = editor.shows("let x = compute($0)\n").await;
    assert_eq!((text.as_str(), source), ("a);", Source::Cache));
}

#[tokio::test]
async fn typing_something_else_asks_the_model_and_going_back_does_not() {
    let editor = editor(Scripted::saying(" = compute(a);\n"));
    editor.shows("let x$0\n").await;
    assert_eq!(editor.shows("let x:$0\n").await.1, Source::Model);
    assert_eq!(editor.shows("let x$0\n").await.1, Source::Cache);
    assert_eq!(editor.shows("let y$0\n").await.1, Source::Model);
}

#[tokio::test]
async fn an_edit_elsewhere_makes_old_answers_worthless() {
    let editor = editor(Scripted::saying(" = compute(a);\n"));
    editor.shows("let x$0\nfoo\n").await;
    assert_eq!(editor.shows("let x = $0\nbar\n").await.1, Source::Model);
}

#[tokio::test]
async fn inside_a_word_there_is_silence() {
    let editor = editor(Scripted::saying("x"));
    assert_eq!(editor.shows("let fo$0o\n").await, ("nothing".into(), Source::Nothing));
    assert_eq!(editor.engine.seen().requests.len(), 0);
}

#[tokio::test]
async fn a_block_is_shown_whole_and_the_engine_is_let_go_at_its_end() {
    let text = "\n    let y = 1;\n    y\n}\n\nfn g() {\n    never";
    let endless = Arc::new(tokio::sync::Notify::new());
    let engine = Scripted::new(move |_| {
        let mut steps: Vec<Step> =
            text.split_inclusive('\n').map(|l| Step::Text(l.into())).collect();
        steps.push(Step::Wait(endless.clone()));
        steps
    });
    let editor = editor(engine);
    let (shown, _) = editor.shows("fn f() {$0\n").await;
    assert_eq!(shown, "\n    let y = 1;\n    y\n}");
    editor.engine.cancelled(1).await;
}

/// An engine that knows one text and goes on in it wherever it is asked.
fn author(text: &'static str) -> Arc<Scripted> {
    Scripted::new(move |request| {
        let before = memory::before(&request.prompt);
        let rest = text.strip_prefix(before.as_str()).unwrap_or_default();
        let line = request.stop == Stop::Line;
        let end = rest.find('\n').filter(|_| line).map_or(rest.len(), |at| at + 1);
        rest[..end].split_inclusive('\n').map(|line| Step::Text(line.into())).collect()
    })
}

#[tokio::test]
async fn accept_and_enter_are_answered_from_what_was_decoded_ahead() {
    let editor = editor(author("let x = 1;\nlet y = 2;\nlet z = 3;\nlet w = 4;\n"));
    assert_eq!(editor.shows("let x$0\n").await, (" = 1;".into(), Source::Model));
    editor.engine.worked_ahead(1).await;
    assert_eq!(editor.shows("let x = 1;$0\n").await, ("nothing".into(), Source::Nothing));
    assert_eq!(editor.shows("let x = 1;\n$0\n").await, ("let y = 2;".into(), Source::Cache));
    assert_eq!(editor.engine.seen().requests.len(), 1);
    // And ahead of that one in turn.
    editor.engine.worked_ahead(2).await;
    assert_eq!(editor.shows("let x = 1;\nlet y = 2;\n$0\n").await.1, Source::Cache);
}

#[tokio::test]
async fn nothing_goes_on_ahead_when_that_is_turned_off() {
    let editor = editor(Scripted::saying(" = 1;\n"));
    let text = Rope::from_str("let x");
    let place =
        Place { document: "a", path: "", language: "rust", text: &text, cursor: 5, invoked: false };
    let style = Style { ahead: false, ..Style::default() };
    editor.completer.opened(place.clone(), style);
    editor.completer.complete(place, style).await;
    assert_eq!(editor.engine.seen().background.len(), 0);
}

#[tokio::test]
async fn a_grown_middle_gets_a_nearer_anchor_in_the_background() {
    let editor = editor(Scripted::saying("x"));
    let lines = |count: usize| "let some = thing;\n".repeat(count);
    let shows = |count: usize| format!("{}let a$0\nend\n", lines(count));
    editor.shows(&shows(4)).await;
    editor.shows(&shows(50)).await;
    editor.engine.worked_ahead(1).await;
    let warmed = editor.engine.seen().background;
    let warm: Vec<_> = warmed.iter().filter(|request| request.max_tokens == 0).collect();
    assert_eq!(warm.len(), 1);
    let middle = |requests: &[Request]| requests.last().expect("one").prompt.middle.len();
    assert!(middle(&editor.engine.seen().requests) > 600);
    loop {
        // The swap comes with the end of that work, which the engine tells us first.
        tokio::task::yield_now().await;
        let grown = format!("{}let a{}$0\nend\n", lines(50), editor.engine.seen().requests.len());
        editor.shows(&grown).await;
        if middle(&editor.engine.seen().requests) < 200 {
            break;
        }
    }
}

#[tokio::test]
async fn an_opened_document_is_made_ready() {
    let editor = editor(Scripted::saying("x"));
    let text = Rope::from_str(&"fn f() {}\n".repeat(30));
    let place =
        Place { document: "a", path: "", language: "rust", text: &text, cursor: 0, invoked: false };
    editor.completer.opened(place, Style::default());
    editor.engine.worked_ahead(1).await;
    let seen = editor.engine.seen();
    assert_eq!(seen.background[0].prompt.prefix.len(), text.len_bytes());
    assert_eq!((seen.background[0].max_tokens, seen.requests.len()), (0, 0));
}

#[tokio::test]
async fn a_block_that_takes_long_is_shown_as_far_as_it_is() {
    let endless = Arc::new(tokio::sync::Notify::new());
    let engine = Scripted::new(move |request| {
        let now = request.urgency == crate::engine::Urgency::Now;
        let text = if now { "\n    let y = 1;\n    let z" } else { " = 2;\n}" };
        vec![Step::Text(text.into()), Step::Wait(endless.clone())]
    });
    let editor = editor(engine);
    let text = Rope::from_str("fn f() {\n");
    let place =
        Place { document: "a", path: "", language: "rust", text: &text, cursor: 8, invoked: false };
    let style = Style { block_wait: Duration::ZERO, ..Style::default() };
    let shown = editor.completer.complete(place, style).await;
    let shown_text = shown.suggestion.map(|suggestion| suggestion.text);
    assert_eq!(shown_text.as_deref(), Some("\n    let y = 1;"));
    editor.engine.cancelled(1).await;
    assert_eq!(editor.engine.seen().background[0].prompt.middle, "fn f() {\n    let y = 1;");
}

#[tokio::test]
async fn what_another_file_defines_is_told_before_the_anchor() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.rs"), "pub fn sell(price: u32) {}\n").unwrap();
    let workspace = Arc::new(Workspace::default());
    workspace.open_folders(vec![folder.path().to_owned()]);
    workspace.settle();
    let engine = Scripted::saying("x");
    let completer = Completer::within(engine.clone(), workspace);
    let text = Rope::from_str("use shop::sell;\n\nfn f() {\n    ");
    let (document, cursor) = ("a", text.len_bytes());
    let place =
        Place { document, path: "a.rs", language: "rust", text: &text, cursor, invoked: false };
    completer.complete(place.clone(), Style::default()).await;
    assert_eq!(engine.seen().requests[0].prompt.context, "// shop: sell(price)\n");
    completer.forget("a");
    completer.complete(place, Style { context: 0, ..Style::default() }).await;
    assert_eq!(engine.seen().requests[1].prompt.context, "");
}

#[tokio::test]
async fn what_the_model_doubts_is_shown_only_to_who_asks_or_types_its_beginning() {
    let confidence = Some(Confidence::and(None, 0.2_f32.ln()));
    let figures = Figures { confidence, ..Figures::default() };
    let editor =
        editor(Scripted::new(move |_| vec![Step::Text(" = 1;".into()), Step::Done(figures)]));
    let text = Rope::from_str("let x");
    let place = |text, cursor, invoked| Place {
        document: "a",
        path: "",
        language: "rust",
        text,
        cursor,
        invoked,
    };
    let style = Style { confidence: 50, ahead: false, candidates: 1, ..Style::default() };
    for _ in 0..2 {
        let shown = editor.completer.complete(place(&text, 5, false), style).await;
        assert_eq!(shown.suggestion, None);
    }
    let asked = editor.completer.complete(place(&text, 5, true), style).await;
    assert_eq!(asked.suggestion.map(|s| s.text).as_deref(), Some(" = 1;"));
    let typed = Rope::from_str("let x =");
    let along = editor.completer.complete(place(&typed, 7, false), style).await;
    assert_eq!(along.suggestion.map(|s| s.text).as_deref(), Some(" 1;"));
    assert_eq!(editor.engine.seen().requests.len(), 1);
}

#[tokio::test]
async fn in_a_comment_there_is_silence_unless_that_is_wanted() {
    let editor = editor(Scripted::saying("x"));
    assert_eq!(editor.shows("// let x$0\n").await, ("nothing".into(), Source::Nothing));
    let text = Rope::from_str("// let x");
    let place =
        Place { document: "a", path: "", language: "rust", text: &text, cursor: 8, invoked: false };
    let style = Style { in_strings_and_comments: true, ..Style::default() };
    assert_eq!(editor.completer.complete(place, style).await.source, Source::Model);
}

#[tokio::test]
async fn a_failing_engine_is_an_empty_completion() {
    let editor = editor(Scripted::new(|_| vec![Step::Fail("broken".into())]));
    assert_eq!(editor.shows("let x$0\n").await, ("nothing".into(), Source::Model));
}

/// A model that would say `a()`, or nearly `b()`, ` a()`, or stop.
fn undecided() -> Arc<Scripted> {
    Scripted::new(|request| {
        let fork = |at, text: &str| Fork { at, text: text.into(), ln: -1.0, behind: 0.0 };
        let says = |text: &str| Step::Text(text.into());
        if request.prompt.middle.ends_with("= b") {
            vec![says("();\n")]
        } else if request.prompt.middle.ends_with("=  a") {
            vec![says("();")]
        } else {
            let forks = vec![fork(0, " a"), fork(0, "a"), fork(0, "b"), fork(3, "")];
            vec![says("a();\n"), Step::Forks(forks)]
        }
    })
}

async fn candidates(editor: &Editor, fixture: &str, invoked: bool) -> Vec<String> {
    let cursor = fixture.find("$0").expect("a cursor");
    let text = Rope::from_str(&fixture.replace("$0", ""));
    let place = Place { document: "a", path: "", language: "rust", text: &text, cursor, invoked };
    let completion = editor.completer.complete(place, Style::default()).await;
    completion.suggestion.into_iter().chain(completion.others).map(|s| s.text).collect()
}

#[tokio::test]
async fn who_asks_gets_three_different_candidates_and_who_types_one() {
    let editor = editor(undecided());
    assert_eq!(candidates(&editor, "let x = $0\n", false).await, ["a();"]);
    // The first is what was shown; the model is asked again for what it could have said.
    assert_eq!(candidates(&editor, "let x = $0\n", true).await, ["a();", "b();", "a()"]);
    // Fresh as well.
    assert_eq!(candidates(&editor, "let y = $0\n", true).await, ["a();", "b();", "a()"]);
}

#[tokio::test]
async fn a_candidate_is_typed_along_like_any_suggestion() {
    let editor = editor(undecided());
    candidates(&editor, "let x = $0\n", true).await;
    let asked = editor.engine.seen().requests.len();
    assert_eq!(editor.shows("let x = b$0\n").await, ("();".into(), Source::Cache));
    assert_eq!(editor.shows("let x = b($0\n").await, (");".into(), Source::Cache));
    assert_eq!(editor.shows("let x = a$0\n").await, ("();".into(), Source::Cache));
    assert_eq!(editor.engine.seen().requests.len(), asked);
}

#[tokio::test]
async fn a_name_that_occurs_nowhere_is_shown_only_when_the_model_is_very_sure() {
    let folder = tempfile::tempdir().unwrap();
    let names: String = (0..super::names::MANY).map(|n| format!("name_{n} ")).collect();
    std::fs::write(folder.path().join("names.rs"), format!("// {names}")).unwrap();
    let workspace = Arc::new(Workspace::default());
    workspace.open_folders(vec![folder.path().to_owned()]);
    workspace.settle();
    for (says, percent, shown) in [
        ("name_7();", 0.7, true),
        ("near();", 0.7, true),
        ("nowhere();", 0.7, false),
        ("nowhere();", 0.95, true),
        ("name_7(\"a.nowhere\");", 0.7, true),
    ] {
        let confidence = Some(Confidence::and(None, f32::ln(percent)));
        let figures = Figures { confidence, ..Figures::default() };
        let engine = Scripted::new(move |_| vec![Step::Text(says.into()), Step::Done(figures)]);
        let completer = Completer::within(engine, workspace.clone());
        let text = Rope::from_str("near(); let x = y.");
        let (document, cursor) = ("a", text.len_bytes());
        let place =
            Place { document, path: "a.rs", language: "rust", text: &text, cursor, invoked: false };
        let completion = completer.complete(place, Style::default()).await;
        assert_eq!(completion.suggestion.is_some(), shown, "{says}, {percent}");
    }
}

#[tokio::test]
async fn a_name_that_occurs_nowhere_is_tried_again_among_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let names: String = (0..super::names::MANY).map(|n| format!("name_{n} ")).collect();
    let text = format!("// {names}\nfn name_7() {{}}\n");
    std::fs::write(folder.path().join("names.rs"), text).unwrap();
    let workspace = Arc::new(Workspace::default());
    workspace.open_folders(vec![folder.path().to_owned()]);
    workspace.settle();
    let engine = Scripted::new(|request| {
        let confidence = Some(Confidence::and(None, f32::ln(0.7)));
        let figures = Figures { confidence, ..Figures::default() };
        let says = match &request.names[..] {
            [] => "near(1).nowhere();",
            names => names.iter().find(|name| *name == "name_7").expect("one that is defined"),
        };
        vec![Step::Text(says.into()), Step::Done(figures)]
    });
    let completer = Completer::within(engine.clone(), workspace);
    let text = Rope::from_str("near(); let x = y.");
    let (document, cursor) = ("a", text.len_bytes());
    let place =
        Place { document, path: "a.rs", language: "rust", text: &text, cursor, invoked: false };
    let completion = completer.complete(place, Style::default()).await;
    assert_eq!(completion.suggestion.map(|s| s.text).as_deref(), Some("near(1).name_7"));
    let requests = engine.seen().requests;
    assert!(requests[1].prompt.middle.ends_with("= y.near(1)."));
    assert!(requests[1].names.is_sorted() && requests[1].names.contains(&"near".to_owned()));
}

#[tokio::test]
async fn a_name_of_another_type_is_tried_again_among_those_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let shop = "pub struct Shop;\nimpl Shop {\n    pub fn sell(&self) {}\n}\n\
                pub struct Till;\nimpl Till {\n    pub fn count(&self) {}\n}\n";
    std::fs::write(folder.path().join("shop.rs"), shop).unwrap();
    let workspace = Arc::new(Workspace::default());
    workspace.open_folders(vec![folder.path().to_owned()]);
    workspace.settle();
    for (says, sure_again, expected) in [
        ("count();", 0.9, Some("sell")),
        ("count();", 0.1, None),
        ("sell();", 0.9, Some("sell();")),
        // Of a library, for all that is known.
        ("clone();", 0.9, Some("clone();")),
        ("sell().count();", 0.9, Some("sell().count();")),
    ] {
        let engine = Scripted::new(move |request| {
            let (says, sure) = match &request.names[..] {
                [] => (says, 0.95),
                names => (names[0].as_str(), sure_again),
            };
            let confidence = Some(Confidence::and(None, f32::ln(sure)));
            let figures = Figures { confidence, ..Figures::default() };
            vec![Step::Text(says.into()), Step::Done(figures)]
        });
        let completer = Completer::within(engine.clone(), workspace.clone());
        let text = Rope::from_str("fn f(shop: &Shop) {\n    shop.\n}\n");
        let (document, cursor) = ("a", "fn f(shop: &Shop) {\n    shop.".len());
        let place =
            Place { document, path: "a.rs", language: "rust", text: &text, cursor, invoked: false };
        let completion = completer.complete(place, Style::default()).await;
        assert_eq!(completion.suggestion.map(|s| s.text).as_deref(), expected, "{says}");
        let names = engine.seen().requests.iter().map(|it| it.names.join(" ")).collect::<Vec<_>>();
        let again = if says == "count();" { vec!["", "sell"] } else { vec![""] };
        assert_eq!(names, again, "{says}");
    }
}

/// A model that goes on with a loop, then with its body.
fn loops() -> Arc<Scripted> {
    Scripted::new(|request| {
        let body = request.prompt.middle.ends_with('{');
        vec![Step::Text(if body { "\n        f(x);\n    }\n}\n" } else { "x in y {\n" }.into())]
    })
}

const LOOP: &str = "fn f() {\n    for $0\n}\n";

#[tokio::test]
async fn a_line_that_opens_a_block_brings_the_block_with_the_next_key() {
    let editor = editor(loops());
    assert_eq!(editor.shows(LOOP).await, ("x in y {".into(), Source::Model));
    editor.engine.worked_ahead(1).await;
    let block = " in y {\n        f(x);\n    }";
    let typed = LOOP.replace("$0", "x$0");
    assert_eq!(editor.shows(&typed).await, (block.into(), Source::Cache));
    assert_eq!(editor.engine.seen().requests.len(), 1);
}

#[tokio::test]
async fn who_asks_waits_for_the_block_that_a_line_opens() {
    let editor = editor(loops());
    let all = candidates(&editor, LOOP, true).await;
    assert_eq!(all, ["x in y {\n        f(x);\n    }"]);
}
