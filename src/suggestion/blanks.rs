//! Blanks that nobody wants: before the text, at the ends of its lines.

use super::Around;

/// Documents in which blanks at a line's end mean something.
const MEANT: [&str; 1] = ["markdown"];

/// The text without the one blank that a model puts before it where there is one already, or where
/// a bracket opens. CodeQwen 1.5 was known for it.
pub fn without_stray_blank<'a>(text: &'a str, around: Around) -> &'a str {
    let line = around.line_before();
    let wants_none = !line.trim().is_empty() && line.ends_with([' ', '\t', '(', '[']);
    match text.strip_prefix(' ') {
        Some(rest) if wants_none && !rest.starts_with(char::is_whitespace) => rest,
        _ => text,
    }
}

/// The text without blanks at the ends of its lines.
pub fn without_trailing_blanks(text: &str, language: &str) -> String {
    let line_end = |line| match MEANT.contains(&language) {
        true => line,
        false => str::trim_end(line),
    };
    let lines: Vec<&str> = text.trim_end().split('\n').map(line_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
    }

    #[test]
    fn one_blank_behind_a_blank_or_a_bracket_is_dropped() {
        check("let x = $0\n", " compute(a);", "compute(a);|");
        check("    compute($0)\n", " a, b", "a, b|");
        check("let x =$0\n", " compute(a);", " compute(a);|");
        check("let x = {$0\n", " compute(a) }", " compute(a) }|");
        check("let x = 1; $0\n", "  // aligned", "  // aligned|");
        check("    /**\n    $0\n", " * What it does.", " * What it does.|");
    }

    #[test]
    fn no_line_ends_in_blanks() {
        let fixture = "fn f() {$0\n";
        check(fixture, "\n    let a = 1;  \n\t\n    a\t\n}  ", "\n    let a = 1;\n\n    a\n}|");
        check(fixture, "  \n    1\r\n}", "\n    1\n}|");
        check_in("markdown", "$0\n", "One line  \nand another  ", "One line  \nand another|");
    }

    #[test]
    fn white_space_alone_is_nothing() {
        check("let x = $0\n", "   \n  ", "nothing");
        check("let x = $0\n", "10;   ", "10;|");
    }
}
