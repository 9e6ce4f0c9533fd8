//! Asking Claude from an editor: what a session keeps of it, and the commands.
//!
//! `ask/collect` reads what a question needs, `ask/start` makes a request of it and shows it,
//! `ask/stream` sends it after a yes and shows the answer, `ask/apply` applies edits after another.
//! Nothing here is sent without a person's choice, unless the person's own settings name the folder.

mod apply;
pub mod arguments;
mod collect;
mod start;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower_lsp::Client;
use tower_lsp::lsp_types::{MessageType, ShowDocumentParams, Url};

use super::progress::within;
use super::session::Session;
use super::words::plain;
use crate::ask::answer::{self, Page};
use crate::ask::conversation::{Conversation, Prepared};
use crate::ask::edits::{Block, Problem};
use crate::ask::ledger::Ledger;
use crate::ask::papers::{Folder, Papers};
use crate::ask::price::Model;
pub use arguments::Arguments;
use arguments::{Of, ToldPlace};

/// How long an editor may take to open a document.
const PATIENCE: Duration = Duration::from_secs(5);
/// Conversations that can be gone on with.
const KEPT: usize = 16;
/// The scheme of answers in clients that ask for their text (`workspace/textDocumentContent`).
pub const SCHEME: &str = "tandem-answer";

/// What a session keeps of its questions.
pub struct Asks {
    pub ledger: Arc<Ledger>,
    papers: Papers,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    place: Option<ToldPlace>,
    /// The newest last.
    talks: Vec<Arc<Talk>>,
    running: Option<Running>,
}

/// The request that is on its way.
#[derive(Clone)]
struct Running {
    /// Its conversation.
    talk: u64,
    /// Cancels it.
    stop: CancellationToken,
    /// Cancelled when it has ended, and what it cost is written down.
    ended: CancellationToken,
}

/// One conversation, and how far it is.
pub struct Talk {
    pub id: u64,
    /// Its files.
    folder: Folder,
    /// The workspace's folders.
    folders: Vec<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    conversation: Conversation,
    /// What was shown and not sent.
    pending: Option<Pending>,
    /// Previews so far: each has a file of its own, since an editor shows an open one as it was.
    previews: usize,
    /// Answers so far: the same with them.
    answers: usize,
    page: Page,
    /// What an answer changes, where all of it fits.
    blocks: Vec<Block>,
    /// What does not fit.
    problems: Vec<Problem>,
    /// Claude has been asked to put that right, which it is once.
    repaired: bool,
}

/// A request that a person can say yes to.
#[derive(Clone)]
struct Pending {
    prepared: Prepared,
    model: Model,
    host: String,
    preview: PathBuf,
}

impl Asks {
    pub fn new(ledger: Ledger, papers: Papers) -> Asks {
        // Another process counts elsewhere: an answer of one that died is none of ours.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last = u64::try_from(since.as_millis()).unwrap_or_default();
        let state = Mutex::new(State { last, ..State::default() });
        Asks { ledger: Arc::new(ledger), papers, state }
    }

    /// Where the cursor was last seen, for commands that come without a place.
    pub fn note_place(&self, place: ToldPlace) {
        self.state().place = Some(place);
    }

    /// The conversation whose answer this file is.
    pub fn conversation_of_answer(&self, path: &Path) -> Option<u64> {
        let state = self.state();
        let talk = state.talks.iter().find(|talk| talk.is_answer(path))?;
        Some(talk.id)
    }

    /// Is this a file of ours: a preview, a list, an answer?
    pub fn is_paper(&self, path: &Path) -> bool {
        self.state().talks.iter().any(|talk| path.starts_with(talk.folder.path("")))
    }

    /// What an answer offers to be done with its edits: title, command and argument of each.
    pub fn actions_of_answer(&self, path: &Path) -> Vec<(String, &'static str, Value)> {
        let state = self.state();
        let Some(talk) = state.talks.iter().find(|talk| talk.is_answer(path)) else {
            return Vec::new();
        };
        let inner = talk.inner();
        let of = Of { conversation: Some(talk.id), ..Of::default() };
        let mut files: Vec<&str> = inner.blocks.iter().map(|block| block.path.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        let mut actions = Vec::new();
        if !files.is_empty() {
            actions.push(("Apply Claude's edits".to_owned(), "tandem.applyEdits", json!(of)));
        }
        if files.len() > 1 {
            actions.extend(files.into_iter().map(|file| {
                let of = Of { path: Some(file.to_owned()), ..of.clone() };
                (format!("Apply Claude's edits of {file}"), "tandem.applyEdits", json!(of))
            }));
        }
        if !inner.problems.is_empty() && !inner.repaired {
            actions.push((apply::REPAIR.to_owned(), "tandem.repair", json!(of)));
        }
        actions
    }

    /// If this file is a preview or a list that waits for a choice: title, command and argument of
    /// each choice. A message with the choices may have been closed.
    pub fn actions_of_paper(&self, path: &Path) -> Option<Vec<(String, &'static str, Value)>> {
        let state = self.state();
        state.talks.iter().find_map(|talk| {
            let inner = talk.inner();
            let pending = inner.pending.as_ref()?;
            let sha256 = Some(pending.prepared.sha256.clone());
            let of = Of { conversation: Some(talk.id), sha256, path: None };
            let is_list = talk.list() == path;
            if !is_list && pending.preview != path {
                return None;
            }
            let mut actions = match is_list {
                true => vec![(start::AGAIN.to_owned(), "tandem.lookAgain", json!(of))],
                false => vec![(pending.send_title(), "tandem.send", json!(of))],
            };
            if !is_list && inner.conversation.is_fresh() {
                actions.push((start::EDIT.to_owned(), "tandem.editList", json!(of)));
            }
            actions.push(("Cancel: send nothing".to_owned(), "tandem.cancel", json!(of)));
            Some(actions)
        })
    }

    /// The text of a document of ours, for a client that asks for it.
    pub fn text(&self, uri: &str) -> Option<String> {
        let state = self.state();
        let talk = state.talks.iter().find(|talk| talk.address() == uri)?;
        let text = answer::markdown(&talk.inner().page);
        Some(text)
    }

    fn talk(&self, id: Option<u64>) -> Result<Arc<Talk>, String> {
        let state = self.state();
        let found = match id {
            Some(id) => state.talks.iter().find(|talk| talk.id == id),
            None => state.talks.last(),
        };
        found.cloned().ok_or_else(|| match id {
            Some(_) => "that conversation is over; ask anew".to_owned(),
            None => "nothing has been asked yet".to_owned(),
        })
    }

    fn add(&self, conversation: Conversation, folders: Vec<PathBuf>) -> Result<Arc<Talk>, String> {
        let folder = self.papers.begin();
        let folder = folder.map_err(|error| format!("cannot write the preview: {error}"))?;
        let mut state = self.state();
        state.last += 1;
        let inner = Mutex::new(Inner { conversation, ..Inner::default() });
        let talk = Arc::new(Talk { id: state.last, folder, folders, inner });
        state.talks.push(talk.clone());
        if state.talks.len() > KEPT {
            state.talks.remove(0);
        }
        Ok(talk)
    }

    /// Ends what is running, and waits until it is settled. For the session's end.
    pub async fn farewell(&self) {
        let running = self.state().running.clone();
        if let Some(Running { stop, ended, .. }) = running {
            stop.cancel();
            ended.cancelled().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Talk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the ledger: another conversation has another one.
    fn name(&self) -> String {
        let folder = self.folder.path("");
        folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The newest answer's file.
    fn answer(&self) -> PathBuf {
        self.folder.path(&format!("answer-{}.md", self.inner().answers))
    }

    fn is_answer(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("answer-") && path.parent() == self.folder.path("x").parent()
    }

    fn list(&self) -> PathBuf {
        self.folder.path("list.md")
    }

    /// Forgets what is not sent, or only the request with this hash; whether there was one.
    fn drop_pending(&self, sha256: Option<&str>) -> bool {
        let mut inner = self.inner();
        let is_meant = |pending: &Pending| sha256.is_none_or(|sha| sha == pending.prepared.sha256);
        let drops = inner.pending.as_ref().is_some_and(is_meant);
        if drops {
            inner.pending = None;
            inner.conversation.take_back();
        }
        drops
    }

    /// Where a client that asks for texts finds the answer.
    fn address(&self) -> String {
        format!("{SCHEME}:/{}/answer.md", self.id)
    }
}

impl Pending {
    fn send_title(&self) -> String {
        let (least, most) = self.prepared.cost;
        format!("Send to {} ({least} to {most})", self.host)
    }
}

/// Runs one of the commands on asking; `None` when it is none. Answers at once.
pub fn run(
    client: &Client,
    session: &Arc<Session>,
    name: &str,
    arguments: Vec<Value>,
) -> Option<Value> {
    match name {
        "tandem.ask" => {
            let (told, c, s) =
                (arguments::read::<Arguments>(arguments), client.clone(), session.clone());
            spawn(client, async move { start::ask(&c, &s, told?).await });
        }
        "tandem.send" | "tandem.editList" | "tandem.lookAgain" | "tandem.applyEdits"
        | "tandem.repair" => {
            let (of, c, s) = (arguments::read::<Of>(arguments), client.clone(), session.clone());
            let name = name.to_owned();
            spawn(client, async move {
                let of = of?;
                let talk = s.asks.talk(of.conversation)?;
                match name.as_str() {
                    "tandem.send" => start::send(&c, &s, &talk, of.sha256).await,
                    "tandem.editList" => start::edit_list(&c, &s, &talk).await,
                    "tandem.lookAgain" => start::look_again(&c, &s, &talk).await,
                    "tandem.repair" => apply::repair(&c, &s, &talk).await,
                    _ => apply::apply(&c, &s, &talk, of.path.as_deref()).await,
                }
            });
        }
        "tandem.cancel" => {
            let words = match arguments::read::<Of>(arguments) {
                Ok(of) => cancel(session, of.conversation).to_owned(),
                Err(problem) => problem,
            };
            let client = client.clone();
            tokio::spawn(async move {
                client.show_message(MessageType::INFO, plain(format!("tandem: {words}"))).await;
            });
        }
        _ => return None,
    }
    Some(Value::Null)
}

/// Stops what is running, else forgets what is not sent: of one conversation, or of any.
pub fn cancel(session: &Session, of: Option<u64>) -> &'static str {
    let state = session.asks.state();
    let is_meant = |talk: u64| of.is_none_or(|of| of == talk);
    if let Some(running) = state.running.as_ref().filter(|running| is_meant(running.talk)) {
        running.stop.cancel();
        return "asking Claude is cancelled";
    }
    let mut talks = state.talks.iter().rev().filter(|talk| is_meant(talk.id));
    match talks.any(|talk| talk.drop_pending(None)) {
        true => "nothing was sent",
        false => "nothing is being asked",
    }
}

/// In a task of its own, because it waits for the client; a problem is told.
fn spawn(client: &Client, work: impl Future<Output = Result<(), String>> + Send + 'static) {
    let client = client.clone();
    tokio::spawn(async move {
        if let Err(problem) = work.await {
            client.show_message(MessageType::ERROR, plain(format!("tandem: {problem}"))).await;
        }
    });
}

/// Opens a file in the editor; says where it is to one that cannot. A file to act on gets the focus, one
/// to read does not: somebody may be typing.
async fn show(client: &Client, session: &Session, path: &Path, focus: bool) {
    if session.facts().shows_documents
        && let Ok(uri) = Url::from_file_path(path)
        && show_uri(client, uri, focus).await
    {
        return;
    }
    let text = format!("tandem: open {} to read it", path.display());
    client.show_message(MessageType::INFO, plain(text)).await;
}

async fn show_uri(client: &Client, uri: Url, focus: bool) -> bool {
    let take_focus = Some(focus);
    let params = ShowDocumentParams { uri, external: None, take_focus, selection: None };
    let client = client.clone();
    let shown = async move { client.show_document(params).await };
    // One that does not say is taken at its word.
    within(PATIENCE, shown).await.is_none_or(|shown| shown.unwrap_or(false))
}
