//! Names from a file, each kept once, and made fit to be shown.
//!
//! In: names as clients and models have them. Out: numbers, and names that nothing in a terminal or on a
//! page acts on. Refuses: control characters and those that turn the direction of writing around.

use std::collections::HashMap;

/// Characters of a name that are shown.
const MOST: usize = 60;

/// Names by number.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    /// The number of a name; a new one for a new name.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(plain(name));
        number
    }

    /// The name, fit to be shown.
    pub fn name(&self, number: u32) -> String {
        self.names.get(number as usize).cloned().unwrap_or_default()
    }
}

/// A name, fit to be shown.
pub fn plain(name: &str) -> String {
    let shown = |c: char| match c {
        // Directions, joiners and the like, which Unicode calls format characters.
        '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let plain: String = name.chars().take(MOST).map(shown).collect();
    if plain.trim().is_empty() { "(no name)".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_acts_on_a_terminal() {
        assert_eq!(plain("ru\x1b[2Jst\u{202e}\n"), "ru\u{fffd}[2Jst\u{fffd}\u{fffd}");
        assert_eq!(plain(" "), "(no name)");
        assert_eq!(plain(&"x".repeat(1_000)).len(), MOST);
    }

    #[test]
    fn a_name_has_one_number() {
        let mut names = Names::default();
        assert_eq!(["a", "b", "a"].map(|name| names.number(name)), [0, 1, 0]);
        assert_eq!(names.name(1), "b");
    }
}
