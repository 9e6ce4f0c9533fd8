//! The engine's process: one model, served to every editor window of the user.
//!
//! In: connections on the rendezvous' socket. Out: answers. It holds no key and makes no
//! connection; it goes some minutes after the last client left. A second engine for the same
//! rendezvous finds the lock taken and leaves quietly.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{ListenerNonblockingMode, ListenerOptions};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::codec::Framed;
use tokio_util::task::TaskTracker;

use super::rendezvous::Rendezvous;
use super::wire::{self, FromEngine, ToEngine};
use super::{Engine, Event, Request, State};

/// An engine stays at least this long, so that whoever started it can connect.
const AT_LEAST: Duration = Duration::from_secs(2);
/// A failed engine stays this long, so that whoever started it hears why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until idle. Returns at once when another engine serves here already.
///
/// # Errors
/// When the lock or the socket cannot be made.
pub async fn host(
    rendezvous: &Rendezvous,
    idle: Duration,
    start: impl FnOnce() -> Arc<dyn Engine>,
) -> io::Result<()> {
    // Not emptied before it is ours: it says whose it is.
    let mut lock =
        File::options().create(true).write(true).truncate(false).open(rendezvous.lock_file())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    // The lock is ours, so a socket that is still there belonged to an engine that died.
    let _ = fs::remove_file(rendezvous.socket_file());
    let listener = ListenerOptions::new()
        .name(rendezvous.socket()?)
        .nonblocking(ListenerNonblockingMode::Both)
        .create_tokio()?;
    let engine = start();
    let served = serve(&listener, &engine, idle.max(AT_LEAST)).await;
    let _ = fs::remove_file(rendezvous.socket_file());
    drop(lock);
    served
}

async fn serve(listener: &Listener, engine: &Arc<dyn Engine>, idle: Duration) -> io::Result<()> {
    let clients = TaskTracker::new();
    let mut state = engine.state();
    let failed = async move {
        // An error means that the model's thread is gone: there is nothing to hear then.
        if state.wait_for(|state| matches!(state, State::Failed { .. })).await.is_ok() {
            tokio::time::sleep(LAST_WORDS).await;
        }
    };
    tokio::pin!(failed);
    loop {
        tokio::select! {
            connection = listener.accept() => {
                let engine = engine.clone();
                clients.spawn(async move {
                    if let Err(error) = attend(connection?, engine).await {
                        tracing::debug!("a client left: {error}");
                    }
                    io::Result::Ok(())
                });
            }
            () = nobody_for(&clients, idle) => return Ok(()),
            () = &mut failed => return Ok(()),
        }
    }
}

/// Completes when there has been no client for that long.
async fn nobody_for(clients: &TaskTracker, patience: Duration) {
    let mut quiet = Duration::ZERO;
    let step = Duration::from_millis(500).min(patience);
    while quiet < patience {
        tokio::time::sleep(step).await;
        quiet = if clients.is_empty() { quiet + step } else { Duration::ZERO };
    }
}

/// Serves one client until it leaves.
async fn attend(connection: Stream, engine: Arc<dyn Engine>) -> io::Result<()> {
    let mut client = Framed::new(connection, wire::codec());
    let (say, mut said) = mpsc::unbounded_channel::<FromEngine>();
    let mut state = engine.state();
    state.mark_changed();
    let hello = FromEngine::Hello { version: wire::version(), process: std::process::id() };
    client.send(wire::line(&hello)?).await.map_err(io::Error::other)?;
    let mut answers: HashMap<u64, AbortHandle> = HashMap::new();
    let result = loop {
        tokio::select! {
            line = client.next() => match line {
                None => break Ok(()),
                Some(Err(error)) => break Err(io::Error::other(error)),
                Some(Ok(line)) => match wire::message(&line) {
                    Ok(ToEngine::Complete { id, request }) => {
                        answers.retain(|_, answer| !answer.is_finished());
                        answers.insert(id, answer(&engine, id, request, say.clone()));
                    }
                    Ok(ToEngine::Cancel { id }) => {
                        if let Some(answer) = answers.remove(&id) {
                            answer.abort();
                        }
                    }
                    Ok(ToEngine::Keep) => engine.keep(),
                    Ok(ToEngine::Ping) => {
                        let still_ms = engine.still().as_millis() as u64;
                        // The other end of the channel is here.
                        let _ = say.send(FromEngine::Pong { still_ms });
                    }
                    Err(error) => break Err(error.into()),
                },
            },
            Some(message) = said.recv() => {
                let mut message = Some(message);
                // What is ready goes out in one write.
                while let Some(next) = message {
                    client.feed(wire::line(&next)?).await.map_err(io::Error::other)?;
                    message = said.try_recv().ok();
                }
                SinkExt::<String>::flush(&mut client).await.map_err(io::Error::other)?;
            }
            Ok(()) = state.changed() => {
                let now = FromEngine::State(state.borrow_and_update().clone());
                client.send(wire::line(&now)?).await.map_err(io::Error::other)?;
            }
        }
    };
    answers.into_values().for_each(|answer| answer.abort());
    result
}

/// Passes an answer on; aborting the task drops the answer, which cancels it.
fn answer(
    engine: &Arc<dyn Engine>,
    id: u64,
    request: Request,
    say: mpsc::UnboundedSender<FromEngine>,
) -> AbortHandle {
    let mut answer = engine.complete(request);
    let task = tokio::spawn(async move {
        loop {
            // An answer without an end is one whose writer has died.
            let event = answer.next().await;
            let event =
                event.unwrap_or_else(|| Event::Failed("the model's thread is gone".to_owned()));
            let last = matches!(event, Event::Done(_) | Event::Failed(_));
            if say.send(FromEngine::Answer { id, event }).is_err() || last {
                break;
            }
        }
    });
    task.abort_handle()
}
