//! One request, from a person's yes to what it cost.
//!
//! In: what was prepared and shown, the settings, the ledger. Out: the answer, or why there is none; what
//! it cost is in the ledger either way. The order is what matters: check that the bytes are those that
//! were shown, find the key, reserve the money, send, settle. Refuses: bytes with another hash than the one
//! shown, and more money than there is. Dropping the future or cancelling closes the connection at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::answer::cited;
use super::api::{self, Address, Answer, ApiError, Endpoint, Progress};
use super::bundle::Level;
use super::conversation::Prepared;
use super::edits;
use super::key;
use super::ledger::{About, Answered, Kind, Ledger, Reservation, Sent as FileSent};
use super::price::{Model, Money, Usage};
use super::{request, tokens};
use crate::settings::AskSettings;

const NOTHING_SENT: &str = "asking Claude was cancelled; nothing was sent";

/// What is sent, and by which rules.
pub struct Sending {
    pub prepared: Prepared,
    pub model: Model,
    pub settings: AskSettings,
    /// That the person has read.
    pub host: String,
    pub ledger: Arc<Ledger>,
    /// For the ledger.
    pub kind: Kind,
    /// For the ledger: the same for all requests of one conversation.
    pub run: String,
}

/// How it ended.
#[derive(Debug)]
pub struct Sent {
    pub text: String,
    /// The API said that it ends here: only then may its edits be applied.
    pub whole: bool,
    /// What a person should know: why it is not whole, what could not be written down.
    pub warning: Option<String>,
    pub usage: Usage,
    pub cost: Money,
    pub took: Duration,
}

impl Sending {
    /// Sends it; `tell` hears what comes. When it is cancelled, what came so far is the answer, and it is
    /// not whole.
    ///
    /// # Errors
    /// When nothing came, as a sentence that says what to do.
    pub async fn send(
        self,
        cancelled: &CancellationToken,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Sent, String> {
        let Prepared { body, sha256, .. } = &self.prepared;
        if request::hash(body) != *sha256 {
            return Err("the request is not the one that was shown; nothing was sent".into());
        }
        let began = Instant::now();
        let endpoint = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(NOTHING_SENT.into()),
            endpoint = self.endpoint() => endpoint?,
        };
        let reservation = self.reserve(endpoint.host()).await?;
        let mut heard = Heard::default();
        let sending = api::send(&endpoint, body.clone(), |progress| {
            heard.hear(&progress);
            tell(&progress);
        });
        let ended = tokio::select! {
            biased;
            () = cancelled.cancelled() => None,
            ended = sending => Some(ended),
        };
        let took = began.elapsed();
        self.settle(reservation, heard, ended, took).await
    }

    async fn endpoint(&self) -> Result<Endpoint, String> {
        let settings = &self.settings;
        let found = key::find(settings.key_helper.as_deref()).await;
        let credential = found.map_err(|error| error.to_string())?.credential;
        let address = Address::find(settings.base_url.as_deref()).map_err(|e| e.to_string())?;
        if address.host() != self.host {
            return Err("the address of the API is another one by now; nothing was sent".into());
        }
        Ok(Endpoint::new(address, settings.proxy.clone(), credential))
    }

    async fn reserve(&self, host: String) -> Result<Reservation, String> {
        let prepared = &self.prepared;
        let limits = self.settings.budget.limits();
        let files = prepared.rows.iter().map(|row| FileSent {
            path: row.path.clone(),
            level: row.level,
            sha256: Some(row.sha256.clone()),
        });
        let about = About {
            kind: self.kind,
            run: self.run.clone(),
            model: prepared.model.clone(),
            host,
            estimated_tokens: tokens::estimate(&String::from_utf8_lossy(&prepared.body)),
            files: files.collect(),
            body_sha256: prepared.sha256.clone(),
        };
        let (ledger, worst) = (self.ledger.clone(), prepared.cost.1);
        let reserve = move || ledger.reserve(worst, limits, about).map_err(|e| e.to_string());
        tokio::task::spawn_blocking(reserve).await.map_err(|error| error.to_string())?
    }

    /// `ended` is `None` for one that was cancelled.
    async fn settle(
        &self,
        reservation: Reservation,
        heard: Heard,
        ended: Option<Result<Answer, ApiError>>,
        took: Duration,
    ) -> Result<Sent, String> {
        let nothing_came = heard.text.is_empty();
        let is_free = match &ended {
            Some(Err(error)) => nothing_came && !error.may_be_charged(),
            Some(Ok(_)) => false,
            None => heard.usage == Usage::default() && !heard.is_out,
        };
        if is_free {
            let released = tokio::task::spawn_blocking(move || reservation.release()).await;
            let why = ended.and_then(Result::err);
            let why = why.map_or_else(|| NOTHING_SENT.to_owned(), |error| error.to_string());
            return Err(format!("{why}{}", trouble(released)));
        }
        let mut whole = false;
        let (text, stop, usage, problem) = match ended {
            Some(Ok(answer)) => {
                whole = answer.stop.is_complete();
                let warning = (!whole).then(|| answer.stop.to_string());
                (answer.text, answer.stop.word().to_owned(), answer.usage, Ok(warning))
            }
            Some(Err(error)) => {
                let (usage, words) =
                    (heard.estimated(error.usage(), &self.prepared), error.to_string());
                let problem = if nothing_came { Err(words) } else { Ok(Some(words)) };
                (heard.text, "failed".to_owned(), usage, problem)
            }
            None => {
                let usage = heard.estimated(heard.usage, &self.prepared);
                let words = "It was cancelled: this is not the whole answer.";
                (heard.text, "cancelled".to_owned(), usage, Ok(Some(words.to_owned())))
            }
        };
        let cost = self.model.cost(&usage, jiff::Zoned::now().date());
        let bodies = self.prepared.rows.iter().filter(|row| row.level != Level::Path);
        let paths: Vec<&str> = bodies.map(|row| row.path.as_str()).collect();
        let named = cited(&text, &paths).into_iter().map(str::to_owned).collect();
        let blocks = edits::parse(&text).unwrap_or_default();
        let mut edited: Vec<String> = blocks.into_iter().map(|block| block.path).collect();
        edited.sort();
        edited.dedup();
        let milliseconds = took.as_millis() as u64;
        let outcome = Answered { usage, stop, milliseconds, cited: named, edited };
        let settled = tokio::task::spawn_blocking(move || reservation.settle(cost, outcome)).await;
        let note = trouble(settled);
        match problem {
            Ok(warning) => {
                let warning = match (warning, note.is_empty()) {
                    (None, true) => None,
                    (warning, _) => Some(format!("{}{note}", warning.unwrap_or_default())),
                };
                Ok(Sent { text, whole, warning, usage, cost, took })
            }
            Err(words) => Err(format!("{words}{note}")),
        }
    }
}

/// What the ledger could not write is said, because the budget then counts the most it could have been.
fn trouble<E: std::fmt::Display>(done: Result<Result<(), E>, tokio::task::JoinError>) -> String {
    let failed = match done {
        Ok(Ok(())) => return String::new(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    format!(" (the ledger could not be written: {failed})")
}

/// What came so far.
#[derive(Default)]
struct Heard {
    text: String,
    thought: usize,
    usage: Usage,
    /// A request is on its way, or was read.
    is_out: bool,
}

impl Heard {
    fn hear(&mut self, progress: &Progress) {
        match progress {
            Progress::Text(text) => self.text.push_str(text),
            Progress::Thinking(text) => self.thought += text.len(),
            Progress::Usage(usage) => self.usage = *usage,
            Progress::Sent => self.is_out = true,
            // It was refused, and is not sent again before the pause is over.
            Progress::Waiting { .. } => self.is_out = false,
            Progress::Started { .. } => {}
        }
    }

    /// The usage of an answer that did not come to its end: what the API said, and no fewer tokens than
    /// were sent and heard.
    fn estimated(&self, mut usage: Usage, prepared: &Prepared) -> Usage {
        let heard = (self.text.len() + self.thought).div_ceil(3) as u64;
        usage.output = usage.output.max(heard);
        if usage.prompt() == 0 {
            usage.cache_write = prepared.tokens.1;
        }
        usage
    }
}
