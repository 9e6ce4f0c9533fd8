//! The parts of types and expressions, by their text.
//!
//! In: text in any language, perhaps cut off. Out: pieces of it. Brackets are matched, and strings are
//! passed over; nothing is parsed. Pure.

/// The expression that a text ends with, from where its statement begins.
pub fn last_expression(text: &str) -> &str {
    let mut depth = 0_i32;
    let mut start = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth == 0 => {
                start = at + 1;
                break;
            }
            '(' | '[' | '{' => depth -= 1,
            ';' | ',' | '=' | '!' | '+' | '|' | '<' if depth == 0 => {
                start = at + 1;
                break;
            }
            '\n' if depth == 0 => {
                let next = text[at..].trim_start();
                if !next.starts_with(['.', ')', '}', ']', '?']) && !next.is_empty() {
                    start = at + 1;
                    break;
                }
            }
            _ => {}
        }
    }
    let mut text = text[start..].trim();
    for word in ["return ", "await ", "if ", "while ", "match ", "in ", "not ", "elif ", "yield "] {
        text = text.strip_prefix(word).unwrap_or(text).trim_start();
    }
    text
}

/// The parts of `A | B | None`.
pub fn union(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |c| {
        depth += i32::from(matches!(c, '[' | '<' | '(')) - i32::from(matches!(c, ']' | '>' | ')'));
        depth == 0 && c == '|'
    })
}

/// The parts of `K, V`.
pub fn arguments(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = text.split(move |c| {
        depth += i32::from(matches!(c, '[' | '<' | '(')) - i32::from(matches!(c, ']' | '>' | ')'));
        depth == 0 && c == ','
    });
    parts.filter(|part| !part.trim_start().starts_with('\''))
}

pub fn identifier(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

/// `a::b::<T>::c(…` → `a`, `b`, `c`, and the rest from the bracket on.
pub fn split_path(text: &str) -> (Vec<&str>, &str) {
    let (first, mut rest) = identifier(text);
    let mut path: Vec<&str> = Some(first).filter(|first| !first.is_empty()).into_iter().collect();
    loop {
        rest = turbofish(rest);
        let Some(after) = rest.strip_prefix("::") else { return (path, rest) };
        let (next, after) = identifier(after);
        if next.is_empty() {
            return (path, rest);
        }
        path.push(next);
        rest = after;
    }
}

/// Without a `::<T>` at its beginning.
pub fn turbofish(text: &str) -> &str {
    match text.strip_prefix("::").filter(|inside| inside.starts_with('<')) {
        Some(inside) => bracketed(inside).1,
        None => text,
    }
}

/// What is in the brackets that a text begins with, and what follows them; all of it where they do not
/// close.
pub fn bracketed(text: &str) -> (&str, &str) {
    let (mut depth, mut quote) = (0_i32, None);
    // Elsewhere these compare.
    let angles = text.starts_with('<');
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (_, Some(_)) => {}
            ('"', None) => quote = Some(c),
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth -= 1,
            ('<', None) if angles => depth += 1,
            ('>', None) if angles && !text[..at].ends_with(['-', '=']) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[1..at], &text[at + c.len_utf8()..]);
        }
    }
    (text.get(1..).unwrap_or_default(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_expression_begins_with_its_statement() {
        for (text, expected) in [
            ("let a = b.c(d, e)\n    .f", "b.c(d, e)\n    .f"),
            ("x;\n    return self.a", "self.a"),
            ("f(a, b.c", "b.c"),
            ("if !a.b", "a.b"),
            ("a\nb", "b"),
            ("", ""),
            ("é{(", ""),
        ] {
            assert_eq!(last_expression(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_path_ends_where_something_is_done_with_it() {
        assert_eq!(split_path("a::b::<C<D>>::e(f)"), (vec!["a", "b", "e"], "(f)"));
        assert_eq!(split_path("(a)"), (vec![], "(a)"));
    }

    #[test]
    fn brackets_are_matched_and_strings_passed_over() {
        assert_eq!(bracketed("(a < \")\", [b])c"), ("a < \")\", [b]", "c"));
        assert_eq!(bracketed("<fn() -> A<B>>c"), ("fn() -> A<B>", "c"));
        assert_eq!(bracketed("(a"), ("a", ""));
        assert_eq!(union("A | B<C | D>").collect::<Vec<_>>(), ["A ", " B<C | D>"]);
        assert_eq!(arguments("'a, K<L, M>, N").collect::<Vec<_>>(), [" K<L, M>", " N"]);
    }
}
