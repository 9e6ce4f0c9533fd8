//! What the engine's process may do, seen from outside and tried from inside.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tandem::client::Editor;
use tandem::engine::sandbox::{self, Places};

use crate::harness::{Home, Typist, status, turn, until};

const ADD: &str = "fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n";
/// Set in a process that is to try what is forbidden: where it may read.
const TRIES: &str = "TANDEM_TEST_TRIES";

#[test]
fn every_thread_of_the_engine_is_restricted_and_the_status_says_so() {
    let turn = turn();
    let mut typist = Typist::new(&turn, "rust", ADD);
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    let held =
        status(&mut typist.client)["engine"]["sandbox"].as_str().unwrap_or_default().to_owned();
    let engine = turn.home.engine(&mut typist.client);
    println!("{held}");
    assert!(held.contains("seccomp"), "{held}");
    let tasks = fs::read_dir(format!("/proc/{engine}/task")).expect("a process");
    let mut threads = 0;
    for task in tasks {
        let status =
            fs::read_to_string(task.expect("a thread").path().join("status")).expect("a status");
        let says = |line: &str| status.lines().any(|l| l.split_whitespace().eq(line.split(' ')));
        assert!(says("Seccomp: 2") && says("NoNewPrivs: 1"), "{status}");
        threads += 1;
    }
    assert!(threads > 2, "{threads} threads");
}

#[test]
fn an_engine_gets_no_key() {
    let _turn = turn();
    let home = Home::with_environment(&[
        ("ANTHROPIC_API_KEY", "canary-key"),
        ("ANTHROPIC_AUTH_TOKEN", "canary-token"),
        ("TANDEM_HTTP_TOKEN", "canary-of-http"),
    ]);
    home.put_model();
    let mut client = home.server(json!({}));
    Editor::open(&mut client, "file:///a", "rust", "fn a() {}\n");
    let engine = home.engine(&mut client);
    let environment = fs::read(format!("/proc/{engine}/environ")).expect("an environment");
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH=") && !environment.contains("canary"), "{environment}");
}

#[test]
fn no_image_of_its_memory_is_left_when_it_crashes() {
    let _turn = turn();
    // Whoever starts the editor wants them, as long as may be.
    let most = getrlimit(Resource::Core).maximum;
    if most.is_some_and(|most| most <= 1) {
        println!("skipped: there are no images on this machine");
        return;
    }
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).expect("one's own limit");
    let home = Home::new();
    home.put_model();
    let mut client = home.server(json!({}));
    Editor::open(&mut client, "file:///a", "rust", "fn a() {}\n");
    let engine = home.engine(&mut client);
    let limits = fs::read_to_string(format!("/proc/{engine}/limits")).expect("a process");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let fields: Vec<&str> = core.expect("a limit").split_whitespace().skip(4).collect();
    assert_eq!(fields, ["1", "1", "bytes"]);
}

#[test]
fn with_the_sandbox_off_the_status_says_that_too() {
    let _turn = turn();
    let home = Home::with_environment(&[(sandbox::VARIABLE, "off")]);
    home.put_model();
    let mut client = home.server(json!({}));
    Editor::open(&mut client, "file:///a", "rust", "fn a() {}\n");
    home.engine(&mut client);
    let held = status(&mut client)["engine"]["sandbox"].clone();
    assert_eq!(held, json!("none: TANDEM_SANDBOX is off"));
}

#[test]
fn its_states_are_still_saved_and_read() {
    let _turn = turn();
    let home = Home::new();
    home.put_model();
    let saved = || {
        let entries = fs::read_dir(home.file("cache").join("states")).into_iter().flatten();
        entries.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "kv"))
    };
    let text =
        format!("{}{ADD}", "fn unrelated(argument: &str) -> usize { argument.len() }\n".repeat(12));
    let mut typist = Typist::with(&home, json!({}), "rust", &text);
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    // The first answer may be of a short prompt, which is not worth a file.
    until("the whole prompt is read", || {
        (typist.count("background_evaluated") > 100).then_some(())
    });
    typist.editor.clone().close(&mut typist.client);
    until("a state is saved", || saved().then_some(()));
}

/// Runs this test's binary again, as a process that enters the sandbox and tries.
#[test]
fn what_an_engine_has_no_use_for_is_refused() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (scratch.path().join("ours"), scratch.path().join("theirs"));
    for folder in [&ours, &theirs] {
        fs::create_dir(folder).expect("a folder");
        fs::write(folder.join("file"), "text").expect("a file");
    }
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "sandbox::tries", "--nocapture", "--test-threads", "1"])
        .env(TRIES, scratch.path())
        .env_remove(sandbox::VARIABLE)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all tried"), "{said}");
}

/// Only in the process that the test above starts; else nothing is done.
#[test]
fn tries() {
    let Some(scratch) = std::env::var_os(TRIES) else { return };
    let (ours, theirs) = (Path::new(&scratch).join("ours"), Path::new(&scratch).join("theirs"));
    let model = ours.join("file");
    let listener = std::os::unix::net::UnixListener::bind(theirs.join("socket")).expect("a socket");
    sandbox::enter(&Places { read: vec![model.clone()], write: vec![] });
    println!("{}", sandbox::held());
    let seccomp = sandbox::held().contains("seccomp,");
    let landlock =
        sandbox::held().contains("Landlock ") && !sandbox::held().contains("no Landlock");
    if seccomp {
        for address in ["127.0.0.1:9", "[::1]:9"] {
            let error = std::net::TcpStream::connect(address).expect_err("a connection");
            assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{address}: {error}");
        }
        let error = std::net::UdpSocket::bind("127.0.0.1:0").expect_err("a socket");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
        let error = std::os::unix::net::UnixStream::connect(theirs.join("socket"));
        assert_eq!(error.expect_err("a connection").raw_os_error(), Some(libc::EPERM));
        let error = std::os::unix::net::UnixDatagram::unbound().expect_err("a socket");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
        let error = Command::new("/bin/true").status().expect_err("a program");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
        // SAFETY: none of these calls reads or writes memory of ours.
        unsafe {
            for (call, what) in
                [(libc::SYS_io_uring_setup, "io_uring"), (libc::SYS_unshare, "unshare")]
            {
                assert_eq!(libc::syscall(call, 1, 0), -1, "{what}");
                assert_eq!(
                    std::io::Error::last_os_error().raw_os_error(),
                    Some(libc::EPERM),
                    "{what}"
                );
            }
            let (none, parent) = (std::ptr::null_mut::<libc::c_void>(), libc::getppid());
            assert_eq!(libc::ptrace(libc::PTRACE_SEIZE, parent, none, none), -1, "ptrace");
        }
        // What it does have a use for: threads, and a client that comes.
        assert_eq!(std::thread::spawn(|| 7).join().expect("a thread"), 7);
        drop(std::os::unix::net::UnixStream::pair().expect("a pair"));
    }
    if landlock {
        assert_eq!(fs::read_to_string(&model).expect("the model"), "text");
        for refused in [
            fs::read(theirs.join("file")).map(drop),
            fs::write(theirs.join("file"), "other"),
            fs::write(&model, "other"),
            fs::write(ours.join("new"), "other"),
            fs::remove_file(&model),
            fs::read_dir(std::env::home_dir().expect("a home")).map(drop),
        ] {
            let error = refused.expect_err("a file");
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{error}");
        }
    }
    drop(listener);
    println!("all tried");
}
