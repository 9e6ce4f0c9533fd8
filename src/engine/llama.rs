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
mod learning;
mod model;
mod offload;
pub mod quantize;
pub mod trial;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use tokio::sync::watch;

pub use self::backends::built_libraries;
pub use self::context::GPU;
use self::context::{Context, Shape};
use self::learning::Place;
use self::model::{Measured, Model, Room};
use super::draft::{Drafter, Terms};
use super::interrupt::Interrupt;
use super::states::{StateOptions, States};
use super::transformer::Transformer;
use super::worker::{Job, Order, Parts, Worker};
use super::{About, Answer, Engine, Request, State, sandbox};

/// Sequences besides one for each document: for the head before a jump, the quick one, the next.
const SPARE_SEQUENCES: u32 = 2;
/// The KV cache takes at most this part of the machine's memory.
const MEMORY_PART: u64 = 16;

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
    /// A small model that drafts for this one.
    pub draft: Option<Draft>,
    /// Where to keep states on disk; `None` to keep none.
    pub states: Option<StateOptions>,
}

/// A model that drafts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its GGUF file, with the tokens of the model that it drafts for.
    pub model: PathBuf,
    /// Tokens to draft each time; `None` for as many as pay on this machine.
    pub tokens: Option<u32>,
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
            draft: None,
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
    // First, so that how much of the other one fits on a GPU is counted with it there.
    let draft = options.draft.as_ref().and_then(|draft| {
        let own = Options { model: draft.model.clone(), ..options.clone() };
        let loaded = load(&backend, &own, |_| {});
        loaded.map_err(|problem| aside(&problem)).ok()
    });
    let progress = tell.clone();
    let model = load(&backend, options, move |fraction| {
        progress.send_replace(State::Loading { fraction });
    })?;
    let threads = match options.threads {
        0 => crate::machine::physical_cores(),
        threads => threads,
    };
    let sequences = sequences(options, &model);
    let shape = Shape { tokens: options.context_tokens, sequences, threads };
    let room = Room { shape, interrupt: interrupt.clone() };
    let mut model = Model::new(&model, room.clone(), &options.model)?;
    let name = states_name(&options.model, options.context_tokens);
    let place = options.states.as_ref().zip(name.as_ref()).map(|(states, name)| Place {
        folder: states.folder.clone(),
        name: format!("{name} {threads}"),
    });
    let mut costs = learning::known(place.as_ref());
    if costs.is_none() && draft.is_some() {
        // How much to draft, if anything, follows from it.
        costs = model.measure(0, &mut Measured::default(), &mut || false)?;
        model.truncate(0, 0);
        costs.iter().for_each(|costs| learning::note(place.as_ref(), costs));
    }
    let wanted = options.draft.as_ref().zip(draft.as_ref()).zip(costs.as_ref());
    let drafter = wanted.and_then(|((options, draft), costs)| {
        let drafter = drafter(draft, options, room, &model, &costs.batches);
        drafter.map_err(|problem| aside(&problem)).ok()
    });
    let learnt = learning::learnt(costs.as_ref(), options.guess);
    tracing::debug!(?costs, learnt.quick_tokens, sequences, "batch sizes and ms");
    let about = About {
        model: name_of(&options.model),
        draft: options.draft.as_ref().zip(drafter.as_ref()).map_or_else(
            String::new,
            |(draft, at)| {
                let tokens = match at.usual() {
                    0 => "drafts nothing, since that would not pay here".to_owned(),
                    tokens => format!("{tokens} tokens at a time"),
                };
                format!("{}: {tokens}", name_of(&draft.model))
            },
        ),
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
        quick_tokens: learnt.quick_tokens,
        interrupt,
        guess: learnt.guess,
        drafter,
        learn: costs.is_none().then(|| learning::learn(place, options.guess)),
        states: options.states.clone().zip(name).and_then(|(states, name)| open(states, &name)),
    });
    backends::hush();
    tell.send_replace(State::Ready(about));
    worker.serve(inbox, busy);
    Ok(())
}

/// Says why nothing is drafted; the model goes on alone.
fn aside(problem: &str) {
    tracing::warn!("the draft model is left aside: {problem}");
}

/// The draft model at work for `model`, whose batches cost that much.
fn drafter<'m>(
    draft: &'m LlamaModel,
    options: &Draft,
    room: Room,
    model: &Model<'_>,
    batches: &[(usize, f64)],
) -> Result<Drafter<Model<'m>>, String> {
    let sequences = room.shape.sequences as usize;
    let mut draft = Model::new(draft, room, &options.model)?;
    if !draft.speaks_as(model) {
        let name = name_of(&options.model);
        return Err(format!("{name} has other tokens than the model that it should draft for"));
    }
    let terms = Terms {
        batches: batches.to_vec(),
        token: draft.cost_of_a_token()?,
        always: options.tokens.map(|tokens| tokens as usize),
    };
    tracing::debug!(token_ms = terms.token, "a drafted token");
    Ok(Drafter::new(draft, sequences, &terms))
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
    progress: impl Fn(f32) + Send + 'static,
) -> Result<LlamaModel, String> {
    let path = &options.model;
    if !path.is_file() {
        return Err(format!(
            "there is no model at {}; `tandem model pull` gets one",
            path.display()
        ));
    }
    let params = LlamaModelParams::default().with_progress_callback(move |fraction| {
        progress(fraction);
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
