use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Reads the events; what was told, what there is, and what went wrong.
fn read(events: &[Value]) -> (Vec<Progress>, Reading<'static>, Result<(), Broken>) {
    let (mut told, mut reading) = (Vec::new(), Reading::new("sk-canary", None));
    let mut result = Ok(());
    for event in events {
        result = reading.take(&event.to_string(), &mut |progress| told.push(progress));
        if result.is_err() {
            break;
        }
    }
    (told, reading, result)
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"model": "claude-x", "usage": {
        "input_tokens": 7, "cache_creation_input_tokens": 20, "cache_read_input_tokens": null, "output_tokens": 1
    }}})
}

fn block(index: u64, kind: &str) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": {"type": kind, kind: ""}})
}

fn text(index: u64, text: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})
}

fn end(reason: &str) -> [Value; 2] {
    let end = json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 40}});
    [end, json!({"type": "message_stop"})]
}

#[test]
fn blocks_are_told_apart_by_their_kind_and_index() {
    let thought = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}});
    let mut events = vec![start(), block(0, "thinking"), block(1, "text"), block(2, "tool_use")];
    // A text delta in the wrong kind of block is none.
    events.extend([text(1, "a"), thought, text(2, "no"), text(0, "no"), text(1, "b")]);
    events.extend(end("end_turn"));
    let (told, reading, result) = read(&events);
    assert_eq!(result, Ok(()));
    assert!(reading.has_ended());
    let (partial, stop) = reading.finished();
    assert_eq!((partial.text.as_str(), stop), ("ab", Stop::EndTurn));
    assert!(told.contains(&Progress::Thinking("hm".into())));
    assert!(told.contains(&Progress::Started { model: "claude-x".into() }));
}

#[test]
fn counts_are_of_the_whole_and_never_fall() {
    let mut events = vec![start()];
    events.extend(end("end_turn"));
    let (told, reading, _) = read(&events);
    let usage = Usage { input: 7, cache_write: 20, cache_read: 0, output: 40 };
    assert_eq!(told.last(), Some(&Progress::Usage(usage)));
    assert_eq!(reading.finished().0.usage, usage);
    assert_eq!(usage.prompt(), 27);
}

#[test]
fn what_is_new_is_passed_over() {
    let news = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "scent_delta", "scent": 1}});
    let events = [
        start(),
        json!({"type": "ping"}),
        json!({"type": "weather", "index": "?"}),
        block(0, "hologram"),
        news,
    ];
    let (told, reading, result) = read(&events);
    assert_eq!((result, reading.has_content()), (Ok(()), true));
    assert_eq!(told.len(), 2);
}

#[test]
fn a_start_is_no_content_yet() {
    assert!(!read(&[start(), json!({"type": "ping"})]).1.has_content());
    assert!(read(&[start(), block(0, "thinking")]).1.has_content());
}

#[test]
fn an_error_in_the_middle_is_shown_without_the_key() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "no sk-canary\u{7}"}});
    let (_, reading, result) = read(&[start(), block(0, "text"), text(0, "half"), error]);
    let message = "no (the key)".to_owned();
    assert_eq!(result, Err(Broken::Failed { kind: "overloaded_error".into(), message }));
    assert_eq!(reading.partial().text, "half");
}

#[test]
fn a_part_counts_at_least_what_has_come() {
    let long = "word ".repeat(600);
    let reading = read(&[start(), block(0, "text"), text(0, &long)]).1;
    assert_eq!(reading.partial().usage.output, tokens::estimate(&long));
}

#[test]
fn every_reason_to_stop_is_shown_for_what_it_is() {
    let reasons = [
        ("end_turn", true),
        ("stop_sequence", true),
        ("max_tokens", false),
        ("tool_use", false),
        ("pause_turn", false),
        ("refusal", false),
        ("model_context_window_exceeded", false),
        ("bored", false),
    ];
    for (reason, complete) in reasons {
        let mut events = vec![start()];
        events.extend(end(reason));
        let stop = read(&events).1.finished().1;
        assert_eq!(stop.is_complete(), complete, "{reason}");
        assert_eq!(matches!(stop, Stop::Other(_)), reason == "bored");
    }
    let (_, reading, _) = read(&[start(), json!({"type": "message_stop"})]);
    assert!(!reading.finished().1.is_complete());
}

#[test]
fn a_refusal_says_why_where_it_does() {
    let details =
        json!({"type": "refusal", "category": "cyber", "explanation": "Not\u{202e} this."});
    let delta = json!({"stop_reason": "refusal", "stop_details": details});
    let reading = read(&[start(), json!({"type": "message_delta", "delta": delta})]).1;
    let stop = reading.finished().1;
    let (category, explanation) = (Some("cyber".into()), Some("Not this.".into()));
    assert_eq!(stop, Stop::Refusal { category, explanation });
    assert!(stop.to_string().contains("`cyber`"));
}

#[test]
fn what_is_no_stream_of_the_api_is_said() {
    for events in [
        vec![json!("[DONE]")],
        vec![json!({"choices": []})],
        vec![start(), start()],
        vec![start(), text(0, "never began")],
        vec![start(), block(0, "text"), block(0, "text")],
        vec![json!({"type": "content_block_delta", "index": -1, "delta": {"type": "text_delta"}})],
    ] {
        let (_, _, result) = read(&events);
        assert!(matches!(result, Err(Broken::Strange(_))), "{events:?}");
    }
}

#[test]
fn more_text_than_an_answer_can_have_is_not_kept() {
    let piece = "x".repeat(1_000_000);
    let mut events = vec![start(), block(0, "text")];
    events.extend((0..5).map(|_| text(0, &piece)));
    let (_, reading, result) = read(&events);
    assert!(matches!(result, Err(Broken::TooMuch(_))));
    assert_eq!(reading.partial().text.len(), LONGEST_TEXT);
}

proptest! {
    #[test]
    fn no_data_makes_it_panic(data in prop_oneof![
        ".{0,40}",
        r#"\{"type": ?"(message_start|content_block_start|content_block_delta|message_delta|error)", ?"[a-z_]{1,9}": ?(1|"x"|\{\}|null)\}"#,
    ]) {
        let mut reading = Reading::new("", None);
        let _ = reading.take(&data, &mut |_| {});
    }
}
