//! `textDocument/completion`, for editors without ghost text (Helix): one entry in the menu, with
//! the whole suggestion as its preview.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::fates::Showing;
use super::session::{NamedDocument, Session, Ticket, WirePosition, WireRange};
use crate::completer::Place;
use crate::document::position;

/// The method's name.
pub const METHOD: &str = "textDocument/completion";
/// tower-lsp has a handler of its own for [`METHOD`] that knows no tickets, so the ingress calls
/// ours by this name.
pub const INTERNAL_METHOD: &str = "tandem/completion";

/// The request's parameters, with the ticket that the ingress has put in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Params {
    text_document: NamedDocument,
    position: WirePosition,
    #[serde(default)]
    pub tandem_ticket: u64,
}

impl Session {
    /// The menu's entries for a request. Always incomplete: the next key asks again.
    pub async fn menu(&self, ticket: &Ticket, params: &Params) -> Value {
        let items = match self.entry(ticket, params).await {
            Some(item) => vec![item],
            None => Vec::new(),
        };
        json!({"isIncomplete": true, "items": items})
    }

    async fn entry(&self, ticket: &Ticket, params: &Params) -> Option<Value> {
        let asked = Instant::now();
        let snapshot = ticket.snapshot.as_ref()?;
        let cursor = self.place(snapshot, params.position)?;
        let place = Place {
            document: &params.text_document.uri,
            path: &self.name(&params.text_document.uri),
            language: &snapshot.language_id,
            text: &snapshot.rope,
            cursor,
            invoked: false,
        };
        let completion = self.completer.complete(place, self.settings.get().style()).await;
        let line = snapshot.slice(snapshot.line_start(cursor)..cursor);
        let word = line.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let word = &line[word..];
        let (uri, replaced) = (&params.text_document.uri, (cursor - word.len()..cursor, word));
        let shown = Showing { uri, snapshot, cursor, replaced, invoked: false, asked };
        self.shows(shown, &completion);
        let suggestion = completion.suggestion?;
        let whole = format!("{word}{}", suggestion.text);
        let label = whole.trim().lines().next().unwrap_or_default().to_owned();
        let encoding = self.facts().encoding;
        let at = |byte| WirePosition::from(position::from_byte(&snapshot.rope, byte, encoding));
        let range =
            WireRange { start: at(cursor - word.len()), end: at(cursor + suggestion.replaces) };
        Some(json!({
            "label": label,
            "kind": 15,
            "detail": "tandem",
            "documentation": {
                "kind": "markdown",
                "value": format!("```{}\n{}{}\n```", snapshot.language_id, line.trim_start(), suggestion.text),
            },
            "filterText": if word.is_empty() { &label } else { word },
            "sortText": "\u{1}",
            "preselect": true,
            "insertTextFormat": 1,
            // As is: the text carries its own indentation.
            "insertTextMode": 1,
            "textEdit": {"range": range, "newText": whole.replace('\n', snapshot.eol())},
            "command": {"title": "Accepted", "command": "tandem.accept"},
        }))
    }
}
