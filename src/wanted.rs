//! From the settings to the engine that they want, for whoever starts one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::engine::llama::{self, Draft, Options};
use crate::engine::process::{Idle, ProcessEngine, Wanted, Worn};
#[cfg(feature = "net")]
use crate::engine::remote::RemoteEngine;
use crate::engine::states::StateOptions;
use crate::engine::{self, Adapter, Engine};
use crate::lsp::SharedSettings;
use crate::model::{Store, choice, gguf, optimize};
use crate::settings::{self, Layers, RemoteSettings, Settings};

/// The user's own settings as the first of the four layers.
///
/// # Errors
/// When the file cannot be read, as a sentence.
pub fn user_layers() -> Result<Layers, String> {
    let Some(file) = settings::user_file() else { return Ok(Layers::default()) };
    Ok(Layers { user: settings::read_user_file(&file)?, ..Layers::default() })
}

/// How to run the model that the settings name.
///
/// # Errors
/// When it is not there, as a sentence with the command that gets it.
pub fn options(settings: &Settings, store: &Store) -> Result<Options, String> {
    let path = settings.model_path.as_deref();
    let model = choice::choose(store, &settings.model, path, video_memory());
    let model = model.map_err(|error| error.to_string())?;
    let (model, warning) = file_of(settings, store, &model);
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    Ok(Options {
        model,
        threads: settings.engine.threads,
        gpu_layers: settings.engine.gpu_layers,
        context_tokens: settings.engine.context_tokens,
        documents: settings.engine.documents,
        guess: settings.engine.guess,
        // Whoever shows problems says what is wrong with it.
        draft: draft(settings, store).ok().flatten(),
        states: states(settings.engine.states_mb),
    })
}

/// The model that is to draft; `None` where the settings name none.
///
/// # Errors
/// When it is not there, as a sentence.
pub fn draft(settings: &Settings, store: &Store) -> Result<Option<Draft>, String> {
    let Some(name) = &settings.engine.draft else { return Ok(None) };
    let model = match store.find(name) {
        Ok(installed) if settings.engine.optimized => {
            optimize::file_in_use(store, &installed.path).0
        }
        Ok(installed) => installed.path,
        Err(error) => {
            return Err(format!("`engine.draft`: {error}. Completions go on without drafts"));
        }
    };
    Ok(Some(Draft { model, tokens: None }))
}

/// What is wrong with the model that is to draft for `model`, as far as their headers tell.
pub fn unusable_draft(settings: &Settings, store: &Store, model: &Path) -> Option<String> {
    let Draft { model: file, .. } = match draft(settings, store) {
        Ok(draft) => draft?,
        Err(problem) => return Some(problem),
    };
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let own = gguf::inspect(&file).and_then(|summary| summary.require_usable().cloned());
    let fit = match own {
        // What is wrong with the other one is said elsewhere.
        Ok(own) => gguf::inspect(model).map_or(true, |model| model.fim == Some(own)),
        Err(error) => return Some(format!("the draft model {name}: {error}")),
    };
    (!fit).then(|| {
        format!(
            "the draft model {name} has other tokens than the model that it should draft for; \
             completions go on without drafts. Take a smaller one of the same family for `engine.draft`"
        )
    })
}

/// The adapters that the settings name and that are there.
pub fn adapters(settings: &Settings, store: &Store) -> Vec<Adapter> {
    let used = settings.engine.adapters.iter().filter(|(_, scale)| **scale > 0.0);
    used.filter_map(|(name, &scale)| {
        let file = store.adapter(name)?;
        let about = std::fs::metadata(&file).ok()?;
        let mut version = DefaultHasher::new();
        (about.len(), about.modified().ok()).hash(&mut version);
        Some(Adapter { file, version: version.finish(), scale })
    })
    .collect()
}

/// A sentence for each adapter that the settings name and that is not there.
pub fn missing_adapters(settings: &Settings, store: &Store) -> Vec<String> {
    let names = settings.engine.adapters.keys().filter(|name| store.adapter(name).is_none());
    names
        .map(|name| {
            format!(
                "there is no adapter {name:?}, which `engine.adapters` names; completions go on \
                 without it. `tandem model import FILE` brings one in, `tandem model list` shows \
                 those that are here"
            )
        })
        .collect()
}

/// A sentence for each part beside the model that cannot be used: adapters that are not there, or not of the model in
/// use (with such a one nothing would be completed, and nobody would say why), and a draft model that does not fit.
pub fn unusable_parts(settings: &Settings, store: &Store) -> Vec<String> {
    let mut said = missing_adapters(settings, store);
    let worn = adapters(settings, store);
    // The model's header is read only where something is held against it.
    if worn.is_empty() && settings.engine.draft.is_none() {
        return said;
    }
    let Ok(Options { model, .. }) = options(settings, store) else { return said };
    said.extend(unusable_draft(settings, store, &model));
    said.extend(worn.iter().filter_map(|adapter| {
        let looked_at = gguf::inspect_adapter(&adapter.file).and_then(|about| about.fits(&model));
        let error = looked_at.err()?;
        let name = adapter.file.file_stem().unwrap_or_default().to_string_lossy();
        Some(format!(
            "the adapter {name} {error}. Nothing is completed until it is out of `engine.adapters`"
        ))
    }));
    said
}

/// Where states are kept; nowhere when they may take no room or the user has no folder for them.
fn states(megabytes: u32) -> Option<StateOptions> {
    let folder = engine::states::folder().filter(|_| megabytes > 0)?;
    Some(StateOptions { folder, cap: u64::from(megabytes) << 20 })
}

/// The file that is really run for the model at `path`, and what a person should hear about it:
/// the one that `tandem model optimize` made for this CPU, where the settings allow it and it is
/// valid. A file that the settings name is run as it is.
pub fn file_of(settings: &Settings, store: &Store, path: &Path) -> (PathBuf, Option<String>) {
    if !settings.engine.optimized || settings.model_path.is_some() {
        return (path.to_owned(), None);
    }
    optimize::file_in_use(store, path)
}

/// Bytes of the largest GPU that this build can use. Asked once, and in a build without GPU support
/// not at all: a driver takes memory in every process that asks it.
pub fn video_memory() -> Option<u64> {
    static ANSWER: OnceLock<Option<u64>> = OnceLock::new();
    if !cfg!(any(feature = "cuda", feature = "metal", feature = "vulkan")) {
        return None;
    }
    *ANSWER.get_or_init(|| llama::gpus().iter().map(|gpu| gpu.memory_bytes).max())
}

/// The engine for settings that may change while it runs; whether it is one on other machines is decided here
/// and stays so.
///
/// # Errors
/// When our own program or the folder of models cannot be found, or an engine elsewhere cannot be asked, as a
/// sentence.
pub fn engine(shared: &SharedSettings, store: Store) -> Result<Arc<dyn Engine>, String> {
    let remote = shared.get().remote.clone();
    if remote.addresses.is_empty() {
        return Ok(Arc::new(process(shared, store)?));
    }
    let local: Option<Arc<dyn Engine>> =
        if remote.local { Some(Arc::new(process(shared, store)?)) } else { None };
    elsewhere(remote, local)
}

#[cfg(feature = "net")]
fn elsewhere(
    remote: RemoteSettings,
    local: Option<Arc<dyn Engine>>,
) -> Result<Arc<dyn Engine>, String> {
    let certificates = remote.ca_file.map(|file| {
        std::fs::read(&file)
            .map_err(|error| format!("`remote.ca_file`, {}: {error}", file.display()))
    });
    let options = engine::remote::Options {
        addresses: remote.addresses,
        model: remote.model,
        family: remote.family,
        key_helper: remote.key_helper,
        keyring: true,
        certificates: certificates.transpose()?,
        insecure_http: remote.insecure_http,
    };
    Ok(Arc::new(RemoteEngine::new(&options, local)?))
}

#[cfg(not(feature = "net"))]
fn elsewhere(
    _remote: RemoteSettings,
    _local: Option<Arc<dyn Engine>>,
) -> Result<Arc<dyn Engine>, String> {
    Err("this tandem was built to open no connection, so `remote.addresses` cannot be used".into())
}

fn process(shared: &SharedSettings, store: Store) -> Result<ProcessEngine, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find tandem itself: {e}"))?;
    let of_editor = shared.clone();
    let idle: Idle = Arc::new(move || of_editor.get().idle());
    let settings = shared.clone();
    let (with_adapters, adapters_in) = (shared.clone(), store.clone());
    let worn: Worn = Arc::new(move || adapters(&with_adapters.get(), &adapters_in));
    let wanted: Wanted = Arc::new(move || options(&settings.get(), &store));
    Ok(ProcessEngine::new(program, idle, wanted).wearing(worn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gguf::builder::{Builder, Value};

    fn empty_store() -> (tempfile::TempDir, Store) {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::new(scratch.path().to_owned());
        (scratch, store)
    }

    fn put(folder: &tempfile::TempDir, file: &str, builder: &Builder) {
        std::fs::write(folder.path().join(file), builder.bytes()).unwrap();
    }

    #[test]
    fn an_adapter_that_is_not_there_or_does_not_fit_is_told_and_one_that_fits_is_not() {
        let (scratch, store) = empty_store();
        let put = |file, builder| put(&scratch, file, &builder);
        std::fs::create_dir(store.adapters().folder()).unwrap();
        put("mine.gguf", Builder::qwen());
        put("adapters/fits.gguf", Builder::adapter());
        let wide = Builder::bare_adapter().tensor("output.weight.lora_a", &[128, 4], 0).tensor(
            "output.weight.lora_b",
            &[4, 2],
            0,
        );
        put("adapters/wide.gguf", wide);
        let told = |name: &str| {
            let mut settings = Settings { model: "mine".to_owned(), ..Settings::default() };
            settings.engine.adapters.insert(name.to_owned(), 1.0);
            unusable_parts(&settings, &store)
        };
        assert_eq!(told("fits"), [""; 0]);
        assert!(told("absent")[0].contains("no adapter \"absent\""), "{:?}", told("absent"));
        assert!(told("wide")[0].contains("128 by 2"), "{:?}", told("wide"));
    }

    #[test]
    fn a_draft_model_that_is_not_there_or_has_other_tokens_is_told_and_one_that_fits_is_used() {
        let (scratch, store) = empty_store();
        let put = |file, builder| put(&scratch, file, &builder);
        put("mine.gguf", Builder::qwen());
        put("small.gguf", Builder::qwen());
        let tokens = ["b", "a", "<|fim_suffix|>", "<|fim_prefix|>", "<|fim_middle|>"];
        let tokens = Value::Strings(tokens.map(str::to_owned).to_vec());
        put("other.gguf", Builder::qwen().replacing("tokenizer.ggml.tokens", tokens));
        let with = |draft: &str| {
            let mut settings = Settings { model: "mine".to_owned(), ..Settings::default() };
            settings.engine.draft = Some(draft.to_owned());
            let used = options(&settings, &store).unwrap().draft.map(|draft| draft.model);
            (used, unusable_parts(&settings, &store))
        };
        assert_eq!(with("small"), (Some(scratch.path().join("small.gguf")), vec![]));
        let (used, told) = with("absent");
        assert!(used.is_none() && told[0].contains("absent"), "{told:?}");
        assert!(with("other").1[0].contains("has other tokens"), "{:?}", with("other"));
    }
}
