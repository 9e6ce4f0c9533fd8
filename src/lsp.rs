//! The language server: the only rooms that know the protocol, and tower-lsp.
//!
//! In: a client's bytes. Out: LSP frames, nothing else. tower-lsp 0.20 is used with a guard on each
//! side: `frames` keeps frames from it that would end the session, `ingress` applies document
//! changes in wire order before any handler runs and gives each request the snapshot of its moment.

mod actions;
mod ask;
mod backend;
mod client_facts;
mod commands;
mod fates;
pub mod frames;
mod ingress;
mod inline;
mod outlet;
mod popup;
mod progress;
mod session;
mod status;
mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::{LspService, Server};

use crate::ask::ledger::Ledger;
use crate::ask::papers::Papers;
use crate::engine::Engine;
use crate::journal::Journal;
use crate::model::Store;
use crate::settings::Layers;

use backend::Backend;
pub use fates::Showing;
use ingress::Ingress;
pub use session::{Session, SharedSettings};

/// After a client closed its end, how long answers that are under way may still take. Who pipes a
/// session in gets them; nobody waits for an engine that says nothing any more.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Bytes between the outlet and tower-lsp.
const PIPE: usize = 64 << 10;

/// Requests that may be under way at once. tower-lsp reads nothing while there are more: with 64, an
/// engine that says nothing and as many open documents would stop it from hearing what is cancelled.
const UNDER_WAY: usize = 4_096;

/// After `exit`, how long a client may take to read what is being written, and a disk to write the
/// journal.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a server is made of.
pub struct Parts {
    /// Where completions come from.
    pub engine: Arc<dyn Engine>,
    /// The settings, shared with whoever chooses the engine's model.
    pub settings: SharedSettings,
    /// The user's own settings, and what to say about them.
    pub user: Result<Layers, String>,
    /// Where models are.
    pub store: Option<Store>,
    /// Where it is written down what becomes of suggestions.
    pub journal: Journal,
    /// What asking Claude cost.
    pub ledger: Ledger,
    /// Where previews and answers are written.
    pub papers: Papers,
}

/// Serves one client until it says `exit`, closes its end, or is gone. The exit code that the
/// protocol wants: 0 after `shutdown`, else 1.
pub async fn serve<I, O>(input: I, output: O, parts: Parts) -> i32
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite + Unpin + Send + 'static,
{
    serve_session(input, output, Arc::new(Session::new(parts))).await
}

/// As [`serve`], with a session that something else may answer from as well.
pub async fn serve_session<I, O>(input: I, output: O, session: Arc<Session>) -> i32
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite + Unpin + Send + 'static,
{
    let (guarded, frames_in) = tokio::io::duplex(1 << 20);
    let mut guard = tokio::spawn(frames::guard(input, frames_in));
    let (said, mut to_say) = tokio::io::duplex(PIPE);
    let leaving = session.clone();
    let outlet = tokio::spawn(async move {
        if let Err(error) = outlet::carry(&mut to_say, output).await {
            // Nobody is there any more. What tower-lsp still says goes nowhere.
            tracing::debug!("the client does not listen any more: {error}");
            leaving.exit();
            let _ = tokio::io::copy(&mut to_say, &mut tokio::io::sink()).await;
        }
    });
    let (service, socket) = LspService::build(|client| Backend::new(client, session.clone()))
        .custom_method(inline::METHOD, Backend::inline)
        .custom_method(popup::INTERNAL_METHOD, Backend::popup)
        .custom_method("workspace/textDocumentContent", Backend::content)
        .custom_method("window/workDoneProgress/cancel", Backend::cancel_progress)
        .finish();
    let ingress = Ingress::new(service, session.clone());
    {
        let serving =
            Server::new(guarded, said, socket).concurrency_level(UNDER_WAY).serve(ingress);
        // Polled in place: it is not `Send` across tower-lsp's sink.
        tokio::pin!(serving);
        let served = tokio::select! {
            // Only without input, after writing what it has begun.
            () = &mut serving => true,
            () = session.exited() => false,
            // The client closed its end.
            () = async {
                let _ = (&mut guard).await;
                tokio::time::sleep(LAST_ANSWERS).await;
            } => false,
        };
        // Without input tower-lsp ends by itself once all is answered; who still waits hears that
        // there is nothing. A client that does not read must not hold the process.
        guard.abort();
        session.leave();
        if !served {
            let _ = tokio::time::timeout(FAREWELL, &mut serving).await;
        }
    }
    // tower-lsp's end of it is closed now, so it ends when all is written.
    let _ = tokio::time::timeout(FAREWELL, outlet).await;
    settle(&session).await;
    session.exit_code()
}

/// Writes down what there is to write down, before the process ends.
pub async fn settle(session: &Session) {
    session.farewell();
    // A question that is on its way is cancelled, and what it cost written down.
    let _ = tokio::time::timeout(FAREWELL, session.asks.farewell()).await;
    session.journal.settle(FAREWELL);
}
