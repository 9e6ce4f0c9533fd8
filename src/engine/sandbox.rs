//! What a process that runs llama.cpp may do: read the model, keep its states, answer on its socket. So a
//! file or a prompt that makes llama.cpp do something else gets nowhere.
//!
//! In: which files it needs. Out: the process, restricted for good, with all threads that it starts from
//! then on; so it is called before there are any. On Linux by seccomp (which system calls) and Landlock (which
//! files, no TCP), each as far as the kernel has it; elsewhere nothing is restricted. What holds is
//! [said](held). Refuses: nothing; an engine without a sandbox is better than none, and `tandem doctor`
//! says so.
//!
//! `TANDEM_SANDBOX=off` in the environment of the server leaves it out, to find out whether it is the cause of
//! some trouble. No workspace can set it.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use std::path::PathBuf;
use std::sync::OnceLock;

/// The variable that leaves it out.
pub const VARIABLE: &str = "TANDEM_SANDBOX";

static HELD: OnceLock<String> = OnceLock::new();

/// The files that a process needs, besides the program's own and the system's.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Files and folders to read.
    pub read: Vec<PathBuf>,
    /// Files and folders to read and to write. Those that do not exist are left out.
    pub write: Vec<PathBuf>,
}

/// Restricts this process, once. To be called while it has one thread.
pub fn enter(places: &Places) {
    let held = match std::env::var_os(VARIABLE) {
        Some(value) if value == "off" => format!("none: {VARIABLE} is off"),
        _ => restrict(places),
    };
    tracing::debug!("sandbox: {held}");
    // A second call restricts further, which changes nothing that is said.
    let _ = HELD.set(held);
}

/// What holds in this process, for a person to read.
pub fn held() -> &'static str {
    HELD.get().map_or("none: this process runs no model", String::as_str)
}

#[cfg(target_os = "linux")]
fn restrict(places: &Places) -> String {
    // Landlock first: seccomp would not let its calls through for ever.
    let files = files::restrict(places);
    let calls = calls::restrict();
    format!("{calls}, {files}")
}

#[cfg(not(target_os = "linux"))]
fn restrict(_places: &Places) -> String {
    "none: it is made of what only Linux has".to_owned()
}
