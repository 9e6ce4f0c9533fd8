//! What batches cost on this machine, remembered for a while: an engine that comes back after a crash does
//! not measure again, which takes longer than loading a small model.
//!
//! In: a folder of the user's, and a name for model, build and threads. Out: the figures, where they are
//! fresh and of that name. Refuses: a file that makes no sense. Nothing here fails loudly.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::private;

/// Older figures are measured again: the machine may have been busy then, or on battery.
const FRESH: Duration = Duration::from_secs(3600);
const FILE: &str = "costs.json";
/// The file is some 300 bytes; a longer one is not ours.
const MAX_FILE: u64 = 64 << 10;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Batch sizes in tokens, rising from 1, and what one of that size takes, ms.
    pub batches: Vec<(usize, f64)>,
    /// What reading a piece of a prompt takes, ms.
    pub prefill_ms: f64,
}

#[derive(Serialize, Deserialize)]
struct Record {
    name: String,
    measured: SystemTime,
    costs: Costs,
}

impl Costs {
    /// Of exactly these batch sizes, each a time that can be?
    fn are_of(&self, sizes: &[usize]) -> bool {
        let sound = |ms: f64| ms.is_finite() && ms > 0.0;
        self.batches.iter().map(|(size, _)| *size).eq(sizes.iter().copied())
            && self.batches.iter().all(|(_, ms)| sound(*ms))
            && sound(self.prefill_ms)
    }
}

/// What was measured within the last hour under this name, for these batch sizes.
pub fn recall(folder: &Path, name: &str, sizes: &[usize]) -> Option<Costs> {
    let path = folder.join(FILE);
    let file = private::file_to_read(&path).ok()?;
    if file.metadata().ok()?.len() > MAX_FILE {
        return None;
    }
    let record: Record = serde_json::from_reader(file).ok()?;
    // A time to come is no age.
    let fresh = record.measured.elapsed().is_ok_and(|age| age < FRESH);
    (fresh && record.name == name && record.costs.are_of(sizes)).then_some(record.costs)
}

/// Remembers what was measured.
pub fn note(folder: &Path, name: &str, costs: &Costs) {
    let record =
        Record { name: name.to_owned(), measured: SystemTime::now(), costs: costs.clone() };
    let written = private::folder(folder).and_then(|()| {
        // Private to the user from the start, and never half there.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(serde_json::to_string(&record)?.as_bytes())?;
        file.persist(folder.join(FILE)).map_err(|error| error.error)
    });
    if let Err(error) = written {
        tracing::debug!("what batches cost is not remembered: {error}");
    }
}

/// Is anything remembered there, of whatever name?
pub fn are_noted(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Forgets it.
pub fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join(FILE));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 3] = [1, 2, 4];

    fn costs() -> Costs {
        Costs { batches: vec![(1, 12.0), (2, 18.0), (4, 21.5)], prefill_ms: 250.0 }
    }

    #[test]
    fn what_was_measured_is_known_again_under_its_name_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("states");
        assert_eq!(recall(&folder, "a", &SIZES), None);
        note(&folder, "a", &costs());
        assert_eq!(recall(&folder, "a", &SIZES), Some(costs()));
        assert_eq!(recall(&folder, "b", &SIZES), None);
        assert_eq!(recall(&folder, "a", &[1, 2]), None);
        forget(&folder);
        assert_eq!(recall(&folder, "a", &SIZES), None);
    }

    #[test]
    fn figures_that_are_old_or_make_no_sense_are_measured_again() {
        let scratch = tempfile::tempdir().unwrap();
        let write = |age: Duration, costs: Costs| {
            let measured = SystemTime::now() - age;
            let record = Record { name: "a".into(), measured, costs };
            fs::write(scratch.path().join(FILE), serde_json::to_string(&record).unwrap()).unwrap();
            recall(scratch.path(), "a", &SIZES)
        };
        assert!(write(Duration::from_secs(60), costs()).is_some());
        assert_eq!(write(FRESH, costs()), None);
        assert_eq!(write(Duration::ZERO, Costs { prefill_ms: 0.0, ..costs() }), None);
        assert_eq!(write(Duration::ZERO, Costs { prefill_ms: -1.0, ..costs() }), None);
        fs::write(scratch.path().join(FILE), "{").unwrap();
        assert_eq!(recall(scratch.path(), "a", &SIZES), None);
    }
}
