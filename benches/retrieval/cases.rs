//! One question with a known answer.

use std::collections::HashMap;

use tandem::ask::bundle::Inquiry;

/// A question, and what has to change.
pub struct Case {
    pub set: &'static str,
    pub name: String,
    pub inquiry: Inquiry,
    /// Files, as the workspace names them.
    pub targets: Vec<String>,
    /// The line where the broken function begins, where it is one.
    pub function: Option<String>,
    /// Buffers that are not saved.
    pub buffers: HashMap<String, String>,
    /// What a person would search for.
    pub names: Vec<String>,
}

/// A number below `most` that is the same each time, and as good as random.
pub fn random(seed: &str, most: usize) -> usize {
    // FNV-1a, and a last step that mixes its upper bits in.
    let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((hash >> 32) % most.max(1) as u64) as usize
}
