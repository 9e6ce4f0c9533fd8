//! Nothing leaves, and nobody else looks in: the real binary with the real model, watched from outside.
//!
//! Each test says in so many words what this machine does not let it do: make a network namespace, trace system
//! calls, become another user.

#![cfg(target_os = "linux")]

// Shared with the tests of the wire, which use other parts of it.
#[allow(dead_code)]
#[path = "../harness/server.rs"]
mod harness;
mod network;
mod trace;
mod users;

use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::Home;

/// Waits until no other test runs a model: two engines at once on two cores keep each other waiting.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is this program here, and does it do what is asked?
pub fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A typing session with the user's own model; all else is of this home.
pub fn session(home: &Home, mut command: Command) -> String {
    let _turn = turn();
    command
        .env("TANDEM_RUNTIME_DIR", home.file("run"))
        .env("TANDEM_CACHE_DIR", home.file("cache"))
        .env("TANDEM_CONFIG", home.file("config.toml"))
        .stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}
