//! Languages, and what their syntax says about a piece of text.
//!
//! In: a language's name as editors send it, and text. Out: plain facts: is this inside a comment,
//! where does the block end, what is defined here ([`outline`]), which names are used
//! ([`references`]), what can be used at a place ([`scope`]). A language is a folder in `grammars/` and one line in [`LANGUAGES`]; without
//! one, `None` is the answer and indentation has to do.
//!
//! Every parse has a time budget: text comes from strangers.

pub mod calls;
mod names;
pub mod outline;
pub mod references;
pub mod scope;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use self::names::Names;
use tree_sitter::{Node, ParseOptions, Parser, Query, QueryCursor, StreamingIterator, Tree};

/// No parse takes longer. A window of 4 KB takes well under 1 ms.
const BUDGET: Duration = budget(20);

/// So many milliseconds; in unit tests enough of them that no busy machine decides what is found.
const fn budget(milliseconds: u64) -> Duration {
    Duration::from_millis(if cfg!(test) { 60_000 } else { milliseconds })
}

/// A language with a grammar.
pub struct Language {
    /// As in `textDocument.languageId`.
    pub id: &'static str,
    /// How its files end, without the dot.
    extensions: &'static [&'static str],
    grammar: tree_sitter_language::LanguageFn,
    structure: &'static str,
    names: &'static str,
    /// Characters at a line's end after which an indented block follows.
    pub openers: &'static [char],
    /// What begins a comment that ends with the line.
    pub comment: &'static str,
    compiled: OnceLock<Option<Query>>,
    of_outline: OnceLock<Option<Names>>,
    of_references: OnceLock<Option<Names>>,
}

macro_rules! language {
    ($id:literal, $extensions:expr, $grammar:expr, $openers:expr, $comment:literal) => {
        language!($id in $id, $extensions, $grammar, $openers, $comment)
    };
    ($id:literal in $folder:literal, $extensions:expr, $grammar:expr, $openers:expr, $comment:literal) => {
        Language {
            id: $id,
            extensions: $extensions,
            grammar: $grammar,
            structure: include_str!(concat!("../grammars/", $folder, "/structure.scm")),
            names: include_str!(concat!("../grammars/", $folder, "/names.scm")),
            openers: $openers,
            comment: $comment,
            compiled: OnceLock::new(),
            of_outline: OnceLock::new(),
            of_references: OnceLock::new(),
        }
    };
}

/// One line a language. `id in folder` shares the folder of another one.
#[rustfmt::skip]
static LANGUAGES: [Language; 10] = [
    language!("rust", &["rs"], tree_sitter_rust::LANGUAGE, &['{', '(', '['], "//"),
    language!("python", &["py", "pyi"], tree_sitter_python::LANGUAGE, &[':', '{', '(', '['], "#"),
    language!("typescript", &["ts", "mts", "cts"], tree_sitter_typescript::LANGUAGE_TYPESCRIPT, &['{', '(', '['], "//"),
    language!("typescriptreact" in "typescript", &["tsx"], tree_sitter_typescript::LANGUAGE_TSX, &['{', '(', '['], "//"),
    language!("javascript", &["js", "mjs", "cjs"], tree_sitter_javascript::LANGUAGE, &['{', '(', '['], "//"),
    language!("javascriptreact" in "javascript", &["jsx"], tree_sitter_javascript::LANGUAGE, &['{', '(', '['], "//"),
    language!("go", &["go"], tree_sitter_go::LANGUAGE, &['{', '(', '['], "//"),
    language!("c", &["c"], tree_sitter_c::LANGUAGE, &['{', '('], "//"),
    language!("cpp", &["cpp", "cc", "cxx", "hpp", "hh", "hxx", "h"], tree_sitter_cpp::LANGUAGE, &['{', '(', '['], "//"),
    language!("java", &["java"], tree_sitter_java::LANGUAGE, &['{', '('], "//"),
];

/// The language with this name, if there is a grammar for it.
pub fn language(id: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.id == id)
}

/// The name of a file's language, as an editor would say it; the file's ending where there is no
/// grammar.
pub fn language_of(file: &Path) -> String {
    let end = file.extension().unwrap_or_default().to_string_lossy().into_owned();
    let known = LANGUAGES.iter().find(|language| language.extensions.contains(&end.as_str()));
    known.map_or(end, |language| language.id.to_owned())
}

/// The endings of all files that there is a grammar for, without the dot.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(|language| language.extensions.iter().copied())
}

/// The structure of one text. Asked about one place at a time, because reading all of it out of the
/// tree takes longer than the parse.
pub struct Structure<'a> {
    tree: Tree,
    query: &'a Query,
    text: &'a str,
}

impl Language {
    /// Parses `text`; `None` when that takes too long.
    pub fn structure<'a>(&'a self, text: &'a str) -> Option<Structure<'a>> {
        self.structure_within(text, BUDGET)
    }

    /// [`structure`](Self::structure) with as much time as the caller has.
    pub fn structure_within<'a>(
        &'a self,
        text: &'a str,
        budget: Duration,
    ) -> Option<Structure<'a>> {
        let query = self.compiled()?;
        Some(Structure { tree: self.parse(text, Instant::now() + budget)?, query, text })
    }

    fn compiled(&self) -> Option<&Query> {
        let compile = || Query::new(&self.grammar.into(), self.structure).ok();
        self.compiled.get_or_init(compile).as_ref()
    }

    fn parse(&self, text: &str, deadline: Instant) -> Option<Tree> {
        let mut parser = Parser::new();
        parser.set_language(&self.grammar.into()).ok()?;
        let mut late = |_: &tree_sitter::ParseState| past(deadline);
        let options = ParseOptions::new().progress_callback(&mut late);
        let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
        parser.parse_with_options(&mut read, None, Some(options))
    }

    /// How many places of `text` do not parse; `None` when parsing takes too long.
    pub fn errors(&self, text: &str) -> Option<usize> {
        let tree = self.structure(text)?.tree;
        let (mut nodes, mut errors) = (vec![tree.root_node()], 0);
        while let Some(node) = nodes.pop() {
            errors += usize::from(node.is_error() || node.is_missing());
            let inner = (0..node.child_count() as u32).filter(|_| node.has_error());
            nodes.extend(inner.filter_map(|child| node.child(child)));
        }
        Some(errors)
    }
}

impl Structure<'_> {
    /// Is the byte at `at` inside a comment, a string or a character?
    pub fn is_opaque(&self, at: usize) -> bool {
        self.innermost("opaque", at).is_some()
    }

    /// Where the innermost block around the byte `at` ends, if it does: a bracketed one behind its
    /// bracket, a suite before the first text that is not part of it.
    pub fn block_end(&self, at: usize) -> Option<usize> {
        let block = self.innermost("block", at)?;
        let end = block.end_byte();
        let more_follows = || self.text.get(end..).is_some_and(|rest| !rest.trim().is_empty());
        (end <= self.text.len() && (closer(block).is_some() || more_follows())).then_some(end)
    }

    /// The smallest node around the byte `at` that the query captures under this name.
    fn innermost(&self, name: &str, at: usize) -> Option<Node<'_>> {
        let mut cursor = QueryCursor::new();
        cursor.set_byte_range(at..at + 1);
        let text = self.text.as_bytes();
        let mut captures = cursor.captures(self.query, self.tree.root_node(), text);
        let mut innermost: Option<Node> = None;
        while let Some((found, index)) = captures.next() {
            let capture = found.captures[*index];
            let node = capture.node;
            // A bracket that the parser made up closes nothing yet.
            let whole = closer(node).is_none_or(|bracket| !bracket.is_missing());
            if self.query.capture_names()[capture.index as usize] == name
                && node.byte_range().contains(&at)
                && whole
                && innermost.is_none_or(|other| node.byte_range().len() < other.byte_range().len())
            {
                innermost = Some(node);
            }
        }
        innermost
    }
}

/// The bracket at a block's end, if it is of the kind that has one.
fn closer(block: Node) -> Option<Node> {
    let last = block.child(block.child_count().saturating_sub(1) as u32);
    last.filter(|last| matches!(last.kind(), "}" | ")" | "]"))
}

fn past(deadline: Instant) -> ControlFlow<()> {
    match Instant::now() > deadline {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block around `$0` ends at `$1`, or nowhere.
    fn check(id: &str, fixture: &str) {
        let at = fixture.find("$0").expect("a cursor");
        let text = fixture.replace("$0", "");
        let end = text.find("$1");
        let text = text.replace("$1", "");
        let structure = language(id).expect(id).structure(&text).expect("a parse");
        assert_eq!(structure.block_end(at), end, "{fixture}");
    }

    #[test]
    fn every_query_compiles() {
        for language in &LANGUAGES {
            let queries = [language.outline_names(), language.reference_names()];
            assert!(language.compiled().is_some(), "{}", language.id);
            assert!(queries.iter().all(Option::is_some), "{}", language.id);
        }
    }

    #[test]
    fn a_rust_block_ends_behind_its_bracket() {
        check("rust", "fn f() {\n    $0let x = \"}\";\n    x\n}$1\n\nfn g() {\n");
        check("rust", "impl X {\n    fn f(&self) {\n        $0if a {\n        }\n    }$1\n");
        check("rust", "fn f() {\n    $0let x = 1;\n");
    }

    #[test]
    fn a_python_suite_ends_where_the_next_statement_is_not_part_of_it() {
        check("python", "def f():\n    $0x = 1\n    return x$1\n\ndef g():\n");
        check("python", "class A:\n    def f(self):\n        $0return 1$1\n\n    def g(self):\n");
        check("python", "def f():\n    $0x = 1\n    return x\n");
    }

    #[test]
    fn a_block_of_each_language_ends_where_its_bracket_closes() {
        let class = "class A {\n  f() {\n    $0g({ a: '}' })\n  }$1\n}\n";
        for id in ["typescript", "typescriptreact", "javascript", "javascriptreact"] {
            check(id, class);
        }
        check("typescript", "interface A {\n  $0b: string\n}$1\n");
        check("javascriptreact", "const a = () => {\n  $0return <b>}</b>\n}$1\n");
        check("go", "func f() {\n\t$0s := `}`\n\tif s {\n\t}\n}$1\n\nfunc g() {\n");
        check("c", "int f(void) {\n  $0char c = '}';\n  return 1;\n}$1\n");
        check("cpp", "namespace a {\nclass B {\n  $0int c;\n}$1;\n}\n");
        check("java", "class A {\n  void f() {\n    $0g(\"}\");\n  }$1\n}\n");
    }

    #[test]
    fn a_file_is_of_the_language_that_its_ending_says() {
        let expected = [
            ("rust", "rs"),
            ("python", "py pyi"),
            ("typescript", "ts mts cts"),
            ("typescriptreact", "tsx"),
            ("javascript", "js mjs cjs"),
            ("javascriptreact", "jsx"),
            ("go", "go"),
            ("c", "c"),
            ("cpp", "h cc cpp cxx hpp hh hxx"),
            ("java", "java"),
            ("lua", "lua"),
        ];
        for (id, endings) in expected {
            for ending in endings.split(' ') {
                assert_eq!(language_of(Path::new(&format!("a/b.{ending}"))), id);
            }
        }
    }

    #[test]
    fn comments_and_strings_are_opaque() {
        let text = "// a {\nlet s = \"b {\";\n";
        let structure = language("rust").unwrap().structure(text).unwrap();
        assert!(structure.is_opaque(5) && structure.is_opaque(text.find("b {").unwrap()));
        assert!(!structure.is_opaque(text.find("let").unwrap()));
    }
}
