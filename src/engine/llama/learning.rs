//! What batches cost on this machine: known from an engine that ended a short while ago, else measured when nobody
//! waits for an answer.
//!
//! In: where it is remembered. Out: what a worker makes of it. Refuses nothing: what cannot be remembered is
//! measured again.

use std::path::PathBuf;

use super::model::{MEASURED, MEASURED_PREFILL, Measured, Model};
use crate::engine::costs::{self, Costs};
use crate::engine::guess::Guess;
use crate::engine::worker::{Learn, Learnt};

/// A quick head may take this long; with a line's tokens that makes an answer within 300 to 400 ms.
const QUICK_MS: f64 = 150.0;
/// Tokens of one while it is not known how long they take: on 2 cores with the 0.5B some 300 ms.
const QUICK_UNKNOWN: usize = 64;

/// Where the figures of one model on this machine are remembered.
#[derive(Clone, Debug)]
pub struct Place {
    pub folder: PathBuf,
    pub name: String,
}

/// What is remembered there.
pub fn known(place: Option<&Place>) -> Option<Costs> {
    place.and_then(|place| costs::recall(&place.folder, &place.name, &MEASURED))
}

/// Measures, and remembers it there.
pub fn learn<'m>(place: Option<Place>, guess: bool) -> Learn<Model<'m>> {
    let mut so_far = Measured::default();
    Box::new(move |model, sequence, newer| {
        let Some(costs) = model.measure(sequence, &mut so_far, newer)? else { return Ok(None) };
        note(place.as_ref(), &costs);
        Ok(Some(learnt(Some(&costs), guess)))
    })
}

/// Remembers it there.
pub fn note(place: Option<&Place>, costs: &Costs) {
    tracing::debug!(?costs, "batch sizes and ms");
    if let Some(place) = place {
        costs::note(&place.folder, &place.name, costs);
    }
}

/// What follows from it, known or not.
pub fn learnt(costs: Option<&Costs>, guess: bool) -> Learnt {
    Learnt {
        guess: costs.filter(|_| guess).map(|costs| Guess::new(&costs.batches)),
        quick_tokens: costs.map_or(QUICK_UNKNOWN, |costs| {
            (QUICK_MS / costs.prefill_ms * MEASURED_PREFILL as f64) as usize
        }),
    }
}
