//! One request → one answer.
//!
//! In: a request that the guard has let in. Out: what the completer says at its place, in OpenAI's shape;
//! an empty text where there is nothing to suggest, and at once where something newer has come. Only text to
//! insert at the cursor goes out: such clients replace nothing. A client that closes its connection drops
//! this future, and with it the work.
//! Refuses: bodies that are long or slow, more requests at once than a person causes, and to read files: a
//! request says what a file holds, whoever sent it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ropey::Rope;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::excerpt::{self, Excerpt};
use super::guard::Guard;
use super::loose::Loose;
use super::place::{self, Found};
use super::shapes::{self, Answered, Asked};
use super::turns::Turns;
use crate::completer::{Completion, Place, Style};
use crate::document::{Document, Snapshot};
use crate::engine::{Figures, State};
use crate::lsp::{Session, Showing};
use crate::suggestion::Suggestion;

/// Bytes of a body at most. Zed's are some 3 KB.
const BODY: usize = 1 << 20;
/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Requests that are worked on at once. An editor has two under way at most.
const AT_ONCE: usize = 8;
/// Open documents that are looked through, the one changed last first.
const LOOKED_THROUGH: usize = 32;
/// Bytes of them: each is copied, and that takes time that a person waits.
const BYTES_LOOKED_THROUGH: usize = 16 << 20;
/// Characters of what is wrong with a request: it may repeat all of it.
const WHY: usize = 300;

/// What all requests share.
pub struct House {
    session: Arc<Session>,
    guard: Guard,
    loose: Mutex<Loose>,
    turns: Turns,
    room: Semaphore,
}

/// Where a completion is wanted.
struct Wanted {
    document: String,
    language: String,
    path: String,
    text: Rope,
    cursor: usize,
    /// The open document, if this is exactly its text.
    open: Option<Snapshot>,
}

/// A document that an editor has open.
struct Open {
    uri: String,
    /// In the workspace.
    name: String,
    text: String,
    snapshot: Snapshot,
}

impl Open {
    fn may_have(&self, excerpt: &Excerpt) -> bool {
        excerpt.path.as_ref().is_none_or(|path| is_path_of(path, &self.name))
    }

    fn wanted(&self, excerpt: &Excerpt, found: &Found) -> Wanted {
        let Open { uri, name, text, snapshot } = self;
        let same = found.exact && text.len() == snapshot.len_bytes();
        let (text, cursor) = if same {
            (snapshot.rope.clone(), found.cursor(excerpt))
        } else {
            let (text, cursor) = found.text(text, excerpt);
            (Rope::from_str(&text), cursor)
        };
        Wanted {
            document: uri.clone(),
            language: snapshot.language_id.to_string(),
            path: name.clone(),
            text,
            cursor,
            open: same.then(|| snapshot.clone()),
        }
    }
}

/// All routes.
pub fn router(session: Arc<Session>, guard: Guard) -> Router {
    let (loose, turns, room) = (Mutex::default(), Turns::default(), Semaphore::new(AT_ONCE));
    let house = Arc::new(House { session, guard, loose, turns, room });
    Router::new()
        .route("/v1/completions", post(completions))
        .route("/v1/models", get(models))
        .route("/health", get(health))
        .fallback(elsewhere)
        .method_not_allowed_fallback(elsewhere)
        .layer(middleware::from_fn_with_state(house.clone(), guarded))
        .with_state(house)
}

async fn guarded(Shared(house): Shared<Arc<House>>, request: Request, next: Next) -> Response {
    match house.guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => problem(refused.status, refused.code, refused.message),
    }
}

async fn elsewhere() -> Response {
    let message = "there is only POST /v1/completions, GET /v1/models and GET /health";
    problem(StatusCode::NOT_FOUND, "not_found", message)
}

async fn models(Shared(house): Shared<Arc<House>>) -> Response {
    of_json(StatusCode::OK, &shapes::models(&house.model()))
}

async fn health(Shared(house): Shared<Arc<House>>) -> Response {
    let (status, state) = match &*house.session.completer.engine().state().borrow() {
        State::Asleep => (StatusCode::OK, json!({"status": "ok", "engine": "asleep"})),
        State::Ready(_) => (StatusCode::OK, json!({"status": "ok", "engine": "ready"})),
        State::Failed { message } => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "failed", "message": message}))
        }
        _ => (StatusCode::OK, json!({"status": "ok", "engine": "loading"})),
    };
    of_json(status, &state)
}

async fn completions(Shared(house): Shared<Arc<House>>, body: Body) -> Response {
    let body = match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = "the body is longer than 1 MB, or has no end";
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        }
        Err(_) => {
            let message = "the body did not come in time";
            return problem(StatusCode::REQUEST_TIMEOUT, "timeout", message);
        }
    };
    let asked = match Asked::read(&body) {
        Ok(asked) => asked,
        Err(why) => {
            let why: String = why.chars().take(WHY).collect();
            return problem(StatusCode::BAD_REQUEST, "invalid_request", &why);
        }
    };
    let Ok(_room) = house.room.try_acquire() else {
        let message = "there are too many requests at once";
        return problem(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message);
    };
    match house.complete(&asked).await {
        Ok(answered) if asked.stream == Some(true) => {
            let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
            (headers, answered.events()).into_response()
        }
        Ok(answered) => of_json(StatusCode::OK, &answered.body()),
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, "engine", &why),
    }
}

fn of_json(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    of_json(status, &shapes::error(message, kind, code))
}

impl House {
    /// The model that answers, as far as it is known; else the one that was chosen.
    fn model(&self) -> String {
        match &*self.session.completer.engine().state().borrow() {
            State::Ready(about) => about.model.clone(),
            _ => self.session.settings.get().model.clone(),
        }
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// Why the engine cannot work, as a sentence that says what to do.
    async fn complete(&self, asked: &Asked) -> Result<Answered, String> {
        let (text, figures) = match self.wanted(asked) {
            Some(wanted) => self.complete_at(&wanted, asked).await?,
            None => Default::default(),
        };
        let mut text = asked.stopped(&text).to_owned();
        if asked.prompt().contains("\r\n") {
            text = text.replace('\n', "\r\n");
        }
        Ok(Answered { model: self.model(), text, figures })
    }

    async fn complete_at(
        &self,
        wanted: &Wanted,
        asked: &Asked,
    ) -> Result<(String, Figures), String> {
        let began = Instant::now();
        let turn = self.turns.take(&wanted.document);
        let place = Place {
            document: &wanted.document,
            path: &wanted.path,
            language: &wanted.language,
            text: &wanted.text,
            cursor: wanted.cursor,
            invoked: false,
        };
        let style = style(self.session.settings.get().style(), asked.max_tokens);
        let completion = tokio::select! {
            biased;
            () = turn.superseded() => Completion::default(),
            completion = self.session.completer.complete(place, style) => completion,
        };
        let Some(suggestion) = &completion.suggestion else {
            return match &*self.session.completer.engine().state().borrow() {
                State::Failed { message } => Err(message.clone()),
                _ => Ok((String::new(), completion.figures)),
            };
        };
        let rest = wanted.text.byte_slice(wanted.cursor..).to_string();
        let text = insertable(suggestion, &rest).unwrap_or_default().to_owned();
        if let Some(snapshot) = wanted.open.as_ref().filter(|_| !text.is_empty()) {
            let (cursor, start) = (wanted.cursor, snapshot.line_start(wanted.cursor));
            let line = snapshot.slice(start..cursor);
            let showing = Showing {
                uri: &wanted.document,
                snapshot,
                cursor,
                replaced: (start..cursor, &line),
                invoked: false,
                asked: began,
            };
            self.session.shows(showing, &completion);
        }
        Ok((text, completion.figures))
    }

    /// Where a request wants a completion; `None` where none is wanted.
    fn wanted(&self, asked: &Asked) -> Option<Wanted> {
        if !self.session.is_enabled() || asked.max_tokens == Some(0) {
            return None;
        }
        let readings = excerpt::read(asked.prompt(), asked.suffix.as_deref());
        let wanted = match self.in_open_document(&readings) {
            Some(wanted) => wanted,
            // Without a document, nothing says where the cursor is.
            None if readings.len() > 1 => return None,
            None => self.in_loose_text(readings.first()?)?,
        };
        let near = wanted.cursor.saturating_sub(1_000)..wanted.cursor + 1_000;
        let is_text = !slice(&wanted.text, near).contains('\0');
        (is_text && self.session.wants(&wanted.language)).then_some(wanted)
    }

    fn in_open_document(&self, readings: &[Excerpt]) -> Option<Wanted> {
        let (mut passed, mut bytes) = (Vec::new(), 0);
        for (uri, snapshot) in self.session.open_documents().into_iter().take(LOOKED_THROUGH) {
            if snapshot.too_large() {
                continue;
            }
            bytes += snapshot.len_bytes();
            if bytes > BYTES_LOOKED_THROUGH && !passed.is_empty() {
                break;
            }
            let name = self.session.name(&uri);
            let open = Open { text: plain(&snapshot), uri, name, snapshot };
            let mut of_it = readings.iter().filter(|excerpt| open.may_have(excerpt));
            let found = of_it.find_map(|it| Some((it, place::exact(&open.text, it)?)));
            if let Some((excerpt, found)) = found {
                return Some(open.wanted(excerpt, &found));
            }
            passed.push(open);
        }
        let [excerpt] = readings else { return None };
        let mut of_it = passed.iter().filter(|open| open.may_have(excerpt));
        of_it.find_map(|open| Some(open.wanted(excerpt, &place::near(&open.text, excerpt)?)))
    }

    fn in_loose_text(&self, excerpt: &Excerpt) -> Option<Wanted> {
        let placed = self.loose.lock().unwrap_or_else(PoisonError::into_inner).place(excerpt);
        for document in &placed.forgotten {
            self.session.completer.forget(document);
        }
        let named = excerpt.path.as_deref().map(|path| crate::syntax::language_of(Path::new(path)));
        let snapshot = Document::open(&placed.text, 0, "").snapshot()?;
        (!snapshot.too_large()).then(|| Wanted {
            document: placed.document,
            language: named.unwrap_or_default(),
            path: String::new(),
            text: snapshot.rope,
            cursor: placed.cursor,
            open: None,
        })
    }
}

/// A document's text as clients show it in prompts: Zed keeps line breaks as `\n`, whatever the file has.
fn plain(snapshot: &Snapshot) -> String {
    let text = snapshot.rope.to_string();
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// The text of a byte range, as far as there is any.
fn slice(text: &Rope, bytes: std::ops::Range<usize>) -> String {
    let char = |byte: usize| text.byte_to_char(byte.min(text.len_bytes()));
    text.slice(char(bytes.start)..char(bytes.end)).to_string()
}

/// Does a prompt that names a file so mean the one with this name in the workspace? Either may say more of
/// the folders that it is in.
fn is_path_of(path: &str, name: &str) -> bool {
    Path::new(name).ends_with(path) || Path::new(path).ends_with(name)
}

/// As the settings say, but no longer than the client wants it.
fn style(style: Style, max_tokens: Option<u32>) -> Style {
    let most = max_tokens.unwrap_or(u32::MAX);
    Style {
        line_tokens: style.line_tokens.min(most),
        block_tokens: style.block_tokens.min(most),
        ..style
    }
}

/// What of a suggestion can be inserted so that the text becomes what the suggestion makes of it: closers
/// that it replaces stay where they are, so it ends before its own. `None` where that leaves nothing.
fn insertable<'a>(suggestion: &'a Suggestion, rest: &str) -> Option<&'a str> {
    let text = suggestion.text.as_str();
    let closers = rest.get(..suggestion.replaces)?.trim_end();
    let end = if closers.is_empty() { text.len() } else { text.rfind(closers)? };
    Some(&text[..end]).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replaces_closers_is_inserted_before_them() {
        let of = |text: &str, replaces, rest| {
            let suggestion = Suggestion { text: text.into(), replaces };
            insertable(&suggestion, rest).map(str::to_owned)
        };
        assert_eq!(of("a, b", 0, ")\n"), Some("a, b".into()));
        assert_eq!(of("a, b)", 1, ")\n"), Some("a, b".into()));
        assert_eq!(of("f(a), b) + 1", 1, ")\n"), Some("f(a), b".into()));
        assert_eq!(of("\n    a\n})", 2, "}) \n"), Some("\n    a\n".into()));
        assert_eq!(of(")", 1, ")\n"), None);
        assert_eq!(of("a;", 1, ")\n"), None);
    }

    #[test]
    fn a_name_in_a_prompt_may_say_more_or_less_than_the_workspaces() {
        assert!(is_path_of("src/a.rs", "src/a.rs"));
        assert!(is_path_of("project/src/a.rs", "src/a.rs"));
        assert!(is_path_of("a.rs", "src/a.rs"));
        assert!(!is_path_of("b.rs", "src/a.rs"));
    }
}
