//! Prompts that fill the context to its last token, or do not fit.

use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Engine, Request, Stop};
use tandem::prompt::Prompt;

use crate::cache::{end, finish};
use crate::harness::{model, turn};

const CONTEXT: u32 = 256;

#[test]
fn a_prompt_as_long_as_the_context_or_longer_is_cut_and_answered() {
    let _turn = turn();
    let options = Options { threads: 1, documents: 1, guess: false, ..Options::new(model()) };
    let engine = Llama::start(Options { context_tokens: CONTEXT, ..options });
    // A word is a token; the marks of the layout make it a few more, so that each limit is met.
    for words in (CONTEXT - 12..=CONTEXT + 1).chain([1, 40 * CONTEXT]) {
        for most in [1, 2] {
            let prefix = " a".repeat(words as usize);
            let request = Request::new(Prompt { prefix, ..Prompt::default() }, most, Stop::Never);
            // It would panic at an answer that has failed.
            finish(engine.complete(request));
        }
    }
    // No room for what is asked for.
    let prefix = " a".repeat(CONTEXT as usize);
    let request = Request::new(Prompt { prefix, ..Prompt::default() }, 10_000, Stop::Never);
    finish(engine.complete(request));
    end(engine);
}
