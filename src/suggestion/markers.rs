//! Text that the model writes about itself rather than the code; an answer ends there.

use super::Around;

/// Documents in which a code fence is text like any other.
const FENCED: [&str; 4] = ["markdown", "mdx", "quarto", "rmd"];
/// How lines start on which a fence belongs to a comment.
const COMMENTS: [char; 6] = ['/', '#', '*', '-', ';', '%'];
/// How a special token starts and ends. All those of Qwen are of this form (`<|endoftext|>`,
/// `<|fim_pad|>`, `<|repo_name|>`, `<|file_sep|>`, `<|im_start|>`, …), and so are those that small
/// models spell out: `<|cursor|>`.
const TOKEN: (&str, &str) = ("<|", "|>");
/// A special token that the limit cut at the end is taken for one from this length on, bytes.
const PARTIAL: usize = 4;

/// The text up to the first special token or code fence.
pub fn without_markers<'a>(text: &'a str, around: Around) -> &'a str {
    let text = &text[..special_token(text).unwrap_or(text.len())];
    match FENCED.contains(&around.language) {
        true => text,
        false => &text[..fence(text, around.line_before()).unwrap_or(text.len())],
    }
}

fn special_token(text: &str) -> Option<usize> {
    let (open, close) = TOKEN;
    text.match_indices(open).map(|(at, _)| at).find(|&at| {
        let inside = &text[at + open.len()..];
        let name = inside.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        match name {
            // F# and Elm have `<|` as an operator, but never with a name and `|>` close behind.
            Some(name) => name > 0 && inside[name..].starts_with(close) || inside[name..] == *"|",
            None => open.len() + inside.len() >= PARTIAL,
        }
    })
}

/// A fence outside a comment: examples in documentation have them too.
fn fence(text: &str, line_before: &str) -> Option<usize> {
    text.match_indices("```").map(|(at, _)| at).find(|&at| {
        let line = &text[text[..at].rfind('\n').map_or(0, |at| at + 1)..at];
        let first = !text[..at].contains('\n') && !line_before.trim().is_empty();
        let head = if first { line_before } else { line };
        !head.trim_start().starts_with(COMMENTS)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{around, check_in};
    use super::*;

    #[test]
    fn every_special_token_of_qwen_ends_the_text() {
        let names = "endoftext im_start im_end fim_prefix fim_middle fim_suffix fim_pad repo_name \
                     file_sep object_ref_start box_end vision_pad image_pad cursor";
        for name in names.split_whitespace() {
            check_in("rust", "let x = $0\n", &format!("10;<|{name}|>foo\n"), "10;|");
        }
        check_in("rust", "let x = $0\n", "<|cursor|>", "nothing");
        check_in("rust", "let x = $0\n", "10;<|fim_", "10;|");
        check_in("rust", "let x = $0\n", "10;<|fim_pad|", "10;|");
        check_in("rust", "let x = $0\n", "10;<\r|file_sep|>", "10;|");
    }

    #[test]
    fn an_operator_that_looks_like_one_does_not() {
        check_in("fsharp", "let x = $0\n", "f <| g 10", "f <| g 10|");
        check_in("elm", "view = $0\n", "div [] <|List.map f xs", "div [] <|List.map f xs|");
        check_in("fsharp", "let x = $0\n", "xs |> map f <|", "xs |> map f <||");
    }

    #[test]
    fn a_code_fence_ends_code_but_not_markdown_or_a_comment() {
        check_in("rust", "let x = $0\n", "10;\n```", "10;|");
        check_in("python", "x = $0\n", "10 ```python", "10|");
        check_in("markdown", "Like so:\n$0\n", "```rust\nlet x = 1;", "```rust\nlet x = 1;|");
        check_in("rust", "/// Like so:\n/// $0\n", "```rust", "```rust|");
        let fixture = "fn f() {\n    $0\n}\n";
        let text = "/// ```\n    /// f();\n    fn g() {}\n    ```\n";
        let expect = "/// ```\n    /// f();\n    fn g() {}|";
        check_in("rust", fixture, text, expect);
    }

    #[test]
    fn a_fence_behind_code_on_a_line_that_a_person_began_is_one() {
        assert_eq!(without_markers("a ```", around("let x = $0", "rust")), "a ");
    }
}
