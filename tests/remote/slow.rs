//! An engine elsewhere that reads slowly and says so.

use std::time::Duration;

use tandem::engine::{Engine, Event, Request, Stop, Urgency};
use tandem::prompt::Prompt;

use crate::stand_in::{Script, StandIn};
use crate::{MODEL, engine, whole};

/// A key that comes at once is not kept waiting for this long.
const SOON: Duration = Duration::from_millis(100);

/// A file of some 1,700 bytes, which takes such an engine 4 s.
fn prompt(middle: &str) -> Prompt {
    Prompt {
        prefix: (0..100).map(|n| format!("let a{n:03} = {n:03};\n")).collect(),
        suffix: "\nlet z = 0;\n".into(),
        middle: middle.into(),
        ..Prompt::default()
    }
}

/// One that is read at once.
fn near(middle: &str) -> Prompt {
    Prompt { middle: middle.into(), ..Prompt::default() }
}

fn key(middle: &str) -> Request {
    Request { quick: true, ..Request::new(prompt(middle), 8, Stop::Line) }
}

fn prompts(house: &StandIn) -> Vec<String> {
    let text = |body: &serde_json::Value| body["prompt"].as_str().expect("a prompt").to_owned();
    house.completions().iter().map(|seen| text(&seen.body)).collect()
}

/// An engine that is known to be slow.
async fn slow() -> (StandIn, tandem::engine::remote::RemoteEngine) {
    let house = StandIn::new(MODEL, "llamacpp", Script::Reads(vec![" b = 1"])).await;
    let engine = engine(&[&house]);
    let first = Prompt { prefix: "// another file\n".repeat(20), ..Prompt::default() };
    // Not one for a key in a hurry: all of it is read.
    whole(engine.complete(Request::new(first, 8, Stop::Line))).await.1.expect("an answer");
    (house, engine)
}

#[tokio::test]
async fn a_new_place_is_answered_from_a_shorter_prompt_first_and_read_in_pieces_then() {
    let (house, engine) = slow().await;
    let quick = whole(engine.complete(key("let b"))).await.1.expect("an answer");
    assert!(quick.quick && quick.evaluated < 60, "{quick:?}");
    whole(engine.complete(Request::warm(prompt("")))).await.1.expect("an end");
    let all = prompts(&house);
    assert!(all[1].len() < 250 && all[1].contains("let a099"), "{}", all[1]);
    let pieces = &all[2..];
    assert!(pieces.len() > 10, "{} pieces", pieces.len());
    for pair in pieces.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "{pair:?}");
        assert!(pair[1].len() - pair[0].len() <= 180, "half a second at most");
    }
    // It is known now, and typed on in whole.
    let on = whole(engine.complete(key("let b = "))).await.1.expect("an answer");
    assert!(!on.quick && on.evaluated < 10, "{on:?}");
    assert!(prompts(&house).last().expect("a prompt").contains("let a000"));
}

#[tokio::test]
async fn nothing_is_read_in_advance_while_a_key_waits() {
    let (house, engine) = slow().await;
    house.says(Script::Hangs(vec![" b = 1"]));
    let mut waits = engine.complete(key("let b"));
    let begun = waits.next().await;
    assert!(matches!(begun, Some(Event::Begun(_))), "{begun:?}");
    house.says(Script::Reads(vec![" b = 1"]));
    let mut ahead = std::pin::pin!(whole(engine.complete(Request::warm(prompt("")))));
    let early = tokio::time::timeout(SOON, &mut ahead).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(house.completions().len(), 2);
    drop(waits);
    ahead.await.1.expect("an end");
    assert!(house.completions().len() > 10);
}

#[tokio::test]
async fn two_documents_are_read_in_advance_one_after_the_other_and_what_that_took_is_counted() {
    let (house, engine) = slow().await;
    let other = Prompt { prefix: prompt("").prefix.replace("let", "use"), ..prompt("") };
    let both = [prompt(""), other].map(|prompt| whole(engine.complete(Request::warm(prompt))));
    let [one, two] = both;
    let ends = tokio::join!(one, two);
    for (_, end) in [ends.0, ends.1] {
        let figures = end.expect("an end");
        assert!((400..450).contains(&figures.evaluated), "1,700 bytes: {figures:?}");
        assert!(figures.reused < 50, "{figures:?}");
    }
    let of: Vec<bool> = prompts(&house)[1..].iter().map(|text| text.contains("use a")).collect();
    let changes = of.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(of.len() > 20 && changes == 1, "{of:?}");
}

#[tokio::test]
async fn what_is_decoded_in_advance_stops_for_a_key_and_goes_on_from_where_it_was() {
    let (house, engine) = slow().await;
    house.says(Script::Hangs(vec![" b = 1", "\n"]));
    let ahead = Request { urgency: Urgency::Idle, ..Request::new(near("let b"), 8, Stop::Never) };
    let mut ahead = engine.complete(ahead);
    let mut text = String::new();
    while text != " = 1\n" {
        if let Event::Text(piece) = ahead.next().await.expect("more") {
            text.push_str(&piece);
        }
    }
    house.says(Script::Reads(vec![" d = 2\n"]));
    whole(engine.complete(Request::new(near("let d"), 8, Stop::Line))).await.1.expect("an answer");
    house.gone().await;
    house.says(Script::Says(vec!["let c;"]));
    let (rest, end) = whole(ahead).await;
    assert!(rest.ends_with("let c;"), "{rest:?}");
    let figures = end.expect("an end");
    assert_eq!(figures.generated, 2 + 1, "before the key, and after it");
    let all = prompts(&house);
    let last = all.last().expect("a prompt");
    assert!(last.ends_with("<|fim_middle|>let b = 1\n"), "{last}");
    assert_eq!(house.completions().last().expect("one").body["max_tokens"], 8 - 2);
}

#[tokio::test]
async fn one_that_does_not_say_how_fast_it_reads_gets_it_all_at_once() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" b = 1"])).await;
    let engine = engine(&[&house]);
    for _ in 0..2 {
        assert!(!whole(engine.complete(key("let b"))).await.1.expect("an answer").quick);
    }
    whole(engine.complete(Request::warm(prompt("let c")))).await.1.expect("an end");
    assert_eq!(house.completions().len(), 3);
}
