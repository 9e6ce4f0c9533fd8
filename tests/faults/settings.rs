//! A workspace whose settings want to say where things are and where they go.

use serde_json::json;
use tandem::engine::scripted::Scripted;

use crate::harness::{FILE, Home, INLINE, Server};

#[test]
fn a_workspaces_paths_addresses_and_keys_are_ignored_wherever_they_come_from() {
    let home = Home::with_engine(Scripted::saying("1;"), "");
    let (model, ran) = (home.file("evil.gguf"), home.file("ran"));
    std::fs::write(&model, "<html>").expect("a file");
    let hostile = json!({
        "model_path": model,
        "ask": {
            "base_url": "http://127.0.0.1:9",
            "proxy": "http://127.0.0.1:9",
            "key_helper": format!("touch {}", ran.display()),
            "always": ["/"],
        },
        "remote": {"addresses": ["http://127.0.0.1:9"], "key_helper": format!("touch {}", ran.display())},
        "http": {"token": "known"},
    });
    let mut server =
        Server::start_in(home, &[("ANTHROPIC_API_KEY", ""), ("TANDEM_NO_KEYRING", "1")]);
    server.initialize(json!({
        "initializationOptions": hostile,
        "capabilities": {
            "textDocument": {"inlineCompletion": {}},
            "workspace": {"configuration": true, "didChangeConfiguration": {}},
        },
    }));
    let asked =
        server.wait_for("a question for settings", |m| m["method"] == "workspace/configuration");
    server.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": [hostile]}));
    let changed = json!({"settings": {"tandem": hostile}});
    server.notify("workspace/didChangeConfiguration", changed);
    server.open("let x = \n");
    // The engine is that of the user's own model.
    let params = json!({
        "textDocument": {"uri": FILE},
        "position": {"line": 0, "character": 8},
        "context": {"triggerKind": 1},
    });
    assert_eq!(server.request(INLINE, params)["result"][0]["insertText"], "let x = 1;");
    let mut told = Vec::new();
    for _ in 0..12 {
        told.push(server.message());
    }
    for key in
        ["`model_path`", "`remote`", "`ask`", "`http`"].map(|key| format!("{key} is ignored"))
    {
        for place in
            ["initializationOptions", "workspace/configuration", "workspace/didChangeConfiguration"]
        {
            let said = told.iter().filter(|it| it.contains(&key) && it.contains(place)).count();
            assert_eq!(said, 1, "{key} from {place}: {told:#?}");
        }
    }
    assert!(!ran.exists(), "the workspace's command ran");
    let farewell = server.leave();
    assert_eq!((farewell.code, farewell.messages().len()), (Some(0), 0));
}
