//! The lines below the cursor are not written again, nor nearly.

use super::near::{nearly_equal, share};
use super::{Around, Line, lines};

/// Lines of the suggestion that are compared with those below.
const COMPARED: usize = 20;
/// A line this near to the next one is that line again, percent of its characters. Continue's.
const NEAR_LINE: usize = 10;
/// A shorter line stands behind another one by chance, letters and digits.
const LETTERS: usize = 4;
/// The first lines of a suggestion, and how near to those below they may not be, percent of their
/// characters. Tabby's.
const FIRST: usize = 3;
const NEAR_LINES: usize = 5;

/// Cuts lines at the end that are the first ones below.
pub fn without_lines_below<'a>(text: &'a str, around: Around) -> &'a str {
    let below: Vec<&str> = around.lines_below().take(COMPARED).collect();
    let mut kept = text;
    loop {
        let lines = lines(kept, around);
        let repeats = |&count: &usize| {
            let tail = &lines[lines.len() - count..];
            tail.iter().zip(&below).all(|(line, below)| repeats(line, below))
        };
        let Some(count) = (1..=below.len().min(lines.len())).rev().find(repeats) else {
            return kept;
        };
        kept = kept[..lines[lines.len() - count].start].trim_end();
    }
}

/// Cuts from the first line on that is nearly the next one below; nothing is left when that is the
/// first.
pub fn without_next_line<'a>(text: &'a str, around: Around) -> &'a str {
    let Some(next) = around.lines_below().next().filter(|next| is_words(next)) else {
        return text;
    };
    let again = |line: &&Line| {
        let (ours, below) = (line.whole.trim(), next.trim());
        let near = || nearly_equal(ours, below, share(ours, below, NEAR_LINE));
        is_words(ours) && is_placed(&line.whole, next) && near()
    };
    let found = lines(text, around).iter().find(again).map(|line| line.start);
    &text[..found.unwrap_or(text.len())]
}

/// Cuts the next line off the end of the text's last one: `self.map` and `.get(key)` stand on two
/// lines, and the model writes both on the first. What needs something behind it keeps it: `a = b(c)`
/// above `b(c)`.
pub fn without_next_line_behind<'a>(text: &'a str, around: Around) -> &'a str {
    let next = around.next_line().unwrap_or_default().trim();
    let letters = next.chars().filter(|c| c.is_alphanumeric()).count();
    let Some(left) = text.strip_suffix(next).filter(|_| letters >= LETTERS) else { return text };
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let cuts_a_name = next.starts_with(is_of_a_name) && left.ends_with(is_of_a_name);
    let kept = left.trim_end();
    let needs_more = kept.ends_with(['=', '(', '[', '{', '.', '+', '-', '*', '/', '&', '|', '!'])
        || kept.ends_with("return");
    // By itself on its line it may be another one.
    let stands_alone = left[left.rfind('\n').map_or(0, |at| at + 1)..].trim().is_empty();
    if cuts_a_name || needs_more || stands_alone { text } else { kept }
}

/// Whether the first lines are nearly those below.
pub fn rewrites_lines_below(text: &str, around: Around) -> bool {
    let lines = lines(text, around);
    let count = lines.len().min(FIRST);
    let mut below = around.lines_below();
    let placed = lines.first().zip(below.next());
    if !placed.is_some_and(|(line, below)| is_placed(&line.whole, below)) {
        return false;
    }
    let ours: Vec<&str> = lines[..count].iter().map(|line| line.whole.trim()).collect();
    let below: Vec<&str> = around.lines_below().take(count).map(str::trim).collect();
    let (ours, below) = (ours.join("\n"), below.join("\n"));
    is_words(&ours) && nearly_equal(&ours, &below, share(&ours, &below, NEAR_LINES).max(1))
}

fn repeats(line: &Line, below: &str) -> bool {
    is_placed(&line.whole, below) && line.whole.trim() == below.trim()
}

/// Whether a line stands where it may be that below. A deeper one is another: `return None;` is in
/// many blocks. One of closers must be at the same indentation: `}` follows `}`.
fn is_placed(line: &str, below: &str) -> bool {
    match is_words(below) {
        true => indent(line).len() <= indent(below).len(),
        false => indent(line) == indent(below),
    }
}

fn is_words(line: &str) -> bool {
    line.contains(char::is_alphanumeric)
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
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
        check("fn f() {\n    if a {$0\n    }\n}\n", "\n        b()\n    }", "\n        b()|");
    }

    #[test]
    fn the_next_line_is_not_repeated_behind_this_one() {
        let chain = "fn f() {\n    $0\n        .get(&key)\n}\n";
        check(chain, "self.map.get(&key)", "self.map|");
        check(chain, "self.map.get(&keys)", "self.map.get(&keys)|");
        check("f(\n    $0\n    b: Vec<u8>,\n)\n", "a: u8, b: Vec<u8>,", "a: u8,|");
        check("    let a$0\n    find(key);\n", " = find(key);", " = find(key);|");
        check("    $0\n    find(key);\n", "refind(key);", "refind(key);|");
        check(
            "fn f() {\n    if a {$0\n    return b;\n}\n",
            "\n        c();\n        return b;\n    }",
            "\n        c();\n        return b;\n    }|",
        );
        check(
            "fn f() {\n    if a {$0\n        }\n    return b;\n}\n",
            "\n        return b;",
            "\n        return b;|",
        );
    }

    #[test]
    fn several_lines_below_are_not_repeated() {
        let fixture = "use a;$0\n\nfn f() {\n    1\n}\n\nfn g() {\n    2\n}\n";
        check(fixture, "\nuse b;\n\nfn f() {\n    1\n}", "\nuse b;|");
        check(fixture, "\nuse b;\n\nfn h() {\n    1\n}", "\nuse b;\n\nfn h() {\n    1\n}|");
        check("fn f() {$0\n}\n\nlast();\n", "\n    a();\n}\nlast();", "\n    a();|");
    }

    #[test]
    fn the_same_line_in_a_deeper_block_is_another() {
        let check = |fixture, generated, expect| check_in("python", fixture, generated, expect);
        check("if a:\n    $0\nreturn None\n", "return None", "return None|");
        check("if a:$0\nreturn None\n", "\n    return None\nelse:", "\n    return None\nelse:|");
    }

    #[test]
    fn what_comes_after_the_next_line_goes_with_it() {
        let fixture = "fn f() {\n    a(\n        $0\n    let other = b(width, height);\n}\n";
        let text = "1);\n    let other = b(width, height)\n    let third = 3;";
        check(fixture, text, "1);|");
    }

    #[test]
    fn a_line_nearly_the_next_one_is_not_shown_but_its_sibling_is() {
        check("$0\nlet other = b(width, height);\n", "let other = b(width,height)", "nothing");
        check(
            "$0\nlet other = b(width, height);\n",
            "let other = b(width + 10)",
            "let other = b(width + 10)|",
        );
        check("struct P {\n    $0\n    y: i32,\n", "x: i32,", "x: i32,|");
        check(
            "    $0\n    assert_eq!(f(2), 4);\n",
            "assert_eq!(f(1), 3);",
            "assert_eq!(f(1), 3);|",
        );
        check(
            "    $0\n    Kind::Block => wide(a),\n",
            "Kind::Lines => wide(a),",
            "Kind::Lines => wide(a),|",
        );
    }

    #[test]
    fn the_first_lines_nearly_those_below_are_nothing() {
        let below =
            "    let first = one(a);\n    let second = two(b);\n    third(first, second);\n";
        let near =
            "let first = one(a)\n    let second = two( b );\n    third(first, second);\n    x";
        check(&format!("fn f() {{\n    $0\n{below}"), near, "nothing");
        let other = near.replace("one(a)", "none(c)");
        check(&format!("fn f() {{\n    $0\n{below}"), &other, &format!("{other}|"));
        let far_at_first = "go( a );\n    let second = two(b);\n    third(first, second);\n    x";
        let below = below.replace("let first = one(a)", "go(a)");
        check(&format!("fn f() {{\n    $0\n{below}"), far_at_first, "nothing");
        check("    $0\n    go(a, b)\n", "go(a,b)", "nothing");
    }
}
