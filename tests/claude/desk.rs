//! An editor at a workspace with the API's stand-in behind it, and what a person does there.

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

pub const SHOW: &str = "window/showDocument";
pub const CHOOSE: &str = "window/showMessageRequest";
pub const TOLD: &str = "window/showMessage";

/// A workspace, its user's folders, and an editor.
pub struct Desk {
    pub home: TempDir,
    pub editor: Editor,
    pub stand_in: StandIn,
}

/// What an editor shows of a request before it is sent.
pub struct Shown {
    pub preview: String,
    pub path: PathBuf,
    /// Of the message with the choices.
    pub id: Value,
    pub choices: Vec<String>,
}

pub const POOL: &str =
    "use crate::lock::take;\n\npub fn drain(n: u32) -> u32 {\n    take(n) + 1\n}\n";
pub const LOCK: &str = "pub fn take(n: u32) -> u32 {\n    n - 1\n}\n";

impl Desk {
    pub async fn with(
        script: Script,
        ask: impl FnOnce(&Path) -> Value,
        capabilities: Value,
    ) -> Desk {
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

    pub async fn usual(script: Script) -> Desk {
        Desk::with(script, |_| json!({}), json!({})).await
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("work").join(name)
    }

    pub fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    /// The code actions at a place.
    pub async fn actions(&mut self, uri: &str, line: u32, character: u32) -> Vec<Value> {
        let at = json!({"line": line, "character": character});
        let params = json!({
            "textDocument": {"uri": uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": []},
        });
        let answer = self.editor.request("textDocument/codeAction", params).await;
        answer["result"].as_array().cloned().expect("actions")
    }

    pub async fn execute(&mut self, command: &Value) {
        let mut params = json!({"command": command["command"]});
        if !command["arguments"].is_null() {
            params["arguments"] = command["arguments"].clone();
        }
        let answer = self.editor.request("workspace/executeCommand", params).await;
        assert_eq!(answer["error"], Value::Null);
    }

    /// Asks about `drain`, or what a command says.
    pub async fn ask(&mut self, arguments: Value) {
        let mut all = json!({
            "uri": self.uri("src/pool.rs"),
            "range": {"start": {"line": 3, "character": 6}, "end": {"line": 3, "character": 6}},
            "question": "why is this one too few?",
        });
        merge(&mut all, arguments);
        self.execute(&json!({"command": "tandem.ask", "arguments": [all]})).await;
    }

    /// The next document that the server wants shown.
    pub async fn document(&mut self) -> PathBuf {
        let message = self.editor.wait_for(|m| m["method"] == SHOW).await;
        self.editor
            .send(json!({"jsonrpc": "2.0", "id": message["id"], "result": {"success": true}}))
            .await;
        let uri = message["params"]["uri"].as_str().expect("an address").to_owned();
        path(&uri)
    }

    pub async fn preview(&mut self) -> Shown {
        let path = self.document().await;
        let preview = fs::read_to_string(&path).expect("a preview");
        let message = self.editor.wait_for(|m| m["method"] == CHOOSE).await;
        let actions = message["params"]["actions"].as_array().cloned().unwrap_or_default();
        let choices =
            actions.iter().filter_map(|a| a["title"].as_str()).map(str::to_owned).collect();
        Shown { preview, path, id: message["id"].clone(), choices }
    }

    pub async fn choose(&mut self, id: &Value, title: Option<&str>) {
        let result = title.map_or(Value::Null, |title| json!({"title": title}));
        self.editor.send(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    /// The answer to the next question that has this among its choices.
    pub async fn say(&mut self, title: &str) {
        let message = self.editor.wait_for(|m| m["method"] == CHOOSE).await;
        let actions = message["params"]["actions"].to_string();
        assert!(actions.contains(title), "{message}");
        self.choose(&message["id"], Some(title)).await;
    }

    /// Accepts the next report of progress; its token.
    pub async fn report(&mut self) -> Value {
        let created =
            self.editor.wait_for(|m| m["method"] == "window/workDoneProgress/create").await;
        let reply = json!({"jsonrpc": "2.0", "id": created["id"], "result": null});
        self.editor.send(reply).await;
        created["params"]["token"].clone()
    }

    /// Asks, says yes, and reads the answer.
    pub async fn answered(&mut self, arguments: Value) -> (Shown, PathBuf, String) {
        self.ask(arguments).await;
        let shown = self.preview().await;
        self.choose(&shown.id, Some(&shown.choices[0])).await;
        let path = self.document().await;
        let text = fs::read_to_string(&path).expect("an answer");
        (shown, path, text)
    }

    pub fn requests(&self) -> Vec<ledger::Request> {
        let mut requests = Vec::new();
        ledger::read(&self.home.path().join("ledger"), |request| requests.push(request))
            .expect("a ledger");
        requests
    }
}

pub fn text(answer: &str) -> Script {
    Script::Text(answer.to_owned())
}

pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub fn uri(path: &Path) -> String {
    url::Url::from_file_path(path).expect("a path").into()
}

pub fn path(uri: &str) -> PathBuf {
    url::Url::parse(uri).expect("a URL").to_file_path().expect("a file")
}

/// The request's bytes as the preview shows them.
pub fn shown_body(preview: &str) -> &str {
    let (_, rest) = preview.rsplit_once("## The request, byte for byte\n\n").expect("the body");
    let (fence, rest) = rest.split_once("json\n").expect("a fence");
    rest.split_once(&format!("\n{fence}\n")).expect("its end").0
}
