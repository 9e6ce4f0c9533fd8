//! What an engine elsewhere has read of late, and how fast it reads: so, how long a prompt would take it.
//!
//! In: prompts that it has read, as text, with its own figures. Out: ms, pieces to read in advance. Pure. It knows
//! nothing of an engine that gives no times (all but llama-server); those mostly have a GPU and read a file at once.
//!
//! An engine may have forgotten what is remembered here, since others use it too. Then a key waits longer than
//! it had to.

use std::collections::VecDeque;

/// As many prompts as llama-server keeps at the same time unless told otherwise (its slots).
const REMEMBERED: usize = 4;
/// What one measurement counts beside all before it.
const NEWEST: f64 = 0.3;
/// Fewer tokens say nothing of the speed: they take a batch as long as some more would.
const TELLING: u32 = 16;
/// A prompt that takes longer than this is worth a shorter one before it, ms.
const LONG_MS: f64 = 300.0;
/// What the shorter one may take, ms; as in the engine on this machine.
const QUICK_MS: f64 = 150.0;
/// Bytes of a shorter prompt: some 48 tokens of code with which an answer is still worth showing, and some 128.
const QUICK_LEAST: usize = 160;
const QUICK_MOST: usize = 448;
/// A piece that is read in advance takes about this long, ms: a key waits for one at most.
const PIECE_MS: f64 = 300.0;
/// Bytes of a piece at least.
const PIECE_LEAST: usize = 64;

/// What an engine says of the reading of one prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Read {
    /// Tokens that it evaluated, and those that it knew before.
    pub evaluated: u32,
    pub reused: u32,
    /// What evaluating took, ms, where it says so.
    pub ms: Option<f64>,
}

/// What is known of one engine.
#[derive(Debug, Default)]
pub struct Memory {
    /// It will say how fast it reads: until then it may be slow.
    tells: bool,
    ms_per_byte: Option<f64>,
    /// The last one last.
    read: VecDeque<String>,
}

impl Memory {
    /// Of an engine that has read nothing. `tells` says whether it gives times.
    pub fn new(tells: bool) -> Memory {
        Memory { tells, ..Memory::default() }
    }

    /// Its prompts are gone; it is as fast as it was.
    pub fn forget(&mut self) {
        self.read.clear();
    }

    /// It has read a prompt.
    pub fn note(&mut self, prompt: &str, read: Read) {
        let tokens = read.evaluated.saturating_add(read.reused);
        if let Some(ms) = read.ms.filter(|ms| ms.is_finite() && *ms > 0.0)
            && read.evaluated >= TELLING
        {
            let bytes = prompt.len() as f64 * f64::from(read.evaluated) / f64::from(tokens);
            let newest = ms / bytes.max(1.0);
            let before = self.ms_per_byte.unwrap_or(newest);
            self.ms_per_byte = Some(before + NEWEST * (newest - before));
        }
        if !self.tells {
            // Nothing follows from it, so that no text is kept.
            return;
        }
        if let Some(at) = self.read.iter().position(|known| known.starts_with(prompt)) {
            // It is used now; the others go first.
            let known = self.read.remove(at);
            self.read.extend(known);
            return;
        }
        // In the place of one that is mostly the same: an engine goes on in that.
        let shares = |known: &String| shared(known, prompt) * 4 >= known.len() * 3;
        self.read.retain(|known| !shares(known));
        if self.read.len() >= REMEMBERED {
            self.read.pop_front();
        }
        self.read.push_back(prompt.to_owned());
    }

    /// How many bytes of its beginning it has read.
    fn known(&self, prompt: &str) -> usize {
        self.read.iter().map(|known| shared(known, prompt)).max().unwrap_or(0)
    }

    /// How long it would read, ms; 0 where that is not known.
    fn wait(&self, prompt: &str) -> f64 {
        (prompt.len() - self.known(prompt)) as f64 * self.ms_per_byte.unwrap_or(0.0)
    }

    /// Does it read so slowly that work in the background would keep keys waiting?
    pub fn is_slow(&self) -> bool {
        self.ms_per_byte.map_or(self.tells, |speed| speed * QUICK_MOST as f64 > QUICK_MS)
    }

    /// For a person who waits: the prompt, or a shorter one of so many bytes where that spares a real wait. Is it
    /// shorter?
    pub fn choose(&self, prompt: String, shorter: impl FnOnce(usize) -> String) -> (String, bool) {
        let Some(speed) = self.ms_per_byte else {
            // The first answer tells.
            let may_be_long = self.tells && prompt.len() - self.known(&prompt) > 2 * QUICK_MOST;
            return if may_be_long { (shorter(QUICK_MOST), true) } else { (prompt, false) };
        };
        let whole = self.wait(&prompt);
        if whole <= LONG_MS {
            return (prompt, false);
        }
        let bytes = ((QUICK_MS / speed) as usize).clamp(QUICK_LEAST, QUICK_MOST);
        let short = shorter(bytes);
        if self.wait(&short) + QUICK_MS < whole { (short, true) } else { (prompt, false) }
    }

    /// The beginning to read next, so that the rest does not take long; `None` when it does not.
    pub fn piece<'a>(&self, prompt: &'a str) -> Option<&'a str> {
        let known = self.known(prompt);
        let (bytes, is_long) = match self.ms_per_byte {
            Some(speed) => {
                let bytes = ((PIECE_MS / speed) as usize).max(PIECE_LEAST);
                (bytes, self.wait(prompt) > 1.5 * PIECE_MS)
            }
            // After the first one it is known.
            None => (QUICK_MOST, self.tells && prompt.len() - known > QUICK_MOST),
        };
        is_long.then(|| &prompt[..prompt.floor_char_boundary(known + bytes)])
    }
}

/// Bytes that both begin with.
fn shared(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that reads a byte in a ms.
    fn slow() -> Memory {
        let mut memory = Memory::new(true);
        memory.note(&"x".repeat(200), Read { evaluated: 50, reused: 0, ms: Some(200.0) });
        memory
    }

    fn choose(memory: &Memory, prompt: &str) -> (String, bool) {
        memory.choose(prompt.to_owned(), |bytes| format!("s{}", &prompt[prompt.len() - bytes..]))
    }

    #[test]
    fn an_engine_that_says_nothing_of_its_speed_reads_all_at_once() {
        let mut memory = Memory::default();
        memory.note("xx", Read { evaluated: 900, reused: 0, ms: None });
        // Too few to tell.
        memory.note("yy", Read { evaluated: 3, reused: 0, ms: Some(900.0) });
        let long = "a".repeat(5_000);
        assert_eq!(choose(&memory, &long), (long.clone(), false));
        assert_eq!((memory.piece(&long), memory.is_slow()), (None, false));
        assert!(memory.read.is_empty(), "no text is kept of it");
        memory.note("zz", Read { evaluated: 900, reused: 0, ms: Some(0.1) });
        assert!(!memory.is_slow() && slow().is_slow());
    }

    #[test]
    fn where_a_long_prompt_is_new_a_shorter_one_goes_first() {
        let memory = slow();
        let long = "a".repeat(5_000);
        let (short, quick) = choose(&memory, &long);
        assert!(quick);
        assert_eq!(short.len(), 1 + QUICK_LEAST);
        let few = "a".repeat(300);
        assert_eq!(choose(&memory, &few), (few.clone(), false), "that is no wait");
    }

    #[test]
    fn what_was_read_goes_on_being_typed_whole() {
        let mut memory = slow();
        let mut prompt = "a".repeat(5_000);
        memory.note(&prompt, Read { evaluated: 1_250, reused: 0, ms: Some(5_000.0) });
        prompt.push_str(&"b".repeat(200));
        assert_eq!(choose(&memory, &prompt), (prompt.clone(), false));
        // Other ways to go on take no other document's place, and none is the oldest while it is used.
        let other = "z".repeat(5_000);
        memory.note(&other, Read::default());
        for way in ["c", "d", "e", "f", "g"] {
            memory.note(&format!("{prompt}{way}"), Read::default());
        }
        assert!(!choose(&memory, &other).1 && !choose(&memory, &prompt).1);
        for used in [&prompt, "c", &prompt, "d", &prompt, "e"] {
            memory.note(used, Read::default());
        }
        assert!(!choose(&memory, &prompt).1);
        for other in ["f", "g", "h", "i"] {
            memory.note(other, Read::default());
        }
        assert!(choose(&memory, &prompt).1, "others take its place in time");
        memory.note(&prompt, Read::default());
        memory.forget();
        assert!(choose(&memory, &prompt).1 && memory.is_slow());
    }

    #[test]
    fn what_was_read_before_counts_neither_for_the_speed_nor_twice() {
        let mut memory = slow();
        // 50 of 500 tokens, so a tenth of the bytes, in 200 ms: a ms for a byte.
        let prompt = "a".repeat(2_000);
        memory.note(&prompt, Read { evaluated: 50, reused: 450, ms: Some(200.0) });
        assert_eq!(memory.wait(&"b".repeat(100)).round(), 100.0);
        memory.note(&prompt[..50], Read::default());
        assert_eq!(memory.read.len(), 2, "the first one, and this");
    }

    #[test]
    fn a_long_prompt_is_read_in_pieces_until_the_rest_is_short() {
        let mut memory = slow();
        let prompt = "é".repeat(800);
        let mut ends = Vec::new();
        while let Some(piece) = memory.piece(&prompt) {
            ends.push(piece.len());
            memory.note(piece, Read::default());
            assert!(ends.len() < 100);
        }
        assert_eq!(ends, [300, 600, 900, 1_200], "400 ms are left for the last");
        let unknown = Memory::new(true);
        assert_eq!(unknown.piece(&prompt).map(str::len), Some(QUICK_MOST), "to find out");
        assert_eq!((unknown.piece(&prompt[..200]), unknown.is_slow()), (None, true));
        assert_eq!(unknown.choose(prompt.clone(), |bytes| "s".repeat(bytes)).0.len(), QUICK_MOST);
        memory.ms_per_byte = Some(1e9);
        assert_eq!(memory.piece(&prompt).map(str::len), Some(1_200 + PIECE_LEAST));
    }
}
