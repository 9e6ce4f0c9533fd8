//! What `tandem.ask` is called with: all of it by our own code actions, some of it by an editor's
//! package, none of it by an editor that offers commands by name alone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::question::Kind;
use crate::lsp::session::WireRange;

/// The command's argument, an object; every key may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Arguments {
    /// The document; where the cursor was last seen if missing.
    pub uri: Option<String>,
    /// The selection, or the cursor as an empty range.
    pub range: Option<WireRange>,
    /// `ask`, `why` or `change`.
    pub kind: Kind,
    /// Empty: the client is asked for it, or the usual question is asked.
    pub question: String,
    pub diagnostic: Option<WireDiagnostic>,
    /// The conversation that this goes on with.
    pub conversation: Option<u64>,
}

/// A diagnostic as far as it is of use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireDiagnostic {
    pub message: String,
    /// URIs, and lines from 0.
    pub related: Vec<(String, u32)>,
}

/// Where a client was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldPlace {
    pub uri: String,
    pub range: WireRange,
}

/// One of ours that is pending or has ended: what commands on it are called with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Of {
    /// The last one where missing.
    pub conversation: Option<u64>,
    /// What was shown: another request is not sent.
    pub sha256: Option<String>,
    /// Of an answer's edits those of this file.
    pub path: Option<String>,
}

/// The first argument; one that is not understood is a sentence.
pub fn read<T: Default + for<'de> Deserialize<'de>>(arguments: Vec<Value>) -> Result<T, String> {
    match arguments.into_iter().next() {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => serde_json::from_value(value)
            .map_err(|error| format!("the command's argument is not understood: {error}")),
    }
}
