//! The client against the stand-in: what it sends, what it makes of every kind of answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tandem::ask::api::{self, Address, Answer, ApiError, Endpoint, Patience, Progress, Stop};
use tandem::ask::key::Credential;
use tandem::ask::price::Usage;

use crate::stand_in::{ANSWER, KEY, Script, StandIn, USAGE};

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

/// Waits for nothing that a test would wait for.
fn endpoint_at(address: &str) -> Endpoint {
    let address = Address::parse(address).unwrap();
    let endpoint = Endpoint::new(address, None, Credential::Key(secret(KEY)));
    let patience = Patience { first_pause: Duration::ZERO, ..Patience::default() };
    Endpoint { patience, ..endpoint }
}

pub fn endpoint(stand_in: &StandIn) -> Endpoint {
    endpoint_at(&stand_in.address)
}

/// A request with all that tandem's have.
pub fn question() -> Value {
    json!({
        "model": "claude-sonnet-5-5",
        "max_tokens": 1_000,
        "stream": true,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "medium"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "fn main() {}", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Who holds the key?"},
            ]},
            {"role": "assistant", "content": "The mutex."},
            {"role": "user", "content": "Why?"},
        ],
    })
}

/// Sends the question; the outcome, and what was heard on the way.
async fn ask(endpoint: &Endpoint) -> (Result<Answer, ApiError>, Vec<Progress>) {
    let mut heard = Vec::new();
    let body = question().to_string().into_bytes();
    let outcome = api::send(endpoint, body, |progress| heard.push(progress)).await;
    (outcome, heard)
}

async fn answered(scripts: impl IntoIterator<Item = Script>) -> (Answer, Vec<Progress>, StandIn) {
    let stand_in = StandIn::new(scripts);
    let (outcome, heard) = ask(&endpoint(&stand_in)).await;
    (outcome.unwrap(), heard, stand_in)
}

async fn failed(scripts: impl IntoIterator<Item = Script>) -> (ApiError, Vec<Progress>, StandIn) {
    let stand_in = StandIn::new(scripts);
    let (outcome, heard) = ask(&endpoint(&stand_in)).await;
    (outcome.unwrap_err(), heard, stand_in)
}

fn waits(heard: &[Progress]) -> usize {
    heard.iter().filter(|progress| matches!(progress, Progress::Waiting { .. })).count()
}

#[tokio::test]
async fn an_answer_is_put_together_from_its_events() {
    let (answer, heard, _stand_in) = answered([Script::default()]).await;
    let expected = Answer {
        text: ANSWER.to_owned(),
        stop: Stop::EndTurn,
        usage: USAGE,
        model: "claude-sonnet-5-5".to_owned(),
        request_id: Some("req_stand_in_1".to_owned()),
    };
    assert_eq!(answer, expected);
    assert_eq!(heard[..2], [Progress::Sent, Progress::Started { model: answer.model }]);
    assert_eq!(heard.last(), Some(&Progress::Usage(USAGE)));
    let (mut thought, mut text) = (String::new(), String::new());
    for progress in heard {
        match progress {
            Progress::Thinking(piece) => thought += &piece,
            Progress::Text(piece) => text += &piece,
            _ => {}
        }
    }
    assert_eq!((thought.as_str(), text.as_str()), ("Who holds it?", ANSWER));
}

#[tokio::test]
async fn what_is_sent_is_the_body_byte_for_byte() {
    let stand_in = StandIn::new([]);
    // With blanks and an order that no serialiser would choose.
    let body = format!(" {}\n", serde_json::to_string_pretty(&question()).unwrap()).into_bytes();
    api::send(&endpoint(&stand_in), body.clone(), |_| {}).await.unwrap();
    let seen = stand_in.only();
    assert_eq!(seen.body, body);
    assert_eq!(seen.json(), question());
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("anthropic-version"), Some(api::VERSION));
    assert!(seen.header("user-agent").unwrap().starts_with("tandem/"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_token_goes_as_a_bearers_and_alone() {
    let stand_in = StandIn::new([]);
    let credential = Credential::Token(secret(KEY));
    let (outcome, _) = ask(&Endpoint { credential, ..endpoint(&stand_in) }).await;
    outcome.unwrap();
    let seen = stand_in.only();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(seen.header("x-api-key"), None);
}

#[tokio::test]
async fn a_wrong_key_is_said_and_not_tried_again() {
    let stand_in = StandIn::new([]);
    let credential = Credential::Key(secret("sk-ant-other"));
    let (outcome, heard) = ask(&Endpoint { credential, ..endpoint(&stand_in) }).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("invalid x-api-key") && error.contains("tandem key set"), "{error}");
    assert_eq!((heard, stand_in.seen().len()), (vec![Progress::Sent], 1));
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let cases = [
        (400, "invalid_request_error", "spending limit"),
        (402, "billing_error", "billing"),
        (403, "permission_error", "ask.model"),
        (404, "not_found_error", "ask.base_url"),
        (413, "request_too_large", "ask.bundle_tokens"),
    ];
    for (status, kind, needed) in cases {
        let (error, _, stand_in) = failed([Script::Status(status, kind, vec![])]).await;
        let sentence = error.to_string();
        assert!(sentence.contains(needed) && sentence.contains("It is"), "{sentence}");
        let ApiError::Refused(refused) = error else { panic!("{error:?}") };
        assert_eq!((refused.status, refused.kind.as_str()), (status, kind));
        assert_eq!(refused.request_id.as_deref(), Some("req_stand_in_1"));
        assert_eq!(stand_in.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_limit_that_passes_is_waited_for() {
    let (answer, heard, stand_in) = answered([Script::limited(1), Script::default()]).await;
    assert_eq!(answer.text, ANSWER);
    let [first, second] = &stand_in.seen()[..] else { panic!("two requests") };
    assert_eq!(first.body, second.body);
    assert_eq!(heard[0], Progress::Sent);
    assert!(
        matches!(&heard[1], Progress::Waiting { attempt: 2, seconds: 1, why } if why.contains("limit")),
        "{heard:?}"
    );
    assert_eq!(heard[2], Progress::Sent);
}

#[tokio::test]
async fn a_limit_that_takes_long_is_left_to_a_person() {
    let script = Script::Status(429, "rate_limit_error", vec![("retry-after", "3600".to_owned())]);
    let (error, heard, _stand_in) = failed([script]).await;
    assert!(error.to_string().contains("wait 3600 s"), "{error}");
    assert_eq!(waits(&heard), 0);
}

#[tokio::test]
async fn an_overload_that_passes_is_not_noticed() {
    let scripts = [Script::overloaded(), Script::overloaded(), Script::default()];
    let (answer, heard, _stand_in) = answered(scripts).await;
    assert_eq!((answer.text.as_str(), answer.usage, waits(&heard)), (ANSWER, USAGE, 2));
}

#[tokio::test]
async fn an_overload_or_a_fault_that_stays_is_tried_three_times() {
    for (status, kind, needed) in
        [(529, "overloaded_error", "overloaded"), (500, "api_error", "status.claude.com")]
    {
        let (error, heard, stand_in) = failed([Script::Status(status, kind, vec![])]).await;
        let error = error.to_string();
        assert!(error.contains(needed) && error.contains("tried 3 times"), "{error}");
        assert_eq!((waits(&heard), stand_in.seen().len()), (2, 3));
    }
}

#[tokio::test]
async fn the_api_can_forbid_another_try() {
    let headers = vec![("x-should-retry", "false".to_owned())];
    let (_, _, stand_in) = failed([Script::Status(529, "overloaded_error", headers)]).await;
    assert_eq!(stand_in.seen().len(), 1);
}

#[tokio::test]
async fn what_breaks_before_the_first_piece_is_tried_again_and_counted() {
    let overloaded = Script::Fails { kind: "overloaded_error", after_text: false };
    for script in [Script::Cut { after_text: false }, overloaded] {
        let (answer, heard, stand_in) = answered([script, Script::default()]).await;
        assert_eq!((answer.text.as_str(), stand_in.seen().len()), (ANSWER, 2));
        let twice = Usage {
            input: 2 * USAGE.input,
            cache_write: 2 * USAGE.cache_write,
            cache_read: 2 * USAGE.cache_read,
            output: USAGE.output + 1,
        };
        assert_eq!(answer.usage, twice);
        assert_eq!(heard.last(), Some(&Progress::Usage(twice)));
    }
}

#[tokio::test]
async fn what_an_attempt_used_is_not_forgotten_when_the_next_is_refused() {
    let scripts = [Script::Cut { after_text: false }, Script::Status(402, "billing_error", vec![])];
    let (error, _, _stand_in) = failed(scripts).await;
    assert!(matches!(error, ApiError::Refused(_)));
    assert_eq!(error.usage(), Usage { output: 1, ..USAGE });
}

#[tokio::test]
async fn a_cut_stream_is_incomplete() {
    for script in [Script::Cut { after_text: true }, Script::Ends] {
        let (error, heard, stand_in) = failed([script]).await;
        assert!(matches!(error, ApiError::Cut { .. }), "{error:?}");
        assert!(error.to_string().contains("incomplete"), "{error}");
        let partial = error.partial().unwrap();
        assert_eq!(partial.text, "Der Schl");
        assert_eq!(partial.model.as_deref(), Some("claude-sonnet-5-5"));
        let Usage { input, cache_write, cache_read, output } = error.usage();
        assert_eq!(Usage { input, cache_write, cache_read, output: USAGE.output }, USAGE);
        // What has come is counted, though the API had only told of one token.
        assert!(output > 5);
        assert_eq!((waits(&heard), stand_in.seen().len()), (0, 1));
    }
}

#[tokio::test]
async fn an_error_after_the_first_piece_ends_the_answer() {
    let script = Script::Fails { kind: "overloaded_error", after_text: true };
    let (error, _, stand_in) = failed([script]).await;
    assert!(error.to_string().contains("overloaded_error: It broke."), "{error}");
    assert_eq!(error.partial().unwrap().text, "Der Schl");
    assert_eq!(stand_in.seen().len(), 1);
}

#[tokio::test]
async fn an_error_that_will_not_pass_is_not_tried_again_either() {
    let script = Script::Fails { kind: "invalid_request_error", after_text: false };
    let (error, _, stand_in) = failed([script]).await;
    assert!(matches!(error, ApiError::Failed { .. }));
    assert_eq!(stand_in.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let stand_in = StandIn::new([Script::Silent]);
    let mut endpoint = endpoint(&stand_in);
    endpoint.patience.idle = Duration::from_millis(100);
    let error = ask(&endpoint).await.0.unwrap_err();
    assert!(error.to_string().contains("nothing came"), "{error}");
    assert_eq!(error.partial().unwrap().text, "Der Schl");
    assert_eq!(stand_in.seen().len(), 1);
    stand_in.gone().await;
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let stand_in = StandIn::new([Script::Slow]);
    let endpoint = endpoint(&stand_in);
    let mut text = String::new();
    let answer = api::send(&endpoint, question().to_string().into(), |progress| {
        if let Progress::Text(piece) = progress {
            text += &piece;
            stand_in.go_on();
        }
    });
    assert_eq!(answer.await.unwrap().text, "Der Schlüssel.");
    assert_eq!(text, "Der Schlüssel.");
}

#[tokio::test]
async fn who_stops_waiting_closes_the_connection() {
    let stand_in = StandIn::new([Script::Slow]);
    let endpoint = endpoint(&stand_in);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let asking = api::send(&endpoint, question().to_string().into(), |progress| {
        if matches!(progress, Progress::Text(_))
            && let Some(begun) = begun.take()
        {
            begun.send(()).unwrap();
        }
    });
    tokio::select! {
        outcome = asking => panic!("{outcome:?}"),
        begun = has_begun => begun.unwrap(),
    }
    stand_in.gone().await;
}

#[tokio::test]
async fn a_refusal_and_a_full_answer_are_shown_for_what_they_are() {
    let details =
        json!({"type": "refusal", "category": "cyber", "explanation": "It looks like an attack."});
    let (answer, _, _stand_in) = answered([Script::Stop("refusal", details)]).await;
    assert!(!answer.stop.is_complete());
    let said = answer.stop.to_string();
    assert!(said.contains("`cyber`") && said.contains("It looks like an attack."), "{said}");

    let (answer, _, _stand_in) = answered([Script::Stop("max_tokens", Value::Null)]).await;
    assert_eq!((answer.stop.is_complete(), answer.text.as_str()), (false, "Der Schl"));
    assert!(answer.stop.to_string().contains("ask.answer_tokens"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = StandIn::new([]);
    let to = format!("{}/v1/messages", elsewhere.address);
    let (error, _, stand_in) = failed([Script::Redirect(to)]).await;
    assert!(matches!(error, ApiError::Redirect { status: 307, .. }), "{error:?}");
    assert_eq!((stand_in.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_page_is_no_answer() {
    let (error, _, _stand_in) = failed([Script::Page(200)]).await;
    assert!(matches!(error, ApiError::Strange { .. }), "{error:?}");
    assert!(error.to_string().contains("text/html"), "{error}");
    let (error, _, stand_in) = failed([Script::Page(502)]).await;
    assert!(error.to_string().contains("a web page answered"), "{error}");
    assert_eq!(stand_in.seen().len(), 3);
}

#[tokio::test]
async fn a_stream_without_an_end_is_not_kept() {
    const LINE: &str = concat!("data: ", include_str!("api.rs"));
    let endless = LINE.replace(['\r', '\n'], " ").leak();
    for piece in [endless, ": nothing, for ever\n"] {
        let (error, _, stand_in) = failed([Script::Endless(piece)]).await;
        assert!(matches!(error, ApiError::TooMuch { .. }), "{error:?}");
        assert_eq!(stand_in.seen().len(), 1);
    }
}

#[tokio::test]
async fn where_nobody_answers_is_said_with_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (outcome, heard) = ask(&endpoint_at(&format!("http://{address}"))).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(&format!("cannot reach {address}")), "{error}");
    assert_eq!(waits(&heard), 2);
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_host_and_does_not_get_the_key() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://name:word-canary@{}", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    });
    let endpoint = Endpoint { proxy: Some(proxy), ..endpoint_at("https://api.example.invalid") };
    let error = ask(&endpoint).await.0.unwrap_err();
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("CONNECT api.example.invalid:443 "), "{heard}");
    assert!(!heard.contains(KEY));
    let shown = format!("{error} {error:?} {endpoint:?}");
    assert!(!shown.contains("word-canary") && !shown.contains(KEY), "{shown}");
}

/// Everything that anything logs in this process, once somebody wants it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_is_in_no_error_no_log_and_no_debug() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    for script in [
        Script::default(),
        Script::Echo(400),
        Script::Echo(500),
        Script::Cut { after_text: true },
        Script::Page(200),
        Script::Redirect("http://127.0.0.1:1/".to_owned()),
    ] {
        let stand_in = StandIn::new([script]);
        let endpoint = endpoint(&stand_in);
        let (outcome, heard) = ask(&endpoint).await;
        let mut shown = format!("{outcome:?} {heard:?} {endpoint:?}");
        if let Err(error) = outcome {
            shown += &error.to_string();
        }
        assert!(!shown.contains(KEY), "{shown}");
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("the API answers"), "nothing was logged");
    assert!(!log.contains(KEY), "{log}");
}
