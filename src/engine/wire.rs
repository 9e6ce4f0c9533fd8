//! What a server and the engine's process say to each other: one JSON value a line.
//!
//! Both ends mostly come from the same build, since the rendezvous is named after it. Yet the program's file may be
//! replaced under a server that runs: so the engine greets with its version, and a server of another one
//! does not go on. A line that cannot be read ends the connection.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LinesCodec;

use super::{Event, Request, State};

/// Raised when what is said changes.
const PROTOCOL: u32 = 3;

/// Longer lines end the connection, bytes. A prompt is some 5 KB.
const MAX_LINE: usize = 1 << 20;

/// From a server to the engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToEngine {
    /// Work on this. The number is the connection's own.
    Complete {
        /// Names the answer.
        id: u64,
        /// What to do.
        request: Request,
    },
    /// Nobody waits for this answer any more.
    Cancel {
        /// As in `Complete`.
        id: u64,
    },
    /// A document was closed; save what was evaluated.
    Keep,
    /// Is the engine there, and does its model move? Asked while something is waited for.
    Ping,
}

/// From the engine to a server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromEngine {
    /// The first thing that is said.
    Hello {
        /// As [`version`] says it.
        version: String,
        /// The engine's process.
        process: u32,
    },
    /// How the engine is: once at the start, then at each change.
    State(State),
    /// A piece of an answer.
    Answer {
        /// As in `Complete`.
        id: u64,
        /// The piece.
        event: Event,
    },
    /// The answer to `Ping`.
    Pong {
        /// For how long the model has been at one and the same operation, ms; 0 when it has nothing to do.
        still_ms: u64,
    },
}

/// What must be equal at both ends.
pub fn version() -> String {
    format!("{}, protocol {PROTOCOL}", env!("CARGO_PKG_VERSION"))
}

/// The framing of both directions.
pub fn codec() -> LinesCodec {
    LinesCodec::new_with_max_length(MAX_LINE)
}

/// A message as a line.
///
/// # Errors
/// Never for the types of this file.
pub fn line<T: Serialize>(message: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(message)
}

/// A line as a message.
///
/// # Errors
/// When the other end is not one of ours.
pub fn message<T: DeserializeOwned>(line: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(line)
}
