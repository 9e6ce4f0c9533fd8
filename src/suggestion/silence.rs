//! When nothing is suggested, before the model is asked.

use super::lexical::{Within, scan};
use super::{Around, Suggestion};

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
    /// A single-line suggestion was accepted here, and nothing typed since.
    JustAccepted,
}

/// What the person has just accepted, up to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// A single-line suggestion, all of it.
    Accept,
    /// Part of a suggestion; this rest of it is still shown.
    Part(Suggestion),
}

/// What else there is to know of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asking<'a> {
    /// A person asked, rather than just typed.
    pub invoked: bool,
    /// The setting `completion.in_strings_and_comments`.
    pub in_strings_and_comments: bool,
    /// What was just accepted here.
    pub after: Option<&'a After>,
}

/// The reason to suggest nothing, if there is one. None holds when a person asked, nor for the rest
/// of a suggestion of which part was accepted: it is being read.
///
/// That a finished statement wants nothing is Cody's, for `;` alone: behind `)` and `}` a chain or an
/// `else` may follow. So is the silence after an accept: who has taken a line has what was wanted, and
/// goes on by Enter.
pub fn why(around: Around, asking: Asking) -> Option<Silence> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let Asking { invoked, in_strings_and_comments, after } = asking;
    if invoked || matches!(after, Some(After::Part(_))) {
        None
    } else if after == Some(&After::Accept) {
        Some(Silence::JustAccepted)
    } else if around.rest_of_line.starts_with(is_word) {
        Some(Silence::WordContinues)
    } else if is_blank(around) {
        Some(Silence::NothingAround)
    } else if !in_strings_and_comments && in_string_or_comment(around) {
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

/// By the marks, which also tells those that are only being typed (`///`, `"""`).
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
        let around = around(fixture, language);
        assert_eq!(why(around, Asking::default()), expect, "{fixture:?}");
        let invoked = Asking { invoked: true, ..Asking::default() };
        assert_eq!(why(around, invoked), None, "{fixture:?}, asked");
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
        let around = around("let s = \"ab$0\n", "rust");
        assert_eq!(why(around, Asking::default()), Some(Silence::StringOrComment));
        let allowed = Asking { in_strings_and_comments: true, ..Asking::default() };
        assert_eq!(why(around, allowed), None);
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
    fn behind_an_accepted_line_there_is_silence_and_behind_an_accepted_part_there_is_none() {
        let after = |after, invoked, fixture| {
            let asking = Asking { after: Some(&after), invoked, ..Asking::default() };
            why(around(fixture, "rust"), asking)
        };
        let accepted = Some(Silence::JustAccepted);
        assert_eq!(after(After::Accept, false, "let a = b(c)$0\n"), accepted);
        assert_eq!(after(After::Accept, true, "let a = b(c)$0\n"), None);
        let rest = Suggestion { text: "\n    x".into(), replaces: 0 };
        assert_eq!(after(After::Part(rest), false, "let a = b;$0\n"), None);
    }

    #[test]
    fn in_an_empty_document_there_is_silence() {
        check("rust", "\n  $0\n\n", Some(Silence::NothingAround));
        check("rust", "\n$0\nx\n", None);
    }
}
