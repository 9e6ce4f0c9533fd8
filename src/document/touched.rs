//! Which parts of a text a batch of changes has touched.
//!
//! In: each edit of the batch, in order, in the bytes of the text it was made in. Out: [`Span`]s,
//! in order and apart from each other, each with what stood there before the batch and what stands
//! there after. Between them the two texts are the same. Refuses: nothing.

use std::ops::Range;

use ropey::{Rope, RopeSlice};

/// With more places than this (a formatter's work) only the first and the last are kept apart from
/// the rest: each edit moves all places behind it.
const MOST: usize = 256;
/// A longer span is not compared byte by byte.
const COMPARED: usize = 64 << 10;

/// A piece of the text before, and the piece of the text after that stands in its place. Bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub old: Range<usize>,
    pub new: Range<usize>,
}

/// What a batch has touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched(Vec<Span>);

impl Touched {
    /// A whole text stands where a whole text stood.
    pub fn whole(old: usize, new: usize) -> Touched {
        Touched(vec![Span { old: 0..old, new: 0..new }])
    }

    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// One more edit: `length` bytes stand where `range` stood.
    pub(super) fn note(&mut self, range: Range<usize>, length: usize) {
        let spans = &mut self.0;
        let first = spans.partition_point(|span| span.new.end < range.start);
        let last = spans.partition_point(|span| span.new.start <= range.end);
        // How much further on a place behind these spans stands in the text before.
        let further = |spans: &[Span]| spans.last().map_or((0, 0), |s| (s.old.end, s.new.end));
        let (old, new) = further(&spans[..first]);
        let start = spans
            .get(first)
            .filter(|_| first < last)
            .map_or(range.start, |span| span.new.start.min(range.start));
        let (old_end, new_end) = further(&spans[..last.max(first)]);
        let end = if first < last { new_end.max(range.end) } else { range.end };
        let merged = Span {
            old: start - new + old..end - new_end + old_end,
            new: start..end - range.len() + length,
        };
        spans.splice(first..last.max(first), [merged]);
        for span in &mut spans[first + 1..] {
            span.new = span.new.start - range.len() + length..span.new.end - range.len() + length;
        }
        if let [first, .., last] = spans.as_slice()
            && spans.len() > MOST
        {
            let hull =
                Span { old: first.old.start..last.old.end, new: first.new.start..last.new.end };
            *spans = vec![hull];
        }
    }
}

impl Span {
    /// Without what is the same at both ends. Editors replace a whole line to add a word.
    pub fn trimmed(&self, before: &Rope, after: &Rope) -> Span {
        let Span { old, new } = self.clone();
        if old.is_empty() || new.is_empty() || old.len().max(new.len()) > COMPARED {
            return Span { old, new };
        }
        let (was, is) = (before.byte_slice(old.clone()), after.byte_slice(new.clone()));
        let mut head = was.bytes().zip(is.bytes()).take_while(|(a, b)| a == b).count();
        head = was.char_to_byte(was.byte_to_char(head));
        let backwards = |slice: RopeSlice<'_>, most: usize| {
            slice.bytes_at(slice.len_bytes()).reversed().take(most).collect::<Vec<u8>>()
        };
        let most = old.len().min(new.len()) - head;
        let (was_end, is_end) = (backwards(was, most), backwards(is, most));
        let mut tail = was_end.iter().zip(&is_end).take_while(|(a, b)| a == b).count();
        // Up to the next character's start.
        while was_end.get(tail.wrapping_sub(1)).is_some_and(|byte| byte & 0xC0 == 0x80) {
            tail -= 1;
        }
        Span { old: old.start + head..old.end - tail, new: new.start + head..new.end - tail }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text before, with each span's new text put in.
    fn replayed(before: &str, after: &str, spans: &[Span]) -> String {
        let (mut text, mut at) = (String::new(), 0);
        for span in spans {
            text.push_str(&before[at..span.old.start]);
            assert_eq!(text.len(), span.new.start, "spans are in place");
            text.push_str(&after[span.new.clone()]);
            at = span.old.end;
        }
        text + &before[at..]
    }

    #[test]
    fn edits_far_apart_are_two_spans_and_edits_that_meet_are_one() {
        let mut touched = Touched::default();
        touched.note(10..10, 3);
        touched.note(0..2, 0);
        touched.note(11..12, 5);
        let span = |old, new| Span { old, new };
        assert_eq!(touched.spans(), [span(0..2, 0..0), span(10..11, 8..16)]);
    }

    #[test]
    fn a_line_replaced_by_itself_and_a_word_is_the_word() {
        let (before, after) = (Rope::from_str("  let é = \nx"), Rope::from_str("  let é = è;\nx"));
        let span = Span { old: 0..11, new: 0..14 }.trimmed(&before, &after);
        assert_eq!(span, Span { old: 11..11, new: 11..14 });
        // The two letters share their first byte.
        let (before, after) = (Rope::from_str("aéb"), Rope::from_str("aèb"));
        let span = Span { old: 0..4, new: 0..4 }.trimmed(&before, &after);
        assert_eq!(span, Span { old: 1..3, new: 1..3 });
    }

    #[test]
    fn a_formatters_many_edits_become_one_span() {
        let mut touched = Touched::default();
        for at in 0..=MOST {
            touched.note(at * 10..at * 10 + 1, 1);
        }
        assert_eq!(touched.spans().len(), 1);
        assert_eq!(touched.spans()[0].old, 0..MOST * 10 + 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_spans_say_how_the_text_after_comes_from_the_text_before(
            before in "[abé\n]{0,40}",
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[abè\n]{0,6}"), 0..12),
        ) {
            let mut after = before.clone();
            let mut touched = Touched::default();
            for (a, b, text) in edits {
                let at = |i: prop::sample::Index| after.floor_char_boundary(i.index(after.len() + 1));
                let (start, end) = (at(a).min(at(b)), at(a).max(at(b)));
                after.replace_range(start..end, &text);
                touched.note(start..end, text.len());
            }
            prop_assert_eq!(replayed(&before, &after, touched.spans()), after.clone());
            let (was, is) = (Rope::from_str(&before), Rope::from_str(&after));
            let trimmed: Vec<Span> = touched.spans().iter().map(|s| s.trimmed(&was, &is)).collect();
            prop_assert_eq!(replayed(&before, &after, &trimmed), after);
            prop_assert!(touched.spans().windows(2).all(|w| w[0].new.end < w[1].new.start));
        }
    }
}
