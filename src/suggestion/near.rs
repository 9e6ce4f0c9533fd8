//! Nearly the same text.

/// Whether two texts differ by at most `edits` insertions, deletions or replacements of characters,
/// and none of these makes another word, number or operator of one.
///
/// Lines that differ in a name, a number or a sign are siblings, as in a table, a `match` or the fields of a
/// struct; those that differ in blanks, punctuation or the end of a word are one line written twice.
pub fn nearly_equal(a: &str, b: &str, edits: usize) -> bool {
    let (long, short) = (a.chars().count(), b.chars().count());
    a == b
        || long.abs_diff(short) <= edits && same_words(a, b) && strsim::levenshtein(a, b) <= edits
}

/// How many characters a share of a text is, in percent of the longer of two.
pub fn share(a: &str, b: &str, percent: usize) -> usize {
    a.chars().count().max(b.chars().count()) * percent / 100
}

fn same_words(a: &str, b: &str) -> bool {
    let operators = |text: &str| text.replace(|c: char| !"+-*/%<>=!&|^~@?".contains(c), "");
    if operators(a) != operators(b) {
        return false;
    }
    let (mut a, mut b) = (words(a), words(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same_word(a, b) => {}
            _ => return false,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The same, or a word and its beginning.
fn same_word(a: &str, b: &str) -> bool {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let more = long.strip_prefix(short);
    more.is_some_and(|more| {
        more.is_empty() || short.len() >= 3 && more.chars().all(|c| c.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_and_word_ends_are_near_but_names_and_numbers_are_not() {
        let cases = [
            ("return result;", "return result", true),
            ("cache.insert(key, value)", "cache.insert(key, val)", true),
            ("f( a, b )", "f(a, b)", true),
            ("f(a)", "f(a)", true),
            ("x: i32,", "y: i32,", false),
            ("let row_1 = f(1);", "let row_2 = f(2);", false),
            ("take(item1)", "take(item12)", false),
            ("return a + b", "return a - b", false),
            ("Some(value)", "Some(value, more)", false),
        ];
        for (a, b, expect) in cases {
            assert_eq!(nearly_equal(a, b, 2), expect, "{a} / {b}");
        }
        assert!(!nearly_equal("f( a, b )", "f(a, b)", 1));
    }
}
