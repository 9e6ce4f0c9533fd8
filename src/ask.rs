//! Asking Claude: a question that spans files, sent when a person says so and at no other time.
//!
//! ```text
//!  question ─▶ bundle ─▶ privacy ─▶ request ─▶ preview ─▶ (a person) ─▶ api ─▶ answer, edits
//!                                                   └───── ledger: reserved, settled ─────┘
//! ```
//!
//! In: a place in the workspace and a question. Out: an answer to read, and edits to look at. Refuses: to
//! send a byte that was not shown before, anything that ignore rules or [`privacy`] exclude, more money
//! than the budget has, and to act on an answer that is not complete.

pub mod answer;
pub mod api;
pub mod bundle;
pub mod cli;
pub mod conversation;
pub mod edits;
pub mod inert;
pub mod key;
pub mod ledger;
pub mod papers;
pub mod preview;
pub mod price;
pub mod privacy;
pub mod question;
pub mod request;
pub mod send;
pub mod sources;
pub mod tokens;
