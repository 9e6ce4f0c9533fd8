//! What is remembered of a document between two keys: where its prompts are anchored, which
//! answers may be typed along, and what goes on for it in the background.

use std::collections::VecDeque;

use ropey::Rope;
use tokio_util::task::AbortOnDropHandle;

use crate::prompt::{self, Anchor, Budget, Prompt};
use crate::suggestion::silence::After;
use crate::suggestion::{Around, Extent};

/// Answers remembered per document.
const REMEMBERED: usize = 64;
/// Anchors remembered per document, of places that were left: the engine keeps about as many heads.
const LEFT: usize = 6;

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
    /// The document's length when the anchor was last used, bytes.
    length: usize,
    /// Anchors of places that were left, the last one first, with the length at that time.
    left: VecDeque<(Anchor, usize)>,
    /// The whole head, or the next one, being built.
    pub warming: Option<Background>,
    /// What follows the suggestion that is shown, being decoded.
    pub ahead: Option<Background>,
    /// What the last change has accepted, up to this byte.
    pub after: Option<(usize, After)>,
    answers: VecDeque<Remembered>,
}

/// Text that the model would write after some text.
struct Remembered {
    before: String,
    suffix: String,
    text: String,
    /// The text is all that was wanted there; else more may follow.
    whole: bool,
    /// The model was not sure enough of it to show it unasked.
    doubtful: bool,
}

/// What is known to follow a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The text.
    pub text: &'a str,
    /// It is all that was wanted where the model was asked; else more may follow.
    pub whole: bool,
    /// The model was not sure enough of it, and nothing typed since speaks for it.
    pub doubtful: bool,
}

impl Memory {
    /// The prompt for a cursor: from the anchor, while it fits; else from that of a place that was
    /// left and has been come back to, so that the engine finds the head it has; else from a new one.
    /// `context` as for [`Anchor::new`].
    pub fn prompt(
        &mut self,
        text: &Rope,
        cursor: usize,
        budget: Budget,
        context: &dyn Fn(usize) -> String,
    ) -> Prompt {
        let before = std::mem::replace(&mut self.length, text.len_bytes());
        if let Some(prompt) = self.anchor.as_ref().and_then(|a| a.prompt(text, cursor, budget)) {
            return prompt;
        }
        let found = self.left.iter().enumerate().find_map(|(number, (anchor, length))| {
            // Unless the text above it has changed, it is where it was.
            let grown = text.len_bytes() as isize - *length as isize;
            [0, grown].into_iter().find_map(|by| {
                let anchor = anchor.moved(by)?;
                Some((number, anchor.prompt(text, cursor, budget)?, anchor))
            })
        });
        let leaving = self.anchor.take();
        let (prompt, anchor) = match found {
            Some((number, prompt, anchor)) => {
                self.left.remove(number);
                (prompt, anchor)
            }
            None => prompt::prompt_in_context(text, cursor, budget, leaving.as_ref(), context),
        };
        self.anchor = Some(anchor);
        if let Some(leaving) = leaving {
            self.left.truncate(LEFT - 1);
            self.left.push_front((leaving, before));
        }
        prompt
    }

    /// What remains of an earlier answer when the person has typed its beginning, or gone back
    /// into it. The newest answer wins.
    pub fn known(&self, prompt: &Prompt) -> impl Iterator<Item = Known<'_>> {
        let before = before(prompt);
        let suffix = prompt.suffix.clone();
        self.answers.iter().rev().filter_map(move |answer| answer.rest(&before, &suffix))
    }

    /// Remembers what follows a prompt. What was known of the same place goes.
    pub fn remember(&mut self, prompt: &Prompt, text: String, whole: bool, doubtful: bool) {
        let (before, suffix) = (before(prompt), prompt.suffix.clone());
        self.answers.retain(|answer| answer.before != before || answer.suffix != suffix);
        while self.answers.len() >= REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back(Remembered { before, suffix, text, whole, doubtful });
    }

    /// Remembers another answer to a prompt that is remembered already, which goes before it.
    pub fn remember_beside(&mut self, prompt: &Prompt, text: String, whole: bool) {
        let other = Remembered {
            before: before(prompt),
            suffix: prompt.suffix.clone(),
            text,
            whole,
            doubtful: false,
        };
        let same =
            |known: &Remembered| known.before == other.before && known.suffix == other.suffix;
        if let Some(at) = self.answers.iter().position(same) {
            self.answers.insert(at, other);
        }
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
        let doubtful = self.doubtful && typed.is_empty();
        useful.then_some(Known { text: rest, whole: self.whole, doubtful })
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
        let (prefix, suffix, middle) = (prefix.into(), "\nend".into(), middle.into());
        Prompt { prefix, suffix, middle, ..Prompt::default() }
    }

    fn known(memory: &Memory, prompt: &Prompt) -> Option<(String, bool)> {
        memory.known(prompt).next().map(|known| (known.text.to_owned(), known.whole))
    }

    #[test]
    fn an_answer_is_typed_along_also_past_a_new_anchor() {
        let mut memory = Memory::default();
        memory.remember(&prompt("a\n", "b\nlet x"), " = 1;\nlet y".into(), false, false);
        let rest = Some(("1;\nlet y".to_owned(), false));
        assert_eq!(known(&memory, &prompt("a\n", "b\nlet x = ")), rest);
        assert_eq!(known(&memory, &prompt("a\nb\n", "let x = ")), rest);
        assert_eq!(known(&memory, &prompt("b\n", "let x = ")), None);
        assert_eq!(known(&memory, &prompt("a\n", "b\nlet x=")), None);
    }

    #[test]
    fn a_doubtful_answer_is_one_until_something_typed_speaks_for_it() {
        let mut memory = Memory::default();
        memory.remember(&prompt("a\n", "let x"), " = 1;".into(), true, true);
        let doubtful = |middle| memory.known(&prompt("a\n", middle)).next().unwrap().doubtful;
        assert!(doubtful("let x"));
        assert!(!doubtful("let x ="));
    }

    #[test]
    fn coming_back_to_a_place_finds_its_anchor_also_when_text_above_has_grown() {
        let lines: String = (0..600).map(|line| format!("let line_{line} = {line};\n")).collect();
        let text = Rope::from_str(&lines);
        let at = |text: &Rope, line: usize| text.line_to_byte(line) + 4;
        let mut memory = Memory::default();
        let mut prompt = |text: &Rope, line| {
            memory.prompt(text, at(text, line), Budget::default(), &|_| String::new())
        };
        let first = prompt(&text, 500);
        // A few lines on, still from there; a fresh anchor would be nearer.
        let further = prompt(&text, 503);
        assert_eq!(further.prefix, first.prefix);
        prompt(&text, 100);
        let mut grown = text.clone();
        grown.insert(grown.line_to_char(100), "let more = 1;\n");
        prompt(&grown, 101);
        let back = prompt(&grown, 504);
        assert_eq!((&back.prefix, &back.suffix), (&further.prefix, &further.suffix));
    }

    #[test]
    fn a_line_is_known_when_its_end_is() {
        let around = Around { before: "let x", rest_of_line: "", below: "", language: "rust" };
        let enough =
            |text, whole| Known { text, whole, doubtful: false }.enough(Extent::Line, around);
        assert_eq!(enough(" = 1;\nlet", false).as_deref(), Some(" = 1;"));
        assert_eq!(enough(" = 1", false), None);
        assert_eq!(enough(" = 1", true).as_deref(), Some(" = 1"));
        assert_eq!(enough("\nlet", false).as_deref(), Some(""));
    }
}
