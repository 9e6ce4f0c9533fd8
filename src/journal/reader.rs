//! The journal read: the older file first, then the newer.
//!
//! In: the folder. Out: each record, in the order of writing. Refuses: nothing; a line that is cut or
//! no record, or of a later version, is counted and left out. A journal that is not there is empty.

use std::io;
use std::path::Path;

use super::file::{NAME, OLDER};
use super::record::{Record, VERSION};
pub use crate::private::records::LeftOut;
use crate::private::records::{self, Versioned};

impl Versioned for Record {
    const LATEST: u32 = VERSION;
    /// A record is some 200 bytes.
    const MOST_LINE: usize = 64 << 10;

    fn version(&self) -> u32 {
        self.v
    }
}

/// Shows each record of a journal to `visit`.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(folder: &Path, mut visit: impl FnMut(Record)) -> io::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    for name in [OLDER, NAME] {
        records::read(&folder.join(name), &mut left_out, &mut visit)?;
    }
    Ok(left_out)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::record::{Event, Note};
    use super::*;

    fn line(suggestion: u64) -> String {
        let event = Event::TypedAlong { characters: 3, after_ms: 9 };
        let note = Note { suggestion, language: "rust".into(), event };
        serde_json::to_string(&note.record("ab")).unwrap()
    }

    fn read_all(folder: &Path) -> (Vec<u64>, LeftOut) {
        let mut seen = Vec::new();
        let left_out = read(folder, |record| seen.push(record.suggestion)).unwrap();
        (seen, left_out)
    }

    #[test]
    fn the_older_file_comes_first_and_none_is_an_empty_journal() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read_all(home.path()).0, [0; 0]);
        fs::write(home.path().join(NAME), format!("{}\n{}\n", line(3), line(4))).unwrap();
        fs::write(home.path().join(OLDER), format!("{}\n", line(2))).unwrap();
        assert_eq!(read_all(home.path()), (vec![2, 3, 4], LeftOut::default()));
    }

    #[test]
    fn broken_lines_and_later_versions_are_left_out_and_counted() {
        let home = tempfile::tempdir().unwrap();
        let cut = &line(5)[..40];
        let later = line(6).replace("\"v\":1", "\"v\":2").replace("typed_along", "dreamt_of");
        let long = "x".repeat(Record::MOST_LINE * 2);
        let mut file = format!("{cut}\n{}\n\n{later}\n{long}\n{}\n", line(7), line(8)).into_bytes();
        file.extend(b"\xff\xfe\n");
        fs::write(home.path().join(NAME), file).unwrap();
        assert_eq!(read_all(home.path()), (vec![7, 8], LeftOut { broken: 3, newer: 1 }));
    }

    #[test]
    fn keys_of_later_days_are_ignored() {
        let home = tempfile::tempdir().unwrap();
        let more = line(1).replace("\"v\":1", "\"v\":1,\"mood\":\"good\"");
        fs::write(home.path().join(NAME), more).unwrap();
        assert_eq!(read_all(home.path()).0, [1]);
    }
}
