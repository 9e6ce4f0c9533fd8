//! An engine elsewhere, seen from tandem: what it is asked, and what happens when it does not answer. The other
//! side is a stand-in on loopback.

mod binary;
// Shared with the tests of the wire, which use other parts of it.
#[allow(dead_code, unused_imports)]
#[path = "../harness/server.rs"]
mod harness;
mod slow;
mod stand_in;
mod tls;

use std::sync::Arc;

use tandem::engine::remote::{Options, RemoteEngine};
use tandem::engine::scripted::Scripted;
use tandem::engine::{Answer, Engine, Event, Figures, Request, State, Stop};
use tandem::prompt::Prompt;

use self::stand_in::{DEADLINE, Script, StandIn};

const MODEL: &str = "Qwen/Qwen2.5-Coder-7B";

fn options(addresses: &[&StandIn]) -> Options {
    let addresses = addresses.iter().map(|it| it.address.clone()).collect();
    Options { addresses, ..Options::default() }
}

fn engine(addresses: &[&StandIn]) -> RemoteEngine {
    RemoteEngine::new(&options(addresses), None).expect("an engine")
}

fn request(middle: &str) -> Request {
    let prompt = Prompt {
        prefix: "fn main() {\n".into(),
        suffix: "\n}\n".into(),
        middle: middle.into(),
        ..Prompt::default()
    };
    Request::new(prompt, 8, Stop::Line)
}

/// All of an answer: its text, and how it ended.
async fn whole(mut answer: Answer) -> (String, Result<Figures, String>) {
    let mut text = String::new();
    loop {
        let event = tokio::time::timeout(DEADLINE, answer.next()).await.expect("an end in time");
        match event.expect("an end") {
            Event::Text(piece) => text.push_str(&piece),
            Event::Done(figures) => return (text, Ok(figures)),
            Event::Failed(why) => return (text, Err(why)),
            Event::Begun(_) | Event::Forks(_) => {}
        }
    }
}

async fn failure(engine: &RemoteEngine) -> String {
    whole(engine.complete(request("    let a"))).await.1.expect_err("a failure")
}

fn state(engine: &RemoteEngine) -> State {
    engine.state().borrow().clone()
}

#[tokio::test]
async fn an_answer_is_what_comes_after_the_word_that_is_typed_already() {
    let house =
        StandIn::new(MODEL, "vllm", Script::Says(vec![" let", " a", " = 1;", "\n", "x"])).await;
    let engine = engine(&[&house]);
    let (text, end) = whole(engine.complete(request("    le"))).await;
    assert_eq!(text, "t a = 1;\n", "to the end of the line and no further");
    let confidence = end.expect("figures").confidence.expect("log-probabilities");
    // The token in which the word ends was not chosen freely.
    assert_eq!((confidence.tokens, confidence.least), (3, -0.5));
    let State::Ready(about) = state(&engine) else { panic!("{:?}", state(&engine)) };
    assert!(about.model.starts_with("Qwen/Qwen2.5-Coder-7B at 127.0.0.1:"), "{about:?}");

    let body = &house.completions()[0].body;
    let prompt = "<|fim_prefix|>fn main() {\n<|fim_suffix|>\n}\n<|fim_middle|>   ";
    assert_eq!(body["prompt"], prompt, "without the word, whose beginning is forced instead");
    assert_eq!(body["structured_outputs"]["regex"], " le[\\s\\S]*");
}

#[tokio::test]
async fn while_somebody_types_a_prompt_only_grows() {
    let house = StandIn::new(MODEL, "llamacpp", Script::Says(vec!["x"])).await;
    let engine = engine(&[&house]);
    for middle in ["    let total = ", "    let total = values.", "    let total = values.iter()."]
    {
        whole(engine.complete(request(middle))).await.1.expect("an answer");
    }
    let prompts: Vec<String> = house
        .completions()
        .iter()
        .map(|seen| seen.body["prompt"].as_str().expect("a prompt").to_owned())
        .collect();
    assert_eq!(prompts.len(), 3);
    for pair in prompts.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "{pair:#?}");
    }
}

#[tokio::test]
async fn an_answer_that_begins_with_another_word_is_nothing() {
    let house = StandIn::new(MODEL, "library", Script::Says(vec![" fn", " main"])).await;
    let (text, end) = whole(engine(&[&house]).complete(request("    le"))).await;
    assert_eq!(text, "");
    end.expect("nothing went wrong");
}

#[tokio::test]
async fn dropping_an_answer_closes_its_connection() {
    let house = StandIn::new(MODEL, "vllm", Script::Hangs(vec![" let"])).await;
    let engine = engine(&[&house]);
    let mut answer = engine.complete(request(""));
    while !matches!(answer.next().await.expect("a piece"), Event::Text(_)) {}
    drop(answer);
    house.gone().await;
}

#[tokio::test]
async fn one_that_fails_is_passed_over_and_comes_home() {
    let first = StandIn::new(MODEL, "vllm", Script::Refuses(503, None, "no")).await;
    let second = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let engine = engine(&[&first, &second]);
    let (text, end) = whole(engine.complete(request(""))).await;
    assert_eq!((text.as_str(), end.is_ok()), (" let", true), "of the second");
    whole(engine.complete(request(""))).await.1.expect("an answer");
    assert_eq!((first.completions().len(), second.completions().len()), (1, 2), "left alone");
    // It is well again, and the other one is not: after a second it is asked again.
    first.says(Script::Says(vec![" if"]));
    second.says(Script::Refuses(500, None, "no"));
    let home = async {
        while whole(engine.complete(request(""))).await.0 != " if" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, home).await.expect("it comes home");
}

#[tokio::test]
async fn one_that_breaks_off_before_its_first_word_is_passed_over() {
    let first = StandIn::new(MODEL, "vllm", Script::BreaksOff(vec![])).await;
    let second = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    first.breaks();
    let (text, end) = whole(engine(&[&first, &second]).complete(request(""))).await;
    assert_eq!((text.as_str(), end.is_ok()), (" let", true));
    // After it nobody else can go on.
    let broken = StandIn::new(MODEL, "vllm", Script::BreaksOff(vec![" let"])).await;
    let mut answer = engine(&[&broken, &second]).complete(request(""));
    while answer.next().await != Some(Event::Text(" let".into())) {}
    broken.breaks();
    let (text, end) = whole(answer).await;
    assert_eq!(text, "");
    assert!(end.expect_err("not all of it").contains("broke off"));
}

#[tokio::test]
async fn each_failure_is_a_state_that_says_what_to_do() {
    for (script, wanted) in [
        (Script::Refuses(401, None, "{}"), "wants another key (401"),
        (Script::Refuses(429, Some(5), "{}"), "has too much to do (429)"),
        (Script::Refuses(307, None, ""), "sends elsewhere"),
        (
            Script::Refuses(400, None, r#"{"error":{"message":"too long"}}"#),
            "400 Bad Request: too long",
        ),
        (Script::Fails("out of memory"), "failed: out of memory"),
    ] {
        let house = StandIn::new(MODEL, "vllm", script).await;
        let engine = engine(&[&house]);
        let why = failure(&engine).await;
        assert!(why.starts_with("the engine at 127.0.0.1:") && why.contains(wanted), "{why}");
        assert_eq!(state(&engine), State::Failed { message: why });
    }
}

#[tokio::test]
async fn one_that_asks_to_wait_is_not_asked_meanwhile() {
    let house = StandIn::new(MODEL, "vllm", Script::Refuses(429, Some(30), "{}")).await;
    let engine = engine(&[&house]);
    let first = failure(&engine).await;
    assert_eq!(failure(&engine).await, first, "the same reason, without a request");
    assert_eq!(house.completions().len(), 1);
}

#[tokio::test]
async fn a_model_that_is_not_there_or_of_no_known_family_is_said_so() {
    let house = StandIn::new("gpt-oss-20b", "vllm", Script::Says(vec![])).await;
    let why = failure(&engine(&[&house])).await;
    assert!(why.contains("\"gpt-oss-20b\"") && why.contains("set `remote.family`"), "{why}");
    let wanted = Options { model: Some("qwen".into()), ..options(&[&house]) };
    let why = failure(&RemoteEngine::new(&wanted, None).expect("an engine")).await;
    assert!(
        why.contains("does not have the model \"qwen\"") && why.contains("gpt-oss-20b"),
        "{why}"
    );
}

#[tokio::test]
async fn nobody_there_is_a_state_and_ends_when_somebody_is() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let address = house.address.trim_start_matches("http://").to_owned();
    let engine = engine(&[&house]);
    drop(house);
    engine.wake();
    let mut states = engine.state();
    let failed = states.wait_for(|state| matches!(state, State::Failed { .. }));
    tokio::time::timeout(DEADLINE, failed).await.expect("it is noticed").expect("a state");
    let house = StandIn::at(&address, MODEL, "vllm", Script::Says(vec![" let"])).await;
    let back = async { while whole(engine.complete(request(""))).await.1.is_err() {} };
    tokio::time::timeout(DEADLINE, back).await.expect("it is back");
    assert!(matches!(state(&engine), State::Ready(_)));
    drop(house);
}

#[tokio::test]
async fn the_engine_on_this_machine_is_the_last_resort_of_who_said_so() {
    let house = StandIn::new(MODEL, "vllm", Script::Refuses(500, None, "no")).await;
    let local: Arc<dyn Engine> = Scripted::saying("local");
    let engine = RemoteEngine::new(&options(&[&house]), Some(local)).expect("an engine");
    assert_eq!(whole(engine.complete(request(""))).await.0, "local");
}

#[tokio::test]
async fn work_in_the_background_asks_for_a_token_and_says_nothing() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let warm = Request::warm(request("").prompt);
    let (text, end) = whole(engine(&[&house]).complete(warm)).await;
    assert_eq!((text.as_str(), end.is_ok()), ("", true));
    assert_eq!(house.completions()[0].body["max_tokens"], 1);
}

#[tokio::test]
async fn the_key_of_a_command_is_sent_and_asked_for_again_when_it_is_refused() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let scratch = tempfile::tempdir().expect("a folder");
    let file = scratch.path().join("key");
    std::fs::write(&file, "first").expect("a key");
    let helper = Some(format!("cat '{}'", file.display()));
    let options = Options { key_helper: helper, ..options(&[&house]) };
    let engine = RemoteEngine::new(&options, None).expect("an engine");
    whole(engine.complete(request(""))).await.1.expect("an answer");
    std::fs::write(&file, "second").expect("a key");
    house.says(Script::Refuses(401, None, "{}"));
    failure(&engine).await;
    house.says(Script::Says(vec![" let"]));
    let again = async { while whole(engine.complete(request(""))).await.1.is_err() {} };
    tokio::time::timeout(DEADLINE, again).await.expect("an answer");
    let keys: Vec<_> = house.completions().into_iter().filter_map(|seen| seen.key).collect();
    assert_eq!((keys[0].as_str(), keys[1].as_str()), ("Bearer first", "Bearer first"));
    assert_eq!(keys.last().map(String::as_str), Some("Bearer second"));
}

#[tokio::test]
async fn no_more_is_taken_than_was_asked_for() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec!["x"; 5_000])).await;
    let (text, end) = whole(engine(&[&house]).complete(request(""))).await;
    assert_eq!((text.len(), end.is_ok()), (8, true), "no more than was asked for");
}

#[tokio::test]
async fn a_line_without_end_is_read_to_a_bound_and_no_further() {
    let house = StandIn::new(MODEL, "vllm", Script::Floods).await;
    let why = failure(&engine(&[&house])).await;
    assert!(why.contains("does not end"), "{why}");
    house.gone().await;
}

#[tokio::test]
async fn what_an_engine_says_of_an_error_is_shown_without_the_key_and_what_a_terminal_would_obey() {
    let said = r#"{"error":{"message":"bad key secret-4711 \u001b[31m"}}"#;
    let house = StandIn::new(MODEL, "vllm", Script::Refuses(500, None, said)).await;
    let key_helper = Some("printf secret-4711".to_owned());
    let options = Options { key_helper, ..options(&[&house]) };
    let why = failure(&RemoteEngine::new(&options, None).expect("an engine")).await;
    assert!(why.contains("bad key (the key) [31m") && !why.contains('\u{1b}'), "{why}");
}
