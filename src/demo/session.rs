//! Plays a script through a running server, key by key, and says what each key cost.
//!
//! In: a client, a document's name and language, a [`Script`]. Out: one [`Played`] a key, as it
//! happens. What the model did comes from the server's own counters, read by `tandem.status`
//! between keys. Refuses: to guess; a figure that the server does not give is an error.

use std::time::{Duration, Instant};

use super::script::{Script, Typist};
use crate::client::{Buffer, Client, ClientError, Editor, Item, Notification, Stroke};
use crate::completer::Source;
use crate::engine::{About, State};
use crate::figures::Summary;

/// How often to ask whether the model is loaded.
const LOOK: Duration = Duration::from_millis(100);

/// What kind of key it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The cursor went elsewhere; the first one in a file is its opening.
    Jump,
    /// A character or an indentation.
    Character,
    /// A new line.
    Newline,
    /// Something typed was taken back.
    Backspace,
    /// A suggestion, or its first lines, was taken.
    Accept,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] =
        [Kind::Jump, Kind::Character, Kind::Newline, Kind::Backspace, Kind::Accept];

    fn of(stroke: &Stroke) -> Kind {
        match stroke {
            Stroke::Type(_) | Stroke::Tab => Kind::Character,
            Stroke::Newline => Kind::Newline,
            Stroke::Backspace | Stroke::Delete => Kind::Backspace,
            Stroke::Accept(_) | Stroke::AcceptPart(_) => Kind::Accept,
            Stroke::Jump(_) => Kind::Jump,
        }
    }

    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Jump => "jump",
            Kind::Character => "character",
            Kind::Newline => "newline",
            Kind::Backspace => "backspace",
            Kind::Accept => "accept",
        }
    }
}

/// Whether each key waits for its suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Every key.
    Waiting,
    /// One key in this many; the others are superseded at once by the next.
    Bursts(usize),
}

/// What a key did and cost. In a burst the superseded keys have no `Played` of their own: their
/// tokens count for the key that ends the burst.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// What it was.
    pub kind: Kind,
    /// The key, for a person.
    pub key: String,
    /// From the key to its suggestion (or to the answer that there is none), ms.
    pub ms: f64,
    /// Where the answer came from. `Nothing` when it was not typed along and still cost no token:
    /// nothing was asked of the model, or all of its answer was in the KV cache.
    pub source: Source,
    /// Tokens of prompt that the model evaluated.
    pub evaluated: u64,
    /// Tokens that it generated.
    pub generated: u64,
    /// The ghost text.
    pub ghost: Option<String>,
    /// Characters that the key put into the text.
    pub inserted: usize,
    /// Keys before it that were superseded.
    pub superseded: usize,
}

/// Why a session ends early.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server did not answer as it should.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What is shown could not be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
    /// `tandem.status` is not what this program knows.
    #[error("the answer to tandem.status makes no sense: {0}")]
    Status(#[from] serde_json::Error),
    /// The engine cannot work; mostly there is no model. The sentence says what to do.
    #[error("{0}")]
    NoEngine(String),
    /// The model did not load in time.
    #[error("the model did not load within {} s; `tandem doctor` may say why", .0.as_secs())]
    TooSlow(Duration),
}

/// The server's counters.
///
/// # Errors
/// Any.
pub fn counters(client: &mut Client) -> Result<Summary, SessionError> {
    Ok(serde_json::from_value(client.execute("tandem.status", Vec::new())?)?)
}

/// Wakes the engine and waits until it is ready: the model's name. `tell` hears what the server
/// says meanwhile, for example how far it is.
///
/// # Errors
/// [`SessionError::NoEngine`], [`SessionError::TooSlow`], and any.
pub fn wake(
    client: &mut Client,
    patience: Duration,
    mut tell: impl FnMut(&Notification) -> std::io::Result<()>,
) -> Result<About, SessionError> {
    // Any document wakes it; this one is empty and closed again.
    client.open("file:///tandem-demo/empty", "plaintext", "");
    client.close("file:///tandem-demo/empty");
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        while let Some(said) = client.notification(LOOK) {
            tell(&said)?;
        }
        let mut engine = client.execute("tandem.status", Vec::new())?["engine"].take();
        match serde_json::from_value(engine.clone())? {
            State::Ready(about) => return Ok(about),
            State::Failed { .. } => {
                let message = engine["message"].take();
                let message = message.as_str().unwrap_or("`tandem doctor` may say why");
                return Err(SessionError::NoEngine(message.to_owned()));
            }
            _ => {}
        }
    }
    Err(SessionError::TooSlow(patience))
}

/// Plays a script in a document of its own and closes it. `show` sees the text after each key.
///
/// # Errors
/// Any, also those of `show`.
pub fn play(
    client: &mut Client,
    document: (&str, &str),
    script: &Script,
    pace: Pace,
    mut show: impl FnMut(&Buffer, &Played) -> Result<(), SessionError>,
) -> Result<(), SessionError> {
    let (uri, language) = document;
    let before = counters(client)?;
    let editor = Editor::open(client, uri, language, &script.start);
    let mut player = Player { client, editor, pace, before, superseded: Vec::new() };
    for passage in &script.passages {
        let mut typist = Typist::new(passage);
        let mut next = Some(Stroke::Jump(passage.at));
        while let Some(stroke) = next {
            let item = match player.supersede(&stroke) {
                true => None,
                false => {
                    let (played, item) = player.press(&stroke)?;
                    show(player.editor.buffer(), &played)?;
                    item
                }
            };
            let buffer = player.editor.buffer();
            let shown = item.as_ref().and_then(|item| Some((item, buffer.ghost(item)?)));
            next = typist.next(&buffer.text()[passage.at..buffer.cursor()], shown);
        }
    }
    player.drain()?;
    let Player { client, editor, .. } = player;
    editor.close(client);
    Ok(())
}

struct Player<'c> {
    client: &'c mut Client,
    editor: Editor,
    pace: Pace,
    /// The counters after the last key.
    before: Summary,
    /// Requests that were not waited for.
    superseded: Vec<i64>,
}

impl Player<'_> {
    /// In a burst, presses the key, asks, and does not wait. Only characters come in bursts.
    fn supersede(&mut self, stroke: &Stroke) -> bool {
        let Pace::Bursts(length) = self.pace else { return false };
        if Kind::of(stroke) != Kind::Character || self.superseded.len() + 1 >= length {
            return false;
        }
        self.editor.press(self.client, stroke);
        self.superseded.push(self.editor.ask(self.client));
        true
    }

    /// Presses the key, waits for its suggestion, and finds out what it cost.
    fn press(&mut self, stroke: &Stroke) -> Result<(Played, Option<Item>), SessionError> {
        let key = name(stroke, self.editor.buffer());
        let length = self.editor.buffer().text().chars().count();
        let started = Instant::now();
        self.editor.press(self.client, stroke);
        let item = self.editor.suggestion(self.client)?;
        let ms = started.elapsed().as_secs_f64() * 1e3;

        let superseded = self.drain()?;
        let after = counters(self.client)?;
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
        let buffer = self.editor.buffer();
        let played = Played {
            kind: Kind::of(stroke),
            key,
            ms,
            source,
            evaluated,
            generated,
            ghost: item.as_ref().and_then(|item| buffer.ghost(item)).map(str::to_owned),
            inserted: buffer.text().chars().count().saturating_sub(length),
            superseded,
        };
        Ok((played, item))
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

fn name(stroke: &Stroke, buffer: &Buffer) -> String {
    match stroke {
        Stroke::Type(' ') => "space".into(),
        Stroke::Type(c) => c.to_string(),
        Stroke::Tab => "tab".into(),
        Stroke::Newline => "enter".into(),
        Stroke::Backspace => "backspace".into(),
        Stroke::Delete => "delete".into(),
        Stroke::Accept(_) => "accept".into(),
        Stroke::AcceptPart(_) => "accept lines".into(),
        Stroke::Jump(byte) => format!("to line {}", buffer.position_of(*byte).line + 1),
    }
}
