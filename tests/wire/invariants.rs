//! What `src/lib.rs` promises of the sources themselves, held by reading them.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file's lines without its tests; `name` is its path below `src/`, with `/`.
struct Source {
    name: String,
    lines: Vec<String>,
}

/// All of `src/` that is compiled into the binary.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut only_for_tests = Vec::new();
    let mut sources: Vec<(PathBuf, Source)> = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let lines = without_tests(&file, &text, &mut only_for_tests);
        let below = file.strip_prefix(&root).expect("a file below src");
        let name = below.to_string_lossy().replace('\\', "/");
        sources.push((file, Source { name, lines }));
    }
    // With what lies in their folders.
    let is_test =
        |file: &Path, test: &PathBuf| file == test || file.starts_with(test.with_extension(""));
    sources.retain(|(file, _)| !only_for_tests.iter().any(|test| is_test(file, test)));
    assert!(sources.len() > 30, "the sources are not where they should be");
    sources.into_iter().map(|(_, source)| source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The lines up to the tests, which stand at a file's end here. Modules of their own that exist
/// only in tests are noted.
fn without_tests(file: &Path, text: &str, only_for_tests: &mut Vec<PathBuf>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.lines();
    while let Some(line) = rest.next() {
        let gate = line.trim_start().starts_with("#[cfg(") && line.contains("test");
        if !gate {
            lines.push(line.to_owned());
            continue;
        }
        // Two lines go; the numbers of the others stay right.
        lines.extend([String::new(), String::new()]);
        let gated = rest.next().unwrap_or_default().trim();
        let module = gated.rsplit_once("mod ").map(|(_, name)| name);
        match module.and_then(|name| name.strip_suffix(';')) {
            Some(name) => {
                let folder = file.with_extension("");
                only_for_tests.push(folder.join(format!("{name}.rs")));
            }
            None if module.is_some() => break,
            // A function or a `use` of its own: the line itself is of the tests.
            None => {}
        }
    }
    lines
}

/// Is this line code, rather than a comment?
fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

/// Lines of code that contain one of `names`, in files that `allowed` does not cover.
fn found(names: &[&str], allowed: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !allowed(&source.name)) {
        for (number, line) in source.lines.iter().enumerate() {
            if is_code(line) && names.iter().any(|name| line.contains(name)) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    found
}

const NOTHING: [&str; 0] = [];

#[test]
fn only_one_room_names_llama_cpp() {
    fn is_the_room(file: &str) -> bool {
        file == "engine/llama.rs" || file.starts_with("engine/llama/")
    }
    let names = ["llama_cpp_2", "llama_cpp_sys_2"];
    assert_eq!(found(&names, is_the_room), NOTHING);
}

#[test]
fn only_the_rooms_of_models_of_the_api_and_of_engines_elsewhere_can_open_a_connection() {
    fn is_allowed(file: &str) -> bool {
        let rooms = ["model/", "ask/api", "engine/remote/"];
        file == "net.rs" || rooms.iter().any(|room| file.starts_with(room))
    }
    let names = ["reqwest", "rustls", "TcpStream", "UdpSocket", "ToSocketAddrs"];
    assert_eq!(found(&names, is_allowed), NOTHING);
}

#[test]
fn only_the_door_listens_on_a_port() {
    assert_eq!(found(&["TcpListener"], |file| file == "http/door.rs"), NOTHING);
}

#[test]
fn only_the_rooms_of_the_protocol_name_tower_lsp() {
    let names = ["tower_lsp"];
    assert_eq!(found(&names, |file| file == "lsp.rs" || file.starts_with("lsp/")), NOTHING);
}

#[test]
fn the_pure_rooms_do_no_input_or_output() {
    fn is_pure(file: &str) -> bool {
        matches!(file, "prompt.rs" | "suggestion.rs" | "engine/cache.rs" | "engine/healing.rs")
            || file.starts_with("suggestion/")
    }
    assert!(sources().iter().filter(|source| is_pure(&source.name)).count() >= 4);
    let names = ["std::fs", "std::env", "std::net", "std::process", "std::io", "tokio", "tracing"];
    assert_eq!(found(&names, |file| !is_pure(file)), NOTHING);
}

#[test]
fn nothing_prints_to_standard_output_by_itself() {
    let prints = |line: &str| {
        line.match_indices("print").any(|(at, _)| {
            let is_macro = ["print!(", "println!("].iter().any(|m| line[at..].starts_with(m));
            is_macro && !line[..at].ends_with('e')
        })
    };
    let printing: Vec<String> = found(&["print!(", "println!(", "dbg!("], |_| false)
        .into_iter()
        .filter(|line| line.contains("dbg!(") || prints(line))
        .collect();
    assert_eq!(printing, NOTHING);
}

#[test]
fn nothing_panics_without_a_comment_that_says_why_it_cannot() {
    let mut bare = Vec::new();
    for source in sources() {
        for (number, line) in source.lines.iter().enumerate() {
            let panics = [".unwrap()", ".expect("].iter().any(|call| line.contains(call));
            let above = &source.lines[number.saturating_sub(2)..number];
            if is_code(line) && panics && above.iter().all(|line| is_code(line)) {
                bare.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    assert_eq!(bare, NOTHING);
}
