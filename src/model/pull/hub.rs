//! Download from the model hub, in one stream that can be taken up again.
//!
//! In: an entry. Out: its file, through [`accept`]. Refuses: a page instead of a model, a file of
//! another size or hash than pinned or declared, a redirect from https to http.
//!
//! What has arrived lies in `FILE.partial`; beside it, `FILE.partial.json` says which version of the
//! file it is the beginning of.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap};
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::accept::{Expected, accept};
use super::{Options, Pulled};
use crate::model::catalogue::Entry;
use crate::model::digest::off_thread;
use crate::model::error::ModelError;
use crate::model::gguf;
use crate::model::progress::{Phase, Progress, Report, Source};
use crate::model::store::{Store, drop_if_there};

mod request;

use request::{Client, Declared};

/// Tries in a row that brought not one byte.
const TRIES: u32 = 5;

/// Which version of the file the partial bytes are of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Notes {
    etag: Option<String>,
    /// What the hub declared.
    sha256: Option<String>,
    bytes: Option<u64>,
}

/// Why one try did not finish the file.
enum Setback {
    /// Worth another try.
    Again(String),
    /// The bytes so far belong to another file: start anew, at once.
    Anew(String),
    Final(ModelError),
}

impl From<ModelError> for Setback {
    fn from(error: ModelError) -> Setback {
        Setback::Final(error)
    }
}

struct Download<'a> {
    entry: &'static Entry,
    client: Client,
    url: String,
    partial: PathBuf,
    notes_path: PathBuf,
    report: &'a Report,
}

/// The partial file and its notes: of no use once the model is there.
pub fn leftovers(store: &Store, entry: &Entry) -> [PathBuf; 2] {
    ["partial", "partial.json"].map(|end| store.folder().join(format!("{}.{end}", entry.file)))
}

pub async fn fetch(
    store: &Store,
    entry: &'static Entry,
    options: &Options,
    report: &Report,
) -> Result<Pulled, ModelError> {
    let url = format!("{}/{}/resolve/main/{}", options.hub, entry.repo, entry.file);
    let [partial, notes_path] = leftovers(store, entry);
    let download = Download { entry, client: Client::new(&url)?, url, partial, notes_path, report };
    let expected = download.to_the_end(options).await?;
    let (store, partial, report) = (store.clone(), download.partial.clone(), report.clone());
    let pulled =
        off_thread(move || accept(&store, entry, &partial, &expected, None, Source::Hub, &report))
            .await;
    // Right or wrong, what the notes were about is no longer there.
    let _ = drop_if_there(&download.notes_path);
    pulled
}

impl Download<'_> {
    /// Tries until the file is complete or hope is gone.
    async fn to_the_end(&self, options: &Options) -> Result<Expected, ModelError> {
        let mut fruitless = 0;
        loop {
            let before = self.have();
            let reason = match self.once().await {
                Ok(expected) => return Ok(expected),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Again(reason)) => reason,
                Err(Setback::Anew(reason)) => {
                    self.forget()?;
                    reason
                }
            };
            fruitless = if self.have() > before { 0 } else { fruitless + 1 };
            if fruitless >= TRIES {
                return Err(self.gave_up(reason));
            }
            tokio::time::sleep(options.patience * fruitless).await;
        }
    }

    fn gave_up(&self, reason: String) -> ModelError {
        let got = self.have();
        let expected = self.entry.bytes.or(self.notes().bytes);
        match expected {
            Some(expected) if got > 0 => ModelError::Interrupted { got, expected, reason },
            _ => self.hub(reason),
        }
    }

    /// One request, from where the partial file ends.
    async fn once(&self) -> Result<Expected, Setback> {
        let mut have = self.have();
        let notes = self.notes();
        if let Some(expected) = self.expected(&notes) {
            if have == expected.bytes {
                return Ok(expected);
            }
            if have > expected.bytes {
                self.forget()?;
                have = 0;
            }
        }
        self.say(Phase::Connecting, have, 0);
        let etag = notes.etag.as_deref().filter(|_| have > 0);
        let (response, declared) = self.client.get(&self.url, have, etag, |r| self.hub(r)).await?;
        have = self.beginning(&response, have)?;
        let notes = self.checked_notes(&response, declared, have, &notes)?;
        let Some(expected) = self.expected(&notes) else {
            let url = self.url.clone();
            return Err(Setback::Final(ModelError::NoChecksum { url }));
        };
        let written = serde_json::to_vec(&notes).unwrap_or_default();
        fs::write(&self.notes_path, written).map_err(|e| {
            ModelError::writing(&self.notes_path, expected.bytes.saturating_sub(have), e)
        })?;
        self.body(response, have, &expected).await?;
        Ok(expected)
    }

    /// From which byte the answer continues, by its status; says why not otherwise.
    fn beginning(&self, response: &Response, have: u64) -> Result<u64, Setback> {
        let html = header(response.headers(), CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with("text/html"));
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT if html => {
                Err(self.hub(format!("what came {}", gguf::GgufError::Html)).into())
            }
            // A server that ignores ranges, or whose file has changed, sends all of it.
            StatusCode::OK => Ok(0),
            StatusCode::PARTIAL_CONTENT => {
                let range = header(response.headers(), CONTENT_RANGE.as_str());
                match range.and_then(range_start) {
                    Some(start) if start == have => Ok(have),
                    _ => Err(Setback::Anew("it sent another part than asked for".into())),
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                Err(Setback::Anew("its file is shorter than what is here".into()))
            }
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => {
                Err(Setback::Again(format!("it answered {status}")))
            }
            status if status.is_server_error() => {
                Err(Setback::Again(format!("it answered {status}")))
            }
            status => Err(self.hub(format!("it answered {status}")).into()),
        }
    }

    /// What is now known of the file, if it is the one we want.
    fn checked_notes(
        &self,
        response: &Response,
        declared: Declared,
        have: u64,
        before: &Notes,
    ) -> Result<Notes, Setback> {
        let whole = response.content_length().and_then(|n| n.checked_add(have));
        let bytes = declared.bytes.or(whole);
        if let (Some(pinned), Some(now)) = (self.entry.bytes, bytes)
            && pinned != now
        {
            let reason = format!("its file has {now} bytes where {pinned} are pinned");
            return Err(self.hub(reason).into());
        }
        if let (Some(pinned), Some(now)) = (self.entry.sha256, &declared.sha256)
            && pinned != now
        {
            let reason = format!("its file has the SHA-256 {now} where {pinned} is pinned");
            return Err(self.hub(reason).into());
        }
        if have > 0 && declared.sha256.is_some() && before.sha256 != declared.sha256 {
            let pinned = self.entry.sha256.is_some();
            if !pinned {
                return Err(Setback::Anew("its file has changed".into()));
            }
        }
        let etag = header(response.headers(), ETAG.as_str());
        Ok(Notes {
            // A weak one may not be used to resume.
            etag: etag.filter(|etag| !etag.starts_with("W/")).map(str::to_owned),
            sha256: declared.sha256,
            bytes,
        })
    }

    /// Writes the body behind the first `have` bytes, straight to the file: what has arrived stays.
    async fn body(
        &self,
        mut response: Response,
        mut have: u64,
        expected: &Expected,
    ) -> Result<(), Setback> {
        let full = |have: u64, e| {
            ModelError::writing(&self.partial, expected.bytes.saturating_sub(have), e)
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.partial)
            .map_err(|e| full(have, e))?;
        if have < self.have() {
            file.set_len(have).map_err(|e| full(have, e))?;
        }
        loop {
            self.say(Phase::Downloading, have, expected.bytes);
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if have == expected.bytes => return Ok(()),
                Ok(None) => return Err(Setback::Again("the stream ended early".into())),
                Err(e) => return Err(Setback::Again(request::reason(e))),
            };
            if have == 0
                && let Err(error) = gguf::beginning(&chunk, expected.bytes)
            {
                return Err(self.hub(format!("what came {error}")).into());
            }
            if have + chunk.len() as u64 > expected.bytes {
                let reason = format!("it sent more than {} bytes", expected.bytes);
                self.forget()?;
                return Err(self.hub(reason).into());
            }
            file.write_all(&chunk).map_err(|e| full(have, e))?;
            have += chunk.len() as u64;
        }
    }

    /// The size and hash to hold the file against: pinned, or else declared.
    fn expected(&self, notes: &Notes) -> Option<Expected> {
        let sha256 = self.entry.sha256.map(str::to_owned);
        Some(Expected {
            bytes: self.entry.bytes.or(notes.bytes)?,
            sha256: sha256.or(notes.sha256.clone())?,
        })
    }

    fn have(&self) -> u64 {
        fs::metadata(&self.partial).map_or(0, |about| about.len())
    }

    fn notes(&self) -> Notes {
        let read = fs::read(&self.notes_path).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or_default()
    }

    fn forget(&self) -> Result<(), ModelError> {
        for path in [&self.partial, &self.notes_path] {
            drop_if_there(path).map_err(|e| ModelError::writing(path, 0, e))?;
        }
        Ok(())
    }

    fn hub(&self, reason: String) -> ModelError {
        let url = self.url.clone();
        ModelError::Hub { url, reason }
    }

    fn say(&self, phase: Phase, done: u64, total: u64) {
        (self.report)(Progress { phase, done, total, source: Source::Hub });
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The first byte of `bytes 100-199/200`.
fn range_start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
