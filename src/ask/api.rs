//! The Messages API: one request, its answer as it comes.
//!
//! In: an [`Endpoint`], the bytes of a body that somebody said yes to. Out: [`Progress`] while it comes, then an
//! [`Answer`], or an [`ApiError`] that says what to do and what had come by then. Refuses: to follow a
//! redirect, to send a key unencrypted off this machine, to try again once a first piece of the answer is
//! there, to read for ever, to call a stream that was cut an answer.
//!
//! The format is that of October 2026; what is new in a stream is ignored, as its makers ask of clients.

use std::fmt;
use std::time::Duration;

use super::key::Credential;
use super::price::Usage;

mod address;
mod error;
#[cfg(feature = "net")]
pub mod events;
#[cfg(feature = "net")]
mod request;
#[cfg(feature = "net")]
mod retry;
mod stop;

pub use address::Address;
pub use error::{ApiError, Partial, Refused};
pub use stop::Stop;

/// The version of the API that is asked for. It has a newer one, `2026-10-21`, which removes only what is never
/// sent here (sampling parameters among it); gateways know this one too.
pub const VERSION: &str = "2023-06-01";

/// Where a request goes, and as whom.
#[derive(Clone)]
pub struct Endpoint {
    pub address: Address,
    /// A proxy's address; that of the system where it is not set, and none to this machine itself.
    pub proxy: Option<String>,
    pub credential: Credential,
    pub patience: Patience,
}

impl Endpoint {
    /// With the usual patience.
    pub fn new(address: Address, proxy: Option<String>, credential: Credential) -> Endpoint {
        Endpoint { address, proxy, credential, patience: Patience::default() }
    }

    /// Who gets the request, to be shown before it is sent: `api.anthropic.com`, with a port if one is named.
    pub fn host(&self) -> String {
        self.address.host()
    }
}

/// Without the credential, and without the proxy, whose address may have a password in it.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_ref().map(|_| "(set)");
        f.debug_struct("Endpoint")
            .field("address", &self.address)
            .field("proxy", &proxy)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// How long to wait for what. There is no limit on the whole: a long answer takes minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// Without a byte, once connected. The API sends a `ping` every few seconds.
    pub idle: Duration,
    /// Before a first repetition; twice that before the next. The official clients' figures.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// That the API may ask to wait; for longer a person decides.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// What is heard of a request on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It is going out; again after each [`Waiting`](Progress::Waiting).
    Sent,
    /// It did not work, and is tried again.
    Waiting {
        /// The attempt to come; the first was 1.
        attempt: u32,
        /// Until then, rounded up.
        seconds: u64,
        /// A sentence's end: "the API is overloaded".
        why: String,
    },
    /// The answer begins, by this model.
    Started { model: String },
    /// A piece of a summary of what the model thinks; empty where the model only says that it does.
    Thinking(String),
    /// A piece of the answer.
    Text(String),
    /// So far, all of it: not to be added up.
    Usage(Usage),
}

/// A whole answer: the API said that it ends here, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub text: String,
    pub stop: Stop,
    /// Of all attempts, as far as the API told.
    pub usage: Usage,
    /// The one that answered, as the API calls it.
    pub model: String,
    /// To tell to the API's support.
    pub request_id: Option<String>,
}

/// Sends the body and reads the answer. Dropping the future closes the connection at once.
///
/// # Errors
/// An [`ApiError`], with what had come by then.
#[cfg(feature = "net")]
pub async fn send(
    endpoint: &Endpoint,
    body: Vec<u8>,
    tell: impl FnMut(Progress),
) -> Result<Answer, ApiError> {
    request::send(endpoint, body, tell).await
}

/// Built without the feature `net`: sends nothing.
///
/// # Errors
/// Always, [`ApiError::NoConnections`].
#[cfg(not(feature = "net"))]
pub async fn send(
    _endpoint: &Endpoint,
    _body: Vec<u8>,
    _tell: impl FnMut(Progress),
) -> Result<Answer, ApiError> {
    Err(ApiError::NoConnections)
}
