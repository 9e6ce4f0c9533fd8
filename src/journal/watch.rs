//! One document's suggestion that is shown, and those accepted before: what becomes of them.
//!
//! In: what is shown, each change with the text before and after it, and the time. Out: [`Note`]s
//! for the journal, and what of an accept still matters for the next suggestion. Pure: no clock, no
//! disk. A change costs what it touches and the suggestion's own lines, never the document.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ropey::Rope;

use super::fate::{Around, Manner, Shown, Step};
use super::kept::Accepted;
use super::record::{Event, Note};
use crate::document::touched::{Span, Touched};
use crate::suggestion::Suggestion;
use crate::suggestion::silence::After;

/// Accepted texts that are followed; the oldest is looked at early when one more comes.
const FOLLOWED: usize = 64;
/// A change of more bytes is no step in a suggestion, which is 1,024 tokens at most.
const MOST_CHANGED: usize = 64 << 10;

/// What is shown at a place.
#[derive(Clone, Debug)]
pub struct Offer {
    /// A new number, for when it is another suggestion than the last.
    pub suggestion: u64,
    /// The cursor's byte.
    pub at: usize,
    /// The texts to choose from, each with how many bytes behind the cursor it replaces.
    pub texts: Vec<(String, usize)>,
    /// It is inserted from the start of the word at the cursor, as a menu's entry is.
    pub from_word: bool,
    /// As [`Event::Shown`] has it, of the first text.
    pub event: Event,
}

/// What is shown in a document, and what was accepted there.
#[derive(Debug, Default)]
pub struct Watch {
    /// As in `textDocument.languageId`.
    pub language: String,
    current: Option<Current>,
    accepted: VecDeque<(u64, Accepted)>,
    /// Characters of accepted texts that stood at their last look.
    kept: usize,
}

/// The suggestion that is shown.
#[derive(Debug)]
struct Current {
    suggestion: u64,
    since: Instant,
    /// Where its first line starts, bytes.
    line: usize,
    /// Where what stands there of it ends: the cursor.
    at: usize,
    /// Those that what was typed speaks for.
    shown: Vec<Shown>,
    from_word: bool,
    /// Some of it was accepted.
    in_part: bool,
}

/// What a change has led to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What to write down.
    pub notes: Vec<Note>,
    /// What was accepted, as far as it matters for what is shown next, and the byte of the cursor.
    pub after: Option<(usize, After)>,
}

impl Watch {
    /// A document in this language.
    pub fn new(language: &str) -> Watch {
        Watch { language: language.to_owned(), ..Watch::default() }
    }

    /// Something is shown, in this text. What is already shown there is the same suggestion.
    pub fn show(&mut self, offer: Offer, text: &Rope, now: Instant) -> Vec<Note> {
        let line = text.line_to_byte(text.byte_to_line(offer.at));
        let before = text.byte_slice(line..offer.at).to_string();
        let texts = offer.texts.iter();
        let shown: Vec<Shown> =
            texts.map(|(text, replaces)| Shown::new(&before, text, *replaces)).collect();
        if shown.first().is_none_or(|shown| shown.marks.is_empty()) {
            return Vec::new();
        }
        if let Some(current) = &mut self.current
            && current.at == offer.at
            && let Some(same) = current.as_seen_now(&shown)
        {
            current.shown = same;
            current.from_word = offer.from_word;
            return Vec::new();
        }
        let mut notes: Vec<Note> = self.turn_down(now).into_iter().collect();
        notes.push(self.note(offer.suggestion, offer.event));
        self.current = Some(Current {
            suggestion: offer.suggestion,
            since: now,
            line,
            at: offer.at,
            shown,
            from_word: offer.from_word,
            in_part: false,
        });
        notes
    }

    /// The text has changed.
    pub fn change(
        &mut self,
        before: &Rope,
        after: &Rope,
        touched: &Touched,
        now: Instant,
    ) -> Outcome {
        if self.current.is_none() && self.accepted.is_empty() {
            return Outcome::default();
        }
        let mut notes = self.look(before, now);
        let mut spans: Vec<Span> =
            touched.spans().iter().map(|span| span.trimmed(before, after)).collect();
        // A closer typed over itself, as some editors report it.
        spans.retain(|span| !span.old.is_empty() || !span.new.is_empty());
        if spans.is_empty() {
            return Outcome { notes, after: None };
        }
        for (_, accepted) in &mut self.accepted {
            accepted.carry(&spans);
        }
        let Some(mut current) = self.current.take() else { return Outcome { notes, after: None } };
        let texts = Texts { before, after, touched, spans: &spans };
        let Some((first, step, start)) = current.step(texts) else {
            self.current = Some(current);
            notes.extend(self.turn_down(now));
            return Outcome { notes, after: None };
        };
        let part = first.part(&step).to_owned();
        let is_whole = step.taken >= first.marks.len();
        let (characters, lines) = (part.chars().count(), lines(&part));
        let after_ms = since(current.since, now);
        if step.manner == Manner::AtOnce {
            let event = if is_whole {
                Event::Accepted { characters, lines, after_ms }
            } else {
                Event::AcceptedPart { characters, lines, after_ms }
            };
            notes.push(self.note(current.suggestion, event));
            notes.extend(self.follow(current.suggestion, &part, start..current.at, after, now));
            current.in_part = true;
        } else if is_whole {
            let characters = first.text.chars().count();
            notes.push(self.note(current.suggestion, Event::TypedAlong { characters, after_ms }));
        }
        let after = match (step.manner, is_whole) {
            (Manner::AtOnce, true) if !first.text.contains('\n') => Some(After::Accept),
            (_, false) if current.in_part => current.shown.first().map(|shown| {
                let (text, replaces) = (shown.rest().to_owned(), shown.replaces);
                After::Part(Suggestion { text, replaces })
            }),
            _ => None,
        };
        let after = after.map(|after| (current.at, after));
        self.current = Some(current).filter(|_| !is_whole);
        Outcome { notes, after }
    }

    /// Looks at what is due, in the text as it is now and has been since the last change.
    pub fn look(&mut self, text: &Rope, now: Instant) -> Vec<Note> {
        self.look_at(text, |accepted| accepted.due(now))
    }

    /// The document goes: everything is looked at a last time.
    pub fn end(&mut self, text: &Rope, now: Instant) -> Vec<Note> {
        let mut notes: Vec<Note> = self.turn_down(now).into_iter().collect();
        notes.extend(self.look_at(text, |accepted| {
            // What was not due yet is looked at early, once.
            accepted.due(now).or_else(|| (accepted.looks == 0).then(|| now - accepted.since))
        }));
        self.accepted.clear();
        notes
    }

    /// Characters of accepted texts that stood at their last look.
    pub fn kept(&self) -> usize {
        self.kept
    }

    fn look_at(&mut self, text: &Rope, due: impl Fn(&Accepted) -> Option<Duration>) -> Vec<Note> {
        let mut events = Vec::new();
        for (suggestion, accepted) in &mut self.accepted {
            // After a long rest both looks are due, and see the same.
            while let Some(look) = due(accepted) {
                let before = accepted.stood;
                let kept = accepted.look(text);
                self.kept = self.kept - before + kept.characters;
                let after_ms = look.as_millis() as u64;
                let super::kept::Kept { of, characters, stands } = kept;
                events.push((*suggestion, Event::Kept { characters, of, stands, after_ms }));
            }
        }
        self.accepted.retain(|(_, accepted)| accepted.looks < super::kept::LOOKS.len());
        events.into_iter().map(|(suggestion, event)| self.note(suggestion, event)).collect()
    }

    /// Follows an accepted text; a part that goes on from the last one is followed with it.
    fn follow(
        &mut self,
        suggestion: u64,
        part: &str,
        range: std::ops::Range<usize>,
        text: &Rope,
        now: Instant,
    ) -> Vec<Note> {
        if let Some((last, accepted)) = self.accepted.back_mut()
            && *last == suggestion
            && accepted.looks == 0
            && accepted.range.end == range.start
        {
            accepted.text.push_str(part);
            accepted.range.end = range.end;
            accepted.since = now;
            return Vec::new();
        }
        let mut notes = Vec::new();
        if self.accepted.len() >= FOLLOWED
            && let Some((oldest, mut accepted)) = self.accepted.pop_front()
            && accepted.looks == 0
        {
            let super::kept::Kept { of, characters, stands } = accepted.look(text);
            self.kept += characters;
            let after_ms = since(accepted.since, now);
            notes.push(self.note(oldest, Event::Kept { characters, of, stands, after_ms }));
        }
        self.accepted.push_back((suggestion, Accepted::new(part, range, now)));
        notes
    }

    fn turn_down(&mut self, now: Instant) -> Option<Note> {
        let current = self.current.take()?;
        let characters = current.shown.first()?.rest().chars().count();
        let after_ms = since(current.since, now);
        Some(self.note(current.suggestion, Event::TurnedDown { characters, after_ms }))
    }

    fn note(&self, suggestion: u64, event: Event) -> Note {
        Note { suggestion, language: self.language.clone(), event }
    }
}

/// A change, with the texts before and after it.
#[derive(Clone, Copy)]
struct Texts<'a> {
    before: &'a Rope,
    after: &'a Rope,
    touched: &'a Touched,
    /// The same, trimmed.
    spans: &'a [Span],
}

impl Current {
    /// What a change has made of it: the text that it is a step in, the step, and the byte where the
    /// inserted text starts. `None` when something else was typed, here or elsewhere.
    fn step(&mut self, texts: Texts<'_>) -> Option<(Shown, Step, usize)> {
        let Texts { before, after, spans, .. } = texts;
        let replaces = self.shown.iter().map(|shown| shown.replaces).max().unwrap_or_default();
        let reach = (self.at + replaces).min(before.len_bytes());
        let last = spans.partition_point(|span| span.old.start <= reach);
        let mut begin = self.line;
        let (from, to) = loop {
            let first = spans.partition_point(|span| span.old.end < begin);
            let here = spans.get(first..last).unwrap_or_default();
            let (Some(from), Some(to)) = (here.first(), here.last()) else { return None };
            if begin <= from.old.start {
                break (from, to);
            }
            // From the start of a line, since leading blanks are not compared.
            begin = before.line_to_byte(before.byte_to_line(from.old.start));
        };
        let end = reach.max(to.old.end);
        let (new_begin, new_end) =
            (from.new.start - (from.old.start - begin), to.new.end + (end - to.old.end));
        if (end - begin).max(new_end - new_begin) > MOST_CHANGED {
            return None;
        }
        let head = before.byte_slice(begin..self.at).to_string();
        let tail = before.byte_slice(self.at..end).to_string();
        let now = after.byte_slice(new_begin..new_end).to_string();
        let from_word = self.word_replaced(&head, begin, texts.touched);
        let around = Around { head: &head, tail: &tail, now: &now, from_word };
        let mut left = Vec::new();
        let mut found: Option<(Shown, Step)> = None;
        for shown in &self.shown {
            let Some(step) = shown.step(around) else { continue };
            left.push(Shown { taken: step.taken, replaces: step.replaces, ..shown.clone() });
            found.get_or_insert_with(|| (shown.clone(), step));
        }
        let (was, step) = found?;
        self.shown = left;
        self.line = new_begin + (self.line - begin).min(step.inserted.end);
        self.at = new_begin + step.inserted.end;
        let start = new_begin + step.inserted.start;
        Some((was, step, start))
    }

    /// Was the word at the cursor replaced, by another menu's entry? Ours mostly replaces from the start
    /// of the line, or is inserted.
    fn word_replaced(&self, head: &str, begin: usize, touched: &Touched) -> bool {
        let word = head.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let start = begin + word;
        let line = begin + head.rfind('\n').map_or(0, |at| at + 1);
        let from = |span: &Span| span.old.start == start && span.old.end == self.at;
        !self.from_word && start < self.at && start > line && touched.spans().iter().any(from)
    }

    /// The texts that are shown now, when they are what is left of these.
    fn as_seen_now(&self, now: &[Shown]) -> Option<Vec<Shown>> {
        let left_of = |now: &Shown| {
            self.shown.iter().filter(|shown| !shown.is_whole()).find_map(|shown| {
                let rest = &shown.marks[shown.taken..];
                let common = rest.len().min(now.marks.len());
                let chars = |marks: &[(char, usize)]| {
                    marks[..common].iter().map(|(c, _)| *c).collect::<Vec<_>>()
                };
                if common == 0 || chars(rest) != chars(&now.marks) {
                    return None;
                }
                // What stands there already, and what is shown now.
                let stands = shown.text.len() - shown.rest().len();
                let text = format!("{}{}", &shown.text[..stands], now.text);
                let mut marks = shown.marks[..shown.taken].to_vec();
                marks.extend(now.marks.iter().map(|(c, end)| (*c, end + stands)));
                Some(Shown { text, marks, taken: shown.taken, replaces: now.replaces })
            })
        };
        let same: Vec<Option<Shown>> = now.iter().map(left_of).collect();
        // Others may have come to choose from.
        let all = || same.iter().zip(now).map(|(same, now)| same.as_ref().unwrap_or(now).clone());
        same.iter().any(Option::is_some).then(|| all().collect())
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count() + 1
}

fn since(then: Instant, now: Instant) -> u64 {
    now.duration_since(then).as_millis() as u64
}

#[cfg(test)]
mod tests;
