//! Weights for this CPU: the same model in a type that runs faster here, if there is one.
//!
//! In: an installed model. Out: a decision, remembered: a derived file that is at least
//! [`verdict::GAIN`] times as fast here and answers like the original, or that the original is
//! best. Refuses: a machine with a GPU (nothing to gain), a model that is not whole, two at once, a
//! disk without room. Whatever fails, the original stays as it is and stays in use.
//!
//! llama.cpp lays some types of weights out anew when it loads them, so that one instruction works
//! on eight rows. The published files of the small models are mostly of other types. So each
//! candidate is made by llama.cpp's quantizer, timed in turn with the original, and asked what the
//! original answered ([`probes`]); [`verdict`] chooses. All of it happens in processes of their own.
//!
//! ```text
//! models/MODEL.gguf ── workshop: quantize ─▶ MODEL.iq4_nl.unfinished ── workshop: compare ─▶ verdict
//!                                                                          │
//! models/optimized/MODEL.iq4_nl.gguf + MODEL.choice.json ◀── fsync, hash, rename
//! ```

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choice;
use super::digest::{off_thread, sha256_of};
use super::error::ModelError;
use super::progress::{Phase, Progress, Report, Source, silent};
use super::store::{Installed, Receipt, Store, drop_if_there, settle};
use crate::engine::llama::{self, quantize::Recipe, trial::Answered};
use crate::machine;

mod probes;
mod record;
pub mod verdict;
pub mod workshop;

pub use record::{Derived, Machine, Original, Place, Record, Standing};
pub use verdict::Candidate;
use workshop::{Order, Reply, Workshop};

/// How to optimize.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Our own program; where not set, the one that runs.
    pub program: Option<PathBuf>,
    /// 0 for one per core.
    pub threads: u32,
    /// Try even where a decision holds.
    pub again: bool,
    /// Try all recipes, also those that are rarely worth their time.
    pub thorough: bool,
    /// Try this recipe alone and use it whatever the figures say.
    pub only: Option<Recipe>,
}

/// How it went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There is nothing to do here; why, for a person.
    Skipped(String),
    /// A decision was there and holds.
    Known(Standing),
    /// It was decided now; what failed on the way is told as well.
    Decided(Standing, Vec<String>),
}

/// How the model stands on this machine.
pub fn standing(store: &Store, model: &Installed) -> Standing {
    record::standing(store, model, &Machine::here())
}

/// The file to run for the model at `path`: the derived one where there is one that is valid here,
/// else the path itself, with a warning where a derived file should be valid and is not.
///
/// A derived file that no stamp vouches for is read through once.
pub fn file_in_use(store: &Store, path: &Path) -> (PathBuf, Option<String>) {
    let original = || path.to_owned();
    // Most machines have no derived files, and then nothing more need be asked.
    let model = store.installed().into_iter().find(|model| model.path == path);
    let Some(model) = model.filter(|model| Place::of(store, model).record().exists()) else {
        return (original(), None);
    };
    if has_gpu() {
        return (original(), None);
    }
    match standing(store, &model) {
        Standing::Derived(record, derived) => match sound(&record, &derived) {
            Ok(()) => (derived, None),
            Err(error) => (
                original(),
                Some(format!(
                    "the optimized file of {0} is not used: {error}. The original is; \
                     `tandem model optimize {0}` makes the other anew",
                    model.name
                )),
            ),
        },
        Standing::Untried | Standing::Stale(_) | Standing::Original(_) => (original(), None),
    }
}

/// Is it the file that was chosen?
fn sound(record: &Record, derived: &Path) -> Result<(), String> {
    let expected = record.chosen.as_ref().map(|chosen| &chosen.sha256);
    // Its receipt is what the check goes by, so that one must be of this decision.
    let receipt = Receipt::of(derived).map(|receipt| receipt.sha256);
    if receipt.as_ref() != expected {
        return Err("its receipt is missing or of another file".to_owned());
    }
    choice::check(derived).map_err(|error| match error {
        ModelError::Altered { expected, got, .. } => {
            format!("its SHA-256 is {got} where {expected} is recorded")
        }
        other => other.to_string(),
    })
}

/// Reads the derived file through and compares it with what is recorded; `None` without one.
///
/// # Errors
/// [`ModelError::Optimize`] where it differs, [`ModelError::Read`].
pub async fn verify(
    store: &Store,
    model: &Installed,
    report: Report,
) -> Result<Option<Derived>, ModelError> {
    let place = Place::of(store, model);
    let Some(derived) = place.read().and_then(|record| record.chosen) else { return Ok(None) };
    let path = place.folder.join(&derived.file);
    let got = off_thread(move || sha256_of(&path, Source::Local, &report)).await?;
    match got == derived.sha256 {
        true => Ok(Some(derived)),
        false => Err(ModelError::Optimize {
            name: model.name.clone(),
            reason: format!(
                "{} has SHA-256 {got} where {} is recorded, so it is not used",
                derived.file, derived.sha256
            ),
        }),
    }
}

/// Removes all that was derived from a model.
///
/// # Errors
/// [`ModelError::Write`].
pub fn forget(store: &Store, model: &Installed) -> Result<(), ModelError> {
    for file in Place::of(store, model).files() {
        drop_if_there(&file).map_err(|error| ModelError::writing(&file, 0, error))?;
    }
    Ok(())
}

fn has_gpu() -> bool {
    cfg!(any(feature = "cuda", feature = "metal", feature = "vulkan")) && !llama::gpus().is_empty()
}

/// Finds the best weights for a model on this CPU, makes them and remembers the choice.
///
/// Dropping the future stops the work and removes what is unfinished.
///
/// # Errors
/// [`ModelError::Optimize`] and others, each with what to do. The original is untouched then.
pub async fn optimize(
    store: &Store,
    name: &str,
    options: &Options,
    report: &Report,
) -> Result<Outcome, ModelError> {
    let model = store.find(name)?;
    if has_gpu() {
        return Ok(Outcome::Skipped(
            "this build uses the GPU, which needs no other layout of the weights".to_owned(),
        ));
    }
    let here = Machine::here();
    let before = record::standing(store, &model, &here);
    let decided = matches!(before, Standing::Original(_) | Standing::Derived(..));
    if decided && !options.again && !options.thorough && options.only.is_none() {
        return Ok(Outcome::Known(before));
    }
    let failed = |reason: String| ModelError::Optimize { name: model.name.clone(), reason };
    let memory = machine::memory_bytes();
    if model.bytes.saturating_mul(3) > memory && memory > 0 {
        return Ok(Outcome::Skipped(format!(
            "trying other weights needs {} MB of memory, more than this machine has",
            model.bytes * 3 / 1_000_000
        )));
    }
    let place = Place::of(store, &model);
    fs::create_dir_all(&place.folder).map_err(|e| ModelError::writing(&place.folder, 0, e))?;
    let _lock = lock(&place, &model)?;
    clear_unfinished(&place);
    // The best so far and the one being tried.
    check_room(&place, model.bytes.saturating_mul(2))?;

    report(progress(0.0));
    // llama.cpp must not see a file that our own check has not.
    let path = model.path.clone();
    off_thread(move || choice::check(&path)).await?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(|e| failed(format!("where is tandem? {e}")))?,
    };
    let mut bench =
        Bench { place: &place, model: &model, program, threads: options.threads, answers: None };
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut troubles = Vec::new();
    let mut best: Option<Scratch> = None;
    let recipes = match options.only {
        Some(recipe) => vec![recipe],
        None => Recipe::ALL.to_vec(),
    };
    let mut done = 0.0;
    let must_try = options.thorough || options.only.is_some();
    // Mostly the first is enough.
    let stages = if must_try { recipes.len() as f64 } else { 1.0 };
    for recipe in recipes {
        if !must_try && !verdict::is_worth_a_trial(recipe, &candidates) {
            continue;
        }
        let told = |share: f64| report(progress((done + share) / stages));
        match bench.try_out(recipe, must_try, told).await {
            Ok((candidate, file)) => {
                candidates.push(candidate);
                if options.only == Some(recipe) || chosen(&candidates) == Some(recipe) {
                    best = Some(file);
                }
            }
            Err(why) => troubles.push(format!("{recipe}: {why}")),
        }
        done = (done + 1.0_f64).min(stages - 0.1);
    }
    if candidates.is_empty() {
        return Err(failed(troubles.join("; ")));
    }
    let choice = options.only.or(chosen(&candidates));
    let mut record = Record::new(original(&model).await?, here.clone(), candidates);
    let best = choice.and_then(|recipe| best.map(|file| (recipe, file)));
    record.chosen = match best {
        Some((recipe, file)) => Some(keep(&place, recipe, &file).await?),
        None => None,
    };
    place.write(&record)?;
    clear_others(&place, record.chosen.as_ref());
    report(progress(1.0));
    Ok(Outcome::Decided(record::standing(store, &model, &here), troubles))
}

fn chosen(candidates: &[Candidate]) -> Option<Recipe> {
    verdict::best(candidates).map(|candidate| candidate.recipe)
}

/// Progress in thousandths.
fn progress(share: f64) -> Progress {
    let done = (share.clamp(0.0, 1.0) * 1e3) as u64;
    Progress { phase: Phase::Optimizing, done, total: 1_000, source: Source::Local }
}

/// A file that goes when its owner does, unless it got another name.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next attempt.
        let _ = drop_if_there(&self.0);
    }
}

/// What trials have in common.
struct Bench<'a> {
    place: &'a Place,
    model: &'a Installed,
    program: PathBuf,
    threads: u32,
    /// The original's, once it was asked.
    answers: Option<Vec<Answered>>,
}

/// How often to look how much of a file is written.
const LOOK: Duration = Duration::from_millis(200);

impl Bench<'_> {
    /// Makes a candidate and holds it against the original. `told` hears which share is done. One
    /// that does not pay is not asked the probes, unless it must be asked.
    async fn try_out(
        &mut self,
        recipe: Recipe,
        must_be_asked: bool,
        told: impl Fn(f64),
    ) -> Result<(Candidate, Scratch), String> {
        let file = Scratch(self.place.unfinished(recipe));
        let path = file.0.clone();
        let order = Order::Quantize {
            source: self.model.path.clone(),
            target: path.clone(),
            recipe,
            threads: match self.threads {
                0 => machine::physical_cores(),
                threads => threads,
            },
        };
        let mut workshop = Workshop::open(&self.program, &order).await?;
        let written = || fs::metadata(&path).map_or(0, |about| about.len());
        // The child says nothing while it works, so the file itself is watched.
        let mut look = tokio::time::interval(LOOK);
        let replied = workshop.reply();
        tokio::pin!(replied);
        loop {
            tokio::select! {
                reply = &mut replied => {
                    reply?;
                    break;
                }
                _ = look.tick() => {
                    told(0.5 * (written() as f64 / self.model.bytes as f64).min(1.0));
                }
            };
        }
        let bytes = written();

        let order = Order::Compare {
            original: self.model.path.clone(),
            candidate: path.clone(),
            threads: self.threads,
            answers: self.answers.clone(),
        };
        let mut workshop = Workshop::open(&self.program, &order).await?;
        let mut found: Option<Candidate> = None;
        while let Some(reply) = workshop.reply().await? {
            match (reply, &mut found) {
                (Reply::Progress(share), _) => told(0.5 + share / 2.0),
                (Reply::Timed { original, candidate: speed }, _) => {
                    let candidate = Candidate { recipe, bytes, speed, original, agreement: None };
                    let enough = !candidate.pays() && !must_be_asked;
                    found = Some(candidate);
                    if enough {
                        break;
                    }
                }
                (Reply::Agreed { agreement, answers }, Some(found)) => {
                    found.agreement = Some(agreement);
                    self.answers = Some(answers);
                }
                _ => {}
            }
        }
        found.map(|candidate| (candidate, file)).ok_or_else(|| "it measured nothing".to_owned())
    }
}

fn lock(place: &Place, model: &Installed) -> Result<File, ModelError> {
    let path = place.lock();
    let failed = |error| ModelError::writing(&path, 0, error);
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ModelError::OptimizeBusy { name: model.name.clone() }),
        // Some network file systems know no locks; two at once only waste time there.
        Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Ok(()) => Ok(file),
    }
}

/// What an attempt left that was killed. Call with the lock held.
fn clear_unfinished(place: &Place) {
    for recipe in Recipe::ALL {
        // Only space is lost if it stays.
        let _ = drop_if_there(&place.unfinished(recipe));
    }
}

/// Files of earlier decisions.
fn clear_others(place: &Place, chosen: Option<&Derived>) {
    let kept = chosen.map(|chosen| place.derived(chosen.recipe));
    for file in place.files() {
        let belongs = kept
            .as_ref()
            .is_some_and(|kept| file.to_string_lossy().starts_with(&*kept.to_string_lossy()));
        if file != place.record() && !belongs {
            // Only space is lost if it stays.
            let _ = drop_if_there(&file);
        }
    }
}

fn check_room(place: &Place, needed: u64) -> Result<(), ModelError> {
    match machine::free_bytes(&place.folder) {
        Some(free) if free < needed => {
            Err(ModelError::DiskFull { path: place.folder.clone(), missing: needed - free })
        }
        // Where the system does not say, writing will.
        _ => Ok(()),
    }
}

/// What the decision is for.
async fn original(model: &Installed) -> Result<Original, ModelError> {
    let (path, bytes, known) = (model.path.clone(), model.bytes, model.sha256.clone());
    off_thread(move || {
        let about = fs::metadata(&path).map_err(|error| ModelError::reading(&path, error))?;
        let modified = about.modified().map_err(|error| ModelError::reading(&path, error))?;
        let sha256 = match known {
            Some(sha256) => sha256,
            None => sha256_of(&path, Source::Local, &silent())?,
        };
        Ok(Original { bytes, modified, sha256 })
    })
    .await
}

/// Gives the best candidate its final name and its receipt.
async fn keep(place: &Place, recipe: Recipe, file: &Scratch) -> Result<Derived, ModelError> {
    let (fresh, path) = (file.0.clone(), place.derived(recipe));
    off_thread(move || {
        let sha256 = sha256_of(&fresh, Source::Local, &silent())?;
        let about = fs::metadata(&fresh).map_err(|error| ModelError::reading(&fresh, error))?;
        let bytes = about.len();
        let from = "optimize".to_owned();
        settle(&fresh, &path, Some(&Receipt { sha256: sha256.clone(), bytes, from }))?;
        // Leaves the stamp, so that the engine's first start need not hash it again.
        choice::check(&path)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Derived { recipe, file, bytes, sha256 })
    })
    .await
}

#[cfg(all(test, unix))]
mod tests;
