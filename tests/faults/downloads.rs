//! Downloads that break off, lie, or meet another one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::{Home, said, until};
use crate::hub::{Answer, Hub, model};

/// Of a model whose size and hash only the hub says.
const NAME: &str = "qwen2.5-coder-0.5b-base";
const FILE: &str = "qwen2.5-coder-0.5b-q8_0.gguf";

fn pull(home: &Home, hub: &Hub) -> Command {
    let mut command = home.command(&["model", "pull", NAME, "--source", "hub", "--no-optimize"]);
    command.env("HF_ENDPOINT", &hub.address).env("NO_PROXY", "127.0.0.1");
    command
}

fn installed(home: &Home) -> PathBuf {
    home.file("data").join("models").join(FILE)
}

/// The names in the folder of models.
fn left(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.file("data").join("models")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The bytes that are here of a download that has not ended.
fn here(home: &Home) -> u64 {
    let entries = fs::read_dir(home.file("data").join("models")).into_iter().flatten().flatten();
    let partial = entries.filter(|it| it.file_name().to_string_lossy().contains(".part"));
    partial.filter_map(|it| Some(it.metadata().ok()?.len())).max().unwrap_or_default()
}

#[test]
fn a_download_cut_at_sixty_percent_goes_on_from_there() {
    let (home, body) = (Home::new(), model());
    let cut = body.len() * 6 / 10;
    let hub = Hub::new(vec![Answer::cut(&body, cut), Answer::rest(&body, cut)]);
    let said = said(pull(&home, &hub));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(fs::read(installed(&home)).expect("a model") == body);
    assert!(hub.requests()[1].contains(&format!("range: bytes={cut}-")), "{:?}", hub.requests());
}

#[test]
fn all_of_the_file_instead_of_its_rest_is_taken_from_the_start() {
    let (home, body) = (Home::new(), model());
    let hub = Hub::new(vec![Answer::cut(&body, body.len() * 6 / 10), Answer::whole(&body)]);
    let said = said(pull(&home, &hub));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(fs::read(installed(&home)).expect("a model") == body);
}

#[test]
fn a_file_with_another_hash_never_gets_the_models_name() {
    let (home, body) = (Home::new(), model());
    let mut other = body.clone();
    *other.last_mut().expect("bytes") ^= 1;
    let hub = Hub::new(vec![Answer::other(&other, &body)]);
    let said = said(pull(&home, &hub));
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("SHA-256"), "{}", said.stderr);
    assert!(!left(&home).iter().any(|name| name.ends_with(".gguf")), "{:?}", left(&home));
    assert_eq!(here(&home), 0, "{:?}", left(&home));
}

#[test]
fn a_killed_download_is_taken_up_by_the_next_one() {
    let (home, body) = (Home::new(), model());
    let cut = body.len() * 6 / 10;
    let (begun, _open) = Answer::cut(&body, cut).held();
    let hub = Hub::new(vec![begun, Answer::rest(&body, cut)]);
    let mut first =
        pull(&home, &hub).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("tandem");
    until(|| (here(&home) >= cut as u64).then_some(())).expect("a partial file");
    first.kill().expect("a child");
    first.wait().expect("a child");
    assert!(!installed(&home).exists());
    let said = said(pull(&home, &hub));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(fs::read(installed(&home)).expect("a model") == body);
    assert!(hub.requests()[1].contains(&format!("range: bytes={cut}-")), "{:?}", hub.requests());
}

#[test]
fn of_two_downloads_at_once_one_waits_and_asks_for_nothing() {
    let (home, body) = (Home::new(), model());
    let cut = body.len() / 2;
    let (begun, go) = Answer::cut(&body, cut).held();
    let hub = Hub::new(vec![begun, Answer::rest(&body, cut)]);
    let start = || {
        let mut command = pull(&home, &hub);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("tandem")
    };
    let first = start();
    until(|| (here(&home) >= cut as u64).then_some(())).expect("a partial file");
    let mut second = start();
    // It says so before it waits.
    let mut words = Vec::new();
    let stderr = std::io::BufReader::new(second.stderr.take().expect("a pipe"));
    for line in std::io::BufRead::lines(stderr).map_while(Result::ok) {
        words.push(line.clone());
        if line.contains("wait") {
            break;
        }
    }
    drop(go);
    for mut child in [first, second] {
        let status = until(|| child.try_wait().expect("a child")).expect("an end");
        assert!(status.success(), "{words:?}");
    }
    assert!(fs::read(installed(&home)).expect("a model") == body);
    assert_eq!(hub.requests().len(), 2, "{:?}", hub.requests());
}

#[test]
fn a_full_disk_is_called_one_and_nothing_has_the_models_name() {
    let (home, body) = (Home::new(), model());
    let hub = Hub::new(vec![Answer::whole(&body)]);
    let models = home.file("data").join("models");
    fs::create_dir_all(&models).expect("a folder");
    let mount = format!("mount -t tmpfs -o size=128k none {}", models.display());
    let in_a_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    let can = in_a_namespace(&mount).stdin(Stdio::null()).output();
    if !can.is_ok_and(|can| can.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let plain = pull(&home, &hub);
    let words: Vec<String> = std::iter::once(plain.get_program())
        .chain(plain.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut command = in_a_namespace(&format!(
        "{mount} && {} ; code=$?; ls {} >&2; exit $code",
        words.join(" "),
        models.display()
    ));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = said(command);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("space") || said.stderr.contains("full"), "{}", said.stderr);
    assert!(!said.stderr.lines().any(|line| line == FILE), "{}", said.stderr);
}
