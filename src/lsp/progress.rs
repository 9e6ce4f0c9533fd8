//! Tells the client how the engine is: `$/progress` while a model loads or downloads, one message
//! when it cannot work. Runs in a task of its own, never in a handler.

use std::sync::Arc;
use std::time::Duration;

use tower_lsp::Client;
use tower_lsp::lsp_types::notification::Progress as ProgressNotification;
use tower_lsp::lsp_types::request::WorkDoneProgressCreate;
use tower_lsp::lsp_types::{
    MessageType, NumberOrString, ProgressParams, ProgressParamsValue, ProgressToken,
    WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressCreateParams, WorkDoneProgressEnd,
    WorkDoneProgressReport,
};

use super::session::Session;
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
                // The same trouble is said once, not once a keystroke.
                if message != said {
                    client.show_message(MessageType::WARNING, format!("tandem: {message}")).await;
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

/// A progress report that the client shows.
pub struct Shown {
    client: Client,
    token: ProgressToken,
    percent: u32,
}

impl Shown {
    /// `None` when the client shows no progress.
    pub async fn begin(client: &Client, session: &Session, title: &str) -> Option<Shown> {
        if !session.facts().progress {
            return None;
        }
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = NumberOrString::String(format!("tandem-{number}"));
        let create = WorkDoneProgressCreateParams { token: token.clone() };
        let created = client.send_request::<WorkDoneProgressCreate>(create);
        tokio::time::timeout(PATIENCE, created).await.ok()?.ok()?;
        let shown = Shown { client: client.clone(), token, percent: 0 };
        let begin = WorkDoneProgressBegin {
            title: title.into(),
            percentage: Some(0),
            ..WorkDoneProgressBegin::default()
        };
        shown.send(WorkDoneProgress::Begin(begin)).await;
        Some(shown)
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
        self.send(WorkDoneProgress::End(WorkDoneProgressEnd { message: Some(message.into()) }))
            .await;
    }

    async fn send(&self, value: WorkDoneProgress) {
        let value = ProgressParamsValue::WorkDone(value);
        let params = ProgressParams { token: self.token.clone(), value };
        self.client.send_notification::<ProgressNotification>(params).await;
    }
}
