//! In front of tower-lsp: what must happen in the order of the wire.
//!
//! In: each message, in order. Out: tower-lsp's answer, or our own. tower-lsp runs handlers
//! concurrently, so document changes are applied here, before the next message is looked at, and
//! a request is given the snapshot of its moment. `exit` ends here too (tower-lsp 0.20 would go on
//! waiting for the client to close its end), and a panic in a handler is one failed request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::Service;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

use super::client_facts::ClientFacts;
use super::session::{DidClose, DidOpen, Session};
use super::{ask, frames, inline, popup};
use crate::settings::Offer;

/// The parameter that carries a request's ticket from here to its handler.
pub const TICKET: &str = "tandemTicket";

/// The wrapper around tower-lsp's service.
pub struct Ingress<S> {
    inner: S,
    session: Arc<Session>,
    initialized: bool,
}

impl<S> Ingress<S> {
    pub fn new(inner: S, session: Arc<Session>) -> Ingress<S> {
        Ingress { inner, session, initialized: false }
    }
}

impl<S> Service<Request> for Ingress<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Option<Response>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    /// What goes wrong in here is one failed request too, and for a notification a line in the log.
    fn call(&mut self, request: Request) -> Self::Future {
        let (method, id) = (request.method().to_owned(), request.id().cloned());
        match std::panic::catch_unwind(AssertUnwindSafe(|| self.route(request))) {
            Ok(answer) => answer,
            Err(_) => {
                tracing::error!("{method}: tandem made a mistake; the session goes on");
                async move { Ok(id.map(panicked)) }.boxed()
            }
        }
    }
}

impl<S> Ingress<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    fn route(
        &mut self,
        request: Request,
    ) -> BoxFuture<'static, Result<Option<Response>, S::Error>> {
        let open = self.initialized && !self.session.is_shut_down();
        match request.method() {
            frames::PARSE_ERROR => refuse(request, Error::parse_error()),
            frames::INVALID_REQUEST => refuse(request, Error::invalid_request()),
            // tower-lsp looks for the method first and for the state after.
            _ if request.id().is_some() && self.session.is_shut_down() => {
                refuse(request, Error::invalid_request())
            }
            "exit" => {
                self.session.exit();
                async { Ok(None) }.boxed()
            }
            "initialize" => self.initialize(request),
            _ if request.id().is_some() && !self.initialized => refuse(request, not_initialized()),
            "shutdown" => {
                if open {
                    self.session.shut_down();
                    self.session.farewell();
                }
                // tower-lsp refuses `"params": null`, which some clients send.
                let (_, id, _) = request.into_parts();
                self.forward(with_id(Request::build("shutdown"), id).finish())
            }
            "textDocument/didOpen" => self.apply(open, request, |session, params: DidOpen| {
                session.open(params);
                Ok(())
            }),
            "textDocument/didChange" => self.apply(open, request, Session::change),
            "textDocument/didClose" => self.apply(open, request, |session, params: DidClose| {
                session.close(params);
                Ok(())
            }),
            inline::METHOD => self.with_ticket(request, inline::METHOD),
            popup::METHOD => self.with_ticket(request, popup::INTERNAL_METHOD),
            "workspace/executeCommand" => self.forward(without_null_arguments(request)),
            _ => self.forward(request),
        }
    }

    /// Passes a request on; a panic becomes an error of that request alone.
    fn forward(
        &mut self,
        request: Request,
    ) -> BoxFuture<'static, Result<Option<Response>, S::Error>> {
        let id = request.id().cloned();
        let answer = self.inner.call(request);
        async move {
            match AssertUnwindSafe(answer).catch_unwind().await {
                Ok(result) => result,
                Err(_) => Ok(id.map(panicked)),
            }
        }
        .boxed()
    }

    fn initialize(
        &mut self,
        request: Request,
    ) -> BoxFuture<'static, Result<Option<Response>, S::Error>> {
        if !self.initialized {
            self.session.set_facts(ClientFacts::read(request.params().unwrap_or(&Value::Null)));
        }
        self.initialized = true;
        let answer = self.forward(request);
        let session = self.session.clone();
        async move {
            let settings = session.settings.get();
            let content = settings.ask.enabled && session.facts().asks_for_content;
            Ok(answer.await?.map(|response| advertise(response, settings.ghost_text, content)))
        }
        .boxed()
    }

    /// Applies a notification about a document, at once.
    fn apply<P: DeserializeOwned>(
        &mut self,
        open: bool,
        request: Request,
        change: impl FnOnce(&Session, P) -> Result<(), String>,
    ) -> BoxFuture<'static, Result<Option<Response>, S::Error>> {
        let (method, id, params) = request.into_parts();
        if open {
            let params = params.unwrap_or_default();
            let uri = params.pointer("/textDocument/uri").and_then(Value::as_str);
            let uri = uri.unwrap_or_default().to_owned();
            let applied = match serde_json::from_value(params) {
                Ok(params) => {
                    let change = AssertUnwindSafe(|| change(&self.session, params));
                    std::panic::catch_unwind(change).unwrap_or_else(|_| {
                        self.session.lose(&uri);
                        Err(format!("{uri}: tandem made a mistake; reopen it for suggestions"))
                    })
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(problem) = applied {
                tracing::warn!("{method}: {problem}");
            }
        }
        // A notification has no id; whoever sends one as a request still gets an answer.
        async move { Ok(id.map(|id| Response::from_ok(id, Value::Null))) }.boxed()
    }

    /// Stamps a request with the snapshot of this moment.
    fn with_ticket(
        &mut self,
        request: Request,
        method: &'static str,
    ) -> BoxFuture<'static, Result<Option<Response>, S::Error>> {
        let (_, id, params) = request.into_parts();
        let mut params = params.unwrap_or_default();
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str).unwrap_or_default();
        let ticket = self.session.ticket(uri);
        if let Some(object) = params.as_object_mut() {
            object.insert(TICKET.into(), json!(ticket));
        }
        let answer = self.forward(with_id(Request::build(method).params(params), id).finish());
        let session = self.session.clone();
        async move {
            // Dropped with the future, too: a request cancelled before it ran leaves nothing.
            let _unused = Unused(session, ticket);
            answer.await
        }
        .boxed()
    }
}

struct Unused(Arc<Session>, u64);

impl Drop for Unused {
    fn drop(&mut self) {
        self.0.take_ticket(self.1);
    }
}

fn with_id(
    builder: tower_lsp::jsonrpc::RequestBuilder,
    id: Option<Id>,
) -> tower_lsp::jsonrpc::RequestBuilder {
    match id {
        Some(id) => builder.id(id),
        None => builder,
    }
}

/// lsp-types refuses `"arguments": null`, which some clients send for none.
fn without_null_arguments(request: Request) -> Request {
    let (method, id, params) = request.into_parts();
    let mut params = params.unwrap_or_default();
    if let Some(object) = params.as_object_mut() {
        object.retain(|name, value| name != "arguments" || !value.is_null());
    }
    with_id(Request::build(method).params(params), id).finish()
}

fn refuse<E: Send + 'static>(
    request: Request,
    mut error: Error,
) -> BoxFuture<'static, Result<Option<Response>, E>> {
    let (_, id, params) = request.into_parts();
    if let Some(why) = params.as_ref().and_then(|p| p["message"].as_str()) {
        error.message = format!("{}: {why}", error.message).into();
    }
    async move { Ok(Some(Response::from_error(id.unwrap_or_default(), error))) }.boxed()
}

fn not_initialized() -> Error {
    Error {
        code: ErrorCode::ServerError(-32002),
        message: "the first request must be `initialize`".into(),
        data: None,
    }
}

fn panicked(id: Id) -> Response {
    let error = Error {
        code: ErrorCode::InternalError,
        message: "tandem made a mistake on this request; the session goes on".into(),
        data: None,
    };
    Response::from_error(id, error)
}

/// Adds what lsp-types 0.94 cannot say: that inline completions are offered, and texts of documents
/// that are in no file.
fn advertise(response: Response, ghost_text: Offer, content: bool) -> Response {
    let (id, body) = response.into_parts();
    let body = body.map(|mut result| {
        if ghost_text != Offer::Off {
            result["capabilities"]["inlineCompletionProvider"] = json!({});
        }
        if content {
            let schemes = json!({"schemes": [ask::SCHEME]});
            result["capabilities"]["workspace"]["textDocumentContent"] = schemes;
        }
        result
    });
    Response::from_parts(id, body)
}
