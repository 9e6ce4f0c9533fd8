//! Documents and workspaces that are far larger than anyone writes.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use tandem::engine::scripted::Scripted;

use crate::harness::{FILE, Home, INLINE, Server, until};

const OTHER: &str = "file:///other.rs";

fn open(server: &mut Server, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "rust", "version": 1, "text": text});
    server.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn ghost(server: &mut Server, uri: &str, character: u32) -> Value {
    let params = json!({
        "textDocument": {"uri": uri},
        "position": {"line": 0, "character": character},
        "context": {"triggerKind": 1},
    });
    server.request(INLINE, params)["result"].clone()
}

/// Bytes of memory that a process has.
fn resident(process: u32) -> u64 {
    let pid = sysinfo::Pid::from_u32(process);
    let mut system = sysinfo::System::new().expect("a system");
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).expect("a process").memory()
}

/// A document of this text is silent and says why; others do not notice, and the memory is bounded.
#[track_caller]
fn check_is_too_large(text: &str) {
    let home = Home::with_engine(Scripted::saying("1;"), "");
    let mut server = Server::with_file_in(home, "let x = \n");
    open(&mut server, OTHER, text);
    server.lives();
    assert_eq!(ghost(&mut server, OTHER, 3), json!([]));
    assert_eq!(server.status()["silent"], json!([{"uri": OTHER, "why": "too large"}]));
    // Typing goes on in it.
    for version in 2..50 {
        let range =
            json!({"start": {"line": 0, "character": 1}, "end": {"line": 0, "character": 1}});
        let params = json!({
            "textDocument": {"uri": OTHER, "version": version},
            "contentChanges": [{"range": range, "text": "a"}],
        });
        server.notify("textDocument/didChange", params);
    }
    server.lives();
    assert_eq!(ghost(&mut server, FILE, 8)[0]["insertText"], "let x = 1;");
    let memory = resident(server.pid());
    assert!(memory < 6 * text.len() as u64 + 300_000_000, "{memory} bytes");
    let closed = json!({"textDocument": {"uri": OTHER}});
    server.notify("textDocument/didClose", closed);
    assert_eq!(server.status()["silent"], json!([]));
    let farewell = server.leave();
    assert_eq!((farewell.code, farewell.messages().len()), (Some(0), 0));
}

#[test]
fn a_file_of_fifty_megabytes_is_silent_and_nothing_else_is() {
    let line = format!("let x = \"{}\";\n", "y".repeat(88)).replace('"', "'");
    check_is_too_large(&line.repeat(50_000_000 / line.len()));
}

#[test]
fn a_line_of_ten_megabytes_is_silent_and_nothing_else_is() {
    check_is_too_large(&"let x = 1; ".repeat(1_000_000));
}

#[test]
fn two_hundred_thousand_open_brackets_hold_nobody_up() {
    let home = Home::with_engine(Scripted::saying("1;"), "");
    let mut server = Server::with_file_in(home, "let x = \n");
    for (number, bracket) in ["(", "[", "{", "<", "((\n"].into_iter().enumerate() {
        let uri = format!("file:///brackets{number}.rs");
        open(&mut server, &uri, &bracket.repeat(200_000));
        server.lives();
        // Whatever is said there, it is said in time, and others are answered meanwhile.
        let params = json!({
            "textDocument": {"uri": uri},
            "position": {"line": 0, "character": 100_000},
            "context": {"triggerKind": 1},
        });
        let there = server.ask(INLINE, params);
        server.lives();
        assert_eq!(ghost(&mut server, FILE, 8)[0]["insertText"], "let x = 1;");
        assert!(server.answer(there)["result"].is_array());
    }
    assert_eq!(server.leave().code, Some(0));
}

#[test]
fn a_workspace_of_a_hundred_thousand_files_with_links_in_circles_is_read_while_one_works() {
    const SOURCES: usize = 300;
    let home = Home::with_engine(Scripted::saying("1;"), "");
    let (root, outside) = (home.file("work"), home.file("outside"));
    fs::create_dir_all(root.join("src")).expect("a folder");
    fs::create_dir_all(&outside).expect("a folder");
    fs::write(outside.join("secret.rs"), "pub fn outside() {}\n").expect("a file");
    symlink(&root, root.join("src/circle")).expect("a link");
    symlink("..", root.join("up")).expect("a link");
    symlink(&outside, root.join("elsewhere")).expect("a link");
    symlink(outside.join("secret.rs"), root.join("src/secret.rs")).expect("a link");
    symlink("/", root.join("everything")).expect("a link");
    symlink("itself.rs", root.join("itself.rs")).expect("a link");
    for number in 0..SOURCES {
        let text = format!("pub fn function_{number}() {{}}\n");
        fs::write(root.join(format!("src/file{number}.rs")), text).expect("a file");
    }
    for folder in 0..98 {
        let folder = root.join(format!("data{folder}"));
        fs::create_dir(&folder).expect("a folder");
        for file in 0..1_000 {
            fs::write(folder.join(file.to_string()), "").expect("a file");
        }
    }
    let folder = url::Url::from_file_path(&root).expect("a path");
    let mut server = Server::start_in(home, &[]);
    server.initialize(json!({"workspaceFolders": [{"uri": folder, "name": "work"}]}));
    server.open("let x = \n");
    server.lives();
    assert_eq!(ghost(&mut server, FILE, 8)[0]["insertText"], "let x = 1;");
    let read = until(|| {
        let files = server.status()["workspace"]["files"].as_u64().expect("a number");
        (files >= SOURCES as u64).then_some(files)
    });
    assert_eq!(read, Some(SOURCES as u64));
    server.lives();
    // What is behind links is not read later either.
    assert_eq!(server.status()["workspace"]["files"], json!(SOURCES));
    assert_eq!(server.status()["workspace"]["definitions"], json!(SOURCES));
    assert_eq!(server.leave().code, Some(0));
}
