//! How many tokens a text has for Claude, estimated here: the exact count would have to be asked for,
//! with the text.

/// Bytes in a token of Claude's newer tokenizers. An assumption, meant to be on the low side, so that the
/// estimate is on the high side; the ledger corrects it once it knows what requests really had.
const BYTES: f64 = 3.0;

/// Tokens of a text, rather too many than too few.
pub fn estimate(text: &str) -> u64 {
    (text.len() as f64 / BYTES).ceil() as u64
}
