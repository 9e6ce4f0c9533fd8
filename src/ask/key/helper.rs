//! The user's own command that prints a key: a password manager, a script of the company.
//!
//! In: a command line, from the user's settings alone. Out: what it printed. Refuses: more than ten seconds,
//! more than a key's length, a command that fails. What it prints goes nowhere else, whichever way it ends:
//! its standard error is thrown away, because it may say too much.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::{KeyError, LONGEST};

/// A person may have to touch a hardware key.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command and returns what it printed.
pub async fn run(line: &str) -> Result<SecretString, KeyError> {
    run_within(line, PATIENCE).await
}

async fn run_within(line: &str, patience: Duration) -> Result<SecretString, KeyError> {
    let failed = |reason: &str| KeyError::Helper { reason: reason.to_owned() };
    let mut command = shell(line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child =
        command.spawn().map_err(|error| failed(&format!("could not be started ({error})")))?;
    let mut group = Group(child.id());
    let printed = tokio::time::timeout(patience, printed(&mut child)).await;
    if matches!(printed, Ok(Ok((Some(_), _)))) {
        // It has ended. What it left running, an agent of a password manager, is meant to.
        group.0 = None;
    }
    match printed {
        Err(_) => Err(failed(&format!("took longer than {} s", patience.as_secs()))),
        Ok(Err(error)) => Err(failed(&format!("could not be read ({error})"))),
        Ok(Ok((None, _))) => Err(failed("printed more than a key")),
        Ok(Ok((Some(status), _))) if !status.success() => {
            Err(failed(&format!("failed ({status})")))
        }
        Ok(Ok((_, bytes))) if bytes.is_empty() => Err(failed("printed nothing")),
        Ok(Ok((_, bytes))) => match String::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(failed("printed something that is no text")),
        },
    }
}

/// How it ended, and what it printed; no end where it printed too much to be waited for.
async fn printed(child: &mut Child) -> io::Result<(Option<ExitStatus>, Vec<u8>)> {
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // One byte more tells that there is more.
        stdout.take(LONGEST as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > LONGEST {
        return Ok((None, bytes));
    }
    Ok((Some(child.wait().await?), bytes))
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").raw_arg(line);
    command
}

/// The command and all that it started; ended with this value, also when nobody waits any more.
struct Group(
    #[cfg_attr(windows, expect(dead_code, reason = "only the command itself ends"))] Option<u32>,
);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let pid = self.0.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid {
                // Nobody left to end is what is wanted.
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn a_command_of_the_shell_prints_the_key() {
        let key = run("printf '%s' sk-ant | tr a-z A-Z").await.unwrap();
        assert_eq!(key.expose_secret(), "SK-ANT");
    }

    #[tokio::test]
    async fn what_a_failed_command_printed_is_in_no_error() {
        let failures = [
            "echo canary; echo canary >&2; exit 3",
            "true",
            "head -c 20000 /dev/zero",
            "printf '\\377canary'",
            "exec /nonexistent/canary-helper",
        ];
        for line in failures {
            let error = run(line).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("ask.key_helper") && !shown.contains("canary"), "{shown}");
        }
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_an_error() {
        let error = run_within("sleep 1000", Duration::from_millis(20)).await.unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
    }

    #[tokio::test]
    async fn what_a_command_started_ends_when_nobody_waits_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let line = format!("sh -c 'exec 3>{}; sleep 1000' & sleep 1000", pipe.display());
        let opened = tokio::task::spawn_blocking(move || std::fs::File::open(pipe).unwrap());
        let mut pipe = tokio::select! {
            ended = run_within(&line, Duration::from_secs(600)) => panic!("{ended:?}"),
            pipe = opened => pipe.unwrap(),
        };
        // The pipe ends with the process in the background, or this waits for ever.
        let rest = tokio::task::spawn_blocking(move || {
            let mut rest = Vec::new();
            io::Read::read_to_end(&mut pipe, &mut rest).map(|_| rest)
        });
        assert_eq!(rest.await.unwrap().unwrap(), b"");
    }
}
