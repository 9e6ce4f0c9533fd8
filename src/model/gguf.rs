//! Our own check of a GGUF file's header, made before llama.cpp reads a byte of it.
//!
//! In: a path. Out: a [`Summary`] of what the model says of itself, or of a LoRA [`Adapter`], or an error that
//! names what is wrong. Total and bounded: any bytes give an answer, the header may be at most 64 MiB, no
//! allocation follows an unchecked length. Refuses: what has crashed GGUF readers before (huge
//! counts, zero or overflowing dimensions, nested arrays, keys given twice, tensors outside the
//! file), and files that only look like a model.
//!
//! It is stricter than the format where the format has no use for the freedom. It does not look
//! at the weights: a hash does that.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;

use serde::Serialize;

mod adapter;
#[cfg(test)]
pub(crate) mod builder;
mod claims;
mod fim;
mod lookalike;
mod metadata;
mod reader;
mod tensors;

pub use adapter::Adapter;
pub use fim::{FimTokens, Marker};
use metadata::Metadata;
use reader::Reader;
use tensors::Tensors;

/// Why a file is not a model that tandem can load.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    #[error("cannot be read: {0}. Check that the path is right and that you may read it")]
    Read(#[from] io::Error),
    #[error("is empty; the download failed. Fetch it again")]
    Empty,
    #[error(
        "is an HTML page, not a model: the download met a login, an error or a proxy's page. Use the link that ends in /resolve/main/FILE, not /blob/main/FILE"
    )]
    Html,
    #[error(
        "is a Git LFS pointer, not the model itself; run `git lfs pull` in that repository, or download the file from the hub"
    )]
    LfsPointer,
    #[error("is a zip archive or a Python wheel, not a model; unpack it and import what is inside")]
    Zip,
    #[error(
        "is in the safetensors format; tandem loads GGUF. Look for the same model with GGUF in its name"
    )]
    Safetensors,
    #[error(
        "is not a GGUF file (it begins with {first}); tandem loads models in the GGUF format only"
    )]
    NotGguf { first: String },
    #[error("is a GGUF file for big-endian machines; fetch the usual little-endian one")]
    BigEndian,
    #[error("has GGUF version {0}; tandem reads versions 2 and 3. Fetch a newer conversion")]
    Version(u32),
    #[error("truncated: {got} of {needed} bytes. Fetch it again")]
    Truncated { got: u64, needed: u64 },
    #[error("has a header larger than 64 MiB, which no real model has; do not trust this file")]
    HeaderTooLarge,
    #[error(
        "is damaged or made to do harm: at byte {at}, {what}. Fetch it again from its publisher"
    )]
    Malformed { at: u64, what: String },
    #[error(
        "is one of {parts} parts of a split model; join them with `llama-gguf-split --merge` and import the result"
    )]
    Split { parts: u64 },
    #[error(
        "the model {name} cannot fill in the middle (its vocabulary has no such tokens); use a code model that can, such as a Qwen2.5-Coder (`tandem model list`)"
    )]
    NotFim { name: String },
    #[error("is the vocabulary of {name} and has no weights; fetch the model itself")]
    NoWeights { name: String },
    #[error(
        "is a LoRA adapter, not a model: `tandem model import` brings it in, `engine.adapters` uses it beside a model"
    )]
    Adapter,
    #[error("is a LoRA adapter that wakes up at some words only (aLoRA), which tandem does not do")]
    Activated,
    #[error("is a model, not a LoRA adapter; to use it as it is, set `model` to its name")]
    NotAdapter,
    #[error(
        "is a LoRA adapter that does not fit: {why}. Use it with the model that it was trained on"
    )]
    NoFit { why: String },
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Of the GGUF format: 2 or 3.
    pub version: u32,
    /// Such as `qwen2`.
    pub architecture: String,
    pub name: Option<String>,
    /// The mix of weight types, as llama.cpp calls it: `Q4_K_M`.
    pub file_type: Option<String>,
    /// Tokens the model was trained to look back.
    pub context_length: Option<u64>,
    /// Layers.
    pub block_count: Option<u64>,
    /// Tokens in the vocabulary.
    pub vocabulary_size: Option<u64>,
    /// Numbers in the vector of a token.
    pub width: Option<u64>,
    /// Bytes that the keys and values of a token take in all layers, at two bytes a number.
    pub cell_bytes: Option<u64>,
    /// Whether it brings a chat template, as instruction-tuned models do.
    pub has_chat_template: bool,
    /// Weights, counted from the tensors' dimensions.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// `None`: the model cannot fill in the middle.
    pub fim: Option<FimTokens>,
}

impl Summary {
    /// The fill-in-the-middle tokens, or [`GgufError::NotFim`] for a model without, or
    /// [`GgufError::NoWeights`] for a vocabulary alone.
    pub fn require_usable(&self) -> Result<&FimTokens, GgufError> {
        let name = || self.name.clone().unwrap_or_else(|| self.architecture.clone());
        let fim = self.fim.as_ref().ok_or_else(|| GgufError::NotFim { name: name() })?;
        if self.parameters == 0 {
            return Err(GgufError::NoWeights { name: name() });
        }
        Ok(fim)
    }
}

/// Reads the header of the file and checks it. Blocks for up to a few tens of milliseconds.
pub fn inspect(path: &Path) -> Result<Summary, GgufError> {
    Header::of(path)?.model()
}

/// As [`inspect`], of a file that is in memory.
pub fn inspect_bytes(bytes: &[u8]) -> Result<Summary, GgufError> {
    Header::of_bytes(bytes)?.model()
}

/// Reads the header of a LoRA adapter and checks it.
pub fn inspect_adapter(path: &Path) -> Result<Adapter, GgufError> {
    Header::of(path)?.adapter()
}

/// As [`inspect_adapter`], of a file that is in memory.
pub fn inspect_adapter_bytes(bytes: &[u8]) -> Result<Adapter, GgufError> {
    Header::of_bytes(bytes)?.adapter()
}

/// Whether these first bytes may be those of a model; `length` is how many will follow in all.
#[cfg(feature = "net")]
pub(super) fn beginning(first: &[u8], length: u64) -> Result<(), GgufError> {
    lookalike::refuse(&mut &first[..], length)
}

/// A header whose parts are sound by themselves.
struct Header {
    version: u32,
    metadata: Metadata,
    tensors: Tensors,
    /// Bytes of the header, and of the file.
    end: u64,
    length: u64,
}

impl Header {
    fn of(path: &Path) -> Result<Header, GgufError> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        lookalike::refuse(&mut file, length)?;
        file.rewind()?;
        Header::read(Reader::new(BufReader::with_capacity(1 << 16, file), length))
    }

    fn of_bytes(bytes: &[u8]) -> Result<Header, GgufError> {
        lookalike::refuse(&mut &bytes[..], bytes.len() as u64)?;
        Header::read(Reader::new(bytes, bytes.len() as u64))
    }

    fn read<R: io::Read>(mut reader: Reader<R>) -> Result<Header, GgufError> {
        let _magic: [u8; 4] = reader.take()?;
        let version = reader.u32()?;
        match version {
            2 | 3 => {}
            // Version 2 or 3 with its bytes the other way round.
            0x0200_0000 | 0x0300_0000 => return Err(GgufError::BigEndian),
            other => return Err(GgufError::Version(other)),
        }
        let tensor_count = reader.count("tensors", tensors::MOST)?;
        let pair_count = reader.count("metadata pairs", metadata::MOST)?;
        let metadata = metadata::read(&mut reader, pair_count)?;
        if let Some(parts) = metadata.number("split.count").filter(|parts| *parts > 1) {
            return Err(GgufError::Split { parts });
        }
        let tensors = tensors::check(&mut reader, tensor_count, metadata.alignment)?;
        let (end, length) = (reader.at(), reader.length());
        Ok(Header { version, metadata, tensors, end, length })
    }

    fn malformed(&self, what: impl Into<String>) -> GgufError {
        GgufError::Malformed { at: self.end, what: what.into() }
    }

    fn adapter(&self) -> Result<Adapter, GgufError> {
        if !adapter::is_one(&self.metadata) {
            return Err(GgufError::NotAdapter);
        }
        if adapter::is_activated(&self.metadata) {
            return Err(GgufError::Activated);
        }
        adapter::read(&self.metadata, &self.tensors, self.length)
            .map_err(|what| self.malformed(what))
    }

    fn model(&self) -> Result<Summary, GgufError> {
        let metadata = &self.metadata;
        if adapter::is_one(metadata) {
            return Err(GgufError::Adapter);
        }
        let Some(architecture) = metadata.text("general.architecture") else {
            return Err(self.malformed("the architecture is missing"));
        };
        let of_model = |what: &str| metadata.number(&format!("{architecture}.{what}"));
        let block_count = of_model("block_count");
        if let Some(wrong) = claims::wrong(metadata, architecture) {
            return Err(self.malformed(wrong));
        }
        Ok(Summary {
            version: self.version,
            architecture: architecture.to_owned(),
            name: metadata.text("general.name").map(str::to_owned),
            file_type: metadata.number("general.file_type").map(tensors::file_type_name),
            context_length: of_model("context_length"),
            block_count,
            vocabulary_size: metadata.vocabulary_size,
            width: of_model("embedding_length"),
            cell_bytes: cell_bytes(of_model),
            has_chat_template: metadata.text("tokenizer.chat_template").is_some(),
            parameters: self.tensors.weights,
            bytes: self.length,
            fim: metadata.markers.family(),
        })
    }
}

/// Bytes of a token's keys and values, from the numbers that the header gives of the model.
fn cell_bytes(of_model: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let heads = of_model("attention.head_count").filter(|heads| *heads > 0)?;
    let width = of_model("embedding_length")? / heads;
    let keys = of_model("attention.key_length").unwrap_or(width);
    let values = of_model("attention.value_length").unwrap_or(width);
    let numbers = of_model("attention.head_count_kv")
        .unwrap_or(heads)
        .checked_mul(keys.checked_add(values)?)?
        .checked_mul(of_model("block_count")?)?;
    numbers.checked_mul(2)
}

#[cfg(test)]
mod tests {
    use super::builder::{Builder, Value};
    use super::*;
    use expect_test::{Expect, expect};

    fn refused(bytes: &[u8], why: Expect) {
        why.assert_eq(&inspect_bytes(bytes).unwrap_err().to_string());
    }

    fn summary(builder: Builder) -> Summary {
        inspect_bytes(&builder.bytes()).unwrap()
    }

    #[test]
    fn a_good_model_is_summed_up() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), Builder::qwen().bytes()).unwrap();
        let summary = inspect(file.path()).unwrap();
        assert_eq!(summary.architecture, "qwen2");
        assert_eq!(summary.file_type.as_deref(), Some("Q4_K_M"));
        assert_eq!(summary.context_length, Some(32_768));
        assert_eq!(summary.block_count, Some(2));
        assert_eq!(summary.vocabulary_size, Some(8));
        assert_eq!(summary.parameters, 64 * 2 + 32);
        let fim = summary.require_usable().unwrap();
        assert_eq!(
            (fim.prefix.text, fim.prefix.id),
            ("<|fim_prefix|>", 1),
            "the id is the place in the vocabulary"
        );
        assert_eq!(fim.repository.map(|marker| marker.id), Some(5));
        assert_eq!(fim.file.map(|marker| marker.text), Some("<|file_sep|>"));
    }

    #[test]
    fn what_a_token_takes_in_the_cache_is_known_from_the_header() {
        let heads = |kv| {
            Builder::qwen()
                .with("qwen2.embedding_length", Value::U32(896))
                .with("qwen2.attention.head_count", Value::U32(14))
                .with("qwen2.attention.head_count_kv", Value::U32(kv))
        };
        // Two layers, keys and values of two heads, 64 numbers each, two bytes a number.
        assert_eq!(summary(heads(2)).cell_bytes, Some(2 * 2 * 2 * 64 * 2));
        assert_eq!(summary(heads(2)).width, Some(896));
        let wide = heads(2).with("qwen2.attention.key_length", Value::U32(128));
        assert_eq!(summary(wide).cell_bytes, Some(2 * 2 * (128 + 64) * 2));
        let absurd = heads(2)
            .with("qwen2.attention.key_length", Value::Raw(10, u64::MAX.to_le_bytes().to_vec()));
        assert_eq!(summary(absurd).cell_bytes, None, "it does not overflow");
    }

    #[test]
    fn a_good_model_cut_at_any_byte_is_refused_and_never_more_than_that() {
        let whole = Builder::qwen().bytes();
        for length in 0..whole.len() {
            let error = inspect_bytes(&whole[..length]).unwrap_err();
            assert!(
                matches!(
                    error,
                    GgufError::Truncated { .. } | GgufError::Empty | GgufError::NotGguf { .. }
                ),
                "{length}: {error}"
            );
        }
    }

    #[test]
    fn a_good_model_with_any_byte_changed_gets_an_answer() {
        let whole = Builder::qwen().bytes();
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= flip;
                let _ = inspect_bytes(&changed);
            }
        }
    }

    #[test]
    fn texts_that_are_not_utf8_are_refused() {
        let bytes = |text: &[u8]| [&(text.len() as u64).to_le_bytes(), text].concat();
        let value = Builder::qwen().with("general.author", Value::Raw(8, bytes(b"Zo\xeb")));
        refused(
            &value.bytes(),
            expect![
                "is damaged or made to do harm: at byte 554, general.author is not UTF-8: incomplete utf-8 byte sequence from index 2. Fetch it again from its publisher"
            ],
        );
        for (name, why) in [("general.name", "a key"), ("output.weight", "a tensor's name")] {
            let mut model = Builder::qwen().bytes();
            let at = model.windows(name.len()).position(|bytes| bytes == name.as_bytes()).unwrap();
            model[at] = 0xff;
            let error = inspect_bytes(&model).unwrap_err().to_string();
            assert!(error.contains(&format!("{why} is not UTF-8")), "{error}");
        }
    }

    #[test]
    fn a_file_cut_inside_its_weights_says_how_much_of_it_is_there() {
        let mut bytes = Builder::qwen().bytes();
        let whole = bytes.len();
        bytes.truncate(whole - 10);
        let error = inspect_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(&format!("{} of {whole} bytes", whole - 10)), "{error}");
    }

    #[test]
    fn files_that_are_something_else_are_called_by_their_name() {
        refused(b"", expect!["is empty; the download failed. Fetch it again"]);
        refused(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1d96\nsize 491400064\n",
            expect![
                "is a Git LFS pointer, not the model itself; run `git lfs pull` in that repository, or download the file from the hub"
            ],
        );
        refused(
            b"\n <!doctype HTML><html><title>Sign in</title>",
            expect![
                "is an HTML page, not a model: the download met a login, an error or a proxy's page. Use the link that ends in /resolve/main/FILE, not /blob/main/FILE"
            ],
        );
        refused(
            b"PK\x03\x04anything",
            expect![
                "is a zip archive or a Python wheel, not a model; unpack it and import what is inside"
            ],
        );
        refused(
            b"\x40\0\0\0\0\0\0\0{\"__metadata__\":{}}",
            expect![
                "is in the safetensors format; tandem loads GGUF. Look for the same model with GGUF in its name"
            ],
        );
        refused(
            b"\x7fELF....",
            expect![[
                r#"is not a GGUF file (it begins with "\x7fELF...."); tandem loads models in the GGUF format only"#
            ]],
        );
    }

    #[test]
    fn impossible_counts_are_refused_before_anything_is_allocated() {
        let mut bytes = Builder::qwen().bytes();
        bytes[16..24].copy_from_slice(&(1_u64 << 63).to_le_bytes());
        refused(
            &bytes,
            expect![
                "is damaged or made to do harm: at byte 24, it claims 9223372036854775808 metadata pairs. Fetch it again from its publisher"
            ],
        );
        let mut bytes = Builder::qwen().bytes();
        bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        refused(
            &bytes,
            expect![
                "is damaged or made to do harm: at byte 16, it claims 18446744073709551615 tensors. Fetch it again from its publisher"
            ],
        );
    }

    #[test]
    fn versions_we_do_not_know_and_big_endian_files_are_refused() {
        for (version, why) in
            [(1, "has GGUF version 1"), (4, "has GGUF version 4"), (0x0300_0000, "big-endian")]
        {
            let mut bytes = Builder::qwen().bytes();
            bytes[4..8].copy_from_slice(&u32::to_le_bytes(version));
            let error = inspect_bytes(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_model_without_middle_tokens_loads_as_a_summary_but_cannot_be_used() {
        let mut builder = Builder::new("llama");
        builder.tokens(&["<s>", "</s>", "a"]);
        let summary = summary(builder);
        let error = summary.require_usable().unwrap_err().to_string();
        assert!(error.contains("fill in the middle") && error.contains("Qwen2.5-Coder"), "{error}");
    }

    #[test]
    fn a_vocabulary_without_weights_cannot_be_used() {
        let mut builder = Builder::new("starcoder");
        builder.tokens(&["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]);
        let error = summary(builder).require_usable().unwrap_err().to_string();
        assert_eq!(
            error,
            "is the vocabulary of starcoder and has no weights; fetch the model itself"
        );
    }

    #[test]
    fn one_part_of_a_split_model_is_refused() {
        let builder = Builder::qwen().with("split.count", Value::U16(2));
        let error = inspect_bytes(&builder.bytes()).unwrap_err().to_string();
        assert!(error.contains("one of 2 parts"), "{error}");
    }

    /// A list of a type and a length, all zeros.
    fn list(kind: u32, element: usize, count: usize) -> Value {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((count as u64).to_le_bytes());
        bytes.resize(bytes.len() + element * count, 0);
        Value::Raw(9, bytes)
    }

    #[test]
    fn claims_that_llama_cpp_would_stumble_over_are_refused_in_a_sentence() {
        let words = || Value::Text("many");
        for (key, value, why) in [
            ("tokenizer.ggml.scores", list(6, 4, 7), "scores has 7 entries for 8 tokens"),
            ("tokenizer.ggml.scores", list(5, 4, 8), "scores is not a list of the right type"),
            ("tokenizer.ggml.token_type", list(5, 4, 9), "token_type has 9 entries for 8 tokens"),
            ("tokenizer.ggml.token_type", list(0, 1, 8), "token_type is not a list of the right"),
            ("tokenizer.ggml.merges", list(5, 4, 8), "merges is not a list of the right type"),
            ("tokenizer.ggml.merges", words(), "merges is not a list of the right type"),
            ("tokenizer.ggml.precompiled_charsmap", list(6, 4, 2), "is not a list of the right"),
            ("tokenizer.ggml.eos_token_id", Value::U32(8), "eos_token_id is 8, of 8 tokens"),
            ("tokenizer.ggml.fim_mid_token_id", Value::U32(99), "fim_mid_token_id is 99, of 8"),
            ("tokenizer.ggml.model", Value::U32(1), "tokenizer.ggml.model is not a text"),
            ("tokenizer.ggml.pre", list(8, 8, 1), "tokenizer.ggml.pre is not a text"),
            ("general.alignment", Value::U16(32), "general.alignment is not a number of 32 bits"),
            ("qwen2.attention.head_count", words(), "head_count is not a number"),
            ("qwen2.attention.head_count", list(5, 4, 513), "head_count is not a number"),
            ("qwen2.attention.head_count", Value::U32(0), "cannot have 0 attention heads"),
            ("qwen2.embedding_length", list(4, 4, 2), "embedding_length is not a number"),
            ("qwen2.embedding_length", Value::U32(u32::MAX), "4294967295 numbers for a token"),
        ] {
            let error = inspect_bytes(&Builder::qwen().with(key, value).bytes());
            let told = error.map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
            assert!(told.contains(why), "{key}: {told}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_each_other_are_refused() {
        let with = |pairs: &[(&str, u32)]| {
            let mut builder = Builder::new("qwen2");
            for (key, number) in pairs {
                builder = builder.with(&format!("qwen2.{key}"), Value::U32(*number));
            }
            inspect_bytes(&builder.bytes()).map_or_else(|e| e.to_string(), |_| "accepted".into())
        };
        let (heads, shared) = ("attention.head_count", "attention.head_count_kv");
        assert!(with(&[(heads, 14), (shared, 4)]).contains("14 attention heads cannot share 4"));
        let told = with(&[(heads, 14), ("embedding_length", 897)]);
        assert!(told.contains("14 attention heads cannot have 897 numbers"), "{told}");
        for (key, numbers) in [("context_length", [0, u32::MAX]), ("block_count", [0, 513])] {
            for number in numbers {
                assert!(with(&[(key, number)]).contains(&format!("cannot have {number}")));
            }
        }
        let apart = [(heads, 20), ("embedding_length", 897), ("attention.key_length", 128)];
        assert_eq!(with(&apart), "accepted", "Gemma's heads are wider than its tokens");
    }

    #[test]
    fn models_with_fewer_and_other_keys_are_taken() {
        let mut mamba = Builder::new("mamba").with("mamba.attention.head_count", Value::U32(0));
        mamba.tokens(&["a"]);
        summary(mamba);
        summary(Builder::new("starcoder2"));
        summary(Builder::qwen().with("qwen2.attention.head_count_kv", list(5, 4, 2)));
        summary(Builder::qwen().with("tokenizer.ggml.padding_token_id", Value::U32(8)));
        summary(Builder::qwen().with("tokenizer.ggml.bos_token_id", Value::U32(u32::MAX)));
        summary(
            Builder::qwen()
                .with("tokenizer.ggml.scores", list(6, 4, 8))
                .with("tokenizer.ggml.token_type", list(5, 4, 8)),
        );
    }

    #[test]
    fn a_layer_count_that_would_overrun_llama_cpp_is_refused() {
        let builder = Builder::new("qwen2").with("qwen2.block_count", Value::U32(513));
        assert!(matches!(inspect_bytes(&builder.bytes()), Err(GgufError::Malformed { .. })));
    }
}
