//! How much of an accepted text still stands later. Pure.
//!
//! In: the text as it was accepted, where it stood, each later change, and the time. Out: how much of
//! it stood at [`LOOKS`]. The rule is Copilot's: the text is still there when the edit distance, by
//! words, to the nearest text at its place is below half of its words. How many of its characters
//! stand there is, as in Zed, what the longest common subsequence keeps; blanks do not count.
//!
//! There is no timer: what is due is judged before the next change, when the text is still as it was
//! at that time.

use std::ops::Range;
use std::time::{Duration, Instant};

use ropey::Rope;

use crate::document::touched::Span;

/// How long after an accept it is looked at: Copilot's first look and its last.
pub const LOOKS: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(600)];
/// More words are not compared: no answer is longer (1,024 tokens at most), and 1,000 by 1,000 words
/// take 2 ms.
const WORDS: usize = 1_000;
/// Bytes of the document that are looked at in its place.
const LOOKED_AT: usize = 16 << 10;

/// An accepted text that is followed.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// As it was accepted.
    pub text: String,
    /// Where it stands, bytes.
    pub range: Range<usize>,
    /// When.
    pub since: Instant,
    /// Looks that were had.
    pub looks: usize,
    /// Characters that stood at the last look.
    pub stood: usize,
}

/// What stood of an accepted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Characters that were accepted.
    pub of: usize,
    /// Of these, the ones that still stand.
    pub characters: usize,
    /// It is still the same text, by Copilot's rule.
    pub stands: bool,
}

impl Accepted {
    /// A text that has just been accepted.
    pub fn new(text: &str, range: Range<usize>, since: Instant) -> Accepted {
        Accepted { text: text.to_owned(), range, since, looks: 0, stood: 0 }
    }

    /// The next look that is due at a time.
    pub fn due(&self, now: Instant) -> Option<Duration> {
        let look = *LOOKS.get(self.looks)?;
        (now.duration_since(self.since) >= look).then_some(look)
    }

    /// What stands of it in a text.
    pub fn look(&mut self, text: &Rope) -> Kept {
        let end = self.range.end.min(text.len_bytes()).min(self.range.start + LOOKED_AT);
        let floor = |byte: usize| text.byte_to_char(byte);
        let start = floor(self.range.start.min(end));
        let kept = kept(&self.text, &text.slice(start..floor(end).max(start)).to_string());
        self.looks += 1;
        self.stood = kept.characters;
        kept
    }

    /// Moves with a change. What is typed right before it or behind it is not part of it.
    pub fn carry(&mut self, spans: &[Span]) {
        let Range { start, end } = self.range;
        let at = |byte: usize, is_end: bool| {
            let mut moved = byte;
            for span in spans {
                let before = if is_end { span.old.start >= byte } else { span.old.start > byte };
                let inserted_before = !is_end && span.old.end == byte;
                if before {
                    break;
                }
                moved =
                    if span.old.end < byte || inserted_before || (is_end && span.old.end == byte) {
                        span.new.end + (byte - span.old.end)
                    } else if is_end {
                        span.new.end
                    } else {
                        span.new.start
                    };
            }
            moved
        };
        let (start, end) = (at(start, false), at(end, true));
        self.range = start.min(end)..end;
    }
}

/// What stands of an accepted text in the text at its place.
pub fn kept(accepted: &str, is: &str) -> Kept {
    let of = accepted.chars().count();
    let (was, is) = (words(accepted), words(is));
    let distance = distance(&was, &is);
    let (all, common) = (letters(&was), common(&was, &is));
    Kept { of, characters: of * common / all.max(1), stands: distance * 2 < was.len() }
}

/// Words, and each other mark by itself.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words: Vec<&str> = Vec::new();
    let mut from = 0;
    let mut last = ' ';
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if !(is_word(c) && is_word(last)) {
            words.push(text[from..at].trim());
            from = at;
        }
        last = c;
    }
    words.retain(|word| !word.is_empty());
    words.truncate(WORDS);
    words
}

fn letters(words: &[&str]) -> usize {
    words.iter().map(|word| word.chars().count()).sum()
}

/// The edit distance to the nearest part of a text: what stands before and behind costs nothing.
fn distance(was: &[&str], is: &[&str]) -> usize {
    let mut row = vec![0; is.len() + 1];
    for (number, word) in was.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], number + 1);
        for (at, other) in is.iter().enumerate() {
            let replaced = diagonal + usize::from(word != other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row.into_iter().min().unwrap_or_default()
}

/// Letters of the longest common subsequence of words.
fn common(was: &[&str], is: &[&str]) -> usize {
    let mut row = vec![0; is.len() + 1];
    for word in was {
        let weight = word.chars().count();
        let mut diagonal = 0;
        for (at, other) in is.iter().enumerate() {
            let above = row[at + 1];
            let with = if word == other { diagonal + weight } else { 0 };
            row[at + 1] = above.max(row[at]).max(with);
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(accepted: &str, is: &str, expect: (usize, bool)) {
        let Kept { characters, stands, .. } = kept(accepted, is);
        assert_eq!((characters, stands), expect, "{accepted:?} is now {is:?}");
    }

    #[test]
    fn a_text_stands_while_less_than_half_of_its_words_changed() {
        check(" = compute(a);", " = compute(a);", (14, true));
        check(" = compute(a);", " = compute(b);", (12, true));
        check(" = compute(a);", "\n    =\n  compute( a );", (14, true));
        check(" = compute(a);", " = \"hello\".len();", (4, false));
        check(" = compute(a);", "", (0, false));
    }

    #[test]
    fn what_was_typed_around_or_within_takes_nothing_away() {
        check("a(b)", "let x = a(b).c().d().e();", (4, true));
        check("foo(one, two)", "foo(one, new, two)", (13, true));
    }

    /// Where `text` stands after an edit.
    fn carried(range: Range<usize>, old: Range<usize>, length: usize) -> Range<usize> {
        let mut accepted = Accepted::new("", range, Instant::now());
        let new = old.start..old.start + length;
        accepted.carry(&[Span { old, new }]);
        accepted.range
    }

    #[test]
    fn the_place_moves_with_what_is_typed_before_it_and_grows_with_what_is_typed_within() {
        assert_eq!(carried(10..20, 0..0, 5), 15..25);
        assert_eq!(carried(10..20, 12..13, 4), 10..23);
        assert_eq!(carried(10..20, 30..35, 0), 10..20);
        assert_eq!(carried(10..20, 10..10, 3), 13..23);
        assert_eq!(carried(10..20, 20..20, 3), 10..20);
        assert_eq!(carried(10..20, 5..12, 1), 5..14);
        assert_eq!(carried(10..20, 18..25, 1), 10..19);
        assert_eq!(carried(10..20, 0..40, 0), 0..0);
    }

    #[test]
    fn it_is_looked_at_twice() {
        let start = Instant::now();
        let text = Rope::from_str("let x = 1;\n");
        let mut accepted = Accepted::new(" = 1;", 5..10, start);
        assert_eq!(accepted.due(start + Duration::from_secs(14)), None);
        let later = start + Duration::from_secs(700);
        for look in LOOKS {
            assert_eq!(accepted.due(later), Some(look));
            assert_eq!(accepted.look(&text), Kept { of: 5, characters: 5, stands: true });
        }
        assert_eq!(accepted.due(later), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_accepted_text_stands_wherever_edits_around_it_move_it(
            before in "[ab\n]{0,9}",
            edits in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), "[cd\n]{0,5}"), 0..8),
        ) {
            let text = "(wanted)";
            let mut all = format!("{before}{text}\n");
            let mut accepted = Accepted::new(text, before.len()..before.len() + text.len(), Instant::now());
            for (above, at, new) in edits {
                let Range { start, end } = accepted.range;
                let place = if above { at.index(start + 1) } else { end + at.index(all.len() - end + 1) };
                all.insert_str(place, &new);
                accepted.carry(&[Span { old: place..place, new: place..place + new.len() }]);
                prop_assert_eq!(&all[accepted.range.clone()], text);
            }
            prop_assert!(accepted.look(&Rope::from_str(&all)).stands);
        }
    }
}
