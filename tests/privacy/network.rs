//! No network at all: the whole path of a completion, from the editor to the model and back, where there is no
//! interface to speak through.

use std::process::{Command, Stdio};

/// Runs another test of this binary in a network namespace of its own, where the system allows that to this
/// user; in it not even loopback is up.
fn alone(test: &str) -> Option<std::process::Output> {
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let allowed = |way: &&&[&str]| {
        let mut command = Command::new("unshare");
        command.args(**way).arg("true").stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let way = ways.iter().find(allowed)?;
    let this = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.args(*way).arg(this).args(["--exact", test, "--nocapture", "--ignored"]);
    Some(command.output().expect("unshare runs"))
}

#[test]
fn completions_need_no_network() {
    let _turn = crate::turn();
    let Some(output) = alone("network::a_completion_without_a_network") else {
        println!("skipped: this user may not make a network namespace");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

/// Only in a namespace of its own, where the test above runs it.
#[test]
#[ignore = "run by completions_need_no_network"]
fn a_completion_without_a_network() {
    let interfaces = std::fs::read_to_string("/proc/net/dev").expect("a list");
    let lines: Vec<&str> = interfaces.lines().skip(2).collect();
    assert!(lines.iter().all(|line| line.trim_start().starts_with("lo:")), "{interfaces}");
    let error = std::net::UdpSocket::bind("127.0.0.1:0")
        .and_then(|socket| socket.send_to(b"x", "127.0.0.1:9"));
    assert!(error.is_err(), "there is a network");
    let home = crate::harness::Home::new();
    std::fs::write(home.file("add.rs"), "fn add(a: i32, b: i32) -> i32 {\n    a\n}\n")
        .expect("a file");
    let place = format!("{}:2:6", home.file("add.rs").display());
    let mut command = home.command(&["complete", &place]);
    // The user's own model; all else is of this home.
    command.env_remove("TANDEM_DATA_DIR");
    let said = crate::harness::said(command);
    assert_eq!((said.code, said.stdout.trim_end()), (Some(0), " + b"), "{}", said.stderr);
    home.end_engines();
}
