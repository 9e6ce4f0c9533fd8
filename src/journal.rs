//! The journal: what was shown, what became of it, and how much of it was kept. Local only.
//!
//! In: [`Note`]s. Out: a file in the user's state folder, one line of JSON each, that a person can
//! read, delete, or turn off (`journal.enabled`). It holds times, languages and numbers: no text of
//! a document or a suggestion, no path. Refuses: to be in the way. A thread of its own writes, so
//! that no keystroke waits; what it cannot write is lost, with one warning, and nothing else.
//!
//! What becomes of a suggestion is told from the document's changes alone, so that it works in every
//! editor: [`watch`] follows one document, [`fate`] judges one change, [`kept`] looks at what was
//! accepted, later.

pub mod fate;
pub mod file;
pub mod kept;
pub mod reader;
pub mod record;
pub mod watch;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use etcetera::AppStrategy;

use file::Target;
pub use file::clear;
pub use reader::{LeftOut, read};
pub use record::{Event, Note, Record};

/// Notes that may wait for a slow disk; a person makes some two a second.
const WAITING: usize = 1_024;
/// Lines written at once at most.
const AT_ONCE: usize = 64;

/// The journal's folder: `$TANDEM_DATA_DIR/journal`, else `journal` in the platform's state folder for
/// tandem, or its data folder where there is none. `None` where the user has no home folder.
pub fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TANDEM_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return Some(PathBuf::from(folder).join("journal"));
    }
    let folders = etcetera::choose_app_strategy(etcetera::AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "tandem".to_owned(),
    });
    let folders = folders.ok()?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("journal"))
}

/// Where notes go. Without a folder they go nowhere.
#[derive(Debug, Default)]
pub struct Journal {
    folder: Option<PathBuf>,
    run: String,
    /// To the thread that writes; started at the first note.
    writer: OnceLock<Option<SyncSender<Message>>>,
    problem: Arc<OnceLock<String>>,
}

#[derive(Debug)]
enum Message {
    Record(Box<Record>),
    /// Answered when all before is written.
    Written(SyncSender<()>),
}

impl Journal {
    /// A journal in a folder. Touches no disk before the first note.
    pub fn at(folder: Option<PathBuf>) -> Journal {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let run = format!("{:x}-{:x}-{number:x}", record::now(), std::process::id());
        Journal { folder, run, ..Journal::default() }
    }

    /// Writes something down. Never waits.
    pub fn write(&self, note: Note) {
        let Some(folder) = &self.folder else { return };
        let writer = self.writer.get_or_init(|| start(folder, self.problem.clone()));
        let Some(writer) = writer else { return };
        let record = Box::new(note.record(&self.run));
        if let Err(TrySendError::Full(_)) = writer.try_send(Message::Record(record)) {
            warn(&self.problem, "the disk does not keep up");
        }
    }

    /// Waits until all notes so far are written, or so long.
    pub fn settle(&self, patience: Duration) {
        if let Some(Some(writer)) = self.writer.get() {
            let (done, written) = sync_channel(1);
            if writer.try_send(Message::Written(done)).is_ok() {
                let _ = written.recv_timeout(patience);
            }
        }
    }

    /// Why notes were lost, if some were.
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// Where it is, when it is anywhere.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

fn start(folder: &Path, problem: Arc<OnceLock<String>>) -> Option<SyncSender<Message>> {
    let (sender, notes) = sync_channel(WAITING);
    let target = Target::new(folder);
    let told = problem.clone();
    let thread = thread::Builder::new().name("journal".into());
    match thread.spawn(move || write_all(&target, &notes, &problem)) {
        Ok(_) => Some(sender),
        Err(error) => {
            warn(&told, &error.to_string());
            None
        }
    }
}

/// Writes until nobody can send any more.
fn write_all(target: &Target, messages: &Receiver<Message>, problem: &OnceLock<String>) {
    while let Ok(first) = messages.recv() {
        let mut lines = String::new();
        let mut waiting = Vec::new();
        for message in std::iter::once(first).chain(messages.try_iter().take(AT_ONCE - 1)) {
            match message {
                Message::Record(record) => {
                    // Plain values always serialise.
                    lines.push_str(&serde_json::to_string(&record).unwrap_or_default());
                    lines.push('\n');
                }
                Message::Written(done) => waiting.push(done),
            }
        }
        if !lines.is_empty()
            && let Err(error) = target.append(&lines)
        {
            warn(problem, &error.to_string());
        }
        for done in waiting {
            // Who asked may have stopped waiting.
            let _ = done.try_send(());
        }
    }
}

/// Once in a run: a full disk would say it at every key.
fn warn(problem: &OnceLock<String>, what: &str) {
    if problem.set(what.to_owned()).is_ok() {
        tracing::warn!("the journal is not complete: {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn note(suggestion: u64) -> Note {
        let event = Event::TypedAlong { characters: 3, after_ms: 9 };
        Note { suggestion, language: "rust".into(), event }
    }

    #[test]
    fn what_is_noted_can_be_read_and_each_run_is_told_apart() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("journal");
        for _ in 0..2 {
            let journal = Journal::at(Some(folder.clone()));
            (1..=3).for_each(|suggestion| journal.write(note(suggestion)));
            journal.settle(PATIENCE);
        }
        let mut seen = Vec::new();
        assert_eq!(read(&folder, |record| seen.push(record)).unwrap(), LeftOut::default());
        let numbers: Vec<u64> = seen.iter().map(|record| record.suggestion).collect();
        assert_eq!(numbers, [1, 2, 3, 1, 2, 3]);
        assert!(seen[0].run == seen[2].run && seen[2].run != seen[3].run);
        assert!(seen[0].time > 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_one_problem_and_no_more() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let journal = Journal::at(Some(file.join("journal")));
        assert_eq!(journal.problem(), None);
        for suggestion in 0..3 {
            journal.write(note(suggestion));
            journal.settle(PATIENCE);
        }
        assert!(journal.problem().is_some());
    }

    #[test]
    fn a_disk_that_hangs_keeps_nobody_waiting() {
        let (sender, _nobody_reads) = sync_channel(1);
        let journal = Journal {
            writer: OnceLock::from(Some(sender)),
            ..Journal::at(Some(PathBuf::from("nowhere")))
        };
        (0..3).for_each(|suggestion| journal.write(note(suggestion)));
        journal.settle(Duration::ZERO);
        assert_eq!(journal.problem(), Some("the disk does not keep up"));
    }

    #[test]
    fn without_a_folder_nothing_is_written_and_nothing_started() {
        let journal = Journal::default();
        journal.write(note(1));
        assert!(journal.writer.get().is_none());
    }
}
