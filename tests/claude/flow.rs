//! Asking through the whole server: an editor in this process, a workspace on the disk, the API's
//! stand-in. What leaves is what was shown, or nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tandem::ask::ledger::{self, Ledger};
use tandem::ask::papers::Papers;
use tandem::engine::scripted::Scripted;
use tandem::journal::Journal;
use tandem::lsp::{Parts, SharedSettings};
use tandem::settings::Layers;
use tempfile::TempDir;

use crate::harness::Editor;
use crate::stand_in::{KEY, Script, StandIn};

const SHOW: &str = "window/showDocument";
const CHOOSE: &str = "window/showMessageRequest";
const TOLD: &str = "window/showMessage";

/// A workspace, its user's folders, and an editor.
struct Desk {
    home: TempDir,
    editor: Editor,
    stand_in: StandIn,
}

/// What an editor shows of a request before it is sent.
struct Shown {
    preview: String,
    path: PathBuf,
    /// Of the message with the choices.
    id: Value,
    choices: Vec<String>,
}

const POOL: &str = "use crate::lock::take;\n\npub fn drain(n: u32) -> u32 {\n    take(n) + 1\n}\n";
const LOCK: &str = "pub fn take(n: u32) -> u32 {\n    n - 1\n}\n";

impl Desk {
    async fn with(script: Script, ask: impl FnOnce(&Path) -> Value, capabilities: Value) -> Desk {
        let stand_in = StandIn::new([script]);
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("work");
        fs::create_dir_all(root.join("src")).expect("a folder");
        fs::write(root.join("src/pool.rs"), POOL).expect("a file");
        fs::write(root.join("src/lock.rs"), LOCK).expect("a file");
        let mut settings = json!({
            "base_url": stand_in.address,
            "key_helper": format!("echo {KEY}"),
        });
        merge(&mut settings, ask(&root));
        let user = Ok(Layers { user: json!({"ask": settings}), ..Layers::default() });
        let mut editor = Editor::start_from(Parts {
            engine: Scripted::saying(""),
            settings: SharedSettings::default(),
            user,
            store: None,
            journal: Journal::default(),
            ledger: Ledger::at(Some(home.path().join("ledger"))),
            papers: Papers::at(Some(home.path().join("asks"))),
        });
        let mut all = json!({
            "textDocument": {"inlineCompletion": {}},
            "window": {"showDocument": {"support": true}},
            "workspace": {"workspaceEdit": {
                "documentChanges": true,
                "changeAnnotationSupport": {},
                "resourceOperations": ["create"],
            }},
        });
        merge(&mut all, capabilities);
        // A second folder, in which another file has the same name and may not leave.
        let other = home.path().join("other");
        fs::create_dir_all(other.join("src")).expect("a folder");
        fs::write(other.join(".gitignore"), "src/pool.rs\n").expect("a file");
        fs::write(other.join("src/pool.rs"), "fn hidden_in_the_other() {}\n").expect("a file");
        let folders =
            json!([{"uri": uri(&root), "name": "work"}, {"uri": uri(&other), "name": "other"}]);
        editor.initialize(json!({"capabilities": all, "workspaceFolders": folders})).await;
        let mut desk = Desk { home, editor, stand_in };
        let pool = desk.uri("src/pool.rs");
        desk.editor.open(&pool, "rust", POOL).await;
        desk
    }

    async fn usual(script: Script) -> Desk {
        Desk::with(script, |_| json!({}), json!({})).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("work").join(name)
    }

    fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    /// The code actions at a place.
    async fn actions(&mut self, uri: &str, line: u32, character: u32) -> Vec<Value> {
        let at = json!({"line": line, "character": character});
        let params = json!({
            "textDocument": {"uri": uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": []},
        });
        let answer = self.editor.request("textDocument/codeAction", params).await;
        answer["result"].as_array().cloned().expect("actions")
    }

    async fn execute(&mut self, command: &Value) {
        let mut params = json!({"command": command["command"]});
        if !command["arguments"].is_null() {
            params["arguments"] = command["arguments"].clone();
        }
        let answer = self.editor.request("workspace/executeCommand", params).await;
        assert_eq!(answer["error"], Value::Null);
    }

    /// Asks about `drain`, or what a command says.
    async fn ask(&mut self, arguments: Value) {
        let mut all = json!({
            "uri": self.uri("src/pool.rs"),
            "range": {"start": {"line": 3, "character": 6}, "end": {"line": 3, "character": 6}},
            "question": "why is this one too few?",
        });
        merge(&mut all, arguments);
        self.execute(&json!({"command": "tandem.ask", "arguments": [all]})).await;
    }

    /// The next document that the server wants shown.
    async fn document(&mut self) -> PathBuf {
        let message = self.editor.wait_for(|m| m["method"] == SHOW).await;
        self.editor
            .send(json!({"jsonrpc": "2.0", "id": message["id"], "result": {"success": true}}))
            .await;
        let uri = message["params"]["uri"].as_str().expect("an address").to_owned();
        path(&uri)
    }

    async fn preview(&mut self) -> Shown {
        let path = self.document().await;
        let preview = fs::read_to_string(&path).expect("a preview");
        let message = self.editor.wait_for(|m| m["method"] == CHOOSE).await;
        let actions = message["params"]["actions"].as_array().cloned().unwrap_or_default();
        let choices =
            actions.iter().filter_map(|a| a["title"].as_str()).map(str::to_owned).collect();
        Shown { preview, path, id: message["id"].clone(), choices }
    }

    async fn choose(&mut self, id: &Value, title: Option<&str>) {
        let result = title.map_or(Value::Null, |title| json!({"title": title}));
        self.editor.send(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    /// The answer to the next question that has this among its choices.
    async fn say(&mut self, title: &str) {
        let message = self.editor.wait_for(|m| m["method"] == CHOOSE).await;
        let actions = message["params"]["actions"].to_string();
        assert!(actions.contains(title), "{message}");
        self.choose(&message["id"], Some(title)).await;
    }

    /// Accepts the next report of progress; its token.
    async fn report(&mut self) -> Value {
        let created =
            self.editor.wait_for(|m| m["method"] == "window/workDoneProgress/create").await;
        let reply = json!({"jsonrpc": "2.0", "id": created["id"], "result": null});
        self.editor.send(reply).await;
        created["params"]["token"].clone()
    }

    /// Asks, says yes, and reads the answer.
    async fn answered(&mut self, arguments: Value) -> (Shown, PathBuf, String) {
        self.ask(arguments).await;
        let shown = self.preview().await;
        self.choose(&shown.id, Some(&shown.choices[0])).await;
        let path = self.document().await;
        let text = fs::read_to_string(&path).expect("an answer");
        (shown, path, text)
    }

    fn requests(&self) -> Vec<ledger::Request> {
        let mut requests = Vec::new();
        ledger::read(&self.home.path().join("ledger"), |request| requests.push(request))
            .expect("a ledger");
        requests
    }
}

fn text(answer: &str) -> Script {
    Script::Text(answer.to_owned())
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn uri(path: &Path) -> String {
    url::Url::from_file_path(path).expect("a path").into()
}

fn path(uri: &str) -> PathBuf {
    url::Url::parse(uri).expect("a URL").to_file_path().expect("a file")
}

/// The request's bytes as the preview shows them.
fn shown_body(preview: &str) -> &str {
    let (_, rest) = preview.rsplit_once("## The request, byte for byte\n\n").expect("the body");
    let (fence, rest) = rest.split_once("json\n").expect("a fence");
    rest.split_once(&format!("\n{fence}\n")).expect("its end").0
}

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
    let edited = text.replace("- [x] `src/lock.rs`", "- [ ] `src/lock.rs`");
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
    assert_eq!(told["message"], "tandem: one file is changed");
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
    assert_eq!(desk.editor.told(TOLD).await["message"], "tandem: one file is changed");
    desk.execute(&command).await;
    assert_eq!(desk.editor.told(TOLD).await["message"], "tandem: there are no edits to apply");
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
