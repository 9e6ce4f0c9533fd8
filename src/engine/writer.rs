//! Tokens' bytes → the text of an answer.
//!
//! In: bytes, token by token. Out: [`Event`]s with whole characters. It drops the bytes of the
//! word that was forced, holds back half characters, says nothing twice when a pre-empted request
//! starts again, and notes the end of the line where that is where to stop.

use tokio::sync::mpsc;

use super::{Event, Figures, Fork, Stop};

/// Writes one answer.
pub struct Writer {
    events: mpsc::UnboundedSender<Event>,
    /// Bytes of the forced word still to come.
    forced: usize,
    stop: Stop,
    /// Bytes of a character that is not complete yet.
    held: Vec<u8>,
    /// Bytes of text so far, and those sent in an earlier attempt.
    sent: usize,
    already_sent: usize,
    ended: bool,
}

impl Writer {
    /// A writer to `events`; `already_sent` is what [`sent`](Self::sent) said in an earlier
    /// attempt at the same request.
    pub fn new(
        events: mpsc::UnboundedSender<Event>,
        forced: usize,
        stop: Stop,
        already_sent: usize,
    ) -> Writer {
        Writer { events, forced, stop, held: Vec::new(), sent: 0, already_sent, ended: false }
    }

    /// Does nobody wait for the answer any more?
    pub fn unwanted(&self) -> bool {
        self.events.is_closed()
    }

    /// Is it long enough?
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes of text have been sent, earlier attempts included.
    pub fn sent(&self) -> usize {
        self.sent.max(self.already_sent)
    }

    /// How many bytes of text there are so far; `None` within a character.
    pub fn between_characters(&self) -> Option<usize> {
        self.held.is_empty().then_some(self.sent)
    }

    /// Adds a token's bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let forced = self.forced.min(bytes.len());
        self.forced -= forced;
        self.held.extend_from_slice(&bytes[forced..]);
        let held = std::mem::take(&mut self.held);
        let mut text = String::new();
        let mut chunks = held.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            match chunk.invalid() {
                [] => {}
                // An incomplete character at the end waits for its other bytes.
                tail if chunks.peek().is_none() && tail.len() < 4 => self.held = tail.to_vec(),
                _ => text.push('\u{fffd}'),
            }
        }
        if self.stop == Stop::Line && text.contains('\n') {
            self.ended = true;
        }
        self.send(text);
    }

    fn send(&mut self, text: String) {
        // Greedy, so an earlier attempt said the same; its pieces may have been cut elsewhere, but
        // always between characters.
        let known = self.already_sent.saturating_sub(self.sent).min(text.len());
        self.sent += text.len();
        if let Some(new) = text.get(known..).filter(|new| !new.is_empty()) {
            let _ = self.events.send(Event::Text(new.to_owned()));
        }
    }

    /// Says what it took to get to the first new token.
    pub fn begin(&self, figures: Figures) {
        let _ = self.events.send(Event::Begun(figures));
    }

    /// Says where it could have gone on otherwise.
    pub fn say_forks(&self, forks: Vec<Fork>) {
        let _ = self.events.send(Event::Forks(forks));
    }

    /// Ends the answer.
    pub fn finish(self, figures: Figures) {
        let _ = self.events.send(Event::Done(figures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written for these tokens, piece by piece, and whether that is the end.
    fn write(
        forced: usize,
        stop: Stop,
        already_sent: usize,
        tokens: &[&[u8]],
    ) -> (Vec<String>, bool) {
        let (sender, mut events) = mpsc::unbounded_channel();
        let mut writer = Writer::new(sender, forced, stop, already_sent);
        tokens.iter().for_each(|token| writer.push(token));
        let ended = writer.ended();
        drop(writer);
        let mut texts = Vec::new();
        while let Ok(Event::Text(text)) = events.try_recv() {
            texts.push(text);
        }
        (texts, ended)
    }

    #[test]
    fn a_character_split_over_tokens_comes_whole() {
        let crab = "🦀".as_bytes();
        let (texts, _) =
            write(0, Stop::Never, 0, &[b"a", &crab[..1], &crab[1..3], &crab[3..], b"b"]);
        assert_eq!(texts, ["a", "🦀", "b"]);
        let (texts, _) = write(0, Stop::Never, 0, &[&crab[..2], b"x"]);
        assert_eq!(texts, ["\u{fffd}x"]);
    }

    #[test]
    fn the_forced_words_bytes_are_not_written() {
        let (texts, _) = write(6, Stop::Never, 0, &[b" ret", b"urn", b" x"]);
        assert_eq!(texts, ["n", " x"]);
    }

    #[test]
    fn a_line_ends_the_answer_where_that_is_asked_for() {
        assert!(write(0, Stop::Line, 0, &[b"a;", b"\n"]).1);
        assert!(!write(0, Stop::Never, 0, &[b"a;", b"\n"]).1);
        assert!(!write(1, Stop::Line, 0, &[b"\n"]).1, "a forced line break is not the answer's");
    }

    #[test]
    fn what_an_earlier_attempt_said_is_not_said_again() {
        let (texts, _) = write(0, Stop::Never, 4, &[b"abc", b"def", b"g"]);
        assert_eq!(texts, ["ef", "g"]);
    }
}
