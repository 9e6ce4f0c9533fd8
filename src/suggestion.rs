//! What the model said → what a person is shown. Pure.
//!
//! In: generated text and the text around the cursor. Out: a [`Suggestion`], or nothing. Each
//! filter is one small function in `suggestion/`; [`shape`] is their order. They only shorten the
//! text, or indent it otherwise: what is shown is what the model said.

mod above;
mod below;
mod blanks;
mod brackets;
mod breakage;
pub mod extent;
mod indent;
mod lexical;
mod loops;
mod markers;
pub mod members;
mod near;
mod overlap;
mod secrets;
mod short;
pub mod silence;

use std::borrow::Cow;

pub use extent::Extent;
pub use silence::Silence;

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
        self.lines_below().next()
    }

    /// The lines below that are not blank.
    fn lines_below(&self) -> impl Iterator<Item = &'a str> {
        self.below.split('\n').filter(|line| !line.trim().is_empty())
    }

    /// The lines above the cursor's that are not blank, the nearest first.
    fn lines_above(&self) -> impl Iterator<Item = &'a str> {
        let above = &self.before[..self.before.len() - self.line_before().len()];
        above.rsplit('\n').filter(|line| !line.trim().is_empty())
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
///
/// The order of the filters:
/// 1. It becomes plain code: up to a special token, without blanks too many, indented as the file is.
/// 2. It is cut where it says something again: itself, the rest of the line, the lines below.
/// 3. It is dropped if it only rewrites lines around, or has a secret that it made up.
/// 4. What is left must fit the syntax: its brackets, then a parse, which is the one slow step
///    (some 0.2 ms for a block; a single line is not parsed).
/// 5. It is dropped if that is too little, or stands there already.
pub fn shape(generated: &str, around: Around) -> Option<Suggestion> {
    let text = generated.replace('\r', "");
    let text = markers::without_markers(&text, around);
    let text = blanks::without_stray_blank(text, around);
    let text = indent::without_doubled_indent(text, around);
    let text = indent::in_own_blanks(text, around);
    let text = blanks::without_trailing_blanks(&text, around.language);

    let text = loops::without_loops(&text);
    let text = overlap::without_rest_of_line(text, around.rest_of_line);
    let text = below::without_next_line(text, around);
    let text = below::without_next_line_behind(text, around);
    let text = below::without_lines_below(text, around).trim_end();
    if below::rewrites_lines_below(text, around)
        || above::repeats_above(text, around)
        || secrets::has_invented_secret(text, around)
    {
        return None;
    }

    let text = brackets::balanced(text, around, replaced(text, around)).trim_end();
    let text = breakage::without_breakage(text, around, replaced(text, around));
    let replaces = replaced(text, around);
    // Only what stands there already.
    let there = replaces == text.trim().len() && around.rest_of_line.starts_with(text.trim());
    let shown = !text.trim().is_empty() && !there && !short::too_short(text);
    shown.then(|| Suggestion { text: text.to_owned(), replaces })
}

fn replaced(text: &str, around: Around) -> usize {
    overlap::closers_replaced(text, around.rest_of_line)
}

/// A line of a suggestion.
#[derive(Debug)]
struct Line<'a> {
    /// Where it starts in the suggestion, bytes.
    start: usize,
    /// As it will stand in the document: the first goes on from the cursor's line.
    whole: Cow<'a, str>,
}

/// The lines that are not blank.
fn lines<'a>(text: &'a str, around: Around) -> Vec<Line<'a>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if !line.trim().is_empty() {
            let whole = match start {
                0 => format!("{}{line}", around.line_before()).into(),
                _ => line.into(),
            };
            lines.push(Line { start, whole });
        }
        start += line.len() + 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text around `$0`.
    pub fn around<'a>(fixture: &'a str, language: &'a str) -> Around<'a> {
        let (before, after) = fixture.split_once("$0").expect("a cursor");
        let (rest_of_line, below) = after.split_once('\n').unwrap_or((after, ""));
        Around { before, rest_of_line, below, language }
    }

    /// What is shown of a text generated at `$0`: the text, `|`, and what it replaces.
    pub fn check_in(language: &str, fixture: &str, generated: &str, expect: &str) {
        let around = around(fixture, language);
        let shown = match shape(generated, around) {
            Some(s) => format!("{}|{}", s.text, &around.rest_of_line[..s.replaces]),
            None => "nothing".to_owned(),
        };
        assert_eq!(shown, expect, "{fixture:?} + {generated:?}");
    }

    const PIECES: [&str; 36] = [
        "let a = b(c, d[0]);",
        "let other = b(width, height);",
        "if a {",
        "} else {",
        "}",
        ")",
        "]",
        ");",
        "(",
        "[",
        "{",
        "\"",
        "'",
        "`",
        "\"\"\"",
        "r#\"",
        "// a",
        "#",
        "\n",
        "\n",
        "\n    ",
        "\n\t",
        "\r\n",
        "\r",
        "    ",
        " ",
        "\t",
        "好的",
        "👩‍👩‍👧",
        "e\u{301}",
        "\u{a0}",
        "<|",
        "|>",
        "<|fim_pad|>",
        "```",
        "a.a.a.a.a.a.a.",
    ];
    const LANGUAGES: [&str; 5] = ["rust", "python", "markdown", "go", "fsharp"];

    fn text(most: usize) -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            12 => prop::sample::select(&PIECES[..]).prop_map(String::from),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
    }

    fn marks(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_shown_is_the_beginning_of_what_was_said_and_can_be_inserted(
            before in text(24),
            after in text(24),
            generated in text(24),
            language in prop::sample::select(&LANGUAGES[..]),
        ) {
            // As the completer gives them: line breaks as `\n`.
            let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
            let fixture = format!("{}$0{}", plain(&before), plain(&after));
            let around = around(&fixture, language);
            if let Some(Suggestion { text, replaces }) = shape(&generated, around) {
                prop_assert!(marks(&generated).starts_with(&marks(&text)));
                prop_assert!(!text.trim().is_empty());
                prop_assert!(!text.contains('\r') && !text.contains("<|fim_pad|>"));
                prop_assert!(replaces <= around.rest_of_line.len());
                prop_assert!(around.rest_of_line.is_char_boundary(replaces));
                prop_assert!(language == "markdown" || text.split('\n').all(|l| l == l.trim_end()));
            }
            silence::why(around, silence::Asking::default());
        }
    }
}
