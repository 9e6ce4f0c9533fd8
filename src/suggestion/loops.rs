//! A model that has run out of things to say says them again: cut at the first repetition.

/// The same line this often in a row is a loop. Continue's.
const LINES: usize = 3;
/// The longest pattern looked for within the text, characters.
const PATTERN: usize = 12;
/// A pattern with a letter in it this often in a row is a loop. Tabby's.
const PATTERNS: usize = 6;
/// One of digits only, or a single letter: rows of zeros are common in tables, and so is
/// `HH:MM:SS.mmmmmm`.
const NUMBERS: usize = 16;
/// One hex digit: colours, masks, and empty hashes of up to 256 bits.
const DIGITS: usize = 65;
/// Repeated blocks must have a line longer than this, characters.
const LONG: usize = 10;

/// The text up to the first repetition.
pub fn without_loops(text: &str) -> &str {
    let text = &text[..repeated_lines(text).unwrap_or(text.len())];
    &text[..repeated_pattern(text).unwrap_or(text.len())]
}

/// Where the second of three equal lines, or of two equal blocks of lines, starts.
fn repeated_lines(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if !line.trim().is_empty() {
            lines.push((at, line.trim()));
        }
        at += line.len() + 1;
    }
    (0..lines.len()).find_map(|first| {
        let rest = &lines[first..];
        let size = (1..=rest.len() / 2).find(|&size| {
            let times = if size == 1 { LINES } else { 2 };
            let same = |n: usize| rest[n].1 == rest[n % size].1;
            let telling = rest[..size].iter().any(|(_, line)| match size {
                1 => line.contains(char::is_alphanumeric),
                _ => line.chars().count() > LONG && line.contains(char::is_alphanumeric),
            });
            telling && rest.len() >= times * size && (size..times * size).all(same)
        })?;
        Some(rest[size].0)
    })
}

/// Where the second of many copies of a short pattern starts.
fn repeated_pattern(text: &str) -> Option<usize> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let ends = (1..=PATTERN).filter_map(|size| {
        let mut run = 0;
        (size..chars.len()).find_map(|n| {
            run = if chars[n].1 == chars[n - size].1 { run + 1 } else { 0 };
            if run < size * (PATTERNS - 1) {
                return None;
            }
            let second = n + 1 - run;
            let times = most(&chars[second - size..second])?;
            (run >= size * (times - 1)).then(|| chars[second].0)
        })
    });
    ends.min()
}

/// How often a pattern may not come in a row; `None` for as often as it likes: blanks and rulers.
fn most(pattern: &[(usize, char)]) -> Option<usize> {
    let is = |test: fn(&char) -> bool| pattern.iter().any(|(_, c)| test(c));
    let same = |rest: &[(usize, char)], c| rest.iter().all(|(_, other)| *other == c);
    match pattern {
        [(_, c), rest @ ..] if c.is_ascii_hexdigit() && same(rest, *c) => Some(DIGITS),
        [(_, c), rest @ ..] if c.is_ascii_alphabetic() && same(rest, *c) => Some(NUMBERS),
        _ if is(|c| c.is_alphabetic()) => Some(PATTERNS),
        _ if is(|c| c.is_numeric()) => Some(NUMBERS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(generated: &str, expect: &str) {
        check_in("rust", "fn f() {\n    $0\n", generated, expect);
    }

    #[test]
    fn the_same_line_three_times_is_shown_once() {
        check("next();\n    next();\n\n    next();\n    last();", "next();|");
        check("next();\n    next();\n    last();", "next();\n    next();\n    last();|");
        check("a(\n(\n(\n(\n1))))", "a(\n(\n(\n(\n1))))|");
    }

    #[test]
    fn a_block_of_lines_is_shown_once() {
        let block = "if left < right {\n        go();\n    }";
        check(&format!("{block}\n    {block}"), &format!("{block}|"));
        let other = block.replace("left", "light");
        check(&format!("{block}\n    {other}"), &format!("{block}\n    {other}|"));
        check("{\n    }\n    {\n    }\n    end();", "{\n    }\n    {\n    }\n    end();|");
    }

    #[test]
    fn a_pattern_within_a_line_is_shown_once() {
        check("x = a.b.b.b.b.b.b.b;", "x = a.b|");
        check("f(的的的的的的的)", "f(的|");
        check("[0, 0, 0, 0, 0, 0, 0, 0]", "[0, 0, 0, 0, 0, 0, 0, 0]|");
        check(&"0, ".repeat(20), "0,|");
        check("x = 0xffff_ffff & 1000000000;", "x = 0xffff_ffff & 1000000000;|");
        check(&"0".repeat(64), &format!("{}|", "0".repeat(64)));
        check(&"0".repeat(70), "0|");
        check("\"HH:MM:SS.mmmmmm\"", "\"HH:MM:SS.mmmmmm\"|");
        check(&"m".repeat(20), "m|");
        check("// -----------------------", "// -----------------------|");
        check("a                         b", "a                         b|");
        check("f(g(f(g(f(g(1))))))", "f(g(f(g(f(g(1))))))|");
    }
}
