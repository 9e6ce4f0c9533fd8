//! The one seam between the server and whatever generates text.
//!
//! In: a [`Request`] (a prompt and limits). Out: an [`Answer`], a stream of [`Event`]s that ends
//! with `Done` or `Failed`. Dropping the answer cancels the request, at the latest after the piece
//! of work at hand (one token, or one prefill piece).
//!
//! Behind it stand: `llama` (llama.cpp, in the engine's process), `process` (that process, seen
//! from a server), `remote` (engines that run elsewhere), and `scripted` (for tests). Decoding is greedy everywhere, so that an answer is
//! a function of its prompt: it can be cached, tested and reproduced.

pub mod cache;
pub mod costs;
pub mod draft;
pub mod family;
mod forks;
pub mod guess;
pub mod heads;
pub mod healing;
pub mod host;
pub mod interrupt;
pub mod llama;
pub mod names;
pub mod process;
mod ranking;
#[cfg(feature = "net")]
pub mod remote;
pub mod rendezvous;
pub mod sandbox;
pub mod scripted;
pub mod states;
pub mod transformer;
pub mod wire;
pub mod worker;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::prompt::Prompt;

/// Something that continues prompts.
pub trait Engine: Send + Sync + 'static {
    /// Starts on a request and returns at once. A keystroke goes before work in the background,
    /// a newer keystroke before an older one.
    fn complete(&self, request: Request) -> Answer;

    /// How the engine is, now and as it changes.
    fn state(&self) -> watch::Receiver<State>;

    /// Gets the engine ready without a request: start, load the model. Returns at once.
    fn wake(&self) {}

    /// A document was closed: what was evaluated may be saved for the next time. Returns at once.
    fn keep(&self) {}

    /// For how long the model has been at one and the same operation: zero when it has nothing to do. A long
    /// time means that it hangs. Returns at once.
    fn still(&self) -> Duration {
        Duration::ZERO
    }
}

/// One piece of work for an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to continue.
    pub prompt: Prompt,
    /// At most this many tokens after the word being typed; 0 to evaluate the prompt and no more.
    pub max_tokens: u32,
    /// Where to stop by itself.
    pub stop: Stop,
    /// What it may wait for.
    pub urgency: Urgency,
    /// Where the whole prompt would take long, it may be answered from a shorter one.
    pub quick: bool,
    /// The name that is being written at the cursor must be one of these, which are sorted; empty where
    /// it may be any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Say where the first line could nearly have gone on otherwise: at most so many
    /// [forks](Event::Forks).
    #[serde(default)]
    pub forks: u32,
    /// What the model's weights are changed by; the order does not matter. Only the embedded engine has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<Adapter>,
}

/// A LoRA adapter, and how much of it is added to the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// A GGUF file.
    pub file: PathBuf,
    /// Another one when the file has changed.
    pub version: u64,
    /// 1 as it was trained; 0 for none of it.
    pub scale: f32,
}

impl Request {
    /// For someone who waits, from the whole prompt.
    pub fn new(prompt: Prompt, max_tokens: u32, stop: Stop) -> Request {
        let (urgency, quick, forks) = (Urgency::Now, false, 0);
        let (names, adapters) = (Vec::new(), Vec::new());
        Request { prompt, max_tokens, stop, urgency, quick, names, forks, adapters }
    }

    /// To have a prompt evaluated in the background, for requests to come.
    pub fn warm(prompt: Prompt) -> Request {
        Request { urgency: Urgency::Idle, ..Request::new(prompt, 0, Stop::Never) }
    }
}

/// What a request may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Nothing: someone has just pressed a key.
    Now,
    /// Every keystroke: it is work in the background.
    Idle,
}

/// Where an engine stops by itself, besides the model's own end and `max_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// At the first line break.
    Line,
    /// Nowhere: whoever asked reads along and drops the answer when it has enough.
    Never,
}

/// What an engine says about a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first new token is known: what it took to get there.
    Begun(Figures),
    /// More text after the prompt's middle. Always whole characters.
    Text(String),
    /// Where the answer's first line could have gone on otherwise, the likeliest first. Only when
    /// asked for: when that line ends, or the answer.
    Forks(Vec<Fork>),
    /// The end of the answer.
    Done(Figures),
    /// There is no answer; the sentence says why.
    Failed(String),
}

/// A place where an answer could have gone on otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fork {
    /// Bytes of the answer before it.
    pub at: usize,
    /// What could have come there instead: one token's text. Empty where the answer could have ended.
    pub text: String,
    /// The natural logarithm of the probability of all that: the answer so far, and this.
    pub ln: f32,
    /// How much likelier what was chosen there is than this, as a natural logarithm: 0 for a tie.
    pub behind: f32,
}

/// What an answer cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Tokens of prompt and word that had to be evaluated before the first new one.
    pub evaluated: u32,
    /// Tokens evaluated after that: what the answer itself cost.
    pub generated: u32,
    /// Tokens that were in the KV cache already.
    pub reused: u32,
    /// While the word was forced that is being typed: by how much the likeliest token that fits led the next, where
    /// that was least, as a natural logarithm. Known only where forks were asked for, and one of two could be.
    #[serde(default)]
    pub forced_lead: Option<f32>,
    /// Tokens that were guessed, and of these the ones that came true. The others cost time only.
    pub drafted: u32,
    /// As above.
    pub accepted: u32,
    /// Answered from a shorter prompt, since the whole one would have taken long.
    pub quick: bool,
    /// How sure the model was of the new tokens; none while it has chosen none.
    pub confidence: Option<Confidence>,
    /// From the request's arrival to its start, ms.
    pub queue_ms: f64,
    /// From its start to the first new token, ms.
    pub prefill_ms: f64,
    /// From then to the end, ms.
    pub decode_ms: f64,
}

/// How sure a model is of an answer, as natural logarithms of probabilities: 0 is certain. Tokens
/// that were forced by the word being typed, or chosen in an earlier request, do not count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Of the first new token.
    pub first: f32,
    /// Of the least certain one.
    pub least: f32,
    /// The mean of all.
    pub mean: f32,
    /// Tokens that count.
    pub tokens: u32,
}

impl Confidence {
    /// With one more token.
    pub fn and(so_far: Option<Confidence>, ln: f32) -> Confidence {
        match so_far {
            None => Confidence { first: ln, least: ln, mean: ln, tokens: 1 },
            Some(Confidence { first, least, mean, tokens }) => {
                let tokens = tokens + 1;
                let mean = mean + (ln - mean) / tokens as f32;
                Confidence { first, least: least.min(ln), mean, tokens }
            }
        }
    }
}

/// How an engine is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Not started: nothing has asked for it yet, or it stopped after being idle.
    #[default]
    Asleep,
    /// The process starts.
    Starting,
    /// The model is being read.
    Loading {
        /// 0 to 1.
        fraction: f32,
    },
    /// Ready to answer.
    Ready(About),
    /// It cannot work; the sentence says why and what to do.
    Failed {
        /// For a person to read.
        message: String,
    },
}

/// What a ready engine is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The model file's name.
    pub model: String,
    /// The process it runs in.
    pub pid: u32,
    /// Threads that decode.
    pub threads: u32,
    /// Tokens that fit into one document's context.
    pub context_tokens: u32,
    /// What keeps its process from doing anything else, in words.
    #[serde(default)]
    pub sandbox: String,
    /// The model that drafts for it and how much at a time, in words; empty without one.
    #[serde(default)]
    pub draft: String,
}

/// The stream of events that answers a request. Dropping it cancels the request: whoever writes
/// it sees its sender closed.
pub struct Answer(mpsc::UnboundedReceiver<Event>);

impl Answer {
    /// An answer, and what an engine needs to write it.
    pub fn new() -> (Answer, mpsc::UnboundedSender<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        (Answer(events), sender)
    }

    /// An answer that says only why there is none.
    pub fn failed(message: impl Into<String>) -> Answer {
        let (answer, sender) = Answer::new();
        // The receiver lives in `answer`, so this cannot fail.
        let _ = sender.send(Event::Failed(message.into()));
        answer
    }

    /// The next event; `None` after the last, or when the engine is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next event, for a thread that may wait. `None` as for [`next`](Self::next).
    pub fn blocking_next(&mut self) -> Option<Event> {
        self.0.blocking_recv()
    }
}
