//! The real binary over its real pipes, byte by byte. No model is needed: each test has folders of
//! its own, and the one for models is empty or holds a file that is none.

mod bursts;
mod commands;
mod frames;
// Shared with the tests of faults, which use other parts of it.
#[allow(dead_code)]
#[path = "../harness/server.rs"]
mod harness;
mod invariants;
mod lifecycle;
mod models;
mod settings;
mod stats;
