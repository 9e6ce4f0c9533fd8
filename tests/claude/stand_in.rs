//! A stand-in of the Messages API, on loopback: it refuses what the real one refuses, streams every kind of
//! event, fails as told, and keeps what it was sent.
//!
//! In: scripts, one for each request that it does not refuse, the last one for all further ones. Out: an
//! address, and the requests byte for byte. It runs on a thread of its own, for tests of every kind.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore, oneshot};

// Named in full, because the tests of the editors use this file from another folder.
#[path = "stand_in/rules.rs"]
mod rules;
#[path = "stand_in/script.rs"]
mod script;

pub use script::{ANSWER, Script, USAGE};

/// The only key that it knows; it goes as `x-api-key` or as a bearer's token.
pub const KEY: &str = "sk-ant-canary-4711";

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(10);

/// A running stand-in; it ends with this value.
pub struct StandIn {
    /// For `ask.base_url`.
    pub address: String,
    house: Arc<House>,
    _stop: oneshot::Sender<()>,
}

/// What all requests share.
struct House {
    scripts: Mutex<VecDeque<Script>>,
    seen: Mutex<Vec<Seen>>,
    /// Lets slow answers go on.
    go_on: Notify,
    /// One for each request.
    asked: Semaphore,
    /// One for each answer whose reader has gone before its end.
    gone: Semaphore,
}

impl StandIn {
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> StandIn {
        let house = Arc::new(House {
            scripts: Mutex::new(scripts.into_iter().collect()),
            seen: Mutex::default(),
            go_on: Notify::new(),
            asked: Semaphore::new(0),
            gone: Semaphore::new(0),
        });
        let (tell_address, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(house.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("an address");
                tell_address.send(address).expect("a test that listens");
                let serve = axum::serve(listener, router);
                // Without grace: an answer that never ends must not hold the test.
                tokio::select! {
                    _ = serve => {}
                    _ = stopped => {}
                }
            });
        });
        let address = format!("http://{}", address.recv().expect("an address"));
        StandIn { address, house, _stop: stop }
    }

    /// All requests so far, the refused ones too.
    pub fn seen(&self) -> Vec<Seen> {
        self.house.seen.lock().expect("a list").clone()
    }

    /// The only request so far.
    pub fn only(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "one request");
        seen.remove(0)
    }

    /// Lets a [`Script::Slow`] answer end.
    pub fn go_on(&self) {
        self.house.go_on.notify_one();
    }

    /// Waits for a request.
    pub async fn asked(&self) {
        within(self.house.asked.acquire()).await.expect("a count").forget();
    }

    /// Waits until a reader has gone before its answer's end.
    pub async fn gone(&self) {
        within(self.house.gone.acquire()).await.expect("a count").forget();
    }
}

/// What has not come by then does not come.
async fn within<T>(waited_for: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, waited_for).await.expect("it comes in time")
}

async fn answer(
    State(house): State<Arc<House>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let number = {
        let mut seen = house.seen.lock().expect("a list");
        seen.push(Seen { headers: headers.clone(), body: body.to_vec() });
        house.asked.add_permits(1);
        seen.len()
    };
    let id = format!("req_stand_in_{number}");
    let request = match rules::check(&method, uri.path(), &headers, &body) {
        Ok(request) => request,
        Err(refusal) => return error(refusal.status, refusal.kind, &refusal.message, &id, &[]),
    };
    let script = {
        let mut scripts = house.scripts.lock().expect("a list");
        match scripts.len() {
            0 | 1 => scripts.front().cloned().unwrap_or_default(),
            _ => scripts.pop_front().expect("one of several"),
        }
    };
    script::answer(script, &request, &house, &id)
}

/// An error as the API writes it.
fn error(
    status: u16,
    kind: &str,
    message: &str,
    id: &str,
    headers: &[(&'static str, String)],
) -> Response<Body> {
    let error = json!({"type": kind, "message": message});
    let body = json!({"type": "error", "error": error, "request_id": id});
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("request-id", id);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(body.to_string())).expect("a response")
}
