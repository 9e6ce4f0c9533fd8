//! A document that is too simple to be wrong: code units in a plain vector, lines split by hand.
//!
//! In: a text and a change. Out: the text afterwards. Refuses: ranges that end before they start, that cut a
//! character in two, that name a line far past the last. The fuzz targets use this file too.

use super::{Change, Encoding, Position};

/// Code units of one encoding, as numbers.
pub fn units(text: &str, encoding: Encoding) -> Vec<u32> {
    match encoding {
        Encoding::Utf8 => text.bytes().map(u32::from).collect(),
        Encoding::Utf16 => text.encode_utf16().map(u32::from).collect(),
        Encoding::Utf32 => text.chars().map(u32::from).collect(),
    }
}

/// The text of code units; none if they were cut inside a character.
pub fn text_of(units: &[u32], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf8 => String::from_utf8(units.iter().map(|&u| u as u8).collect()).ok(),
        Encoding::Utf16 => {
            String::from_utf16(&units.iter().map(|&u| u as u16).collect::<Vec<_>>()).ok()
        }
        Encoding::Utf32 => units.iter().map(|&u| char::from_u32(u)).collect(),
    }
}

/// Start and content end of every line, in code units.
pub fn model_lines(units: &[u32]) -> Vec<(usize, usize)> {
    let (lf, cr) = (u32::from('\n'), u32::from('\r'));
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < units.len() {
        let len = match units[at] {
            u if u == cr && units.get(at + 1) == Some(&lf) => 2,
            u if u == cr || u == lf => 1,
            _ => 0,
        };
        if len > 0 {
            lines.push((start, at));
            start = at + len;
        }
        at += len.max(1);
    }
    lines.push((start, units.len()));
    lines
}

/// Code unit offset of a position, clamped; none if the line is more than one past the last.
pub fn model_offset(units: &[u32], position: Position) -> Option<usize> {
    let lines = model_lines(units);
    match lines.get(position.line as usize) {
        Some((start, end)) => Some((start + position.character as usize).min(*end)),
        None if position.line as usize == lines.len() => Some(units.len()),
        None => None,
    }
}

/// The text after a change; none where the change must be refused.
pub fn model_change(text: &str, change: &Change, encoding: Encoding) -> Option<String> {
    let Some(range) = change.range else {
        return Some(change.text.clone());
    };
    let units = units(text, encoding);
    let start = model_offset(&units, range.start)?;
    let end = model_offset(&units, range.end)?;
    if range.start > range.end {
        return None;
    }
    // Each cut on its own: a cut pair could by chance be whole again once joined.
    let before = text_of(&units[..start], encoding)?;
    text_of(&units[..end], encoding)?;
    let after = text_of(&units[end..], encoding)?;
    Some(before + &change.text + &after)
}

/// The text after a batch; none where it must be refused whole. A full text later in the batch makes what
/// came before it unimportant.
pub fn model_batch(text: &str, batch: &[Change], encoding: Encoding) -> Option<String> {
    let full = batch.iter().rposition(|change| change.range.is_none()).unwrap_or(0);
    batch[full..]
        .iter()
        .try_fold(text.to_owned(), |text, change| model_change(&text, change, encoding))
}
