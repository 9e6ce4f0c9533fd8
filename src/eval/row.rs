//! Rows: places to complete at, and what stood there. Pure.

use super::score::Wanted;

/// A line with the cursor inside has at least so many bytes.
pub const SHORTEST: usize = 8;

/// A place to complete at.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Where it is from, for a person.
    pub name: String,
    /// A part of the set that is also counted by itself.
    pub group: String,
    /// As in `textDocument.languageId`.
    pub language: String,
    pub uri: String,
    pub before: String,
    pub after: String,
    /// The rest of the line.
    pub hidden: String,
    /// White space before the answer does not count.
    pub trimmed: bool,
    pub call: Option<Call>,
    /// To be appended to the text, which is run then.
    pub tests: Option<String>,
}

/// What is called at the cursor.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: String,
    /// Its definition, as a line.
    pub definition: String,
}

impl Row {
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted { hidden: &self.hidden, after: &self.after, trimmed: self.trimmed }
    }

    /// The text as an editor has it open.
    pub fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// The text that nothing was hidden from.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.before, self.hidden, self.after)
    }

    /// The cursor's line up to the cursor.
    pub fn line_before(&self) -> &str {
        &self.before[self.before.rfind(['\n', '\r']).map_or(0, |at| at + 1)..]
    }
}

/// `most` of them, evenly spread.
pub fn spread<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let step = (all.len() as f64 / most.max(1) as f64).max(1.0);
    let wanted: Vec<usize> =
        (0..most.min(all.len())).map(|i| (i as f64 * step).ceil() as usize).collect();
    let chosen = all.into_iter().enumerate().filter(|(i, _)| wanted.binary_search(i).is_ok());
    chosen.map(|(_, one)| one).collect()
}

/// A number below `below` (0 where that is 0), the same for the same seed (SplitMix64).
pub fn random(seed: u64, below: usize) -> usize {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % below.max(1) as u64) as usize
}
