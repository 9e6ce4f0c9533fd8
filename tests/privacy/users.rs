//! Folders, files and the socket as another user of the machine finds them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Home;
use crate::{session, works};

#[test]
fn another_user_finds_nothing_to_read_and_no_socket_to_speak_to() {
    let other = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    if !works("setpriv", &[&other[..], &["true"]].concat()) {
        println!("skipped: this user cannot become another one");
        return;
    }
    let home = Home::new();
    // As open as a folder can be above ours: what closes them is their own mode.
    let open = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    };
    open(home.file("run").parent().expect("a folder"));
    let public = home.file("public");
    std::fs::write(&public, "for everybody").expect("a file");
    open(&public);
    if !works("setpriv", &[&other[..], &["cat", &public.to_string_lossy()]].concat()) {
        println!("skipped: another user cannot even reach the folder for temporary files");
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
        assert!(!works("setpriv", &[&other[..], &speak[..]].concat()), "another user can connect");
    }
    let folders = [home.file("run"), home.file("cache").join("states")];
    let mut seen = 0;
    for folder in &folders {
        let mode = std::fs::metadata(folder).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", folder.display());
        let files: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        seen += files.len();
        for path in files.iter().chain([folder]) {
            for tool in ["cat", "ls", "stat"] {
                let path = path.to_string_lossy();
                if path == folder.to_string_lossy() && tool == "stat" {
                    // Its name may be seen, and its mode.
                    continue;
                }
                let read = works("setpriv", &[&other[..], &[tool, &path]].concat());
                assert!(!read, "another user can {tool} {path}");
            }
        }
    }
    assert!(seen >= 3, "a socket, a lock and a log at least");
    home.end_engines();
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
    let said = crate::harness::said(command);
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    assert!(said.stderr.contains("not private to you"), "{}", said.stderr);
}
