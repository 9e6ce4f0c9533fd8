//! Text that stands there already is not written again: the rest of the line, the next line, and
//! the closers right of the cursor.

use super::Around;

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

/// Cuts lines at the end that repeat the next line below; nothing is left when the suggestion
/// would only write that line again.
pub fn without_next_line<'a>(text: &'a str, around: Around) -> &'a str {
    let Some(next) = around.next_line() else { return text };
    // A line of closers repeats another only at the same indentation: `}` follows `}`.
    let closers_only = !next.contains(|c: char| c.is_alphanumeric());
    let shape = |line: &str| match closers_only {
        true => line.trim_end().to_owned(),
        false => line.trim().to_owned(),
    };
    let whole_line = |line: &str, first: bool| match first {
        true => shape(&format!("{}{line}", around.line_before())),
        false => shape(line),
    };
    let mut kept = text;
    loop {
        let start = kept.rfind('\n');
        let line = &kept[start.map_or(0, |at| at + 1)..];
        if line.trim().is_empty() && start.is_none()
            || whole_line(line, start.is_none()) != next.trim()
        {
            return kept;
        }
        kept = &kept[..start.unwrap_or(0)];
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
