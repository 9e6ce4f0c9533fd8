//! A draft model beside the toy: it saves steps, changes nothing, and is left out where it does not pay.

use super::*;
use crate::engine::draft::{Drafter, Terms};

/// A toy at work as a draft model, and what it did.
fn drafter(terms: &Terms) -> (Drafter<Toy>, Rc<RefCell<Log>>) {
    let toy = Toy::new(3, HABIT);
    let log = toy.log.clone();
    (Drafter::new(toy, 3, terms), log)
}

/// One that drafts so many tokens each time.
pub fn always(toy: Toy, tokens: usize) -> Drafter<Toy> {
    let sequences = toy.sequences.len();
    Drafter::new(toy, sequences, &Terms { always: Some(tokens), ..terms() })
}

/// Batches cost little more than a token, a draft next to nothing.
fn terms() -> Terms {
    Terms { batches: vec![(1, 100.0), (2, 105.0), (16, 140.0)], token: 5.0, always: None }
}

/// Of the toy's, so that it goes on for long.
const HABIT: u64 = 1_000;

fn alone() -> Desk {
    Desk::new(Toy::new(3, HABIT), 900, None)
}

/// Beside a draft model that agrees.
fn desk(terms: &Terms) -> (Desk, Rc<RefCell<Log>>) {
    let mut desk = alone();
    let (drafter, log) = drafter(terms);
    desk.worker.drafter = Some(drafter);
    (desk, log)
}

fn line(middle: &str) -> Request {
    Request::new(prompt("abc abd abc", "", middle), 40, Stop::Never)
}

#[test]
fn drafts_that_come_true_save_steps() {
    let (plain, plain_steps) = {
        let mut desk = alone();
        let (text, _) = desk.ask(line("ab")).unwrap();
        (text, desk.log.borrow().batches.len())
    };
    let (mut desk, _) = desk(&terms());
    let (text, figures) = desk.ask(line("ab")).unwrap();
    let steps = desk.log.borrow().batches.len();
    assert_eq!(text, plain);
    assert!(figures.accepted > 20, "{figures:?}");
    // The toy's near ties, one in five, are all evaluated twice.
    assert!(steps < plain_steps * 3 / 4, "{steps} of {plain_steps}");
}

#[test]
fn where_drafting_does_not_pay_nothing_is_drafted() {
    let dear = Terms { token: 100.0, ..terms() };
    let slow = Terms { batches: vec![(1, 100.0), (16, 1_600.0)], ..terms() };
    for terms in [dear, slow] {
        let (mut desk, log) = desk(&terms);
        let (_, figures) = desk.ask(line("ab")).unwrap();
        assert_eq!((figures.drafted, log.borrow().evaluated), (0, 0), "{terms:?}");
        assert_eq!(desk.worker.drafter.as_ref().unwrap().usual(), 0);
    }
}

#[test]
fn drafts_that_never_come_true_are_given_up_and_tried_again_later() {
    let (mut desk, log) = desk(&terms());
    let drafter = |desk: &Desk| desk.worker.drafter.as_ref().unwrap().usual();
    let eager = drafter(&desk);
    for _ in 0..40 {
        desk.worker.drafter.as_mut().unwrap().learn(&[1], &[2], false);
    }
    assert_eq!((eager > 2, drafter(&desk)), (true, 0));
    log.borrow_mut().evaluated = 0;
    desk.ask(line("ab")).unwrap();
    assert_eq!(log.borrow().evaluated, 0);
    (0..200).for_each(|_| desk.worker.drafter.as_mut().unwrap().begin());
    desk.ask(Request::new(prompt("bcd bce", "", "bc"), 40, Stop::Never)).unwrap();
    assert!(log.borrow().evaluated > 0);
}

#[test]
fn a_draft_model_that_fails_is_left_aside() {
    let (plain, _) = alone().ask(line("ab")).unwrap();
    let (mut desk, log) = desk(&terms());
    log.borrow_mut().fail = true;
    assert_eq!(desk.ask(line("ab")).unwrap().0, plain);
    assert!(desk.worker.drafter.is_none());
    assert_eq!(desk.ask(line("abc")).unwrap().1.drafted, 0);
}

#[test]
fn a_long_prompt_is_read_in_the_background_and_does_not_keep_a_key_waiting() {
    let place = |middle: &str| prompt(&"abcd efg\n".repeat(25), "\nab", middle);
    let (mut desk, log) = desk(&terms());
    let (_, cold) = desk.ask(Request::new(place("ab"), 6, Stop::Never)).unwrap();
    assert_eq!((cold.drafted, log.borrow().evaluated), (0, 128), "{cold:?}");
    desk.ask(Request::warm(place("ab"))).unwrap();
    log.borrow_mut().evaluated = 0;
    let (_, warm) = desk.ask(Request::new(place("abd"), 6, Stop::Never)).unwrap();
    assert!(
        warm.drafted > 0 && log.borrow().evaluated < 20,
        "{warm:?}, {:?}",
        log.borrow().batches
    );
}

#[test]
fn what_another_sequence_shares_is_copied_and_not_read_again() {
    let (mut drafter, log) = drafter(&terms());
    let tokens: Vec<Token> = (0..90).map(|n| n % 26 + 1).collect();
    let mut other = tokens.clone();
    other.extend([5, 6, 7]);
    let read = |drafter: &mut Drafter<Toy>, sequence, tokens: &[Token]| {
        let before = log.borrow().evaluated;
        drafter.read(sequence, tokens, 500).unwrap();
        log.borrow().evaluated - before
    };
    assert_eq!(read(&mut drafter, 0, &tokens), 90);
    assert_eq!(read(&mut drafter, 1, &other), 3);
    assert_eq!(read(&mut drafter, 0, &tokens), 1, "the last one, for what it says next");
    drafter.clear();
    assert_eq!(read(&mut drafter, 1, &tokens), 90);
}

#[test]
fn a_draft_ends_where_the_draft_model_is_no_longer_sure() {
    // Three at a time would pay on the whole; but to this toy each of its tokens is only six tenths likely.
    let terms = Terms { batches: vec![(1, 100.0), (16, 550.0)], ..terms() };
    let (mut drafter, _) = drafter(&terms);
    let drafted = drafter.draft(0, &[1, 2, 3], 9).unwrap();
    assert_eq!((drafter.usual(), drafted.len()), (3, 2));
}

#[test]
fn how_surely_a_word_was_forced_is_told_where_forks_are() {
    let lead = |forks| {
        let request = Request { forks, ..line("ab") };
        alone().ask(request).unwrap().1.forced_lead
    };
    // The toy's tokens are each one less likely than the one before.
    assert_eq!((lead(0), lead(2)), (None, Some(1.0)));
}
