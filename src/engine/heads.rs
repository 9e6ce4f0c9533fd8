//! A prompt's tokens in the model's layout, and shorter versions of them for a quick first answer.
//!
//! In: the tokens of prefix, suffix and middle. Out: [`Head`]s, the best first. Pure.
//!
//! Where nothing is cached yet, a thousand tokens take seconds on two cores. The model answers
//! almost as well from a hundred (on real code, 0.5B: 44 % exact instead of 58, in a quarter of
//! the time), so that is the first answer, while the whole head is built in the background.

use super::healing::{Token, Vocabulary};
use super::transformer::FimTokens;

/// Tokens of a quick head where the machine is fast enough: about 96 before the cursor and 32 after.
const QUICK_MOST: usize = 128;
/// The fewest with which an answer is still worth showing.
const QUICK_LEAST: usize = 48;
/// A quick head rather begins at a line; this many tokens, and at most half, may be left out for that.
const TO_A_LINE: usize = 24;

/// A prompt's parts, in tokens. The middle ends before the word being typed.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Before the anchor.
    pub prefix: Vec<Token>,
    /// What to know of other files, right before the anchor. A quick head goes without.
    pub context: Vec<Token>,
    /// After the cursor.
    pub suffix: Vec<Token>,
    /// From the anchor to the word being typed.
    pub middle: Vec<Token>,
}

/// The tokens of a prompt, in the order in which the model reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// All of them.
    pub tokens: Vec<Token>,
    /// Is anything of the prompt left out for speed?
    pub quick: bool,
}

impl Parts {
    /// The whole prompt, cut to `most` tokens: first the prefix from its front, then the suffix
    /// from its end, then the middle from its front.
    pub fn whole(&self, fim: FimTokens, most: usize) -> Head {
        let most = most.saturating_sub(3);
        let middle = &self.middle[self.middle.len().saturating_sub(most)..];
        let suffix = &self.suffix[..self.suffix.len().min(most - middle.len())];
        let room = most - middle.len() - suffix.len();
        let context = if self.context.len() <= room { self.context.as_slice() } else { &[] };
        let prefix = &self.prefix[self.prefix.len().saturating_sub(room - context.len())..];
        let prefix = [prefix, context].concat();
        Head { tokens: layout(fim, &prefix, suffix, middle), quick: false }
    }

    /// The whole prompt and its shorter versions: with a short suffix, for a place above one whose
    /// prefix is known; and with a short prefix too, shorter the longer the middle's lines are.
    /// Typing on in a line only appends to each of them.
    /// `quick` is about how many tokens the shortest may have.
    pub fn all(
        &self,
        fim: FimTokens,
        most: usize,
        quick: usize,
        vocabulary: &Vocabulary,
    ) -> Vec<Head> {
        let mut heads = vec![self.whole(fim, most)];
        let quick = quick.clamp(QUICK_LEAST, QUICK_MOST);
        let suffix = self.suffix[..self.suffix.len().min(quick / 4)].to_vec();
        // Without the line being typed, which grows: the rest of a quick head must stay as it is.
        let lines = self.middle.iter().rposition(|&token| ends_line(vocabulary, token));
        let before = (quick - quick / 4).saturating_sub(lines.map_or(0, |last| last + 1));
        let prefix = self.prefix[self.quick_start(before, vocabulary)..].to_vec();
        let middle = self.middle.clone();
        let (context, suffix_too) = (self.context.clone(), suffix.clone());
        let short = Parts { prefix: self.prefix.clone(), context, suffix, middle: middle.clone() };
        let shorter = Parts { prefix, context: Vec::new(), suffix: suffix_too, middle };
        for parts in [short, shorter] {
            let head = Head { quick: true, ..parts.whole(fim, most) };
            if heads.iter().all(|known| known.tokens != head.tokens) {
                heads.push(head);
            }
        }
        heads
    }

    /// Where the prefix of a quick head starts: at a line, if one starts soon.
    fn quick_start(&self, tokens: usize, vocabulary: &Vocabulary) -> usize {
        let start = self.prefix.len().saturating_sub(tokens);
        if start == 0 || tokens == 0 {
            return start;
        }
        let begins_line = |at: &usize| ends_line(vocabulary, self.prefix[at - 1]);
        (start..self.prefix.len().min(start + TO_A_LINE.min(tokens / 2)))
            .find(begins_line)
            .unwrap_or(start)
    }
}

fn ends_line(vocabulary: &Vocabulary, token: Token) -> bool {
    vocabulary.bytes_of(token).ends_with(b"\n")
}

fn layout(fim: FimTokens, prefix: &[Token], suffix: &[Token], middle: &[Token]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(prefix.len() + suffix.len() + middle.len() + 3);
    tokens.push(fim.prefix);
    tokens.extend(prefix);
    tokens.push(fim.suffix);
    tokens.extend(suffix);
    tokens.push(fim.middle);
    tokens.extend(middle);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIM: FimTokens = FimTokens { prefix: -1, suffix: -2, middle: -3 };

    fn vocabulary() -> Vocabulary {
        // Every tenth token ends a line.
        Vocabulary::new((0..1_000).map(|t| if t % 10 == 9 { b"\n".to_vec() } else { vec![b'a'] }))
    }

    fn parts(prefix: Token, suffix: Token, middle: Token) -> Parts {
        Parts {
            prefix: (0..prefix).collect(),
            context: Vec::new(),
            suffix: (0..suffix).collect(),
            middle: (0..middle).collect(),
        }
    }

    #[test]
    fn a_prompt_too_long_loses_the_prefixs_front_first_and_the_middle_last() {
        let tokens = |most| parts(5, 3, 2).whole(FIM, most).tokens;
        assert_eq!(tokens(100), [-1, 0, 1, 2, 3, 4, -2, 0, 1, 2, -3, 0, 1]);
        assert_eq!(tokens(10), [-1, 3, 4, -2, 0, 1, 2, -3, 0, 1]);
        assert_eq!(tokens(7), [-1, -2, 0, 1, -3, 0, 1]);
        assert_eq!(tokens(4), [-1, -2, -3, 1]);
    }

    #[test]
    fn a_quick_head_is_short_and_begins_at_a_line() {
        let heads = parts(400, 200, 30).all(FIM, 2_000, 128, &vocabulary());
        let lengths: Vec<usize> = heads.iter().map(|head| head.tokens.len()).collect();
        assert_eq!(lengths, [633, 400 + 32 + 30 + 3, 60 + 32 + 30 + 3]);
        assert_eq!(heads[2].tokens[1], 340);
        assert_eq!(heads.iter().map(|head| head.quick).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn typing_on_in_a_line_only_appends_to_every_head() {
        let before = parts(400, 200, 30).all(FIM, 2_000, 100, &vocabulary());
        let after = parts(400, 200, 38).all(FIM, 2_000, 100, &vocabulary());
        for (before, after) in before.iter().zip(&after) {
            assert!(after.tokens.starts_with(&before.tokens));
        }
    }

    #[test]
    fn a_short_document_has_one_head() {
        assert_eq!(parts(20, 10, 5).all(FIM, 2_000, 128, &vocabulary()).len(), 1);
    }
}
