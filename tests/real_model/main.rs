//! The real binary on the real model: real text is asserted, and how little work it took.
//!
//! All tests share one engine in a folder of its own and take turns, so that none pays for what
//! another evicts or for a second process on the same cores.
#![cfg(unix)]

mod adapters;
mod answers;
mod cache;
mod context;
mod crashes;
mod dice;
mod drafts;
mod engine;
mod hangs;
mod harness;
mod optimize;
#[cfg(target_os = "linux")]
mod sandbox;
mod typing;
mod walk;
