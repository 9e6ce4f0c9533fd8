//! The real binary with an engine elsewhere.

use super::MODEL;
use super::harness::{Home, Server};
use super::stand_in::{Script, StandIn};

fn home(house: &StandIn) -> Home {
    Home::with_config(&format!("[remote]\naddresses = [\"{}\"]\n", house.address))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_gets_suggestions_from_elsewhere_and_no_engine_starts_here() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" 1", ";", "\n"])).await;
    tokio::task::block_in_place(|| {
        let home = home(&house);
        let run = home.file("run");
        let mut server = Server::with_file_in(home, "let x = \n");
        let answer = server.ghost(0, 8);
        let asked: Vec<_> = house.completions().into_iter().map(|seen| seen.body).collect();
        assert_eq!(answer[0]["insertText"], "let x = 1;", "{answer}, of {asked:#?}");
        let engine = &server.status()["engine"];
        assert_eq!(engine["state"], "ready", "{engine}");
        assert!(
            engine["model"].as_str().is_some_and(|it| it.contains(" at 127.0.0.1:")),
            "{engine}"
        );
        assert!(!run.exists(), "nothing listens here");
        let farewell = server.leave();
        assert_eq!((farewell.code, farewell.messages().len()), (Some(0), 0));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_elsewhere_that_fails_is_one_message_and_typing_goes_on() {
    let house = StandIn::new(MODEL, "vllm", Script::Refuses(401, None, "{}")).await;
    tokio::task::block_in_place(|| {
        let mut server = Server::with_file_in(home(&house), "let x = \n");
        for _ in 0..3 {
            let nothing = server.ghost(0, 8);
            assert!(nothing.is_null() || nothing == serde_json::json!([]), "{nothing}");
        }
        server.lives();
        let farewell = server.leave();
        let messages = farewell.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].to_string().contains("TANDEM_REMOTE_KEY"), "{messages:?}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_who_answers_elsewhere() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec!["    ", "x"])).await;
    let said = tokio::task::block_in_place(|| home(&house).run(&["doctor"]));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("elsewhere  Qwen/Qwen2.5-Coder-7B at 127.0.0.1:"),
        "{}",
        said.stdout
    );
    house.says(Script::Refuses(500, None, "no"));
    let said = tokio::task::block_in_place(|| home(&house).run(&["doctor"]));
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    assert!(said.stdout.contains("answers 500"), "{}", said.stdout);
}
