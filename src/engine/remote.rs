//! An engine that runs elsewhere: any server with OpenAI's `/v1/completions` that takes raw prompts.
//!
//! In: requests. Out: answers, from the first of several addresses that gives one, else from the engine on this
//! machine where the user said so. The prompt is the embedded engine's, written as text; so it only grows
//! while somebody types, and the other engine's prefix cache keeps the rest. Dropping an answer closes its
//! connection, which ends the work there.
//!
//! Refuses: an address that the user did not write down, plain http off this machine unless told so, a
//! redirect, an answer without end. Not done elsewhere: decoding among names, forks.
//!
//! Where an engine says how fast it reads, and that is slow, a key at a new place is answered from a shorter
//! prompt first, and the whole one is read in pieces, between keys.

mod dialect;
mod key;
mod memory;
mod places;
mod reading;
mod short;
mod site;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

pub use self::key::Key;
use self::places::Places;
use self::site::{Setback, Site};
use super::family::Family;
use super::{About, Answer, Engine, Event, Request, State};
use crate::net;

/// How long to wait for what, at most. A person has typed on long before; but an engine without a GPU reads the
/// first thousand tokens of a file for 10 s and more (llama-server on one core), and whoever asks for
/// one completion alone waits for that.
const CONNECT: Duration = Duration::from_secs(3);
const SILENCE: Duration = Duration::from_secs(30);

/// What a user wants of engines elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where they are, the preferred one first.
    pub addresses: Vec<String>,
    /// As they call it; the first that each has, where it is not set.
    pub model: Option<String>,
    /// Told from the model's name where it is not set.
    pub family: Option<Family>,
    /// A command that prints the key, which is sent as `Authorization: Bearer`; the variable
    /// `TANDEM_REMOTE_KEY` goes before it.
    pub key_helper: Option<String>,
    /// Look for the key in the system's keyring where there is neither of the two.
    pub keyring: bool,
    /// Certificates to trust besides the usual ones: PEM.
    pub certificates: Option<Vec<u8>>,
    /// Allow http to other machines.
    pub insecure_http: bool,
}

/// Engines elsewhere.
pub struct RemoteEngine(Arc<Shared>);

struct Shared {
    sites: Vec<Site>,
    places: Mutex<Places>,
    tell: watch::Sender<State>,
    /// The last resort.
    local: Option<Arc<dyn Engine>>,
    /// It is used now: how it is, is how we are.
    is_local: AtomicBool,
}

impl RemoteEngine {
    /// Asks nobody yet. It needs a tokio runtime.
    ///
    /// # Errors
    /// When an address or the certificates cannot be used, as a sentence.
    pub fn new(options: &Options, local: Option<Arc<dyn Engine>>) -> Result<RemoteEngine, String> {
        let key = Arc::new(Key::new(options.key_helper.clone(), options.keyring));
        let sites: Vec<Site> = options
            .addresses
            .iter()
            .map(|address| Site::new(address, options, key.clone()))
            .collect::<Result<_, _>>()?;
        if sites.is_empty() {
            return Err("`remote.addresses` names no engine".to_owned());
        }
        let places = Mutex::new(Places::new(sites.len()));
        let tell = watch::channel(State::Asleep).0;
        let is_local = AtomicBool::new(false);
        let shared = Arc::new(Shared { sites, places, tell, local, is_local });
        if let Some(local) = &shared.local {
            tokio::spawn(follow(local.state(), Arc::downgrade(&shared)));
        }
        Ok(RemoteEngine(shared))
    }
}

impl Engine for RemoteEngine {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        let shared = self.0.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = events.closed() => {}
                () = shared.answer(&request, &events) => {}
            }
        });
        answer
    }

    fn state(&self) -> watch::Receiver<State> {
        self.0.tell.subscribe()
    }

    fn wake(&self) {
        let shared = self.0.clone();
        tokio::spawn(async move { shared.greet().await });
    }

    fn keep(&self) {
        if let Some(local) = &self.0.local {
            local.keep();
        }
    }
}

impl Shared {
    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks one after the other which model it has, until one says so.
    async fn greet(&self) {
        if matches!(*self.tell.borrow(), State::Asleep) {
            self.tell.send_replace(State::Starting);
        }
        let order = self.places().order(Instant::now());
        for number in order {
            match self.sites[number].known().await {
                Ok(known) => return self.is_ready(number, &known.model),
                Err(setback) => self.failed(number, &setback),
            }
        }
        self.nobody();
    }

    async fn answer(&self, request: &Request, events: &mpsc::UnboundedSender<Event>) {
        let order = self.places().order(Instant::now());
        for number in order {
            let site = &self.sites[number];
            match site.ask(request, events).await {
                Ok((known, figures)) => {
                    self.places().answered(number, figures.prefill_ms);
                    self.is_ready(number, &known.model);
                    let _ = events.send(Event::Done(figures));
                    return;
                }
                Err(setback) => {
                    self.failed(number, &setback);
                    if setback.has_said {
                        let _ = events.send(Event::Failed(setback.why));
                        return;
                    }
                }
            }
        }
        match &self.local {
            Some(local) => {
                self.nobody();
                forward(local.complete(request.clone()), events).await;
            }
            None => {
                let _ = events.send(Event::Failed(self.nobody()));
            }
        }
    }

    fn is_ready(&self, number: usize, model: &str) {
        let site = &self.sites[number];
        *site.last() = None;
        self.is_local.store(false, SeqCst);
        let model = net::clean(&format!("{model} at {}", site.host()), "");
        let is_new = !matches!(&*self.tell.borrow(), State::Ready(about) if about.model == model);
        if is_new {
            self.tell.send_replace(State::Ready(About { model, ..About::default() }));
        }
    }

    fn failed(&self, number: usize, setback: &Setback) {
        tracing::warn!("{}", setback.why);
        self.places().failed(number, Instant::now(), setback.wait);
        self.sites[number].forget();
        *self.sites[number].last() = Some(setback.why.clone());
    }

    /// Nobody can be asked now: says so, once for each cause.
    fn nobody(&self) -> String {
        let why: Vec<String> = self.sites.iter().filter_map(|site| site.last().clone()).collect();
        let message = why.join("; ");
        if let Some(local) = &self.local {
            if !self.is_local.swap(true, SeqCst) {
                local.wake();
                let state = local.state().borrow().clone();
                self.tell.send_replace(state);
            }
            return message;
        }
        let is_new = !matches!(&*self.tell.borrow(), State::Failed { message: m } if *m == message);
        if is_new {
            self.tell.send_replace(State::Failed { message: message.clone() });
        }
        message
    }
}

/// While the engine on this machine is used, we are as it is.
async fn follow(mut state: watch::Receiver<State>, shared: Weak<Shared>) {
    while state.changed().await.is_ok() {
        let Some(shared) = shared.upgrade() else { return };
        if shared.is_local.load(SeqCst) {
            let state = state.borrow_and_update().clone();
            shared.tell.send_replace(state);
        }
    }
}

/// Passes an answer on.
async fn forward(mut answer: Answer, events: &mpsc::UnboundedSender<Event>) {
    while let Some(event) = answer.next().await {
        let _ = events.send(event);
    }
}
