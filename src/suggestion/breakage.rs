//! Text that breaks a syntax that was whole. The only filter that parses.

use super::Around;
use super::extent::{item, item_end};
use crate::syntax::{self, Language};

/// The first line, where the item around the cursor parses without the text, does not with it, but
/// does with that line; else the text as it is. Code at a cursor mostly does not parse, and then
/// nothing is compared. Cody prefers candidates with fewer errors; we have only one.
///
/// `replaces` is what the text replaces of the rest of the line, bytes.
pub fn without_breakage<'a>(text: &'a str, around: Around, replaces: usize) -> &'a str {
    let start = text.len() - text.trim_start().len();
    let line_end = text[start..].find('\n').map(|end| start + end);
    let (Some(line_end), Some(language)) = (line_end, syntax::language(around.language)) else {
        return text;
    };
    // A window that starts within something lacks what opened it: with a bracket too few before the
    // cursor and one too many behind it, half-written code looks whole.
    if item(around.before).starts_with(|c: char| c.is_whitespace() || "})]".contains(c)) {
        return text;
    }
    let errors = |text, replaces| errors(language, text, around, replaces);
    let line = &text[..line_end];
    // In this order, because nearly always the first is all that is asked. What cannot be parsed in
    // time says nothing.
    let broken = errors(text, replaces).is_some_and(|errors| errors > 0)
        && errors("", 0) == Some(0)
        && errors(line, 0) == Some(0);
    if broken { line } else { text }
}

fn errors(language: &Language, text: &str, around: Around, replaces: usize) -> Option<usize> {
    let Around { before, rest_of_line, below, .. } = around;
    let behind = rest_of_line.get(replaces..).unwrap_or_default();
    language.errors(&format!("{}{text}{behind}\n{}\n", item(before), item_end(below)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    #[test]
    fn lines_that_break_what_was_whole_are_not_shown() {
        let check = |fixture, generated, expect| check_in("rust", fixture, generated, expect);
        let fixture = "fn f() {$0\n}\n\nfn g( {\n";
        check(fixture, "\n    let a = 1;\n    let b = ;", "\n    let a = 1;|");
        check(fixture, "\n    let a = 1;\n    let b = a;", "\n    let a = 1;\n    let b = a;|");
        check(fixture, "\n    let a = ;\n    let b = a;", "\n    let a = ;\n    let b = a;|");
    }

    #[test]
    fn where_nothing_was_whole_nothing_is_compared() {
        let check = |fixture, generated, expect| check_in("rust", fixture, generated, expect);
        let text = "\n    let a = 1;\n    let b = ;";
        check("fn f(, {$0\n}\n", text, &format!("{text}|"));
        let half = "fn f() {\n    let x =\n        $0\n}\n";
        check_in("rust", half, "1;\n    let y = ;", "1;\n    let y = ;|");
        check_in("go", "func f() {$0\n}\n", text, &format!("{text}|"));
    }

    #[test]
    fn within_an_item_that_starts_above_the_window_nothing_is_compared() {
        let fixture = "    fn a() {}\n\n    fn b() {\n        for x in y {$0\n    }\n}\n";
        let text = "\n            let a = 1;\n            b(a);\n        }";
        check_in("rust", fixture, text, &format!("{text}|"));
    }

    #[test]
    fn python_is_checked_too() {
        let check = |fixture, generated, expect| check_in("python", fixture, generated, expect);
        check("x = [\n    $0\n]\n", "one,\n    two three,", "one,|");
        check("x = [\n    $0\n]\n", "one,\n    two,", "one,\n    two,|");
    }
}
