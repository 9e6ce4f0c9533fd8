//! The engine as its own process, seen from a server: found or started, watched, restarted.
//!
//! In: requests. Out: answers. llama.cpp can abort or hang; the editor must not notice. When the
//! process dies its requests get `Failed` at once and a new process is started; when it keeps
//! dying it is given up on with one message, until the model or the settings change.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use interprocess::local_socket::tokio::{Stream, prelude::*};
use tokio::sync::{mpsc, watch};
use tokio_util::codec::{Framed, LinesCodec};

use super::llama::Options;
use super::rendezvous::Rendezvous;
use super::wire::{self, FromEngine, ToEngine};
use super::{Answer, Engine, Event, Request, State};

/// An engine that dies this often within [`WINDOW`] is given up on.
const DEATHS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// A new process must listen within this; loading the model comes after.
const START: Duration = Duration::from_secs(10);
/// How often to look whether it does.
const LOOK: Duration = Duration::from_millis(10);
/// How long OpenMP's threads spin while they wait for each other. Its default spins until the time
/// slice ends, so that beside a busy compiler 2 threads decode at 2 to 5 tokens/s instead of 47;
/// with this they decode at 19 then, and at 47 as before when the machine is idle.
const SPIN: (&str, &str) = ("GOMP_SPINCOUNT", "1000");

/// Says which engine is wanted now, or why there can be none (for a person to read).
pub type Wanted = Arc<dyn Fn() -> Result<Options, String> + Send + Sync>;

/// Says how long an engine that nobody is connected to goes on: settings of an editor come after the
/// server has started.
pub type Idle = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The engine's process.
pub struct ProcessEngine {
    orders: mpsc::UnboundedSender<Order>,
    state: watch::Receiver<State>,
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
        let (tell, state) = watch::channel(State::Asleep);
        tokio::spawn(
            Keeper { program, idle, wanted, tell, deaths: VecDeque::new(), given_up: None }
                .keep(inbox),
        );
        ProcessEngine { orders, state }
    }
}

impl Engine for ProcessEngine {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        match self.orders.send(Order::Complete(Pending { request, events })) {
            Ok(()) => answer,
            Err(_) => Answer::failed("the server is shutting down"),
        }
    }

    fn state(&self) -> watch::Receiver<State> {
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
    tell: watch::Sender<State>,
    deaths: VecDeque<Instant>,
    /// The engine that is not tried again.
    given_up: Option<Rendezvous>,
}

struct Connection(Framed<Stream, LinesCodec>);

impl Keeper {
    async fn keep(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut waiting = Vec::new();
        // Asleep until the first order; after a death the process is started again at once.
        while let Some(order) = inbox.recv().await {
            if matches!(order, Order::Keep) {
                // An engine that does not run has nothing to save.
                continue;
            }
            waiting.extend(pending(order));
            loop {
                match self.connect().await {
                    Ok((connection, rendezvous)) => {
                        let served =
                            self.serve(connection, std::mem::take(&mut waiting), &mut inbox).await;
                        let Some(why) = served else { return };
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
        let message = format!(
            "the engine stopped {DEATHS} times within a minute, so completions are off. \
             Its last words are in {}. Run `tandem doctor`; choosing another model or restarting \
             the editor tries again",
            rendezvous.log_file().display()
        );
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

    /// Connects to the engine that is wanted, starting it when it does not run.
    async fn connect(&mut self) -> Result<(Connection, Rendezvous), String> {
        let options = (self.wanted)()?;
        let rendezvous = Rendezvous::new(&self.program, &options).map_err(|e| e.to_string())?;
        if self.given_up.as_ref() == Some(&rendezvous) {
            return Err(match &*self.tell.borrow() {
                State::Failed { message } => message.clone(),
                _ => "the engine was given up on".to_owned(),
            });
        }
        if let Some(connection) = Connection::open(&rendezvous).await {
            return Ok((connection, rendezvous));
        }
        self.tell.send_replace(State::Starting);
        match self.start_and_connect(&options, &rendezvous).await {
            Ok(connection) => Ok((connection, rendezvous)),
            Err(message) => {
                // Every key would start another process otherwise.
                self.is_worth_a_try(rendezvous);
                Err(message)
            }
        }
    }

    async fn start_and_connect(
        &self,
        options: &Options,
        rendezvous: &Rendezvous,
    ) -> Result<Connection, String> {
        let mut child = self.start(options, rendezvous)?;
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if let Some(connection) = Connection::open(rendezvous).await {
                // Waited for on a thread of its own, so that it never stays a zombie.
                std::thread::spawn(move || child.wait());
                return Ok(connection);
            }
            // An engine that leaves at once found another one starting here; that one will listen.
            if let Ok(Some(status)) = child.try_wait()
                && !status.success()
            {
                let log = last_line(&rendezvous.log_file());
                return Err(format!("the engine does not start ({status}): {log}"));
            }
            tokio::time::sleep(LOOK).await;
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(format!("the engine did not listen within {} s", START.as_secs()))
    }

    /// Starts the process, detached from the editor's terminal.
    fn start(&self, options: &Options, rendezvous: &Rendezvous) -> Result<Child, String> {
        let log = File::create(rendezvous.log_file())
            .map_err(|e| format!("cannot write {}: {e}", rendezvous.log_file().display()))?;
        let mut command = Command::new(&self.program);
        command
            .arg("engine")
            .arg("--model")
            .arg(&options.model)
            .arg("--rendezvous")
            .arg(rendezvous.path())
            .args(["--threads", &options.threads.to_string()])
            .args(["--context-tokens", &options.context_tokens.to_string()])
            .args(["--documents", &options.documents.to_string()])
            .args(["--idle-seconds", &(self.idle)().as_secs().to_string()])
            .args(["--guess", &options.guess.to_string()])
            .args(options.states.iter().flat_map(|states| {
                let folder = states.folder.clone().into_os_string();
                ["--states".into(), folder, "--states-bytes".into(), states.cap.to_string().into()]
            }))
            .args(
                options.gpu_layers.iter().flat_map(|n| ["--gpu-layers".to_owned(), n.to_string()]),
            )
            .current_dir(rendezvous.path().parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if std::env::var_os(SPIN.0).is_none() {
            command.env(SPIN.0, SPIN.1);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map_err(|e| format!("cannot start {}: {e}", self.program.display()))
    }

    /// Talks until the connection ends (then says why) or no orders can come any more (`None`).
    async fn serve(
        &self,
        mut connection: Connection,
        waiting: Vec<Pending>,
        inbox: &mut mpsc::UnboundedReceiver<Order>,
    ) -> Option<String> {
        let mut answers: HashMap<u64, mpsc::UnboundedSender<Event>> = HashMap::new();
        let (drop_answer, mut dropped) = mpsc::unbounded_channel::<u64>();
        let mut next_id = 0_u64;
        let mut orders: VecDeque<Order> = waiting.into_iter().map(Order::Complete).collect();
        let why = loop {
            while let Some(order) = orders.pop_front() {
                if matches!(order, Order::Keep) && connection.send(&ToEngine::Keep).await.is_err() {
                    break;
                }
                let Some(pending) = pending(order) else { continue };
                next_id += 1;
                let request = ToEngine::Complete { id: next_id, request: pending.request };
                let (id, events, drop_answer) =
                    (next_id, pending.events.clone(), drop_answer.clone());
                tokio::spawn(async move {
                    events.closed().await;
                    let _ = drop_answer.send(id);
                });
                answers.insert(next_id, pending.events);
                if connection.send(&request).await.is_err() {
                    break;
                }
            }
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => orders.push_back(order),
                    None => return None,
                },
                line = connection.0.next() => match line.map(|line| line.map(|l| wire::message(&l))) {
                    Some(Ok(Ok(FromEngine::State(state)))) => {
                        self.tell.send_replace(state);
                    }
                    Some(Ok(Ok(FromEngine::Answer { id, event }))) => {
                        let last = matches!(event, Event::Done(_) | Event::Failed(_));
                        if let Some(events) = answers.get(&id) {
                            let _ = events.send(event);
                        }
                        if last {
                            answers.remove(&id);
                        }
                    }
                    Some(Ok(Err(error))) => break format!("it said something unknown: {error}"),
                    Some(Err(error)) => break error.to_string(),
                    None => break "the connection ended".to_owned(),
                },
                Some(id) = dropped.recv() => {
                    // Every answer is dropped in the end; only an unfinished one is cancelled.
                    if answers.remove(&id).is_some() {
                        let _ = connection.send(&ToEngine::Cancel { id }).await;
                    }
                }
            }
        };
        for events in answers.into_values() {
            let _ = events.send(Event::Failed("the engine stopped".to_owned()));
        }
        Some(why)
    }
}

impl Connection {
    async fn open(rendezvous: &Rendezvous) -> Option<Connection> {
        let stream = Stream::connect(rendezvous.socket().ok()?).await.ok()?;
        Some(Connection(Framed::new(stream, wire::codec())))
    }

    async fn send(&mut self, message: &ToEngine) -> Result<(), String> {
        let line = wire::line(message).map_err(|e| e.to_string())?;
        self.0.send(line).await.map_err(|e| e.to_string())
    }
}

fn pending(order: Order) -> Option<Pending> {
    match order {
        Order::Wake | Order::Keep => None,
        Order::Complete(pending) => Some(pending),
    }
}

fn last_line(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

#[cfg(all(test, unix))]
mod tests {
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
