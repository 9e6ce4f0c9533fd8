//! The names that a generated text takes from something: those behind a dot, an arrow or `::`.
//!
//! In: the text and what is around it. Out: the names, so that someone who knows which exist can tell
//! whether the model made one up. Not a parse: strings and comments are told by their marks.

use super::Around;
use super::lexical::{Within, scan};

/// A name that is taken from something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// All of it.
    pub name: String,
    /// Bytes of the generated text before it; 0 for the name that the cursor is in.
    pub at: usize,
}

/// The names behind a dot, an arrow or `::` that the text writes or ends, in order.
pub fn members(generated: &str, around: Around) -> Vec<Member> {
    let before = super::extent::item(around.before);
    let text = format!("{before}{generated}");
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    // The name that the cursor is in, too.
    let mut at = before.trim_end_matches(is_of_a_name).len();
    while let Some(start) = text[at..].find(is_of_a_name).map(|start| at + start) {
        let end = text[start..].find(|c| !is_of_a_name(c)).map_or(text.len(), |end| start + end);
        let name = &text[start..end];
        let left = text[..start].trim_end();
        let dot = left.ends_with('.') && !left.ends_with("..");
        let behind = dot || left.ends_with("::") || left.ends_with("->");
        let is_code = || scan(&text[..start], around.language).end == Within::Code;
        if end > before.len() && behind && !name.starts_with(char::is_numeric) && is_code() {
            let at = start.saturating_sub(before.len());
            found.push(Member { name: name.to_owned(), at });
        }
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::around;
    use super::*;

    fn check(language: &str, fixture: &str, generated: &str, expect: &[&str]) {
        let found = members(generated, around(fixture, language));
        let names: Vec<&str> = found.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, expect, "{fixture:?} + {generated:?}");
        for Member { name, at } in &found {
            let whole = generated[*at..].starts_with(name);
            assert!(whole || *at == 0, "{name:?} of {generated:?}");
        }
    }

    #[test]
    fn names_behind_a_dot_or_a_path_are_members() {
        check("rust", "let x = a.b.$0", "c(d)?.e + F::g::<H>(1.0, 0..i)", &["c", "e", "g"]);
        check("rust", "let x = a$0", "\n    .b()", &["b"]);
        check("c", "x = a$0;", "->b", &["b"]);
        check("python", "x = a.$0", "b[c.d]", &["b", "d"]);
    }

    #[test]
    fn the_name_that_the_cursor_is_in_counts_whole() {
        check("rust", "self.le$0", "n()", &["len"]);
        check("rust", "self.len$0", "()", &[]);
    }

    #[test]
    fn in_strings_and_comments_there_are_none() {
        check("rust", "f($0)", "\"a.b\", c.d // e.f", &["d"]);
        check("python", "f($0)", "'a.b', c.d # e.f", &["d"]);
    }
}
