//! The stand-in before the official client: if that one is content with it, so may our tests be.
//!
//! The client comes from PyPI, once, into a folder beside the builds. It takes Python 3.10 with pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::stand_in::{ANSWER, KEY, Script, StandIn, USAGE};

/// It goes by the version of the API of 2026-10-21.
const SDK: &str = "anthropic==2.12.0";

/// A folder with the client, for the Python that is here.
fn sdk() -> PathBuf {
    let tag = Command::new("python3")
        .args(["-c", "import sys; print(sys.implementation.cache_tag)"])
        .output()
        .expect("this test needs Python 3.10 or newer, as `python3`; install it and run again");
    let tag = String::from_utf8_lossy(&tag.stdout).trim().to_owned();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{SDK}-{tag}"));
    if folder.is_dir() {
        return folder;
    }
    // Under another name until it is whole, so that a broken-off pip leaves nothing that looks so.
    let unfinished = folder.with_extension(format!("unfinished-{}", std::process::id()));
    let _ = fs::remove_dir_all(&unfinished);
    let pip = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
        .arg("--target")
        .arg(&unfinished)
        .arg(SDK)
        .env("PIP_USER", "0")
        .stdin(Stdio::null())
        .output()
        .expect("python3 has just been started");
    assert!(
        pip.status.success(),
        "pip could not install {SDK}, which this test checks the stand-in with; it needs Python 3.10 with pip, and a way to PyPI:\n{}",
        String::from_utf8_lossy(&pip.stderr)
    );
    if fs::rename(&unfinished, &folder).is_err() {
        // Somebody else was first.
        let _ = fs::remove_dir_all(&unfinished);
    }
    assert!(folder.is_dir(), "the client could not be put into {}", folder.display());
    folder
}

#[test]
fn the_official_client_takes_the_stand_in_for_the_api() {
    let refusal = json!({"type": "refusal", "category": "cyber", "explanation": "No."});
    let status = |status, kind| StandIn::new([Script::Status(status, kind, vec![])]);
    let stand_ins = [
        ("fine", StandIn::new([])),
        ("refusal", StandIn::new([Script::Stop("refusal", refusal)])),
        ("full", StandIn::new([Script::Stop("max_tokens", json!(null))])),
        ("limited_once", StandIn::new([Script::limited(1), Script::default()])),
        ("overloaded_once", StandIn::new([Script::overloaded(), Script::default()])),
        ("breaks", StandIn::new([Script::Fails { kind: "overloaded_error", after_text: true }])),
        ("cut", StandIn::new([Script::Cut { after_text: true }])),
        ("400", status(400, "invalid_request_error")),
        ("401", status(401, "authentication_error")),
        ("402", status(402, "billing_error")),
        ("403", status(403, "permission_error")),
        ("413", status(413, "request_too_large")),
        ("429", status(429, "rate_limit_error")),
        ("500", status(500, "api_error")),
        ("529", status(529, "overloaded_error")),
    ];
    let addresses: serde_json::Map<_, _> = stand_ins
        .iter()
        .map(|(name, stand_in)| ((*name).to_owned(), json!(stand_in.address)))
        .collect();
    let usage = [USAGE.input, USAGE.cache_write, USAGE.cache_read, USAGE.output];
    let told = json!({"addresses": addresses, "key": KEY, "text": ANSWER, "usage": usage});

    let mut python = Command::new("python3");
    python.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/claude/sdk.py"));
    python.arg(told.to_string()).env("PYTHONPATH", sdk()).stdin(Stdio::null());
    // Nothing of this machine's own: no other key, no proxy on the way to loopback.
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("ANTHROPIC_") || upper.ends_with("_PROXY") {
            python.env_remove(&name);
        }
    }
    let run = python.output().expect("python3 has been started before");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(
        run.status.success() && said.trim_end().ends_with("all is well"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let fine = &stand_ins[0].1;
    assert!(fine.seen().iter().any(|seen| seen.header("anthropic-version") == Some("2026-10-21")));
}
