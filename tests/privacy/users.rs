//! Folders, files and the socket as another user of the machine finds them.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tandem::engine::scripted::Scripted;

use crate::harness::{Home, Server, gguf, said};
use crate::{session, works};

/// How to do something as another user.
const OTHER: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

fn can(words: &[&str]) -> bool {
    works("setpriv", &[&OTHER[..], words].concat())
}

/// A home that lies open but for what closes itself, if there is another user who can come this far.
fn open_home(home: &Home) -> bool {
    if !can(&["true"]) {
        println!("skipped: this user cannot become another one");
        return false;
    }
    let public = home.file("public");
    std::fs::write(&public, "for everybody").expect("a file");
    for path in [public.parent().expect("a folder"), &public] {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("a mode");
    }
    let is_open = can(&["cat", &public.to_string_lossy()]);
    if !is_open {
        println!("skipped: another user cannot even reach the folder for temporary files");
    }
    is_open
}

/// Nobody else can read what is in this folder, or see what there is. How many files are there?
fn closed(folder: &Path) -> usize {
    let mode = std::fs::metadata(folder).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{}: {mode:o}", folder.display());
    assert!(!can(&["ls", &folder.to_string_lossy()]), "another user can list {folder:?}");
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .map(|entry| {
            let path = entry.expect("an entry").path();
            for tool in ["cat", "ls", "stat"] {
                let read = can(&[tool, &path.to_string_lossy()]);
                assert!(!read, "another user can {tool} {}", path.display());
            }
        })
        .count()
}

#[test]
fn another_user_finds_nothing_to_read_and_no_socket_to_speak_to() {
    let home = Home::new();
    if !open_home(&home) {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("demo");
    session(&home, command);
    let socket = std::fs::read_dir(home.file("run"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "sock"))
        .expect("the engine's socket");
    let connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";
    let speak = ["python3", "-c", connect, &socket.to_string_lossy()];
    if works(speak[0], &speak[1..]) {
        assert!(!can(&speak), "another user can connect");
    }
    let seen = closed(&home.file("run")) + closed(&home.file("cache").join("states"));
    assert!(seen >= 3, "a socket, a lock and a log at least");
    home.end_engines();
}

#[test]
fn another_user_cannot_read_the_journal_or_what_is_kept_of_questions() {
    // Nobody answers there.
    let settings = "ask.base_url = \"http://127.0.0.1:1\"\n";
    let home = Home::with_engine(Scripted::saying("a + b"), settings);
    if !open_home(&home) {
        return;
    }
    let file = home.file("a.rs");
    std::fs::write(&file, "fn a() {}\n").expect("a file");
    let mut ask = home.command(&["ask", "--yes", &format!("{}:1", file.display()), "why?"]);
    ask.env("ANTHROPIC_API_KEY", "sk-ant-of-a-test");
    let asked = said(ask);
    assert!(asked.stderr.contains("127.0.0.1"), "{}", asked.stderr);
    let mut server = Server::with_file_in(home, "let c = \n");
    server.ghost(0, 8);
    server.leave();
    let home = server.home();
    for folder in ["journal", "ledger"] {
        assert!(closed(&home.file("data").join(folder)) > 0, "nothing in the {folder}");
    }
}

#[test]
fn an_engine_of_another_user_is_not_spoken_to() {
    let (home, _) = Home::with_model("a.gguf", &gguf::that_fills_in_the_middle());
    // Where states lie is of the process that looks, and this one is not the binary.
    let settings = home.file("config.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("{text}[engine]\nstates_mb = 0\n")).expect("settings");
    let socket = home.meeting().socket_file();
    // Whoever listens is at the other end; where the socket lies does not matter.
    let listen = "import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
try:
    os.setuid(65534)
except OSError:
    sys.exit(3)
s.listen()
s.settimeout(30)
print('listening', flush=True)
heard = s.accept()[0].recv(1000)
print(len(heard), flush=True)";
    let mut other = Command::new("python3");
    other.args(["-c", listen]).arg(&socket).stdout(Stdio::piped());
    let Ok(mut other) = other.spawn() else {
        println!("skipped: no Python here");
        return;
    };
    let mut lines = BufReader::new(other.stdout.take().expect("a pipe")).lines();
    if !lines.next().is_some_and(|line| line.is_ok_and(|line| line == "listening")) {
        println!("skipped: this user cannot become another one");
        return;
    }
    std::fs::write(home.file("a.rs"), "fn a() {}\n").expect("a file");
    let place = format!("{}:1:1", home.file("a.rs").display());
    let refused = home.run(&["complete", &place]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("belongs to another user"), "{}", refused.stderr);
    let heard = lines.next().expect("a line").expect("a line");
    assert_eq!(heard, "0", "bytes were sent to another user's process");
    other.wait().expect("its end");
}

#[test]
fn a_folder_of_another_user_in_the_place_of_ours_is_refused() {
    let home = Home::new();
    let run = home.file("run");
    std::fs::create_dir(&run).expect("a folder");
    if std::os::unix::fs::chown(&run, Some(65534), Some(65534)).is_err() {
        println!("skipped: this user cannot give a folder away");
        return;
    }
    std::fs::write(home.file("a.rs"), "fn a() {}\n").expect("a file");
    let mut command = home.command(&["complete", &format!("{}:1:1", home.file("a.rs").display())]);
    command.env_remove("TANDEM_DATA_DIR");
    let refused = said(command);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("not private to you"), "{}", refused.stderr);
}
