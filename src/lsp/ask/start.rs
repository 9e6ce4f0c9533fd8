//! From a command to a request that a person has seen, and to the person's choice.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tower_lsp::Client;
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{MessageActionItem, MessageType};

use super::arguments::{Arguments, ToldPlace};
use super::{Pending, Talk, show, stream};
use crate::ask::api::Address;
use crate::ask::conversation::Asked;
use crate::ask::preview::{self, Around};
use crate::ask::price::Table;
use crate::ask::question::Kind;
use crate::lsp::progress::Shown;
use crate::lsp::session::{Session, path_of};
use crate::lsp::words::plain;

pub const EDIT: &str = "Edit the list";
const CANCEL: &str = "Cancel";
pub const AGAIN: &str = "Look again";

/// `tandem/input`: asks a client that says it can (`experimental.tandemInput`) for a line of text.
/// `null` is an answer too: the person wants nothing after all.
enum Input {}

#[derive(Serialize, Deserialize)]
struct InputParams {
    prompt: String,
    /// What is in the box at first.
    value: String,
}

impl Request for Input {
    type Params = InputParams;
    type Result = Option<String>;
    const METHOD: &'static str = "tandem/input";
}

/// `tandem.ask`.
pub async fn ask(client: &Client, session: &Arc<Session>, told: Arguments) -> Result<(), String> {
    if !session.settings.get().ask.enabled {
        return Err("asking Claude is turned off by `ask.enabled` in your config.toml".into());
    }
    if session.asks.state().running.is_some() {
        return Err("Claude is being asked already; `tandem.cancel` stops that".into());
    }
    let Some(told) = with_question(client, session, told).await? else { return Ok(()) };
    // The person may have taken long.
    if session.asks.state().running.is_some() {
        return Err("Claude is being asked already; `tandem.cancel` stops that".into());
    }
    let talk = match told.conversation {
        Some(id) => {
            let talk = session.asks.talk(Some(id))?;
            let (kind, question) = (told.kind, told.question);
            let mut inner = talk.inner();
            inner.conversation.ask(&Asked { kind, question, ..Asked::default() });
            inner.repaired = false;
            drop(inner);
            talk
        }
        None => begin(client, session, told).await?,
    };
    look(client, session, &talk).await
}

/// Asks for the question's text where the client can; `None` when the person wants nothing.
async fn with_question(
    client: &Client,
    session: &Session,
    mut told: Arguments,
) -> Result<Option<Arguments>, String> {
    let usual = told.kind == Kind::Why;
    if told.question.trim().is_empty() && session.facts().asks_for_text && !usual {
        let prompt = match told.kind {
            Kind::Change => "What should Claude change?",
            Kind::Ask | Kind::Why => "What do you want to ask Claude?",
        };
        let params = InputParams { prompt: prompt.into(), value: String::new() };
        match client.send_request::<Input>(params).await {
            Ok(Some(text)) => told.question = text,
            Ok(None) => return Ok(None),
            Err(error) => return Err(format!("the editor did not ask for the question: {error}")),
        }
    }
    Ok(Some(told))
}

/// Reads what the question needs.
async fn begin(
    client: &Client,
    session: &Arc<Session>,
    told: Arguments,
) -> Result<Arc<Talk>, String> {
    let place = match (&told.uri, session.asks.state().place.clone()) {
        (Some(uri), _) => {
            Some(ToldPlace { uri: uri.clone(), range: told.range.unwrap_or_default() })
        }
        (None, place) => place,
    };
    let file = place.as_ref().and_then(|place| path_of(&place.uri));
    let folders = session.folders_of(file.as_deref());
    if let Some(file) = file.as_ref().filter(|_| folders.is_empty()) {
        let file = file.display();
        return Err(format!("{file} is in no workspace; open its folder in your editor, then ask"));
    }
    let (asked, inquiry) = session.asked(&told, place.as_ref(), &folders);
    let mut paths: Vec<_> = file.into_iter().collect();
    paths.extend(
        told.diagnostic.iter().flat_map(|it| &it.related).filter_map(|(uri, _)| path_of(uri)),
    );
    let settings = session.settings.get();
    let shown = Shown::begin(client, session, "tandem: reading what Claude needs to know").await;
    let work = {
        let (session, folders) = (session.clone(), folders.clone());
        let budget = u64::from(settings.ask.bundle_tokens);
        move || session.collected(asked, inquiry, &paths, &folders, budget)
    };
    let collected = tokio::task::spawn_blocking(work).await;
    if let Some(shown) = shown {
        shown.end("done").await;
    }
    let (conversation, warnings) = collected.map_err(|error| error.to_string())??;
    for warning in warnings {
        client.show_message(MessageType::WARNING, plain(format!("tandem: {warning}"))).await;
    }
    session.asks.add(conversation, folders)
}

/// Makes the request as it would be sent now, shows it, and asks.
pub async fn look(client: &Client, session: &Arc<Session>, talk: &Arc<Talk>) -> Result<(), String> {
    let settings = session.settings.get().ask.clone();
    let (table, warnings) = Table::new(&settings.models);
    for warning in warnings {
        client.show_message(MessageType::WARNING, plain(format!("tandem: {warning}"))).await;
    }
    let model = table.model(&settings.model).map_err(|error| error.to_string())?.clone();
    let address = Address::find(settings.base_url.as_deref());
    let host = address.map_err(|error| error.to_string())?.host();
    let (ledger, name) = (session.asks.ledger.clone(), model.id().to_owned());
    let limits = settings.budget.limits();
    let known = move || (ledger.spent(limits), ledger.calibration(&name));
    let known = tokio::task::spawn_blocking(known).await;
    let (spent, correction) = known.map_err(|error| error.to_string())?;
    let always = !talk.folders.is_empty()
        && talk.folders.iter().all(|folder| settings.always.contains(folder));
    let left = spent.ok().map(|spent| {
        (limits.day.saturating_sub(spent.today), limits.month.saturating_sub(spent.month))
    });
    let pending = {
        let mut inner = talk.inner();
        if inner.conversation.turns() == 0 {
            return Err("that was cancelled; ask anew".into());
        }
        let day = jiff::Zoned::now().date();
        let prepared = inner.conversation.prepare(&settings, &model, correction, day);
        let left_out = inner.conversation.left_out.clone();
        let around = Around { host: host.clone(), left, left_out, always };
        inner.previews += 1;
        let name = format!("preview-{}.md", inner.previews);
        let preview = talk.folder.write(&name, &preview::markdown(&prepared, &around));
        let preview = preview.map_err(|error| format!("cannot write the preview: {error}"))?;
        let pending = Pending { prepared, model, host, preview };
        inner.pending = Some(pending.clone());
        pending
    };
    show(client, session, &pending.preview, true).await;
    if always {
        return send(client, session, talk, Some(pending.prepared.sha256)).await;
    }
    let send_title = pending.send_title();
    let mut choices = vec![send_title.as_str()];
    if talk.inner().conversation.is_fresh() && !pending.prepared.rows.is_empty() {
        choices.push(EDIT);
    }
    choices.push(CANCEL);
    let files = preview::files(pending.prepared.rows.len());
    let (least, most) = pending.prepared.tokens;
    let text = format!(
        "tandem: {files}, about {least} to {most} tokens. Nothing is sent before you have chosen; \
         the preview says all."
    );
    match choose(client, &text, &choices).await.as_deref() {
        Some(EDIT) => edit_list(client, session, talk).await,
        Some(CANCEL) => {
            talk.drop_pending(Some(&pending.prepared.sha256));
            Ok(())
        }
        Some(title) if title == send_title => {
            send(client, session, talk, Some(pending.prepared.sha256)).await
        }
        // The message was closed: the preview still has the choices, as code actions.
        _ => Ok(()),
    }
}

/// `tandem.send`: a person has said yes to what has this hash.
pub async fn send(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
    sha256: Option<String>,
) -> Result<(), String> {
    if sha256.is_none() {
        return Err("choose *Send* on the preview, so that it is clear what is meant".into());
    }
    let pending = {
        let mut inner = talk.inner();
        let shown = inner.pending.take().ok_or("that was sent or cancelled already")?;
        if sha256.as_ref() != Some(&shown.prepared.sha256) {
            inner.pending = Some(shown);
            return Err("the request is another one by now; look at the newest preview".into());
        }
        shown
    };
    stream::send(client, session, talk, pending).await
}

/// `tandem.editList`.
pub async fn edit_list(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
) -> Result<(), String> {
    editable(session, talk)?;
    let list = preview::list(talk.inner().conversation.rows());
    let path = talk.folder.write("list.md", &list);
    let path = path.map_err(|error| format!("cannot write the list: {error}"))?;
    show(client, session, &path, true).await;
    let text = "tandem: untick what is not to be sent, then look again.";
    match choose(client, text, &[AGAIN, CANCEL]).await.as_deref() {
        Some(AGAIN) => look_again(client, session, talk).await,
        Some(CANCEL) => {
            talk.drop_pending(None);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What has been sent has been sent.
fn editable(session: &Session, talk: &Talk) -> Result<(), String> {
    let is_running = session.asks.state().running.as_ref().is_some_and(|it| it.talk == talk.id);
    match !is_running && talk.inner().conversation.is_fresh() {
        true => Ok(()),
        false => Err("the list can be changed only before it is sent; ask anew".into()),
    }
}

/// `tandem.lookAgain`: without what is not ticked in the list.
pub async fn look_again(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
) -> Result<(), String> {
    editable(session, talk)?;
    let path = talk.list();
    let list = match session.buffer_read(&path).flatten().map(|read| read.text) {
        Some(text) => Ok(text),
        None => std::fs::read_to_string(&path),
    };
    let list = list.map_err(|error| format!("cannot read the list: {error}"))?;
    {
        let mut inner = talk.inner();
        let gone = preview::unticked(&list, inner.conversation.rows());
        inner.conversation.without(&gone);
    }
    boxed_look(client, session, talk).await
}

/// [`look`], for those that it calls itself.
pub fn boxed_look<'a>(
    client: &'a Client,
    session: &'a Arc<Session>,
    talk: &'a Arc<Talk>,
) -> BoxFuture<'a, Result<(), String>> {
    look(client, session, talk).boxed()
}

/// The title that a person chose; `None` when the message was closed.
pub async fn choose(client: &Client, text: &str, titles: &[&str]) -> Option<String> {
    let item =
        |title: &&str| MessageActionItem { title: (*title).to_owned(), properties: HashMap::new() };
    let items = titles.iter().map(item).collect();
    let chosen = client.show_message_request(MessageType::INFO, plain(text), Some(items)).await;
    chosen.ok().flatten().map(|item| item.title)
}
