//! Asking Claude, against a stand-in of the API on this machine that is as strict as the real one.

#![cfg(feature = "net")]

mod api;
mod canaries;
mod desk;
mod edits;
mod flow;
// The same editor as in the tests of the server, which use other parts of it.
#[allow(dead_code)]
#[path = "../server/harness.rs"]
mod harness;
mod rules;
mod sdk;
mod stand_in;
