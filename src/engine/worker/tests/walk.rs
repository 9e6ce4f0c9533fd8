//! The cache never lies: whatever was asked, left, cancelled, saved or broken before, an answer with all caches on
//! is that of a worker that has seen nothing. `TANDEM_CASES=100` walks a hundred times as far.

use super::*;

/// Documents, more than the worker keeps.
const DOCUMENTS: usize = 4;
/// Ways to mix adapters, none of them among these.
const MIXES: usize = 3;

/// What happens next in the document at hand.
#[derive(Clone, Debug)]
enum Move {
    Type(String),
    Delete(usize),
    /// What the last answer said is taken.
    Accept,
    /// The anchor moves: the prefix takes some of the middle.
    ReAnchor,
    /// The text above changes.
    Above(String),
    Below(String),
    Switch(usize),
    /// From now on with these adapters.
    Wear(usize),
}

/// What becomes of the request that follows.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// Pre-empted at so many looks.
    Left(usize),
    /// Broken off in the middle of so many pieces.
    BrokenOff(usize),
    /// The model fails.
    Fails,
    /// With an adapter that is not there.
    Refused,
    /// With forks, or names: another way to decode over the same cache.
    Forked,
    Named,
    /// In the background, without an answer.
    Warmed,
    /// Saved to disk; and the worker starts anew and reads what is there.
    SavedAndRead,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => "[a-e \n]{1,3}".prop_map(Move::Type),
        3 => (1..6_usize).prop_map(Move::Delete),
        2 => Just(Move::Accept),
        1 => Just(Move::ReAnchor),
        1 => "[a-e \n]{1,9}".prop_map(Move::Above),
        1 => "[a-e \n]{0,9}".prop_map(Move::Below),
        2 => (0..DOCUMENTS).prop_map(Move::Switch),
        1 => (0..MIXES).prop_map(Move::Wear),
    ]
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Answered),
        3 => (0..6_usize).prop_map(Fate::Left),
        2 => (1..4_usize).prop_map(Fate::BrokenOff),
        1 => Just(Fate::Fails),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Forked),
        1 => Just(Fate::Named),
        2 => Just(Fate::Warmed),
        1 => Just(Fate::SavedAndRead),
    ]
}

/// The texts around a cursor.
#[derive(Clone, Debug, Default)]
struct Place {
    prefix: String,
    middle: String,
    suffix: String,
    said: String,
}

impl Place {
    fn change(&mut self, change: Move) {
        match change {
            Move::Type(text) => self.middle.push_str(&text),
            Move::Delete(count) => {
                self.middle.truncate(self.middle.len().saturating_sub(count));
            }
            Move::Accept => self.middle.push_str(&std::mem::take(&mut self.said)),
            Move::ReAnchor => {
                let half = self.middle.len() / 2;
                self.prefix.extend(self.middle.drain(..half));
            }
            Move::Above(text) => self.prefix.insert_str(self.prefix.len() / 2, &text),
            Move::Below(text) => self.suffix = text,
            Move::Switch(_) | Move::Wear(_) => {}
        }
        // As long as a prompt may be.
        for text in [&mut self.prefix, &mut self.middle, &mut self.suffix] {
            let surplus = text.len().saturating_sub(60);
            text.drain(..surplus);
        }
    }

    fn request(&self, quick: bool, worn: usize) -> Request {
        let prompt = prompt(&self.prefix, &self.suffix, &self.middle);
        let adapters = match worn {
            0 => Vec::new(),
            1 => mix("house", 1.0),
            _ => [mix("house", 0.5), mix("tests", 1.0)].concat(),
        };
        Request { quick, adapters, ..Request::new(prompt, 6, Stop::Never) }
    }
}

fn cold(request: Request, habit: u64) -> String {
    Desk::new(Toy::new(1, habit), 400, None).ask(request).unwrap().0
}

fn assert_books_are_right(desk: &Desk) {
    let cache = desk.worker.cache.sequences().iter().map(|s| s.tokens().to_vec());
    assert_eq!(cache.collect::<Vec<_>>(), desk.worker.transformer.sequences);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200 * std::env::var("TANDEM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn after_any_walk_an_answer_is_that_of_a_worker_that_has_seen_nothing(
        walk in prop::collection::vec((any_move(), any_fate(), any::<bool>()), 1..60),
        habit in prop::sample::select(vec![0, 1, 50]),
        cells in 150..500_usize,
        draft in prop::option::of((prop::sample::select(vec![0, 1, 50]), 1..6_usize)),
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let states = || {
            let options = StateOptions { folder: scratch.path().join("states"), cap: 1 << 20 };
            Some(States::open(options, "toy").expect("a folder"))
        };
        let new = || {
            let mut desk = Desk::new(Toy::new(3, habit), cells, Some(guess()));
            desk.worker.states = states();
            // It is broken off and fails as the model itself does.
            desk.worker.drafter = draft.map(|(habit, tokens)| {
                drafts::always(Toy { log: desk.log.clone(), ..Toy::new(3, habit) }, tokens)
            });
            desk
        };
        let mut desk = new();
        let mut places: Vec<Place> = (0..DOCUMENTS)
            .map(|n| Place { prefix: "abcde fg".repeat(n + 3), ..Place::default() })
            .collect();
        let (mut at, mut worn) = (0, 0);
        for (change, fate, quick) in walk {
            if let Move::Switch(to) = change {
                at = to;
            }
            if let Move::Wear(mix) = change {
                worn = mix;
            }
            places[at].change(change);
            let request = places[at].request(quick, worn);
            match fate {
                Fate::Left(mut looks) => {
                    let _ = desk.ask_until(request.clone(), &mut || {
                        looks = looks.saturating_sub(1);
                        looks == 0
                    });
                }
                Fate::BrokenOff(pieces) => {
                    desk.log.borrow_mut().break_off = pieces;
                    let _ = desk.ask_until(request.clone(), &mut || false);
                    desk.log.borrow_mut().break_off = 0;
                }
                Fate::Fails => {
                    desk.log.borrow_mut().fail = true;
                    if desk.ask_until(request.clone(), &mut || false).is_some_and(|said| said.is_err()) {
                        // As `serve` does.
                        desk.worker.forget_all();
                    }
                    desk.log.borrow_mut().fail = false;
                }
                Fate::Refused => {
                    let adapters = mix("missing", 1.0);
                    let refused = desk.ask(Request { adapters, ..request.clone() });
                    prop_assert!(refused.is_err());
                }
                Fate::Forked => {
                    let _ = desk.ask_until(Request { forks: 2, ..request.clone() }, &mut || false);
                }
                Fate::Named => {
                    let names = vec!["abc".to_owned(), "bcd".to_owned(), "cde".to_owned()];
                    let _ = desk.ask_until(Request { names, ..request.clone() }, &mut || false);
                }
                Fate::Warmed => {
                    let warm = Request::warm(request.prompt.clone());
                    let adapters = request.adapters.clone();
                    let _ = desk.ask_until(Request { adapters, ..warm }, &mut || false);
                }
                Fate::SavedAndRead => {
                    desk.worker.save(true);
                    desk = new();
                }
                Fate::Answered => {}
            }
            assert_books_are_right(&desk);
            let (text, _) = desk.ask(request.clone()).unwrap();
            prop_assert_eq!(&text, &cold(request, habit));
            assert_books_are_right(&desk);
            places[at].said = text;
        }
    }
}
