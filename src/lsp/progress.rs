//! Tells the client how the engine is: `$/progress` while a model loads or downloads, one message
//! when it cannot work. Runs in a task of its own, never in a handler.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use tower_lsp::Client;
use tower_lsp::lsp_types::notification::Progress as ProgressNotification;
use tower_lsp::lsp_types::request::WorkDoneProgressCreate;
use tower_lsp::lsp_types::{
    MessageType, NumberOrString, ProgressParams, ProgressParamsValue, ProgressToken,
    WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressCreateParams, WorkDoneProgressEnd,
    WorkDoneProgressReport,
};

use super::session::Session;
use super::status::no_model;
use super::words::plain;
use crate::engine::State;

const PATIENCE: Duration = Duration::from_secs(5);

/// Follows the engine's state for as long as the session lives.
pub async fn follow(client: Client, session: Arc<Session>) {
    let mut state = session.completer.engine().state();
    let mut shown: Option<Shown> = None;
    let mut said = String::new();
    loop {
        let now = state.borrow_and_update().clone();
        match now {
            State::Starting | State::Loading { .. } => {
                let percent = match now {
                    State::Loading { fraction } => (fraction * 100.0) as u32,
                    _ => 0,
                };
                match &mut shown {
                    Some(shown) => shown.report("loading the model", percent).await,
                    None => {
                        shown = Shown::begin(&client, &session, "tandem: loading the model").await
                    }
                }
            }
            State::Ready(about) => {
                said.clear();
                if let Some(shown) = shown.take() {
                    shown.end(&format!("{} is ready", about.model)).await;
                }
            }
            State::Failed { message } => {
                if let Some(shown) = shown.take() {
                    shown.end("failed").await;
                }
                // The same trouble is said once, not once a keystroke. A client that shows how the
                // server is shows that there is no model, too, and offers to get one.
                let shown_anyway = session.facts().shows_status && no_model(&session).is_some();
                if message != said && !shown_anyway {
                    client
                        .show_message(MessageType::WARNING, plain(format!("tandem: {message}")))
                        .await;
                    said = message;
                }
            }
            State::Asleep => {}
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// A client's answer, if it comes in time. It is waited for longer in the background: tower-lsp 0.20
/// panics on an answer that nobody waits for, and the session would end.
pub async fn within<T: Send + 'static>(
    patience: Duration,
    answer: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::time::timeout(patience, tokio::spawn(answer)).await.ok()?.ok()
}

/// The reports that a person may cancel.
#[derive(Default)]
pub struct Cancellable(Mutex<HashMap<ProgressToken, CancellationToken>>);

impl Cancellable {
    /// Cancels what this report is of.
    pub fn cancel(&self, token: &ProgressToken) {
        if let Some(work) = self.all().remove(token) {
            work.cancel();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ProgressToken, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A progress report that the client shows.
pub struct Shown {
    client: Client,
    token: ProgressToken,
    percent: u32,
    said: String,
    cancellable: Option<Arc<Session>>,
}

impl Shown {
    /// `None` when the client shows no progress.
    pub async fn begin(client: &Client, session: &Session, title: &str) -> Option<Shown> {
        let shown = Shown::create(client, session).await?;
        shown.start(title, Some(0), None).await;
        Some(shown)
    }

    /// One without percents, which a person may cancel. `None` when the client shows no progress.
    pub async fn begin_cancellable(
        client: &Client,
        session: &Arc<Session>,
        title: &str,
        work: CancellationToken,
    ) -> Option<Shown> {
        let mut shown = Shown::create(client, session).await?;
        session.progress.all().insert(shown.token.clone(), work);
        shown.cancellable = Some(session.clone());
        shown.start(title, None, Some(true)).await;
        Some(shown)
    }

    async fn create(client: &Client, session: &Session) -> Option<Shown> {
        if !session.facts().progress {
            return None;
        }
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = NumberOrString::String(format!("tandem-{number}"));
        let create = WorkDoneProgressCreateParams { token: token.clone() };
        let asking = client.clone();
        let created = async move { asking.send_request::<WorkDoneProgressCreate>(create).await };
        within(PATIENCE, created).await?.ok()?;
        let said = String::new();
        Some(Shown { client: client.clone(), token, percent: 0, said, cancellable: None })
    }

    async fn start(&self, title: &str, percentage: Option<u32>, cancellable: Option<bool>) {
        let title = title.to_owned();
        let begin = WorkDoneProgressBegin { title, percentage, cancellable, message: None };
        self.send(WorkDoneProgress::Begin(begin)).await;
    }

    /// Reports in words, each once.
    pub async fn say(&mut self, message: &str) {
        if message == self.said {
            return;
        }
        message.clone_into(&mut self.said);
        let message = Some(message.to_owned());
        let cancellable = self.cancellable.is_some().then_some(true);
        let report = WorkDoneProgressReport { message, percentage: None, cancellable };
        self.send(WorkDoneProgress::Report(report)).await;
    }

    /// Reports whole percents, each once.
    pub async fn report(&mut self, message: &str, percent: u32) {
        if percent == self.percent {
            return;
        }
        self.percent = percent;
        let report = WorkDoneProgressReport {
            message: Some(message.into()),
            percentage: Some(percent.min(100)),
            cancellable: None,
        };
        self.send(WorkDoneProgress::Report(report)).await;
    }

    /// Takes the report off the screen.
    pub async fn end(self, message: &str) {
        if let Some(session) = &self.cancellable {
            session.progress.all().remove(&self.token);
        }
        self.send(WorkDoneProgress::End(WorkDoneProgressEnd { message: Some(message.into()) }))
            .await;
    }

    async fn send(&self, value: WorkDoneProgress) {
        let value = ProgressParamsValue::WorkDone(value);
        let params = ProgressParams { token: self.token.clone(), value };
        self.client.send_notification::<ProgressNotification>(params).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_comes_too_late_still_has_somebody_who_takes_it() {
        let (answer, asked) = tokio::sync::oneshot::channel();
        assert_eq!(within(Duration::ZERO, asked).await, None);
        assert_eq!(answer.send(1), Ok(()));
    }
}
