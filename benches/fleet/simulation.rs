//! Developers, a gateway, engines, and time.
//!
//! In: how many of each, habits, costs, a seed. Out: an [`Outcome`]. Nothing in it depends on the machine that it
//! runs on: the same plan gives the same outcome. Pure.

use crate::cache::Text;
use crate::developer::{Asked, Developer, Habits, PLACES};
use crate::engine::{Costs, Engine, Job, Tally};
use crate::events::Events;
use crate::latencies::Latencies;
use crate::router::{Gateway, Router};

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct Plan {
    pub habits: Habits,
    pub costs: Costs,
    pub developers: u32,
    pub engines: usize,
    pub router: Router,
    /// Requests with which an engine is full for [`Router::ByPrefix`].
    pub full: u32,
    pub seed: u64,
    /// Nothing is counted before, ms: caches fill.
    pub warm_up_ms: f64,
    /// What is counted, ms.
    pub length_ms: f64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// From key to answer, ms; those that were dropped reckoned in. `None` where too few were answered.
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    /// Of the requests for a key, those that the next key dropped.
    pub superseded: f64,
    /// Of the prompt tokens, those that were cached.
    pub hits: f64,
    /// Of the time of all engines, the part in which they worked.
    pub busy: f64,
    /// A developer and minute: requests for keys, and all with those in the background.
    pub asked_a_minute: f64,
    pub requests_a_minute: f64,
    /// A request that came into a slot: tokens of the prompt, read, written.
    pub prompt_tokens: f64,
    pub read_tokens: f64,
    pub written_tokens: f64,
}

impl Outcome {
    pub fn is_within(&self, bar_ms: f64) -> bool {
        self.p95_ms.is_some_and(|ms| ms <= bar_ms)
    }
}

enum Event {
    /// A developer presses a key.
    Key(u32),
    /// A request that was held is sent, if no key came.
    Send(u32, u32),
    /// A request is at its engine; is not wanted any more there.
    Arrive(u64, Job),
    Drop(u64),
    /// An engine's step ends.
    Step(usize),
    /// An answer is at its developer.
    Answer(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Key,
    Ahead,
    Nearer(u32),
}

#[derive(Clone, Copy)]
struct Request {
    developer: u32,
    kind: Kind,
    engine: usize,
    /// The gateway counts it no more.
    has_left: bool,
    /// Tells it from others that had its number.
    turn: u32,
}

/// Requests under way, by number.
#[derive(Default)]
struct Requests {
    all: Vec<Request>,
    free: Vec<u32>,
}

impl Requests {
    fn add(&mut self, developer: u32, kind: Kind, engine: usize) -> u64 {
        let mut request = Request { developer, kind, engine, has_left: false, turn: 0 };
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(request);
            self.all.len() as u32 - 1
        });
        let before = &mut self.all[number as usize];
        request.turn = before.turn.wrapping_add(1);
        *before = request;
        let turn = request.turn;
        u64::from(turn) << 32 | u64::from(number)
    }

    /// `None` when it has ended.
    fn get(&self, id: u64) -> Option<Request> {
        let request = self.all[(id & 0xFFFF_FFFF) as usize];
        (u64::from(request.turn) == id >> 32).then_some(request)
    }

    /// The gateway is not to count it any more: the engine, the first time.
    fn leave(&mut self, id: u64) -> Option<usize> {
        let Request { engine, has_left, .. } = self.get(id)?;
        self.all[(id & 0xFFFF_FFFF) as usize].has_left = true;
        (!has_left).then_some(engine)
    }

    fn end(&mut self, id: u64) {
        let number = (id & 0xFFFF_FFFF) as u32;
        let request = &mut self.all[number as usize];
        request.turn = request.turn.wrapping_add(1);
        self.free.push(number);
    }
}

pub struct Simulation<'p> {
    plan: &'p Plan,
    now: f64,
    events: Events<Event>,
    developers: Vec<Developer>,
    engines: Vec<Engine>,
    gateway: Gateway,
    requests: Requests,
    latencies: Latencies,
    asked: u64,
    sent: u64,
}

pub fn run(plan: &Plan) -> Outcome {
    Simulation::new(plan).run()
}

impl<'p> Simulation<'p> {
    fn new(plan: &'p Plan) -> Simulation<'p> {
        let mut events = Events::new();
        let developers: Vec<Developer> = (0..plan.developers)
            .map(|number| {
                let mut developer = Developer::new(&plan.habits, plan.seed, number);
                events.push(developer.begins(&plan.habits), Event::Key(number));
                developer
            })
            .collect();
        let mut engines: Vec<Engine> =
            (0..plan.engines).map(|_| Engine::new(&plan.costs)).collect();
        let mut gateway = Gateway::new(plan.router, plan.engines, plan.full);
        // As if all had worked for a while: what was used last is held last.
        for turn in 0..PLACES as usize {
            for (number, developer) in (0..).zip(&developers) {
                let engine = gateway.choose(number);
                gateway.left(engine);
                if let Some((place, text)) = developer.known(number).nth(turn) {
                    engines[engine].remember(place, text);
                }
            }
        }
        Simulation {
            plan,
            now: 0.0,
            events,
            developers,
            engines,
            gateway,
            requests: Requests::default(),
            latencies: Latencies::new(),
            asked: 0,
            sent: 0,
        }
    }

    fn run(mut self) -> Outcome {
        let begins = self.plan.warm_up_ms;
        let ends = begins + self.plan.length_ms;
        let mut is_warm = false;
        let mut ended = Vec::new();
        while let Some((ms, event)) = self.events.pop()
            && ms < ends
        {
            self.now = ms;
            if !is_warm && ms >= begins {
                is_warm = true;
                self.engines.iter_mut().for_each(|engine| engine.tally = Tally::default());
                self.latencies = Latencies::new();
                (self.asked, self.sent) = (0, 0);
            }
            match event {
                Event::Key(number) => self.key(number),
                Event::Send(number, asks) => {
                    let developer = &self.developers[number as usize];
                    if developer.asked == Asked::Held && developer.asks == asks {
                        self.send_key(number);
                    }
                }
                Event::Arrive(id, job) => {
                    if let Some(request) = self.requests.get(id) {
                        self.engines[request.engine].take(job);
                        self.step(request.engine);
                    }
                }
                Event::Drop(id) => {
                    if let Some(request) = self.requests.get(id)
                        && self.engines[request.engine].forget(id)
                    {
                        self.requests.end(id);
                    }
                }
                Event::Step(engine) => {
                    self.engines[engine].end(&mut ended);
                    for id in ended.drain(..) {
                        self.leave(id);
                        self.events.push(self.now + self.plan.habits.network_ms, Event::Answer(id));
                    }
                    self.step(engine);
                }
                Event::Answer(id) => self.answer(id),
            }
        }
        self.outcome()
    }

    fn step(&mut self, engine: usize) {
        if let Some(ms) = self.engines[engine].begin(&self.plan.costs) {
            self.events.push(self.now + ms, Event::Step(engine));
        }
    }

    /// A connection is closed: the gateway knows it before the request that comes after.
    fn drop_request(&mut self, id: u64) {
        self.leave(id);
        self.events.push(self.now + self.plan.habits.network_ms, Event::Drop(id));
    }

    fn leave(&mut self, id: u64) {
        if let Some(engine) = self.requests.leave(id) {
            self.gateway.left(engine);
        }
    }

    fn key(&mut self, number: u32) {
        let habits = &self.plan.habits;
        let developer = &mut self.developers[number as usize];
        let asked = developer.asked;
        if asked != Asked::Nothing {
            self.latencies.superseded(self.now - developer.asked_ms);
            developer.superseded();
        }
        let asks = developer.press(habits, asked != Asked::Nothing);
        if asks {
            developer.asks = developer.asks.wrapping_add(1);
            developer.asked = Asked::Held;
            developer.asked_ms = self.now;
        }
        let next = self.now + developer.until_next(habits);
        let (asks_now, patience) = (developer.asks, developer.patience_ms(habits));
        self.events.push(next, Event::Key(number));
        if let Asked::Sent(id) = asked {
            self.drop_request(id);
        }
        if asks {
            self.asked += 1;
            if patience > 0.0 {
                self.events.push(self.now + patience, Event::Send(number, asks_now));
            } else {
                self.send_key(number);
            }
        }
    }

    fn send_key(&mut self, number: u32) {
        let developer = &mut self.developers[number as usize];
        // What was thought ahead of another suggestion is of no use any more.
        let ahead = developer.ahead.take();
        let (text, write) = developer.ask(&self.plan.habits);
        if let Some(id) = ahead {
            self.drop_request(id);
        }
        let id = self.send(number, Kind::Key, text, write);
        self.developers[number as usize].asked = Asked::Sent(id);
    }

    fn send(&mut self, number: u32, kind: Kind, text: Text, write: u32) -> u64 {
        let engine = self.gateway.choose(number);
        let id = self.requests.add(number, kind, engine);
        let place = self.developers[number as usize].place(number);
        let job = Job { id, place, text, write };
        self.events.push(self.now + self.plan.habits.network_ms, Event::Arrive(id, job));
        self.sent += 1;
        id
    }

    fn answer(&mut self, id: u64) {
        let Some(Request { developer: number, kind, .. }) = self.requests.get(id) else { return };
        self.requests.end(id);
        let habits = &self.plan.habits;
        let developer = &mut self.developers[number as usize];
        match kind {
            Kind::Ahead => {
                if developer.ahead == Some(id) {
                    developer.ahead = None;
                }
            }
            Kind::Nearer(window) => {
                developer.warming = None;
                developer.nearer(habits, window);
            }
            Kind::Key if developer.asked == Asked::Sent(id) => {
                let ms = self.now - developer.asked_ms;
                developer.answered(ms);
                self.latencies.answered(ms);
                let ahead = developer.ask_ahead(habits);
                let nearer = developer.ask_nearer(habits);
                if let Some((text, write)) = nearer {
                    let id = self.send(number, Kind::Nearer(text.window), text, write);
                    self.developers[number as usize].warming = Some(id);
                }
                if let Some((text, write)) = ahead {
                    let id = self.send(number, Kind::Ahead, text, write);
                    self.developers[number as usize].ahead = Some(id);
                }
            }
            // It came while the word that it is not wanted was under way.
            Kind::Key => {}
        }
    }

    fn outcome(&self) -> Outcome {
        let Plan { developers, length_ms, .. } = *self.plan;
        let mut all = Tally::default();
        for engine in &self.engines {
            all.busy_ms += engine.tally.busy_ms;
            all.prompt += engine.tally.prompt;
            all.reused += engine.tally.reused;
            all.evaluated += engine.tally.evaluated;
            all.written += engine.tally.written;
        }
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let minutes = f64::from(developers) * length_ms / 60_000.0;
        let sent = self.sent as f64;
        Outcome {
            p50_ms: self.latencies.quantile(0.5),
            p95_ms: self.latencies.quantile(0.95),
            superseded: self.latencies.superseded_share(),
            hits: ratio(all.reused as f64, all.prompt as f64),
            busy: ratio(all.busy_ms, self.engines.len() as f64 * length_ms).min(1.0),
            asked_a_minute: ratio(self.asked as f64, minutes),
            requests_a_minute: ratio(sent, minutes),
            prompt_tokens: ratio(all.prompt as f64, sent),
            read_tokens: ratio(all.evaluated as f64, sent),
            written_tokens: ratio(all.written as f64, sent),
        }
    }
}
