//! Names as text: whether one stands in a text, which words it is made of. Pure.

use std::collections::HashSet;

/// The words in names: `read_file` and `readFile` have two.
pub fn words(text: &str) -> HashSet<String> {
    let (mut words, mut word, mut was_small) = (HashSet::new(), String::new(), false);
    for c in text.chars().chain([' ']) {
        if !c.is_alphanumeric() || c.is_uppercase() && was_small {
            if word.len() > 2 {
                words.insert(std::mem::take(&mut word));
            }
            word.clear();
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        was_small = c.is_lowercase();
    }
    words
}

/// Does `text` have this name in it?
pub fn mentions(text: &str, name: &str) -> bool {
    places(text, name).next().is_some()
}

/// Does `text` have this name in it more than once?
pub fn repeats(text: &str, name: &str) -> bool {
    places(text, name).nth(1).is_some()
}

fn places<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let all = text.match_indices(name).map(|(at, _)| at);
    all.filter(move |at| {
        !name.is_empty()
            && !text[..*at].ends_with(is_letter)
            && !text[at + name.len()..].starts_with(is_letter)
    })
}

/// `open_file` → `OpenFile`.
pub fn type_named_after(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_words() {
        let mut words: Vec<String> = words("read_file(asURL, x)").into_iter().collect();
        words.sort();
        assert_eq!(words, ["file", "read", "url"]);
        assert_eq!(type_named_after("open_file"), "OpenFile");
    }

    #[test]
    fn a_name_stands_alone() {
        assert!(mentions("a.open(b)", "open") && !mentions("reopen opened", "open"));
        assert!(repeats("open, open", "open") && !repeats("open, opened", "open"));
        assert!(!mentions("anything", ""));
    }
}
