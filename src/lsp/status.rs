//! `tandem/status`, for clients with a place that shows how the server is (`experimental.tandemStatus`).
//!
//! In: the engine's state, and what the session notes here. Out: a notification whenever what a person
//! would see has changed. Runs in a task of its own, never in a handler.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tower_lsp::Client;
use tower_lsp::lsp_types::notification::Notification;

use super::session::Session;
use crate::engine::State;
use crate::wanted;

/// A suggestion that comes sooner is not announced: an icon that changes with every key is a nuisance.
const NOTICEABLE: Duration = Duration::from_millis(100);

/// What the session notes for its status.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signals {
    /// Suggestions that somebody waits for.
    waiting: u32,
    /// Percent of a model that is being downloaded.
    downloading: Option<u32>,
    /// Settings changed, or completions were switched.
    changes: u32,
}

/// Where a session notes them.
pub struct Board(watch::Sender<Signals>);

impl Default for Board {
    fn default() -> Self {
        Board(watch::Sender::new(Signals::default()))
    }
}

/// Somebody waits for a suggestion until this is dropped.
pub struct Waiting<'a>(&'a Board);

impl Board {
    pub fn wait(&self) -> Waiting<'_> {
        self.0.send_modify(|signals| signals.waiting += 1);
        Waiting(self)
    }

    /// So much of a model is here, in percent; `None` when nothing is downloaded any more.
    pub fn downloading(&self, percent: Option<u32>) {
        self.0.send_if_modified(|signals| {
            let changed = signals.downloading != percent;
            signals.downloading = percent;
            changed
        });
    }

    pub fn changed(&self) {
        self.0.send_modify(|signals| signals.changes = signals.changes.wrapping_add(1));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|signals| signals.waiting = signals.waiting.saturating_sub(1));
    }
}

/// What a status bar can show, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// No engine runs; the next key starts one.
    Asleep,
    Starting,
    Loading,
    Ready,
    Working,
    Downloading,
    NoModel,
    Failed,
    Off,
}

/// The notification's parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    state: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<u32>,
    /// What is wrong and what to do, for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The model file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    disabled_languages: Vec<String>,
}

/// What is known when a status is made.
struct Known {
    signals: Signals,
    engine: State,
    /// Why there is no model, if there is none.
    no_model: Option<String>,
    enabled: bool,
    disabled_languages: Vec<String>,
}

impl Known {
    fn of(session: &Session, signals: Signals, engine: State) -> Known {
        let stuck = matches!(engine, State::Asleep | State::Failed { .. });
        Known {
            signals,
            engine,
            // A look at the disk, only while there is no engine to prove it.
            no_model: if stuck { no_model(session) } else { None },
            enabled: session.is_enabled(),
            disabled_languages: session.settings.get().disabled_languages.clone(),
        }
    }

    /// What matters most to a person comes first.
    fn status(self) -> Status {
        let plain = |state| (state, None, None, None);
        let (state, percent, message, model) = match (self.signals.downloading, self.engine) {
            (Some(percent), _) => (Word::Downloading, Some(percent.min(100)), None, None),
            _ if !self.enabled => plain(Word::Off),
            (_, State::Starting) => plain(Word::Starting),
            (_, State::Loading { fraction }) => {
                (Word::Loading, Some((fraction * 100.0).clamp(0.0, 100.0) as u32), None, None)
            }
            (_, State::Ready(about)) => {
                let working = self.signals.waiting > 0;
                let word = if working { Word::Working } else { Word::Ready };
                (word, None, None, Some(about.model))
            }
            (_, _) if self.no_model.is_some() => (Word::NoModel, None, self.no_model, None),
            (_, State::Failed { message }) => (Word::Failed, None, Some(message), None),
            (_, State::Asleep) => plain(Word::Asleep),
        };
        Status { state, percent, message, model, disabled_languages: self.disabled_languages }
    }
}

/// Why no model can be run: none is installed, or the one that the settings name is not.
pub fn no_model(session: &Session) -> Option<String> {
    wanted::options(&session.settings.get(), session.store.as_ref()?).err()
}

/// `tandem/status`.
enum Told {}

impl Notification for Told {
    type Params = Status;
    const METHOD: &'static str = "tandem/status";
}

/// Tells the client of every change for as long as the session lives.
pub async fn follow(client: Client, session: Arc<Session>) {
    let mut engine = session.completer.engine().state();
    let mut signals = session.board.0.subscribe();
    let mut last = None;
    loop {
        let noted = *signals.borrow_and_update();
        let state = engine.borrow_and_update().clone();
        let status = Known::of(&session, noted, state).status();
        if last.as_ref() != Some(&status) {
            if status.state == Word::Working && soon_done(signals.clone()).await {
                continue;
            }
            client.send_notification::<Told>(status.clone()).await;
            last = Some(status);
        }
        tokio::select! {
            // An engine that cannot be says so once, and no more.
            Ok(()) = engine.changed() => {}
            changed = signals.changed() => if changed.is_err() { return },
        }
    }
}

/// Whether nobody waits any more before it would be worth a word. On a receiver of its own, so that what
/// changes meanwhile is not taken for seen.
async fn soon_done(mut signals: watch::Receiver<Signals>) -> bool {
    let done = signals.wait_for(|signals| signals.waiting == 0);
    matches!(tokio::time::timeout(NOTICEABLE, done).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::About;

    fn told(change: impl FnOnce(&mut Known)) -> serde_json::Value {
        let mut known = Known {
            signals: Signals::default(),
            engine: State::Ready(About { model: "m.gguf".into(), ..About::default() }),
            no_model: None,
            enabled: true,
            disabled_languages: Vec::new(),
        };
        change(&mut known);
        serde_json::to_value(known.status()).expect("plain data")
    }

    #[test]
    fn the_first_thing_that_a_person_must_know_is_said() {
        assert_eq!(told(|_| {})["state"], "ready");
        assert_eq!(told(|_| {})["model"], "m.gguf");
        assert_eq!(told(|k| k.signals.waiting = 1)["state"], "working");
        assert_eq!(told(|k| k.engine = State::Asleep)["state"], "asleep");
        let loading = told(|k| k.engine = State::Loading { fraction: 0.425 });
        assert_eq!((&loading["state"], &loading["percent"]), (&"loading".into(), &42.into()));
        let failed = told(|k| k.engine = State::Failed { message: "Why.".into() });
        assert_eq!((&failed["state"], &failed["message"]), (&"failed".into(), &"Why.".into()));
        let missing = told(|k| {
            k.engine = State::Failed { message: "Why.".into() };
            k.no_model = Some("Get one.".into());
        });
        assert_eq!(
            (&missing["state"], &missing["message"]),
            (&"no_model".into(), &"Get one.".into())
        );
        let off = told(|k| {
            k.enabled = false;
            k.no_model = Some("Get one.".into());
            k.engine = State::Asleep;
        });
        assert_eq!(off["state"], "off");
        let getting = told(|k| {
            k.signals.downloading = Some(7);
            k.engine = State::Asleep;
        });
        assert_eq!((&getting["state"], &getting["percent"]), (&"downloading".into(), &7.into()));
    }
}
