//! What a person looks at before edits are applied.
//!
//! In: a file's text before and after. Out: a unified diff, and whether the file stops to parse. Refuses
//! nothing: both inform, the person decides.

use similar::TextDiff;

use crate::syntax;

/// Lines around a change that a diff shows.
const AROUND: usize = 3;

/// Whether a text that parsed does not parse any more. `language` is as editors call it; one without a
/// grammar, or a parse that takes too long, says nothing.
pub fn breaks_syntax(language: &str, before: &str, after: &str) -> bool {
    let errors = |text| syntax::language(language).and_then(|language| language.errors(text));
    errors(before) == Some(0) && errors(after).is_some_and(|errors| errors > 0)
}

/// What changes, as `diff -u` writes it; empty where nothing does.
pub fn diff(before: &str, after: &str, path: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    diff.unified_diff().context_radius(AROUND).header(&old, &new).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_parsed_and_does_not_any_more_is_broken() {
        assert!(breaks_syntax("rust", "fn f() {}\n", "fn f() {\n"));
        assert!(!breaks_syntax("rust", "fn f() {\n", "fn f( {\n"));
        assert!(!breaks_syntax("rust", "fn f() {}\n", "fn g() {}\n"));
        assert!(!breaks_syntax("unknown", "a", "b {"));
    }

    #[test]
    fn a_diff_is_unified() {
        let diff = diff("a\nb\nc\n", "a\nB\nc\n", "x.txt");
        assert_eq!(diff, "--- a/x.txt\n+++ b/x.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    }
}
