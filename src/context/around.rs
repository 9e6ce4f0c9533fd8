//! How much of a document is read to know what is in scope at a place.
//!
//! In: a text and a place in it. Out: a short text that means the same there: the heads of what is
//! around the place, everything from some way above it, a little below it, and the brackets that are
//! then still open. By indentation, so it holds for any language. Pure.

use std::ops::Range;

/// Bytes above the place that are read as they are: a parse of them takes about a millisecond.
const ABOVE: usize = 4_000;
/// Bytes below the place.
const BELOW: usize = 400;
/// Bytes in which the heads of what is around a place are looked for.
const FARTHEST: usize = 128 * 1024;
/// A head is cut here, bytes.
const HEAD: usize = 600;

/// What is read, and where the place is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Around {
    pub text: String,
    /// Bytes into `text`.
    pub at: usize,
    /// What of `text` is near the place.
    pub near: Range<usize>,
}

/// What to read around the byte `at` of `text`; names used in the last `near` bytes count as near.
pub fn around(text: &str, at: usize, near: usize) -> Around {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let above = match text[..line].len().checked_sub(ABOVE) {
        None => 0,
        // The next whole line.
        Some(from) => {
            let from = text.floor_char_boundary(from);
            text[from..line].find('\n').map_or(line, |end| from + end + 1)
        }
    };
    let mut read = String::new();
    let heads = heads(text, line);
    let mut from = above;
    if let Some(outermost) = heads.iter().find(|&&head| head >= above) {
        from = *outermost;
    }
    // Above all heads there is only what is not around the place, except in the file itself.
    if heads.is_empty() || above == 0 {
        from = above;
    }
    for &head in heads.iter().filter(|&&head| head < from) {
        read.push_str(head_at(&text[head..from]));
    }
    let start = read.len();
    read.push_str(&text[from..at]);
    let here = read.len();
    // A suite with nothing in it does not parse: something stands for what will be written.
    if text[line..at].trim().is_empty() && text[..line].trim_end().ends_with(':') {
        read.push('_');
    }
    let below = text.floor_char_boundary((at + BELOW).min(text.len()));
    let line_end = text[at..below].rfind('\n').map(|end| at + end + 1);
    let below = line_end.filter(|_| below < text.len()).unwrap_or(below);
    read.push_str(&text[at..below]);
    let end = read.len();
    read.extend(open(&read).into_iter().rev());
    let near = read.floor_char_boundary(here.saturating_sub(near)).max(start)..end;
    Around { text: read, at: here, near }
}

/// Where what is around a line begins, the outermost first: lines that are indented less than all
/// below them.
fn heads(text: &str, line: usize) -> Vec<usize> {
    let floor = text.floor_char_boundary(line.saturating_sub(FARTHEST));
    let own = text[line..].lines().next().unwrap_or_default();
    let mut inner = indent(own).unwrap_or(usize::MAX);
    let (mut heads, mut end) = (Vec::new(), line);
    while end > floor && inner > 0 {
        let start = text[..end - 1].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[start..end - 1];
        if let Some(indent) = indent(line).filter(|indent| *indent < inner) {
            // `) -> Result {` ends a head that begins at the same indentation.
            let begins = |c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '#' | '"');
            let is_start =
                line.trim_start().starts_with(begins) && !line.trim_start().starts_with("where");
            inner = if is_start { indent } else { indent + 1 };
            if is_start {
                heads.push(start);
            }
        }
        end = start;
    }
    heads.reverse();
    heads
}

/// Of text that begins with a head: up to the line that opens what follows.
fn head_at(text: &str) -> &str {
    let cut = text.floor_char_boundary(HEAD);
    let mut end = 0;
    for line in text[..cut].split_inclusive('\n') {
        end += line.len();
        if line.trim_end().ends_with(['{', ':', '(']) && !line.trim_end().ends_with('(') {
            break;
        }
    }
    &text[..end]
}

fn indent(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches([' ', '\t']);
    (!rest.trim().is_empty()).then(|| line.len() - rest.len())
}

/// What would close the brackets that are open at the end. Strings are looked at only as far as a line
/// goes, comments not at all: a wrong bracket costs little.
fn open(text: &str) -> Vec<char> {
    let (mut open, mut quote) = (Vec::new(), None);
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            ('\\', Some(_)) => drop(letters.next()),
            ('\n', _) => quote = None,
            (c, Some(q)) if c == q => quote = None,
            (_, Some(_)) => {}
            ('"', None) => quote = Some(c),
            ('{', None) => open.push('}'),
            ('(', None) => open.push(')'),
            ('[', None) => open.push(']'),
            ('}' | ')' | ']', None) => {
                if let Some(at) = open.iter().rposition(|closer| *closer == c) {
                    open.truncate(at);
                }
            }
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text around `$0`, with `$0` where the place is.
    fn shown(fixture: &str) -> String {
        let at = fixture.find("$0").expect("a place");
        let around = around(&fixture.replace("$0", ""), at, 10);
        assert!(around.near.contains(&around.at) || around.near.end == around.at);
        format!("{}$0{}", &around.text[..around.at], &around.text[around.at..])
    }

    #[test]
    fn a_short_text_is_read_whole_and_closed() {
        assert_eq!(shown("fn f() {\n    g([\"{\", $0"), "fn f() {\n    g([\"{\", $0])}");
    }

    #[test]
    fn of_a_long_text_only_the_heads_around_the_place_are_read() {
        let other = "    fn other() {\n        more();\n    }\n".repeat(200);
        let text = format!(
            "use a;\n\nimpl<T> Shop<T>\nwhere\n    T: A,\n{{\n{other}    fn f(\n        &self,\n        a: A,\n    ) -> B {{\n        x$0\n    }}\n"
        );
        let shown = shown(&text);
        assert!(shown.starts_with("impl<T> Shop<T>\nwhere\n    T: A,\n{\n"), "{shown}");
        assert!(
            shown.contains("fn f(\n        &self,\n        a: A,\n    ) -> B {\n        x$0\n")
        );
        assert!(shown.ends_with('}') && shown.len() < 5_000);
    }

    #[test]
    fn of_a_long_function_the_head_is_read_too() {
        let body = "        more()\n".repeat(1_000);
        let text = format!("class A:\n    def f(self, a: A):\n{body}        x$0");
        let shown = shown(&text);
        assert!(shown.starts_with("class A:\n    def f(self, a: A):\n        more()\n"), "{shown}");
        assert!(shown.len() < 5_000);
    }

    #[test]
    fn a_place_anywhere_in_any_text_is_read() {
        for text in ["", "\n", "\n\n  é", "}\n  }\n {\n", "é é\n"] {
            for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let around = around(text, at, 3);
                assert!(around.text.len() >= text.len() && around.at <= around.text.len());
            }
        }
    }
}
