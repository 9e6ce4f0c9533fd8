//! pip, used as a download tool.
//!
//! In: a requirement and a folder. Out: its wheel in that folder. Refuses: source packages (pip
//! would run their build scripts), dependencies, installing anything.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::model::error::ModelError;

/// How often the bytes on disk are counted while pip runs.
const LOOK: Duration = Duration::from_millis(250);

/// Lines of pip's complaint worth showing.
const LAST_LINES: usize = 6;

/// Where pip works: it moves a wheel to its place when that is complete.
pub fn workshop(folder: &Path) -> std::path::PathBuf {
    folder.join("tmp")
}

/// Downloads one wheel. `folder` must be absolute, and hold nothing of anybody else's: Python looks
/// for its modules there first. `look` is told now and then how many bytes pip has so far.
/// `missing` is what the model still needs, in bytes, for the message of a full disk.
pub async fn download(
    python: &[Vec<String>],
    requirement: &str,
    folder: &Path,
    missing: u64,
    mut look: impl FnMut(u64),
) -> Result<(), ModelError> {
    let workshop = workshop(folder);
    fs::create_dir_all(&workshop).map_err(|e| ModelError::writing(&workshop, missing, e))?;
    for command in python {
        let [program, arguments @ ..] = command.as_slice() else {
            continue;
        };
        let running = Command::new(program)
            .args(arguments)
            .args(["-m", "pip", "download", "--no-deps", "--no-cache-dir"])
            .args(["--only-binary", ":all:", "--no-input", "--quiet"])
            .args(["--disable-pip-version-check", "--progress-bar", "off"])
            .args([OsStr::new("-d"), folder.as_os_str(), requirement.as_ref()])
            // Not the user's folder: a `pip.py` in a project must not be run.
            .current_dir(folder)
            .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, &workshop)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let child = match running {
            Ok(child) => child,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                continue;
            }
            Err(e) => return Err(ModelError::reading(Path::new(program), e)),
        };
        let mut ended = std::pin::pin!(child.wait_with_output());
        let mut clock = tokio::time::interval(LOOK);
        let output = loop {
            tokio::select! {
                output = &mut ended => break output,
                _ = clock.tick() => look(bytes_under(&workshop)),
            }
        };
        let output = output.map_err(|e| ModelError::reading(Path::new(program), e))?;
        return verdict(program, requirement, folder, missing, &output);
    }
    let tried: Vec<String> = python.iter().map(|command| command.join(" ")).collect();
    Err(ModelError::NoPython { tried: tried.join(", ") })
}

fn verdict(
    program: &str,
    requirement: &str,
    folder: &Path,
    missing: u64,
    output: &Output,
) -> Result<(), ModelError> {
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("No module named pip") {
        return Err(ModelError::NoPip { python: program.to_owned() });
    }
    if stderr.contains("No space left on device") {
        return Err(ModelError::DiskFull { path: folder.to_owned(), missing });
    }
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    let stderr = match last {
        [] => format!("(it said nothing; {})", output.status),
        lines => lines.join("\n"),
    };
    Err(ModelError::Pip { requirement: requirement.to_owned(), stderr })
}

/// Bytes of all files under a folder; what vanishes meanwhile counts as nothing.
fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => bytes_under(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}
