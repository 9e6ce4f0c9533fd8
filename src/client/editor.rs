//! One document open in a server, as a small editor has it.
//!
//! In: strokes. Out: the changed text here and, by `didChange`, there; suggestions at the cursor.
//! The two texts never differ, since both apply the same [`Edit`](super::Edit)s.

use super::{Buffer, Client, ClientError, Item, Stroke, Trigger};

/// An open document. It borrows nothing; each call is given the client.
#[derive(Clone, Debug)]
pub struct Editor {
    uri: String,
    version: i32,
    buffer: Buffer,
}

impl Editor {
    /// Opens a document, with the cursor at its start.
    pub fn open(client: &mut Client, uri: &str, language: &str, text: &str) -> Editor {
        client.open(uri, language, text);
        Editor { uri: uri.to_owned(), version: 1, buffer: Buffer::new(text) }
    }

    /// The text and the cursor.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Does what a key does, and tells the server. What an accepted suggestion wants executed is
    /// executed; like an editor this does not wait for it.
    pub fn press(&mut self, client: &mut Client, stroke: &Stroke) {
        if let Some(edit) = self.buffer.press(stroke) {
            self.version += 1;
            client.change(&self.uri, self.version, &edit);
        }
        if let Stroke::Accept(Item { command: Some(command), .. }) = stroke {
            client.start_execute(&command.command, command.arguments.clone());
        }
    }

    /// Asks for a suggestion at the cursor, without waiting.
    pub fn ask(&self, client: &mut Client) -> i64 {
        client.start_inline(&self.uri, self.buffer.position(), Trigger::Automatic)
    }

    /// Asks for a suggestion at the cursor and waits for it.
    ///
    /// # Errors
    /// As for [`Client::inline`].
    pub fn suggestion(&self, client: &mut Client) -> Result<Option<Item>, ClientError> {
        let id = self.ask(client);
        client.finish_inline(id)
    }

    /// Closes the document.
    pub fn close(self, client: &mut Client) {
        client.close(&self.uri);
    }
}
