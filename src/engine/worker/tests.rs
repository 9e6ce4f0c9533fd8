//! The worker on a toy model: its next token depends on every token before, so a wrong position, a
//! wrong row or a token too many anywhere changes what it says.

mod drafts;
mod walk;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::*;
use crate::engine::healing::Vocabulary;
use crate::engine::states::StateOptions;
use crate::engine::transformer::{Evaluated, FimTokens};
use crate::engine::{Answer, Figures, Fork, Stop};
use crate::engine::{heads, healing};
use crate::prompt::Prompt;
use proptest::prelude::*;

const FIM: FimTokens = FimTokens { prefix: 97, suffix: 98, middle: 99 };
/// Ends an answer.
const END: Token = 96;

/// What the toy was told to do.
#[derive(Default)]
struct Log {
    evaluated: usize,
    batches: Vec<usize>,
    /// The next evaluations that are broken off.
    break_off: usize,
    fail: bool,
}

/// Tokens 1 to 26 are letters, 27 to 36 pairs of letters, 37 a blank, 38 a line break.
struct Toy {
    vocabulary: Vocabulary,
    sequences: Vec<Vec<Token>>,
    /// What it wore when it evaluated each of them; its next token depends on that, too.
    tints: Vec<Vec<Token>>,
    tint: Token,
    /// The adapters that it has met.
    met: Vec<PathBuf>,
    /// For each row of the last evaluation, the tokens up to it, each in its tint.
    rows: Vec<Vec<Token>>,
    log: Rc<RefCell<Log>>,
    /// The larger, the more its next token depends on the last one alone, so that runs repeat.
    habit: u64,
}

impl Toy {
    fn new(sequences: usize, habit: u64) -> Toy {
        let letters = (b'a'..=b'z').map(|c| vec![c]);
        let pairs = (b'a'..b'k').map(|c| vec![c, c + 1]);
        let others = [b" ".to_vec(), b"\n".to_vec()];
        let texts = std::iter::once(Vec::new()).chain(letters).chain(pairs).chain(others);
        Toy {
            vocabulary: Vocabulary::new(texts),
            sequences: vec![Vec::new(); sequences],
            tints: vec![Vec::new(); sequences],
            tint: 0,
            met: Vec::new(),
            rows: Vec::new(),
            log: Rc::default(),
            habit,
        }
    }

    /// Greedy: the allowed token that this context likes best.
    fn choose(&self, context: &[Token], remains: &[u8]) -> Option<Token> {
        let fit = |bytes: &[u8]| remains.is_empty() || healing::fits(bytes, remains);
        self.order(context, &fit).first().copied()
    }

    /// The tokens that fit, as this context likes them.
    fn order(&self, context: &[Token], fit: &dyn Fn(&[u8]) -> bool) -> Vec<Token> {
        let mut all: Vec<Token> = (1..39).chain([END]).collect();
        all.retain(|&token| fit(self.vocabulary.bytes_of(token)));
        let hash = |tokens: &[Token]| {
            tokens.iter().fold(7_u64, |h, &t| h.wrapping_mul(31).wrapping_add(t as u64 + 1))
        };
        let recent = hash(&context[context.len().saturating_sub(1)..]);
        let whole = hash(context);
        let taste = |t: &Token| {
            let of = |seed: u64| {
                seed.wrapping_mul(*t as u64 * 2 + 11).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
            };
            (of(recent) * self.habit + of(whole), -t)
        };
        all.sort_by_key(|token| std::cmp::Reverse(taste(token)));
        all
    }
}

impl Transformer for Toy {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn is_stop(&self, token: Token) -> bool {
        token >= END
    }

    fn fim(&self) -> FimTokens {
        FIM
    }

    fn tokenize(&self, text: &str) -> Vec<Token> {
        text.bytes()
            .map(|byte| match byte {
                b' ' => 37,
                b'\n' => 38,
                letter => Token::from(letter.to_ascii_lowercase().clamp(b'a', b'z') - b'a') + 1,
            })
            .collect()
    }

    fn wear(&mut self, adapters: &[Adapter]) -> Result<bool, String> {
        if adapters.iter().any(|adapter| adapter.file == Path::new("missing")) {
            // What it wears now is nobody's business.
            self.tint = 99;
            return Err("there is no such adapter".to_owned());
        }
        let of = |adapter: &Adapter| (adapter.scale * 10.0) as Token + adapter.version as Token;
        self.tint = adapters.iter().map(of).sum();
        let new = adapters.iter().filter(|it| !self.met.contains(&it.file));
        let new: Vec<PathBuf> = new.map(|adapter| adapter.file.clone()).collect();
        // A new one takes room for itself, as in llama.cpp.
        let is_kept = new.is_empty();
        if !is_kept {
            self.clear();
        }
        self.met.extend(new);
        Ok(is_kept)
    }

    fn evaluate(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String> {
        let mut log = self.log.borrow_mut();
        assert_eq!(self.sequences[sequence].len(), position, "positions follow each other");
        if std::mem::take(&mut log.fail) {
            return Err("broken".into());
        }
        if log.break_off > 0 {
            log.break_off -= 1;
            return Ok(Evaluated::Nothing);
        }
        log.evaluated += tokens.len();
        log.batches.push(tokens.len());
        self.sequences[sequence].extend(tokens);
        self.tints[sequence].extend(tokens.iter().map(|_| self.tint));
        let tinted = self.sequences[sequence].iter().zip(&self.tints[sequence]);
        let tinted: Vec<Token> = tinted.map(|(token, tint)| token + 100 * tint).collect();
        let end = tinted.len();
        self.rows = (end + 1 - rows..=end).map(|to| tinted[..to].to_vec()).collect();
        Ok(Evaluated::All)
    }

    fn best(&self, row: usize, remains: &[u8]) -> Option<Token> {
        self.choose(&self.rows[row], remains)
    }

    fn ranked(&self, row: usize, most: usize, fit: &dyn Fn(&[u8]) -> bool) -> Vec<(Token, f32)> {
        let order = self.order(&self.rows[row], fit).into_iter();
        order.take(most).zip(1..).map(|(token, rank)| (token, -(rank as f32))).collect()
    }

    fn ln_probability(&self, _: usize, _: Token) -> f32 {
        -0.5
    }

    fn is_near_tie(&self, row: usize) -> bool {
        // Some of them are, so that this is tried as well.
        self.rows[row].len().is_multiple_of(5)
    }

    fn truncate(&mut self, sequence: usize, length: usize) {
        self.sequences[sequence].truncate(length);
        self.tints[sequence].truncate(length);
    }

    fn fork(&mut self, from: usize, to: usize, length: usize) {
        self.sequences[to] = self.sequences[from][..length].to_vec();
        self.tints[to] = self.tints[from][..length].to_vec();
    }

    fn clear(&mut self) {
        self.sequences.iter_mut().chain(&mut self.tints).for_each(Vec::clear);
    }

    fn save(&mut self, sequence: usize) -> Result<Vec<u8>, String> {
        let both = self.sequences[sequence].iter().chain(&self.tints[sequence]);
        Ok(both.map(|&token| token as u8).collect())
    }

    fn load(&mut self, sequence: usize, state: &[u8]) -> Result<(), String> {
        assert!(self.sequences[sequence].is_empty(), "into an empty sequence");
        let (tokens, tints) = state.split_at(state.len() / 2);
        let read = |half: &[u8]| half.iter().map(|&byte| Token::from(byte)).collect();
        (self.sequences[sequence], self.tints[sequence]) = (read(tokens), read(tints));
        Ok(())
    }
}

/// A worker at a desk: what is asked is answered at once.
struct Desk {
    worker: Worker<Toy>,
    log: Rc<RefCell<Log>>,
}

impl Desk {
    fn new(toy: Toy, cells: usize, guess: Option<Guess>) -> Desk {
        let log = toy.log.clone();
        let worker = Worker::new(Parts {
            sequences: toy.sequences.len(),
            transformer: toy,
            cells,
            context_tokens: 300,
            quick_tokens: 128,
            interrupt: Arc::default(),
            guess,
            drafter: None,
            learn: None,
            states: None,
        });
        Desk { worker, log }
    }

    /// The text and figures of an answer, or why there is none.
    fn ask(&mut self, request: Request) -> Result<(String, Figures), String> {
        self.ask_until(request, &mut || false).expect("not pre-empted")
    }

    /// `None` when it was pre-empted; then it is given up.
    fn ask_until(
        &mut self,
        request: Request,
        newer: &mut dyn FnMut() -> bool,
    ) -> Option<Result<(String, Figures), String>> {
        let (mut answer, events) = Answer::new();
        let mut job = Job::new(request, events);
        match self.worker.answer(&mut job, newer) {
            Err(message) => return Some(Err(message)),
            Ok(End::Preempted) => return None,
            Ok(End::Finished) => drop(job),
        }
        let mut text = String::new();
        while let Some(event) = answer.blocking_next() {
            match event {
                Event::Text(piece) => text.push_str(&piece),
                Event::Done(figures) => return Some(Ok((text, figures))),
                Event::Failed(message) => return Some(Err(message)),
                Event::Begun(_) | Event::Forks(_) => {}
            }
        }
        panic!("an answer without an end");
    }
}

fn prompt(prefix: &str, suffix: &str, middle: &str) -> Prompt {
    let (prefix, suffix, middle) = (prefix.into(), suffix.into(), middle.into());
    Prompt { prefix, suffix, middle, ..Prompt::default() }
}

/// Costs at which guessing pays.
fn guess() -> Guess {
    Guess::new(&[(1, 12.0), (2, 13.0), (4, 14.0), (8, 18.0), (16, 24.0)])
}

proptest! {
    #[test]
    fn guessing_never_changes_what_is_said(
        texts in prop::collection::vec(("[a-d \n]{0,40}", "[a-d \n]{0,20}", "[a-d ]{0,9}"), 1..12),
        habit in prop::sample::select(vec![0, 1, 50]),
        cells in 120..400_usize,
        quick in any::<bool>(),
        draft in prop::option::of((prop::sample::select(vec![0, 1, 50]), 1..6_usize)),
    ) {
        let mut plain = Desk::new(Toy::new(1, habit), 400, None);
        let mut guessing = Desk::new(Toy::new(4, habit), cells, Some(guess()));
        guessing.worker.drafter = draft.map(|(habit, tokens)| drafts::always(Toy::new(4, habit), tokens));
        for (prefix, suffix, middle) in texts {
            let request = Request {
                quick,
                ..Request::new(prompt(&prefix, &suffix, &middle), 12, Stop::Never)
            };
            // Cold each time.
            plain.worker.transformer.clear();
            plain.worker.cache.clear();
            let (expected, _) = plain.ask(request.clone()).unwrap();
            let (text, _) = guessing.ask(request).unwrap();
            prop_assert_eq!(text, expected);
            let held = |desk: &Desk| -> Vec<Vec<Token>> {
                desk.worker.cache.sequences().iter().map(|s| s.tokens().to_vec()).collect()
            };
            prop_assert_eq!(held(&guessing), guessing.worker.transformer.sequences.clone());
        }
    }
}

#[test]
fn guesses_that_come_true_save_steps() {
    let decode = |guess: Option<Guess>| {
        let mut desk = Desk::new(Toy::new(2, 1_000), 1_000, guess);
        let (text, figures) =
            desk.ask(Request::new(prompt("abc abd abc", "", "ab"), 60, Stop::Never)).unwrap();
        let steps = desk.log.borrow().batches.len();
        (text, figures, steps)
    };
    let (plain, _, plain_steps) = decode(None);
    let (text, figures, steps) = decode(Some(guess()));
    assert_eq!(text, plain);
    assert!(figures.accepted > 0 && steps < plain_steps, "{figures:?}, {steps} of {plain_steps}");
}

#[test]
fn a_cold_place_is_answered_from_a_quick_head_and_the_whole_one_takes_over() {
    let mut desk = Desk::new(Toy::new(4, 0), 2_000, None);
    let place = prompt(&"abcd efg\n".repeat(20), &"hij klm\n".repeat(9), "abc");
    let ask = Request { quick: true, ..Request::new(place.clone(), 3, Stop::Never) };
    let (_, cold) = desk.ask(ask.clone()).unwrap();
    assert!(cold.quick && cold.evaluated < 140, "{cold:?}");
    // The next key finds the quick head, not yet the whole one.
    let mut next = ask.clone();
    next.prompt.middle.push('d');
    let (_, second) = desk.ask(next.clone()).unwrap();
    assert!(second.quick && second.evaluated <= 5, "{second:?}");
    let (text, warmed) = desk.ask(Request::warm(place)).unwrap();
    assert!(text.is_empty() && warmed.evaluated > 150, "{warmed:?}");
    let (_, third) = desk.ask(next).unwrap();
    assert!(!third.quick && third.evaluated <= 5, "{third:?}");
}

#[test]
fn after_a_jump_within_a_known_prefix_only_what_is_new_is_evaluated() {
    let mut desk = Desk::new(Toy::new(8, 0), 4_000, None);
    let text = "abcd efg\n".repeat(24);
    let ask = |at: usize| Request {
        quick: true,
        ..Request::new(prompt(&text[..at], &"klmn opq\n".repeat(8), "ab"), 2, Stop::Never)
    };
    desk.ask(Request::warm(ask(200).prompt)).unwrap();
    let (_, up) = desk.ask(ask(100)).unwrap();
    assert!(up.quick && up.reused >= 100, "{up:?}");
    let (_, back) = desk.ask(ask(200)).unwrap();
    assert!(!back.quick && back.evaluated <= 5, "a jump back finds its old sequence: {back:?}");
}

#[test]
fn what_is_pre_empted_goes_on_where_it_was() {
    let mut desk = Desk::new(Toy::new(2, 0), 2_000, None);
    let warm = Request::warm(prompt(&"a".repeat(200), "", ""));
    let mut looks = 0;
    let mut newer = || {
        looks += 1;
        looks > 3
    };
    assert!(desk.ask_until(warm.clone(), &mut newer).is_none());
    assert_eq!(desk.log.borrow().evaluated, 96, "three pieces of 32");
    let (_, figures) = desk.ask(warm).unwrap();
    assert_eq!((figures.reused, figures.evaluated), (96, 203 - 96));
}

#[test]
fn a_piece_that_is_broken_off_leaves_nothing_behind() {
    let request = Request::new(prompt("abc", "def", "gh"), 5, Stop::Never);
    let (expected, _) = Desk::new(Toy::new(2, 0), 500, None).ask(request.clone()).unwrap();
    let mut desk = Desk::new(Toy::new(2, 0), 500, Some(guess()));
    for _ in 0..4 {
        desk.log.borrow_mut().break_off = 1;
        assert!(desk.ask_until(request.clone(), &mut || false).is_none());
        // One more batch goes through each time.
        let (answer, events) = Answer::new();
        let mut batches = 0;
        let mut newer = || {
            batches += 1;
            batches > 1
        };
        let _ = desk.worker.answer(&mut Job::new(request.clone(), events), &mut newer);
        drop(answer);
    }
    assert_eq!(desk.ask(request).unwrap().0, expected);
}

#[test]
fn a_full_context_makes_room_and_a_prompt_too_long_is_cut() {
    let mut desk = Desk::new(Toy::new(6, 0), 320, None);
    for letter in ["a", "b", "c", "d"] {
        let place = prompt(&letter.repeat(280), "", "x");
        let (text, figures) = desk.ask(Request::new(place, 8, Stop::Never)).unwrap();
        assert!(figures.evaluated + figures.reused <= 300 && !text.is_empty(), "{figures:?}");
    }
}

#[test]
fn a_failure_is_said_and_the_next_request_starts_over() {
    let request = Request::new(prompt("abc", "def", "gh"), 5, Stop::Never);
    let (orders, inbox) = std::sync::mpsc::channel();
    let toy = Toy::new(2, 0);
    toy.log.borrow_mut().fail = true;
    let mut desk = Desk::new(toy, 500, None);
    let mut answers: Vec<Answer> = Vec::new();
    for _ in 0..2 {
        let (answer, events) = Answer::new();
        orders.send(Order::Work(Job::new(request.clone(), events))).unwrap();
        answers.push(answer);
    }
    drop(orders);
    desk.worker.serve(&inbox, &watch::channel(false).0);
    // The newest goes first, and fails.
    assert_eq!(answers[1].blocking_next(), Some(Event::Failed("broken".into())));
    assert!(matches!(answers[0].blocking_next(), Some(Event::Begun(_))));
}

#[test]
fn keystrokes_go_before_background_work_and_the_newest_goes_first() {
    let (orders, inbox) = std::sync::mpsc::channel();
    let mut answers = Vec::new();
    let mut send = |request: Request| {
        let (answer, events) = Answer::new();
        orders.send(Order::Work(Job::new(request, events))).unwrap();
        answers.push(answer);
    };
    let now = |text: &str| Request::new(prompt(text, "", "a"), 1, Stop::Never);
    send(now("one"));
    send(Request::warm(prompt("two", "", "")));
    send(now("six"));
    send(Request::warm(prompt("four", "", "")));
    drop(orders);
    let mut desk = Desk::new(Toy::new(8, 0), 2_000, None);
    desk.worker.serve(&inbox, &watch::channel(false).0);
    let tokens = |text: &str| desk.worker.transformer.tokenize(text);
    let mut order: Vec<(u64, usize)> = ["one", "two", "six", "four"]
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let holds =
                |s: &&crate::engine::cache::Sequence| s.tokens()[1..].starts_with(&tokens(text));
            let mut sequences = desk.worker.cache.sequences().iter().enumerate();
            let at = sequences.find(|(_, s)| !s.is_empty() && holds(s)).expect("its sequence").0;
            (desk.worker.cache.used(at), number)
        })
        .collect();
    order.sort_unstable();
    assert_eq!(order.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [2, 0, 1, 3]);
}

#[test]
fn what_batches_cost_is_learnt_when_nobody_waits_and_a_keystroke_goes_between() {
    let (orders, inbox) = std::sync::mpsc::channel();
    let (mut answer, events) = Answer::new();
    let request = Request::new(prompt("one", "", "a"), 1, Stop::Never);
    let mut job = Some(Job::new(request.clone(), events));
    let mut asks = Some(orders);
    let calls = Rc::new(RefCell::new(Vec::new()));
    let mut desk = Desk::new(Toy::new(2, 0), 500, None);
    let (log, noted) = (desk.log.clone(), calls.clone());
    let (interrupt, key) = (desk.worker.interrupt.clone(), request.clone());
    desk.worker.learn = Some(Box::new(move |toy: &mut Toy, sequence, newer| {
        assert!(toy.sequences[sequence].is_empty());
        noted.borrow_mut().push(log.borrow().evaluated);
        toy.evaluate(sequence, 0, &[1, 2, 3], 1)?;
        assert!(!newer());
        assert!(!interrupt.is_due());
        if let Some((job, orders)) = job.take().zip(asks.as_ref()) {
            orders.send(Order::Work(job)).unwrap();
            interrupt.arrived(&key);
            assert!(interrupt.is_due(), "in the middle of a batch");
            assert!(newer(), "a key was pressed");
            return Ok(None);
        }
        // Nobody asks any more.
        asks = None;
        Ok(Some(Learnt { guess: None, quick_tokens: 7 }))
    }));
    desk.worker.serve(&inbox, &watch::channel(false).0);
    assert!(matches!(answer.blocking_next(), Some(Event::Begun(_))));
    let calls = calls.borrow();
    assert_eq!((calls.len(), calls[0]), (2, 0), "before anything was asked");
    assert!(calls[1] > 3, "the key was answered in between");
    assert_eq!(desk.worker.interrupt.still(), Duration::ZERO);
    assert_eq!((desk.worker.quick_tokens, desk.worker.learn.is_none()), (7, true));
}

#[test]
fn nothing_is_learnt_when_nobody_will_ask_any_more() {
    let (orders, inbox) = std::sync::mpsc::channel();
    let mut desk = Desk::new(Toy::new(2, 0), 500, None);
    desk.worker.learn = Some(Box::new(|_, _, _| panic!("what for?")));
    drop(orders);
    desk.worker.serve(&inbox, &watch::channel(false).0);
}

#[test]
fn a_keystroke_that_has_waited_too_long_goes_first() {
    let (orders, inbox) = std::sync::mpsc::channel();
    // A machine that has just started has no time that long ago.
    let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(60)) else { return };
    let mut answers = Vec::new();
    for (text, arrived) in [("one", long_ago), ("two", Instant::now())] {
        let (answer, events) = Answer::new();
        let request = Request::new(prompt(text, "", "a"), 1, Stop::Never);
        orders.send(Order::Work(Job { arrived, ..Job::new(request, events) })).unwrap();
        answers.push(answer);
    }
    drop(orders);
    let mut desk = Desk::new(Toy::new(8, 0), 2_000, None);
    desk.worker.serve(&inbox, &watch::channel(false).0);
    let used = |text: &str| {
        let tokens = desk.worker.transformer.tokenize(text);
        let mut sequences = desk.worker.cache.sequences().iter().enumerate();
        let holds = |s: &crate::engine::cache::Sequence| {
            !s.is_empty() && s.tokens()[1..].starts_with(&tokens)
        };
        desk.worker.cache.used(sequences.find(|(_, s)| holds(s)).expect("its sequence").0)
    };
    assert!(used("one") < used("two"), "the newest would have gone first");
}

#[test]
fn a_document_opened_again_is_read_from_disk_with_its_last_answer() {
    let scratch = tempfile::tempdir().unwrap();
    let open = || {
        let options = StateOptions { folder: scratch.path().join("states"), cap: 1 << 20 };
        Some(States::open(options, "toy").expect("a folder"))
    };
    let request = Request::new(prompt(&"abcd ".repeat(20), "efg", "ab c"), 4, Stop::Never);
    let mut first = Desk::new(Toy::new(4, 0), 1_000, None);
    first.worker.states = open();
    let (text, _) = first.ask(request.clone()).unwrap();
    first.worker.save(true);

    let mut second = Desk::new(Toy::new(4, 0), 1_000, None);
    second.worker.states = open();
    let (again, figures) = second.ask(request).unwrap();
    assert_eq!(again, text);
    assert_eq!(second.log.borrow().evaluated, 1, "but the last token, for what follows it");
    assert!(figures.reused > 100, "{figures:?}");
    second.worker.save(false);
    assert_eq!(std::fs::read_dir(scratch.path().join("states")).unwrap().count(), 1);
}

#[test]
fn the_quick_heads_are_those_of_the_layout() {
    // The toy's special tokens must not be text, or the tests above would not see a leak.
    let parts = heads::Parts { prefix: vec![1], context: vec![], suffix: vec![2], middle: vec![3] };
    assert_eq!(parts.whole(FIM, 100).tokens, [97, 1, 98, 2, 99, 3]);
}

/// A mix of one adapter.
fn mix(file: &str, scale: f32) -> Vec<Adapter> {
    vec![Adapter { file: file.into(), version: 1, scale }]
}

#[test]
fn what_was_evaluated_under_one_mix_of_adapters_waits_for_it_and_helps_no_other() {
    let place = prompt("abcd efgh", "klm", "ab c");
    let ask = |adapters: Vec<Adapter>| Request {
        adapters,
        ..Request::new(place.clone(), 6, Stop::Never)
    };
    let cold =
        |adapters: Vec<Adapter>| Desk::new(Toy::new(1, 0), 500, None).ask(ask(adapters)).unwrap().0;
    let mut desk = Desk::new(Toy::new(4, 0), 2_000, Some(guess()));
    let mixes = [Vec::new(), mix("house", 1.0), mix("house", 0.5)];
    // The second time around all of them are there.
    for round in 0..2 {
        for adapters in &mixes {
            let (text, figures) = desk.ask(ask(adapters.clone())).unwrap();
            assert_eq!(text, cold(adapters.clone()));
            let is_first = round == 0 || adapters.is_empty();
            assert_eq!(figures.evaluated > 2, is_first, "{round} {adapters:?}: {figures:?}");
        }
    }
    let missing = ask(mix("missing", 1.0));
    assert_eq!(desk.ask(missing), Err("there is no such adapter".to_owned()));
    let (text, figures) = desk.ask(ask(Vec::new())).unwrap();
    assert_eq!((text, figures.evaluated), (cold(Vec::new()), 1), "others go on with what is there");
}

/// What is said, and the forks.
fn ask_for_forks(desk: &mut Desk, request: Request) -> (String, Vec<Fork>) {
    let (mut answer, events) = Answer::new();
    let mut job = Job::new(request, events);
    desk.worker.answer(&mut job, &mut || false).unwrap();
    drop(job);
    let (mut text, mut forks) = (String::new(), Vec::new());
    while let Some(event) = answer.blocking_next() {
        match event {
            Event::Text(piece) => text.push_str(&piece),
            Event::Forks(all) => forks = all,
            _ => {}
        }
    }
    (text, forks)
}

#[test]
fn forks_are_ways_not_taken_and_a_request_along_one_goes_on_from_it() {
    let place = prompt("abc abd", "efg", "ab c");
    let plain = Request::new(place.clone(), 6, Stop::Line);
    let mut desk = Desk::new(Toy::new(2, 0), 500, Some(guess()));
    let (expected, _) = desk.ask(plain.clone()).unwrap();
    let (text, forks) = ask_for_forks(&mut desk, Request { forks: 5, ..plain.clone() });
    assert_eq!(text, expected, "asking for forks changes nothing");
    assert_eq!(forks.len(), 5);
    assert!(forks.is_sorted_by(|a, b| a.ln >= b.ln), "{forks:?}");
    for fork in forks.iter().filter(|fork| !fork.text.is_empty()) {
        assert!(!text[fork.at..].starts_with(&fork.text), "{fork:?} of {text:?}");
        let mut along = plain.clone();
        along.prompt.middle += &format!("{}{}", &text[..fork.at], fork.text);
        assert_ne!(desk.ask(along).unwrap().0, "", "{fork:?}");
    }
    let (_, none) = ask_for_forks(&mut desk, plain);
    assert!(none.is_empty());
}

proptest! {
    #[test]
    fn a_name_is_one_of_those_that_may_be_and_later_answers_are_as_ever(
        names in prop::collection::btree_set("[a-e]{1,4}", 1..6),
        middle in "[a-e]{0,2} ?[a-e]{0,2}",
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let begun = middle.rsplit(' ').next().unwrap_or_default();
        prop_assume!(names.iter().any(|name| name.starts_with(begun)));
        let plain = Request::new(prompt("abc abd", "efg", &middle), 12, Stop::Never);
        let (expected, _) = Desk::new(Toy::new(2, 0), 500, None).ask(plain.clone()).unwrap();
        let mut desk = Desk::new(Toy::new(2, 0), 500, Some(guess()));
        desk.ask(plain.clone()).unwrap();
        let (text, _) = desk.ask(Request { names: names.clone(), ..plain.clone() }).unwrap();
        let written = format!("{begun}{text}");
        let end = written.find([' ', '\n']).unwrap_or(written.len());
        prop_assert!(names.iter().any(|name| *name == written[..end]), "{:?} of {:?}", written, names);
        // What was forced is not taken for what the model would say.
        prop_assert_eq!(desk.ask(plain).unwrap().0, expected);
        let held: Vec<Vec<Token>> =
            desk.worker.cache.sequences().iter().map(|s| s.tokens().to_vec()).collect();
        prop_assert_eq!(held, desk.worker.transformer.sequences.clone());
    }
}
