//! Quantizing and trying in a process of its own: llama.cpp can abort, and then a crash is a
//! sentence and the original stays in use.
//!
//! In: one [`Order`] as a line of JSON on the child's standard input. Out: [`Reply`] lines on its
//! standard output, the last one [`Reply::Done`] or [`Reply::Failed`]. The child refuses to outlive
//! us: the end of its standard input ends it.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::probes;
use crate::engine::llama::quantize::{Recipe, quantize};
use crate::engine::llama::trial::{self, Agreement, Answered, Speed};
use crate::engine::sandbox::{self, Places};
use crate::machine;

/// The hidden command that runs the child.
pub const COMMAND: &str = "workshop";
/// Rounds of timing; the median of an odd number is one of them.
const ROUNDS: usize = 3;
/// Without a word for this long the child hangs. Quantizing the largest models takes minutes.
const PATIENCE: Duration = Duration::from_secs(900);
/// As for the engine's process: OpenMP's threads should not spin for a whole time slice.
const SPIN: (&str, &str) = ("GOMP_SPINCOUNT", "1000");

/// What a child should do.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    Quantize {
        source: PathBuf,
        target: PathBuf,
        recipe: Recipe,
        threads: u32,
    },
    /// Times both files, then asks both the probes; `answers` are the original's where known.
    Compare {
        original: PathBuf,
        candidate: PathBuf,
        threads: u32,
        answers: Option<Vec<Answered>>,
    },
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The share of the order that is done.
    Progress(f64),
    Timed {
        original: Speed,
        candidate: Speed,
    },
    Agreed {
        agreement: Agreement,
        answers: Vec<Answered>,
    },
    Done,
    Failed(String),
}

/// The child: does one order and returns. For `main`, as the hidden command [`COMMAND`].
///
/// # Errors
/// When the order cannot be read. What fails while doing it is a [`Reply::Failed`].
pub fn work() -> Result<(), String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| format!("no order: {e}"))?;
    let order: Order = serde_json::from_str(&line).map_err(|e| format!("no order: {e}"))?;
    // This thread, and those that llama.cpp starts from it.
    sandbox::enter(&places(&order));
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        // Ends when the one who ordered is gone; nobody wants the result then.
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        std::process::exit(1);
    });
    say(&match follow(order) {
        Ok(()) => Reply::Done,
        Err(why) => Reply::Failed(why),
    });
    Ok(())
}

/// The files that an order is about.
fn places(order: &Order) -> Places {
    match order {
        Order::Quantize { source, target, .. } => {
            let folder = target.parent().unwrap_or(Path::new(".")).to_owned();
            Places { read: vec![source.clone()], write: vec![folder] }
        }
        Order::Compare { original, candidate, .. } => {
            Places { read: vec![original.clone(), candidate.clone()], write: Vec::new() }
        }
    }
}

fn say(reply: &Reply) {
    let mut out = std::io::stdout().lock();
    // Plain values always serialise. A reader that is gone ends us by our standard input.
    let line = serde_json::to_string(reply).unwrap_or_default();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn follow(order: Order) -> Result<(), String> {
    match order {
        Order::Quantize { source, target, recipe, threads } => {
            quantize(&source, &target, recipe, threads)
        }
        Order::Compare { original, candidate, threads, answers } => {
            trial::compare(&original, &candidate, threads, |original, candidate| {
                let told = |round| say(&Reply::Progress(round as f64 / ROUNDS as f64 / 2.0));
                let text = probes::text();
                let (one, other) = trial::time(original, candidate, &text, ROUNDS, told)?;
                say(&Reply::Timed { original: one, candidate: other });
                agree(original, candidate, answers)
            })
        }
    }
}

fn agree(
    original: &mut trial::Runner,
    candidate: &mut trial::Runner,
    known: Option<Vec<Answered>>,
) -> Result<(), String> {
    let probes = probes::probes();
    let mut agreement = Agreement::default();
    let mut answers = Vec::new();
    for (i, probe) in probes.iter().enumerate() {
        let answer = match known.as_ref().and_then(|known| known.get(i)) {
            Some(answer) => answer.clone(),
            None => original.answer(probe)?,
        };
        candidate.compare(probe, &answer, &mut agreement)?;
        answers.push(answer);
        say(&Reply::Progress(0.5 + (i + 1) as f64 / probes.len() as f64 / 2.0));
    }
    say(&Reply::Agreed { agreement, answers });
    Ok(())
}

/// A child at work, seen from us. Dropping it kills it.
pub struct Workshop {
    child: Child,
    /// Held open for as long as we live.
    _stdin: ChildStdin,
    replies: tokio::io::Lines<BufReader<ChildStdout>>,
    complaints: JoinHandle<String>,
}

impl Workshop {
    /// Starts `program` (our own) on an order.
    ///
    /// # Errors
    /// When it does not start, as a sentence.
    pub async fn open(program: &Path, order: &Order) -> Result<Workshop, String> {
        let failed = |what: &str| format!("cannot start {}: {what}", program.display());
        let mut command = Command::new(program);
        command
            .arg(COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        machine::without_secrets(command.as_std_mut());
        if std::env::var_os(SPIN.0).is_none() {
            command.env(SPIN.0, SPIN.1);
        }
        let mut child = command.spawn().map_err(|e| failed(&e.to_string()))?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) = streams else {
            return Err(failed("it has no standard streams"));
        };
        let mut line = serde_json::to_string(order).map_err(|e| failed(&e.to_string()))?;
        line.push('\n');
        // One that is gone already tells why by how it ended.
        let _ = stdin.write_all(line.as_bytes()).await;
        let complaints = tokio::spawn(async move {
            let mut all = Vec::new();
            let _ = stderr.read_to_end(&mut all).await;
            String::from_utf8_lossy(&all).into_owned()
        });
        let replies = BufReader::new(stdout).lines();
        Ok(Workshop { child, _stdin: stdin, replies, complaints })
    }

    /// The next reply; `None` when the order is done.
    ///
    /// # Errors
    /// When it failed, hangs or died, as a sentence with its last words.
    pub async fn reply(&mut self) -> Result<Option<Reply>, String> {
        let line = match tokio::time::timeout(PATIENCE, self.replies.next_line()).await {
            Err(_) => return Err(format!("it said nothing for {} s", PATIENCE.as_secs())),
            Ok(line) => line.map_err(|e| e.to_string())?,
        };
        let Some(line) = line else { return Err(self.last_words().await) };
        match serde_json::from_str(&line) {
            Ok(Reply::Done) => Ok(None),
            Ok(Reply::Failed(why)) => Err(why),
            Ok(reply) => Ok(Some(reply)),
            Err(_) => Err(format!("it said something unknown: {line}")),
        }
    }

    async fn last_words(&mut self) -> String {
        let status = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let said = (&mut self.complaints).await.unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        format!("it died ({status}): {}", last.unwrap_or("it said nothing"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Opens a workshop whose program is this shell script.
    async fn with_script(script: &str) -> (tempfile::TempDir, Workshop) {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("tandem");
        // Written by another process: one that this process still had open could not be run.
        let written = std::process::Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s' "$0" > "$1"; chmod +x "$1""#, script])
            .arg(&program)
            .status();
        assert!(written.unwrap().success());
        let order = Order::Quantize {
            source: "a".into(),
            target: "b".into(),
            recipe: Recipe::ALL[0],
            threads: 1,
        };
        let workshop = Workshop::open(&program, &order).await.unwrap();
        (scratch, workshop)
    }

    #[tokio::test]
    async fn replies_come_until_the_order_is_done() {
        let script = r#"read order; echo '{"Progress":0.5}'; echo '"Done"'"#;
        let (_scratch, mut workshop) = with_script(script).await;
        assert!(matches!(workshop.reply().await, Ok(Some(Reply::Progress(_)))));
        assert!(matches!(workshop.reply().await, Ok(None)));
    }

    #[tokio::test]
    async fn a_child_that_aborts_is_an_error_with_its_last_words() {
        let script = "echo 'GGML_ASSERT(n > 0) failed' >&2; kill -ABRT $$";
        let (_scratch, mut workshop) = with_script(script).await;
        let why = workshop.reply().await.unwrap_err();
        assert!(why.contains("GGML_ASSERT(n > 0) failed") && why.contains("died"), "{why}");
    }

    #[tokio::test]
    async fn what_the_child_could_not_do_is_told_in_its_own_words() {
        let script = r#"echo '{"Failed":"no room"}'"#;
        let (_scratch, mut workshop) = with_script(script).await;
        assert_eq!(workshop.reply().await.unwrap_err(), "no room");
    }
}
