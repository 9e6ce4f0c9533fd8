//! The ledger's files: read, appended to and put aside by one process at a time.
//!
//! In: lines. Out: the file, private to the user, with one older file when it has grown to
//! [`MOST_BYTES`], and a file that is only there to be locked (a lock on the ledger itself would be lost
//! when it is put aside). What is appended is on the disk before it is acted on. Refuses: to leave half
//! a line behind, to follow a link, to wait for a lock for ever.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::civil::Date;

use super::budget::{Open, Sums};
use super::error::LedgerError;
use super::record::{Day, Event, MOST_LINE};
use crate::private::{self, lines};

/// At this size a file becomes the older one. A request is some 5 KB, most of it paths: 16 MB are 3,000.
pub const MOST_BYTES: u64 = 16 << 20;
/// The file's name.
pub const NAME: &str = "ledger.jsonl";
/// The older file's name.
pub const OLDER: &str = "ledger.old.jsonl";
const LOCK: &str = "ledger.lock";
/// How names begin and end of what is being written.
const NEW: (&str, &str) = ("ledger-", ".new");

/// How long another process may take; it has a file of [`MOST_BYTES`] to read at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a waiting process looks again. Polling, because a blocked thread could not give up.
const AGAIN: Duration = Duration::from_millis(3);
/// Milliseconds after which a request is not on its way any more: no answer takes as long.
const ON_ITS_WAY: u64 = 24 * 60 * 60 * 1_000;

/// The ledger, for as long as this is there nobody else's.
#[derive(Debug)]
pub struct Locked<'a> {
    folder: &'a Path,
    most_bytes: u64,
    _lock: File,
}

/// Waits for the lock, and makes the folder where there is none.
pub fn lock(folder: &Path, most_bytes: u64) -> Result<Locked<'_>, LedgerError> {
    lock_within(folder, most_bytes, PATIENCE)
}

fn lock_within(
    folder: &Path,
    most_bytes: u64,
    patience: Duration,
) -> Result<Locked<'_>, LedgerError> {
    let path = folder.join(LOCK);
    let failed = |source| LedgerError::Io { path: path.clone(), source };
    private::folder(folder).map_err(failed)?;
    let lock = private::file(&path).map_err(failed)?;
    let since = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Locked { folder, most_bytes, _lock: lock }),
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => thread::sleep(AGAIN),
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Busy { path }),
            // Without locks two windows could spend the same money.
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

impl Locked<'_> {
    /// Where the lines are.
    pub fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// What the lines say of money.
    pub fn sums(&self) -> Result<Sums, LedgerError> {
        let mut sums = Sums::default();
        self.each_line(|line| sums.line(line)).map_err(|source| self.failed(source))?;
        Ok(sums)
    }

    /// Writes an event down, on the disk itself.
    pub fn append(&self, event: Event, today: Date, now: u64) -> Result<(), LedgerError> {
        let line = event.line();
        let append = || {
            let mut file = private::file(&self.path())?;
            let mut length = file.metadata()?.len();
            if length + line.len() as u64 > self.most_bytes && length > 0 {
                if let Err(error) = self.put_aside(&mut file, today, now) {
                    // A file that grows is better than money that is not written down.
                    tracing::warn!("{} is not put aside: {error}", self.path().display());
                }
                file = private::file(&self.path())?;
                length = file.metadata()?.len();
            }
            let written = lines::append(&mut file, &line).and_then(|()| file.sync_data());
            if written.is_err() {
                // Half a line would count as a request. If this fails too, it does.
                let _ = file.set_len(length);
            }
            written
        };
        append().map_err(|source| self.failed(source))
    }

    /// Removes all but what the budget of this month needs: bytes that went, and those days.
    pub fn clear(&self, today: Date, now: u64) -> Result<(u64, Vec<Day>), LedgerError> {
        let mut sums = self.sums()?;
        self.remove_left_behind();
        let clear = || {
            let size = |name| fs::metadata(self.folder.join(name)).map_or(0, |about| about.len());
            let before = size(NAME) + size(OLDER);
            sums.close(|open| on_its_way(open, now));
            let open: Vec<Event> = self.open_without_files(&sums)?;
            let days = sums.carried_of_month(today);
            if days.is_empty() && open.is_empty() {
                remove(&self.path())?;
            } else {
                self.replace(&days, open.into_iter().map(Event::line).collect())?;
            }
            remove(&self.folder.join(OLDER))?;
            Ok((before.saturating_sub(size(NAME)), days))
        };
        clear().map_err(|source| self.failed(source))
    }

    /// The file becomes the older one, and a new one goes on with the sums and what is open. At every
    /// moment there is a file with everything that the budget needs.
    fn put_aside(&self, file: &mut File, today: Date, now: u64) -> io::Result<()> {
        self.remove_left_behind();
        let mut sums = Sums::default();
        self.each_line(|line| sums.line(line))?;
        sums.close(|open| on_its_way(open, now));
        let mut open = Vec::new();
        self.each_reservation(|id, line| {
            if sums.is_open(id) {
                open.push(line.to_owned() + "\n");
            }
        })?;
        let mut older = self.temporary()?;
        file.rewind()?;
        io::copy(file, &mut older)?;
        older.persist(self.folder.join(OLDER))?;
        self.replace(&sums.carried(today), open)
    }

    fn replace(&self, days: &[Day], open: Vec<String>) -> io::Result<()> {
        let mut new = self.temporary()?;
        new.write_all(Event::Carried { days: days.to_vec() }.line().as_bytes())?;
        for line in open {
            new.write_all(line.as_bytes())?;
        }
        new.as_file().sync_data()?;
        new.persist(self.path())?;
        Ok(())
    }

    fn open_without_files(&self, sums: &Sums) -> io::Result<Vec<Event>> {
        let mut open = Vec::new();
        self.each_reservation(|id, line| {
            if !sums.is_open(id) {
                return;
            }
            if let Ok(super::record::Line { event: Event::Reserved(mut reserved), .. }) =
                serde_json::from_str(line)
            {
                reserved.more_files += reserved.about.files.len();
                reserved.about.files.clear();
                open.push(Event::Reserved(reserved));
            }
        })?;
        Ok(open)
    }

    fn each_reservation(&self, mut visit: impl FnMut(&str, &str)) -> io::Result<()> {
        #[derive(serde::Deserialize)]
        struct Id<'a> {
            event: &'a str,
            id: &'a str,
        }
        self.each_line(|line| {
            let Ok(line) = std::str::from_utf8(line) else { return };
            if let Ok(Id { event: "reserved", id }) = serde_json::from_str::<Id>(line) {
                visit(id, line);
            }
        })
    }

    fn each_line(&self, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
        let file = match private::file_to_read(&self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // Whoever writes on while this reads is not let on for ever.
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(64 << 10, file.take(length));
        let mut line = Vec::new();
        while lines::next(&mut file, MOST_LINE, &mut line)? {
            visit(&line);
        }
        Ok(())
    }

    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        // Private from the start, and gone by itself if anything fails.
        tempfile::Builder::new().prefix(NEW.0).suffix(NEW.1).tempfile_in(self.folder)
    }

    /// Nobody else writes, so what is half written was left by a process that was killed.
    fn remove_left_behind(&self) {
        let Ok(entries) = fs::read_dir(self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let ours = |name: &str| name.starts_with(NEW.0) && name.ends_with(NEW.1);
            if name.to_str().is_some_and(ours) {
                // The next time, if not now.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.path(), source }
    }
}

/// May it still be settled?
fn on_its_way(open: &Open, now: u64) -> bool {
    open.time.abs_diff(now) < ON_ITS_WAY
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_lock_is_waited_for_but_not_for_ever() {
        let home = tempfile::tempdir().unwrap();
        let held = lock(home.path(), MOST_BYTES).unwrap();
        let other = lock_within(home.path(), MOST_BYTES, Duration::ZERO);
        assert!(matches!(other, Err(LedgerError::Busy { .. })));
        drop(held);
        assert!(lock_within(home.path(), MOST_BYTES, Duration::ZERO).is_ok());
    }
}
