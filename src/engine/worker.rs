//! One thread, one model: which request is worked on, and when to leave it for another.
//!
//! In: orders. Out: answers, written as they come. A keystroke goes before work in the background,
//! and a newer keystroke before an older one, whichever window it is from, until that has waited too long:
//! then it goes first, so that nobody's typing keeps the others from ever being answered. What was left is resumed
//! from what the KV cache still holds. When there is nothing to do the thread sleeps; what was
//! evaluated since is saved to disk once, when it has been quiet for a while or a document closed. What batches
//! cost on this machine is found out when there is nothing else to do: no answer waits for it.
//!
//! How one request is answered is in [`run`]. It decodes through [`Transformer`], so all of it is
//! tested with a toy model in milliseconds.

mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::cache::Cache;
use super::draft::Drafter;
use super::guess::Guess;
use super::healing::Token;
use super::interrupt::{Interrupt, is_overdue};
use super::states::{Saved, States};
use super::transformer::Transformer;
use super::{Adapter, Event, Request, Stop, Urgency};
use crate::prompt::Prompt;

/// How long it must be quiet before states are saved: not each pause for thought writes megabytes.
const QUIET: Duration = Duration::from_secs(20);
/// A sequence shorter than this is evaluated sooner than it is read from disk.
const WORTH_SAVING: usize = 64;
/// Sequences saved at one time.
const SAVED_AT_ONCE: usize = 4;
/// Texts whose tokens are remembered; mostly the same prefix and suffix come again.
const TOKENIZED: usize = 32;

/// Something for the worker to do.
pub enum Order {
    /// A request and where its answer goes.
    Work(Job),
    /// Save what was evaluated: a document was closed.
    Keep,
}

/// A request that is waiting or being worked on.
pub struct Job {
    request: Request,
    events: mpsc::UnboundedSender<Event>,
    arrived: Instant,
    /// Bytes of text already sent, when it was pre-empted and starts again.
    sent: usize,
}

impl Job {
    /// A request that arrives now.
    pub fn new(request: Request, events: mpsc::UnboundedSender<Event>) -> Job {
        Job { request, events, arrived: Instant::now(), sent: 0 }
    }

    fn is_overdue(&self) -> bool {
        is_overdue(self.request.urgency, self.arrived.elapsed())
    }

    /// Nobody can be asked to wait any more: says why.
    pub fn fail(self, message: &str) {
        let _ = self.events.send(Event::Failed(message.to_owned()));
    }
}

/// Why a job stopped being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Answered, or nobody wants it any more.
    Finished,
    /// Something newer goes first.
    Preempted,
}

/// Measures what batches cost here, in a sequence that is empty, until that is known (`Some`) or something newer
/// has arrived (`None`; then it is called again).
pub type Learn<T> =
    Box<dyn FnMut(&mut T, usize, &mut dyn FnMut() -> bool) -> Result<Option<Learnt>, String>>;

/// What a worker does better once it knows what batches cost.
pub struct Learnt {
    /// How to guess; `None` for plain decoding.
    pub guess: Option<Guess>,
    /// Tokens that a quick first answer may take.
    pub quick_tokens: usize,
}

/// What a worker works with.
pub struct Worker<T> {
    transformer: T,
    cache: Cache,
    context_tokens: usize,
    quick_tokens: usize,
    interrupt: Arc<Interrupt>,
    /// `None` for plain decoding, one token at a time.
    guess: Option<Guess>,
    drafter: Option<Drafter<T>>,
    /// `None` when it is known what batches cost.
    learn: Option<Learn<T>>,
    states: Option<States>,
    /// The mixes of adapters that there were, by the cache's number for them; without any is 0.
    mixes: Vec<Vec<Adapter>>,
    /// The transformer wears the mix that the cache has at hand.
    is_worn: bool,
    /// Sequences evaluated since they were last saved.
    unsaved: BTreeSet<usize>,
    /// The rest of the last answer that was given up.
    tail: Vec<Token>,
    tokenized: Vec<(String, Vec<Token>)>,
}

/// What a worker is made from.
pub struct Parts<T> {
    /// The model.
    pub transformer: T,
    /// Sequences in its KV cache.
    pub sequences: usize,
    /// Cells that they share.
    pub cells: usize,
    /// Tokens that one document's context may hold.
    pub context_tokens: usize,
    /// Tokens that a quick first answer may take.
    pub quick_tokens: usize,
    /// Told of arrivals by whoever sends orders.
    pub interrupt: Arc<Interrupt>,
    /// How to guess; `None` for plain decoding.
    pub guess: Option<Guess>,
    /// A small model beside it that drafts; `None` without.
    pub drafter: Option<Drafter<T>>,
    /// How to learn what batches cost, as soon as there is nothing else to do; `None` where that is known.
    pub learn: Option<Learn<T>>,
    /// States on disk; `None` to keep none.
    pub states: Option<States>,
}

impl<T: Transformer> Worker<T> {
    /// A worker with an empty cache.
    pub fn new(parts: Parts<T>) -> Worker<T> {
        let Parts {
            transformer, sequences, cells, interrupt, guess, drafter, learn, states, ..
        } = parts;
        let (context_tokens, quick_tokens) = (parts.context_tokens, parts.quick_tokens);
        Worker {
            transformer,
            cache: Cache::new(sequences, cells),
            context_tokens: context_tokens.min(cells),
            quick_tokens,
            interrupt,
            guess,
            drafter,
            learn,
            states,
            mixes: vec![Vec::new()],
            is_worn: true,
            unsaved: BTreeSet::new(),
            tail: Vec::new(),
            tokenized: Vec::new(),
        }
    }

    /// Works until nobody can give orders any more. `busy` says whether there is work.
    pub fn serve(&mut self, orders: &Receiver<Order>, busy: &watch::Sender<bool>) {
        let mut queue = Queue::default();
        // The model is there: from now on it must move when there is something to do.
        self.interrupt.end();
        loop {
            queue.take_in(orders);
            let Some(mut job) = queue.next() else {
                if queue.keep {
                    queue.keep = false;
                    self.save(true);
                    continue;
                }
                // Not when nobody will ask any more.
                if let Some(learn) = self.learn.take_if(|_| !queue.closed) {
                    let mut newer = || queue.overtaken(orders) || queue.closed;
                    self.learn = self.learn(learn, &mut newer);
                    continue;
                }
                busy.send_if_modified(|busy| std::mem::replace(busy, false));
                let order = if self.states.is_some() && !self.unsaved.is_empty() {
                    match orders.recv_timeout(QUIET) {
                        Err(RecvTimeoutError::Timeout) => {
                            self.save(false);
                            continue;
                        }
                        order => order.ok(),
                    }
                } else {
                    orders.recv().ok()
                };
                let Some(order) = order else {
                    // The last chance: the process ends.
                    return self.save(true);
                };
                queue.put(order);
                continue;
            };
            busy.send_if_modified(|busy| !std::mem::replace(busy, true));
            self.interrupt.begin(&job.request, &job.events, job.arrived);
            let (urgency, arrived) = (job.request.urgency, job.arrived);
            let end = self.answer(&mut job, &mut || {
                queue.overtaken(orders) && !is_overdue(urgency, arrived.elapsed())
            });
            self.interrupt.end();
            match end {
                Ok(End::Finished) => {}
                Ok(End::Preempted) => queue.put_back(job),
                Err(message) => {
                    // What the model kept of a failed batch is unknown: start over.
                    self.forget_all();
                    job.fail(&message);
                }
            }
        }
    }

    /// Learns on; gives back what is to be called again.
    fn learn(&mut self, mut learn: Learn<T>, newer: &mut dyn FnMut() -> bool) -> Option<Learn<T>> {
        let sequence = self.cache.cheapest();
        self.cache.truncate(sequence, 0);
        self.transformer.truncate(sequence, 0);
        self.unsaved.remove(&sequence);
        let nothing = Request::new(Prompt::default(), 0, Stop::Line);
        let (events, _kept) = mpsc::unbounded_channel();
        let background = Request { urgency: Urgency::Idle, ..nothing };
        self.interrupt.begin(&background, &events, Instant::now());
        let learnt = learn(&mut self.transformer, sequence, newer);
        self.interrupt.end();
        self.transformer.truncate(sequence, 0);
        match learnt {
            Ok(None) => return Some(learn),
            Ok(Some(learnt)) => {
                (self.guess, self.quick_tokens) = (learnt.guess, learnt.quick_tokens)
            }
            Err(problem) => {
                // What the model kept of a failed batch is unknown.
                self.forget_all();
                tracing::warn!("what batches cost is not known: {problem}");
            }
        }
        None
    }

    fn forget_all(&mut self) {
        self.transformer.clear();
        self.cache.clear();
        self.unsaved.clear();
        self.drafter.iter_mut().for_each(Drafter::clear);
    }

    /// Has the model change its weights by these adapters, and no others.
    fn wear(&mut self, adapters: &[Adapter]) -> Result<(), String> {
        if self.is_worn && self.mixes[self.cache.mix()] == adapters {
            return Ok(());
        }
        self.is_worn = false;
        self.interrupt.moves();
        if !self.transformer.wear(adapters)? {
            self.cache.clear();
            self.unsaved.clear();
        }
        self.interrupt.moves();
        self.is_worn = true;
        let known = self.mixes.iter().position(|mix| mix == adapters);
        self.cache.wear(known.unwrap_or(self.mixes.len()));
        if known.is_none() {
            self.mixes.push(adapters.to_vec());
        }
        Ok(())
    }

    /// The adapters that a saved state was evaluated under, as it names them.
    fn under(&self, mix: usize) -> String {
        match &self.mixes[mix][..] {
            [] => String::new(),
            adapters => serde_json::to_string(adapters).unwrap_or_default(),
        }
    }

    /// Saves what was evaluated since the last time, the most recently used first. `thorough`
    /// saves answers too, else a sequence whose prompt is saved already is left as it is.
    fn save(&mut self, thorough: bool) {
        if self.states.is_none() {
            return;
        }
        self.interrupt.moves();
        let unsaved = std::mem::take(&mut self.unsaved);
        let mut sequences: Vec<usize> = unsaved.into_iter().collect();
        sequences.sort_by_key(|&number| std::cmp::Reverse(self.cache.used(number)));
        for number in sequences.into_iter().take(SAVED_AT_ONCE) {
            let sequence = self.cache.sequence(number);
            let under = self.under(sequence.mix());
            let Some(states) = &mut self.states else { return };
            let given = sequence.given();
            let part = if thorough { sequence.len() } else { given };
            if given < WORTH_SAVING || states.covers(&sequence.tokens()[..part], &under) {
                continue;
            }
            let (tokens, chosen_under) =
                (sequence.tokens().to_vec(), sequence.chosen_under().to_vec());
            match self.transformer.save(number) {
                Ok(state) => states.save(&Saved { tokens, chosen_under, state, under }),
                Err(problem) => tracing::warn!("a state is not saved: {problem}"),
            }
            self.interrupt.moves();
        }
        self.interrupt.end();
    }
}

/// Jobs that wait, in order of arrival.
#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// States are to be saved when nothing else is to be done.
    keep: bool,
    /// There will be no more orders.
    closed: bool,
}

impl Queue {
    fn put(&mut self, order: Order) {
        match order {
            Order::Work(job) => self.jobs.push(job),
            Order::Keep => self.keep = true,
        }
    }

    fn take_in(&mut self, orders: &Receiver<Order>) {
        loop {
            match orders.try_recv() {
                Ok(order) => self.put(order),
                Err(problem) => {
                    self.closed = problem == TryRecvError::Disconnected;
                    return;
                }
            }
        }
    }

    /// A job that was left: older than whatever waits.
    fn put_back(&mut self, job: Job) {
        self.jobs.insert(0, job);
    }

    /// The oldest keystroke that has waited too long, else the newest, else the oldest work in the background.
    fn next(&mut self) -> Option<Job> {
        self.jobs.retain(|job| !job.events.is_closed());
        let overdue = self.jobs.iter().enumerate().filter(|(_, job)| job.is_overdue());
        let overdue = overdue.min_by_key(|(_, job)| job.arrived).map(|(at, _)| at);
        let newest = self.jobs.iter().rposition(|job| job.request.urgency == Urgency::Now);
        let at = overdue.or(newest).or_else(|| (!self.jobs.is_empty()).then_some(0))?;
        Some(self.jobs.remove(at))
    }

    /// Has a keystroke arrived since the job at hand was taken?
    fn overtaken(&mut self, orders: &Receiver<Order>) -> bool {
        let before = self.jobs.len();
        self.take_in(orders);
        self.jobs[before..].iter().any(|job| job.request.urgency == Urgency::Now)
    }
}
