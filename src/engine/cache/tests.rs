//! What the bookkeeping of the KV cache promises, held against a slow model of it.

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

/// What a worker does with a plan.
fn settle(cache: &mut Cache, base: &[Token], plan: Plan) {
    let Plan { sequence, source, given, chosen } = plan;
    if source == sequence {
        cache.truncate(sequence, given + chosen);
    } else {
        cache.fork(source, sequence, given + chosen);
    }
    cache.touch(sequence);
    for &token in &base[given..] {
        cache.room(1, sequence);
        cache.push(sequence, token, None);
    }
}

fn warm(
    cache: &mut Cache,
    vocabulary: &Vocabulary,
    base: &[Token],
    word: &[u8],
    count: usize,
) -> Vec<Token> {
    let plan = cache.plan(base, word, |t| vocabulary.bytes_of(t).to_vec());
    settle(cache, base, plan);
    let number = plan.sequence;
    let mut remains = word;
    for &token in cache.sequence(number).tokens()[base.len()..].iter().take(count) {
        remains = healing::after(vocabulary.bytes_of(token), remains);
    }
    while cache.sequence(number).len() < base.len() + count {
        let token = choose(vocabulary, cache.sequence(number).tokens(), remains);
        cache.room(1, number);
        cache.push(number, token, Some(remains));
        remains = healing::after(vocabulary.bytes_of(token), remains);
    }
    cache.sequence(number).tokens()[base.len()..][..count].to_vec()
}

/// The cells that are in use, counted anew.
fn in_use(cache: &Cache) -> usize {
    let cells = cache.sequences.iter().flat_map(|s| s.cells.iter().copied());
    cells.collect::<std::collections::HashSet<_>>().len()
}

#[test]
fn a_longer_word_keeps_the_tokens_that_still_fit() {
    let mut cache = Cache::new(1, 100);
    let vocabulary = vocabulary();
    let bytes = |t: Token| vocabulary.bytes_of(t).to_vec();
    [1, 2].into_iter().for_each(|t| cache.push(0, t, None));
    cache.push(0, 3, Some(b"a")); // "ab", chosen while "a" was forced
    cache.push(0, 1, Some(b""));
    let plan = |base: &[Token], word: &[u8]| {
        let Plan { given, chosen, .. } = cache.plan(base, word, bytes);
        (given, chosen)
    };
    assert_eq!(plan(&[1, 2], b"ab"), (2, 2));
    assert_eq!(plan(&[1, 2], b"aba"), (2, 2));
    assert_eq!(plan(&[1, 2], b"abb"), (2, 1));
    assert_eq!(plan(&[1, 2], b"aa"), (2, 0));
    // Under a shorter word there are more candidates: a cold run might choose another.
    assert_eq!(plan(&[1, 2], b""), (2, 0));
    // One token alone is in every prompt.
    assert_eq!(plan(&[1], b"b"), (0, 0));
}

fn given(range: std::ops::Range<Token>) -> Vec<Token> {
    range.collect()
}

#[test]
fn another_document_takes_the_least_recently_used_sequence() {
    let mut cache = Cache::new(2, 1_000);
    let plan = |cache: &Cache, base: &[Token]| cache.plan(base, b"", |_| Vec::new());
    let (one, two) = (given(1..50), given(100..150));
    for base in [&one, &two, &one] {
        let next = plan(&cache, base);
        settle(&mut cache, base, next);
    }
    let third = plan(&cache, &given(200..250));
    assert_eq!(cache.sequence(third.sequence).tokens(), two);
}

#[test]
fn a_second_head_shares_the_firsts_beginning_and_a_jump_back_finds_it_whole() {
    let mut cache = Cache::new(3, 1_000);
    let plan = |cache: &Cache, base: &[Token]| cache.plan(base, b"", |_| Vec::new());
    let first = given(1..300);
    let next = plan(&cache, &first);
    settle(&mut cache, &first, next);
    let second: Vec<Token> = given(1..200).into_iter().chain(given(500..600)).collect();
    let next = plan(&cache, &second);
    assert_eq!((next.given, next.source == next.sequence), (199, false));
    settle(&mut cache, &second, next);
    assert_eq!(1_000 - cache.free(), 299 + 100, "199 cells are shared");
    assert_eq!(plan(&cache, &first).given, first.len());
    assert_eq!(plan(&cache, &second).given, second.len());
    // What loses little goes on in place.
    let near: Vec<Token> = given(1..280).into_iter().chain([7, 8]).collect();
    let next = plan(&cache, &near);
    assert_eq!((next.given, next.source), (279, next.sequence));
}

#[test]
fn small_documents_that_begin_alike_keep_a_sequence_each_and_take_none_from_a_large_one() {
    let mut cache = Cache::new(4, 1_000);
    let large = given(100..200);
    let small = [given(1..20), given(1..3).into_iter().chain(given(30..50)).collect()];
    let mut missing = Vec::new();
    for base in [&large, &small[0], &small[1], &small[0], &small[1], &large] {
        let plan = cache.plan(base, b"", |_| Vec::new());
        missing.push(base.len() - plan.given);
        settle(&mut cache, base, plan);
    }
    assert_eq!(missing, [100, 19, 20, 0, 0, 0]);
    // A third one takes the last that is empty, and a fourth the place of a small one.
    for start in [60, 80] {
        let base: Vec<Token> = given(1..3).into_iter().chain(given(start..start + 20)).collect();
        let plan = cache.plan(&base, b"", |_| Vec::new());
        settle(&mut cache, &base, plan);
    }
    assert_eq!(cache.plan(&large, b"", |_| Vec::new()).given, large.len());
    assert_eq!(cache.plan(&small[1], b"", |_| Vec::new()).given, small[1].len());
    assert!(cache.sequence(cache.cheapest()).len() < WORTH_KEEPING, "the large one is dear");
    // Without another small one it goes on in place.
    let mut two = Cache::new(2, 1_000);
    for base in [&large, &small[0], &small[1], &large] {
        let plan = two.plan(base, b"", |_| Vec::new());
        settle(&mut two, base, plan);
    }
    assert_eq!(two.plan(&large, b"", |_| Vec::new()).given, large.len());
}

#[test]
fn room_is_taken_from_the_least_recently_used() {
    let mut cache = Cache::new(3, 100);
    for (number, base) in [given(0..40), given(100..140)].iter().enumerate() {
        base.iter().for_each(|&t| cache.push(number, t, None));
        cache.touch(number);
    }
    assert_eq!(cache.room(20, 2), [0; 0]);
    assert_eq!(cache.room(30, 2), [0]);
    assert_eq!(cache.room(100, 1), [0; 0], "the one in use stays");
    assert_eq!(cache.sequence(1).len(), 40);
}

proptest! {
    #[test]
    fn warm_answers_equal_cold_ones(
        requests in prop::collection::vec(
            (prop::collection::vec(1..4_i32, 1..5), "[ab]{0,4}", 0..6_usize), 1..40),
        sequences in 1..4_usize,
        cells in 12..40_usize,
    ) {
        let vocabulary = vocabulary();
        let mut cache = Cache::new(sequences, cells);
        for (base, word, count) in requests {
            let warm = warm(&mut cache, &vocabulary, &base, word.as_bytes(), count);
            prop_assert_eq!(warm, cold(&vocabulary, &base, word.as_bytes(), count));
            prop_assert_eq!(in_use(&cache) + cache.free(), cells);
        }
    }
}
