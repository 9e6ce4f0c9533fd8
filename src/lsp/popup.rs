//! `textDocument/completion`, for editors without ghost text (Helix): a suggestion as an entry of the
//! menu, with the line as it would be as its preview; several entries when a person asked.
//!
//! In: a request, with the text of its moment. Out: a list, or `null` for a request that something newer
//! has replaced. Refuses: to let go of a request because its word is being typed on. Editors of this kind
//! do not ask again while one of their requests is open, and hold their own late answers to be good for
//! the word as it has grown, so that the answer here is found for the text as it is now, and told in
//! the positions of the text that the request was about.

mod entry;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use self::entry::{Entry, Line};
use super::fates::Showing;
use super::session::{NamedDocument, Session, Ticket, WirePosition, WireRange};
use crate::completer::{Place, Source};
use crate::document::{Snapshot, position};

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
    context: Context,
    #[serde(default)]
    pub tandem_ticket: u64,
}

/// Why the client asks. A person who asked and a word that is being typed are both "invoked" in the
/// protocol.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    trigger_kind: u32,
}

/// `CompletionTriggerKind`: by hand, by typing a word, or by a program.
const INVOKED: u32 = 1;
/// `CompletionTriggerKind`: a list that was incomplete is asked for again, with the next key.
const INCOMPLETE: u32 = 3;

/// How long Helix hears nothing of it that there is no suggestion. It shows the first list that it gets,
/// waits 0.1 s for the others', and forgets those of slower servers when it had nothing to show by then.
/// A list that is empty and complete is no first one, but is not asked for again while the menu of
/// another server stays open; so it gets an incomplete one when the others have had their turn
/// (`request_completions` in helix-term/src/handlers/completion/request.rs, 25.07).
const OTHERS: Duration = Duration::from_millis(300);

/// Where a menu was last asked for, other than with the next key of an open one.
#[derive(Default)]
pub struct LastAsked(Mutex<Last>);

#[derive(Default)]
struct Last {
    uri: String,
    version: i32,
    cursor: usize,
    /// By a person.
    invoked: bool,
}

impl LastAsked {
    /// Whether it is a person who asks, here or for the menu that this goes on with. Helix asks in the
    /// same way for a key and for Ctrl-x, but for a key only behind a word, and once.
    fn by_a_person(&self, kind: u32, uri: &str, text: &Snapshot, cursor: usize) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kind == INCOMPLETE {
            return last.invoked && last.uri == uri;
        }
        let again = last.uri == uri && last.version == text.version && last.cursor == cursor;
        let in_word = !entry::word(&before(text, cursor)).is_empty();
        let invoked = kind == INVOKED && (again || !in_word);
        *last = Last { uri: uri.to_owned(), version: text.version, cursor, invoked };
        invoked
    }
}

/// What a request is about.
struct Asked<'a> {
    uri: &'a str,
    /// The text that its positions count in.
    text: Snapshot,
    /// The cursor's byte in it.
    cursor: usize,
    invoked: bool,
    /// Several entries are wanted. Typed on, it is the one that was meant.
    several: bool,
    at: Instant,
}

impl Session {
    /// The menu's entries for a request; `None` when something newer came, or when what was typed since
    /// makes the answer useless.
    pub async fn menu(&self, mut ticket: Ticket, params: &Params) -> Option<Value> {
        let nothing = json!({"isIncomplete": false, "items": []});
        let Some(text) = ticket.snapshot.clone() else { return Some(nothing) };
        let Some(cursor) = self.place(&text, params.position) else { return Some(nothing) };
        let uri = &params.text_document.uri;
        let kind = params.context.trigger_kind;
        let invoked = self.menu_asked.by_a_person(kind, uri, &text, cursor);
        let several = invoked && kind != INCOMPLETE;
        let asked = Asked { uri, text, cursor, invoked, several, at: Instant::now() };
        let mut typed = String::new();
        loop {
            let now = ticket.snapshot.as_ref()?;
            let list = tokio::select! {
                biased;
                () = ticket.superseded.cancelled() => None,
                list = async {
                    let (items, source) = self.entries(&asked, now, &typed).await;
                    let again = kind == INCOMPLETE || source != Source::Nothing;
                    if again && items.is_empty() && kind != INCOMPLETE && self.facts().is_helix() {
                        tokio::time::sleep_until((asked.at + OTHERS).into()).await;
                    }
                    json!({"isIncomplete": again, "items": items})
                } => Some(list),
            };
            if list.is_some() {
                return list;
            }
            ticket = self.ticket_again(uri, &ticket)?;
            typed = typed_since(&asked, ticket.snapshot.as_ref()?)?;
        }
    }

    /// The entries for a request, in the text as it is `now`, which has this much more of the word.
    async fn entries(
        &self,
        asked: &Asked<'_>,
        now: &Snapshot,
        typed: &str,
    ) -> (Vec<Value>, Source) {
        let &Asked { uri, ref text, cursor, invoked, several, at } = asked;
        let cursor_now = cursor + typed.len();
        let place = Place {
            document: uri,
            path: &self.name(uri),
            language: &now.language_id,
            text: &now.rope,
            cursor: cursor_now,
            invoked,
        };
        let mut style = self.settings.get().style();
        if !several {
            style.candidates = 1;
        }
        let completion = self.completer.complete(place, style).await;
        let before_now = before(now, cursor_now);
        let word = entry::word(&before_now);
        let shown = Showing {
            uri,
            snapshot: now,
            cursor: cursor_now,
            replaced: (cursor_now - word.len()..cursor_now, word),
            invoked,
            asked: at,
        };
        self.shows(shown, &completion);
        let encoding = self.facts().encoding;
        let position = |byte| WirePosition::from(position::from_byte(&text.rope, byte, encoding));
        let start = position(cursor + typed.len() - word.len());
        let behind = text.slice(cursor..text.line_end(cursor));
        let line = Line { before: &before_now, behind: &behind, language: &text.language_id };
        let suggestions = completion.suggestion.into_iter().chain(completion.others);
        let item = |(number, suggestion)| {
            let entry = Entry::new(&line, &suggestion);
            let range = WireRange { start, end: position(cursor + suggestion.replaces) };
            json!({
                "label": entry.label,
                // Text. What is said to be a snippet (15) Helix reads as one, whatever the text's
                // format: `$` and `\` mean something then, and lines are indented once more.
                "kind": 1,
                "detail": "tandem",
                "documentation": {"kind": "markdown", "value": entry.preview},
                "filterText": entry.filter,
                "sortText": format!("{}{number}", if entry.goes_on_in_word { "!" } else { "~" }),
                "insertTextFormat": 1,
                // As is: the text carries its own indentation.
                "insertTextMode": 1,
                "textEdit": {"range": range, "newText": entry.text.replace('\n', text.eol())},
                "command": {"title": "Accepted", "command": "tandem.accept"},
            })
        };
        (suggestions.enumerate().map(item).collect(), completion.source)
    }
}

/// The cursor's line up to the cursor.
fn before(text: &Snapshot, cursor: usize) -> String {
    text.slice(text.line_start(cursor)..cursor)
}

/// What was typed at the cursor since; `None` when more than that word has changed.
fn typed_since(asked: &Asked<'_>, now: &Snapshot) -> Option<String> {
    let (old, cursor) = (&asked.text.rope, asked.cursor);
    let new = &now.rope;
    let typed = cursor..cursor + new.len_bytes().checked_sub(old.len_bytes())?;
    let same = old.byte_slice(..cursor) == new.get_byte_slice(..typed.start)?
        && old.byte_slice(cursor..) == new.get_byte_slice(typed.end..)?;
    let typed = new.get_byte_slice(typed)?.to_string();
    (same && typed.chars().all(entry::is_in_word)).then_some(typed)
}
