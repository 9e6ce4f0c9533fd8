//! What is remembered of a document between two keys: where its prompts are anchored, which
//! answers may be typed along, and what goes on for it in the background.

use std::collections::VecDeque;

use tokio_util::task::AbortOnDropHandle;

use crate::prompt::{Anchor, Prompt};
use crate::suggestion::{Around, Extent};

/// Answers remembered per document.
const REMEMBERED: usize = 64;

/// Work in the background for one place; dropping it cancels it.
pub struct Background {
    /// What it is for: the text up to the place, as the model sees it.
    pub before: String,
    /// The task.
    pub task: AbortOnDropHandle<()>,
}

/// What is remembered of a document.
#[derive(Default)]
pub struct Memory {
    /// Where its prompts are made from.
    pub anchor: Option<Anchor>,
    /// The whole head, or the next one, being built.
    pub warming: Option<Background>,
    /// What follows the suggestion that is shown, being decoded.
    pub ahead: Option<Background>,
    answers: VecDeque<Remembered>,
}

/// Text that the model would write after some text.
struct Remembered {
    before: String,
    suffix: String,
    text: String,
    /// The text is all that was wanted there; else more may follow.
    whole: bool,
}

/// What is known to follow a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The text.
    pub text: &'a str,
    /// It is all that was wanted where the model was asked; else more may follow.
    pub whole: bool,
}

impl Memory {
    /// What remains of an earlier answer when the person has typed its beginning, or gone back
    /// into it. The newest answer wins.
    pub fn known(&self, prompt: &Prompt) -> impl Iterator<Item = Known<'_>> {
        let before = before(prompt);
        let suffix = prompt.suffix.clone();
        self.answers.iter().rev().filter_map(move |answer| answer.rest(&before, &suffix))
    }

    /// Remembers what follows a prompt. What was known of the same place goes.
    pub fn remember(&mut self, prompt: &Prompt, text: String, whole: bool) {
        let (before, suffix) = (before(prompt), prompt.suffix.clone());
        self.answers.retain(|answer| answer.before != before || answer.suffix != suffix);
        if self.answers.len() >= REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back(Remembered { before, suffix, text, whole });
    }
}

/// The text up to the cursor, as far as the model sees it. It stays the same when the anchor moves
/// below a window that stays.
pub fn before(prompt: &Prompt) -> String {
    format!("{}{}", prompt.prefix, prompt.middle)
}

impl Remembered {
    fn rest(&self, before: &str, suffix: &str) -> Option<Known<'_>> {
        if self.suffix != suffix {
            return None;
        }
        let typed = before.strip_prefix(&self.before)?;
        let rest = self.text.strip_prefix(typed)?;
        // Typed to the end, there is nothing left to show and the model is asked for more; the
        // same place again has the same answer, also when that was nothing.
        let useful = typed.is_empty() || !rest.trim().is_empty();
        useful.then_some(Known { text: rest, whole: self.whole })
    }
}

impl Known<'_> {
    /// What of it answers a request for this extent; `None` when the model must say more.
    pub fn enough(self, extent: Extent, around: Around) -> Option<String> {
        if self.whole {
            return Some(self.text.to_owned());
        }
        let end = extent.reached(around, self.text)?;
        Some(self.text[..end].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(prefix: &str, middle: &str) -> Prompt {
        Prompt { prefix: prefix.into(), suffix: "\nend".into(), middle: middle.into() }
    }

    fn known(memory: &Memory, prompt: &Prompt) -> Option<(String, bool)> {
        memory.known(prompt).next().map(|known| (known.text.to_owned(), known.whole))
    }

    #[test]
    fn an_answer_is_typed_along_also_past_a_new_anchor() {
        let mut memory = Memory::default();
        memory.remember(&prompt("a\n", "b\nlet x"), " = 1;\nlet y".into(), false);
        let rest = Some(("1;\nlet y".to_owned(), false));
        assert_eq!(known(&memory, &prompt("a\n", "b\nlet x = ")), rest);
        assert_eq!(known(&memory, &prompt("a\nb\n", "let x = ")), rest);
        assert_eq!(known(&memory, &prompt("b\n", "let x = ")), None);
        assert_eq!(known(&memory, &prompt("a\n", "b\nlet x=")), None);
    }

    #[test]
    fn a_line_is_known_when_its_end_is() {
        let around = Around { before: "let x", rest_of_line: "", below: "", language: "rust" };
        let enough = |text, whole| Known { text, whole }.enough(Extent::Line, around);
        assert_eq!(enough(" = 1;\nlet", false).as_deref(), Some(" = 1;"));
        assert_eq!(enough(" = 1", false), None);
        assert_eq!(enough(" = 1", true).as_deref(), Some(" = 1"));
        assert_eq!(enough("\nlet", false).as_deref(), Some(""));
    }
}
