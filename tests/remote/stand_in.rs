//! A stand-in of an engine elsewhere, on loopback: it has a list of models, refuses what the real ones refuse,
//! streams as they do, fails as told, and keeps what it was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Nothing in these tests takes this long unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// After so long without a piece a reader goes by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it does with a completion.
#[derive(Clone)]
pub enum Script {
    /// Says these tokens, each of the log-probability -0.5, and ends.
    Says(Vec<&'static str>),
    /// Says these, and with each how it read the prompt: 10 ms for a token of four bytes that it had not read before.
    Reads(Vec<&'static str>),
    /// Says these, and nothing more until its reader has gone.
    Hangs(Vec<&'static str>),
    /// Says these, and closes the connection when the test says so.
    BreaksOff(Vec<&'static str>),
    /// Sends one line without end until its reader has gone.
    Floods,
    /// Says an error in the middle of the stream.
    Fails(&'static str),
    /// Answers with a status, a `Retry-After`, and a body.
    Refuses(u16, Option<u64>, &'static str),
}

/// A request as it came.
#[derive(Clone)]
pub struct Seen {
    pub path: String,
    pub key: Option<String>,
    pub body: Value,
}

pub struct StandIn {
    pub address: String,
    house: Arc<House>,
    serves: tokio::task::AbortHandle,
}

struct House {
    models: Value,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    gone: Notify,
    breaks: Notify,
}

impl StandIn {
    pub async fn new(model: &str, owner: &str, script: Script) -> StandIn {
        StandIn::at("127.0.0.1:0", model, owner, script).await
    }

    pub async fn at(address: &str, model: &str, owner: &str, script: Script) -> StandIn {
        let models = json!({ "object": "list", "data": [{ "id": model, "owned_by": owner }] });
        let house = Arc::new(House {
            models,
            script: Mutex::new(script),
            seen: Mutex::default(),
            gone: Notify::new(),
            breaks: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind(address).await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(house.clone());
        let serves = tokio::spawn(async move { axum::serve(listener, router).await });
        StandIn { address, house, serves: serves.abort_handle() }
    }

    pub fn says(&self, script: Script) {
        *self.house.script.lock().expect("a script") = script;
    }

    /// The completions that it was asked for.
    pub fn completions(&self) -> Vec<Seen> {
        let seen = self.house.seen.lock().expect("a list");
        seen.iter().filter(|seen| seen.path.ends_with("/completions")).cloned().collect()
    }

    /// Lets an answer break off, now or when it comes to that.
    pub fn breaks(&self) {
        self.house.breaks.notify_one();
    }

    /// Waits until the reader of an answer that hangs has gone: sooner than by its own patience.
    pub async fn gone(&self) {
        tokio::time::timeout(PATIENCE / 2, self.house.gone.notified()).await.expect("nobody reads");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serves.abort();
    }
}

impl House {
    /// As llama-server has them, of the last prompt.
    fn timings(&self) -> Value {
        let seen = self.seen.lock().expect("a list");
        let prompts: Vec<&[u8]> = seen
            .iter()
            .filter_map(|seen| seen.body["prompt"].as_str().map(str::as_bytes))
            .collect();
        let (last, before) = prompts.split_last().expect("a prompt");
        let shared =
            |known: &&[u8]| known.iter().zip(*last).take_while(|(known, new)| known == new).count();
        let known = before.iter().map(shared).max().unwrap_or(0) / 4;
        let read = last.len().div_ceil(4) - known;
        json!({ "cache_n": known, "prompt_n": read, "prompt_ms": 10 * read })
    }
}

/// Tells when it goes.
struct Reader(Arc<House>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.gone.notify_one();
    }
}

async fn answer(
    State(house): State<Arc<House>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let key = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    house.seen.lock().expect("a list").push(Seen { path: path.clone(), key, body: json.clone() });
    if path == "/v1/models" {
        return with(200, house.models.to_string());
    }
    if path != "/v1/completions" {
        return with(404, json!({ "error": { "message": "no such path" } }).to_string());
    }
    if json["model"] != house.models["data"][0]["id"] {
        return with(404, json!({ "error": { "message": "no such model" } }).to_string());
    }
    // What real ones want to see in every request of ours.
    for (name, is_good) in [
        ("prompt", json["prompt"].is_string()),
        ("max_tokens", json["max_tokens"].as_u64().is_some_and(|n| n > 0)),
        ("temperature", json["temperature"] == 0),
        ("stream", json["stream"] == true),
        ("stop", json["stop"].as_array().is_some_and(|stops| stops.len() <= 4)),
    ] {
        if !is_good {
            return with(400, json!({ "error": { "message": format!("bad {name}") } }).to_string());
        }
    }
    let script = house.script.lock().expect("a script").clone();
    let timings = matches!(script, Script::Reads(_)).then(|| house.timings());
    let (tokens, end) = match script {
        Script::Says(tokens) | Script::Reads(tokens) => (tokens, End::Done),
        Script::Hangs(tokens) => (tokens, End::Hang),
        Script::BreaksOff(tokens) => (tokens, End::Break),
        Script::Floods => {
            let reader = Reader(house);
            let line = futures::stream::repeat_with(move || {
                let _ = &reader;
                Ok::<_, std::io::Error>("x".repeat(1 << 16))
            });
            return Response::new(Body::from_stream(line));
        }
        Script::Fails(why) => {
            let error = json!({ "error": { "message": why } });
            return with(200, format!("data: {error}\n\n"));
        }
        Script::Refuses(status, wait, body) => {
            let mut response = with(status, body.to_owned());
            if let Some(seconds) = wait {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            return response;
        }
    };
    let reader = Reader(house.clone());
    let frames = tokens.into_iter().map(move |token| {
        let logprobs = json!({ "tokens": [token], "token_logprobs": [-0.5] });
        let mut data = json!({ "choices": [{ "text": token, "logprobs": logprobs }] });
        if let Some(timings) = &timings {
            data["timings"] = timings.clone();
        }
        Ok::<_, std::io::Error>(format!("data: {data}\n\n"))
    });
    let stream = futures::stream::iter(frames).chain(futures::stream::once(async move {
        let _reader = reader;
        match end {
            End::Done => Ok("data: [DONE]\n\n".to_owned()),
            End::Break => {
                house.breaks.notified().await;
                Err(std::io::Error::other("cut"))
            }
            End::Hang => std::future::pending::<Result<String, std::io::Error>>().await,
        }
    }));
    let response = Response::builder().header("content-type", "text/event-stream");
    response.body(Body::from_stream(stream)).expect("a response")
}

enum End {
    Done,
    Hang,
    Break,
}

fn with(status: u16, body: String) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body)).expect("a response")
}
