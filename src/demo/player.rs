//! Plays scripts through a running server, key by key, and says what each key cost.
//!
//! In: a client and [`Document`]s. Out: one [`Played`] for each key that is answered, as it happens.
//! What the model did comes from the server's own counters, read between keys.

use std::time::{Duration, Instant};

use super::rhythm::{LOOKING, Pace, Rhythm};
use super::script::{self, Script, Typist};
use super::session::{self, Kind, Played, SessionError};
use crate::client::{Buffer, Client, ClientError, Editor, Item, PATIENCE, Stroke};
use crate::completer::Source;
use crate::figures::Summary;

/// So near to a place where something was typed, a place is no new one. Lines.
const NEAR: u32 = 12;

/// A file to type in.
#[derive(Clone, Copy)]
pub struct Document<'s> {
    /// The name that the server knows it by.
    pub uri: &'s str,
    /// As in `textDocument.languageId`.
    pub language: &'s str,
    /// What is typed.
    pub script: &'s Script,
}

/// Plays the passages of all documents in their turn; each document is opened when its first turn
/// comes, and closed at the end, also where an error ends it. `show` sees the text after each key that was
/// answered; the gap to the next key begins when it returns.
///
/// # Errors
/// Any, also those of `show`.
pub fn play(
    client: &mut Client,
    documents: &[Document<'_>],
    pace: Pace,
    mut show: impl FnMut(&Buffer, &Played) -> Result<(), SessionError>,
) -> Result<(), SessionError> {
    let before = session::counters(client)?;
    let seats = documents.iter().map(|_| Seat::default()).collect();
    let mut player = Player {
        client,
        seats,
        current: 0,
        pace,
        rhythm: Rhythm::new(pace),
        since: Instant::now(),
        before,
        after_accept: false,
        superseded: Vec::new(),
    };
    let played = script::turns(documents.iter().map(|document| document.script))
        .into_iter()
        .try_for_each(|(number, passage)| {
            player.passage(number, &documents[number], passage, &mut show)
        })
        .and_then(|()| player.drain().map(drop));
    let Player { client, seats, .. } = player;
    seats.into_iter().filter_map(|seat| seat.editor).for_each(|editor| editor.close(client));
    played
}

/// A document as far as it is typed.
#[derive(Default)]
struct Seat {
    /// None until its first turn.
    editor: Option<Editor>,
    /// The passages that stand there already.
    typed: Vec<usize>,
}

struct Player<'c> {
    client: &'c mut Client,
    seats: Vec<Seat>,
    /// The document that the last key went to.
    current: usize,
    pace: Pace,
    rhythm: Rhythm,
    /// The next gap begins here.
    since: Instant,
    /// The counters after the last key that was answered.
    before: Summary,
    /// The last key took a suggestion.
    after_accept: bool,
    /// Requests that were not waited for.
    superseded: Vec<i64>,
}

impl Player<'_> {
    /// Goes to a passage and types it.
    fn passage(
        &mut self,
        number: usize,
        document: &Document<'_>,
        passage: usize,
        show: &mut impl FnMut(&Buffer, &Played) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        let script = document.script;
        let seat = &mut self.seats[number];
        let at = script.place(passage, &seat.typed);
        let (kind, mut editor) = match seat.editor.take() {
            None => (Kind::Open, None),
            Some(editor) if self.current != number => (Kind::Switch, Some(editor)),
            Some(editor) => (arrival(script, &seat.typed, editor.buffer(), at), Some(editor)),
        };
        seat.typed.push(passage);
        self.current = number;
        let typed = self.strokes(&mut editor, document, (at, passage), kind, show);
        self.seats[number].editor = editor;
        typed
    }

    /// Types a passage, which begins at byte `at`.
    fn strokes(
        &mut self,
        editor: &mut Option<Editor>,
        document: &Document<'_>,
        (at, passage): (usize, usize),
        kind: Kind,
        show: &mut impl FnMut(&Buffer, &Played) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        let script = document.script;
        let mut typist = Typist::new(&script.passages[passage]);
        let (mut next, mut kind) = (Some(Stroke::Jump(at)), Some(kind));
        while let Some(stroke) = next {
            self.rest(&stroke);
            let started = Instant::now();
            let editor = editor.get_or_insert_with(|| {
                Editor::open(self.client, document.uri, document.language, &script.start)
            });
            let kind = kind.take().unwrap_or(Kind::of(&stroke));
            let press = self.press(editor, &stroke, kind, started);
            let typed = |buffer: &Buffer| buffer.text()[at..buffer.cursor()].to_owned();
            let patience = self.patience(kind, &typist, &typed(editor.buffer()));
            let item = match self.answer(editor, press, patience)? {
                Some((played, item)) => {
                    show(editor.buffer(), &played)?;
                    item
                }
                None => None,
            };
            self.since = if self.pace == Pace::Typing { started } else { Instant::now() };
            let buffer = editor.buffer();
            let shown = item.as_ref().and_then(|item| Some((item, buffer.ghost(item)?)));
            next = typist.next(&typed(buffer), shown);
        }
        Ok(())
    }

    /// Waits until it is time for a key.
    fn rest(&mut self, stroke: &Stroke) {
        let due = self.since + self.rhythm.gap(stroke);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    /// Presses a key and asks.
    fn press(&mut self, editor: &mut Editor, stroke: &Stroke, kind: Kind, at: Instant) -> Press {
        let key = Played::name(stroke, editor.buffer());
        let length = editor.buffer().text().chars().count();
        editor.press(self.client, stroke);
        let id = editor.ask(self.client);
        let inserted = editor.buffer().text().chars().count().saturating_sub(length);
        let after_accept = std::mem::replace(&mut self.after_accept, kind.takes());
        Press { id, kind, key, inserted, after_accept, at }
    }

    /// How long to wait for the answer to a key, before the next comes.
    fn patience(&mut self, kind: Kind, typist: &Typist<'_>, typed: &str) -> Duration {
        match self.pace {
            Pace::AtOnce | Pace::Waiting => PATIENCE,
            Pace::Bursts(length) => {
                let within = kind == Kind::Character && self.superseded.len() + 1 < length;
                if within { Duration::ZERO } else { PATIENCE }
            }
            Pace::Typing => {
                // Whoever is not shown anything goes on with the key that he has in mind.
                let next = typist.clone().next(typed, None).unwrap_or(Stroke::Jump(0));
                let gap = self.rhythm.clone().gap(&next);
                if typist.looks(typed) { gap.max(LOOKING) } else { gap }
            }
        }
    }

    /// Waits for a key's suggestion and finds out what it cost; `None` when it is superseded.
    fn answer(
        &mut self,
        editor: &Editor,
        press: Press,
        patience: Duration,
    ) -> Result<Option<(Played, Option<Item>)>, SessionError> {
        let Press { id, kind, key, inserted, after_accept, at } = press;
        let item = match self.client.finish_inline_within(id, patience) {
            Err(ClientError::Deadline { .. }) if patience < PATIENCE => {
                self.superseded.push(id);
                return Ok(None);
            }
            item => item?,
        };
        let ms = at.elapsed().as_secs_f64() * 1e3;

        let superseded = self.drain()?;
        let after = session::counters(self.client)?;
        let before = std::mem::replace(&mut self.before, after);
        let after = &self.before;
        let evaluated = after.tokens_evaluated - before.tokens_evaluated;
        let generated = after.tokens_generated - before.tokens_generated;
        let source = if after.answered_without_model > before.answered_without_model {
            Source::Cache
        } else if evaluated + generated > 0 {
            Source::Model
        } else {
            Source::Nothing
        };
        let ghost = item.as_ref().and_then(|item| editor.buffer().ghost(item)).map(str::to_owned);
        let played = Played {
            kind,
            after_accept,
            key,
            ms,
            source,
            evaluated,
            generated,
            ghost,
            inserted,
            superseded,
        };
        Ok(Some((played, item)))
    }

    /// Takes the answers to superseded requests, which are there already or come at once.
    fn drain(&mut self) -> Result<usize, SessionError> {
        let superseded = std::mem::take(&mut self.superseded);
        for id in &superseded {
            self.client.finish_inline(*id)?;
        }
        Ok(superseded.len())
    }
}

/// A key that was pressed.
struct Press {
    id: i64,
    kind: Kind,
    key: String,
    inserted: usize,
    after_accept: bool,
    at: Instant,
}

/// What kind of jump within a file leads to a place.
fn arrival(script: &Script, typed: &[usize], buffer: &Buffer, at: usize) -> Kind {
    let line = |byte| buffer.position_of(byte).line;
    let near = typed.iter().any(|&passage| {
        let from = script.place(passage, typed);
        let to = from + script.passages[passage].target.len();
        line(from) <= line(at) + NEAR && line(at) <= line(to) + NEAR
    });
    if near { Kind::Back } else { Kind::Jump }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_near_what_was_typed_is_come_back_to() {
        let gap = "\n".repeat(40);
        let script = Script::parse(&format!("«1:one»{gap}«2:two»\n\n«3:three»«4:four»"));
        let mut buffer = Buffer::new(&script.start);
        buffer.press(&Stroke::Paste("one".into()));
        assert_eq!(arrival(&script, &[0], &buffer, script.place(0, &[0])), Kind::Back);
        assert_eq!(arrival(&script, &[0], &buffer, script.place(1, &[0])), Kind::Jump);
        assert_eq!(arrival(&script, &[0], &buffer, script.place(2, &[0])), Kind::Jump);
        buffer.press(&Stroke::Jump(script.place(1, &[0])));
        buffer.press(&Stroke::Paste("two".into()));
        assert_eq!(arrival(&script, &[0, 1], &buffer, script.place(2, &[0, 1])), Kind::Back);
    }
}
