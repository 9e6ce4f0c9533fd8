//! What can go wrong between a client and a server. In: nothing. Out: errors that say, for a
//! person, which request it was and what the server had to say.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The protocol's error in place of a result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// For example -32601: there is no such method.
    pub code: i64,
    /// For a person.
    pub message: String,
}

/// What can go wrong between a client and a server.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The program could not be started.
    #[error("cannot start {}: {error}", program.display())]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// No answer in time.
    #[error("no answer to {method} within {} s", after.as_secs())]
    Deadline {
        /// The request.
        method: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The server closed its output.
    #[error("the server ended before it answered {method}{}", last_words(complaints))]
    Gone {
        /// The request.
        method: String,
        /// What it said last on its standard error.
        complaints: String,
    },
    /// The server answered with an error.
    #[error("{method} was refused: {} ({})", refusal.message, refusal.code)]
    Refused {
        /// The request.
        method: String,
        /// The server's reason.
        refusal: Refusal,
    },
    /// An answer that is not what the protocol says.
    #[error("the answer to {method} makes no sense: {why}")]
    Senseless {
        /// The request.
        method: String,
        /// What is wrong with it.
        why: String,
    },
}

fn last_words(complaints: &str) -> String {
    if complaints.is_empty() { String::new() } else { format!("; it said: {complaints}") }
}
