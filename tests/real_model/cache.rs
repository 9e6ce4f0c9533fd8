//! An answer is a function of its prompt: what the engine kept from other requests never shows.

use std::collections::HashMap;

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::states::StateOptions;
use tandem::engine::{Engine, Event, Figures, Request, Stop};
use tandem::prompt::{self, Anchor, Budget};

use crate::harness::{model, turn};

/// Documents, more than the engine keeps.
const DOCUMENTS: [&str; 3] = [
    "fn sum(values: &[u32]) -> u32 {\n    $0\n}\n\nfn main() {\n    dbg!(sum(&[1]));\n}\n",
    "def area(width, height):\n    $0\n\nprint(area(2, 3))\n",
    "// Counts words.\nfunction count(text) {\n  $0\n}\ncount(\"a b\");\n",
];
const TYPED: [&str; 3] = [
    "let mut total = 0;\n    for value in values {\n        total += value;\n    }\n    total",
    "if width < 0 or height < 0:\n        raise ValueError(\"negative\")\n    return width * height",
    "const words = text.split(\" \");\n  return words.filter(Boolean).length;",
];
/// Requests for each document.
const EACH: usize = 20;
const TOKENS: u32 = 6;

/// A small generator of numbers, the same each time (Numerical Recipes' LCG).
struct Dice(u32);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % sides
    }
}

/// One document being typed, left, corrected.
struct Desk {
    text: String,
    cursor: usize,
    to_type: &'static str,
    anchor: Option<Anchor>,
}

impl Desk {
    fn new(number: usize) -> Desk {
        let (cursor, text) = crate::harness::marked(DOCUMENTS[number]);
        Desk { text, cursor, to_type: TYPED[number], anchor: None }
    }

    /// Types some characters, takes some back, or goes elsewhere and comes back.
    fn event(&mut self, dice: &mut Dice) -> Request {
        match dice.below(10) {
            0..=6 => {
                let count = 1 + dice.below(4);
                let at = self.to_type.char_indices().nth(count);
                let (typed, rest) = self.to_type.split_at(at.map_or(self.to_type.len(), |a| a.0));
                self.text.insert_str(self.cursor, typed);
                self.cursor += typed.len();
                self.to_type = rest;
                self.ask(self.cursor)
            }
            7 | 8 => {
                for _ in 0..=dice.below(5) {
                    if !self.text[..self.cursor].ends_with('\n') && self.cursor > 0 {
                        self.cursor -= 1;
                        self.text.remove(self.cursor);
                    }
                }
                self.ask(self.cursor)
            }
            _ => {
                let ends: Vec<usize> = self.text.match_indices('\n').map(|(at, _)| at).collect();
                self.ask(ends[dice.below(ends.len())])
            }
        }
    }

    fn ask(&mut self, cursor: usize) -> Request {
        let text = Rope::from_str(&self.text);
        let (prompt, anchor) =
            prompt::prompt(&text, cursor, Budget::default(), self.anchor.as_ref());
        self.anchor = Some(anchor);
        Request::new(prompt, TOKENS, Stop::Line)
    }
}

/// Waits for all of an answer: its text, and what it cost.
pub fn finish(mut answer: tandem::engine::Answer) -> (String, Figures) {
    let mut text = String::new();
    loop {
        match answer.blocking_next().expect("an end") {
            Event::Text(piece) => text.push_str(&piece),
            Event::Done(figures) => return (text, figures),
            Event::Failed(message) => panic!("{message}"),
            Event::Begun(_) | Event::Forks(_) => {}
        }
    }
}

/// One thread: in this process several would spin while they wait for each other, beside
/// whatever else runs.
fn start(documents: u32, guess: bool, states: Option<StateOptions>) -> Llama {
    Llama::start(Options { documents, threads: 1, guess, states, ..Options::new(model()) })
}

/// Waits for an engine's end: llama.cpp allows one at a time in a process.
pub fn end(engine: Llama) {
    let mut state = engine.state();
    drop(engine);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    // Nothing is waited for but the end of whoever says how the engine is.
    runtime.block_on(state.wait_for(|_| false)).expect_err("an end");
}

#[test]
fn a_warm_answer_equals_a_cold_one() {
    let _turn = turn();
    // One place fewer than there are documents, so that some of them lose theirs.
    let engine = start(2, true, None);
    let mut dice = Dice(2_026);
    let mut desks: Vec<Desk> = (0..DOCUMENTS.len()).map(Desk::new).collect();
    let mut asked: Vec<Vec<Request>> = vec![Vec::new(); desks.len()];
    let mut warm: HashMap<(usize, usize), String> = HashMap::new();
    let mut evaluated_warm = 0;
    let mut at = 0;
    while asked.iter().any(|requests| requests.len() < EACH) {
        // One stays in a document for a while.
        if dice.below(5) == 0 || asked[at].len() == EACH {
            at = dice.below(desks.len());
            continue;
        }
        let request = desks[at].event(&mut dice);
        let place = (at, asked[at].len());
        asked[at].push(request.clone());
        let older = engine.complete(request);
        // Now and then the next key comes before the answer, and both are wanted.
        let newer = (dice.below(4) == 0 && asked[at].len() < EACH).then(|| {
            let request = desks[at].event(&mut dice);
            asked[at].push(request.clone());
            engine.complete(request)
        });
        let answers = std::iter::once(older).chain(newer);
        for (answer, number) in answers.zip(place.1..) {
            let (text, figures) = finish(answer);
            evaluated_warm += figures.evaluated;
            warm.insert((at, number), text);
        }
    }

    // Few places, taken in turn, and no guessing: each answer is the plain one.
    end(engine);
    let engine = start(1, false, None);
    let (mut evaluated_cold, mut differ) = (0, Vec::new());
    for number in 0..EACH {
        for (at, requests) in asked.iter().enumerate() {
            let (cold, figures) = finish(engine.complete(requests[number].clone()));
            assert!(figures.reused <= 8, "not cold: {figures:?}");
            evaluated_cold += figures.evaluated;
            let warm = &warm[&(at, number)];
            if *warm != cold {
                let middle = &requests[number].prompt.middle;
                differ.push(format!("{middle:?}: warm {warm:?}, cold {cold:?}"));
            }
        }
    }
    println!("{evaluated_warm} tokens warm, {evaluated_cold} cold; {} differ", differ.len());
    differ.iter().for_each(|line| println!("{line}"));
    assert!(evaluated_warm * 3 < evaluated_cold, "the cache was hardly used");
    // Sums of floats depend on how a prompt is cut into batches; a near tie may go either way.
    let most = EACH * DOCUMENTS.len() / 20;
    assert!(differ.len() <= most, "{differ:#?}");
}

#[test]
fn a_file_opened_another_day_is_answered_from_the_saved_state() {
    let _turn = turn();
    let scratch = tempfile::tempdir().expect("a folder");
    let states = || Some(StateOptions { folder: scratch.path().join("states"), cap: 1 << 30 });
    let text = Rope::from_str(&format!("{}fn next() -> u32 {{\n    let a", {
        "fn unrelated(argument: &str) -> usize { argument.len() }\n".repeat(12)
    }));
    let (prompt, _) = prompt::prompt(&text, text.len_bytes(), Budget::default(), None);
    let request = Request::new(prompt, TOKENS, Stop::Line);

    let engine = start(2, true, states());
    let (first, cold) = finish(engine.complete(request.clone()));
    // What is saved is saved before the engine is gone.
    end(engine);
    let engine = start(2, true, states());
    let (again, warm) = finish(engine.complete(request));
    end(engine);
    assert_eq!(again, first);
    assert!(cold.evaluated > 150 && warm.evaluated <= 1, "{cold:?}, {warm:?}");
}
