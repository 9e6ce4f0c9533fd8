//! Short holes in code, built in, on which two files of one model are compared.
//!
//! In: nothing. Out: prompts as the engine gets them. They measure whether a file answers like
//! another one, not whether it answers well: that takes the public sets (`make bench-quality`).

use ropey::Rope;

use crate::prompt::{Budget, Prompt, prompt};

/// Rust, Python, TypeScript and Go, divided by `====`; `$0` is the cursor. It stands at the end of a
/// word or sign, where no token is cut in half.
const PROBES: &str = include_str!("probes.txt");

/// One prompt for each hole.
pub fn probes() -> Vec<Prompt> {
    holes().map(|(before, after)| asked(before, after)).collect()
}

/// A text that is long enough for timing.
pub fn text() -> Prompt {
    let all: String = holes().map(|(before, after)| format!("{before}{after}")).collect();
    Prompt { prefix: all, ..Prompt::default() }
}

fn holes() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROBES.split("====\n").filter_map(|hole| hole.split_once("$0"))
}

fn asked(before: &str, after: &str) -> Prompt {
    let text = Rope::from_str(&format!("{before}{after}"));
    prompt(&text, before.len(), Budget::default(), None).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_dozen_probes_and_none_ends_in_the_middle_of_a_token() {
        let probes = probes();
        assert_eq!(probes.len(), 24);
        for probe in probes {
            assert!(!probe.middle.is_empty() && !probe.suffix.is_empty(), "{probe:?}");
            assert!(!probe.middle.ends_with(char::is_whitespace), "{:?}", probe.middle);
        }
    }
}
