//! Settings from the editor and from the user's file.

use serde_json::json;

use crate::harness::{Home, Server};

#[test]
fn a_models_path_from_the_editor_is_ignored_with_a_warning() {
    let home = Home::new();
    let evil = home.file("evil.gguf");
    std::fs::write(&evil, "<html>").expect("a file");
    let mut server = Server::start_in(home, &[]);
    server.initialize(json!({"initializationOptions": {"model_path": evil}}));
    let warning = server.message();
    assert!(warning.contains("`model_path` is ignored"), "{warning}");
    server.open("let x = ");
    // Were it used, the message would be about that page.
    let message = server.message();
    assert!(message.contains("`tandem model pull"), "{message}");
    assert_eq!(server.ghost(0, 8), json!([]));
}

#[test]
fn an_unknown_setting_of_the_editor_is_named() {
    let mut server = Server::start();
    server.initialize(json!({"initializationOptions": {"engine": {"treads": 3}}}));
    let warning = server.message();
    assert!(warning.contains("`engine.treads`"), "{warning}");
}

#[test]
fn an_unknown_setting_in_the_users_file_is_named() {
    let mut server = Server::start_in(Home::with_config("modle = \"auto\"\n"), &[]);
    server.initialize(json!({}));
    let warning = server.message();
    assert!(warning.contains("config.toml") && warning.contains("`modle`"), "{warning}");
}

#[test]
fn a_users_file_that_is_no_toml_is_named_and_the_session_lives() {
    let mut server = Server::start_in(Home::with_config("model = [\n"), &[]);
    server.initialize(json!({}));
    let warning = server.message();
    assert!(warning.contains(&*server.home().file("config.toml").to_string_lossy()), "{warning}");
    server.open("let x = ");
    assert_eq!(server.ghost(0, 8), json!([]));
}

#[test]
fn the_journal_is_in_the_users_data_folder() {
    let mut server = Server::start();
    server.initialize(json!({}));
    let status = json!({"command": "tandem.status"});
    let answer = server.request("workspace/executeCommand", status);
    let journal = &answer["result"]["journal"];
    let folder = server.home().file("data").join("journal");
    assert_eq!((&journal["folder"], &journal["enabled"]), (&json!(folder), &json!(true)));
    assert!(!folder.exists(), "made only when there is something to write");
}
