//! What is done while nobody waits, so that nobody has to: heads built before they are needed,
//! and the lines after a suggestion before it is taken.
//!
//! In: what has just been answered. Out: warmer caches in the engine, and answers to type along.
//! Each document has at most one of each kind under way; newer ones take their place, a keystroke
//! goes before all of them, and when they are done nothing goes on.

use tokio_util::task::AbortOnDropHandle;

use super::blocks::Opened;
use super::memory::{Background, before};
use super::{Completer, Place, Style};
use crate::engine::{Event, Figures, Request, Stop, Urgency};
use crate::prompt::{self, Anchor, Prompt};

/// Tokens decoded ahead at most: two lines of code.
const AHEAD: u32 = 48;
/// Lines decoded ahead.
const LINES_AHEAD: usize = 2;
/// A document of at most this many prefixes' length is warmed when it is opened: typing starts
/// likely enough within the part that a first prefix holds.
const OPENED: usize = 3;
/// A shorter one is evaluated soon enough when it is needed.
const WORTH_WARMING: usize = 200;

impl Completer {
    /// A document was opened: its beginning is evaluated, since most prompts in a short file start
    /// with it.
    pub fn opened(&self, place: Place<'_>, style: Style) {
        let length = place.text.len_bytes();
        if !style.ahead || !(WORTH_WARMING..style.budget.prefix * OPENED).contains(&length) {
            return;
        }
        let prompt = prompt::opening(place.text, style.budget);
        self.warm(place.document, prompt, None);
    }

    /// Has a prompt evaluated; when that is done, and the document's anchor is still the first of
    /// `swap`, it becomes the second.
    pub(super) fn warm(&self, document: &str, prompt: Prompt, swap: Option<(Anchor, Anchor)>) {
        let mut memory = self.documents.entry(document.to_owned()).or_default();
        let goal = format!("{}{}\0{}", prompt.prefix, prompt.context, prompt.suffix);
        let under_way = |w: &Background| w.before == goal && !w.task.is_finished();
        if memory.warming.as_ref().is_some_and(under_way) {
            return;
        }
        let mut answer = self.engine.complete(Request::warm(prompt));
        let (documents, counters) = (self.documents.clone(), self.counters.clone());
        let document = document.to_owned();
        let task = tokio::spawn(async move {
            while let Some(event) = answer.next().await {
                let Event::Done(figures) = event else { continue };
                super::lock(&counters).note_background(figures);
                if let Some((from, to)) = swap
                    && let Some(mut memory) = documents.get_mut(&document)
                    && memory.anchor.as_ref() == Some(&from)
                {
                    memory.anchor = Some(to);
                }
                return;
            }
        });
        memory.warming = Some(Background { before: goal, task: AbortOnDropHandle::new(task) });
    }

    /// The middle has grown: a nearer anchor is made ready before it must move. The window moves in
    /// steps, and the old head serves until the new one is there.
    pub(super) fn re_anchor(&self, place: &Place<'_>, prompt: &Prompt, style: Style) {
        if prompt.middle.len() <= style.budget.middle / 2 {
            return;
        }
        let Some(from) = self.documents.get(place.document).and_then(|m| m.anchor.clone()) else {
            return;
        };
        let context = |at| self.context(place, at, style);
        let to = Anchor::new(place.text, place.cursor, style.budget, Some(&from), &context);
        if to == from {
            return;
        }
        if let Some(next) = to.prompt(place.text, place.cursor, style.budget) {
            self.warm(place.document, next, Some((from, to)));
        }
    }

    /// Decodes the lines that follow a suggestion, as if it had been taken, and remembers them: a few,
    /// or the block that it opens.
    pub(super) fn go_ahead(
        &self,
        document: &str,
        prompt: &Prompt,
        suggested: &str,
        opened: Option<Opened>,
        style: Style,
    ) {
        let prompt = prompt.further(suggested);
        let goal = before(&prompt);
        let Some(mut memory) = self.documents.get_mut(document) else { return };
        if memory.ahead.as_ref().is_some_and(|ahead| ahead.before == goal) {
            return;
        }
        let tokens = if opened.is_some() { style.block_tokens.max(AHEAD) } else { AHEAD };
        let request =
            Request { urgency: Urgency::Idle, ..Request::new(prompt.clone(), tokens, Stop::Never) };
        let mut answer = self.engine.complete(request);
        let (documents, counters) = (self.documents.clone(), self.counters.clone());
        let document = document.to_owned();
        let task = tokio::spawn(async move {
            let mut text = String::new();
            let mut figures = Figures::default();
            let mut ended = false;
            while let Some(event) = answer.next().await {
                match event {
                    Event::Begun(so_far) => figures = so_far,
                    Event::Text(piece) => {
                        figures.generated += 1;
                        text.push_str(&piece);
                        let line_ended = piece.contains('\n');
                        ended = line_ended
                            && match &opened {
                                Some(opened) => opened.reached(&text).is_some(),
                                None => complete_lines(&text) > LINES_AHEAD,
                            };
                        if line_ended && let Some(mut memory) = documents.get_mut(&document) {
                            memory.remember(&prompt, text.clone(), false, false);
                        }
                    }
                    Event::Done(all) => {
                        figures = all;
                        ended = true;
                    }
                    Event::Failed(_) => ended = true,
                    Event::Forks(_) => {}
                }
                if ended {
                    break;
                }
            }
            super::lock(&counters).note_background(figures);
        });
        memory.ahead = Some(Background { before: goal, task: AbortOnDropHandle::new(task) });
    }
}

/// Lines of text that have ended; the rest of the suggestion's own line counts as one.
fn complete_lines(text: &str) -> usize {
    let mut lines = text.split('\n');
    let first = usize::from(lines.next().is_some());
    let ended = text.matches('\n').count().saturating_sub(1);
    first + lines.take(ended).filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_do_not_count_as_lines_ahead() {
        assert_eq!(complete_lines("\n"), 1);
        assert_eq!(complete_lines("\n    a;\n"), 2);
        assert_eq!(complete_lines("\n\n\n    a;\n  \n"), 2);
        assert_eq!(complete_lines("\n    a;\n    b;\n"), 3);
        assert_eq!(complete_lines("\n    a;\n    b"), 2);
    }
}
