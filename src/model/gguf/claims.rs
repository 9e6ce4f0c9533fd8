//! Do the claims of a header agree with each other, as llama.cpp takes for granted?
//!
//! In: the metadata. Out: nothing, or what does not agree. Refuses: keys of another type than llama.cpp
//! reads (it aborts), lists for each token that are not as long as the vocabulary (it reads past their
//! end), and numbers that no model has. What llama.cpp checks by itself and survives is left to it, and a
//! key that is not there is never missed: models differ.

use super::metadata::{Kind, Metadata};

/// llama.cpp reads 32 bits; the longest that any model claims is ten million.
const MOST_CONTEXT: u64 = 1 << 30;
const MOST_WIDTH: u64 = 1 << 20;
/// llama.cpp's fixed arrays have as many layers (its issue 25821).
const MOST_LAYERS: u64 = 512;

const U8: u32 = 0;
const I8: u32 = 1;
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const STRING: u32 = 8;

/// What is wrong with a model of this architecture, if anything is.
pub fn wrong(metadata: &Metadata, architecture: &str) -> Option<String> {
    types(metadata, architecture)
        .or_else(|| vocabulary(metadata))
        .or_else(|| sizes(metadata, architecture))
}

fn types(metadata: &Metadata, architecture: &str) -> Option<String> {
    let texts = ["general.name", "tokenizer.ggml.model", "tokenizer.ggml.pre"];
    let text = texts
        .into_iter()
        .chain(["tokenizer.chat_template"])
        .find(|key| metadata.kind(key).is_some_and(|kind| kind != Kind::One(STRING)));
    if let Some(key) = text {
        return Some(format!("{key} is not a text"));
    }
    if metadata.kind("general.alignment").is_some_and(|kind| kind != Kind::One(U32)) {
        return Some("general.alignment is not a number of 32 bits".to_owned());
    }
    // Some architectures have a number for each layer.
    let is_number = |kind| match kind {
        Kind::One(kind) => matches!(kind, 0..=5 | 10 | 11),
        Kind::Many(kind, count) => matches!(kind, U32 | I32) && count <= MOST_LAYERS,
    };
    let numbers = ["context_length", "block_count", "embedding_length"]
        .iter()
        .chain(&PER_LAYER)
        .find(|what| {
            let kind = metadata.kind(&format!("{architecture}.{what}"));
            let one = !PER_LAYER.contains(*what);
            kind.is_some_and(|kind| !is_number(kind) || one && matches!(kind, Kind::Many(..)))
        });
    numbers.map(|what| format!("{architecture}.{what} is not a number"))
}

const PER_LAYER: [&str; 3] =
    ["attention.head_count", "attention.head_count_kv", "feed_forward_length"];

fn vocabulary(metadata: &Metadata) -> Option<String> {
    let list = |name: &str| metadata.kind(&format!("tokenizer.ggml.{name}"));
    for (name, wanted) in [
        ("tokens", &[STRING][..]),
        ("merges", &[STRING][..]),
        ("scores", &[F32][..]),
        ("token_type", &[I32, U32][..]),
        ("precompiled_charsmap", &[U8, I8][..]),
    ] {
        let fits = |kind| matches!(kind, Kind::Many(kind, _) if wanted.contains(&kind));
        if list(name).is_some_and(|kind| !fits(kind)) {
            return Some(format!("tokenizer.ggml.{name} is not a list of the right type"));
        }
    }
    let tokens = metadata.vocabulary_size.unwrap_or(0);
    for name in ["scores", "token_type"] {
        if let Some(Kind::Many(_, count)) = list(name)
            && count != tokens
        {
            return Some(format!("tokenizer.ggml.{name} has {count} entries for {tokens} tokens"));
        }
    }
    const IDS: [&str; 9] =
        ["bos", "eos", "eot", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep"];
    IDS.iter().find_map(|name| {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let id = metadata.number(&key)?;
        // All bits set is the number of no token.
        let is_one = id < tokens || id == u64::from(u32::MAX);
        (!is_one).then(|| format!("{key} is {id}, of {tokens} tokens"))
    })
}

fn sizes(metadata: &Metadata, architecture: &str) -> Option<String> {
    let of_model = |what: &str| metadata.number(&format!("{architecture}.{what}"));
    let (context, layers, width) =
        (of_model("context_length"), of_model("block_count"), of_model("embedding_length"));
    for (what, number, most) in [
        ("tokens of context", context, MOST_CONTEXT),
        ("layers", layers, MOST_LAYERS),
        ("numbers for a token", width, MOST_WIDTH),
    ] {
        if let Some(number) = number.filter(|number| *number == 0 || *number > most) {
            return Some(format!("a model cannot have {number} {what}"));
        }
    }
    // A model without attention has no heads.
    let attends = !["mamba", "rwkv"].iter().any(|kind| architecture.contains(kind));
    let heads = of_model("attention.head_count").filter(|heads| attends || *heads > 0)?;
    if heads == 0 {
        return Some("a model cannot have 0 attention heads".to_owned());
    }
    let shared = of_model("attention.head_count_kv").filter(|shared| *shared > 0);
    if let Some(shared) = shared.filter(|shared| !heads.is_multiple_of(*shared)) {
        return Some(format!("{heads} attention heads cannot share {shared}"));
    }
    let given = metadata.kind(&format!("{architecture}.attention.key_length")).is_some();
    let uneven = width.filter(|width| !given && !width.is_multiple_of(heads));
    uneven.map(|width| format!("{heads} attention heads cannot have {width} numbers together"))
}
