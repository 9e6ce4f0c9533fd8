//! One of the people: types the traces again and again, each time in a text that nobody has seen yet.
//!
//! Each cycle has the same turns, so that its keys are the same as an hour before: a quarter of a cycle after
//! the one before him a person begins, and goes on until a little after the next one began.
//!
//! In: a number and the stage. Out: a [`Key`] for each key that was answered; troubles, of which there
//! should be none.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tandem::client::{Client, ClientError, Editor, Position, Stroke, Trigger};
use tandem::demo::player::{self, Document};
use tandem::demo::rhythm::Pace;
use tandem::demo::script::Script;
use tandem::demo::session::SessionError;

use crate::Stage;
use crate::sample::Key;

pub const PEOPLE: usize = 4;
/// A turn, as a part of a cycle: the last sixth of it beside the next person's.
const TURN: f64 = 0.3;
/// How long a request may take before it counts as never answered.
const DEADLINE: Duration = Duration::from_secs(60);

/// What each of them writes: a name, a language, how a comment begins, the marked text.
type Text = (&'static str, &'static str, &'static str, &'static str);
const TEXTS: [&[Text]; PEOPLE] = [
    &[("lru.py", "python", "#", include_str!("../replay/lru.py.txt"))],
    &[("logs.py", "python", "#", include_str!("../replay/logs.py.txt"))],
    &[
        ("orders.ts", "typescript", "//", include_str!("../replay/orders.ts.txt")),
        ("stock.ts", "typescript", "//", include_str!("../replay/stock.ts.txt")),
    ],
    &[
        ("buffer.rs", "rust", "//", include_str!("../replay/buffer.rs.txt")),
        ("engine.rs", "rust", "//", include_str!("../replay/engine.rs.txt")),
    ],
];
/// Whose editor is closed at the end of each turn.
const LEAVES: usize = 2;
/// Whose editor is killed at the end of each turn.
const IS_KILLED: usize = 3;

pub struct Person {
    number: usize,
    stage: Arc<Stage>,
    round: u32,
}

impl Person {
    pub fn new(number: usize, stage: Arc<Stage>) -> Person {
        Person { number, stage, round: 0 }
    }

    pub fn live(mut self) {
        let mut client = None;
        while self.waits() {
            let Some(at_work) = client.take().or_else(|| self.sit_down()) else { break };
            client = self.write(at_work);
            self.round += 1;
        }
        if let Some(client) = client
            && let Err(error) = client.shutdown()
        {
            self.stage.trouble(format!("a server did not leave: {error}"));
        }
    }

    fn is_over(&self) -> bool {
        self.stage.ended.load(SeqCst)
    }

    /// When this turn begins, since the beginning.
    fn turn(&self) -> Duration {
        self.stage.cycle.mul_f64(f64::from(self.round) + self.number as f64 / PEOPLE as f64)
    }

    /// Until the turn begins. Whether there is one.
    fn waits(&self) -> bool {
        while !self.is_over() {
            let left = self.turn().saturating_sub(self.stage.began.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(200)));
        }
        false
    }

    fn sit_down(&self) -> Option<Client> {
        match self.stage.house.server() {
            Ok(client) => {
                self.servers()[self.number] = Some(client.pid());
                Some(client)
            }
            Err(why) => {
                self.stage.trouble(why);
                None
            }
        }
    }

    fn servers(&self) -> std::sync::MutexGuard<'_, [Option<u32>; PEOPLE]> {
        self.stage.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Types until the turn ends. `None` when the editor was closed.
    fn write(&self, mut client: Client) -> Option<Client> {
        let end = self.turn() + self.stage.cycle.mul_f64(TURN);
        let mut has_ended = false;
        let scripts: Vec<Script> = TEXTS[self.number]
            .iter()
            .map(|(_, _, comment, marked)| {
                let (number, round) = (self.number, self.round);
                Script::parse(&format!("{comment} Person {number}, round {round}.\n{marked}"))
            })
            .collect();
        let uris: Vec<String> = TEXTS[self.number]
            .iter()
            .map(|(name, ..)| format!("file:///soak/{}/{}/{name}", self.number, self.round))
            .collect();
        let documents: Vec<Document> = scripts
            .iter()
            .zip(&uris)
            .zip(TEXTS[self.number])
            .map(|((script, uri), (_, language, ..))| Document { uri, language, script })
            .collect();
        let played = player::play(&mut client, &documents, Pace::Typing, |_, played| {
            let s = self.stage.began.elapsed().as_secs_f64();
            let key = Key { s, ms: played.ms, source: played.source };
            self.stage.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
            has_ended = self.is_over() || self.stage.began.elapsed() >= end;
            if has_ended { Err(std::io::Error::other("the turn is over").into()) } else { Ok(()) }
        });
        if self.is_over() {
            return Some(client);
        }
        let played = if has_ended { Ok(()) } else { played };
        let done = played.and_then(|()| self.ask(&mut client).map_err(SessionError::from));
        if let Err(error) = done {
            self.stage.trouble(format!("person {}: {error}", self.number));
            self.servers()[self.number] = None;
            return None;
        }
        self.leave(client)
    }

    /// Asks for suggestions in a file of its own, cancels a request, closes the file.
    fn ask(&self, client: &mut Client) -> Result<(), ClientError> {
        let (name, language, ..) = TEXTS[self.number][0];
        let uri = format!("file:///soak/asked/{}/{name}", self.number);
        let text = "fn first() {}\n\nfn second(value: u32) -> u32 {\n    \n}\n";
        let mut editor = Editor::open(client, &uri, language, text);
        editor.press(client, &Stroke::Jump(text.find("    \n").unwrap_or(0) + 4));
        let position = Position { line: 3, character: 4 };
        client.inline(&uri, position, Trigger::Invoked)?;
        editor.press(client, &Stroke::Type('v'));
        let cancelled = editor.ask(client);
        client.cancel(cancelled);
        match client.finish_inline_within(cancelled, DEADLINE) {
            Ok(_) | Err(ClientError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        editor.close(client);
        Ok(())
    }

    /// Whether the editor stays open.
    fn leave(&self, client: Client) -> Option<Client> {
        match self.number {
            LEAVES => {
                self.servers()[self.number] = None;
                match client.shutdown() {
                    Ok(Some(0)) => {}
                    other => self.stage.trouble(format!("a server left with {other:?}")),
                }
                None
            }
            IS_KILLED => {
                self.servers()[self.number] = None;
                // Its server is killed when it is dropped.
                drop(client);
                None
            }
            _ => Some(client),
        }
    }
}
