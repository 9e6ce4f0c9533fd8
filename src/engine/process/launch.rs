//! Starting the engine's process, and getting to speak to it.
//!
//! In: a program, options, a rendezvous. Out: a connection to the process, which may be one that somebody
//! else has started at the same moment. Nobody is left in its way: a process that holds the rendezvous
//! and does not answer is ended.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::connection::{Connection, Refused};
use crate::engine::llama::Options;
use crate::engine::rendezvous::Rendezvous;
use crate::{machine, private};

/// Our hidden command that is the engine.
const ENGINE: &str = "engine";
/// Bytes of an engine's log that are looked at.
const LAST_WORDS: u64 = 4 << 10;
/// A new process must listen within this; loading the model comes after.
const START: Duration = Duration::from_secs(10);
/// How often to look whether it does.
const LOOK: Duration = Duration::from_millis(10);
/// A process that left at once found another one here. If that one does not listen within this, it was
/// about to leave itself, or hangs.
const OTHER: Duration = Duration::from_secs(2);
/// How long OpenMP's threads spin while they wait for each other. Its default spins until the time
/// slice ends, so that beside a busy compiler 2 threads decode at 2 to 5 tokens/s instead of 47;
/// with this they decode at 19 then, and at 47 as before when the machine is idle.
const SPIN: (&str, &str) = ("GOMP_SPINCOUNT", "1000");

/// What is started.
pub struct Launch<'a> {
    /// Our own binary.
    pub program: &'a Path,
    /// The model, and how to run it.
    pub options: &'a Options,
    /// Where it listens.
    pub rendezvous: &'a Rendezvous,
    /// How long it goes on when nobody is connected.
    pub idle: Duration,
}

/// Why there is no engine.
#[derive(Debug)]
pub enum Failed {
    /// It cannot start here; the sentence is for a person.
    Useless(String),
    /// It was ended from outside, or hung: worth another try.
    Died(String),
}

impl Launch<'_> {
    /// Starts the process and connects to it.
    pub async fn connect(&self) -> Result<Connection, Failed> {
        let mut child = self.start().map_err(Failed::Useless)?;
        let deadline = Instant::now() + START;
        let mut left_at = None;
        while Instant::now() < deadline {
            match Connection::open(self.rendezvous).await {
                Ok(connection) => {
                    // Waited for on a thread of its own, so that it never stays a zombie.
                    std::thread::spawn(move || child.wait());
                    return Ok(connection);
                }
                Err(Refused::Stranger(why)) => {
                    bury(child);
                    return Err(Failed::Useless(why));
                }
                Err(Refused::Nobody | Refused::Hangs) => {}
            }
            match (left_at, child.try_wait()) {
                (None, Ok(Some(status))) if status.success() => left_at = Some(Instant::now()),
                (None, Ok(Some(status))) => {
                    let log = last_line(&self.rendezvous.log_file());
                    let why = format!("the engine does not start ({status}): {log}");
                    // No code: a signal ended it.
                    return Err(match status.code() {
                        Some(_) => Failed::Useless(why),
                        None => Failed::Died(why),
                    });
                }
                (Some(left), _) if left.elapsed() >= OTHER => {
                    self.clear_the_way();
                    return Err(Failed::Died("another engine here does not answer".to_owned()));
                }
                _ => {}
            }
            tokio::time::sleep(LOOK).await;
        }
        bury(child);
        Err(Failed::Died(format!("the engine did not listen within {} s", START.as_secs())))
    }

    /// Ends the process that holds the rendezvous without answering there, if there is one.
    fn clear_the_way(&self) {
        let free = |lock: File| lock.try_lock().is_ok();
        if File::open(self.rendezvous.lock_file()).is_ok_and(free) {
            return;
        }
        let holder = end_of(&self.rendezvous.lock_file(), 32);
        // The file is the engine's to write: whatever it says, nothing but an engine is ended.
        if let Ok(process) = holder.trim().parse()
            && process != std::process::id()
            && machine::runs(process, self.program, ENGINE)
        {
            tracing::warn!("the engine's process {process} does not listen and is ended");
            machine::end(process);
        }
    }

    /// Starts the process, detached from the editor's terminal.
    fn start(&self) -> Result<Child, String> {
        let Launch { program, options, rendezvous, idle } = self;
        let log = private::new_file(&rendezvous.log_file())
            .map_err(|e| format!("cannot write {}: {e}", rendezvous.log_file().display()))?;
        let mut command = Command::new(program);
        command
            .arg(ENGINE)
            .arg("--model")
            .arg(&options.model)
            .arg("--rendezvous")
            .arg(rendezvous.path())
            .args(["--threads", &options.threads.to_string()])
            .args(["--context-tokens", &options.context_tokens.to_string()])
            .args(["--documents", &options.documents.to_string()])
            .args(["--idle-seconds", &idle.as_secs().to_string()])
            .args(["--guess", &options.guess.to_string()])
            .args(options.states.iter().flat_map(|states| {
                let folder = states.folder.clone().into_os_string();
                ["--states".into(), folder, "--states-bytes".into(), states.cap.to_string().into()]
            }))
            .args(options.draft.iter().flat_map(|draft| {
                let tokens = draft.tokens.iter().map(|tokens| format!("--draft-tokens={tokens}"));
                let model = ["--draft".into(), draft.model.clone().into_os_string()];
                model.into_iter().chain(tokens.map(Into::into))
            }))
            .args(
                options.gpu_layers.iter().flat_map(|n| ["--gpu-layers".to_owned(), n.to_string()]),
            )
            .current_dir(rendezvous.path().parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // An engine asks nobody anything: it has no use for a key.
        machine::without_secrets(&mut command);
        if std::env::var_os(SPIN.0).is_none() {
            command.env(SPIN.0, SPIN.1);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map_err(|e| format!("cannot start {}: {e}", program.display()))
    }
}

fn bury(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn last_line(file: &Path) -> String {
    let text = end_of(file, LAST_WORDS);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

/// The last bytes of a file that an engine can write: it may be of any length.
fn end_of(file: &Path, most: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = private::file_to_read(file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}
