//! Files that people take for a model, told apart by how they begin.
//!
//! In: the first bytes of a file. Out: nothing, or the error with the right name. Refuses:
//! everything that does not begin with `GGUF`.

use std::io::Read;

use super::GgufError;

/// Passes what begins with the magic of a GGUF file. `length` is the file's, in bytes.
pub fn refuse(file: &mut impl Read, length: u64) -> Result<(), GgufError> {
    let mut first = Vec::with_capacity(64);
    file.take(64).read_to_end(&mut first)?;
    if first.is_empty() {
        return Err(GgufError::Empty);
    }
    if first.starts_with(b"GGUF") {
        return Ok(());
    }
    if first.starts_with(b"version https://git-lfs") {
        return Err(GgufError::LfsPointer);
    }
    if first.starts_with(b"PK\x03\x04") {
        return Err(GgufError::Zip);
    }
    if is_html(&first) {
        return Err(GgufError::Html);
    }
    if is_safetensors(&first, length) {
        return Err(GgufError::Safetensors);
    }
    let shown = &first[..first.len().min(8)];
    Err(GgufError::NotGguf { first: format!("\"{}\"", shown.escape_ascii()) })
}

fn is_html(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let text = text.trim_ascii_start().to_ascii_lowercase();
    [&b"<!doctype"[..], b"<html", b"<head", b"<?xml", b"<!--"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Eight bytes of header length, then the header, which is JSON.
fn is_safetensors(first: &[u8], length: u64) -> bool {
    let Some((size, rest)) = first.split_first_chunk::<8>() else {
        return false;
    };
    rest.starts_with(b"{\"") && u64::from_le_bytes(*size) <= length.max(1 << 20)
}
