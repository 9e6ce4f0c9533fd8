//! Sending, reading, trying again.
//!
//! In: an endpoint and a body. Out: the answer. Refuses: what [`send`](super::send) refuses; here are the
//! limits on what is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Proxy, Response};
use serde::Deserialize;
use sse_stream::SseByteStream;

use super::events::{Broken, Reading};
use super::retry::{self, Hints};
use super::{Answer, ApiError, Endpoint, Partial, Progress, Refused, VERSION};
use crate::ask::key::Credential;
use crate::ask::price::Usage;
use crate::net;
use crate::net::clean;

/// Bytes of one event; the longest have some kilobytes.
const LONGEST_EVENT: usize = 8_000_000;

/// Bytes of a whole stream.
const LONGEST_STREAM: usize = 64_000_000;

/// Bytes of an error's body that are read, and how long they are waited for.
const LONGEST_ERROR: usize = 64_000;
const ERROR_PATIENCE: Duration = Duration::from_secs(10);

/// Errors that the API sends in a stream and that may pass.
const PASSING: [&str; 4] = ["overloaded_error", "api_error", "rate_limit_error", "timeout_error"];

/// An attempt that did not work.
struct Setback {
    error: ApiError,
    /// Until the next attempt; `None` where there is none.
    pause: Option<Duration>,
}

impl From<ApiError> for Setback {
    fn from(error: ApiError) -> Setback {
        Setback { error, pause: None }
    }
}

pub async fn send(
    endpoint: &Endpoint,
    body: Vec<u8>,
    mut tell: impl FnMut(Progress),
) -> Result<Answer, ApiError> {
    let client = client(endpoint)?;
    let headers = headers(&endpoint.credential)?;
    // By attempts whose answers broke off before their first piece.
    let mut lost = Usage::default();
    let mut attempt = 1;
    loop {
        tell(Progress::Sent);
        let request =
            client.post(endpoint.address.url().clone()).headers(headers.clone()).body(body.clone());
        let mut tell_all = |progress| match progress {
            Progress::Usage(usage) => tell(Progress::Usage(sum(lost, usage))),
            other => tell(other),
        };
        let Setback { mut error, pause } =
            match once(endpoint, request, attempt, &mut tell_all).await {
                Ok(answer) => return Ok(Answer { usage: sum(lost, answer.usage), ..answer }),
                Err(setback) => setback,
            };
        if let Some(usage) = error.usage_mut() {
            *usage = sum(lost, *usage);
            lost = *usage;
        }
        let Some(pause) = pause else { return Err(error) };
        attempt += 1;
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        tracing::debug!(attempt, seconds, %error, "asking again");
        tell(Progress::Waiting { attempt, seconds, why: why(&error) });
        tokio::time::sleep(pause).await;
    }
}

fn client(endpoint: &Endpoint) -> Result<Client, ApiError> {
    let url = endpoint.address.url();
    let mut builder = net::client(url)
        .connect_timeout(endpoint.patience.connect)
        .read_timeout(endpoint.patience.idle);
    if let Some(proxy) = endpoint.proxy.as_ref().filter(|_| !net::is_loopback(url)) {
        let proxy = Proxy::all(proxy);
        let wrong = |error| ApiError::Proxy { reason: net::reason(error) };
        builder = builder.proxy(proxy.map_err(wrong)?);
    }
    builder.build().map_err(|error| ApiError::Proxy { reason: net::reason(error) })
}

fn headers(credential: &Credential) -> Result<HeaderMap, ApiError> {
    let (name, value) = match credential {
        Credential::Key(_) => {
            (header::HeaderName::from_static("x-api-key"), credential.secret().to_owned())
        }
        Credential::Token(_) => (header::AUTHORIZATION, format!("Bearer {}", credential.secret())),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| ApiError::Key)?;
    // Not shown by anything that prints headers.
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([
        (name, value),
        (header::HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION)),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ACCEPT, HeaderValue::from_static("text/event-stream")),
    ]))
}

/// One attempt. `attempt` is its number, from 1.
async fn once(
    endpoint: &Endpoint,
    request: reqwest::RequestBuilder,
    attempt: u32,
    tell: &mut impl FnMut(Progress),
) -> Result<Answer, Setback> {
    let secret = endpoint.credential.secret();
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() && !error.is_connect() => {
            let partial = Box::default();
            return Err(ApiError::Cut { reason: silence(endpoint), partial }.into());
        }
        Err(error) => {
            let was_open = !error.is_connect() && !error.is_builder();
            let pause = retry::after_a_lost_connection(attempt, &endpoint.patience);
            let reason = clean(&net::reason(error), secret);
            return Err(Setback {
                error: ApiError::Unreachable {
                    host: endpoint.host(),
                    reason,
                    usage: Usage::default(),
                    was_open,
                },
                pause,
            });
        }
    };
    let status = response.status();
    let request_id = header_of(&response, "request-id").map(|id| clean(id, secret));
    tracing::debug!(attempt, status = status.as_u16(), request_id, "the API answers");
    if status.is_redirection() {
        return Err(ApiError::Redirect { host: endpoint.host(), status: status.as_u16() }.into());
    }
    if !status.is_success() {
        return Err(refused(endpoint, response, request_id, attempt).await);
    }
    let kind = header_of(&response, "content-type").unwrap_or("nothing");
    if !kind.to_ascii_lowercase().starts_with("text/event-stream") {
        let reason = format!("it sends {} where a stream of events is due", clean(kind, secret));
        let partial = Box::new(Partial { request_id, ..Partial::default() });
        return Err(ApiError::Strange { host: endpoint.host(), reason, partial }.into());
    }
    let mut reading = Reading::new(secret, request_id);
    match read(endpoint, response, &mut reading, tell).await {
        Ok(()) => {
            let (whole, stop) = reading.finished();
            let Partial { text, usage, model, request_id } = whole;
            Ok(Answer { text, stop, usage, model: model.unwrap_or_default(), request_id })
        }
        Err(break_off) => {
            let may_pass = !reading.has_content() && break_off.may_pass();
            let pause =
                may_pass.then(|| retry::after_a_lost_connection(attempt, &endpoint.patience));
            let partial = Box::new(reading.partial());
            Err(Setback { error: break_off.error(endpoint, partial), pause: pause.flatten() })
        }
    }
}

/// Why a stream was not read to its end.
enum BreakOff {
    Lost(String),
    Silent(String),
    Broken(Broken),
}

impl BreakOff {
    fn may_pass(&self) -> bool {
        match self {
            BreakOff::Lost(_) => true,
            BreakOff::Broken(Broken::Failed { kind, .. }) => PASSING.contains(&kind.as_str()),
            BreakOff::Silent(_) | BreakOff::Broken(_) => false,
        }
    }

    fn error(self, endpoint: &Endpoint, partial: Box<Partial>) -> ApiError {
        match self {
            BreakOff::Lost(reason) | BreakOff::Silent(reason) => ApiError::Cut { reason, partial },
            BreakOff::Broken(Broken::Failed { kind, message }) => {
                ApiError::Failed { kind, message, partial }
            }
            BreakOff::Broken(Broken::Strange(reason)) => {
                ApiError::Strange { host: endpoint.host(), reason, partial }
            }
            BreakOff::Broken(Broken::TooMuch(what)) => ApiError::TooMuch { what, partial },
        }
    }
}

/// What ends a body before its end.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error("the connection was lost")]
    Lost(#[from] reqwest::Error),
    #[error("too much")]
    TooMuch,
}

async fn read(
    endpoint: &Endpoint,
    response: Response,
    reading: &mut Reading<'_>,
    tell: &mut impl FnMut(Progress),
) -> Result<(), BreakOff> {
    let secret = endpoint.credential.secret();
    let strange = |reason: String| BreakOff::Broken(Broken::Strange(reason));
    // Bytes since the last event: what the decoder holds.
    let held = Arc::new(AtomicUsize::new(0));
    let (counted, mut all) = (held.clone(), 0_usize);
    let pieces = response.bytes_stream().map(move |piece| {
        let piece = piece?;
        all = all.saturating_add(piece.len());
        let event = counted.fetch_add(piece.len(), Ordering::Relaxed).saturating_add(piece.len());
        match event <= LONGEST_EVENT && all <= LONGEST_STREAM {
            true => Ok(piece),
            false => Err(Interruption::TooMuch),
        }
    });
    let mut events = std::pin::pin!(SseByteStream::new(pieces));
    while let Some(event) = events.next().await {
        held.store(0, Ordering::Relaxed);
        let event = event.map_err(|error| match error {
            sse_stream::Error::Body(cause) => match cause.downcast::<Interruption>() {
                Ok(cause) => match *cause {
                    Interruption::TooMuch => {
                        let what = "more came than an answer can have".to_owned();
                        BreakOff::Broken(Broken::TooMuch(what))
                    }
                    Interruption::Lost(error) if error.is_timeout() => {
                        BreakOff::Silent(silence(endpoint))
                    }
                    Interruption::Lost(error) => BreakOff::Lost(clean(&net::reason(error), secret)),
                },
                Err(cause) => BreakOff::Lost(clean(&cause.to_string(), secret)),
            },
            error => strange(clean(&error.to_string(), secret)),
        })?;
        let Some(data) = event.data else { continue };
        reading.take(&data, tell).map_err(BreakOff::Broken)?;
        if reading.has_ended() {
            return Ok(());
        }
    }
    Err(BreakOff::Lost("the connection was closed before the end".to_owned()))
}

fn silence(endpoint: &Endpoint) -> String {
    format!("nothing came for {} s", endpoint.patience.idle.as_secs())
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    message: String,
}

/// An answer with an error's status.
async fn refused(
    endpoint: &Endpoint,
    response: Response,
    request_id: Option<String>,
    attempt: u32,
) -> Setback {
    let secret = endpoint.credential.secret();
    let status = response.status().as_u16();
    let hints = Hints::read(|name| header_of(&response, name), Timestamp::now());
    let body = beginning(response).await;
    let (kind, message) = match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(ErrorBody { error }) => (error.r#type, error.message),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => {
            (String::new(), "a web page answered, not the API".to_owned())
        }
        Err(_) => (String::new(), String::from_utf8_lossy(&body).into_owned()),
    };
    let refused = Refused {
        status,
        kind: clean(&kind, secret),
        message: clean(&message, secret),
        request_id,
        retry_after: hints.after.map(|after| after.as_secs_f64().ceil() as u64),
        attempts: attempt,
        usage: Usage::default(),
    };
    let pause = retry::pause(status, hints, attempt, &endpoint.patience);
    Setback { error: ApiError::Refused(Box::new(refused)), pause }
}

/// The beginning of a body, or what there is of it when it breaks off or takes long.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(piece)) = response.chunk().await {
            let room = LONGEST_ERROR - body.len();
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if body.len() >= LONGEST_ERROR {
                break;
            }
        }
    };
    // Late is as good as cut.
    let _ = tokio::time::timeout(ERROR_PATIENCE, read).await;
    body
}

fn header_of<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// What is waited for, as the end of a sentence.
fn why(error: &ApiError) -> String {
    match error {
        ApiError::Refused(refused) => refused.what(),
        ApiError::Failed { message, .. } => message.clone(),
        _ => "the connection was lost".to_owned(),
    }
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input.saturating_add(b.input),
        cache_write: a.cache_write.saturating_add(b.cache_write),
        cache_read: a.cache_read.saturating_add(b.cache_read),
        output: a.output.saturating_add(b.output),
    }
}
