//! A connection to the engine's process, from the greeting on.
//!
//! In: a rendezvous. Out: an open connection to an engine of this user and this version. Refuses: a
//! socket of somebody else, an engine of another version, one that takes nothing or does not greet.

use std::io;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use interprocess::local_socket::tokio::{Stream, prelude::*};
use tokio::time::timeout;
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

use super::watch;
use crate::engine::rendezvous::Rendezvous;
use crate::engine::wire::{self, FromEngine, ToEngine};
use crate::machine;

/// How long a process that was killed may take to be gone.
const BURIAL: Duration = Duration::from_secs(2);

/// An open connection to a greeted engine.
pub struct Connection {
    lines: Framed<Stream, LinesCodec>,
    /// The engine's process, where it is known.
    process: Option<u32>,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Refused {
    /// Nobody listens.
    Nobody,
    /// Somebody listens and does not greet; it has been ended if that was possible.
    Hangs,
    /// Whoever listens cannot be talked to; the sentence is for a person.
    Stranger(String),
}

impl Connection {
    /// Connects and is greeted.
    pub async fn open(rendezvous: &Rendezvous) -> Result<Connection, Refused> {
        let name = rendezvous.socket().map_err(|_| Refused::Nobody)?;
        let connecting = timeout(watch::PATIENCE, Stream::connect(name));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return Err(Refused::Nobody),
        };
        let process = peer(&stream)?;
        let lines = Framed::new(stream, wire::codec());
        let mut connection = Connection { lines, process };
        match timeout(watch::PATIENCE, connection.receive()).await {
            Err(_) => {
                connection.end_engine().await;
                Err(Refused::Hangs)
            }
            Ok(Some(Ok(FromEngine::Hello { version, process }))) => {
                connection.process = connection.process.or(Some(process));
                if version == wire::version() {
                    return Ok(connection);
                }
                Err(Refused::Stranger(format!(
                    "tandem was replaced by another version while this editor was open ({version} \
                     instead of {}). Restart the editor, or its language server, to go on",
                    wire::version()
                )))
            }
            Ok(Some(Ok(_) | Err(Unheard::Nonsense(_)))) => Err(Refused::Stranger(format!(
                "what listens at {} is no engine of this version. Restart all editors that use tandem",
                rendezvous.socket_file().display()
            ))),
            // It left at this very moment.
            Ok(Some(Err(Unheard::Broken(_))) | None) => Err(Refused::Nobody),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// When the other end is gone, or takes nothing any more.
    pub async fn send(&mut self, message: &ToEngine) -> Result<(), Lost> {
        let line = wire::line(message).map_err(|error| Lost::Gone(error.to_string()))?;
        match timeout(watch::PATIENCE, self.lines.send(line)).await {
            Ok(sent) => sent.map_err(|error| Lost::Gone(error.to_string())),
            Err(_) => {
                Err(Lost::Hangs(format!("it took nothing for {} s", watch::PATIENCE.as_secs())))
            }
        }
    }

    /// The next message; `None` at the end. May be dropped at any time.
    pub async fn receive(&mut self) -> Option<Result<FromEngine, Unheard>> {
        let line = self.lines.next().await?;
        Some(match line {
            Ok(line) => wire::message(&line).map_err(Unheard::Nonsense),
            Err(LinesCodecError::Io(error)) => Err(Unheard::Broken(error)),
            Err(error) => Err(Unheard::Broken(io::Error::other(error))),
        })
    }

    /// Kills the engine's process, since it hangs, and waits until it is gone.
    pub async fn end_engine(&mut self) {
        let Some(process) = self.process.filter(|&process| process != std::process::id()) else {
            return;
        };
        tracing::warn!("the engine's process {process} hangs and is ended");
        machine::end(process);
        // The system closes its end of the connection then.
        let gone = async { while self.receive().await.is_some_and(|said| said.is_ok()) {} };
        let _ = timeout(BURIAL, gone).await;
    }
}

/// Why a message was not understood.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// It is none of ours.
    #[error("it said something unknown: {0}")]
    Nonsense(serde_json::Error),
    /// It did not come whole.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
}

/// How a connection was lost.
#[derive(Debug)]
pub enum Lost {
    /// The process is gone, or talks nonsense.
    Gone(String),
    /// It is there and does nothing.
    Hangs(String),
}

/// The process at the other end, which must be this user's.
fn peer(stream: &Stream) -> Result<Option<u32>, Refused> {
    // A system that does not say who is there has other guards: the folder is the user's alone.
    let Ok(who) = stream.peer_creds() else { return Ok(None) };
    #[cfg(unix)]
    if who.euid().is_some_and(|user| user != rustix::process::geteuid().as_raw()) {
        return Err(Refused::Stranger(
            "the engine's socket belongs to another user; set TANDEM_RUNTIME_DIR to a folder of yours"
                .to_owned(),
        ));
    }
    Ok(who.pid().and_then(|process| u32::try_from(process).ok()))
}

#[cfg(all(test, unix))]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixListener;

    use super::*;

    /// What comes of a connection to somebody who says this first, and goes.
    async fn greeted_with(greeting: &str) -> Result<(), Refused> {
        let scratch = tempfile::tempdir().unwrap();
        let rendezvous = Rendezvous::from_path(&scratch.path().join("key")).unwrap();
        let listener = UnixListener::bind(rendezvous.socket_file()).unwrap();
        let greet = async {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(greeting.as_bytes()).await.unwrap();
        };
        let (opened, ()) = tokio::join!(Connection::open(&rendezvous), greet);
        opened.map(drop)
    }

    fn hello(version: String) -> String {
        wire::line(&FromEngine::Hello { version, process: 7 }).unwrap() + "\n"
    }

    #[tokio::test]
    async fn an_engine_of_this_version_is_gone_on_with() {
        assert!(greeted_with(&hello(wire::version())).await.is_ok());
    }

    #[tokio::test]
    async fn an_engine_of_another_version_is_left_alone_and_the_person_told_what_to_do() {
        let refused = greeted_with(&hello("0.0.9, protocol 1".into())).await;
        let Err(Refused::Stranger(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("0.0.9") && why.contains("Restart the editor"), "{why}");
    }

    #[tokio::test]
    async fn whoever_says_something_else_is_no_engine_of_ours() {
        for greeting in ["SSH-2.0-OpenSSH_9.2\n", "{\"state\":{\"state\":\"asleep\"}}\n", "{}\n"] {
            let refused = greeted_with(greeting).await;
            assert!(matches!(refused, Err(Refused::Stranger(_))), "{greeting}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn whoever_leaves_without_a_word_is_nobody() {
        let refused = greeted_with("").await;
        assert!(matches!(refused, Err(Refused::Nobody)), "{refused:?}");
    }
}
