//! `tandem doctor`: what this machine and this build can do, measured, and what to change.
//!
//! It loads the model through the engine's process, as a server would, so what it finds is what an
//! editor will meet.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::engine::llama::{self, Gpu};
use crate::engine::{About, Engine, Event, Figures, Request, State, Stop};
use crate::lsp::SharedSettings;
use crate::model::{self, DEFAULT, ModelError, Store, choice, gguf, optimize};
use crate::prompt::Prompt;
use crate::settings::{RemoteSettings, Settings};
use crate::{machine, settings, wanted};

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Everything that is found out.
#[derive(Debug, Serialize)]
pub struct Findings {
    version: &'static str,
    build: String,
    features: Vec<&'static str>,
    cpu_features: Vec<String>,
    cores: u32,
    memory_bytes: u64,
    gpus: Vec<Gpu>,
    settings_file: Option<std::path::PathBuf>,
    settings_warnings: Vec<String>,
    /// Which model answers on another machine, and how fast; where one is wanted.
    elsewhere: Option<String>,
    model: Option<Model>,
    speed: Option<Speed>,
    /// What keeps the engine's process from doing anything else, in words.
    sandbox: Option<String>,
    /// The model that drafts for it, and how much at a time.
    draft: Option<String>,
    recommended: String,
    recommended_because: String,
    /// What stands between this machine and completions, each with its remedy.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Model {
    path: std::path::PathBuf,
    /// Whether these weights were chosen for this CPU, in words.
    weights: String,
    /// The adapters that the settings put on it, each with what it is or why it cannot be used.
    adapters: Vec<String>,
    #[serde(flatten)]
    summary: model::gguf::Summary,
}

/// Tokens a second with the model at hand.
#[derive(Clone, Copy, Debug, Serialize)]
struct Speed {
    prefill_tokens_per_second: f64,
    decode_tokens_per_second: f64,
}

/// Finds out and prints. `true` when completions will work.
pub async fn run(json: bool) -> bool {
    let findings = examine().await;
    let mut out = anstream::stdout();
    // A reader that has gone is no error.
    let _ = if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&findings).unwrap_or_default())
    } else {
        write!(out, "{}", findings.table())
    };
    findings.problems.is_empty()
}

async fn examine() -> Findings {
    let mut problems = Vec::new();
    let layers = wanted::user_layers().unwrap_or_else(|problem| {
        problems.push(problem);
        settings::Layers::default()
    });
    let (own, settings_warnings) = layers.settings();
    let gpus = llama::gpus();
    let memory_bytes = machine::memory_bytes();
    let store = Store::default_location().map_err(|e| e.to_string());
    let mut elsewhere = None;
    let is_elsewhere = !own.remote.addresses.is_empty();
    let is_here = !is_elsewhere || own.remote.local;
    if is_elsewhere {
        match reach(&own, store.clone()).await {
            Ok(answered) => elsewhere = Some(answered),
            Err(problem) => problems.push(problem),
        }
    }
    // What is on this machine is looked at by itself.
    let shared = SharedSettings::default();
    shared.set(Settings { remote: RemoteSettings::default(), ..own });
    let mut model = None;
    let (mut speed, mut engine) = (None, None);
    match store.and_then(|store| Ok((wanted::options(&shared.get(), &store)?, store))) {
        Ok((options, store)) => match looked_at(&options.model) {
            Ok(summary) => {
                let weights = weights(&shared.get(), &store);
                let (adapters, unfit) = adapters(&shared.get(), &store, &options.model);
                problems.extend(unfit);
                problems.extend(wanted::unusable_draft(&shared.get(), &store, &options.model));
                match measure(&shared, store).await {
                    Ok((measured, about)) => (speed, engine) = (Some(measured), Some(about)),
                    Err(problem) => problems.push(problem),
                }
                model = Some(Model { path: options.model, weights, adapters, summary });
            }
            Err(problem) => problems.push(problem.to_string()),
        },
        Err(problem) if is_here => problems.push(problem),
        Err(_) => {}
    }
    let is_default = model.as_ref().is_some_and(|m| {
        let file = m.path.file_name().map(|f| f.to_string_lossy().into_owned());
        // An optimized file's name begins like its original's.
        let stem = model::Entry::by_name(DEFAULT).map(|entry| entry.file.trim_end_matches(".gguf"));
        file.zip(stem).is_some_and(|(file, stem)| file.starts_with(stem))
    });
    let small = speed.filter(|_| is_default).map(|s| s.decode_tokens_per_second);
    let recommended = model::recommend(memory_bytes, wanted::video_memory(), small);
    Findings {
        version: env!("CARGO_PKG_VERSION"),
        build: llama::build(),
        features: features(),
        cpu_features: llama::cpu_features(),
        cores: machine::physical_cores(),
        memory_bytes,
        gpus,
        settings_file: settings::user_file(),
        settings_warnings,
        elsewhere,
        model,
        speed,
        sandbox: engine.as_ref().map(|about: &About| about.sandbox.clone()),
        draft: engine.map(|about| about.draft).filter(|draft| !draft.is_empty()),
        recommended: recommended.entry.name.to_owned(),
        recommended_because: recommended.reason,
        problems,
    }
}

/// Asks the engines on other machines, and none on this one.
async fn reach(own: &Settings, store: Result<Store, String>) -> Result<String, String> {
    let shared = SharedSettings::default();
    let remote = RemoteSettings { local: false, ..own.remote.clone() };
    shared.set(Settings { remote, ..own.clone() });
    let engine = wanted::engine(&shared, store?)?;
    let figures = timed(&engine, unknown_prompt()).await?;
    match &*engine.state().borrow() {
        State::Ready(about) => {
            Ok(format!("{}, {:.0} ms to its first token", about.model, figures.prefill_ms))
        }
        other => Err(format!("the engine elsewhere is {other:?}")),
    }
}

/// What a sound model's file says of itself.
fn looked_at(file: &Path) -> Result<gguf::Summary, ModelError> {
    choice::check(file)?;
    gguf::inspect(file).map_err(|source| ModelError::Gguf { path: file.to_owned(), source })
}

/// How the model's weights stand on this CPU.
fn weights(own: &settings::Settings, store: &Store) -> String {
    if own.model_path.is_some() {
        return "a file of your own, used as it is".to_owned();
    }
    if !own.engine.optimized {
        return "as published, because `engine.optimized` is false".to_owned();
    }
    let path = choice::choose(store, &own.model, None, wanted::video_memory());
    let model =
        path.ok().and_then(|path| store.installed().into_iter().find(|model| model.path == path));
    let Some(model) = model else { return "as published".to_owned() };
    match wanted::file_of(own, store, &model.path).1 {
        Some(warning) => warning,
        None => optimize::standing(store, &model).words(),
    }
}

/// The adapters in use, in words, and what is wrong with any of them.
fn adapters(own: &Settings, store: &Store, model: &Path) -> (Vec<String>, Vec<String>) {
    let mut unfit = wanted::missing_adapters(own, store);
    let mut used = Vec::new();
    for adapter in wanted::adapters(own, store) {
        let name = adapter.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let looked_at = gguf::inspect_adapter(&adapter.file)
            .and_then(|about| about.fits(model).map(|()| about));
        match looked_at {
            Ok(about) => used.push(format!("{name} at {} (rank {})", adapter.scale, about.rank)),
            Err(error) => unfit.push(format!("the adapter {name} {error}")),
        }
    }
    (used, unfit)
}

fn features() -> Vec<&'static str> {
    let all = [
        ("net", cfg!(feature = "net")),
        ("portable", cfg!(feature = "portable")),
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("vulkan", cfg!(feature = "vulkan")),
    ];
    all.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect()
}

/// Times a prompt that no cache knows, through the engine's process, and hears what that process is.
async fn measure(shared: &SharedSettings, store: Store) -> Result<(Speed, About), String> {
    let engine = wanted::engine(shared, store)?;
    let figures = timed(&engine, unknown_prompt()).await?;
    let per_second = |tokens: u32, ms: f64| f64::from(tokens) / ms.max(0.001) * 1e3;
    let speed = Speed {
        prefill_tokens_per_second: per_second(figures.evaluated, figures.prefill_ms),
        decode_tokens_per_second: per_second(figures.generated, figures.decode_ms),
    };
    let about = match &*engine.state().borrow() {
        State::Ready(about) => about.clone(),
        _ => About { sandbox: "not known".to_owned(), ..About::default() },
    };
    Ok((speed, about))
}

/// That no cache knows.
fn unknown_prompt() -> Prompt {
    let nonce = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let code = include_str!("doctor.rs").get(..2_400).unwrap_or_default();
    Prompt {
        prefix: format!("// {nonce}\n{code}"),
        suffix: "\n".into(),
        middle: "\nfn main() {\n".into(),
        ..Prompt::default()
    }
}

async fn timed(engine: &Arc<dyn Engine>, prompt: Prompt) -> Result<Figures, String> {
    let mut answer = engine.complete(Request::new(prompt, 48, Stop::Never));
    while let Some(event) = answer.next().await {
        match event {
            Event::Done(figures) => return Ok(figures),
            Event::Failed(message) => return Err(message),
            Event::Begun(_) | Event::Text(_) | Event::Forks(_) => {}
        }
    }
    match &*engine.state().borrow() {
        State::Failed { message } => Err(message.clone()),
        _ => Err("the engine did not answer".to_owned()),
    }
}

impl Findings {
    fn table(&self) -> String {
        let gb = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
        let none = || "none".to_owned();
        let gpus: Vec<String> = self
            .gpus
            .iter()
            .map(|gpu| format!("{} ({}, {})", gpu.name, gpu.backend, gb(gpu.memory_bytes)))
            .collect();
        let model = self.model.as_ref().map_or_else(none, |model| {
            let kind = model.summary.file_type.as_deref().unwrap_or("unknown type");
            format!("{} ({kind}, {})", model.path.display(), gb(model.summary.bytes))
        });
        let weights = self.model.as_ref().map_or_else(none, |model| model.weights.clone());
        let adapters = self.model.as_ref().map(|model| model.adapters.join(", "));
        let adapters = adapters.filter(|names| !names.is_empty()).unwrap_or_else(none);
        let speed = self.speed.map_or_else(
            || "not measured".to_owned(),
            |s| {
                let Speed { prefill_tokens_per_second: p, decode_tokens_per_second: d } = s;
                format!("reads {p:.0} tokens/s, writes {d:.0} tokens/s")
            },
        );
        let settings = self.settings_file.as_ref().map_or_else(none, |f| match f.exists() {
            true => f.display().to_string(),
            false => format!("{} (not there; all defaults)", f.display()),
        });
        let rows = [
            ("tandem", format!("{} ({})", self.version, self.features.join(", "))),
            ("engine", self.build.clone()),
            ("processor", format!("{} cores; {}", self.cores, self.cpu_features.join(" "))),
            ("memory", gb(self.memory_bytes)),
            ("GPU", if gpus.is_empty() { none() } else { gpus.join(", ") }),
            ("settings", settings),
            ("elsewhere", self.elsewhere.clone().unwrap_or_else(none)),
            ("model", model),
            ("weights", weights),
            ("adapters", adapters),
            ("draft", self.draft.clone().unwrap_or_else(none)),
            ("speed", speed),
            ("sandbox", self.sandbox.clone().unwrap_or_else(|| "not looked at".to_owned())),
            ("suits you", format!("{}: {}", self.recommended, self.recommended_because)),
        ];
        let mut text = String::new();
        for (name, value) in rows {
            text.push_str(&format!("{BOLD}{name:<10}{BOLD:#} {value}\n"));
        }
        for warning in &self.settings_warnings {
            text.push_str(&format!("{BAD}warning{BAD:#}    {warning}\n"));
        }
        for problem in &self.problems {
            text.push_str(&format!("{BAD}problem{BAD:#}    {problem}\n"));
        }
        if self.problems.is_empty() {
            text.push_str(&format!("{GOOD}Completions will work.{GOOD:#}\n"));
        }
        text
    }
}
