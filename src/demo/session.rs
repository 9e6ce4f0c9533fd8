//! What a session of typing is made of: kinds of keys, what each cost, the engine to play on.
//!
//! In: a client. Out: the server's own counters, read by `tandem.status`, and an engine that is
//! ready. Playing is in `player`. Refuses: to guess; a figure that the server does not give is an
//! error.

use std::time::{Duration, Instant};

use crate::client::{Buffer, Client, ClientError, Notification, Stroke};
use crate::completer::Source;
use crate::engine::{About, State};
use crate::figures::Summary;

/// How often to ask whether the model is loaded.
const LOOK: Duration = Duration::from_millis(20);

/// What kind of key it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A file was opened, the cursor put somewhere in it.
    Open,
    /// The cursor went to a new place in the file.
    Jump,
    /// It came back to where something was typed before.
    Back,
    /// It came back to another file that is open.
    Switch,
    /// A character or an indentation.
    Character,
    /// A new line.
    Newline,
    /// Something typed was taken back.
    Backspace,
    /// A suggestion was taken as a whole.
    Accept,
    /// Its first lines, or its first word, were taken.
    AcceptPart,
    /// A text came from elsewhere.
    Paste,
    /// The last step was undone.
    Undo,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::Open,
        Kind::Jump,
        Kind::Back,
        Kind::Switch,
        Kind::Character,
        Kind::Newline,
        Kind::Backspace,
        Kind::Accept,
        Kind::AcceptPart,
        Kind::Paste,
        Kind::Undo,
    ];

    /// Of a key; each jump is one to a new place, for all that a key can know.
    pub fn of(stroke: &Stroke) -> Kind {
        match stroke {
            Stroke::Type(_) | Stroke::Tab => Kind::Character,
            Stroke::Newline => Kind::Newline,
            Stroke::Backspace | Stroke::Delete => Kind::Backspace,
            Stroke::Accept(_) => Kind::Accept,
            Stroke::AcceptPart(_) => Kind::AcceptPart,
            Stroke::Paste(_) => Kind::Paste,
            Stroke::Undo => Kind::Undo,
            Stroke::Jump(_) => Kind::Jump,
        }
    }

    /// Does it put a suggestion, or part of one, into the text?
    pub fn takes(self) -> bool {
        matches!(self, Kind::Accept | Kind::AcceptPart)
    }

    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Open => "open",
            Kind::Jump => "jump",
            Kind::Back => "jump back",
            Kind::Switch => "switch file",
            Kind::Character => "character",
            Kind::Newline => "newline",
            Kind::Backspace => "backspace",
            Kind::Accept => "accept",
            Kind::AcceptPart => "partial accept",
            Kind::Paste => "paste",
            Kind::Undo => "undo",
        }
    }
}

/// What a key did and cost. Superseded keys have no `Played` of their own: their tokens count for
/// the next key that is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// What it was.
    pub kind: Kind,
    /// The key before it took a suggestion.
    pub after_accept: bool,
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

impl Played {
    /// A key, for a person.
    pub fn name(stroke: &Stroke, buffer: &Buffer) -> String {
        match stroke {
            Stroke::Type(' ') => "space".into(),
            Stroke::Type(c) => c.to_string(),
            Stroke::Tab => "tab".into(),
            Stroke::Newline => "enter".into(),
            Stroke::Backspace => "backspace".into(),
            Stroke::Delete => "delete".into(),
            Stroke::Accept(_) => "accept".into(),
            Stroke::AcceptPart(_) => "accept part".into(),
            Stroke::Paste(_) => "paste".into(),
            Stroke::Undo => "undo".into(),
            Stroke::Jump(byte) => format!("to line {}", buffer.position_of(*byte).line + 1),
        }
    }
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
