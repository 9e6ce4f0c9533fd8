//! llama.cpp: the only file that names `llama_cpp_2`.
//!
//! In: requests. Out: text and figures. One thread owns the model's context; it takes the newest
//! request first, looks for a newer one between any two pieces of work, and resumes the older one
//! afterwards from what the KV cache still holds.
//!
//! It refuses files without fill-in-the-middle tokens; that a file is sound is checked before, by
//! `model::gguf`, because llama.cpp can abort on a bad one. It runs only in the engine's process.

pub mod quantize;
pub mod trial;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::mpsc as blocking;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token_type::LlamaTokenAttr;
use tokio::sync::{mpsc, watch};

use super::cache::{Cache, Plan};
use super::healing::{self, Token, Vocabulary};
use super::writer::Writer;
use super::{About, Answer, Engine, Event, Figures, Request, State};
use crate::prompt::Prompt;

/// Tokens evaluated in one go before looking for a newer request: the most that a newer one waits
/// for. On 2 cores with the 0.5B (tokens/s, `tandem doctor`): pieces of 16 give 147, 32 185, 64 223,
/// 128 237, 512 250. Nothing of a piece is lost when its document is asked for again.
const PIECE: usize = 64;

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
    /// Layers to put on a GPU, where the build has one; `None` for all that llama.cpp finds room for.
    pub gpu_layers: Option<u32>,
    /// Tokens that one document's context may hold.
    pub context_tokens: u32,
    /// How many documents keep their context at the same time.
    pub documents: u32,
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
        }
    }
}

/// A model that is loading or loaded, on its own thread.
pub struct Llama {
    jobs: blocking::Sender<Job>,
    state: watch::Receiver<State>,
}

struct Job {
    request: Request,
    events: mpsc::UnboundedSender<Event>,
    arrived: Instant,
    /// Bytes of text already sent, when it was pre-empted and starts again.
    sent: usize,
}

impl Llama {
    /// Starts the thread and begins to load. Requests may be made at once; they wait.
    pub fn start(options: Options) -> Llama {
        let (jobs, inbox) = blocking::channel();
        let (tell, state) = watch::channel(State::Loading { fraction: 0.0 });
        std::thread::Builder::new()
            .name("llama".into())
            .spawn(move || {
                if let Err(message) = run(&options, &inbox, &tell) {
                    tell.send_replace(State::Failed { message: message.clone() });
                    while let Ok(job) = inbox.recv() {
                        let _ = job.events.send(Event::Failed(message.clone()));
                    }
                }
            })
            // The system refuses a thread only when it is out of resources; nothing works then.
            .expect("a thread for the model");
        Llama { jobs, state }
    }
}

impl Engine for Llama {
    fn complete(&self, request: Request) -> Answer {
        let (answer, events) = Answer::new();
        let job = Job { request, events, arrived: Instant::now(), sent: 0 };
        match self.jobs.send(job) {
            Ok(()) => answer,
            Err(_) => Answer::failed("the model's thread is gone"),
        }
    }

    fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
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

/// The instruction sets that this build of llama.cpp uses, as it lists them.
pub fn cpu_features() -> Vec<String> {
    // SAFETY: returns a pointer to a static string, rewritten by each call; copied at once.
    let info = unsafe { std::ffi::CStr::from_ptr(llama_cpp_sys_2::llama_print_system_info()) };
    let info = info.to_string_lossy().into_owned();
    info.split(['|', ':'])
        .filter_map(|field| field.trim().strip_suffix("= 1"))
        .map(|name| name.trim().to_owned())
        .collect()
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
    inbox: &blocking::Receiver<Job>,
    tell: &watch::Sender<State>,
) -> Result<(), String> {
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    let backend = LlamaBackend::init().map_err(|e| format!("llama.cpp does not start: {e}"))?;
    let model = load(&backend, options, tell.clone())?;
    let threads = match options.threads {
        0 => crate::machine::physical_cores(),
        threads => threads,
    };
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(options.context_tokens * options.documents))
        .with_n_seq_max(options.documents)
        .with_n_batch(512)
        .with_n_ubatch(512)
        .with_n_threads(threads as i32)
        .with_n_threads_batch(threads as i32);
    let context = model.new_context(&backend, params).map_err(|e| {
        format!("no memory for the model's context: {e}; set a smaller `engine.context_tokens`")
    })?;
    let mut worker = Worker::new(&model, context, options)?;
    worker.warm_up()?;
    tell.send_replace(State::Ready(About {
        model: name_of(&options.model),
        pid: std::process::id(),
        threads,
        context_tokens: options.context_tokens,
    }));
    worker.serve(inbox);
    Ok(())
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
    let params = match options.gpu_layers {
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

/// The tokens around prefix, suffix and middle.
struct FimTokens {
    prefix: Token,
    suffix: Token,
    middle: Token,
}

/// Why a job stopped being worked on.
#[derive(PartialEq)]
enum End {
    Finished,
    Preempted,
}

struct Worker<'m> {
    model: &'m LlamaModel,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    cache: Cache,
    vocabulary: Vocabulary,
    stops: Vec<bool>,
    fim: FimTokens,
    context_tokens: usize,
    /// The tokens of the last few texts, which are mostly the same prefix and suffix again.
    tokenized: Vec<(String, Vec<Token>)>,
}

impl<'m> Worker<'m> {
    fn new(
        model: &'m LlamaModel,
        context: LlamaContext<'m>,
        options: &Options,
    ) -> Result<Self, String> {
        let vocab = model.vocab();
        let (prefix, suffix, middle) = (vocab.fim_pre(), vocab.fim_suf(), vocab.fim_mid());
        if prefix.0 < 0 || suffix.0 < 0 || middle.0 < 0 {
            return Err(format!(
                "{} cannot fill in the middle: its vocabulary has no such tokens. \
                 Use a code model that can, for example `tandem model pull qwen2.5-coder-0.5b`",
                name_of(&options.model)
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
        Ok(Worker {
            model,
            context,
            batch: LlamaBatch::new(512, 1),
            cache: Cache::new(options.documents as usize),
            vocabulary: Vocabulary::new(texts),
            stops,
            fim: FimTokens { prefix: prefix.0, suffix: suffix.0, middle: middle.0 },
            context_tokens: options.context_tokens as usize,
            tokenized: Vec::new(),
        })
    }

    /// Runs each kind of batch once, so that the first request does not pay for memory that
    /// llama.cpp takes at first use.
    fn warm_up(&mut self) -> Result<(), String> {
        let tokens = vec![self.fim.prefix; PIECE];
        let warmed = self.decode(0, 0, &tokens).and_then(|()| self.decode(0, PIECE, &tokens[..1]));
        self.forget(0, 0);
        warmed
    }

    fn serve(&mut self, inbox: &blocking::Receiver<Job>) {
        let mut jobs: Vec<Job> = Vec::new();
        loop {
            jobs.extend(inbox.try_iter());
            jobs.retain(|job| !job.events.is_closed());
            let Some(mut job) = jobs.pop() else {
                match inbox.recv() {
                    Ok(job) => jobs.push(job),
                    Err(_) => return,
                }
                continue;
            };
            let mut newer = || {
                let before = jobs.len();
                jobs.extend(inbox.try_iter());
                jobs.len() > before
            };
            match self.work(&mut job, &mut newer) {
                Ok(End::Finished) => {}
                // The older job goes below the newer ones.
                Ok(End::Preempted) => jobs.insert(0, job),
                Err(message) => {
                    // What llama.cpp kept of a failed batch is unknown: start over.
                    self.context.clear_kv_cache();
                    let count = self.cache.len();
                    self.cache = Cache::new(count);
                    let _ = job.events.send(Event::Failed(message));
                }
            }
        }
    }

    /// Works on a job until it is finished, unwanted, or a newer one arrives.
    fn work(&mut self, job: &mut Job, newer: &mut dyn FnMut() -> bool) -> Result<End, String> {
        let started = Instant::now();
        let mut figures =
            Figures { queue_ms: (started - job.arrived).as_secs_f64() * 1e3, ..Figures::default() };
        let Request { prompt, max_tokens, stop } = &job.request;
        let kept = healing::kept(&prompt.middle);
        let word = prompt.middle.as_bytes()[kept..].to_vec();
        let base = self.base(prompt, kept, *max_tokens as usize + word.len());
        let vocabulary = &self.vocabulary;
        let plan = self.cache.plan(&base, &word, |t| vocabulary.bytes_of(t).to_vec());
        let Plan { sequence, given, chosen } = plan;
        figures.reused = (given + chosen) as u32;
        tracing::debug!(
            sequence, base = base.len(), given, chosen, held = self.cache.sequence(sequence).len(),
            word = %String::from_utf8_lossy(&word), "request"
        );

        // What the model chose before and would choose again is text at no cost.
        let mut out = Writer::new(job.events.clone(), word.len(), *stop, job.sent);
        let mut remains: &[u8] = &word;
        let mut free_tokens = 0;
        let again = self.cache.sequence(sequence).tokens_from(base.len())[..chosen].to_vec();
        let mut used = 0;
        while used < again.len() && !out.ended() && free_tokens < *max_tokens {
            let bytes = self.vocabulary.bytes_of(again[used]);
            free_tokens += u32::from(remains.is_empty());
            remains = healing::after(bytes, remains);
            out.push(bytes);
            used += 1;
        }
        if out.ended() || free_tokens >= *max_tokens {
            out.finish(figures);
            return Ok(End::Finished);
        }

        // Evaluate what is missing; at least one token, for its logits.
        let mut length = given + chosen;
        let mut missing: Vec<Token> = base[given.min(base.len())..].to_vec();
        if missing.is_empty() {
            length -= 1;
            missing = self.cache.sequence(sequence).tokens_from(length)[..1].to_vec();
        }
        self.forget(sequence, length);
        let rest_is_given = given < base.len();
        let sequence_state = self.cache.sequence(sequence);
        let chosen_under = if rest_is_given { None } else { sequence_state.chosen_under(length) };
        sequence_state.truncate(length);
        for piece in missing.chunks(PIECE) {
            if out.unwanted() {
                return Ok(End::Finished);
            }
            if newer() {
                job.sent = out.sent();
                return Ok(End::Preempted);
            }
            self.decode(sequence, length, piece)?;
            length += piece.len();
            figures.evaluated += piece.len() as u32;
            let state = self.cache.sequence(sequence);
            for &token in piece {
                match &chosen_under {
                    Some(under) => state.push_chosen(token, under),
                    None => state.push_given(token),
                }
            }
        }

        let mut first_free: Option<Instant> = None;
        let begun = |figures: Figures| Figures {
            prefill_ms: started.elapsed().as_secs_f64() * 1e3,
            ..figures
        };
        loop {
            let token = self.choose(remains);
            let Some(token) = token.filter(|&t| !self.stops[t as usize]) else { break };
            if remains.is_empty() {
                if first_free.is_none() {
                    first_free = Some(Instant::now());
                    out.begin(begun(figures));
                }
                free_tokens += 1;
            }
            let bytes = self.vocabulary.bytes_of(token).to_vec();
            out.push(&bytes);
            if out.ended() || free_tokens >= *max_tokens || length + 1 >= self.context_tokens {
                break;
            }
            if out.unwanted() {
                return Ok(End::Finished);
            }
            if newer() {
                job.sent = out.sent();
                return Ok(End::Preempted);
            }
            self.decode(sequence, length, &[token])?;
            length += 1;
            self.cache.sequence(sequence).push_chosen(token, remains);
            if remains.is_empty() {
                figures.generated += 1;
            } else {
                figures.evaluated += 1;
            }
            remains = healing::after(&bytes, remains);
        }
        let ended = Instant::now();
        let first = first_free.unwrap_or(ended);
        figures.prefill_ms = (first - started).as_secs_f64() * 1e3;
        figures.decode_ms = (ended - first).as_secs_f64() * 1e3;
        out.finish(figures);
        Ok(End::Finished)
    }

    /// The prompt's tokens without the word being typed, cut at the front to leave room.
    fn base(&mut self, prompt: &Prompt, kept: usize, room: usize) -> Vec<Token> {
        let room = room.min(self.context_tokens / 2);
        let prefix = self.tokenize(&prompt.prefix);
        let suffix = self.tokenize(&prompt.suffix);
        let middle = self.tokenize(&prompt.middle[..kept]);
        let most = self.context_tokens.saturating_sub(room + 3);
        let middle = &middle[middle.len().saturating_sub(most)..];
        let suffix = &suffix[..suffix.len().min(most - middle.len())];
        let prefix_room = most - middle.len() - suffix.len();
        let prefix = &prefix[prefix.len().saturating_sub(prefix_room)..];
        let mut base = Vec::with_capacity(prefix.len() + suffix.len() + middle.len() + 3);
        base.push(self.fim.prefix);
        base.extend(prefix);
        base.push(self.fim.suffix);
        base.extend(suffix);
        base.push(self.fim.middle);
        base.extend(middle);
        base
    }

    /// Text as tokens. What looks like a special token in somebody's file is plain text.
    fn tokenize(&mut self, text: &str) -> Vec<Token> {
        if let Some((_, tokens)) = self.tokenized.iter().find(|(known, _)| known == text) {
            return tokens.clone();
        }
        let tokens = self.model.vocab().tokenize(text.as_bytes(), false, false);
        let tokens: Vec<Token> = tokens.into_iter().map(|token| token.0).collect();
        if self.tokenized.len() >= 16 {
            self.tokenized.remove(0);
        }
        self.tokenized.push((text.to_owned(), tokens.clone()));
        tokens
    }

    /// Evaluates tokens (at most [`PIECE`]) at a position; the last one's logits can be read then.
    fn decode(&mut self, sequence: usize, position: usize, tokens: &[Token]) -> Result<(), String> {
        self.batch.clear();
        for (i, &token) in tokens.iter().enumerate() {
            let last = i + 1 == tokens.len();
            self.batch
                .add(LlamaToken(token), (position + i) as i32, &[sequence as i32], last)
                .map_err(|e| format!("llama.cpp: {e}"))?;
        }
        self.context.decode(&mut self.batch).map_err(|e| format!("llama.cpp cannot decode: {e}"))
    }

    fn forget(&mut self, sequence: usize, from: usize) {
        // It fails only for numbers beyond i32, which no context reaches.
        let _ = self.context.clear_kv_cache_seq(Some(sequence as u32), Some(from as u32), None);
    }

    /// The best next token: of all when nothing remains to be forced, else of those that fit.
    /// Among equals the lowest number wins. `None` when no token fits.
    fn choose(&self, remains: &[u8]) -> Option<Token> {
        let logits = self.context.get_logits_ith(self.batch.n_tokens() - 1);
        let better = |best: Option<(Token, f32)>, (token, logit): (Token, f32)| match best {
            Some((t, l)) if l > logit || (l == logit && t < token) => Some((t, l)),
            _ if logit.is_nan() => best,
            _ => Some((token, logit)),
        };
        let best = if remains.is_empty() {
            (0..).zip(logits.iter().copied()).fold(None, better)
        } else {
            let logit = |t: Token| (t, logits[t as usize]);
            self.vocabulary.candidates(remains).map(logit).fold(None, better)
        };
        best.map(|(token, _)| token)
    }
}
