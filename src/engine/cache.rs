//! Which tokens stand where in the KV cache. Pure bookkeeping: it names no library and decodes
//! nothing, so it can be tested against a slow model of itself.
//!
//! In: the tokens that a prompt begins with, and the bytes that its answer must begin with.
//! Out: a [`Plan`]: which sequence to use and how many of its tokens stay.
//!
//! A sequence holds tokens that were *given* (the prompt) and tokens that the model *chose*
//! (forced for a word, or generated). A chosen token may stay only if a cold run would choose it
//! again: the candidates under a longer word are a subset of those under a shorter one, so the
//! best token under `re` that still fits `ret` is the best under `ret` too. Hence each chosen
//! token remembers what remained to be forced when it was chosen, and stays only while the new
//! remainder starts with that.

use super::healing::{self, Token};

/// One sequence of the KV cache.
#[derive(Debug, Default, Clone)]
pub struct Sequence {
    tokens: Vec<Token>,
    /// For each token, what remained to be forced when the model chose it; `None` when given.
    chosen_under: Vec<Option<Box<[u8]>>>,
    /// When it was last used, in calls of [`Cache::plan`].
    used: u64,
}

impl Sequence {
    /// How many tokens it holds.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Does it hold none?
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Its tokens from position `from` on.
    pub fn tokens_from(&self, from: usize) -> &[Token] {
        &self.tokens[from.min(self.tokens.len())..]
    }

    /// Records that the token now stands at the end, as part of a prompt.
    pub fn push_given(&mut self, token: Token) {
        self.tokens.push(token);
        self.chosen_under.push(None);
    }

    /// Records that the model chose the token while `remains` was still to be forced.
    pub fn push_chosen(&mut self, token: Token, remains: &[u8]) {
        self.tokens.push(token);
        self.chosen_under.push(Some(remains.into()));
    }

    /// What remained to be forced when the model chose the token here; `None` when it was given.
    pub fn chosen_under(&self, position: usize) -> Option<Box<[u8]>> {
        self.chosen_under.get(position).cloned().flatten()
    }

    /// Forgets all tokens from position `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.tokens.truncate(length);
        self.chosen_under.truncate(length);
    }

    /// How many of the tokens after `base` a cold run would choose again under `remains`.
    fn rechosen(&self, base: usize, word: &[u8], bytes_of: impl Fn(Token) -> Vec<u8>) -> usize {
        let mut remains = word;
        for (position, &token) in self.tokens.iter().enumerate().skip(base) {
            let bytes = bytes_of(token);
            let again = self.chosen_under[position]
                .as_deref()
                .is_some_and(|under| remains.starts_with(under) && healing::fits(&bytes, remains));
            if !again {
                return position - base;
            }
            remains = healing::after(&bytes, remains);
        }
        self.tokens.len().saturating_sub(base)
    }
}

/// What to keep for a prompt.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Plan {
    /// The sequence to use.
    pub sequence: usize,
    /// Tokens of the prompt that are already there.
    pub given: usize,
    /// Tokens after the prompt that a cold run would choose again. 0 unless all of it is there.
    pub chosen: usize,
}

/// The sequences of one KV cache.
#[derive(Debug)]
pub struct Cache {
    sequences: Vec<Sequence>,
    clock: u64,
}

impl Cache {
    /// A cache of `count` empty sequences (at least one).
    pub fn new(count: usize) -> Cache {
        Cache { sequences: vec![Sequence::default(); count.max(1)], clock: 0 }
    }

    /// How many sequences there are.
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Never: there is always at least one sequence.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// The sequence with this number.
    pub fn sequence(&mut self, number: usize) -> &mut Sequence {
        &mut self.sequences[number]
    }

    /// The sequence that shares the longest beginning with the prompt `base`, or the least
    /// recently used one when none shares more than a quarter of what it holds. Nothing is changed but
    /// the time of use; the caller truncates to what the plan keeps.
    pub fn plan(
        &mut self,
        base: &[Token],
        word: &[u8],
        bytes_of: impl Fn(Token) -> Vec<u8>,
    ) -> Plan {
        self.clock += 1;
        let shared = |s: &Sequence| s.tokens.iter().zip(base).take_while(|(a, b)| a == b).count();
        let best = self
            .sequences
            .iter()
            .enumerate()
            .map(|(number, sequence)| (shared(sequence), number))
            .filter(|&(common, number)| common * 4 > self.sequences[number].len())
            .max_by_key(|&(common, number)| (common, std::cmp::Reverse(number)));
        let number = match best {
            Some((common, number)) if common > 0 => number,
            _ => {
                let oldest = self.sequences.iter().enumerate().min_by_key(|(_, s)| s.used);
                oldest.map_or(0, |(number, _)| number)
            }
        };
        let clock = self.clock;
        let sequence = self.sequence(number);
        sequence.used = clock;
        let given = shared(sequence);
        let chosen = if given == base.len() { sequence.rechosen(given, word, bytes_of) } else { 0 };
        Plan { sequence: number, given, chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::healing::Vocabulary;
    use proptest::prelude::*;

    fn vocabulary() -> Vocabulary {
        let texts = ["", "a", "b", "ab", "ba", "aa", "abb", "bab"];
        Vocabulary::new(texts.map(|t| t.as_bytes().to_vec()))
    }

    /// A model whose taste depends on all the tokens before: greedy over the candidates.
    fn choose(vocabulary: &Vocabulary, context: &[Token], remains: &[u8]) -> Token {
        let seed = context.iter().fold(7_u64, |h, &t| h.wrapping_mul(31).wrapping_add(t as u64));
        let taste = |t: &Token| seed.wrapping_mul(*t as u64 + 11).wrapping_mul(0x9E37_79B9) >> 7;
        let all: Vec<Token> = (1..8).collect();
        let allowed: Vec<Token> = match remains {
            [] => all,
            _ => vocabulary.candidates(remains).collect(),
        };
        allowed.into_iter().max_by_key(taste).expect("every string of a and b has a candidate")
    }

    fn cold(vocabulary: &Vocabulary, base: &[Token], word: &[u8], count: usize) -> Vec<Token> {
        let (mut context, mut remains) = (base.to_vec(), word);
        for _ in 0..count {
            let token = choose(vocabulary, &context, remains);
            remains = healing::after(vocabulary.bytes_of(token), remains);
            context.push(token);
        }
        context.split_off(base.len())
    }

    fn warm(
        cache: &mut Cache,
        vocabulary: &Vocabulary,
        base: &[Token],
        word: &[u8],
        count: usize,
    ) -> Vec<Token> {
        let plan = cache.plan(base, word, |t| vocabulary.bytes_of(t).to_vec());
        let sequence = cache.sequence(plan.sequence);
        sequence.truncate(plan.given + plan.chosen);
        base[plan.given..].iter().for_each(|&t| sequence.push_given(t));
        let mut remains = word;
        for &token in sequence.tokens_from(base.len()).to_vec().iter().take(count) {
            remains = healing::after(vocabulary.bytes_of(token), remains);
        }
        while sequence.len() < base.len() + count {
            let token = choose(vocabulary, sequence.tokens_from(0), remains);
            sequence.push_chosen(token, remains);
            remains = healing::after(vocabulary.bytes_of(token), remains);
        }
        sequence.tokens_from(base.len())[..count].to_vec()
    }

    #[test]
    fn a_longer_word_keeps_the_tokens_that_still_fit() {
        let mut cache = Cache::new(1);
        let vocabulary = vocabulary();
        let bytes = |t: Token| vocabulary.bytes_of(t).to_vec();
        let sequence = cache.sequence(0);
        [1, 2].into_iter().for_each(|t| sequence.push_given(t));
        sequence.push_chosen(3, b"a"); // "ab", chosen while "a" was forced
        sequence.push_chosen(1, b"");
        assert_eq!(cache.plan(&[1, 2], b"ab", bytes), Plan { sequence: 0, given: 2, chosen: 2 });
        assert_eq!(cache.plan(&[1, 2], b"aba", bytes).chosen, 2);
        assert_eq!(cache.plan(&[1, 2], b"abb", bytes).chosen, 1);
        assert_eq!(cache.plan(&[1, 2], b"aa", bytes).chosen, 0);
        // Under a shorter word there are more candidates: a cold run might choose another.
        assert_eq!(cache.plan(&[1, 2], b"", bytes).chosen, 0);
        assert_eq!(cache.plan(&[1], b"b", bytes), Plan { sequence: 0, given: 1, chosen: 0 });
    }

    #[test]
    fn another_document_takes_the_least_recently_used_sequence() {
        let mut cache = Cache::new(2);
        let none = |_: Token| Vec::new();
        let first = cache.plan(&[1, 2, 3], b"", none).sequence;
        [1, 2, 3].into_iter().for_each(|t| cache.sequence(first).push_given(t));
        let second = cache.plan(&[4, 5, 6], b"", none).sequence;
        assert_ne!(first, second);
        [4, 5, 6].into_iter().for_each(|t| cache.sequence(second).push_given(t));
        assert_eq!(
            cache.plan(&[1, 2, 9], b"", none),
            Plan { sequence: first, given: 2, chosen: 0 }
        );
        assert_eq!(cache.plan(&[7], b"", none).sequence, second);
    }

    proptest! {
        #[test]
        fn warm_answers_equal_cold_ones(
            requests in prop::collection::vec(
                (prop::collection::vec(1..4_i32, 1..5), "[ab]{0,4}", 0..6_usize), 1..40),
            sequences in 1..4_usize,
        ) {
            let vocabulary = vocabulary();
            let mut cache = Cache::new(sequences);
            for (base, word, count) in requests {
                let warm = warm(&mut cache, &vocabulary, &base, word.as_bytes(), count);
                prop_assert_eq!(warm, cold(&vocabulary, &base, word.as_bytes(), count));
            }
        }
    }
}
