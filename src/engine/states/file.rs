//! A saved state's file: one line of JSON ([`Header`]), then the keys and values.
//!
//! In: a [`Saved`], a folder. Out: the same, or nothing. Refuses: what is not whole, or not what was written: a
//! checksum over all of it says so.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Entry;
use crate::engine::healing::Token;

/// Raised when the form of the files changes.
const FORMAT: u32 = 1;
/// How a file's name ends.
pub const EXTENSION: &str = "kv";
/// How the name of a file begins that is not whole yet.
pub const UNFINISHED: &str = "saving-";
/// A header is some 20 KB; a longer line is not ours.
const MAX_HEADER: u64 = 4 << 20;

/// A sequence as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// As in [`Sequence::chosen_under`](crate::engine::cache::Sequence::chosen_under).
    pub chosen_under: Vec<Option<Box<[u8]>>>,
    /// Keys and values, in llama.cpp's form.
    pub state: Vec<u8>,
    /// The adapters that it was evaluated under, in words; empty for none.
    pub under: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Names the model and the build that made it.
    model: String,
    tokens: Vec<Token>,
    chosen_under: Vec<Option<Box<[u8]>>>,
    /// As in [`Saved`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    under: String,
    bytes: u64,
    /// Of the model, the adapters, the tokens and the state; also the file's name.
    sha256: String,
}

fn checksum(model: &str, saved: &Saved) -> String {
    let mut hash = Sha256::new();
    hash.update(model);
    hash.update(&saved.under);
    for token in &saved.tokens {
        hash.update(token.to_le_bytes());
    }
    hash.update(format!("{:?}", saved.chosen_under));
    hash.update(&saved.state);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a state of this model into a folder: which file it is.
///
/// # Errors
/// When it cannot be written; nothing of it is left then.
pub fn write(folder: &Path, model: &str, saved: &Saved) -> io::Result<PathBuf> {
    let header = Header {
        format: FORMAT,
        model: model.to_owned(),
        tokens: saved.tokens.clone(),
        chosen_under: saved.chosen_under.clone(),
        under: saved.under.clone(),
        bytes: saved.state.len() as u64,
        sha256: checksum(model, saved),
    };
    let path = folder.join(format!("{}.{EXTENSION}", &header.sha256[..32]));
    // Private from the start, and gone by itself if anything fails.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    serde_json::to_writer(&mut file, &header)?;
    file.write_all(b"\n")?;
    file.write_all(&saved.state)?;
    file.persist(&path)?;
    Ok(path)
}

/// What a file says of itself: its model, and an [`Entry`].
///
/// # Errors
/// When it cannot be read, or is not of this form.
pub fn look_at(path: &Path) -> io::Result<(String, Entry)> {
    let Header { model, tokens, under, .. } = read_header(&mut BufReader::new(File::open(path)?))?;
    Ok((model, Entry { path: path.to_owned(), tokens, under }))
}

fn read_header(file: &mut impl BufRead) -> io::Result<Header> {
    let mut line = Vec::new();
    file.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)?;
    let header: Header = serde_json::from_slice(&line)?;
    if header.format != FORMAT || header.chosen_under.len() != header.tokens.len() {
        return Err(io::Error::other("not a state that this version knows"));
    }
    Ok(header)
}

/// The state in a file.
///
/// # Errors
/// When it cannot be read, is of another model, larger than `cap` bytes, or not what was written.
pub fn read(path: &Path, model: &str, cap: u64) -> io::Result<Saved> {
    let mut file = BufReader::new(File::open(path)?);
    let length = file.get_ref().metadata()?.len();
    let Header { model: made_by, tokens, chosen_under, under, bytes, sha256, .. } =
        read_header(&mut file)?;
    let follow = length.checked_sub(file.stream_position()?);
    if made_by != model || follow != Some(bytes) || bytes > cap {
        return Err(io::Error::other("of another model, or not of the length that it says"));
    }
    // A file with holes has any length for nothing: only what could have been saved is read.
    let mut state = Vec::new();
    file.take(bytes).read_to_end(&mut state)?;
    let saved = Saved { tokens, chosen_under, state, under };
    if checksum(model, &saved) != sha256 {
        return Err(io::Error::other("its checksum is wrong"));
    }
    Ok(saved)
}
