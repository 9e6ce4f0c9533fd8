//! How often a text calls which name. By letters alone: quick, and good enough to tell what is in
//! common use from what is not.
//!
//! In: text. Out: each name before a bracket, with how often; not what is defined there.

use std::collections::HashMap;

/// Words after which a name is defined, not called.
const DEFINES: [&str; 5] = ["fn", "def", "func", "function", "class"];

/// The names that `text` calls, and how often each.
pub fn calls(text: &str) -> HashMap<&str, u16> {
    let mut counts: HashMap<&str, u16> = HashMap::new();
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end_matches('!');
        let name = &before[before.trim_end_matches(is_letter).len()..];
        if name.is_empty() || name.starts_with(|c: char| c.is_numeric()) {
            continue;
        }
        let before = before[..before.len() - name.len()].trim_end_matches(' ');
        if !DEFINES.iter().any(|word| before.ends_with(word)) {
            let count = counts.entry(name).or_default();
            *count = count.saturating_add(1);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_a_bracket_are_counted_and_definitions_are_not() {
        let counts = calls("fn open() { read(é(1)); self.read(); write!(x); (y) 2(z) }");
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort();
        assert_eq!(counts, [("read", 2), ("write", 1), ("é", 1)]);
    }
}
