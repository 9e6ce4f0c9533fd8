//! One address: who is there, and what it says to a request.
//!
//! In: an address from the user's own settings. Out: its model, [answers](asking); else a [`Setback`], in words that
//! say what to do.

mod asking;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use url::Url;

use super::dialect::{Dialect, Models};
use super::key::Key;
use super::memory::Memory;
use super::{CONNECT, Options, SILENCE};
use crate::engine::family::Family;
use crate::net;

/// Bytes of an answer with all its frames; a block of 1,024 tokens has less than 500 KB.
const LONGEST_ANSWER: usize = 8 << 20;
/// Bytes that are read of an error.
const LONGEST_ERROR: usize = 2_000;

/// An engine elsewhere.
pub struct Site {
    base: Url,
    client: Client,
    options: Options,
    key: Arc<Key>,
    known: tokio::sync::Mutex<Option<Arc<Known>>>,
    memory: Mutex<Memory>,
    /// Keystrokes that wait for an answer.
    keys: watch::Sender<usize>,
    /// Whose turn it is in the background.
    background: tokio::sync::Mutex<()>,
    last: Mutex<Option<String>>,
}

/// What an engine said of itself.
#[derive(Debug)]
pub struct Known {
    pub model: String,
    dialect: Dialect,
    family: Family,
}

/// A request that came to nothing.
#[derive(Debug)]
pub struct Setback {
    /// A sentence for a person, with the host.
    pub why: String,
    /// That the engine asks to wait.
    pub wait: Option<Duration>,
    /// A part of the answer has been passed on: it cannot be had from another one.
    pub has_said: bool,
}

impl Site {
    /// # Errors
    /// When the address or the certificates cannot be used.
    pub fn new(address: &str, options: &Options, key: Arc<Key>) -> Result<Site, String> {
        let base = base(address, options.insecure_http)
            .map_err(|why| format!("`remote.addresses` has {address:?}: {why}"))?;
        let mut builder = net::client(&base).connect_timeout(CONNECT).read_timeout(SILENCE);
        if let Some(pem) = &options.certificates {
            let wrong = |why: String| format!("`remote.ca_file` has no certificates: {why}");
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| wrong(net::reason(error)))?;
            if certificates.is_empty() {
                return Err(wrong("it must be PEM".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(net::reason)?;
        let (options, keys) = (options.clone(), watch::channel(0).0);
        let (known, memory, background, last) = Default::default();
        Ok(Site { base, client, options, key, known, memory, keys, background, last })
    }

    /// With a port if one is named.
    pub fn host(&self) -> String {
        net::host(&self.base)
    }

    /// Why it did not answer the last time; `None` when it did.
    pub fn last(&self) -> MutexGuard<'_, Option<String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It failed: what it had read may be gone.
    pub fn forget(&self) {
        self.memory().forget();
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its model; asked once.
    ///
    /// # Errors
    /// When it does not say, or it is not the one that is wanted.
    pub async fn known(&self) -> Result<Arc<Known>, Setback> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let found = Arc::new(self.look().await?);
        // It may be another one, on another machine.
        *self.memory() = Memory::new(found.dialect.tells_speed());
        *known = Some(found.clone());
        Ok(found)
    }

    async fn look(&self) -> Result<Known, Setback> {
        let response = self.send(self.client.get(self.url("models"))).await?;
        let wanted = self.options.model.as_deref();
        if let (StatusCode::NOT_FOUND, Some(model)) = (response.status(), wanted) {
            // A gateway without a list; what it cannot do it will say.
            return self.recognize(model, Dialect::Plain);
        }
        let response = self.accepted(response).await?;
        let bytes = self.beginning(response, LONGEST_ANSWER).await;
        let models: Models = serde_json::from_slice(&bytes)
            .map_err(|error| self.setback(&format!("sent no list of models: {error}")))?;
        let found = match wanted {
            Some(name) => models.data.iter().find(|model| model.id == name),
            None => models.data.first(),
        };
        let Some(model) = found else {
            let names: Vec<&str> = models.data.iter().take(5).map(|m| m.id.as_str()).collect();
            return Err(self.setback(&match wanted {
                Some(name) => format!(
                    "does not have the model {name:?} of `remote.model`; it has {}",
                    names.join(", ")
                ),
                None => "has no model".to_owned(),
            }));
        };
        self.recognize(&model.id, model.dialect())
    }

    fn recognize(&self, model: &str, dialect: Dialect) -> Result<Known, Setback> {
        let family = self.options.family.or_else(|| Family::of(model)).ok_or_else(|| {
            self.setback(&format!(
                "has the model {model:?}, whose name says nothing of how it fills in the middle; set `remote.family`, or another `remote.model`"
            ))
        })?;
        Ok(Known { model: model.to_owned(), dialect, family })
    }

    fn url(&self, what: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v1/{what}", self.base.path().trim_end_matches('/')));
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Setback> {
        let key =
            self.key.get().await.map_err(|why| self.setback(&format!("has no key: {why}")))?;
        let request = match &key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        };
        request.send().await.map_err(|error| {
            self.setback(&match () {
                () if error.is_connect() && error.is_timeout() => "cannot be reached".to_owned(),
                () if error.is_timeout() => {
                    format!("said nothing for {} s", SILENCE.as_secs())
                }
                () => format!("cannot be asked: {}", net::reason(error)),
            })
        })
    }

    /// An answer without an error's status.
    async fn accepted(&self, response: Response) -> Result<Response, Setback> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = response.headers().get(header::RETRY_AFTER);
        let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let wait = seconds.map(Duration::from_secs);
        let said = self.beginning(response, LONGEST_ERROR).await;
        let said = self.without_key(&message(&said)).await;
        if matches!(status.as_u16(), 401 | 403) {
            self.key.forget().await;
        }
        let why = match status.as_u16() {
            401 | 403 => format!(
                "wants another key ({status}): `tandem key set --remote`, or TANDEM_REMOTE_KEY"
            ),
            429 => "has too much to do (429)".to_owned(),
            _ if status.is_redirection() => {
                format!("sends elsewhere ({status}); write down where it really is")
            }
            _ => format!("answers {status}: {said}"),
        };
        Err(Setback { wait, ..self.setback(&why) })
    }

    /// As much of a body as may be read.
    async fn beginning(&self, response: Response, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut pieces = std::pin::pin!(response.bytes_stream());
        while let Some(Ok(piece)) = pieces.next().await {
            bytes.extend_from_slice(&piece[..piece.len().min(most - bytes.len())]);
            if bytes.len() >= most {
                break;
            }
        }
        bytes
    }

    /// What the other side wrote, fit to be shown.
    async fn without_key(&self, text: &str) -> String {
        let key = self.key.get().await.ok().flatten();
        net::clean(text, key.as_ref().map_or("", |key| key.expose_secret()))
    }

    fn setback(&self, what: &str) -> Setback {
        let why = net::clean(&format!("the engine at {} {what}", self.host()), "");
        Setback { why, wait: None, has_said: false }
    }
}

/// What an error says, in the forms that it has.
fn message(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    json["error"]["message"]
        .as_str()
        .or(json["message"].as_str())
        .or(json["error"].as_str())
        .map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

/// Where `/v1` is.
fn base(address: &str, insecure_http: bool) -> Result<Url, String> {
    let mut url = net::address(address, insecure_http)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_with_what_everybody_copies() {
        for address in ["https://a.example", "https://a.example/", "https://a.example/v1/"] {
            let site = Site::new(address, &Options::default(), Arc::default()).unwrap();
            assert_eq!(site.url("models").as_str(), "https://a.example/v1/models");
        }
        let below = Site::new("http://localhost:8000/team/v1", &Options::default(), Arc::default())
            .unwrap();
        assert_eq!(below.url("completions").as_str(), "http://localhost:8000/team/v1/completions");
        assert_eq!(below.host(), "localhost:8000");
    }

    #[test]
    fn what_an_error_says_is_found_in_each_form() {
        assert_eq!(message(br#"{"error":{"message":"too long"}}"#), "too long");
        assert_eq!(message(br#"{"object":"error","message":"no such model"}"#), "no such model");
        assert_eq!(message(br#"{"error":"model not found"}"#), "model not found");
        assert_eq!(message(b"bad gateway"), "bad gateway");
    }
}
