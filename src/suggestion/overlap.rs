//! Text right of the cursor is not written again: the rest of the line, and the closers.

/// Cuts what repeats the text right of the cursor, when that is more than closers.
pub fn without_rest_of_line<'a>(text: &'a str, rest_of_line: &str) -> &'a str {
    let rest = rest_of_line.trim();
    if rest.is_empty() || !rest.contains(|c: char| c.is_alphanumeric()) {
        return text;
    }
    // With text to the right only one line makes sense.
    let text = text.split('\n').next().unwrap_or_default();
    if let Some(at) = text.find(rest) {
        return text[..at].trim_end();
    }
    let overlap = (1..=rest.len().min(text.len()))
        .rev()
        .filter(|&n| rest.is_char_boundary(n) && text.is_char_boundary(text.len() - n))
        .find(|&n| text.ends_with(&rest[..n]));
    match overlap {
        // A single shared character is as likely the end of a word.
        Some(n) if n > 1 => text[..text.len() - n].trim_end(),
        _ => text,
    }
}

/// How many bytes of the closers right of the cursor the text brings itself.
pub fn closers_replaced(text: &str, rest_of_line: &str) -> usize {
    let rest = rest_of_line.trim_end();
    if rest.is_empty() || rest.contains(|c: char| c.is_alphanumeric()) {
        return 0;
    }
    let brought = unmatched_closers(text);
    let mut brought = brought.chars();
    let mut replaced = 0;
    for c in rest.chars() {
        let matched = match c {
            ' ' | '\t' => true,
            ';' | ',' => text.trim_end().ends_with(c),
            c => brought.next() == Some(c),
        };
        if !matched {
            break;
        }
        replaced += c.len_utf8();
    }
    rest[..replaced].trim_end().len()
}

/// The brackets and quotes that the text closes but did not open, in order.
fn unmatched_closers(text: &str) -> String {
    let mut open = Vec::new();
    let mut unmatched = String::new();
    // The first of an odd number of quotes closes the string that the cursor is in.
    let odd = |q: &char| text.matches(*q).count() % 2 == 1;
    let mut closing_quote = ['"', '\'', '`'].into_iter().find(odd);
    for c in text.chars() {
        match c {
            quote if Some(quote) == closing_quote => {
                unmatched.push(quote);
                closing_quote = None;
            }
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' if open.pop().is_none() => unmatched.push(c),
            _ => {}
        }
    }
    unmatched
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
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
        check("foo($0);\n", ");", "nothing");
    }

    #[test]
    fn text_right_of_the_cursor_is_not_repeated() {
        check("let x = $0 + y;\n", "a + y;", "a|");
        check("let x = $0 + y;\n", "a", "a|");
        check("if $0 { return 1; }\n", "a == b { return 1; }", "a == b|");
    }
}
