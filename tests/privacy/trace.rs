//! System calls as they are really made, over a session of typing.

use std::process::Command;

use crate::harness::Home;
use crate::{session, works};

#[test]
fn a_session_connects_to_nothing_but_the_engines_own_socket() {
    if !works("strace", &["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]) {
        println!("skipped: there is no strace here, or it may not trace");
        return;
    }
    // The trace ends when the last process has: the engine goes soon after the editor.
    let home = Home::with_config("[engine]\nidle_minutes = 0\n");
    let trace = home.file("trace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "--seccomp-bpf", "-qq", "-s", "200", "-e", "trace=%network", "-o"])
        .arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_tandem")).arg("demo");
    session(&home, command);
    home.end_engines();
    let trace = std::fs::read_to_string(&trace).expect("a trace");
    let calls: Vec<&str> = trace.lines().filter(|line| line.contains('(')).collect();
    let of = |name: &str| -> Vec<&&str> {
        let call = format!(" {name}(");
        calls.iter().filter(|line| line.contains(&call)).collect()
    };
    assert!(!of("socket").is_empty() && !of("accept4").is_empty(), "nothing was traced:\n{trace}");
    for line in of("socket").into_iter().chain(of("socketpair")) {
        assert!(line.contains("AF_UNIX"), "{line}");
    }
    let ours = home.file("run").to_string_lossy().into_owned();
    for line in of("connect").into_iter().chain(of("bind")) {
        assert!(line.contains("AF_UNIX") && line.contains(&ours), "{line}");
    }
    // No address is named in anything that is sent, and nobody is asked for one.
    for line in of("sendto").into_iter().chain(of("sendmsg")).chain(of("sendmmsg")) {
        assert!(line.contains("NULL, 0") || line.contains("msg_namelen=0"), "{line}");
    }
    assert!(!trace.contains("AF_INET") && !trace.contains("AF_NETLINK"), "{trace}");
}
