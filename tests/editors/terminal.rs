//! A terminal (tmux) with an editor in it: keys in, the screen out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::desk::{Desk, until};

/// A terminal of its own, which goes with this value, and the program in it.
pub struct Terminal {
    socket: PathBuf,
    /// For screens that are kept: the folder and the number of the next one.
    name: String,
}

/// Nobody's own settings; Escape is a key by itself at once, and colours are there to tell ghost text.
const SETTINGS: &str = "set -s escape-time 0\nset -g default-terminal tmux-256color\n\
    set -ga terminal-overrides ',*:Tc'\nset -g status off\nset -g remain-on-exit on\n";

impl Terminal {
    /// Starts a program in the desk's project, in a terminal of 100 columns and 30 lines. `name` is a path
    /// below `target/editors/` for the screens that are kept.
    pub fn start(desk: &Desk, name: &str, command: &[&str]) -> Terminal {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let settings = desk.home.join("tmux.conf");
        fs::write(&settings, SETTINGS).expect("a file");
        let terminal =
            Terminal { socket: desk.home.join(format!("tmux-{number}")), name: name.to_owned() };
        let mut tmux = terminal.tmux();
        tmux.arg("-f").arg(settings).args(["new-session", "-d", "-x", "100", "-y", "30"]);
        tmux.arg("-c").arg(desk.project());
        for (name, value) in desk.environment() {
            let mut pair = std::ffi::OsString::from(format!("{name}="));
            pair.push(&value);
            tmux.arg("-e").arg(pair);
            tmux.env(name, value);
        }
        tmux.arg("--").args(command);
        said(tmux.output());
        terminal
    }

    /// Types this text.
    pub fn keys(&self, text: &str) {
        said(self.tmux().args(["send-keys", "-l", "--", text]).output());
    }

    /// Presses keys by their tmux names: `Tab`, `Escape`, `C-x`, `M-]`.
    pub fn press(&self, keys: &[&str]) {
        said(self.tmux().arg("send-keys").args(keys).output());
    }

    /// The screen's text.
    pub fn screen(&self) -> String {
        said(self.tmux().args(["capture-pane", "-p"]).output())
    }

    /// Waits until the screen is as wanted, and returns it.
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let look = || Some(self.screen()).filter(|screen| wanted(screen));
        until(what, look, || self.screen())
    }

    /// Waits until this stands on the screen.
    pub fn shows(&self, text: &str) -> String {
        self.wait(&format!("`{text}` on the screen"), |screen| screen.contains(text))
    }

    /// Keeps the screen under this name.
    pub fn keep(&self, name: &str) {
        let file = Desk::picture(&format!("{}/{name}.txt", self.name));
        fs::write(file, self.screen()).expect("a file");
    }

    /// The process that runs in it.
    pub fn pid(&self) -> u32 {
        let pid = said(self.tmux().args(["display-message", "-p", "#{pane_pid}"]).output());
        pid.trim().parse().expect("a number")
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.env_remove("TMUX").arg("-S").arg::<&Path>(&self.socket);
        tmux
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep("failed");
        }
        let _ = self.tmux().arg("kill-server").output();
    }
}

fn said(output: std::io::Result<Output>) -> String {
    let output = output.expect("tmux runs");
    assert!(output.status.success(), "tmux: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
