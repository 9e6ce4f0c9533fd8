//! llama.cpp: this room (with `llama/`) is the only one that names `llama_cpp_2`.
//!
//! In: requests, passed to the worker's thread. Out: its answers. Here the model is loaded and
//! becomes a [`Transformer`]; what is done with it is the [`worker`](super::worker)'s business.
//!
//! It refuses files without fill-in-the-middle tokens; that a file is sound is checked before, by
//! `model::gguf`, because llama.cpp can abort on a bad one. It runs only in the engine's process.

mod adapters;
mod backends;
mod context;
mod offload;
pub mod quantize;
pub mod trial;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token_type::LlamaTokenAttr;
use tokio::sync::watch;

use self::adapters::Adapters;
pub use self::backends::built_libraries;
pub use self::context::GPU;
use self::context::{Context, Shape};
use super::costs::{self, Costs};
use super::guess::{self, Guess};
use super::healing::{Token, Vocabulary};
use super::interrupt::Interrupt;
use super::states::{StateOptions, States};
use super::transformer::{Evaluated, FimTokens, Transformer};
use super::worker::{Job, Order, Parts, Worker};
use super::{About, Adapter, Answer, Engine, Request, State, ranking, sandbox};

/// Sequences besides one for each document: for the head before a jump, the quick one, the next.
const SPARE_SEQUENCES: u32 = 2;
/// The KV cache takes at most this part of the machine's memory.
const MEMORY_PART: u64 = 16;
/// Batch sizes whose cost is measured at the start, each this often.
const MEASURED: [usize; 5] = [1, 2, 4, 8, guess::MOST + 1];
const MEASURED_TIMES: usize = 2;
/// A prompt's tokens that are evaluated to measure how fast that is.
const MEASURED_PREFILL: usize = 64;
/// Logits closer than this may change places by rounding alone: a batch's kernels add up in another
/// order than a single token's. Without this test 9 of 197 guessed answers differed from plain ones
/// (`benches/engine.rs`, 0.5B in Q4_0), with it 1 of 281.
const NEAR_TIE: f32 = 0.25;
/// A quick head may take this long; with a line's tokens that makes an answer within 300 to 400 ms.
const QUICK_MS: f64 = 150.0;

/// Text pieces that no model should write although they are not control tokens in every file.
const NEVER_TEXT: [&str; 9] = [
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
];

/// How to run a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The GGUF file.
    pub model: PathBuf,
    /// Threads that decode; 0 for one per physical core.
    pub threads: u32,
    /// Layers to put on a GPU, where the build has one; `None` for as many as fit.
    pub gpu_layers: Option<u32>,
    /// Tokens that one document's context may hold.
    pub context_tokens: u32,
    /// How many documents keep their context at the same time.
    pub documents: u32,
    /// Guess tokens and verify them in batches, where that pays.
    pub guess: bool,
    /// Where to keep states on disk; `None` to keep none.
    pub states: Option<StateOptions>,
}

impl Options {
    /// For a model file, with defaults for this machine.
    pub fn new(model: impl Into<PathBuf>) -> Options {
        Options {
            model: model.into(),
            threads: 0,
            gpu_layers: None,
            context_tokens: 2_048,
            documents: 4,
            guess: true,
            states: None,
        }
    }

    /// Sequences that the KV cache has where there is memory for them.
    fn sequences(&self) -> u32 {
        self.documents.saturating_add(SPARE_SEQUENCES).clamp(2, 64)
    }
}

/// A model that is loading or loaded, on its own thread.
pub struct Llama {
    /// `None` only while it is dropped.
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    interrupt: Arc<Interrupt>,
    state: watch::Receiver<State>,
    busy: watch::Receiver<bool>,
}

impl Llama {
    /// Starts the thread and begins to load. Requests may be made at once; they wait.
    pub fn start(options: Options) -> Llama {
        let (orders, inbox) = mpsc::channel();
        let (tell, state) = watch::channel(State::Loading { fraction: 0.0 });
        let (tell_busy, busy) = watch::channel(true);
        let interrupt = Arc::new(Interrupt::default());
        let shared = interrupt.clone();
        let thread = std::thread::Builder::new()
            .name("llama".into())
            .spawn(move || {
                if let Err(message) = run(&options, shared, &inbox, &tell, &tell_busy) {
                    tell.send_replace(State::Failed { message: message.clone() });
                    while let Ok(order) = inbox.recv() {
                        if let Order::Work(job) = order {
                            job.fail(&message);
                        }
                    }
                }
            })
            // The system refuses a thread only when it is out of resources; nothing works then.
            .expect("a thread for the model");
        Llama { orders: Some(orders), thread: Some(thread), interrupt, state, busy }
    }

    /// Whether the model's thread has work, now and as that changes.
    pub fn busy(&self) -> watch::Receiver<bool> {
        self.busy.clone()
    }
}

impl Engine for Llama {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        // The order first: the worker must find it once it is interrupted.
        let order = Order::Work(Job::new(request.clone(), events));
        if self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok()) {
            self.interrupt.arrived(&request);
            answer
        } else {
            Answer::failed("the model's thread is gone")
        }
    }

    fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    fn keep(&self) {
        // A thread that is gone has saved what it had.
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Keep);
        }
    }

    fn still(&self) -> Duration {
        self.interrupt.still()
    }
}

impl Drop for Llama {
    /// Waits until the thread has saved what is worth saving.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing left to wait for.
            let _ = thread.join();
        }
    }
}

/// The version of llama.cpp in this build and the CPU features it uses.
pub fn build() -> String {
    // SAFETY: both return pointers to static strings.
    let (version, commit) = unsafe {
        (
            std::ffi::CStr::from_ptr(llama_cpp_sys_2::ggml_version()),
            std::ffi::CStr::from_ptr(llama_cpp_sys_2::ggml_commit()),
        )
    };
    let (version, commit) = (version.to_string_lossy(), commit.to_string_lossy());
    match commit.as_ref() {
        "" | "unknown" => format!("llama.cpp of llama-cpp-2 0.1.160, ggml {version}"),
        commit => format!("llama.cpp of llama-cpp-2 0.1.160, ggml {version} ({commit})"),
    }
}

/// The instruction sets that llama.cpp uses here, as it lists them. Asked once: llama.cpp writes
/// each answer over the last one.
pub fn cpu_features() -> Vec<String> {
    static FEATURES: OnceLock<Vec<String>> = OnceLock::new();
    let ask = || {
        // Without backends there are none; the engine says why when it starts.
        let _ = backends::load();
        // SAFETY: returns a pointer to a static string; nobody else asks, and it is copied at once.
        let info = unsafe { std::ffi::CStr::from_ptr(llama_cpp_sys_2::llama_print_system_info()) };
        let info = info.to_string_lossy().into_owned();
        info.split(['|', ':'])
            .filter_map(|field| field.trim().strip_suffix("= 1"))
            .map(|name| name.trim().to_owned())
            .collect()
    };
    FEATURES.get_or_init(ask).clone()
}

/// A GPU that this build can use.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Gpu {
    /// What the driver calls it.
    pub name: String,
    /// CUDA, Metal or Vulkan.
    pub backend: String,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

/// The GPUs that this build can use.
pub fn gpus() -> Vec<Gpu> {
    use llama_cpp_2::LlamaBackendDeviceType::{Gpu as Discrete, IntegratedGpu};
    // Without backends there are none; the engine says why when it starts.
    let _ = backends::load();
    llama_cpp_2::list_llama_ggml_backend_devices()
        .into_iter()
        .filter(|device| matches!(device.device_type, Discrete | IntegratedGpu))
        .map(|device| Gpu {
            name: device.description,
            backend: device.backend,
            memory_bytes: device.memory_total as u64,
        })
        .collect()
}

/// Loads the model and works until nobody can send any more. The error is for a person to read.
fn run(
    options: &Options,
    interrupt: Arc<Interrupt>,
    inbox: &mpsc::Receiver<Order>,
    tell: &watch::Sender<State>,
    busy: &watch::Sender<bool>,
) -> Result<(), String> {
    let backend = backends::start()?;
    let model = load(&backend, options, tell.clone())?;
    let threads = match options.threads {
        0 => crate::machine::physical_cores(),
        threads => threads,
    };
    let sequences = sequences(options, &model);
    let shape = Shape { tokens: options.context_tokens, sequences, threads };
    let room = Room { shape, interrupt: interrupt.clone() };
    let mut model = Model::new(&model, room, &options.model)?;
    let name = states_name(&options.model, options.context_tokens);
    let costs = model.costs(options.states.as_ref().zip(name.as_ref()), threads)?;
    let quick_tokens = (QUICK_MS / costs.prefill_ms * MEASURED_PREFILL as f64) as usize;
    tracing::debug!(?costs, quick_tokens, sequences, "batch sizes and ms");
    let about = About {
        model: name_of(&options.model),
        pid: std::process::id(),
        threads,
        context_tokens: options.context_tokens,
        sandbox: sandbox::held().to_owned(),
    };
    let mut worker = Worker::new(Parts {
        transformer: model,
        sequences: sequences as usize,
        cells: sequences as usize * options.context_tokens as usize,
        context_tokens: options.context_tokens as usize,
        quick_tokens,
        interrupt,
        guess: options.guess.then(|| Guess::new(&costs.batches)),
        states: options.states.clone().zip(name).and_then(|(states, name)| open(states, &name)),
    });
    backends::hush();
    tell.send_replace(State::Ready(about));
    worker.serve(inbox, busy);
    Ok(())
}

/// Sequences for all documents together, as far as there is memory.
fn sequences(options: &Options, model: &LlamaModel) -> u32 {
    let wanted = options.sequences();
    let each = Context::bytes_per_token(model).saturating_mul(u64::from(options.context_tokens));
    match crate::machine::memory_bytes() {
        // A system that does not say how much memory it has is believed to have enough.
        0 => wanted,
        bytes => wanted.min((bytes / MEMORY_PART / each.max(1)) as u32).max(2),
    }
}

/// Names what saved states and figures are of: the model's file, and how this build runs it. `None` when the
/// file is gone.
fn states_name(model: &Path, context_tokens: u32) -> Option<String> {
    let stamp = std::fs::metadata(model).and_then(|m| Ok((m.len(), m.modified()?))).ok()?;
    // A GPU build lays its states out otherwise, and a longer one would not fit.
    let gpu = GPU;
    Some(format!("{} {stamp:?} {} {context_tokens} {gpu}", name_of(model), build()))
}

/// The saved states of this name.
fn open(options: StateOptions, name: &str) -> Option<States> {
    States::open(options, name)
        .map_err(|error| tracing::warn!("states are not kept on disk: {error}"))
        .ok()
}

fn load(
    backend: &LlamaBackend,
    options: &Options,
    tell: watch::Sender<State>,
) -> Result<LlamaModel, String> {
    let path = &options.model;
    if !path.is_file() {
        return Err(format!(
            "there is no model at {}; `tandem model pull` gets one",
            path.display()
        ));
    }
    let params = LlamaModelParams::default().with_progress_callback(move |fraction| {
        tell.send_replace(State::Loading { fraction });
        true
    });
    let params = match options.gpu_layers.or_else(|| offload::layers(options)) {
        Some(layers) => params.with_n_gpu_layers(layers),
        None => params,
    };
    LlamaModel::load_from_file(backend, path, &params).map_err(|e| {
        format!(
            "llama.cpp cannot load {}: {e}; `tandem model verify` checks the file",
            path.display()
        )
    })
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What contexts are made from.
struct Room {
    shape: Shape,
    interrupt: Arc<Interrupt>,
}

impl Room {
    fn context<'m>(&self, model: &'m LlamaModel) -> Result<Context<'m>, String> {
        let context = Context::new(model, self.shape, self.interrupt.clone());
        context.ok_or_else(|| {
            "no memory for the model's context; set smaller `engine.context_tokens` or `engine.documents`"
                .to_owned()
        })
    }
}

/// A loaded model as the worker sees it.
struct Model<'m> {
    model: &'m LlamaModel,
    context: Context<'m>,
    room: Room,
    adapters: Adapters<'m>,
    vocabulary: Vocabulary,
    stops: Vec<bool>,
    fim: FimTokens,
}

impl<'m> Model<'m> {
    fn new(model: &'m LlamaModel, room: Room, file: &Path) -> Result<Self, String> {
        let vocab = model.vocab();
        let (prefix, suffix, middle) = (vocab.fim_pre(), vocab.fim_suf(), vocab.fim_mid());
        if prefix.0 < 0 || suffix.0 < 0 || middle.0 < 0 {
            return Err(format!(
                "{} cannot fill in the middle: its vocabulary has no such tokens. \
                 Use a code model that can, for example `tandem model pull qwen2.5-coder-0.5b`",
                name_of(file)
            ));
        }
        let mut stops = Vec::new();
        let mut texts = Vec::new();
        for token in vocab.tokens() {
            let text = vocab.token_to_piece(token, true, None);
            let never_text = NEVER_TEXT.iter().any(|t| t.as_bytes() == text);
            let plain = LlamaTokenAttr::Normal | LlamaTokenAttr::Byte;
            let stop = never_text
                || vocab.is_eog(token)
                || vocab.is_control(token)
                || !vocab.attr(token).intersects(plain);
            stops.push(stop);
            texts.push(if stop { Vec::new() } else { text });
        }
        Ok(Model {
            model,
            context: room.context(model)?,
            room,
            adapters: Adapters::new(model, file),
            vocabulary: Vocabulary::new(texts),
            stops,
            fim: FimTokens { prefix: prefix.0, suffix: suffix.0, middle: middle.0 },
        })
    }

    /// What batches cost here: measured, or remembered from an engine that ended a short while ago.
    fn costs(
        &mut self,
        states: Option<(&StateOptions, &String)>,
        threads: u32,
    ) -> Result<Costs, String> {
        let Some((states, name)) = states else { return self.measure() };
        let name = format!("{name} {threads}");
        if let Some(costs) = costs::recall(&states.folder, &name, &MEASURED) {
            return Ok(costs);
        }
        let costs = self.measure()?;
        costs::note(&states.folder, &name, &costs);
        Ok(costs)
    }

    /// What a batch costs here, by its size, and what [`MEASURED_PREFILL`] tokens of a prompt
    /// do: the best of a few. It also makes llama.cpp take the memory that it takes at first use.
    fn measure(&mut self) -> Result<Costs, String> {
        let context = vec![self.fim.prefix; MEASURED_PREFILL];
        let mut best_of = |position: usize, size: usize, rows: usize| -> Result<f64, String> {
            let mut best = f64::INFINITY;
            for _ in 0..MEASURED_TIMES {
                self.truncate(0, position);
                let started = Instant::now();
                self.evaluate(0, position, &context[..size], rows)?;
                best = best.min(started.elapsed().as_secs_f64() * 1e3);
            }
            Ok(best)
        };
        let prefill_ms = best_of(0, context.len(), 1)?;
        let mut batches = Vec::new();
        for size in MEASURED {
            batches.push((size, best_of(context.len(), size, size)?));
        }
        self.clear();
        Ok(Costs { batches, prefill_ms })
    }
}

impl Transformer for Model<'_> {
    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn is_stop(&self, token: Token) -> bool {
        usize::try_from(token).ok().and_then(|t| self.stops.get(t)).copied().unwrap_or(true)
    }

    fn fim(&self) -> FimTokens {
        self.fim
    }

    fn tokenize(&self, text: &str) -> Vec<Token> {
        let tokens = self.model.vocab().tokenize(text.as_bytes(), false, false);
        tokens.into_iter().map(|token| token.0).collect()
    }

    fn wear(&mut self, adapters: &[Adapter]) -> Result<bool, String> {
        let is_new = self.adapters.read(adapters)?;
        if is_new {
            // The old one goes when there is a new one, so that without memory for both the old one stays.
            self.context = self.room.context(self.model)?;
            self.adapters.counted();
        }
        self.adapters.put_on(&mut self.context, adapters)?;
        self.adapters.tidy(adapters.len());
        Ok(!is_new)
    }

    fn evaluate(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String> {
        self.context.evaluate(sequence, position, tokens, rows)
    }

    fn best(&self, row: usize, remains: &[u8]) -> Option<Token> {
        let logits = self.context.logits(row);
        let better = |best: Option<(Token, f32)>, (token, logit): (Token, f32)| match best {
            Some((t, l)) if l > logit || (l == logit && t < token) => Some((t, l)),
            _ if logit.is_nan() => best,
            _ => Some((token, logit)),
        };
        let best = if remains.is_empty() {
            (0..).zip(logits.iter().copied()).fold(None, better)
        } else {
            let logit = |t: Token| Some((t, *logits.get(t as usize)?));
            self.vocabulary.candidates(remains).filter_map(logit).fold(None, better)
        };
        best.map(|(token, _)| token)
    }

    fn ranked(&self, row: usize, most: usize, fit: &dyn Fn(&[u8]) -> bool) -> Vec<(Token, f32)> {
        ranking::ranked(self.context.logits(row), most, &|token| {
            fit(self.vocabulary.bytes_of(token))
        })
    }

    fn ln_probability(&self, row: usize, token: Token) -> f32 {
        ranking::ln_probability(self.context.logits(row), token)
    }

    fn is_near_tie(&self, row: usize) -> bool {
        let mut best = [f32::NEG_INFINITY; 2];
        for &logit in self.context.logits(row) {
            if logit > best[0] {
                best = [logit, best[0]];
            } else if logit > best[1] {
                best[1] = logit;
            }
        }
        best[0] - best[1] < NEAR_TIE
    }

    fn truncate(&mut self, sequence: usize, length: usize) {
        self.context.truncate(sequence, length);
    }

    fn fork(&mut self, from: usize, to: usize, length: usize) {
        self.context.fork(from, to, length);
    }

    fn clear(&mut self) {
        self.context.clear();
    }

    fn save(&mut self, sequence: usize) -> Result<Vec<u8>, String> {
        self.context.save(sequence)
    }

    fn load(&mut self, sequence: usize, state: &[u8]) -> Result<(), String> {
        self.context.load(sequence, state)
    }
}
