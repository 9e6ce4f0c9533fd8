//! VS Code, in a browser: the tests are in `editors/vscode/e2e`, because what drives a browser well is written for
//! Node. Here is what they stand on: a desk, a package with the program under test, and Claude's stand-in.
//!
//! In: what `.ci/editors-vscode` has installed, and npm to make the package. Out: screenshots and what each test
//! says. Refuses to pass while one of them fails, or while something of the desk still runs after its window.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::desk::{Desk, editor, tandem, until};
use crate::stand_in::{KEY, Script, StandIn};

/// What Claude answers when it is asked for a change: it fits `pool.py` of the tests, and a second file.
const CHANGE: &str = "One was taken too many.\n\npool.py\n<<<<<<< SEARCH\n    return n - 1\n=======\n    return n\n\
    >>>>>>> REPLACE\n";

#[test]
#[ignore = "needs the editors: make editors"]
fn vs_code_is_driven_as_by_a_person() {
    let Some(code_server) = editor("code-server") else { return };
    let package = package(&code_server);
    let mut desk = Desk::new(Script::default());
    // The first answer stops in the middle, so that it can be seen while it comes.
    desk.stand_in = StandIn::new([Script::Slow, Script::Text(CHANGE.to_owned())]);
    // An engine that nobody uses ends at once: the last test waits for that.
    let config =
        format!("[engine]\nidle_minutes = 0\n[ask]\nbase_url = \"{}\"\n", desk.stand_in.address);
    std::fs::write(desk.home.join("config.toml"), config).expect("a file");
    let mut tests = Command::new(code_server.join("bin/node"))
        .args(["--test-reporter=spec", "run.mjs"])
        .current_dir(extension().join("e2e"))
        .envs(desk.environment())
        .env("TANDEM_CODE_SERVER", &code_server)
        .env("TANDEM_DESK", &desk.home)
        .env("TANDEM_PROJECT", desk.project())
        .env("TANDEM_VSIX", package)
        .env("TANDEM_SHOTS", Desk::picture("vscode/x").with_file_name(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut replies = tests.stdin.take().expect("its input");
    let lines = BufReader::new(tests.stdout.take().expect("its output")).lines();
    for line in lines {
        let line = line.expect("text");
        // What only this side knows, or can do.
        let reply = match line.as_str() {
            "@seen" => json!(desk.stand_in.seen().iter().map(|it| it.json()).collect::<Vec<_>>()),
            "@go on" => {
                desk.stand_in.go_on();
                json!("gone on")
            }
            _ => {
                println!("{line}");
                continue;
            }
        };
        writeln!(replies, "{reply}").expect("it reads");
    }
    assert!(tests.wait().expect("an end").success(), "a test of VS Code failed, see above");
    for request in desk.stand_in.seen() {
        assert_eq!(request.header("x-api-key"), Some(KEY));
    }
    let left = || desk.servers().into_iter().chain(desk.engines()).collect::<Vec<_>>();
    until(
        "end of the servers and the engine",
        || left().is_empty().then_some(()),
        || format!("{:?}", left()),
    );
}

fn extension() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode")
}

/// The extension's package with the program under test in it; `TANDEM_VSIX` names one that is there already.
fn package(code_server: &Path) -> PathBuf {
    if let Some(package) = std::env::var_os("TANDEM_VSIX") {
        return package.into();
    }
    // The Node.js that came with it is new enough, whatever else is here.
    let mut path = std::ffi::OsString::from(code_server.join("bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let npm = |arguments: &[&str]| {
        let mut npm = Command::new("npm");
        npm.args(arguments).current_dir(extension()).env("BINARY", tandem()).env("PATH", &path);
        let output = npm.output().expect("npm is here");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "npm {arguments:?}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    };
    // Written last by npm, so that it is newer than the lock file once all is there.
    let time = |file: &str| extension().join(file).metadata().and_then(|it| it.modified()).ok();
    if time("node_modules/.package-lock.json") <= time("package-lock.json") {
        npm(&["ci"]);
    }
    npm(&["run", "lint"]);
    npm(&["test"]);
    let said = npm(&["run", "package"]);
    said.trim_end().lines().last().expect("the package's path").into()
}
