//! One conversation with the engine: requests there, answers back, until the connection ends.
//!
//! In: orders. Out: events to whoever asked, and the engine's states. While something is waited for the
//! engine is [watched](super::watch), and one that hangs is ended. Nothing is polled otherwise.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::{mpsc, watch as latest};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::connection::{Connection, Lost};
use super::watch::{BEAT, Beat, Watch};
use super::{Order, Pending};
use crate::engine::wire::{FromEngine, ToEngine};
use crate::engine::{Event, State};

/// Talks until the connection ends (then says why) or no orders can come any more (`None`).
pub async fn talk(
    connection: Connection,
    waiting: Vec<Pending>,
    inbox: &mut mpsc::UnboundedReceiver<Order>,
    tell: &latest::Sender<State>,
) -> Option<String> {
    let (drop_answer, dropped) = mpsc::unbounded_channel();
    let mut talk = Talk {
        connection,
        tell,
        answers: HashMap::new(),
        drop_answer,
        next_id: 0,
        watch: Watch::default(),
        beats: beats(),
    };
    let lost = talk.go_on(waiting, inbox, dropped).await?;
    let why = match lost {
        Lost::Gone(why) => why,
        Lost::Hangs(why) => {
            // Nobody waits for the end of it.
            talk.give_up();
            talk.connection.end_engine().await;
            why
        }
    };
    talk.give_up();
    Some(why)
}

struct Talk<'a> {
    connection: Connection,
    tell: &'a latest::Sender<State>,
    answers: HashMap<u64, mpsc::UnboundedSender<Event>>,
    drop_answer: mpsc::UnboundedSender<u64>,
    next_id: u64,
    watch: Watch,
    beats: Interval,
}

impl Talk<'_> {
    /// `None` when no orders can come any more.
    async fn go_on(
        &mut self,
        waiting: Vec<Pending>,
        inbox: &mut mpsc::UnboundedReceiver<Order>,
        mut dropped: mpsc::UnboundedReceiver<u64>,
    ) -> Option<Lost> {
        let mut orders: VecDeque<Order> = waiting.into_iter().map(Order::Complete).collect();
        loop {
            while let Some(order) = orders.pop_front() {
                if let Err(lost) = self.pass_on(order).await {
                    return Some(lost);
                }
            }
            let done = tokio::select! {
                biased;
                said = self.connection.receive() => match said {
                    Some(Ok(said)) => self.hear(said),
                    Some(Err(why)) => Err(Lost::Gone(why.to_string())),
                    None => Err(Lost::Gone("the connection ended".to_owned())),
                },
                order = inbox.recv() => {
                    orders.push_back(order?);
                    Ok(())
                }
                Some(id) = dropped.recv() => self.drop_one(id).await,
                _ = self.beats.tick(), if !self.answers.is_empty() => self.beat().await,
            };
            if let Err(lost) = done {
                return Some(lost);
            }
        }
    }

    async fn pass_on(&mut self, order: Order) -> Result<(), Lost> {
        let Pending { request, events } = match order {
            Order::Wake => return Ok(()),
            Order::Keep => return self.connection.send(&ToEngine::Keep).await,
            Order::Complete(pending) => pending,
        };
        if self.answers.is_empty() {
            self.watch.rest();
            self.beats.reset();
        }
        self.next_id += 1;
        let (id, waiting, drop_answer) = (self.next_id, events.clone(), self.drop_answer.clone());
        tokio::spawn(async move {
            waiting.closed().await;
            let _ = drop_answer.send(id);
        });
        self.answers.insert(id, events);
        self.connection.send(&ToEngine::Complete { id, request }).await
    }

    fn hear(&mut self, said: FromEngine) -> Result<(), Lost> {
        self.watch.rest();
        match said {
            FromEngine::Hello { .. } => {}
            FromEngine::State(state) => drop(self.tell.send_replace(state)),
            FromEngine::Pong { still_ms } => {
                if let Some(why) = self.watch.answered(Duration::from_millis(still_ms)) {
                    return Err(Lost::Hangs(why));
                }
            }
            FromEngine::Answer { id, event } => {
                let last = matches!(event, Event::Done(_) | Event::Failed(_));
                if let Some(events) = self.answers.get(&id) {
                    let _ = events.send(event);
                }
                if last {
                    self.answers.remove(&id);
                }
            }
        }
        Ok(())
    }

    /// Every answer is dropped in the end; only an unfinished one is cancelled.
    async fn drop_one(&mut self, id: u64) -> Result<(), Lost> {
        if self.answers.remove(&id).is_none() {
            return Ok(());
        }
        self.connection.send(&ToEngine::Cancel { id }).await
    }

    async fn beat(&mut self) -> Result<(), Lost> {
        match self.watch.beat() {
            Beat::Ask => self.connection.send(&ToEngine::Ping).await,
            Beat::Hangs(why) => Err(Lost::Hangs(why)),
        }
    }

    fn give_up(&mut self) {
        for (_, events) in self.answers.drain() {
            let _ = events.send(Event::Failed("the engine stopped".to_owned()));
        }
    }
}

fn beats() -> Interval {
    let mut beats = interval_at(Instant::now() + BEAT, BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}
