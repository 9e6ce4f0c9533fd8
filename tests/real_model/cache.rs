//! States on disk, with the real model.

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::states::StateOptions;
use tandem::engine::{Engine, Event, Figures, Request, Stop};
use tandem::prompt::{self, Budget};

use crate::harness::{model, turn};

const TOKENS: u32 = 6;

/// Waits for all of an answer: its text, and what it cost.
pub fn finish(mut answer: tandem::engine::Answer) -> (String, Figures) {
    let mut text = String::new();
    loop {
        match answer.blocking_next().expect("an end") {
            Event::Text(piece) => text.push_str(&piece),
            Event::Done(figures) => return (text, figures),
            Event::Failed(message) => panic!("{message}"),
            Event::Begun(_) | Event::Forks(_) => {}
        }
    }
}

/// One thread: in this process several would spin while they wait for each other, beside
/// whatever else runs.
fn start(documents: u32, guess: bool, states: Option<StateOptions>) -> Llama {
    Llama::start(Options { documents, threads: 1, guess, states, ..Options::new(model()) })
}

/// Waits for an engine's end: llama.cpp allows one at a time in a process.
pub fn end(engine: Llama) {
    let mut state = engine.state();
    drop(engine);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    // Nothing is waited for but the end of whoever says how the engine is.
    runtime.block_on(state.wait_for(|_| false)).expect_err("an end");
}

#[test]
fn a_file_opened_another_day_is_answered_from_the_saved_state() {
    let _turn = turn();
    let scratch = tempfile::tempdir().expect("a folder");
    let states = || Some(StateOptions { folder: scratch.path().join("states"), cap: 1 << 30 });
    let text = Rope::from_str(&format!("{}fn next() -> u32 {{\n    let a", {
        "fn unrelated(argument: &str) -> usize { argument.len() }\n".repeat(12)
    }));
    let (prompt, _) = prompt::prompt(&text, text.len_bytes(), Budget::default(), None);
    let request = Request::new(prompt, TOKENS, Stop::Line);

    let engine = start(2, true, states());
    let (first, cold) = finish(engine.complete(request.clone()));
    // What is saved is saved before the engine is gone.
    end(engine);
    let engine = start(2, true, states());
    let (again, warm) = finish(engine.complete(request));
    end(engine);
    assert_eq!(again, first);
    assert!(cold.evaluated > 150 && warm.evaluated <= 1, "{cold:?}, {warm:?}");
}
