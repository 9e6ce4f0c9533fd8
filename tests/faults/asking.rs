//! Asking Claude when there is no key, no network, or no willingness: one clear sentence, and completions
//! that notice nothing of it. The key is in nothing that anyone could read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tandem::engine::scripted::Scripted;

use crate::harness::{FILE, Home, INLINE, Server};
use crate::stand_in::{KEY, Script, StandIn};

struct Desk {
    server: Server,
    uri: url::Url,
}

impl Desk {
    /// A server whose user asks at this address with this key, without a look first.
    fn new(address: &str, key: Option<&str>) -> Desk {
        let home = Home::with_engine(Scripted::saying("1;"), "");
        let root = home.file("work");
        fs::create_dir(&root).expect("a folder");
        fs::write(root.join("pool.rs"), "pub fn drain() {}\n").expect("a file");
        let helper = key.map(|key| format!("key_helper = \"echo {key}\"\n")).unwrap_or_default();
        let ask = format!("[ask]\nbase_url = \"{address}\"\nalways = [{}]\n{helper}", json!(root));
        let config = home.file("config.toml");
        let settings = fs::read_to_string(&config).expect("settings");
        fs::write(&config, settings + &ask).expect("settings");
        let uri = url::Url::from_file_path(root.join("pool.rs")).expect("a path");
        let environment = [
            ("TANDEM_LOG", "trace"),
            ("TANDEM_NO_KEYRING", "1"),
            ("ANTHROPIC_API_KEY", ""),
            ("ANTHROPIC_AUTH_TOKEN", ""),
        ];
        let mut server = Server::start_in(home, &environment);
        let folder = url::Url::from_file_path(&root).expect("a path");
        server.initialize(json!({
            "workspaceFolders": [{"uri": folder, "name": "work"}],
            "capabilities": {
                "textDocument": {"inlineCompletion": {}},
                "window": {"showDocument": {"support": true}, "workDoneProgress": true},
            },
        }));
        server.open("let x = \n");
        let document =
            json!({"uri": uri, "languageId": "rust", "version": 1, "text": "pub fn drain() {}\n"});
        server.notify("textDocument/didOpen", json!({"textDocument": document}));
        Desk { server, uri }
    }

    fn ask(&mut self) {
        let at = json!({"line": 0, "character": 7});
        let question =
            json!({"uri": self.uri, "range": {"start": at, "end": at}, "question": "why?"});
        let params = json!({"command": "tandem.ask", "arguments": [question]});
        assert_eq!(self.server.request("workspace/executeCommand", params)["error"], Value::Null);
    }

    /// The parameters of the next message of this method.
    fn until(&mut self, method: &str) -> Value {
        self.until_it(|message| message["method"] == method)["params"].clone()
    }

    /// Does what an editor does by itself until such a message comes.
    fn until_it(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let is_request = |m: &Value| m["method"].is_string() && m.get("id").is_some();
            let message = self.server.wait_for("it", |m| wanted(m) || is_request(m));
            if is_request(&message) {
                let result = match message["method"].as_str() {
                    Some("window/showDocument") => json!({"success": true}),
                    _ => Value::Null,
                };
                self.server.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
            }
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Completions work as if nothing had been asked.
    #[track_caller]
    fn completes(&mut self) {
        let params = json!({
            "textDocument": {"uri": FILE},
            "position": {"line": 0, "character": 8},
            "context": {"triggerKind": 1},
        });
        assert_eq!(self.server.request(INLINE, params)["result"][0]["insertText"], "let x = 1;");
        self.server.lives();
    }

    /// Ends the session; the key is in nothing that it has said or written.
    #[track_caller]
    fn leave(mut self) {
        let home = self.server.home().file("");
        let mut files = Vec::new();
        collect(&home, &mut files);
        for file in files.iter().filter(|file| !file.ends_with("config.toml")) {
            let content = fs::read(file).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&content).contains(KEY), "in {}", file.display());
        }
        let farewell = self.server.leave();
        assert_eq!(farewell.code, Some(0));
        assert!(!farewell.complaints.contains(KEY), "in the log");
        assert!(!farewell.unasked.iter().any(|m| m.to_string().contains(KEY)), "in a message");
        assert_eq!(farewell.messages().len(), 0, "{:?}", farewell.messages());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// Whoever asks hears this, once, and completes meanwhile and afterwards.
#[track_caller]
fn check_is_told(mut desk: Desk, what: &str) {
    desk.ask();
    desk.completes();
    let told = desk.until("window/showMessage")["message"].as_str().expect("text").to_owned();
    assert!(told.contains(what), "{told}");
    assert!(!told.contains(KEY), "{told}");
    desk.completes();
    desk.leave();
}

#[track_caller]
fn check_script(script: Script, what: &str) {
    let stand_in = StandIn::new([script]);
    check_is_told(Desk::new(&stand_in.address, Some(KEY)), what);
}

#[test]
fn without_a_key_one_is_told_how_to_set_one() {
    let stand_in = StandIn::new([]);
    check_is_told(Desk::new(&stand_in.address, None), "tandem key set");
    assert!(stand_in.seen().is_empty());
}

#[test]
fn a_refused_key_is_said() {
    let stand_in = StandIn::new([]);
    check_is_told(Desk::new(&stand_in.address, Some("sk-ant-other")), "tandem key set");
}

#[test]
fn a_limit_that_lasts_is_said() {
    check_script(Script::limited(1), "429");
}

#[test]
fn a_limit_that_passes_is_waited_for() {
    let stand_in = StandIn::new([Script::limited(1), Script::default()]);
    let mut desk = Desk::new(&stand_in.address, Some(KEY));
    desk.ask();
    // The preview, then the answer.
    desk.until("window/showDocument");
    desk.until("window/showDocument");
    assert_eq!(stand_in.seen().len(), 2);
    desk.completes();
    desk.leave();
}

#[test]
fn an_overloaded_api_is_said() {
    check_script(Script::overloaded(), "overloaded");
}

#[test]
fn an_answer_that_is_cut_off_is_kept_and_called_so() {
    let stand_in = StandIn::new([Script::Cut { after_text: true }]);
    let mut desk = Desk::new(&stand_in.address, Some(KEY));
    desk.ask();
    desk.until("window/showDocument");
    let shown = desk.until("window/showDocument");
    let path = url::Url::parse(shown["uri"].as_str().expect("an address")).expect("an address");
    let answer = fs::read_to_string(path.to_file_path().expect("a file")).expect("an answer");
    assert!(answer.contains("Der Schl"), "{answer}");
    desk.completes();
    desk.leave();
}

#[test]
fn a_silent_api_holds_nobody_up_and_can_be_cancelled() {
    let stand_in = StandIn::new([Script::Silent]);
    let mut desk = Desk::new(&stand_in.address, Some(KEY));
    desk.ask();
    desk.until("window/showDocument");
    let answering = |m: &Value| m["params"]["value"].to_string().contains("answering");
    let token = desk.until_it(answering)["params"]["token"].clone();
    desk.completes();
    desk.server.notify("window/workDoneProgress/cancel", json!({"token": token}));
    let shown = desk.until("window/showDocument");
    let path = url::Url::parse(shown["uri"].as_str().expect("an address")).expect("an address");
    let answer = fs::read_to_string(path.to_file_path().expect("a file")).expect("an answer");
    assert!(answer.contains("cancelled"), "{answer}");
    desk.completes();
    desk.leave();
}

#[test]
fn an_error_that_repeats_the_key_is_told_without_it() {
    check_script(Script::Echo(400), "(the key)");
}

#[test]
fn a_name_that_nobody_knows_is_said() {
    check_is_told(Desk::new("https://api.invalid", Some(KEY)), "api.invalid");
}
