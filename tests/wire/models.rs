//! No model, and files that are no model: one sentence for the person, no crash, empty answers.

use std::path::Path;

use serde_json::json;

use crate::harness::gguf;
use crate::harness::{Home, Server};

/// Twenty more requests get empty answers and no other message comes.
#[track_caller]
fn check_stays_silent(mut server: Server) {
    for character in (0..20).map(|i| i % 9) {
        assert_eq!(server.ghost(0, character), json!([]));
    }
    let status = server.status();
    assert_eq!(status["engine"]["state"], "failed");
    let farewell = server.leave();
    assert_eq!(farewell.code, Some(0));
    assert_eq!(farewell.messages(), [&json!(null); 0]);
}

#[test]
fn without_a_model_answers_are_empty_and_one_message_names_the_command_that_gets_one() {
    let mut server = Server::with_file("let x = ");
    assert_eq!(server.ghost(0, 8), json!([]));
    let message = server.message();
    assert!(message.contains("`tandem model pull"), "{message}");
    check_stays_silent(server);
}

#[test]
fn without_a_model_doctor_fails_and_names_the_command_that_gets_one() {
    let said = Home::new().run(&["doctor"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.contains("`tandem model pull"), "{}", said.stdout);
}

#[test]
fn without_a_model_complete_fails_and_names_the_command_that_gets_one() {
    let home = Home::new();
    std::fs::write(home.file("a.rs"), "let x = \n").expect("a file");
    let place = format!("{}:1:9", home.file("a.rs").display());
    let said = home.run(&["complete", &place]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("`tandem model pull"), "{}", said.stderr);
}

/// The settings name a file with this content: the message names the file and says `what`, and
/// doctor says the same.
#[track_caller]
fn check_is_refused(name: &str, content: &[u8], what: &str) {
    let names = |said: &str, model: &Path| said.contains(&*model.to_string_lossy());
    let (home, model) = Home::with_model(name, content);
    let said = home.run(&["doctor"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.contains(what) && names(&said.stdout, &model), "{}", said.stdout);

    let mut server = Server::with_file_in(home, "let x = ");
    assert_eq!(server.ghost(0, 8), json!([]));
    let message = server.message();
    assert!(message.contains(what) && names(&message, &model), "{message}");
    check_stays_silent(server);
}

#[test]
fn an_html_page_named_gguf_is_called_one() {
    check_is_refused("page.gguf", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "HTML");
}

#[test]
fn a_truncated_model_is_called_truncated() {
    let mut model = gguf::that_fills_in_the_middle();
    model.truncate(model.len() - 100);
    check_is_refused("cut.gguf", &model, "truncated");
}

#[test]
fn a_model_that_cannot_fill_in_the_middle_is_told_so() {
    let talker = gguf::with_tokens(&["a", "<|im_start|>", "<|im_end|>"]);
    check_is_refused("talker.gguf", &talker, "cannot fill in the middle");
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let home = Home::new();
    let missing = home.file("missing.gguf");
    let setting = format!("model_path = {}\n", json!(missing));
    std::fs::write(home.file("config.toml"), setting).expect("a settings file");
    let mut server = Server::with_file_in(home, "let x = ");
    let message = server.message();
    assert!(message.contains(&*missing.to_string_lossy()), "{message}");
    check_stays_silent(server);
}
