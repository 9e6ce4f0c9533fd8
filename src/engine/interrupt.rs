//! When to break off what is being evaluated, in the middle of a piece.
//!
//! In: what the worker works on, what arrives meanwhile, who stops waiting. Out: yes or no, asked
//! by llama.cpp between two operations, some thousands of times a second. No I/O.
//!
//! A broken-off piece is evaluated again from its start, so breaking off must be worth it: work in
//! the background yields to any keystroke; a keystroke's work yields to one in another place, but
//! not to the next key in the same place, which needs that very piece. Nobody waiting any more
//! ends it too, after a moment in which the next key may arrive. Who has waited too long yields to
//! nobody: where several people type, keys come sooner than a piece is evaluated, and nothing would
//! ever be finished.
//!
//! Since it is asked that often, it also knows for how long the model has not moved.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{Event, Request, Urgency};

/// How long after a request was dropped its successor may still arrive. An editor sends a key's
/// request within a few ms of dropping the last one's.
const GRACE: Duration = Duration::from_millis(10);

/// How long a keystroke may have waited before it yields to no other: long after whoever types would have
/// pressed the next key, which replaces it.
const OVERDUE: Duration = Duration::from_secs(1);

/// Whether a request that arrived so long ago has waited too long. Work in the background never has.
pub fn is_overdue(urgency: Urgency, waited: Duration) -> bool {
    urgency == Urgency::Now && waited >= OVERDUE
}

/// No time: the model is not there yet. Loading takes as long as the disk does.
const LOADING: u64 = u64::MAX;

/// Shared between whoever sends requests, the worker, and llama.cpp's threads.
pub struct Interrupt {
    work: Mutex<Option<Work>>,
    born: Instant,
    /// When the model was last seen to move, ms after `born` and one more; 0 while it has nothing to do, and
    /// [`LOADING`] until it can do anything.
    moved: AtomicU64,
}

impl Default for Interrupt {
    fn default() -> Interrupt {
        Interrupt { work: Mutex::default(), born: Instant::now(), moved: AtomicU64::new(LOADING) }
    }
}

/// What is being evaluated.
struct Work {
    events: mpsc::UnboundedSender<Event>,
    urgency: Urgency,
    arrived: Instant,
    /// The text before the anchor: the same for the next key in the same place.
    head: String,
    /// Something more urgent has arrived.
    rival: bool,
    /// The next key in the same place has arrived.
    heir: bool,
    unwanted_since: Option<Instant>,
}

impl Interrupt {
    /// The worker begins to evaluate for this request, which arrived then.
    pub fn begin(
        &self,
        request: &Request,
        events: &mpsc::UnboundedSender<Event>,
        arrived: Instant,
    ) {
        *self.lock() = Some(Work {
            events: events.clone(),
            urgency: request.urgency,
            arrived,
            head: request.prompt.prefix.clone(),
            rival: false,
            heir: false,
            unwanted_since: None,
        });
        self.moves();
    }

    /// The worker has stopped.
    pub fn end(&self) {
        *self.lock() = None;
        self.moved.store(0, Relaxed);
    }

    /// The worker begins with something that is not evaluation.
    pub fn moves(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// For how long the model has not moved, though it has something to do.
    pub fn still(&self) -> Duration {
        match self.moved.load(Relaxed) {
            0 | LOADING => Duration::ZERO,
            moved => Duration::from_millis(self.now().saturating_sub(moved)),
        }
    }

    fn now(&self) -> u64 {
        self.born.elapsed().as_millis() as u64 + 1
    }

    /// A request has been put where the worker will find it.
    pub fn arrived(&self, request: &Request) {
        // From now on it has something to do. A worker that is done with it already does not stand still: it
        // begins with the next request at once.
        let _ = self.moved.compare_exchange(0, self.now(), Relaxed, Relaxed);
        if request.urgency != Urgency::Now {
            return;
        }
        if let Some(work) = &mut *self.lock() {
            let same_place = work.urgency == Urgency::Now && work.head == request.prompt.prefix;
            work.heir |= same_place;
            work.rival |= !same_place;
        }
    }

    /// Should the piece at hand be broken off?
    pub fn is_due(&self) -> bool {
        let mut work = self.lock();
        let Some(work) = &mut *work else { return false };
        self.moves();
        if work.rival && !is_overdue(work.urgency, work.arrived.elapsed()) {
            return true;
        }
        if work.heir || !work.events.is_closed() {
            return false;
        }
        work.unwanted_since.get_or_insert_with(Instant::now).elapsed() >= GRACE
    }

    fn lock(&self) -> MutexGuard<'_, Option<Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Answer, Stop};
    use crate::prompt::Prompt;

    fn request(urgency: Urgency, prefix: &str) -> Request {
        let prompt = Prompt { prefix: prefix.into(), ..Prompt::default() };
        Request { urgency, ..Request::new(prompt, 1, Stop::Line) }
    }

    /// Is the first broken off when the second arrives?
    fn yields(working: Request, arriving: Request) -> bool {
        let interrupt = Interrupt::default();
        let (_answer, events) = Answer::new();
        interrupt.begin(&working, &events, Instant::now());
        assert!(!interrupt.is_due());
        interrupt.arrived(&arriving);
        interrupt.is_due()
    }

    #[test]
    fn background_work_yields_to_any_keystroke_and_to_nothing_else() {
        let (now, idle) = (|p| request(Urgency::Now, p), |p| request(Urgency::Idle, p));
        assert!(yields(idle("a"), now("a")));
        assert!(yields(idle("a"), now("b")));
        assert!(!yields(idle("a"), idle("b")));
        assert!(!yields(now("a"), idle("b")));
    }

    #[test]
    fn a_keystroke_yields_to_another_place_and_not_to_the_next_key_in_its_own() {
        assert!(yields(request(Urgency::Now, "a"), request(Urgency::Now, "b")));
        assert!(!yields(request(Urgency::Now, "a"), request(Urgency::Now, "a")));
    }

    #[test]
    fn a_keystroke_that_has_waited_too_long_yields_to_nobody_but_whoever_leaves() {
        let interrupt = Interrupt::default();
        let (answer, events) = Answer::new();
        // A machine that has just started has no time that long ago.
        let Some(arrived) = Instant::now().checked_sub(OVERDUE) else { return };
        interrupt.begin(&request(Urgency::Now, "a"), &events, arrived);
        interrupt.arrived(&request(Urgency::Now, "b"));
        assert!(!interrupt.is_due());
        drop(answer);
        while !interrupt.is_due() {
            std::thread::yield_now();
        }
        let (_answer, events) = Answer::new();
        interrupt.begin(&request(Urgency::Idle, "a"), &events, arrived);
        interrupt.arrived(&request(Urgency::Now, "b"));
        assert!(interrupt.is_due(), "work in the background has time");
    }

    #[test]
    fn a_model_is_still_from_one_operation_to_the_next_and_never_while_it_has_nothing_to_do() {
        let interrupt = Interrupt::default();
        let (_answer, events) = Answer::new();
        // While it loads it has time.
        interrupt.arrived(&request(Urgency::Now, "a"));
        std::thread::yield_now();
        assert_eq!(interrupt.still(), Duration::ZERO);
        interrupt.end();
        assert_eq!(interrupt.still(), Duration::ZERO);
        interrupt.begin(&request(Urgency::Now, "a"), &events, Instant::now());
        while interrupt.still() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        assert!(!interrupt.is_due() && interrupt.still() < Duration::from_secs(1));
        interrupt.end();
        assert_eq!(interrupt.still(), Duration::ZERO);
        // A worker that does not even begin is still, too.
        interrupt.arrived(&request(Urgency::Idle, "a"));
        while interrupt.still() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_nobody_waits_for_is_broken_off_after_a_moment_unless_the_next_key_came() {
        let interrupt = Interrupt::default();
        let (answer, events) = Answer::new();
        interrupt.begin(&request(Urgency::Now, "a"), &events, Instant::now());
        drop(answer);
        while !interrupt.is_due() {
            std::thread::yield_now();
        }
        let (answer, events) = Answer::new();
        interrupt.begin(&request(Urgency::Now, "a"), &events, Instant::now());
        interrupt.arrived(&request(Urgency::Now, "a"));
        drop(answer);
        let moment = Instant::now() + 2 * GRACE;
        while Instant::now() < moment {
            assert!(!interrupt.is_due());
        }
    }
}
