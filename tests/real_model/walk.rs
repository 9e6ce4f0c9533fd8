//! An answer is a function of its prompt: what the engine kept of other requests never shows.
//!
//! Some sheets are typed at, as people do it; then each prompt that was answered is asked of an engine that has seen
//! nothing like it. `TANDEM_CASES=75 cargo test --release --test real_model walk -- --nocapture` is
//! 5,000 events, the same each time; `TANDEM_SEED` gives others.

use std::collections::HashMap;

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Engine, Event, Fork, Request, Stop};
use tandem::prompt::{self, Anchor, Budget, Prompt};

use crate::cache::{end, finish};
use crate::dice::Dice;
use crate::harness::{marked, model, turn};

/// What is typed on: a text with its cursor, what is typed there.
const TEXTS: [(&str, &str); 3] = [
    (
        "fn sum(values: &[u32]) -> u32 {\n    $0\n}\n\nfn main() {\n    dbg!(sum(&[1]));\n}\n",
        "let mut total = 0;\n    for value in values {\n        total += value;\n    }\n    total",
    ),
    (
        "def area(width, height):\n    $0\n\nprint(area(2, 3))\n",
        "if width < 0 or height < 0:\n        raise ValueError(\"negative\")\n    return width * height",
    ),
    (
        "// Counts words.\nfunction count(text) {\n  $0\n}\ncount(\"a b\");\n",
        "const words = text.split(\" \");\n  return words.filter(Boolean).length;",
    ),
];
/// The first word of each desk's sheets. There are more desks than either engine keeps sequences, and no two begin
/// with the same token, so that one that is asked in turn finds nothing: an engine goes on in a sequence that has
/// as little as two tokens in common.
const DESKS: [&str; 6] = ["alpha", "beta", "delta", "epsilon", "gamma", "omega"];
/// Lines above each text, so that its prompts' prefix is never empty and begins with the desk's word.
const ABOVE: usize = 4;
/// Answers for each desk, and again for each of the `TANDEM_CASES`.
const EACH: usize = 10;
const TOKENS: u32 = 4;
/// Tokens that all prompts begin with.
const BEGINNING: u32 = 1;
/// A difference of two tokens' log-probabilities that rounding may turn round: the engine calls 0.25 a near
/// tie, and here each side may have been rounded.
const TIE: f32 = 0.5;
/// More than an answer of so few tokens has.
const FORKS: u32 = 64;

/// One sheet after the other, each typed, left, corrected.
struct Desk {
    number: usize,
    sheet: usize,
    text: String,
    cursor: usize,
    to_type: &'static str,
    anchor: Option<Anchor>,
    /// What was answered at the cursor.
    shown: String,
}

impl Desk {
    fn new(number: usize, sheet: usize) -> Desk {
        let (text, to_type) = TEXTS[(number + sheet) % TEXTS.len()];
        // The same sheets come again and again: what is known of one is a temptation at the next.
        let (cursor, text) = marked(&format!("{}{}{text}", DESKS[number], "\n".repeat(ABOVE)));
        Desk { number, sheet, text, cursor, to_type, anchor: None, shown: String::new() }
    }

    /// Types, takes back, accepts, goes elsewhere, or has the anchor put anew.
    fn event(&mut self, dice: &mut Dice) -> Request {
        if self.to_type.is_empty() || self.text.len() > 400 {
            *self = Desk::new(self.number, self.sheet + 1);
        }
        let shown = std::mem::take(&mut self.shown);
        match dice.below(20) {
            0..=10 => {
                let count = 1 + dice.below(4);
                let at = self.to_type.char_indices().nth(count);
                let (typed, rest) = self.to_type.split_at(at.map_or(self.to_type.len(), |a| a.0));
                self.to_type = rest;
                self.insert(typed);
            }
            11..=14 => {
                for _ in 0..=dice.below(5) {
                    if self.cursor > 0 && !self.text[..self.cursor].ends_with('\n') {
                        let last = self.text[..self.cursor].chars().next_back();
                        self.cursor -= last.map_or(0, char::len_utf8);
                        self.text.remove(self.cursor);
                    }
                }
            }
            15 | 16 => self.insert(&shown),
            17 => self.anchor = None,
            _ => {
                let ends: Vec<usize> =
                    self.text.match_indices('\n').skip(ABOVE).map(|(at, _)| at).collect();
                return self.ask(ends[dice.below(ends.len())]);
            }
        }
        self.ask(self.cursor)
    }

    fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    fn ask(&mut self, cursor: usize) -> Request {
        let text = Rope::from_str(&self.text);
        let (prompt, anchor) =
            prompt::prompt(&text, cursor, Budget::default(), self.anchor.as_ref());
        self.anchor = Some(anchor);
        Request::new(prompt, TOKENS, Stop::Line)
    }
}

/// Of an engine for one document.
const SEQUENCES: usize = 3;
/// Texts of which none begins like another, in two turns: none is still there when its turn comes again.
const OTHERS: [[&str; SEQUENCES]; 2] = [["Alpha", "Tango", "Zebra"], ["Kilo", "Sierra", "Quebec"]];

/// One thread beside other tests: in this process several would spin while they wait for each other.
fn start(documents: u32, guess: bool, threads: u32) -> Llama {
    Llama::start(Options { documents, threads, guess, ..Options::new(model()) })
}

/// Has the engine for one document forget all that it knows: what begins like nothing else takes the place of what
/// was used longest ago.
fn cool(engine: &Llama, others: [&str; SEQUENCES]) {
    for other in others {
        let prompt = Prompt { prefix: other.to_owned(), ..Prompt::default() };
        finish(engine.complete(Request::warm(prompt)));
    }
}

#[test]
fn after_any_walk_a_warm_answer_equals_a_cold_one() {
    let _turn = turn();
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let cases: Option<u32> = number("TANDEM_CASES");
    let each = EACH * cases.unwrap_or(1) as usize;
    let threads = if cases.is_some() { 0 } else { 1 };
    let engine = start(2, true, threads);
    let mut dice = Dice::new(number("TANDEM_SEED").unwrap_or(2_026));
    let mut desks: Vec<Desk> = (0..DESKS.len()).map(|number| Desk::new(number, 0)).collect();
    let mut answered: Vec<Vec<(Request, String)>> = vec![Vec::new(); DESKS.len()];
    let (mut events, mut left, mut evaluated_warm, mut at) = (0, 0, 0, 0);
    while answered.iter().any(|answers| answers.len() < each) {
        // One stays at a desk for a while.
        if dice.below(5) == 0 || answered[at].len() >= each {
            at = dice.below(DESKS.len());
            continue;
        }
        let mut wanted = Vec::new();
        let mut ask = |desk: &mut Desk, dice: &mut Dice| {
            events += 1;
            let request = desk.event(dice);
            (request.clone(), engine.complete(request))
        };
        match dice.below(10) {
            // Nobody waits any more, sooner or later.
            0 | 1 => {
                let (_, mut answer) = ask(&mut desks[at], &mut dice);
                for _ in 0..dice.below(3) {
                    if matches!(answer.blocking_next(), None | Some(Event::Done(_))) {
                        break;
                    }
                }
                left += 1;
            }
            // The next key comes before the answer, and both are wanted.
            2 | 3 => {
                wanted.push(ask(&mut desks[at], &mut dice));
                wanted.push(ask(&mut desks[at], &mut dice));
            }
            _ => wanted.push(ask(&mut desks[at], &mut dice)),
        }
        for (request, answer) in wanted {
            let (text, figures) = finish(answer);
            evaluated_warm += figures.evaluated;
            desks[at].shown.clone_from(&text);
            answered[at].push((request, text));
        }
    }

    // Desk by desk in turn, and no guessing: each answer is the plain one.
    end(engine);
    let engine = start(1, false, threads);
    let distinct: Vec<Vec<(&Request, Vec<&str>)>> = answered.iter().map(distinct).collect();
    let longest = distinct.iter().map(Vec::len).max().unwrap_or(0);
    let (mut compared, mut evaluated_cold, mut round) = (0, 0, 0);
    let (mut ties, mut differ) = (Vec::new(), Vec::new());
    for number in 0..longest {
        for prompts in &distinct {
            let Some((request, warm)) = prompts.get(number) else { continue };
            round += 1;
            cool(&engine, OTHERS[round % 2]);
            let (cold, figures) = finish(engine.complete((*request).clone()));
            assert!(figures.reused <= BEGINNING, "not cold: {figures:?}");
            evaluated_cold += figures.evaluated * warm.len() as u32;
            compared += warm.len();
            for other in warm.iter().filter(|warm| **warm != cold) {
                let line = format!("{:?}: warm {other:?}, cold {cold:?}", request.prompt.middle);
                match apart(&engine, request, other, &cold) {
                    Ok(apart) if apart < TIE => {
                        ties.push(apart);
                        println!("{line}: a tie, {apart:.2} apart");
                    }
                    known => {
                        println!("{line}: {known:?}");
                        differ.push(format!("{line}: {known:?}"));
                    }
                }
            }
        }
    }
    end(engine);
    ties.sort_by(f32::total_cmp);
    println!(
        "{events} events, {left} of them left; {compared} answers to {} prompts compared: {} ties ({ties:.2?} \
         apart), {} differ; {evaluated_warm} tokens warm, {evaluated_cold} cold",
        distinct.iter().map(Vec::len).sum::<usize>(),
        ties.len(),
        differ.len()
    );
    assert!(evaluated_warm * 3 < evaluated_cold, "the cache was hardly used");
    // Sums of floats depend on how a prompt is cut into batches; but rarely does it matter.
    assert!(ties.len() * 20 <= compared, "{ties:?}");
    assert!(differ.is_empty(), "{differ:#?}");
}

/// Each prompt once, with all the answers that it got.
fn distinct(answered: &Vec<(Request, String)>) -> Vec<(&Request, Vec<&str>)> {
    let mut places = HashMap::new();
    let mut distinct: Vec<(&Request, Vec<&str>)> = Vec::new();
    for (request, answer) in answered {
        let place = *places.entry(&request.prompt).or_insert(distinct.len());
        match distinct.get_mut(place) {
            Some((_, answers)) => answers.push(answer),
            None => distinct.push((request, vec![answer])),
        }
    }
    distinct
}

/// How much less likely was the warm answer's way than the cold one's where they part, as a natural logarithm?
/// Infinitely where it is not among the likely ones that the engine tells of. They may have parted unseen, in
/// the word that is forced: there each says the same, whatever its tokens are.
fn apart(engine: &Llama, request: &Request, warm: &str, cold: &str) -> Result<f32, String> {
    let mut answer = engine.complete(Request { forks: FORKS, ..request.clone() });
    let (mut forks, mut text, mut forced) = (Vec::new(), String::new(), f32::INFINITY);
    while let Some(event) = answer.blocking_next() {
        match event {
            Event::Forks(found) => forks = found,
            Event::Text(piece) => text.push_str(&piece),
            Event::Done(figures) => {
                forced = figures.forced_lead.unwrap_or(forced);
                break;
            }
            Event::Failed(why) => return Err(why),
            Event::Begun(_) => {}
        }
    }
    if text == warm {
        // Decoded once more over what it had of the prompt, it says the other one itself.
        return Ok(0.0);
    }
    let both = warm.chars().zip(cold.chars()).take_while(|(a, b)| a == b);
    let same: usize = both.map(|(a, _)| a.len_utf8()).sum();
    // The other way may be a beginning of what both say: one token where the other has two.
    let parts = |fork: &&Fork| {
        let way = cold.get(..fork.at).map(|begun| format!("{begun}{}", fork.text));
        let ends = |way: &str| if fork.text.is_empty() { way == warm } else { fork.at <= same };
        way.is_some_and(|way| ends(&way) && (warm.starts_with(&way) || way.starts_with(warm)))
    };
    Ok(forks.iter().filter(parts).map(|fork| fork.behind).fold(forced, f32::min))
}
