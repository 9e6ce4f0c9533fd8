//! What must hold for any bytes, one room for each place where bytes come in from outside.
//!
//! `make fuzz SECONDS=600` lets cargo-fuzz look for bytes for which it does not hold; `make test` replays
//! `corpus/`, in which what was found once stays. In: bytes. Out: nothing, or a panic that says what did
//! not hold.

pub mod blocks;
pub mod edits;
pub mod events;
pub mod frames;
pub mod gguf;
pub mod prompts;
pub mod states;
pub mod wire;

/// A target: its name, as its folder in `corpus/` has it, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("blocks", blocks::check),
    ("edits", edits::check),
    ("events", events::check),
    ("frames", frames::check),
    ("gguf", gguf::check),
    ("prompts", prompts::check),
    ("states", states::check),
    ("wire", wire::check),
];
