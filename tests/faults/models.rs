//! Model files that are none: named, and never given to llama.cpp.

use std::fs;

use serde_json::json;

use crate::harness::{Home, Server, gguf};

/// What a server, `doctor` and `complete` make of a model with this content: one message that says
/// `what`, empty answers, and an engine that has read no more than the header.
#[track_caller]
fn check_is_refused(content: &[u8], what: &str) {
    let (home, model) = Home::with_model("model.gguf", content);
    check_refuses(home, &model.display().to_string(), what);
}

#[track_caller]
fn check_refuses(home: Home, names: &str, what: &str) {
    let mut server = Server::with_file_in(home, "let x = ");
    assert_eq!(server.ghost(0, 8), json!([]));
    let message = server.message();
    assert!(message.contains(what) && message.contains(names), "{message}");
    for _ in 0..5 {
        assert_eq!(server.ghost(0, 8), json!([]));
        server.lives();
    }
    assert_eq!(server.status()["engine"]["state"], "failed");
    // llama.cpp says on its standard error which file it loads.
    for entry in fs::read_dir(server.home().file("run")).into_iter().flatten().flatten() {
        let path = entry.path();
        assert!(!entry.file_name().to_string_lossy().starts_with("core"), "{}", path.display());
        let said = fs::read_to_string(&path).unwrap_or_default();
        assert!(!said.contains("llama_model_loader") && !said.contains("GGML_ASSERT"), "{said}");
    }
    let farewell = server.leave();
    assert_eq!((farewell.code, farewell.messages().len()), (Some(0), 0));
}

/// Where a piece of a file is.
fn place(content: &[u8], piece: &str) -> usize {
    let piece = piece.as_bytes();
    content.windows(piece.len()).position(|window| window == piece).expect("a piece")
}

#[test]
fn a_pointer_of_git_lfs_is_called_one() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 491400032\n";
    check_is_refused(pointer.as_bytes(), "LFS");
}

#[test]
fn an_empty_file_is_called_empty() {
    check_is_refused(b"", "empty");
}

#[test]
fn two_to_the_63rd_facts_are_not_believed() {
    let mut model = gguf::that_fills_in_the_middle();
    model[16..24].copy_from_slice(&(1_u64 << 63).to_le_bytes());
    check_is_refused(&model, "model.gguf");
}

#[test]
fn a_dimension_of_zero_is_refused() {
    let mut model = gguf::that_fills_in_the_middle();
    let dimension = place(&model, "output_norm.weight") + "output_norm.weight".len() + 4;
    model[dimension..dimension + 8].fill(0);
    check_is_refused(&model, "model.gguf");
}

#[test]
fn a_model_that_is_not_what_was_imported_is_refused() {
    let home = Home::new();
    let file = home.file("mine.gguf");
    fs::write(&file, gguf::that_fills_in_the_middle()).expect("a file");
    let said = home.run(&["model", "import", &file.display().to_string()]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let installed = home.file("data").join("models").join("mine.gguf");
    let mut content = fs::read(&installed).expect("an installed model");
    *content.last_mut().expect("bytes") ^= 1;
    fs::write(&installed, content).expect("a file");
    fs::write(home.file("config.toml"), "model = \"mine\"\n").expect("settings");
    check_refuses(home, "mine", "SHA-256");
}
