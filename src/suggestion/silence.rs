//! When nothing is suggested, before the model is asked.

use super::Around;
use super::lexical::{Within, scan};

/// Why nothing is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// A word goes on right of the cursor.
    WordContinues,
    /// The cursor is in a string or a comment.
    StringOrComment,
    /// The statement on the line has ended; what goes on is the next line.
    StatementEnded,
    /// There is no text to go on from.
    NothingAround,
}

/// The reason to suggest nothing, if there is one. None holds when a person asked (`invoked`).
///
/// `is_opaque` is what the syntax says about the byte before the cursor, and `false` where no parse
/// was made: strings and comments are told by their marks too, which also knows those that are only
/// being typed (`///`, `"""`). `allowed` is the setting `completion.in_strings_and_comments`.
///
/// That a finished statement wants nothing is Cody's, for `;` alone: behind `)` and `}` a chain or an
/// `else` may follow.
pub fn why(around: Around, is_opaque: bool, allowed: bool, invoked: bool) -> Option<Silence> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if invoked {
        None
    } else if around.rest_of_line.starts_with(is_word) {
        Some(Silence::WordContinues)
    } else if is_blank(around) {
        Some(Silence::NothingAround)
    } else if !allowed && (is_opaque || in_string_or_comment(around)) {
        Some(Silence::StringOrComment)
    } else if statement_ended(around) {
        Some(Silence::StatementEnded)
    } else {
        None
    }
}

fn is_blank(around: Around) -> bool {
    [around.before, around.rest_of_line, around.below].iter().all(|text| text.trim().is_empty())
}

fn in_string_or_comment(around: Around) -> bool {
    scan(super::extent::item(around.before), around.language).end != Within::Code
}

fn statement_ended(around: Around) -> bool {
    let line = around.line_before().trim_end();
    // `for (i = 0; ` goes on.
    let open = line.matches(['(', '[']).count() > line.matches([')', ']']).count();
    line.ends_with(';') && !open && around.rest_of_line.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::tests::around;
    use super::*;

    fn check(language: &str, fixture: &str, expect: Option<Silence>) {
        assert_eq!(why(around(fixture, language), false, false, false), expect, "{fixture:?}");
        assert_eq!(why(around(fixture, language), false, false, true), None, "{fixture:?}, asked");
    }

    #[test]
    fn within_a_word_there_is_silence() {
        check("rust", "let fo$0o\n", Some(Silence::WordContinues));
        check("rust", "let fo$0_o\n", Some(Silence::WordContinues));
        check("rust", "let 好$0的\n", Some(Silence::WordContinues));
        check("rust", "foo($0)\n", None);
    }

    #[test]
    fn in_a_string_or_comment_there_is_silence() {
        let silence = Some(Silence::StringOrComment);
        check("rust", "let s = \"ab$0\";\n", silence);
        check("rust", "fn f() {\n    // to $0\n", silence);
        check("rust", "/// What it $0\nfn f() {\n", silence);
        check("rust", "let s = \"ab\".$0\n", None);
        check("rust", "let c = '\"'; let d = $0\n", None);
        check("python", "def f():\n    \"\"\"$0\n", silence);
        check("python", "def f():\n    \"\"\"Does.\"\"\"\n    $0\n", None);
        check("python", "# what $0\n", silence);
        check("markdown", "It's $0\n", None);
    }

    #[test]
    fn in_a_string_or_comment_there_is_none_where_it_is_allowed() {
        let around = around("let s = ab$0\n", "rust");
        assert_eq!(why(around, true, false, false), Some(Silence::StringOrComment));
        assert_eq!(why(around, true, true, false), None);
    }

    #[test]
    fn behind_a_finished_statement_there_is_silence() {
        let ended = Some(Silence::StatementEnded);
        check("rust", "let a = b(c);$0\n", ended);
        check("rust", "let a = b(c); $0\n", ended);
        check("rust", "let a = b(c)$0\n", None);
        check("rust", "let a = b(c);\n$0\n", None);
        check("c", "for (i = 0;$0\n", None);
        check("c", "for (i = 0;$0)\n", None);
    }

    #[test]
    fn in_an_empty_document_there_is_silence() {
        check("rust", "\n  $0\n\n", Some(Silence::NothingAround));
        check("rust", "\n$0\nx\n", None);
    }
}
