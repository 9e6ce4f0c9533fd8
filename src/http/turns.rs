//! Whose turn it is in a document: the newest request's.
//!
//! In: requests as they come. Out: for each, whether something newer has come. A client that asks again
//! waits for the new answer; work on the old one would only be in its way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// For each document the newest request.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    newest: HashMap<String, (u64, CancellationToken)>,
    next: u64,
}

/// One request's turn; it ends when this goes.
pub struct Turn {
    turns: Turns,
    document: String,
    number: u64,
    superseded: CancellationToken,
}

impl Turns {
    /// The next turn in a document. The one before it is over.
    pub fn take(&self, document: &str) -> Turn {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.next += 1;
        let (number, superseded) = (state.next, CancellationToken::new());
        let newest = (number, superseded.clone());
        if let Some((_, older)) = state.newest.insert(document.to_owned(), newest) {
            older.cancel();
        }
        Turn { turns: self.clone(), document: document.to_owned(), number, superseded }
    }
}

impl Turn {
    /// Something newer has come.
    pub async fn superseded(&self) {
        self.superseded.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.newest.get(&self.document).is_some_and(|(number, _)| *number == self.number) {
            state.newest.remove(&self.document);
        }
    }
}
