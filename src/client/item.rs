//! A suggestion as `textDocument/inlineCompletion` of LSP 3.18 writes it. In: JSON. Out: values.
//! Refuses: snippets, which no server here sends.

use serde::Deserialize;
use serde_json::Value;

use super::Range;

/// One inline suggestion of LSP 3.18.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What replaces `range`.
    pub insert_text: String,
    /// What the editor compares with the text before the cursor.
    pub filter_text: Option<String>,
    /// The cursor's place when there is none.
    pub range: Option<Range>,
    /// To be executed when the suggestion is accepted.
    pub command: Option<AfterAccept>,
}

/// A command that comes with a suggestion.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AfterAccept {
    /// Its name.
    pub command: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<Value>,
}
