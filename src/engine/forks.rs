//! Where an answer could nearly have gone on otherwise.
//!
//! In: for each step of the first line what could have come, and what was chosen. Out: the likeliest
//! of the ways not taken. Pure. Greedy decoding along the likeliest of them gives other answers, each
//! the best of its kind, and the same ones each time.

use super::Fork;

/// What could come at one step.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Its bytes, without those of the word being typed; none where the answer would end.
    pub bytes: &'a [u8],
    /// The natural logarithm of its probability.
    pub ln: f32,
    /// This one was taken.
    pub is_chosen: bool,
}

/// The ways not taken so far.
#[derive(Debug)]
pub struct Forks {
    most: usize,
    found: Vec<Fork>,
    /// Of the answer so far.
    ln: f32,
    line_ended: bool,
}

impl Forks {
    /// Tokens that are looked at in each step.
    pub const LOOKED_AT: usize = 4;

    /// To keep the `most` likeliest.
    pub fn new(most: usize) -> Forks {
        Forks { most, found: Vec::new(), ln: 0.0, line_ended: false }
    }

    /// What could have come after `at` bytes of the answer.
    pub fn step(&mut self, at: usize, ways: &[Way]) {
        if self.line_ended {
            return;
        }
        let chosen = ways.iter().find(|way| way.is_chosen);
        let best = ways.iter().map(|way| way.ln).fold(f32::NEG_INFINITY, f32::max);
        for way in ways.iter().filter(|way| !way.is_chosen) {
            if let Ok(text) = std::str::from_utf8(way.bytes) {
                let behind = chosen.map_or(best, |chosen| chosen.ln) - way.ln;
                let (text, ln) = (text.to_owned(), self.ln + way.ln);
                self.found.push(Fork { at, text, ln, behind });
            }
        }
        self.found.sort_by(|a, b| b.ln.total_cmp(&a.ln));
        self.found.truncate(self.most);
        if let Some(chosen) = chosen {
            self.ln += chosen.ln;
            self.line_ended = chosen.bytes.contains(&b'\n');
        }
    }

    /// Is the first line over, so that none will be added?
    pub fn line_ended(&self) -> bool {
        self.line_ended
    }

    /// The likeliest first.
    pub fn into_best(self) -> Vec<Fork> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str, percent: f32, is_chosen: bool) -> Way<'_> {
        Way { bytes: text.as_bytes(), ln: (percent / 100.0).ln(), is_chosen }
    }

    #[test]
    fn the_likeliest_ways_not_taken_are_kept() {
        let mut forks = Forks::new(3);
        forks.step(0, &[way("a", 50.0, true), way("b", 30.0, false), way("c", 2.0, false)]);
        forks.step(1, &[way("(", 60.0, true), way(".", 40.0, false)]);
        forks.step(2, &[way(")\n", 80.0, true), way("", 10.0, false)]);
        // The line has ended.
        forks.step(4, &[way("x", 60.0, true), way("y", 40.0, false)]);
        let percent = |ln: f32| (ln.exp() * 100.0).round();
        let found: Vec<(usize, String, f32, f32)> = forks
            .into_best()
            .into_iter()
            .map(|fork| (fork.at, fork.text, percent(fork.ln), percent(-fork.behind)))
            .collect();
        // The last two columns: of all, and of what was chosen there.
        let expected = [(0, "b", 30.0, 60.0), (1, ".", 20.0, 67.0), (2, "", 3.0, 13.0)];
        assert_eq!(
            found,
            expected.map(|(at, text, of_all, of_it)| (at, text.to_owned(), of_all, of_it))
        );
    }

    #[test]
    fn half_a_character_is_no_way() {
        let mut forks = Forks::new(3);
        forks.step(0, &[Way { bytes: &[0xe5], ln: -0.1, is_chosen: false }]);
        assert!(forks.into_best().is_empty());
    }
}
