//! Sends what a person has said yes to, and shows the answer as it comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower_lsp::Client;
use tower_lsp::lsp_types::Url;
use tower_lsp::lsp_types::request::Request;

use super::{PATIENCE, Pending, Running, Talk, apply, show, show_uri};
use crate::ask::answer::{self, Page};
use crate::ask::api::Progress;
use crate::ask::ledger;
use crate::ask::preview;
use crate::ask::price::{Model, Usage};
use crate::ask::question::Kind;
use crate::ask::send::{Sending, Sent};
use crate::lsp::progress::{Shown, within};
use crate::lsp::session::Session;

/// An editor that shows the answer as it comes is told of more of it no oftener than this.
const REFRESH: Duration = Duration::from_millis(150);
/// How often the seconds go on while Claude thinks.
const TICK: Duration = Duration::from_secs(1);
/// Characters of a thought that the progress shows.
const THOUGHT: usize = 60;

/// `workspace/textDocumentContent/refresh` of LSP 3.18: a document of ours has changed.
enum Refresh {}

impl Request for Refresh {
    type Params = serde_json::Value;
    type Result = ();
    const METHOD: &'static str = "workspace/textDocumentContent/refresh";
}

/// Sends a request and follows its answer to the end.
pub async fn send(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
    pending: Pending,
) -> Result<(), String> {
    let (cancelled, ended) = (CancellationToken::new(), CancellationToken::new());
    {
        let mut state = session.asks.state();
        if state.running.is_some() {
            talk.inner().pending.get_or_insert(pending);
            return Err("Claude is being asked already; `tandem.cancel` stops that".into());
        }
        let (talk, stop) = (talk.id, cancelled.clone());
        state.running = Some(Running { talk, stop, ended: ended.clone() });
    }
    // However this ends, also by a panic.
    let over = Over { session, _ended: ended.drop_guard() };
    let sent = follow(client, session, talk, &pending, &cancelled).await;
    drop(over);
    let sent = match sent {
        Ok(sent) => sent,
        Err(problem) => {
            // Nothing came of it: the same can be sent again.
            talk.inner().pending.get_or_insert(pending);
            return Err(problem);
        }
    };
    let has_edits = close(session, talk, &pending, sent);
    publish(client, session, talk).await?;
    if has_edits {
        return apply::offer(client, session, talk).await;
    }
    Ok(())
}

/// Says that nothing is running any more.
struct Over<'a> {
    session: &'a Session,
    _ended: DropGuard,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.session.asks.state().running = None;
    }
}

async fn follow(
    client: &Client,
    session: &Arc<Session>,
    talk: &Arc<Talk>,
    pending: &Pending,
    cancelled: &CancellationToken,
) -> Result<Sent, String> {
    begin_page(talk, pending);
    let title = format!("tandem: asking {}", pending.model.id());
    let shown = Shown::begin_cancellable(client, session, &title, cancelled.clone()).await;
    let (tell, told) = unbounded_channel();
    let kind = {
        let inner = talk.inner();
        match (inner.repaired, inner.conversation.turns(), pending.prepared.kind) {
            (true, _, Kind::Change) => ledger::Kind::Repair,
            (_, 1, Kind::Ask) => ledger::Kind::Ask,
            (_, 1, Kind::Why) => ledger::Kind::Why,
            (_, 1, Kind::Change) => ledger::Kind::Change,
            _ => ledger::Kind::FollowUp,
        }
    };
    let sending = Sending {
        prepared: pending.prepared.clone(),
        model: pending.model.clone(),
        settings: session.settings.get().ask.clone(),
        host: pending.host.clone(),
        ledger: session.asks.ledger.clone(),
        kind,
        run: talk.name(),
    };
    let sending = sending.send(cancelled, move |progress: &Progress| {
        // Who shows it may have gone.
        let _ = tell.send(progress.clone());
    });
    let mut live = Live { talk, shown, model: &pending.model, usage: Usage::default() };
    let (mut told, drawing) = (told, Drawing::begin(client, session, talk));
    tokio::pin!(sending);
    let mut ticks = tokio::time::interval(TICK);
    let began = Instant::now();
    let mut saying = String::from("sent");
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut sending => break ended,
            Some(progress) = told.recv() => live.hear(&progress, &mut saying, &drawing).await,
            _ = ticks.tick() => {
                let text = format!("{saying} · {} s", began.elapsed().as_secs());
                if let Some(shown) = &mut live.shown { shown.say(&text).await }
            }
        }
    };
    while let Ok(progress) = told.try_recv() {
        live.hear(&progress, &mut saying, &drawing).await;
    }
    drop(drawing);
    if let Some(shown) = live.shown {
        let words = match &ended {
            Ok(sent) if sent.whole => format!("answered, {}", sent.cost),
            Ok(sent) => format!("ended early, {}", sent.cost),
            Err(_) => "failed".to_owned(),
        };
        shown.end(&words).await;
    }
    ended
}

/// What is said while the answer comes.
struct Live<'a> {
    talk: &'a Arc<Talk>,
    shown: Option<Shown>,
    model: &'a Model,
    usage: Usage,
}

impl Live<'_> {
    /// Never waits for the client's answer: the stream would wait too, and a cancel with it.
    async fn hear(&mut self, progress: &Progress, saying: &mut String, drawing: &Drawing) {
        match progress {
            Progress::Waiting { seconds, why, .. } => {
                *saying = format!("{why}; trying again in {seconds:.0} s");
            }
            Progress::Thinking(thought) => {
                let thought = thought.split_whitespace().collect::<Vec<_>>().join(" ");
                let cut: String = thought.chars().take(THOUGHT).collect();
                *saying = format!("thinking: {cut}");
            }
            Progress::Text(text) => {
                let tokens = {
                    let mut inner = self.talk.inner();
                    inner.page.text.push_str(text);
                    crate::ask::tokens::estimate(&inner.page.text)
                };
                let usage = Usage { output: tokens.max(self.usage.output), ..self.usage };
                let cost = self.model.cost(&usage, jiff::Zoned::now().date());
                *saying = format!("answering, about {tokens} tokens, {cost}");
                drawing.more.notify_one();
                // The seconds go on by themselves, and the text with them.
                return;
            }
            Progress::Sent => "sent".clone_into(saying),
            Progress::Started { .. } => "thinking".clone_into(saying),
            Progress::Usage(usage) => {
                self.usage = *usage;
                return;
            }
        }
        if let Some(shown) = &mut self.shown {
            shown.say(saying).await;
        }
    }
}

/// Shows the answer as it comes, in a task of its own, where the client can show that.
struct Drawing {
    more: Arc<Notify>,
    task: Option<JoinHandle<()>>,
}

impl Drawing {
    fn begin(client: &Client, session: &Session, talk: &Talk) -> Drawing {
        let more = Arc::new(Notify::new());
        let uri = Url::parse(&talk.address()).ok().filter(|_| session.facts().asks_for_content);
        let task = uri.map(|uri| {
            let (client, more) = (client.clone(), more.clone());
            tokio::spawn(async move {
                more.notified().await;
                show_uri(&client, uri.clone(), false).await;
                loop {
                    refresh(&client, &uri).await;
                    tokio::time::sleep(REFRESH).await;
                    more.notified().await;
                }
            })
        });
        Drawing { more, task }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Says that a document of ours has changed. One that is not open needs none of it.
async fn refresh(client: &Client, uri: &Url) {
    let (client, params) = (client.clone(), serde_json::json!({"uri": uri}));
    within(PATIENCE, async move { client.send_request::<Refresh>(params).await }).await;
}

fn begin_page(talk: &Talk, pending: &Pending) {
    let mut inner = talk.inner();
    let inner = &mut *inner;
    let mut before = std::mem::take(&mut inner.page.before);
    if inner.page.ended {
        let (question, text) = (&mut inner.page.question, &mut inner.page.text);
        before.push((std::mem::take(question), std::mem::take(text)));
    }
    let files = preview::files(pending.prepared.rows.len());
    // What was said of the answer before holds no longer.
    (inner.blocks, inner.problems) = (Vec::new(), Vec::new());
    inner.page = Page {
        before,
        question: pending.prepared.question.clone(),
        status: format!("{} · {files} · answering", pending.model.id()),
        ..Page::default()
    };
}

/// Puts the answer in its place; whether there are edits to apply.
fn close(session: &Session, talk: &Arc<Talk>, pending: &Pending, sent: Sent) -> bool {
    let mut inner = talk.inner();
    let Sent { text, whole, warning, usage, cost, took } = sent;
    inner.answers += 1;
    inner.conversation.answer(&text);
    let files = preview::files(pending.prepared.rows.len());
    inner.page.status = format!(
        "{} · {files} · {} tokens in, {} out · {cost} · {:.0} s",
        pending.model.id(),
        usage.prompt(),
        usage.output,
        took.as_secs_f64(),
    );
    inner.page.text = text;
    inner.page.warning = warning;
    inner.page.ended = true;
    if pending.prepared.kind != Kind::Change {
        return false;
    }
    drop(inner);
    apply::read(session, talk, whole)
}

/// Shows the answer as it ended, as a file: one can ask on in it. Each has its own, since an editor shows
/// an open one as it was.
async fn publish(client: &Client, session: &Arc<Session>, talk: &Arc<Talk>) -> Result<(), String> {
    let text = answer::markdown(&talk.inner().page);
    let path = talk.answer();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let written = talk.folder.write(&name, &text);
    if session.facts().asks_for_content
        && let Ok(uri) = Url::parse(&talk.address())
    {
        refresh(client, &uri).await;
    }
    written.map_err(|error| format!("cannot write the answer: {error}"))?;
    show(client, session, &path, false).await;
    Ok(())
}
