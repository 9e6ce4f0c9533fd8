//! The journal read: the older file first, then the newer.
//!
//! In: the folder. Out: each record, in the order of writing. Refuses: nothing; a line that is cut or
//! no record, or of a later version, is counted and left out. A journal that is not there is empty.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

use super::file::{NAME, OLDER};
use super::record::{Record, VERSION};

/// A record is some 200 bytes; what is longer is none.
const MOST_LINE: usize = 64 << 10;

/// Lines that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// No records: cut by a full disk, or written by something else.
    pub broken: usize,
    /// Of a later version of tandem.
    pub newer: usize,
}

/// Shows each record of a journal to `visit`.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(folder: &Path, mut visit: impl FnMut(Record)) -> io::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    for name in [OLDER, NAME] {
        match File::open(folder.join(name)) {
            Ok(file) => read_lines(&mut BufReader::new(file), &mut visit, &mut left_out)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left_out)
}

fn read_lines(
    file: &mut impl BufRead,
    visit: &mut impl FnMut(Record),
    left_out: &mut LeftOut,
) -> io::Result<()> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    let mut line = Vec::new();
    while next_line(file, &mut line)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Version>(&line) {
            Ok(Version { v }) if v > VERSION => left_out.newer += 1,
            Ok(_) => match serde_json::from_slice(&line) {
                Ok(record) => visit(record),
                Err(_) => left_out.broken += 1,
            },
            Err(_) => left_out.broken += 1,
        }
    }
    Ok(())
}

/// The next line without what makes it too long; `false` at the end.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let piece = file.fill_buf()?;
        if piece.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(piece.len());
        let room = MOST_LINE.saturating_sub(line.len());
        line.extend_from_slice(&piece[..length.min(room)]);
        file.consume(length + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(true);
        }
    }
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
        let long = "x".repeat(MOST_LINE * 2);
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
