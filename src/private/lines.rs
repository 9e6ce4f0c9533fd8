//! Files of lines, as they are appended and read.
//!
//! In: an open file. Out: whole lines at its end, each batch one write; or its lines, one by one.
//! Refuses: to join what it appends to a line that was cut.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

/// Appends lines, each with its line break, behind whatever the file ends with: a line that was cut
/// (by a full disk) costs itself alone.
///
/// # Errors
/// When the file cannot be read or written. Part of the lines may stand there then.
pub fn append(file: &mut File, lines: &str) -> io::Result<()> {
    let start = if ends_with_a_line(file)? { "" } else { "\n" };
    file.write_all(format!("{start}{lines}").as_bytes())
}

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The next line without its break, and without what makes it longer than `most` bytes; `false` at
/// the end.
///
/// # Errors
/// When the file cannot be read.
pub fn next(file: &mut impl BufRead, most: usize, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let piece = match file.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(piece.len());
        let room = most.saturating_sub(line.len());
        line.extend_from_slice(&piece[..length.min(room)]);
        file.consume(length + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_cut_line_comes_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("f");
        std::fs::write(&path, "whole\ncut").unwrap();
        append(&mut crate::private::file(&path).unwrap(), "next\n").unwrap();
        append(&mut crate::private::file(&path).unwrap(), "last\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\ncut\nnext\nlast\n");
    }

    #[test]
    fn lines_are_read_to_the_last_one_and_long_ones_are_cut() {
        let mut file = io::BufReader::with_capacity(3, &b"a\n\nlonger\nend"[..]);
        let (mut line, mut seen) = (Vec::new(), Vec::new());
        while next(&mut file, 4, &mut line).unwrap() {
            seen.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(seen, ["a", "", "long", "end"]);
    }
}
