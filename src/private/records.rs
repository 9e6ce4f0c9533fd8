//! Records read: files with one line of JSON each, each with its version.
//!
//! In: a file. Out: each record, in the order of writing. Refuses: nothing; a line that is cut or no
//! record, or of a later version, is counted and left out. A file that is not there is empty.

use std::io::{self, BufReader, ErrorKind};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::lines;

/// Lines that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// No records: cut by a full disk, or written by something else.
    pub broken: usize,
    /// Of a later version of tandem.
    pub newer: usize,
}

/// What a line holds.
pub trait Versioned: DeserializeOwned {
    /// The latest version that is known.
    const LATEST: u32;
    /// Bytes; a line that is longer is no record.
    const MOST_LINE: usize;

    /// The version that the record says it is of.
    fn version(&self) -> u32;
}

/// Shows each record of a file to `visit`. One line is in memory at a time.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read<T: Versioned>(
    path: &Path,
    left_out: &mut LeftOut,
    mut visit: impl FnMut(T),
) -> io::Result<()> {
    let file = match super::file_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::with_capacity(64 << 10, file);
    let mut line = Vec::new();
    while lines::next(&mut file, T::MOST_LINE, &mut line)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<T>(&line) {
            Ok(record) if record.version() <= T::LATEST => visit(record),
            Ok(_) => left_out.newer += 1,
            Err(_) if is_newer::<T>(&line) => left_out.newer += 1,
            Err(_) => left_out.broken += 1,
        }
    }
    Ok(())
}

fn is_newer<T: Versioned>(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    serde_json::from_slice::<Version>(line).is_ok_and(|version| version.v > T::LATEST)
}
