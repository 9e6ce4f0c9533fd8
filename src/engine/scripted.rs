//! An engine that says what a test has written: the whole server runs on it in milliseconds.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::{About, Answer, Engine, Event, Figures, Fork, Request, State, Urgency};

/// One thing that the engine does.
#[derive(Clone)]
pub enum Step {
    /// Says this.
    Text(String),
    /// Waits until the test says so.
    Wait(Arc<Notify>),
    /// Says where it could have gone on otherwise, if that was asked for.
    Forks(Vec<Fork>),
    /// Ends with these figures.
    Done(Figures),
    /// Ends with this reason.
    Fail(String),
}

type Script = Box<dyn Fn(&Request) -> Vec<Step> + Send + Sync>;

/// An engine that follows a script.
pub struct Scripted {
    script: Script,
    seen: Arc<Mutex<Seen>>,
    ended: Arc<Notify>,
    state: watch::Sender<State>,
}

/// What a scripted engine was asked.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every request that somebody waits for, in order of arrival.
    pub requests: Vec<Request>,
    /// Of these, how many were dropped before their end.
    pub cancelled: usize,
    /// Of these, how many came to their end.
    pub finished: usize,
    /// Every request for work in the background.
    pub background: Vec<Request>,
    /// Of these, how many were dropped before their end.
    pub background_cancelled: usize,
    /// Of these, how many came to their end.
    pub background_finished: usize,
}

impl Scripted {
    /// An engine that does for each request what `script` says. It needs a tokio runtime.
    pub fn new(script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Arc<Scripted> {
        let about = About { model: "scripted".into(), ..About::default() };
        Arc::new(Scripted {
            script: Box::new(script),
            seen: Arc::default(),
            ended: Arc::default(),
            state: watch::channel(State::Ready(about)).0,
        })
    }

    /// An engine that always says the same.
    pub fn saying(text: &str) -> Arc<Scripted> {
        let text = text.to_owned();
        Scripted::new(move |_| vec![Step::Text(text.clone())])
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until that many answers have been dropped before their end.
    pub async fn cancelled(&self, count: usize) {
        self.until(|seen| seen.cancelled >= count).await;
    }

    /// Waits until that much work in the background has come to its end.
    pub async fn worked_ahead(&self, count: usize) {
        self.until(|seen| seen.background_finished >= count).await;
    }

    /// Waits until it has been asked that often.
    pub async fn asked(&self, count: usize) {
        self.until(|seen| seen.requests.len() >= count).await;
    }

    /// Puts the engine into a state.
    pub fn set_state(&self, state: State) {
        self.state.send_replace(state);
    }

    async fn until(&self, done: impl Fn(&Seen) -> bool) {
        loop {
            let changed = self.ended.notified();
            if done(&self.seen()) {
                return;
            }
            changed.await;
        }
    }
}

impl Engine for Scripted {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        let (idle, wants_forks) = (request.urgency == Urgency::Idle, request.forks > 0);
        // To have a prompt evaluated is not to have anything said.
        let steps = if request.max_tokens == 0 { Vec::new() } else { (self.script)(&request) };
        let (seen, ended) = (self.seen.clone(), self.ended.clone());
        let note = move |change: &dyn Fn(&mut Seen)| {
            change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
            ended.notify_waiters();
        };
        note(&|seen| {
            let list = if idle { &mut seen.background } else { &mut seen.requests };
            list.push(request.clone());
        });
        tokio::spawn(async move {
            for step in steps {
                let sent = match step {
                    Step::Text(text) => events.send(Event::Text(text)),
                    Step::Forks(_) if !wants_forks => Ok(()),
                    Step::Forks(forks) => events.send(Event::Forks(forks)),
                    Step::Done(figures) => events.send(Event::Done(figures)),
                    Step::Fail(why) => events.send(Event::Failed(why)),
                    Step::Wait(go) => {
                        tokio::select! {
                            () = go.notified() => Ok(()),
                            () = events.closed() => Ok(()),
                        }
                    }
                };
                if sent.is_err() || events.is_closed() {
                    note(&|seen| {
                        *(if idle {
                            &mut seen.background_cancelled
                        } else {
                            &mut seen.cancelled
                        }) += 1
                    });
                    return;
                }
            }
            let _ = events.send(Event::Done(Figures { evaluated: 1, ..Figures::default() }));
            note(&|seen| {
                *(if idle { &mut seen.background_finished } else { &mut seen.finished }) += 1
            });
        });
        answer
    }

    fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
}
