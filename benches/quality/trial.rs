//! Programs that a model wrote a part of, run with their tests.
//!
//! In: a program. Out: whether its tests pass. It is code that nobody has read: it runs in a throw-away
//! folder, with a limit on time, memory and what it writes, with an empty environment, and without
//! a network where the system has `unshare`. Nothing keeps it from other files of this user. Refuses:
//! to run without a POSIX shell to set the limits; then nothing passes.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Seconds that a compiler may take, on a busy machine too, and a program: tests take well under one.
const COMPILING: u64 = 60;
const RUNNING: u64 = 10;
/// KiB of addresses; rustc needs about 1 GiB.
const MEMORY: u64 = 4 << 20;
/// Blocks of 512 bytes that a file may have.
const FILE: u64 = 100_000;
const LOOK: Duration = Duration::from_millis(5);

/// Where programs are run.
pub struct Bench {
    rustc: PathBuf,
    /// A network can be kept from them.
    apart: bool,
}

impl Bench {
    /// # Errors
    /// When there is no rustc or no Python, as a sentence.
    pub fn new() -> Result<Bench, String> {
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            let output = output.ok().filter(|output| output.status.success());
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        // The compiler itself: what is in the path may need an environment to find it.
        let sysroot = said("rustc", &["--print", "sysroot"]);
        let sysroot = sysroot.ok_or("humaneval-x needs rustc in the path")?;
        said("python3", &["--version"]).ok_or("humaneval-x needs python3 in the path")?;
        let apart = said("unshare", &["-rn", "true"]).is_some();
        Ok(Bench { rustc: Path::new(&sysroot).join("bin").join("rustc"), apart })
    }

    /// Do its tests pass? A program that cannot be run has failed.
    pub fn passes(&self, language: &str, program: &str) -> bool {
        self.run(language, program).unwrap_or(false)
    }

    fn run(&self, language: &str, program: &str) -> io::Result<bool> {
        let folder = tempfile::tempdir()?;
        if language == "python" {
            std::fs::write(folder.path().join("main.py"), program)?;
            return self.limited(&folder, RUNNING, &["python3", "-I", "main.py"]);
        }
        std::fs::write(folder.path().join("main.rs"), program)?;
        let rustc = self.rustc.to_string_lossy();
        let compile = [
            &*rustc,
            "--edition=2021",
            "--test",
            "-Awarnings",
            "-Cdebuginfo=0",
            "-omain",
            "main.rs",
        ];
        Ok(self.limited(&folder, COMPILING, &compile)?
            && self.limited(&folder, RUNNING, &["./main", "--test-threads=1"])?)
    }

    /// Whether a command ends well within its limits.
    fn limited(&self, folder: &TempDir, seconds: u64, command: &[&str]) -> io::Result<bool> {
        let limits = format!(
            "ulimit -v {MEMORY} && ulimit -t {seconds} && ulimit -f {FILE} && ulimit -c 0 && exec \"$@\""
        );
        let apart: &[&str] = if self.apart { &["unshare", "-rn", "--"] } else { &[] };
        let mut shell = Command::new("sh");
        shell.args(["-c", &limits, "sh"]).args(apart).args(command);
        shell.current_dir(folder.path()).env_clear();
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell.env("HOME", folder.path()).env("TMPDIR", folder.path());
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        group(&mut shell);
        let mut child = shell.spawn()?;
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > deadline {
                break None;
            }
            std::thread::sleep(LOOK);
        };
        // What it started goes too, also when it has ended itself.
        end(&mut child);
        Ok(status.is_some_and(|status| status.success()))
    }
}

/// Makes a command the first of a group, so that it can be ended with all that it starts.
#[cfg(unix)]
fn group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn group(_: &mut Command) {}

fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // A group that has ended is not there any more.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
