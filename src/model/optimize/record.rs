//! What was decided for a model on this machine, and whether it still holds.
//!
//! In: the record beside the derived file, the model as it is, the machine as it is. Out: a
//! [`Standing`]. Refuses: a decision made on another CPU, by another llama.cpp, or for other bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::verdict::Candidate;
use crate::engine::llama::{self, quantize::Recipe};
use crate::machine;
use crate::model::error::ModelError;
use crate::model::store::{Installed, Store};

/// Counts up when the rules of choosing change so much that old decisions should not hold.
const RULES: u32 = 2;

/// What a decision depends on besides the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub cpu: String,
    /// The instruction sets that llama.cpp uses on it.
    pub features: Vec<String>,
    /// The version of llama.cpp.
    pub build: String,
}

impl Machine {
    /// Asked once a process: llama.cpp lists its features in a string that each call writes anew,
    /// so two threads that ask at once would read nonsense.
    pub fn here() -> Machine {
        static HERE: OnceLock<Machine> = OnceLock::new();
        let ask = || Machine {
            cpu: machine::processor(),
            features: llama::cpu_features(),
            build: llama::build(),
        };
        HERE.get_or_init(ask).clone()
    }
}

/// The file a decision was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    pub bytes: u64,
    pub modified: SystemTime,
    /// Lower-case hex.
    pub sha256: String,
}

/// The derived file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    pub recipe: Recipe,
    /// Its name, in the folder of the record.
    pub file: String,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// A decision and what it rests on, kept as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    rules: u32,
    pub original: Original,
    /// `None`: the original is the best.
    pub chosen: Option<Derived>,
    pub machine: Machine,
    /// tandem's version.
    pub tandem: String,
    pub decided: SystemTime,
    /// All that were tried, with their figures.
    pub candidates: Vec<Candidate>,
}

impl Record {
    pub fn new(original: Original, machine: Machine, candidates: Vec<Candidate>) -> Record {
        Record {
            rules: RULES,
            original,
            chosen: None,
            machine,
            tandem: env!("CARGO_PKG_VERSION").to_owned(),
            decided: SystemTime::now(),
            candidates,
        }
    }

    /// The figures of the chosen candidate.
    pub fn chosen_figures(&self) -> Option<&Candidate> {
        let recipe = self.chosen.as_ref()?.recipe;
        self.candidates.iter().find(|candidate| candidate.recipe == recipe)
    }
}

/// How a model stands on this machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nothing was tried here.
    Untried,
    /// A decision is there but does not hold here; the reason, for a person.
    Stale(&'static str),
    /// The original is the best of those that were tried.
    Original(Box<Record>),
    /// This derived file is the best.
    Derived(Box<Record>, PathBuf),
}

impl Standing {
    /// A few words for the list of models.
    pub fn words(&self) -> String {
        match self {
            Standing::Untried => "not optimized for this CPU: `tandem model optimize`".to_owned(),
            Standing::Stale(why) => {
                format!("original in use, because {why}: `tandem model optimize`")
            }
            Standing::Original(_) => "the original is the fastest here".to_owned(),
            Standing::Derived(record, _) => match (&record.chosen, record.chosen_figures()) {
                (Some(derived), Some(figures)) => {
                    format!("{} in use, {:.2} times as fast here", derived.recipe, figures.gain())
                }
                _ => "optimized".to_owned(),
            },
        }
    }
}

/// Where the files of one model are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub folder: PathBuf,
    stem: String,
}

impl Place {
    /// A folder of its own, so that derived files are not models of their own.
    pub fn of(store: &Store, model: &Installed) -> Place {
        let stem = model.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Place { folder: store.folder().join("optimized"), stem }
    }

    pub fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.choice.json", self.stem))
    }

    pub fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.stem))
    }

    pub fn derived(&self, recipe: Recipe) -> PathBuf {
        self.folder.join(format!("{}.{recipe}.gguf", self.stem))
    }

    /// While it is written and tried.
    pub fn unfinished(&self, recipe: Recipe) -> PathBuf {
        self.folder.join(format!("{}.{recipe}.unfinished", self.stem))
    }

    /// All that belongs to the model here, save the lock.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.record()];
        for recipe in Recipe::ALL {
            let derived = self.derived(recipe);
            // The receipt and the stamp of a hash, as beside any model of the store.
            files.push(PathBuf::from(format!("{}.json", derived.display())));
            files.push(derived.with_extension("gguf.checked"));
            files.extend([derived, self.unfinished(recipe)]);
        }
        files
    }

    /// The record, if one is there and can be read.
    pub fn read(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.record()).ok()?).ok()
    }

    pub fn write(&self, record: &Record) -> Result<(), ModelError> {
        let (path, fresh) = (self.record(), self.record().with_extension("fresh"));
        // Times and plain values always serialise; an empty record would count as none.
        let text = serde_json::to_vec_pretty(record).unwrap_or_default();
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|error| ModelError::writing(&path, 0, error))
    }
}

/// How the model stands, as far as sizes, times and recorded hashes say.
pub fn standing(store: &Store, model: &Installed, here: &Machine) -> Standing {
    let place = Place::of(store, model);
    let Some(record) = place.read() else { return Standing::Untried };
    if let Some(why) = stale(&record, model, modified(&model.path), here) {
        return Standing::Stale(why);
    }
    let Some(derived) = &record.chosen else { return Standing::Original(Box::new(record)) };
    let path = place.folder.join(&derived.file);
    match fs::metadata(&path) {
        Ok(about) if about.len() == derived.bytes => Standing::Derived(Box::new(record), path),
        _ => Standing::Stale("the optimized file is missing or not whole"),
    }
}

pub fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// Why a decision does not hold, if it does not.
fn stale(
    record: &Record,
    model: &Installed,
    modified: Option<SystemTime>,
    here: &Machine,
) -> Option<&'static str> {
    let Record { original, machine, .. } = record;
    let same_bytes = original.bytes == model.bytes
        && match &model.sha256 {
            Some(sha256) => *sha256 == original.sha256,
            // Nothing else tells a file that was only dropped here from another one.
            None => modified == Some(original.modified),
        };
    if !same_bytes {
        Some("the model has changed")
    } else if machine.cpu != here.cpu || machine.features != here.features {
        Some("it was optimized on another CPU")
    } else if machine.build != here.build {
        Some("it was optimized with another llama.cpp")
    } else if record.rules != RULES {
        Some("the rules of choosing have changed")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Machine {
        Machine { cpu: "A".into(), features: vec!["AVX2".into()], build: "1".into() }
    }

    struct Scene {
        folder: tempfile::TempDir,
        store: Store,
        model: Installed,
    }

    impl Scene {
        /// A model of the store with a decision for it: a derived file of 7 bytes, or none.
        fn new(derived: bool) -> (Scene, Record) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::new(folder.path().to_owned());
            fs::write(folder.path().join("mine.gguf"), b"GGUF").unwrap();
            let model = store.find("mine").unwrap();
            let place = Place::of(&store, &model);
            fs::create_dir(&place.folder).unwrap();
            let original = Original {
                bytes: 4,
                modified: modified(&model.path).unwrap(),
                sha256: "ab".to_owned(),
            };
            let mut record = Record::new(original, here(), vec![]);
            let recipe = Recipe::ALL[0];
            record.chosen = derived.then(|| Derived {
                recipe,
                file: "mine.iq4_nl.gguf".into(),
                bytes: 7,
                sha256: "cd".into(),
            });
            fs::write(place.derived(recipe), b"derived").unwrap();
            place.write(&record).unwrap();
            (Scene { folder, store, model }, record)
        }

        fn standing(&self, here: &Machine) -> Standing {
            standing(&self.store, &self.model, here)
        }
    }

    #[test]
    fn a_decision_holds_where_it_was_made() {
        let (scene, _) = Scene::new(true);
        let Standing::Derived(_, path) = scene.standing(&here()) else { panic!("not in use") };
        assert_eq!(path, scene.folder.path().join("optimized/mine.iq4_nl.gguf"));
        let (scene, record) = Scene::new(false);
        assert_eq!(scene.standing(&here()), Standing::Original(Box::new(record)));
    }

    #[test]
    fn another_processor_or_llama_cpp_makes_it_stale() {
        let (scene, _) = Scene::new(true);
        for other in [
            Machine { cpu: "B".into(), ..here() },
            Machine { features: vec![], ..here() },
            Machine { build: "2".into(), ..here() },
        ] {
            assert!(matches!(scene.standing(&other), Standing::Stale(_)), "{other:?}");
        }
    }

    #[test]
    fn another_original_makes_it_stale_even_of_the_same_size() {
        let (mut scene, _) = Scene::new(true);
        scene.model.sha256 = Some("ff".into());
        assert_eq!(scene.standing(&here()), Standing::Stale("the model has changed"));
        scene.model.sha256 = Some("ab".into());
        assert!(matches!(scene.standing(&here()), Standing::Derived(..)));
        scene.model.bytes = 5;
        assert_eq!(scene.standing(&here()), Standing::Stale("the model has changed"));
    }

    #[test]
    fn a_derived_file_that_is_gone_or_cut_is_not_used() {
        let (scene, _) = Scene::new(true);
        let derived = scene.folder.path().join("optimized/mine.iq4_nl.gguf");
        fs::write(&derived, b"deri").unwrap();
        assert!(matches!(scene.standing(&here()), Standing::Stale(_)));
        fs::remove_file(&derived).unwrap();
        assert!(matches!(scene.standing(&here()), Standing::Stale(_)));
    }

    #[test]
    fn derived_files_are_no_models_of_their_own() {
        let (scene, _) = Scene::new(true);
        assert_eq!(scene.store.installed().len(), 1);
    }
}
