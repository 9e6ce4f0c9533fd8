//! What the model said → what a person is shown. Pure.
//!
//! In: generated text and the text around the cursor. Out: a [`Suggestion`], or nothing. Each
//! filter is one small function in `suggestion/`.

pub mod extent;
pub mod overlap;

pub use extent::Extent;

/// Text that the model writes about itself rather than the code; an answer ends there.
const MARKERS: [&str; 8] = [
    "<|cursor|>",
    "<|fim_",
    "<|endoftext|>",
    "<|file_sep|>",
    "<|repo_name|>",
    "<|im_start|>",
    "<|im_end|>",
    "```",
];

/// The text around a cursor, line breaks as `\n`.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Before the cursor, from the window's start.
    pub before: &'a str,
    /// The rest of the cursor's line.
    pub rest_of_line: &'a str,
    /// The lines below, without the line break that ends the cursor's line.
    pub below: &'a str,
    /// As in `textDocument.languageId`.
    pub language: &'a str,
}

impl<'a> Around<'a> {
    /// The cursor's line up to the cursor.
    pub fn line_before(&self) -> &'a str {
        &self.before[self.before.rfind('\n').map_or(0, |at| at + 1)..]
    }

    /// The first line below that is not blank.
    pub fn next_line(&self) -> Option<&'a str> {
        self.below.split('\n').find(|line| !line.trim().is_empty())
    }
}

/// Text to insert at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The text, line breaks as `\n`, indentation absolute.
    pub text: String,
    /// How many bytes right of the cursor it replaces: closers that the text brings itself.
    pub replaces: usize,
}

/// What to show of a generated text that was cut to its [`Extent`] already.
pub fn shape(generated: &str, around: Around) -> Option<Suggestion> {
    let text = without_markers(generated, around.language).trim_end();
    let text = overlap::without_rest_of_line(text, around.rest_of_line);
    let text = overlap::without_next_line(text, around);
    let text = text.trim_end();
    if text.trim().is_empty() {
        return None;
    }
    let replaces = overlap::closers_replaced(text, around.rest_of_line);
    if replaces == text.trim().len() && around.rest_of_line.starts_with(text.trim()) {
        return None; // Only what stands there already.
    }
    Some(Suggestion { text: text.to_owned(), replaces })
}

fn without_markers<'a>(text: &'a str, language: &str) -> &'a str {
    let applies = |marker: &&&str| **marker != "```" || language != "markdown";
    let ends = MARKERS.iter().filter(applies).filter_map(|marker| text.find(marker));
    &text[..ends.min().unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `$0` is where the text is inserted; `[` and `]` around the suggestion and what it replaces.
    fn check(fixture: &str, generated: &str, expect: &str) {
        let (before, after) = fixture.split_once("$0").expect("a cursor");
        let (rest_of_line, below) = after.split_once('\n').unwrap_or((after, ""));
        let around = Around { before, rest_of_line, below, language: "rust" };
        let shown = match shape(generated, around) {
            Some(s) => format!("{}|{}", s.text, &rest_of_line[..s.replaces]),
            None => "nothing".to_owned(),
        };
        assert_eq!(shown, expect, "{fixture:?} + {generated:?}");
    }

    #[test]
    fn a_special_token_ends_the_text() {
        check("let x = $0\n", "1;<|file_sep|>foo", "1;|");
        check("let x = $0\n", "<|cursor|>", "nothing");
        check("let x = $0\n", "1;\n```", "1;|");
    }

    #[test]
    fn white_space_alone_is_nothing() {
        check("let x = $0\n", "   \n  ", "nothing");
        check("let x = $0\n", "1;   ", "1;|");
    }

    #[test]
    fn closers_that_the_text_brings_are_replaced() {
        check("foo($0)\n", "a, b)", "a, b)|)");
        check("foo($0);\n", "a, bar(c));", "a, bar(c));|);");
        check("foo($0)\n", "a, b", "a, b|");
        check("foo(bar($0))\n", "x)", "x)|)");
        check("let s = \"$0\";\n", "abc\";", "abc\";|\";");
        check("fn f() {$0}\n", "\n    1\n}", "\n    1\n}|}");
        check("foo($0)\n", ")", "nothing");
    }

    #[test]
    fn text_right_of_the_cursor_is_not_repeated() {
        check("let x = $0 + y;\n", "a + y;", "a|");
        check("let x = $0 + y;\n", "a", "a|");
        check("if $0 { return 1; }\n", "a == b { return 1; }", "a == b|");
    }

    #[test]
    fn the_next_line_is_not_repeated() {
        check("    let $0\n    let b = 2;\n", "b = 2;", "nothing");
        check(
            "fn f() {$0\n    let b = 2;\n}\n",
            "\n    let a = 1;\n    let b = 2;",
            "\n    let a = 1;|",
        );
        check("impl A {\n    fn f() {$0\n}\n", "\n        1\n    }", "\n        1\n    }|");
        check("x = [$0\n]\n", "\n    1,\n]", "\n    1,|");
    }
}
