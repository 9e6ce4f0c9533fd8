//! A suggestion closes what it opens, and nothing that is not open.

use super::Around;
use super::extent::{item, item_end};
use super::lexical::{Scan, Within, scan};
use crate::syntax;

/// Cuts at a closer that fits no open bracket; and cuts several lines back to the last one where all
/// brackets they opened are closed, unless the text behind closes them. One line may stay open: a
/// block starts there, or an argument list goes on below.
///
/// Only for languages with a grammar: elsewhere brackets need not pair (`a)` in a shell's `case`).
///
/// `replaces` is what the text replaces of the rest of the line, bytes.
pub fn balanced<'a>(text: &'a str, around: Around, replaces: usize) -> &'a str {
    if syntax::language(around.language).is_none() {
        return text;
    }
    let before = item(around.before);
    let Scan { brackets, end } = scan(before, around.language);
    let mut open = Vec::new();
    // A window that starts in a string or comment is read wrongly; then nothing is known.
    if end != Within::Code || !brackets.into_iter().all(|bracket| step(&mut open, bracket)) {
        return text;
    }
    let joined = format!("{before}{text}");
    let from = before.len();
    let ours = scan(&joined, around.language).brackets.into_iter().filter(|(at, _)| *at >= from);
    let is_open = |open: &[(usize, char)]| open.last().is_some_and(|(at, _)| *at >= from);
    let mut balanced_to = 0;
    let mut last = 0;
    for (at, bracket) in ours {
        let line_end = text[..at - from].rfind('\n').unwrap_or(0);
        if !is_open(&open) && line_end > last {
            balanced_to = line_end;
        }
        last = at - from;
        if !step(&mut open, (at, bracket)) {
            return &text[..at - from];
        }
    }
    let first_end = text.len() - text.trim_start().len();
    let first_end = text[first_end..].find('\n').map_or(text.len(), |end| first_end + end);
    if !is_open(&open) || closers(around, replaces) >= open.len() {
        return text;
    }
    match text[..balanced_to].trim().is_empty() {
        true => &text[..first_end],
        false => &text[..balanced_to],
    }
}

/// How many brackets the text behind closes without opening them, in this item.
fn closers(around: Around, replaces: usize) -> usize {
    let rest = around.rest_of_line.get(replaces..).unwrap_or_default();
    let behind = format!("{rest}\n{}", item_end(around.below));
    let mut open = Vec::new();
    let mut closed = 0;
    for (_, bracket) in scan(&behind, around.language).brackets {
        match bracket {
            '(' | '[' | '{' => open.push(bracket),
            _ if open.pop().is_none() => closed += 1,
            _ => {}
        }
    }
    closed
}

/// Opens or closes a bracket; false for a closer of another kind than what is open. When nothing is,
/// it may have been opened above the window.
fn step(open: &mut Vec<(usize, char)>, (at, bracket): (usize, char)) -> bool {
    let opener = match bracket {
        ')' => '(',
        ']' => '[',
        '}' => '{',
        _ => {
            open.push((at, bracket));
            return true;
        }
    };
    open.pop().is_none_or(|(_, last)| last == opener)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
    }

    #[test]
    fn a_closer_that_fits_nothing_ends_the_text() {
        check("fn f() {\n    foo(bar$0\n", ", baz]);", ", baz|");
        check("fn f() {\n    foo(bar$0\n", ", baz));", ", baz)|");
        check("fn f() {\n    foo(bar$0\n", ", baz);", ", baz);|");
        check("fn f() {\n    $0\n", "let s = \")]\"; // )", "let s = \")]\"; // )|");
        check_in("shellscript", "{\n  case a in\n    $0\n", "one) two", "one) two|");
    }

    #[test]
    fn several_lines_are_cut_back_to_where_all_is_closed() {
        let fixture = "fn f() {$0\n}\n";
        check(fixture, "\n    let a = 1;\n    if a {\n        b();", "\n    let a = 1;|");
        check(
            fixture,
            "\n    let a = [\n        1,\n    ];\n    c(\n        d,",
            "\n    let a = [\n        1,\n    ];|",
        );
        check(fixture, "\n    if a {\n        b();", "\n    if a {|");
        check(fixture, "\n    if a {\n        b();\n    }", "\n    if a {\n        b();\n    }|");
    }

    #[test]
    fn what_the_text_behind_closes_may_stay_open() {
        check(
            "fn f() {$0\n    }\n}\n",
            "\n    if a {\n        b();",
            "\n    if a {\n        b();|",
        );
        check("fn f() {$0\n}\n\nfn g() {\n}\n}\n", "\n    if a {\n        b();", "\n    if a {|");
    }

    #[test]
    fn one_line_may_open_a_block_or_a_list() {
        check("fn f() {\n    $0\n", "if a {", "if a {|");
        check("fn f() {\n    $0\n", "foo(one,", "foo(one,|");
    }
}
