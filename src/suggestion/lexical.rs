//! Where brackets, strings and comments are, as far as one pass over the text can tell. Not a parse:
//! it also works at a cursor, where little parses, and takes microseconds.

/// What a place in a text is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Neither string nor comment.
    Code,
    /// A string or a character.
    String,
    /// A comment.
    Comment,
}

/// What a pass found.
#[derive(Debug)]
pub struct Scan {
    /// The brackets in the code, and where each is, bytes.
    pub brackets: Vec<(usize, char)>,
    /// What the end of the text is part of.
    pub end: Within,
}

/// Languages whose comments start with `#`, and `//` is something else.
const HASH: [&str; 14] = [
    "coffeescript",
    "cmake",
    "dockerfile",
    "elixir",
    "julia",
    "makefile",
    "nim",
    "perl",
    "python",
    "r",
    "ruby",
    "shellscript",
    "toml",
    "yaml",
];
/// Languages whose comments start with `--`.
const DASHES: [&str; 4] = ["elm", "haskell", "lua", "sql"];
/// Languages with strings between three quotes.
const TRIPLE: [&str; 8] = ["python", "elixir", "java", "julia", "kotlin", "scala", "swift", "toml"];
/// Languages with strings between backticks.
const BACKTICK: [&str; 7] =
    ["go", "javascript", "javascriptreact", "svelte", "typescript", "typescriptreact", "vue"];
/// Languages with regular expressions between slashes.
const SLASHES: [&str; 6] =
    ["javascript", "javascriptreact", "svelte", "typescript", "typescriptreact", "vue"];
/// Languages in which a quote may stand alone: a lifetime, or part of a name.
const LONE_QUOTE: [&str; 4] = ["rust", "haskell", "ocaml", "fsharp"];
/// Text that is neither code nor comment.
const PROSE: [&str; 4] = ["markdown", "plaintext", "latex", "html"];

/// Reads the text from its start, which must be code.
pub fn scan(text: &str, language: &str) -> Scan {
    let is = |list: &[&str]| list.contains(&language);
    let (hash, triple, lone) = (is(&HASH), is(&TRIPLE), is(&LONE_QUOTE));
    let mut brackets = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let part = match c {
            _ if is(&PROSE) => None,
            '#' if hash && is_word_start(text, at) => Some((Within::Comment, rest.find('\n'))),
            '-' if is(&DASHES) && rest.starts_with("--") => {
                Some((Within::Comment, rest.find('\n')))
            }
            '/' if !hash && rest.starts_with("//") => Some((Within::Comment, rest.find('\n'))),
            '/' if !hash && rest.starts_with("/*") => {
                Some((Within::Comment, rest[2..].find("*/").map(|end| end + 4)))
            }
            'r' if lone && is_word_start(text, at) => {
                raw_string(rest).map(|end| (Within::String, end))
            }
            '"' | '\'' if triple && rest.chars().take(3).eq([c; 3]) => {
                let close = &rest[..3];
                Some((Within::String, rest[3..].find(close).map(|end| end + 6)))
            }
            '\'' if lone => character(rest).map(|end| (Within::String, Some(end))),
            '/' if is(&SLASHES) && is_operand(&text[..at]) => {
                Some((Within::String, quoted(rest, c, false)))
            }
            '`' if is(&BACKTICK) => Some((Within::String, quoted(rest, c, true))),
            '"' | '\'' => Some((Within::String, quoted(rest, c, lone))),
            _ => None,
        };
        match part {
            Some((_, Some(end))) => at += end,
            Some((end, None)) => return Scan { brackets, end },
            None => {
                if "()[]{}".contains(c) {
                    brackets.push((at, c));
                }
                at += c.len_utf8();
            }
        }
    }
    Scan { brackets, end: Within::Code }
}

/// Where a string that starts here ends. A quote that is not closed on its line is none: `1'000`.
fn quoted(text: &str, quote: char, lines: bool) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| match c {
        _ if std::mem::take(&mut escaped) => None,
        '\\' => {
            escaped = true;
            None
        }
        '\n' if !lines => Some(quote.len_utf8()),
        c if c == quote => Some(at + c.len_utf8()),
        _ => None,
    })
}

/// Where a character that starts here ends: `'a'`, `'\n'`; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = &text[1..];
    let first = inside.chars().next()?;
    let length = match first {
        '\\' => 2 + inside.get(2..)?.find('\'')?,
        c => c.len_utf8(),
    };
    (length <= 12 && inside[length..].starts_with('\'')).then_some(length + 2)
}

/// Where a raw string that starts here ends: `r#"…"#`; within, that it has not ended.
fn raw_string(text: &str) -> Option<Option<usize>> {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let open = hashes + 2;
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(inside.find(&close).map(|end| open + end + close.len()))
}

/// Whether a value follows this text, rather than an operator.
fn is_operand(before: &str) -> bool {
    let before = before.trim_end();
    before.ends_with("return") || before.ends_with(['(', ',', '=', ':', '[', '!', '&', '|', '?'])
}

fn is_word_start(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    before.is_none_or(|c| !c.is_alphanumeric() && !"_$&{".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: &str, text: &str, brackets: &str, end: Within) {
        let scan = scan(text, language);
        let found: String = scan.brackets.iter().map(|(_, c)| c).collect();
        assert_eq!((found.as_str(), scan.end), (brackets, end), "{text:?}");
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        check("rust", "f(\"a)\", 'b', ')', '\\'', '\\u{7d}') // (", "()", Within::Comment);
        check("rust", "fn f<'a>(x: &'a str) {", "(){", Within::Code);
        check("rust", "f(r#\"a\")\"#, r\"\\\") /* ( */ }", "()}", Within::Code);
        check("rust", "f(\"two\n lines)\")", "()", Within::Code);
        check("python", "f('(', \"(\") # (\nx = 7 // (2)", "()()", Within::Code);
        check("python", "x = '''a\n(''' + f'{x", "", Within::String);
        check("python", "don't (\n)", "()", Within::Code);
        check("typescript", "f(`a ${b} (\n`) // it's", "()", Within::Comment);
        check("typescript", "s.replace(/[(\\/]/g, a / b[0] / c)", "([])", Within::Code);
        check("cpp", "f(1'000);\nf('(')", "()()", Within::Code);
        check("shellscript", "echo ${#x} $# # {", "{}", Within::Comment);
    }

    #[test]
    fn the_end_is_in_what_is_not_closed() {
        check("rust", "let s = \"abc", "", Within::String);
        check("rust", "let s = \"abc\" ", "", Within::Code);
        check("rust", "let s = r#\"abc\"", "", Within::String);
        check("rust", "    /// What it (does", "", Within::Comment);
        check("rust", "/* a\n * b", "", Within::Comment);
        check("python", "def f():\n    \"\"\"What it", "()", Within::String);
        check("python", "# a", "", Within::Comment);
        check("rust", "/*/ a", "", Within::Comment);
        check("lua", "f(a) -- b(", "()", Within::Comment);
        check("rust", "#[derive(A)]", "[()]", Within::Code);
        check("markdown", "it's # a (", "(", Within::Code);
    }
}
