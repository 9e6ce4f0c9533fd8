//! The engine as its own process, seen from a server: found or started, watched, restarted.
//!
//! In: requests. Out: answers. llama.cpp can abort or hang; the editor must not notice. When the
//! process dies its requests get `Failed` at once and a new process is started; one that hangs is
//! killed first. When it keeps dying it is given up on with one message, until the model or the
//! settings change.

mod connection;
mod launch;
mod talk;
mod watch;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch as latest};

use self::connection::{Connection, Refused};
use self::launch::{Failed, Launch};
use super::llama::Options;
use super::rendezvous::Rendezvous;
use super::{Adapter, Answer, Engine, Event, Request, State};

/// An engine that dies this often within [`WINDOW`] is given up on.
const DEATHS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// Says which engine is wanted now, or why there can be none (for a person to read).
pub type Wanted = Arc<dyn Fn() -> Result<Options, String> + Send + Sync>;

/// Says how long an engine that nobody is connected to goes on: settings of an editor come after the
/// server has started.
pub type Idle = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Says by which adapters requests want the weights changed now.
pub type Worn = Arc<dyn Fn() -> Vec<Adapter> + Send + Sync>;

/// The engine's process.
pub struct ProcessEngine {
    orders: mpsc::UnboundedSender<Order>,
    state: latest::Receiver<State>,
    worn: Worn,
}

enum Order {
    Wake,
    Keep,
    Complete(Pending),
}

struct Pending {
    request: Request,
    events: mpsc::UnboundedSender<Event>,
}

impl ProcessEngine {
    /// An engine that starts with the first order. `program` is our own binary; `idle` is asked at each
    /// start. Must be called within a tokio runtime.
    pub fn new(program: PathBuf, idle: Idle, wanted: Wanted) -> ProcessEngine {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tell, state) = latest::channel(State::Asleep);
        tokio::spawn(
            Keeper { program, idle, wanted, tell, deaths: VecDeque::new(), given_up: None }
                .keep(inbox),
        );
        ProcessEngine { orders, state, worn: Arc::new(Vec::new) }
    }

    /// The same, which asks at each request for the adapters that it is made with.
    pub fn wearing(self, worn: Worn) -> ProcessEngine {
        ProcessEngine { worn, ..self }
    }
}

impl Engine for ProcessEngine {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        let request = Request { adapters: (self.worn)(), ..request };
        match self.orders.send(Order::Complete(Pending { request, events })) {
            Ok(()) => answer,
            Err(_) => Answer::failed("the server is shutting down"),
        }
    }

    fn state(&self) -> latest::Receiver<State> {
        self.state.clone()
    }

    fn wake(&self) {
        let _ = self.orders.send(Order::Wake);
    }

    fn keep(&self) {
        let _ = self.orders.send(Order::Keep);
    }
}

/// Keeps one process alive and talks to it.
struct Keeper {
    program: PathBuf,
    idle: Idle,
    wanted: Wanted,
    tell: latest::Sender<State>,
    deaths: VecDeque<Instant>,
    /// The engine that is not tried again.
    given_up: Option<Rendezvous>,
}

impl Keeper {
    async fn keep(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut waiting = Vec::new();
        // Asleep until the first order; after a death the process is started again at once.
        while let Some(order) = inbox.recv().await {
            match order {
                // An engine that does not run has nothing to save.
                Order::Keep => continue,
                Order::Wake => {}
                Order::Complete(pending) => waiting.push(pending),
            }
            loop {
                match self.connect().await {
                    Ok((connection, rendezvous)) => {
                        let waiting = std::mem::take(&mut waiting);
                        let talked = talk::talk(connection, waiting, &mut inbox, &self.tell).await;
                        let Some(why) = talked else { return };
                        if !self.died(rendezvous, &why) {
                            break;
                        }
                    }
                    Err(message) => {
                        self.tell.send_replace(State::Failed { message });
                        break;
                    }
                }
            }
            let message = match &*self.tell.borrow() {
                State::Failed { message } => message.clone(),
                _ => "the engine is not running".to_owned(),
            };
            for pending in waiting.drain(..) {
                let _ = pending.events.send(Event::Failed(message.clone()));
            }
        }
    }

    /// Notes a death; `true` when a new process is worth a try.
    fn died(&mut self, rendezvous: Rendezvous, why: &str) -> bool {
        let load_failed = matches!(&*self.tell.borrow(), State::Failed { .. });
        if load_failed {
            // What failed to load will fail again: wait until the model or the settings change.
            self.given_up = Some(rendezvous);
            return false;
        }
        tracing::warn!("the engine stopped: {why}");
        let message = given_up_on(&rendezvous);
        if self.is_worth_a_try(rendezvous) {
            self.tell.send_replace(State::Starting);
            return true;
        }
        self.tell.send_replace(State::Failed { message });
        false
    }

    /// Counts a death or a failed start; `false` when there were too many of them.
    fn is_worth_a_try(&mut self, rendezvous: Rendezvous) -> bool {
        let now = Instant::now();
        self.deaths.push_back(now);
        self.deaths.retain(|&death| now - death < WINDOW);
        if self.deaths.len() >= DEATHS {
            self.given_up = Some(rendezvous);
            return false;
        }
        true
    }

    /// Connects to the engine that is wanted, starting it when it does not run. One that dies while it
    /// starts is started again, as often as one that dies later.
    async fn connect(&mut self) -> Result<(Connection, Rendezvous), String> {
        loop {
            let options = (self.wanted)()?;
            let rendezvous = Rendezvous::new(&self.program, &options).map_err(|e| e.to_string())?;
            if self.given_up.as_ref() == Some(&rendezvous) {
                return Err(match &*self.tell.borrow() {
                    State::Failed { message } => message.clone(),
                    _ => "the engine was given up on".to_owned(),
                });
            }
            match Connection::open(&rendezvous).await {
                Ok(connection) => return Ok((connection, rendezvous)),
                Err(Refused::Stranger(why)) => return Err(why),
                Err(Refused::Nobody | Refused::Hangs) => {}
            }
            self.tell.send_replace(State::Starting);
            let launch = Launch {
                program: &self.program,
                options: &options,
                rendezvous: &rendezvous,
                idle: (self.idle)(),
            };
            match launch.connect().await {
                Ok(connection) => return Ok((connection, rendezvous)),
                // Every key would start another process otherwise.
                Err(Failed::Useless(why)) => {
                    self.is_worth_a_try(rendezvous);
                    return Err(why);
                }
                Err(Failed::Died(why)) => {
                    tracing::warn!("{why}");
                    let message = given_up_on(&rendezvous);
                    if !self.is_worth_a_try(rendezvous) {
                        return Err(message);
                    }
                }
            }
        }
    }
}

fn given_up_on(rendezvous: &Rendezvous) -> String {
    format!(
        "the engine stopped {DEATHS} times within a minute, so completions are off. \
         Its last words are in {}. Run `tandem doctor`; choosing another model or restarting \
         the editor tries again",
        rendezvous.log_file().display()
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::engine::Stop;
    use crate::prompt::Prompt;

    #[tokio::test]
    async fn an_engine_that_never_starts_is_told_about_and_given_up_on() {
        let scratch = tempfile::tempdir().unwrap();
        let (program, count) = (scratch.path().join("engine"), scratch.path().join("count"));
        // Written by another process: one that this process still had open could not be run.
        let script = format!("#!/bin/sh\necho >> {}\necho broken >&2\nexit 1\n", count.display());
        let written = Command::new("sh")
            .args(["-c", r#"printf '%s' "$0" > "$1"; chmod +x "$1""#, &script])
            .arg(&program)
            .status();
        assert!(written.unwrap().success());
        let model = scratch.path().join("model.gguf");
        let wanted: Wanted = Arc::new(move || Ok(Options::new(&model)));
        let engine = ProcessEngine::new(program, Arc::new(|| Duration::from_secs(1)), wanted);
        for _ in 0..DEATHS + 3 {
            let request = Request::new(Prompt::default(), 1, Stop::Line);
            let said = engine.complete(request).next().await;
            assert!(
                matches!(&said, Some(Event::Failed(why)) if why.contains("broken")),
                "{said:?}"
            );
        }
        assert_eq!(fs::read_to_string(count).unwrap().lines().count(), DEATHS);
    }
}
