//! The real engine, with a witness: what it was asked and what it said.
//!
//! In: the server's requests. Out: the model's answers to them, and a record of each. A request is put
//! in another [`Layout`] first, when one is set. The same request for the same row is answered from the
//! record, as decoding is greedy. Refuses: to work ahead, so that rows do not help each other; and
//! the quick answer from a shorter prompt, which would depend on how fast the machine is.
//!
//! An answer that the server broke off is recorded as far as the server may have read it, which can be
//! one or two tokens more than it did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem::engine::llama::Llama;
use tandem::engine::remote::RemoteEngine;
use tandem::engine::{Answer, Engine, Event, Figures, Request, State, Urgency};
use tandem::eval::row::Row;
use tokio::sync::watch;

use crate::layout::Layout;

/// What the model was asked and said.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What it was told of other files.
    pub context: String,
    /// The text, about a token each.
    pub pieces: Vec<String>,
    /// As the server knew them at its end.
    pub figures: Figures,
    pub failure: Option<String>,
    events: Vec<Event>,
    /// Requests are numbered, since one that was broken off may still have something to say.
    number: u64,
    /// It came to its end.
    whole: bool,
}

impl Asked {
    pub fn text(&self) -> String {
        self.pieces.concat()
    }

    /// Tokens that it took.
    pub fn generated(&self) -> usize {
        self.pieces.len().max(self.figures.generated as usize)
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Begun(figures) => self.figures = *figures,
            Event::Text(piece) => self.pieces.push(piece.clone()),
            Event::Forks(_) => {}
            Event::Done(figures) => self.figures = *figures,
            Event::Failed(message) => self.failure = Some(message.clone()),
        }
        self.whole |= matches!(event, Event::Done(_));
        self.events.push(event.clone());
    }

    /// Takes back a text that nobody read.
    fn unsay(&mut self) {
        if let Some(Event::Text(_)) = self.events.pop() {
            self.pieces.pop();
        }
    }
}

/// How to ask now.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Say nothing, without the model: only the server is to do its part.
    #[default]
    Mute,
    /// For this row in this layout.
    Ask(Arc<Row>, Layout),
}

#[derive(Default)]
struct Record {
    mode: Mode,
    asked: Vec<Asked>,
    numbers: u64,
    /// Whole answers for the row at hand, of either engine.
    said: Vec<((Request, bool), Asked)>,
}

/// The engine with its witness.
pub struct Recorder {
    inner: Llama,
    /// The same model behind another engine.
    elsewhere: Option<RemoteEngine>,
    record: Arc<Mutex<Record>>,
}

impl Recorder {
    pub fn new(inner: Llama, elsewhere: Option<RemoteEngine>) -> Recorder {
        Recorder { inner, elsewhere, record: Arc::default() }
    }

    fn engine(&self, layout: Layout) -> &dyn Engine {
        match &self.elsewhere {
            Some(elsewhere) if layout == Layout::Elsewhere => elsewhere,
            _ => &self.inner,
        }
    }

    /// How to ask from now on.
    pub fn set(&self, mode: Mode) {
        lock(&self.record).mode = mode;
    }

    /// What was asked since the last time.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut lock(&self.record).asked)
    }

    /// Nothing is answered from the record of the last row.
    pub fn forget(&self) {
        let mut record = lock(&self.record);
        *record = Record { numbers: record.numbers, ..Record::default() };
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine for Recorder {
    fn complete(&self, mut request: Request) -> Answer {
        let mut record = lock(&self.record);
        let (answer, events) = Answer::new();
        let (row, layout) = match (&record.mode, request.urgency) {
            (Mode::Ask(row, layout), Urgency::Now) => (row.clone(), *layout),
            _ => {
                // The receiver lives in `answer`, so this cannot fail.
                let _ = events.send(Event::Done(Figures::default()));
                return answer;
            }
        };
        request.quick = false;
        let asked = (layout.rewrite(request, &row), layout == Layout::Elsewhere);
        let known = record.said.iter().find(|(known, _)| *known == asked);
        if let Some((_, known)) = known.cloned() {
            for event in &known.events {
                let _ = events.send(event.clone());
            }
            record.asked.push(known);
            return answer;
        }
        record.numbers += 1;
        let number = record.numbers;
        record.asked.push(Asked {
            context: asked.0.prompt.context.clone(),
            number,
            ..Asked::default()
        });
        drop(record);
        let mut inner = self.engine(layout).complete(asked.0.clone());
        let record = self.record.clone();
        tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    biased;
                    () = events.closed() => return,
                    event = inner.next() => event,
                };
                let Some(event) = event else { return };
                let mut record = lock(&record);
                // Whoever took the record does not wait for this answer any more.
                let mut all = record.asked.iter_mut();
                let Some(said) = all.find(|asked| asked.number == number) else { return };
                said.note(&event);
                if events.send(event).is_err() {
                    said.unsay();
                    return;
                }
                if said.whole {
                    let said = said.clone();
                    record.said.push((asked, said));
                    return;
                }
            }
        });
        answer
    }

    fn state(&self) -> watch::Receiver<State> {
        self.inner.state()
    }
}
