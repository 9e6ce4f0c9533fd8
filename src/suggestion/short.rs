//! Suggestions that are not worth looking at.

/// Characters at which a block starts; they are the one key after which the next suggestion comes.
const BLOCK_STARTS: [&str; 2] = ["{", ":"];

/// Whether a suggestion saves nobody a key: a single mark. Editors write the closer to an opener by
/// themselves, and any other mark is typed as fast as it is taken. Cody shows nothing of one
/// character either; a letter or a digit may be what fills a hole, and stays.
pub fn too_short(text: &str) -> bool {
    let text = text.trim();
    text.chars().nth(1).is_none()
        && !text.contains(char::is_alphanumeric)
        && !BLOCK_STARTS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    #[test]
    fn a_single_mark_is_not_worth_showing() {
        for mark in [")", "]", "}", "\n}", "\"", "'", ";", ",", "=", "."] {
            check_in("rust", "foo(a$0\n", mark, "nothing");
        }
        for text in ["{", ":", ");", "):", "->", "()", "\"\"", "x", "1", " {", "好"] {
            check_in("rust", "foo(a$0\n", text, &format!("{text}|"));
        }
    }
}
