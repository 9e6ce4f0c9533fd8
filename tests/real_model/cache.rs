//! An answer is a function of its prompt: what the engine kept from other requests never shows.
//!
//! `TANDEM_EVENTS=5000 cargo test --release --test real_model a_warm_answer -- --nocapture` does it that often.

use std::collections::HashMap;

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::states::StateOptions;
use tandem::engine::{Engine, Event, Figures, Request, Stop};
use tandem::prompt::{self, Anchor, Budget, Prompt};

use crate::dice::Dice;
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
/// Requests in all, unless the environment says so.
const EVENTS: usize = 60;
const TOKENS: u32 = 6;
/// Logits so near to each other may change places by rounding: sums of floats depend on how a prompt is cut into
/// batches. The engine's own bound for that is 0.25; a place that is looked at again, with its word forced,
/// is a bit off.
const NEAR_TIE: f32 = 0.5;

/// One document being typed, left, corrected.
struct Desk {
    number: usize,
    text: String,
    cursor: usize,
    to_type: &'static str,
    anchor: Option<Anchor>,
    /// The last answer, while it can still be taken.
    said: String,
}

impl Desk {
    fn new(number: usize) -> Desk {
        let (cursor, text) = crate::harness::marked(DOCUMENTS[number]);
        let said = String::new();
        Desk { number, text, cursor, to_type: TYPED[number], anchor: None, said }
    }

    /// Types some characters, takes some back, takes what was said, goes elsewhere and comes back, or changes
    /// what stands above, which moves the anchor.
    fn event(&mut self, dice: &mut Dice) -> Request {
        if self.to_type.is_empty() {
            // All of it stands there: from the beginning, in another function.
            let (cursor, text) = crate::harness::marked(DOCUMENTS[self.number]);
            self.text = text.replacen("sum", "all", dice.below(2));
            self.cursor = cursor + self.text.len() - text.len();
            self.cursor = (0..=self.cursor.min(self.text.len()))
                .rev()
                .find(|at| self.text.is_char_boundary(*at))
                .unwrap_or(0);
            self.to_type = TYPED[self.number];
        }
        match dice.below(14) {
            10 | 11 if !self.said.is_empty() => {
                let said = std::mem::take(&mut self.said);
                self.text.insert_str(self.cursor, &said);
                self.cursor += said.len();
                self.ask(self.cursor)
            }
            12 => {
                self.text.insert_str(0, "// more\n");
                self.cursor += 8;
                self.ask(self.cursor)
            }
            0..=6 | 10..=13 => {
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

/// How much likelier the first choice after `begun` is than the second, as a logarithm, to an engine that has
/// seen nothing of it.
fn lead(engine: &Llama, request: &Request, begun: &str) -> Option<f32> {
    let further =
        Request { forks: 1, ..Request::new(request.prompt.further(begun), 1, Stop::Never) };
    let mut answer = engine.complete(further);
    let (mut second, mut first) = (None, None);
    loop {
        match answer.blocking_next().expect("an end") {
            Event::Forks(forks) => second = forks.first().map(|fork| fork.ln),
            Event::Done(figures) => {
                first = figures.confidence.map(|confidence| confidence.first);
                break;
            }
            Event::Failed(_) => break,
            Event::Begun(_) | Event::Text(_) => {}
        }
    }
    Some(first? - second?)
}

/// What two answers have in common.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b);
    let end = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    &one[..end]
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

/// The answer of an engine that holds nothing of this prompt: where something is left of an earlier one, other
/// texts take its place first.
fn cold_answer(engine: &Llama, request: &Request, washed: &mut u32) -> (String, Figures) {
    for _ in 0..4 {
        let (text, figures) = finish(engine.complete(request.clone()));
        if figures.reused <= 8 {
            return (text, figures);
        }
        for _ in 0..4 {
            *washed += 1;
            let other = format!("{washed} other text {washed}");
            let prompt = Prompt { prefix: other.clone(), middle: other, ..Prompt::default() };
            finish(engine.complete(Request::new(prompt, 1, Stop::Line)));
        }
    }
    panic!("it never forgets");
}

#[test]
fn a_warm_answer_equals_a_cold_one() {
    let _turn = turn();
    // One place fewer than there are documents, so that some of them lose theirs.
    let engine = start(2, true, None);
    let mut dice = Dice::new(2_026);
    let mut desks: Vec<Desk> = (0..DOCUMENTS.len()).map(Desk::new).collect();
    let mut asked: Vec<Vec<Request>> = vec![Vec::new(); desks.len()];
    let mut warm: HashMap<(usize, usize), String> = HashMap::new();
    let mut evaluated_warm = 0;
    let mut at = 0;
    let events = std::env::var("TANDEM_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(EVENTS);
    let mut done = 0;
    let mut cancelled = 0;
    // As many in each, so that each loses its place to the others when they are asked in turn.
    let each = events.div_ceil(desks.len());
    while asked.iter().any(|requests| requests.len() < each) {
        // One stays in a document for a while.
        if dice.below(5) == 0 || asked[at].len() >= each {
            at = dice.below(desks.len());
            continue;
        }
        let request = desks[at].event(&mut dice);
        if dice.below(6) == 0 {
            // Given up at any moment, and asked again.
            let mut answer = engine.complete(request.clone());
            for _ in 0..dice.below(4) {
                answer.blocking_next();
            }
            cancelled += 1;
        }
        let place = (at, asked[at].len());
        asked[at].push(request.clone());
        done += 1;
        let older = engine.complete(request);
        // Now and then the next key comes before the answer, and both are wanted.
        let newer = (dice.below(4) == 0 && asked[at].len() < each).then(|| {
            let request = desks[at].event(&mut dice);
            asked[at].push(request.clone());
            done += 1;
            engine.complete(request)
        });
        let answers = std::iter::once(older).chain(newer);
        for (answer, number) in answers.zip(place.1..) {
            let (text, figures) = finish(answer);
            evaluated_warm += figures.evaluated;
            desks[at].said.clone_from(&text);
            warm.insert((at, number), text);
        }
    }

    // Few places, taken in turn, and no guessing: each answer is the plain one.
    end(engine);
    let engine = start(1, false, None);
    let (mut evaluated_cold, mut ties, mut lies, mut washed) = (0, 0, Vec::new(), 0);
    for number in 0..each {
        for (at, requests) in asked.iter().enumerate() {
            let request = &requests[number];
            let (cold, figures) = cold_answer(&engine, request, &mut washed);
            evaluated_cold += figures.evaluated;
            let warm = &warm[&(at, number)];
            if *warm == cold {
                continue;
            }
            let begun = common(&cold, warm);
            let lead = lead(&engine, request, begun);
            if lead.is_some_and(|lead| lead.abs() < NEAR_TIE) {
                ties += 1;
            } else {
                let prompt = &request.prompt;
                lies.push(format!(
                    "warm {warm:?}, cold {cold:?}, lead {lead:?} after {begun:?}: {prompt:?}"
                ));
            }
        }
    }
    println!(
        "{done} events, {cancelled} cancelled besides; {evaluated_warm} tokens warm, {evaluated_cold} cold; \
         {ties} ties, {} others",
        lies.len()
    );
    assert!(evaluated_warm * 2 < evaluated_cold, "the cache was hardly used");
    assert!(lies.is_empty(), "{lies:#?}");
    assert!(ties * 20 <= done, "{ties} ties");
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
