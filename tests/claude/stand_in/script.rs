//! What the stand-in answers: whole streams with every kind of event, and the ways in which they fail.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures::stream::{self, StreamExt};
use serde_json::{Map, Value, json};
use tandem::ask::price::Usage;

use super::{House, error};

/// What every answer says that it used, at its end.
pub const USAGE: Usage = Usage { input: 30, cache_write: 1_200, cache_read: 300, output: 57 };

/// The text of an answer where none is given. Its bytes are cut everywhere, also inside `ß`, `→` and `🦀`.
pub const ANSWER: &str = "Der Schlüssel heißt `mutex` → und 🦀 hält ihn.\n";

/// Bytes of a piece on the wire; no event and no character is left whole.
const PIECE: usize = 7;

/// One answer.
#[derive(Clone, Debug)]
pub enum Script {
    /// Whole, with every kind of event and some that nobody knows yet.
    Text(String),
    /// As [`Text`](Script::Text), with another reason to stop, and its details.
    Stop(&'static str, Value),
    /// As [`Text`](Script::Text), cut off at its longest.
    Long(String),
    /// An error before anything is streamed.
    Status(u16, &'static str, Vec<(&'static str, String)>),
    /// An error event: at once, or after the first pieces of text.
    Fails { kind: &'static str, after_text: bool },
    /// The connection is lost in the middle of an event: before the first block, or after some text.
    Cut { after_text: bool },
    /// The stream ends in good order, but before `message_stop`.
    Ends,
    /// Some text, then nothing until [`go_on`](super::StandIn::go_on); then the rest.
    Slow,
    /// Some text, then nothing.
    Silent,
    /// To another address.
    Redirect(String),
    /// What a wrong address gives: a status and a page.
    Page(u16),
    /// These bytes as a stream, again and again without an end.
    Endless(&'static str),
    /// An error whose words are the sender's own, as a careless gateway writes them.
    Echo(u16),
}

impl Default for Script {
    fn default() -> Script {
        Script::Text(ANSWER.to_owned())
    }
}

impl Script {
    pub fn overloaded() -> Script {
        Script::Status(529, "overloaded_error", vec![])
    }

    /// With a header `retry-after-ms`.
    pub fn limited(milliseconds: u32) -> Script {
        let headers = vec![("retry-after-ms", milliseconds.to_string())];
        Script::Status(429, "rate_limit_error", headers)
    }
}

pub fn answer(
    script: Script,
    request: &Map<String, Value>,
    house: &Arc<House>,
    id: &str,
) -> Response<Body> {
    let model = request["model"].clone();
    match script {
        Script::Status(status, kind, headers) => {
            return error(status, kind, &format!("It is {status}."), id, &headers);
        }
        Script::Redirect(to) => {
            let response = Response::builder().status(307).header("location", to);
            return response.body(Body::empty()).expect("a response");
        }
        Script::Page(status) => {
            let response = Response::builder().status(status).header("content-type", "text/html");
            return response.body(Body::from("<html>Sign in</html>")).expect("a response");
        }
        Script::Echo(status) => {
            let seen = house.seen.lock().expect("a list");
            let words = format!("{:?}", seen.last().map(|seen| &seen.headers));
            let key = seen.last().and_then(|seen| seen.header("x-api-key")).unwrap_or_default();
            return error(status, "api_error", &format!("{key} sent {words}"), id, &[]);
        }
        _ => {}
    }
    if request.get("stream") != Some(&Value::Bool(true)) {
        return message(script, model, id);
    }
    let head = Response::builder()
        .header("content-type", "text/event-stream; charset=utf-8")
        .header("cache-control", "no-cache")
        .header("request-id", id);
    head.body(body(script, model, house)).expect("a response")
}

fn body(script: Script, model: Value, house: &Arc<House>) -> Body {
    let started = start(model);
    let begin = [started.clone(), thought()].concat();
    let some = [begin.clone(), opened(), text("Der Schl")].concat();
    let cut = |events: String| {
        let lost = stream::once(async {
            // What was written goes out first.
            tokio::task::yield_now().await;
            Err(io::Error::other("the stand-in hangs up"))
        });
        Body::from_stream(pieces(events).map(Ok::<_, io::Error>).chain(lost))
    };
    match script {
        Script::Fails { kind, after_text } => {
            let so_far = if after_text { some } else { started };
            let error = json!({"type": kind, "message": "It broke."});
            whole(so_far + &event("error", json!({"type": "error", "error": error})))
        }
        Script::Cut { after_text: true } => cut(some + "event: content_block_delta\ndata: {\"ty"),
        Script::Cut { after_text: false } => cut(started + "event: content_bl"),
        Script::Ends => whole(some),
        Script::Slow => slow(some, rest("üssel."), house.clone(), true),
        Script::Silent => slow(some, String::new(), house.clone(), false),
        Script::Endless(piece) => {
            let forever = stream::repeat(piece.as_bytes());
            Body::from_stream(forever.map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece))))
        }
        Script::Stop(reason, details) => whole([some, closed(), end(reason, details)].concat()),
        script @ (Script::Text(_) | Script::Long(_)) => {
            let (answer, reason) = match script {
                Script::Long(answer) => (answer, "max_tokens"),
                Script::Text(answer) => (answer, "end_turn"),
                other => unreachable!("{other:?} has no text"),
            };
            let parts: Vec<char> = answer.chars().collect();
            let deltas = parts.chunks(5).map(|part| text(&part.iter().collect::<String>()));
            let deltas: String = deltas.collect();
            whole([begin, opened(), deltas, closed(), end(reason, Value::Null)].concat())
        }
        other => unreachable!("{other:?} is no stream"),
    }
}

/// In pieces that respect nothing, each on its way before the next.
fn pieces(events: String) -> impl stream::Stream<Item = Bytes> {
    let bytes = events.into_bytes();
    let pieces: Vec<Bytes> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    })
}

fn whole(events: String) -> Body {
    Body::from_stream(pieces(events).map(Ok::<_, Infallible>))
}

/// Counts a reader that goes before the end; empty once it has all.
struct Reader(Option<Arc<House>>);

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(house) = &self.0 {
            house.gone.add_permits(1);
        }
    }
}

fn slow(first: String, then: String, house: Arc<House>, goes_on: bool) -> Body {
    let mut reader = Reader(Some(house.clone()));
    let wait = async move {
        match goes_on {
            true => house.go_on.notified().await,
            false => std::future::pending().await,
        }
        reader.0.take();
        Bytes::from(then)
    };
    let all = pieces(first).chain(stream::once(wait));
    Body::from_stream(all.map(Ok::<_, Infallible>))
}

fn event(name: &str, data: Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn start(model: Value) -> String {
    let usage = json!({
        "input_tokens": USAGE.input, "cache_creation_input_tokens": USAGE.cache_write,
        "cache_read_input_tokens": USAGE.cache_read, "output_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": USAGE.cache_write, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard", "inference_geo": "global",
    });
    let message = json!({
        "id": "msg_stand_in", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    let start = event("message_start", json!({"type": "message_start", "message": message}));
    start + &event("ping", json!({"type": "ping"}))
}

/// Thinking, with a piece of it and its signature; then an event that nobody knows.
fn thought() -> String {
    let block = json!({"type": "thinking", "thinking": "", "signature": ""});
    let delta = |delta| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    [
        event(
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
        ),
        event(
            "content_block_delta",
            delta(json!({"type": "thinking_delta", "thinking": "Who holds"})),
        ),
        event("content_block_delta", delta(json!({"type": "thinking_delta", "thinking": " it?"}))),
        event(
            "content_block_delta",
            delta(json!({"type": "signature_delta", "signature": "c2lnbmVk"})),
        ),
        event("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
        ": a comment\n\n".to_owned(),
        event("weather_report", json!({"type": "weather_report", "sky": "blue"})),
    ]
    .concat()
}

fn opened() -> String {
    let block = json!({"type": "text", "text": ""});
    event(
        "content_block_start",
        json!({"type": "content_block_start", "index": 1, "content_block": block}),
    )
}

fn text(text: &str) -> String {
    let delta = json!({"type": "text_delta", "text": text});
    event("content_block_delta", json!({"type": "content_block_delta", "index": 1, "delta": delta}))
}

/// With a delta that nobody knows before it.
fn closed() -> String {
    let delta = json!({"type": "scent_delta", "scent": "coffee"});
    [
        event(
            "content_block_delta",
            json!({"type": "content_block_delta", "index": 1, "delta": delta}),
        ),
        event("content_block_stop", json!({"type": "content_block_stop", "index": 1})),
    ]
    .concat()
}

fn usage_at_end() -> Value {
    json!({
        "input_tokens": USAGE.input, "cache_creation_input_tokens": USAGE.cache_write,
        "cache_read_input_tokens": USAGE.cache_read, "output_tokens": USAGE.output,
        "output_tokens_details": {"thinking_tokens": 20},
    })
}

fn end(reason: &str, details: Value) -> String {
    let delta = json!({"stop_reason": reason, "stop_sequence": null, "stop_details": details});
    let end = json!({"type": "message_delta", "delta": delta, "usage": usage_at_end()});
    event("message_delta", end) + &event("message_stop", json!({"type": "message_stop"}))
}

fn rest(last: &str) -> String {
    [text(last), closed(), end("end_turn", Value::Null)].concat()
}

/// An answer in one piece, for who did not ask for a stream.
fn message(script: Script, model: Value, id: &str) -> Response<Body> {
    let (text, reason, details) = match script {
        Script::Text(text) => (text, "end_turn", Value::Null),
        Script::Long(text) => (text, "max_tokens", Value::Null),
        Script::Stop(reason, details) => ("Der Schl".to_owned(), reason, details),
        other => unreachable!("{other:?} is a stream"),
    };
    let content = json!([
        {"type": "thinking", "thinking": "Who holds it?", "signature": "c2lnbmVk"},
        {"type": "text", "text": text},
    ]);
    let message = json!({
        "id": "msg_stand_in", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": reason, "stop_sequence": null, "stop_details": details, "usage": usage_at_end(),
    });
    let head = Response::builder().header("content-type", "application/json");
    let head = head.header("request-id", id);
    head.body(Body::from(message.to_string())).expect("a response")
}
