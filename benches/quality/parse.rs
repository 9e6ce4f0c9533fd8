//! Does a whole file parse? In: a language and a text. Out: yes or no, however long it takes, unlike
//! `tandem::syntax`, whose answers must come in time. `None` without a grammar.

use tree_sitter::{Language, Parser};

/// Without any error.
pub fn parses(language: &str, text: &str) -> Option<bool> {
    let mut parser = Parser::new();
    parser.set_language(&grammar(language)?).ok()?;
    Some(!parser.parse(text, None)?.root_node().has_error())
}

fn grammar(language: &str) -> Option<Language> {
    Some(match language {
        "rust" => tree_sitter_rust::LANGUAGE.into(),
        "python" => tree_sitter_python::LANGUAGE.into(),
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        "typescriptreact" => tree_sitter_typescript::LANGUAGE_TSX.into(),
        "javascript" | "javascriptreact" => tree_sitter_javascript::LANGUAGE.into(),
        "go" => tree_sitter_go::LANGUAGE.into(),
        "c" => tree_sitter_c::LANGUAGE.into(),
        "cpp" => tree_sitter_cpp::LANGUAGE.into(),
        "java" => tree_sitter_java::LANGUAGE.into(),
        _ => return None,
    })
}
