//! What becomes of the suggestions that a client is shown: from its requests and changes to the
//! counts of `tandem.status`, the journal, and what the completer should know of an accept.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ropey::Rope;

use super::session::{Open, Session};
use crate::completer::Completion;
use crate::document::Snapshot;
use crate::engine::State;
use crate::journal::watch::{Offer, Watch};
use crate::journal::{Event, Note};

/// An answer that is about to be sent.
pub struct Showing<'a> {
    pub uri: &'a str,
    /// The text that it is for.
    pub snapshot: &'a Snapshot,
    /// The cursor's byte.
    pub cursor: usize,
    /// The bytes that are replaced, and the text that comes there before the suggestion: the line up
    /// to the cursor, or the popup's selected entry.
    pub replaced: (Range<usize>, &'a str),
    /// A person asked.
    pub invoked: bool,
    /// When the request came.
    pub asked: Instant,
}

impl Session {
    /// Notes that a suggestion is shown, unless the document has changed meanwhile: then nobody
    /// sees it.
    pub fn shows(&self, showing: Showing<'_>, completion: &Completion) {
        let Showing { uri, snapshot, cursor, replaced: (replaced, inserted), .. } = showing;
        // An entry that does not go on from what stands there cannot be followed.
        let stands = snapshot.slice(replaced.start..cursor);
        let Some(between) = inserted.strip_prefix(&stands) else { return };
        let behind = replaced.end - cursor;
        let texts: Vec<(String, usize)> = completion
            .suggestion
            .iter()
            .chain(&completion.others)
            .map(|s| (format!("{between}{}", s.text), behind + s.replaces))
            .collect();
        let Some((text, _)) = texts.first() else { return };
        let model = match &*self.completer.engine().state().borrow() {
            State::Ready(about) => Some(about.model.clone()),
            _ => None,
        };
        let event = Event::Shown {
            characters: text.chars().count(),
            lines: text.matches('\n').count() + 1,
            source: completion.source,
            model,
            latency_ms: showing.asked.elapsed().as_secs_f64() * 1e3,
            confidence: completion.figures.confidence.map(|confidence| confidence.least.exp()),
            invoked: showing.invoked,
        };
        let suggestion = self.suggestions.fetch_add(1, Ordering::Relaxed);
        let from_word = replaced.start > snapshot.line_start(cursor);
        let offer = Offer { suggestion, at: cursor, texts, from_word, event };
        let Some(mut open) = self.documents.get_mut(uri) else { return };
        let Open { document, watch, .. } = &mut *open;
        let now = document.snapshot();
        if now.is_some_and(|now| now.rope.is_instance(&snapshot.rope)) {
            let notes = watch.show(offer, &snapshot.rope, Instant::now());
            drop(open);
            self.note(notes);
        }
    }

    /// A document has changed from this text to what it is now.
    pub(super) fn changed(&self, uri: &str, before: Option<Rope>, open: &mut Open) {
        let now = open.document.snapshot();
        let after = if let (Some(before), Some(now)) = (before, now) {
            let touched = open.document.touched();
            self.watching(&mut open.watch, |watch| {
                let outcome = watch.change(&before, &now.rope, touched, Instant::now());
                (outcome.notes, outcome.after)
            })
        } else {
            // Out of sync: what became of it cannot be known.
            open.watch = Watch::new(&open.watch.language);
            None
        };
        self.completer.accepted(uri, after);
    }

    /// Looks at accepted texts whose time has come.
    pub fn look_at_accepted(&self) {
        for mut open in self.documents.iter_mut() {
            self.look(&mut open, Watch::look);
        }
    }

    /// Nothing more becomes of the suggestions: all documents are about to go.
    pub fn farewell(&self) {
        for mut open in self.documents.iter_mut() {
            self.look(&mut open, Watch::end);
        }
    }

    /// A document goes.
    pub(super) fn closed(&self, mut open: Open) {
        self.look(&mut open, Watch::end);
    }

    fn look(&self, open: &mut Open, look: fn(&mut Watch, &Rope, Instant) -> Vec<Note>) {
        if let Some(now) = open.document.snapshot() {
            self.watching(&mut open.watch, |watch| {
                (look(watch, &now.rope, Instant::now()), None::<()>)
            });
        }
    }

    /// Writes down and counts what comes of something that is done with a watch.
    fn watching<T>(&self, watch: &mut Watch, act: impl FnOnce(&mut Watch) -> (Vec<Note>, T)) -> T {
        let kept = watch.kept() as i64;
        let (notes, rest) = act(watch);
        let change = watch.kept() as i64 - kept;
        if change != 0 {
            self.completer.counters().note_kept(change);
        }
        self.note(notes);
        rest
    }

    fn note(&self, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        {
            let mut counters = self.completer.counters();
            notes.iter().for_each(|note| counters.note_fate(&note.event));
        }
        if self.settings.get().journal.enabled {
            notes.into_iter().for_each(|note| self.journal.write(note));
        }
    }
}
