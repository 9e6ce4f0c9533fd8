//! The command line.

use crate::harness::gguf;
use crate::harness::{Home, said};

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // A description that is wrapped stands further right.
    let entries = lines.take_while(|line| !line.is_empty()).filter(|l| !l.starts_with("   "));
    let names = entries.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn every_command_has_a_help_with_an_example() {
    let home = Home::new();
    let all = home.run(&["--help"]);
    assert_eq!(all.code, Some(0));
    let model = home.run(&["model", "--help"]);
    let (commands, model_commands) = (listed(&all.stdout), listed(&model.stdout));
    for wanted in ["serve", "complete", "model", "doctor", "demo"] {
        assert!(commands.contains(&wanted), "{commands:?}");
    }
    for wanted in ["list", "pull", "import", "path", "verify", "recommend"] {
        assert!(model_commands.contains(&wanted), "{model_commands:?}");
    }
    let below_model = model_commands.iter().map(|name| vec!["model", name]);
    for mut command in commands.iter().map(|name| vec![*name]).chain(below_model) {
        command.push("--help");
        let help = home.run(&command);
        assert_eq!(help.code, Some(0), "{command:?}");
        assert!(help.stdout.contains("Example"), "{command:?}: {}", help.stdout);
        assert!(help.stdout.contains("tandem"), "{command:?}: {}", help.stdout);
    }
}

#[test]
fn the_version_names_the_build_of_llama_cpp() {
    let said = Home::new().run(&["--version"]);
    assert_eq!(said.code, Some(0));
    assert!(said.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", said.stdout);
    assert!(said.stdout.contains("llama.cpp"), "{}", said.stdout);
}

#[test]
fn a_wrong_command_line_fails_and_says_how_it_should_be() {
    let home = Home::new();
    let place = home.run(&["complete", "a.rs"]);
    assert_eq!(place.code, Some(2));
    assert!(place.stderr.contains("FILE:LINE:COL"), "{}", place.stderr);
    let command = home.run(&["compleat"]);
    assert_eq!(command.code, Some(2));
    assert!(command.stderr.contains("complete"), "{}", command.stderr);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Home::new().run(&["complete", "no/such/file.rs:1:1"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("no/such/file.rs"), "{}", said.stderr);
}

#[test]
fn a_data_folder_that_cannot_be_written_to_is_named() {
    let home = Home::new();
    let model = home.file("tiny.gguf");
    std::fs::write(&model, gguf::that_fills_in_the_middle()).expect("a file");
    // Nobody can make a folder below a file, not even root.
    let data = model.join("data");
    let mut command = home.command(&["model", "import"]);
    command.arg(&model).env("TANDEM_DATA_DIR", &data);
    let said = said(command);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains(&*data.to_string_lossy()), "{}", said.stderr);
    assert!(said.stderr.contains("TANDEM_DATA_DIR"), "{}", said.stderr);
}

#[test]
fn an_imported_model_is_listed_and_found() {
    let home = Home::new();
    let model = home.file("tiny.gguf");
    std::fs::write(&model, gguf::that_fills_in_the_middle()).expect("a file");
    let imported = home.run(&["model", "import", &model.to_string_lossy()]);
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    assert!(home.run(&["model", "list"]).stdout.contains("tiny"));
    let path = home.run(&["model", "path", "tiny"]);
    assert!(std::path::Path::new(path.stdout.trim()).is_file(), "{}", path.stdout);
    assert_eq!(home.run(&["model", "verify", "tiny"]).code, Some(0));
}

#[test]
fn an_html_page_is_not_imported() {
    let home = Home::new();
    let page = home.file("page.gguf");
    std::fs::write(&page, "<!doctype html>").expect("a file");
    let said = home.run(&["model", "import", &page.to_string_lossy()]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("HTML"), "{}", said.stderr);
    assert!(!home.file("data").join("models").join("page.gguf").exists());
}

#[test]
fn clearing_the_cache_removes_the_states_and_nothing_else() {
    let home = Home::new();
    let folder = home.file("cache").join("states");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a.kv"), "state").expect("a file");
    std::fs::write(folder.join("notes.txt"), "mine").expect("a file");
    assert_eq!(home.run(&["cache", "path"]).stdout.trim(), folder.to_string_lossy());
    let cleared = home.run(&["cache", "clear"]);
    assert_eq!(cleared.code, Some(0), "{}", cleared.stderr);
    assert!(cleared.stdout.starts_with("removed 1 state"), "{}", cleared.stdout);
    assert!(!folder.join("a.kv").exists() && folder.join("notes.txt").exists());
}
