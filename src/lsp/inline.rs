//! `textDocument/inlineCompletion`, LSP 3.18: ghost text. The types are ours; lsp-types 0.94 has
//! none.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fates::Showing;
use super::session::{NamedDocument, Session, Ticket, WirePosition, WireRange};
use crate::completer::Place;
use crate::document::{Snapshot, position};
use crate::suggestion::Suggestion;

/// The method's name.
pub const METHOD: &str = "textDocument/inlineCompletion";

/// The request's parameters, with the ticket that the ingress has put in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Params {
    pub text_document: NamedDocument,
    pub position: WirePosition,
    #[serde(default)]
    pub context: TriggerContext,
    #[serde(default)]
    pub tandem_ticket: u64,
}

/// Why the client asks.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TriggerContext {
    /// 1 when a person asked, 2 while typing.
    trigger_kind: u32,
    /// The popup's selected entry: a suggestion must go on from it.
    selected_completion_info: Option<Selected>,
}

#[derive(Clone, Deserialize)]
struct Selected {
    range: WireRange,
    text: String,
}

/// One suggestion.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    insert_text: String,
    filter_text: String,
    range: WireRange,
    command: Value,
}

impl Session {
    /// The suggestions for a request; none for a document that is closed, out of sync, too large,
    /// binary or not wanted.
    pub async fn ghost_text(&self, ticket: &Ticket, params: &Params) -> Vec<Item> {
        let Some(snapshot) = &ticket.snapshot else { return Vec::new() };
        let Some(cursor) = self.place(snapshot, params.position) else { return Vec::new() };
        self.ghost_texts_at(snapshot, cursor, params).await
    }

    async fn ghost_texts_at(
        &self,
        snapshot: &Snapshot,
        cursor: usize,
        params: &Params,
    ) -> Vec<Item> {
        let asked = Instant::now();
        let encoding = self.facts().encoding;
        let selected = params.context.selected_completion_info.clone();
        // With an entry of the popup selected, the text is as if it had been accepted.
        let mut text = snapshot.rope.clone();
        let (mut start, mut end, mut at) = (snapshot.line_start(cursor), cursor, cursor);
        if let Some(Selected { range, text: entry }) = selected {
            start = snapshot.to_byte(range.start.into(), encoding);
            end = snapshot.to_byte(range.end.into(), encoding).max(cursor);
            let chars = text.byte_to_char(start)..text.byte_to_char(end.max(start));
            text.remove(chars.clone());
            text.insert(chars.start, &entry);
            at = start + entry.len();
        }
        let place = Place {
            document: &params.text_document.uri,
            path: &self.name(&params.text_document.uri),
            language: &snapshot.language_id,
            text: &text,
            cursor: at,
            invoked: params.context.trigger_kind == 1,
        };
        let invoked = place.invoked;
        let completion = self.completer.complete(place, self.settings.get().style()).await;
        let begun = text.byte_slice(start..at).to_string();
        let (uri, replaced) = (&params.text_document.uri, (start..end, begun.as_str()));
        let shown = Showing { uri, snapshot, cursor, replaced, invoked, asked };
        self.shows(shown, &completion);
        let position =
            |byte| WirePosition::from(position::from_byte(&snapshot.rope, byte, encoding));
        let item = |Suggestion { text: suggested, replaces }| {
            let insert_text = format!("{begun}{}", suggested.replace('\n', snapshot.eol()));
            Item {
                filter_text: insert_text.clone(),
                insert_text,
                range: WireRange { start: position(start), end: position(end + replaces) },
                command: json!({"title": "Accepted", "command": "tandem.accept"}),
            }
        };
        completion.suggestion.into_iter().chain(completion.others).map(item).collect()
    }

    /// The cursor's byte, if completions are wanted there at all.
    pub fn place(&self, snapshot: &Snapshot, position: WirePosition) -> Option<usize> {
        if snapshot.too_large() || !self.wants(&snapshot.language_id) {
            return None;
        }
        let cursor = snapshot.to_byte(position.into(), self.facts().encoding);
        // A NUL near the cursor means that this is no text.
        let near = snapshot.slice(cursor.saturating_sub(1_000)..cursor + 1_000);
        (!near.contains('\0')).then_some(cursor)
    }
}
