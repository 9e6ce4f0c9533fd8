//! Which tokens stand where in the KV cache. Pure bookkeeping: it names no library and decodes
//! nothing, so it can be tested against a slow model of itself.
//!
//! In: the tokens that a prompt begins with, and the bytes that its answer must begin with.
//! Out: a [`Plan`]: which sequence to use, where its beginning comes from and how much of it stays.
//!
//! Sequences live in a pool of cells; a forked sequence shares its beginning's cells with the one
//! it came from. Whoever wants room takes it from the least recently used sequence. (llama.cpp is
//! run with cells of each sequence's own, see `llama/context.rs`; the pool is then large enough for
//! all, and only the sequences are scarce.)
//!
//! A sequence holds tokens that were *given* (the prompt) and tokens that the model *chose*
//! (forced for a word, or generated). A chosen token may stay only if a cold run would choose it
//! again: the candidates under a longer word are a subset of those under a shorter one, so the
//! best token under `re` that still fits `ret` is the best under `ret` too. Hence each chosen
//! token remembers what remained to be forced when it was chosen, and stays only while the new
//! remainder starts with that.
//!
//! Keys and values are of the weights that computed them. Where adapters change those, each mix of them has a
//! number, and a sequence counts only for prompts under the mix that it was begun under.

#[cfg(test)]
mod tests;

use super::healing::{self, Token};

/// A sequence is forked rather than cut back when that would lose this many tokens of prompt: a
/// head that is worth keeping for a jump back. A smaller loss costs a piece of prefill at most, and is
/// borne where more is kept than lost.
const WORTH_KEEPING: usize = 48;

/// A place for one token's keys and values.
type Cell = u32;

/// One sequence of the KV cache.
#[derive(Debug, Default, Clone)]
pub struct Sequence {
    tokens: Vec<Token>,
    /// For each token, what remained to be forced when the model chose it; `None` when given.
    chosen_under: Vec<Option<Box<[u8]>>>,
    cells: Vec<Cell>,
    /// When it was last used, in calls of [`Cache::touch`].
    used: u64,
    /// The weights that it was evaluated under, as [`Cache::wear`] numbers them.
    mix: usize,
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

    /// Its tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// What remained to be forced when the model chose each token; `None` for those given.
    pub fn chosen_under(&self) -> &[Option<Box<[u8]>>] {
        &self.chosen_under
    }

    /// The weights that it was evaluated under.
    pub fn mix(&self) -> usize {
        self.mix
    }

    /// How many of its tokens, from the first, were given.
    pub fn given(&self) -> usize {
        self.chosen_under.iter().take_while(|under| under.is_none()).count()
    }

    /// How many of its tokens, from the first, are those of `base`.
    fn shared(&self, base: &[Token]) -> usize {
        self.tokens.iter().zip(base).take_while(|(a, b)| a == b).count()
    }

    /// How many tokens from `position` on were given.
    fn given_from(&self, position: usize) -> usize {
        self.chosen_under.iter().skip(position).filter(|under| under.is_none()).count()
    }

    /// How many of the tokens after `base` a cold run would choose again under `word`.
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
    /// The sequence that holds the tokens to keep: the same, or one to fork them from.
    pub source: usize,
    /// Tokens of the prompt that are already there.
    pub given: usize,
    /// Tokens after the prompt that a cold run would choose again. 0 unless all of it is there.
    pub chosen: usize,
}

/// The sequences of one KV cache.
#[derive(Debug)]
pub struct Cache {
    sequences: Vec<Sequence>,
    /// How many sequences use each cell.
    users: Vec<u16>,
    free: Vec<Cell>,
    clock: u64,
    /// The weights that are at hand.
    mix: usize,
}

impl Cache {
    /// A cache of `sequences` empty sequences that share `cells` cells (at least one of each).
    pub fn new(sequences: usize, cells: usize) -> Cache {
        let cells = cells.max(1);
        Cache {
            sequences: vec![Sequence::default(); sequences.max(1)],
            users: vec![0; cells],
            free: (0..cells as Cell).rev().collect(),
            clock: 0,
            mix: 0,
        }
    }

    /// Forgets everything but which weights are at hand.
    pub fn clear(&mut self) {
        let mix = self.mix;
        *self = Cache::new(self.sequences.len(), self.users.len());
        self.mix = mix;
    }

    /// From now on what is evaluated is of the weights with this number; at first it is 0.
    pub fn wear(&mut self, mix: usize) {
        self.mix = mix;
    }

    /// The weights at hand.
    pub fn mix(&self) -> usize {
        self.mix
    }

    /// All sequences, by number.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// The sequence with this number.
    pub fn sequence(&self, number: usize) -> &Sequence {
        &self.sequences[number]
    }

    /// When a sequence was last used, in calls of [`touch`](Self::touch).
    pub fn used(&self, number: usize) -> u64 {
        self.sequences[number].used
    }

    /// Cells that no sequence uses.
    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// Records that the token now stands at a sequence's end: `under` is `None` when it is part of
    /// a prompt, else what was still to be forced when the model chose it. [`room`](Self::room)
    /// must have been made; without any the token is not recorded.
    pub fn push(&mut self, sequence: usize, token: Token, under: Option<&[u8]>) {
        let Some(cell) = self.free.pop() else {
            debug_assert!(false, "no room was made");
            return;
        };
        self.users[cell as usize] = 1;
        let sequence = &mut self.sequences[sequence];
        if sequence.is_empty() {
            sequence.mix = self.mix;
        }
        debug_assert_eq!(sequence.mix, self.mix, "keys of one set of weights, values of another");
        sequence.tokens.push(token);
        sequence.chosen_under.push(under.map(Into::into));
        sequence.cells.push(cell);
    }

    /// Forgets all tokens of a sequence from position `length` on.
    pub fn truncate(&mut self, sequence: usize, length: usize) {
        let sequence = &mut self.sequences[sequence];
        let length = length.min(sequence.len());
        for cell in sequence.cells.drain(length..) {
            let users = &mut self.users[cell as usize];
            *users -= 1;
            if *users == 0 {
                self.free.push(cell);
            }
        }
        sequence.tokens.truncate(length);
        sequence.chosen_under.truncate(length);
    }

    /// Makes `to` (another sequence) the first `length` tokens of `from`, in the same cells.
    pub fn fork(&mut self, from: usize, to: usize, length: usize) {
        self.truncate(to, 0);
        let source = &self.sequences[from];
        let length = length.min(source.len());
        let cells = source.cells[..length].to_vec();
        cells.iter().for_each(|&cell| self.users[cell as usize] += 1);
        let (tokens, under) =
            (source.tokens[..length].to_vec(), source.chosen_under[..length].to_vec());
        let (used, mix) = (self.sequences[to].used, source.mix);
        self.sequences[to] = Sequence { tokens, chosen_under: under, cells, used, mix };
    }

    /// Empties least recently used sequences, but not `but`, until `wanted` cells are free or
    /// nothing else is left. Returns which, for the caller to forget them as well.
    pub fn room(&mut self, wanted: usize, but: usize) -> Vec<usize> {
        let mut emptied = Vec::new();
        while self.free.len() < wanted {
            let others = self.sequences.iter().enumerate();
            let oldest = others
                .filter(|(number, sequence)| *number != but && !sequence.is_empty())
                .min_by_key(|(_, sequence)| sequence.used);
            let Some((number, _)) = oldest else { break };
            self.truncate(number, 0);
            emptied.push(number);
        }
        emptied
    }

    /// Notes that a sequence is used now.
    pub fn touch(&mut self, sequence: usize) {
        self.clock += 1;
        self.sequences[sequence].used = self.clock;
    }

    /// What to do for the prompt `base`, whose answer must begin with `word`: go on in the
    /// sequence that has most of it, or fork that when going on would lose another head, or take
    /// an empty or the least recently used one. Changes nothing.
    pub fn plan(&self, base: &[Token], word: &[u8], bytes_of: impl Fn(Token) -> Vec<u8>) -> Plan {
        let kept = |sequence: &Sequence| {
            if sequence.mix != self.mix {
                return (0, 0);
            }
            let given = sequence.shared(base);
            let whole = given == base.len();
            (given, if whole { sequence.rechosen(given, word, &bytes_of) } else { 0 })
        };
        let best = self
            .sequences
            .iter()
            .enumerate()
            .map(|(number, sequence)| (kept(sequence), sequence.used, number))
            .max_by_key(|&((given, chosen), used, _)| (given, chosen, used));
        // The first token is the same in every prompt, so one alone is not worth a thing.
        let Some(((given, chosen), _, source)) = best.filter(|((given, _), ..)| *given > 1) else {
            let sequence = self.spare(None);
            return Plan { sequence, source: sequence, given: 0, chosen: 0 };
        };
        Plan { sequence: self.place(source, given), source, given, chosen }
    }

    /// Where a head goes that begins with the first `given` tokens of `source`.
    fn place(&self, source: usize, given: usize) -> usize {
        let lost = self.sequences[source].given_from(given);
        if lost >= WORTH_KEEPING {
            return self.spare(Some(source));
        }
        if lost <= given {
            return source;
        }
        // Another small document, which only begins alike. It takes no large one's place.
        let small = self.others(source).filter(|(_, s)| s.given() < WORTH_KEEPING);
        least_recent(small).unwrap_or(source)
    }

    /// A sequence to overwrite: an empty one, else the least recently used, but not `but` unless
    /// it is the only one.
    pub fn spare(&self, but: Option<usize>) -> usize {
        let but = but.unwrap_or(usize::MAX);
        least_recent(self.others(but)).unwrap_or(but)
    }

    /// The sequence whose loss costs least: the one with the fewest tokens.
    pub fn cheapest(&self) -> usize {
        let all = self.sequences.iter().enumerate();
        all.min_by_key(|(_, sequence)| sequence.len()).map_or(0, |(number, _)| number)
    }

    fn others(&self, but: usize) -> impl Iterator<Item = (usize, &Sequence)> {
        self.sequences.iter().enumerate().filter(move |(number, _)| *number != but)
    }
}

/// An empty one, else the one used longest ago.
fn least_recent<'a>(sequences: impl Iterator<Item = (usize, &'a Sequence)>) -> Option<usize> {
    let least = sequences.min_by_key(|(_, s)| (!s.is_empty(), s.used));
    least.map(|(number, _)| number)
}
