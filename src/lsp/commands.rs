//! `workspace/executeCommand`. Each command works without arguments, because some editors (Helix)
//! offer every one of them by name alone.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp::Client;
use tower_lsp::lsp_types::MessageType;

use super::ask;
use super::progress::Shown;
use super::session::Session;
use super::words::plain;
use crate::engine::State;
use crate::model::{self, Entry, Progress};

/// The commands' names.
pub const NAMES: [&str; 11] = [
    "tandem.status",
    "tandem.toggle",
    "tandem.accept",
    "tandem.pull",
    "tandem.ask",
    "tandem.cancel",
    "tandem.applyEdits",
    "tandem.send",
    "tandem.editList",
    "tandem.lookAgain",
    "tandem.repair",
];

/// Runs a command and answers at once; long work goes on in the background. `None` when there is
/// no such command.
pub fn run(
    client: &Client,
    session: &Arc<Session>,
    name: &str,
    arguments: Vec<Value>,
) -> Option<Value> {
    match name {
        "tandem.status" => Some(status(session)),
        "tandem.toggle" => {
            let on = session.toggle();
            let client = client.clone();
            let text =
                if on { "tandem: completions are on" } else { "tandem: completions are off" };
            tokio::spawn(async move { client.show_message(MessageType::INFO, plain(text)).await });
            Some(json!({"enabled": on}))
        }
        // Some editors run it after an accept, others do not: what counts is the document's change.
        "tandem.accept" => Some(Value::Null),
        "tandem.pull" => {
            let wanted = arguments.first().and_then(Value::as_str).map(str::to_owned);
            tokio::spawn(pull(client.clone(), session.clone(), wanted));
            Some(Value::Null)
        }
        name => ask::run(client, session, name, arguments),
    }
}

/// What the server is doing and has done.
fn status(session: &Session) -> Value {
    session.look_at_accepted();
    let engine = session.completer.engine().state().borrow().clone();
    let (model, pid) = match &engine {
        State::Ready(about) => (json!(about.model), json!(about.pid)),
        _ => (Value::Null, Value::Null),
    };
    let mut state = serde_json::to_value(&engine).unwrap_or_default();
    if let Some(state) = state.as_object_mut() {
        state.insert("pid".into(), pid);
    }
    // Plain numbers always serialise.
    let mut status =
        serde_json::to_value(session.completer.counters().summary()).unwrap_or_default();
    if let Some(status) = status.as_object_mut() {
        status.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        status.insert("enabled".into(), json!(session.is_enabled()));
        status.insert("model".into(), model);
        status.insert("engine".into(), state);
        let (kept, problem) = (session.settings.get().journal.enabled, session.journal.problem());
        let folder = session.journal.folder();
        let journal = json!({"enabled": kept, "folder": folder, "problem": problem});
        status.insert("journal".into(), journal);
        let silent = session.silent_documents().into_iter();
        let silent = silent.map(|(uri, why)| json!({"uri": uri, "why": why}));
        status.insert("silent".into(), silent.collect());
        let index = session.workspace.index();
        let (files, definitions) = (index.files(), index.definitions());
        status.insert("workspace".into(), json!({"files": files, "definitions": definitions}));
    }
    status
}

/// Downloads a model, because a person asked for it, and shows how far it is.
async fn pull(client: Client, session: Arc<Session>, wanted: Option<String>) {
    if let Err(problem) = try_pull(&client, &session, wanted).await {
        client.show_message(MessageType::ERROR, plain(format!("tandem: {problem}"))).await;
    }
}

async fn try_pull(
    client: &Client,
    session: &Session,
    wanted: Option<String>,
) -> Result<(), String> {
    let store = session.store.as_ref().ok_or("there is no folder for models")?;
    let configured = session.settings.get().model.clone();
    let name = wanted.unwrap_or(configured);
    let entry = match name.as_str() {
        model::choice::AUTO => Entry::default_entry(),
        name => Entry::named(name).map_err(|e| e.to_string())?,
    };
    let mut shown = Shown::begin(client, session, &format!("tandem: getting {}", entry.name)).await;
    let (tell, mut told) = tokio::sync::watch::channel(None::<Progress>);
    let report: model::Report = Arc::new(move |progress| {
        tell.send_replace(Some(progress));
    });
    let options = model::Options::new(model::SourceChoice::Auto);
    let pulling = model::pull(store, entry, &options, report);
    tokio::pin!(pulling);
    let pulled = loop {
        tokio::select! {
            pulled = &mut pulling => break pulled,
            Ok(()) = told.changed() => {
                let Some(p) = *told.borrow_and_update() else { continue };
                let percent = (p.done * 100).checked_div(p.total).unwrap_or_default() as u32;
                session.board.downloading(Some(percent));
                if let Some(shown) = &mut shown {
                    shown.report(p.phase.words(), percent).await;
                }
            }
        }
    };
    if pulled.is_ok() {
        // The engine looks for the model now, rather than at the next key, and before the status could go
        // on saying that there is none.
        session.completer.engine().wake();
    }
    session.board.downloading(None);
    if let Some(shown) = shown {
        shown.end(if pulled.is_ok() { "done" } else { "failed" }).await;
    }
    let pulled = pulled.map_err(|e| e.to_string())?;
    client
        .show_message(MessageType::INFO, plain(format!("tandem: {} is installed", pulled.name)))
        .await;
    Ok(())
}
