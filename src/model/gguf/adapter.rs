//! The header of a LoRA adapter: does it say what llama.cpp takes for granted, and does it fit a model?
//!
//! In: metadata and tensors that are sound by themselves. Out: what it changes. Refuses: keys of another type
//! than llama.cpp reads (it aborts), a tensor without its other half, ranks that do not agree, types of weights
//! that adapters are not made of, adapters that wake up at some words only (aLoRA), since a cache could not
//! tell from which token on they did.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Serialize;

use super::metadata::{Kind, Metadata};
use super::tensors::{Tensor, Tensors};
use super::{GgufError, Header};

/// What `general.type` says of one.
const TYPE: &str = "adapter";
/// How the names of the two halves end.
const HALVES: [&str; 2] = [".lora_a", ".lora_b"];
/// What llama.cpp passes over.
const PASSED_OVER: &str = "_norm.weight";
/// The one tensor whose halves lie the other way round (llama-adapter.cpp).
const EMBEDDINGS: &str = "token_embd.weight";
const OUTPUT: &str = "output.weight";
/// The types that `convert_lora_to_gguf.py` writes: F32, F16, Q8_0, BF16.
const TYPES: [u32; 4] = [0, 1, 8, 30];
const F32: u32 = 6;
const STRING: u32 = 8;

/// What an adapter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// Of the models that it is for, such as `qwen2`.
    pub architecture: String,
    pub name: Option<String>,
    /// The largest of its tensors' ranks.
    pub rank: u64,
    /// Weights, counted from the tensors' dimensions.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The tensors that it changes, and what their two dimensions must be.
    #[serde(skip)]
    changes: Vec<(String, [u64; 2])>,
}

impl Adapter {
    /// How many tensors it changes.
    pub fn tensors(&self) -> usize {
        self.changes.len()
    }

    /// Is it one for this model?
    ///
    /// Fails with [`GgufError::NoFit`], and where the model cannot be read.
    pub fn fits(&self, model: &Path) -> Result<(), GgufError> {
        let Header { metadata, tensors, .. } = Header::of(model)?;
        let no_fit = |why: String| Err(GgufError::NoFit { why });
        let architecture = metadata.text("general.architecture").unwrap_or_default();
        if architecture != self.architecture {
            return no_fit(format!("it is for {}, the model is {architecture}", self.architecture));
        }
        let known: HashMap<&str, &Vec<u64>> =
            tensors.list.iter().map(|tensor| (tensor.name.as_str(), &tensor.dimensions)).collect();
        let shares = !known.contains_key(OUTPUT);
        for (name, wanted) in &self.changes {
            if shares && name == EMBEDDINGS {
                // llama.cpp would multiply the output by halves that lie the other way round, and abort.
                return no_fit(format!(
                    "the model's output shares {name}, which cannot be changed then"
                ));
            }
            match known.get(name.as_str()) {
                Some(dimensions) if dimensions[..] == wanted[..] => {}
                Some(dimensions) => {
                    return no_fit(format!(
                        "it was made for a model whose {name} has {} by {} weights, not {dimensions:?}",
                        wanted[0], wanted[1]
                    ));
                }
                None => return no_fit(format!("the model has no {name}")),
            }
        }
        Ok(())
    }
}

/// Is this the header of an adapter?
pub fn is_one(metadata: &Metadata) -> bool {
    metadata.text("general.type") == Some(TYPE)
}

/// Does it wake up at some words only?
pub fn is_activated(metadata: &Metadata) -> bool {
    metadata.kind("adapter.alora.invocation_tokens").is_some()
}

/// What this header says, or what is wrong with it.
pub fn read(metadata: &Metadata, tensors: &Tensors, bytes: u64) -> Result<Adapter, String> {
    for key in ["general.type", "general.architecture", "adapter.type", "general.name"] {
        if metadata.kind(key).is_some_and(|kind| kind != Kind::One(STRING)) {
            return Err(format!("{key} is not a text"));
        }
    }
    let architecture =
        metadata.text("general.architecture").ok_or("the architecture is missing")?;
    match metadata.text("adapter.type") {
        Some("lora") => {}
        other => return Err(format!("it is an adapter of the type {other:?}, not of \"lora\"")),
    }
    let alpha = metadata.float("adapter.lora.alpha");
    let is_float = metadata.kind("adapter.lora.alpha").is_none_or(|kind| kind == Kind::One(F32));
    if !is_float || alpha.is_some_and(|alpha| !alpha.is_finite() || alpha < 0.0) {
        return Err("adapter.lora.alpha is not a number that scales".to_owned());
    }
    let mut pairs: BTreeMap<&str, [Option<&Tensor>; 2]> = BTreeMap::new();
    for tensor in &tensors.list {
        let half = |number: usize| Some((tensor.name.strip_suffix(HALVES[number])?, number));
        if let Some((name, number)) = half(0).or_else(|| half(1)) {
            pairs.entry(name).or_default()[number] = Some(tensor);
        } else if !tensor.name.ends_with(PASSED_OVER) {
            return Err(format!("{} is no part of a LoRA adapter", tensor.name));
        }
    }
    let mut changes = Vec::new();
    let mut rank = 0;
    for (name, pair) in pairs {
        let [Some(a), Some(b)] = pair else { return Err(format!("{name} has one half only")) };
        let (wanted, its_rank) = halves(name, a, b)?;
        changes.push((name.to_owned(), wanted));
        rank = rank.max(its_rank);
    }
    if changes.is_empty() {
        return Err("it changes nothing".to_owned());
    }
    Ok(Adapter {
        architecture: architecture.to_owned(),
        name: metadata.text("general.name").map(str::to_owned),
        rank,
        parameters: tensors.weights,
        bytes,
        changes,
    })
}

/// The dimensions of the tensor that these two change, and their rank.
fn halves(name: &str, a: &Tensor, b: &Tensor) -> Result<([u64; 2], u64), String> {
    if let Some(odd) = [a, b].into_iter().find(|half| !TYPES.contains(&half.kind)) {
        return Err(format!("{} has weights of the type {}", odd.name, odd.kind));
    }
    let sizes = |half: &Tensor| match half.dimensions[..] {
        [row] => Some([row, 1]),
        [row, rows] => Some([row, rows]),
        _ => None,
    };
    let (Some(a), Some(b)) = (sizes(a), sizes(b)) else {
        return Err(format!("{name} has more than two dimensions"));
    };
    let (rank, other_rank, wanted) =
        if name == EMBEDDINGS { (a[0], b[0], [b[1], a[1]]) } else { (a[1], b[0], [a[0], b[1]]) };
    if rank != other_rank {
        return Err(format!("{name} has halves of the ranks {rank} and {other_rank}"));
    }
    Ok((wanted, rank))
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, Value};
    use super::super::{inspect_adapter_bytes, inspect_bytes};
    use super::*;

    fn refused(builder: Builder) -> String {
        inspect_adapter_bytes(&builder.bytes()).expect_err("it is refused").to_string()
    }

    #[test]
    fn an_adapter_says_what_it_changes_and_fits_the_model_that_has_that() {
        let adapter = inspect_adapter_bytes(&Builder::adapter().bytes()).expect("a good adapter");
        assert_eq!((adapter.rank, adapter.tensors(), adapter.parameters), (4, 1, 64 * 4 + 4 * 2));
        assert_eq!(adapter.name.as_deref(), Some("House style"));
        let scratch = tempfile::tempdir().expect("a folder");
        let model = scratch.path().join("tiny.gguf");
        std::fs::write(&model, Builder::qwen().bytes()).expect("a file");
        adapter.fits(&model).expect("it fits");

        let fits = |builder: Builder| {
            let adapter = inspect_adapter_bytes(&builder.bytes()).expect("sound by itself");
            adapter.fits(&model).expect_err("of another model").to_string()
        };
        let wider = Builder::bare_adapter().tensor("output.weight.lora_a", &[128, 4], 0).tensor(
            "output.weight.lora_b",
            &[4, 2],
            0,
        );
        assert!(fits(wider).contains("128 by 2"));
        let elsewhere = Builder::bare_adapter()
            .tensor("blk.9.attn_q.weight.lora_a", &[64, 4], 0)
            .tensor("blk.9.attn_q.weight.lora_b", &[4, 2], 0);
        assert!(fits(elsewhere).contains("no blk.9.attn_q.weight"));
    }

    #[test]
    fn the_halves_for_the_embeddings_lie_the_other_way_round() {
        let builder = Builder::bare_adapter()
            .tensor("token_embd.weight.lora_a", &[4, 151], 0)
            .tensor("token_embd.weight.lora_b", &[4, 64], 0);
        let adapter = inspect_adapter_bytes(&builder.bytes()).expect("a good adapter");
        assert_eq!(adapter.changes, [("token_embd.weight".to_owned(), [64, 151])]);
    }

    #[test]
    fn a_table_of_tokens_that_is_the_output_too_is_not_changed() {
        let scratch = tempfile::tempdir().expect("a folder");
        let fits = |model: Builder| {
            let file = scratch.path().join("model.gguf");
            std::fs::write(&file, model.bytes()).expect("a file");
            let adapter = Builder::bare_adapter()
                .tensor("token_embd.weight.lora_a", &[4, 8], 0)
                .tensor("token_embd.weight.lora_b", &[4, 64], 0);
            let adapter = inspect_adapter_bytes(&adapter.bytes()).expect("sound by itself");
            adapter.fits(&file).map_err(|error| error.to_string())
        };
        let table = |model: Builder| model.tensor("token_embd.weight", &[64, 8], 0);
        assert_eq!(fits(table(Builder::qwen())), Ok(()));
        let tied = fits(table(Builder::new("qwen2"))).expect_err("it shares its output");
        assert!(tied.contains("shares"), "{tied}");
    }

    #[test]
    fn what_llama_cpp_would_stumble_over_is_refused() {
        let one_half = Builder::bare_adapter().tensor("output.weight.lora_a", &[64, 4], 0);
        assert!(refused(one_half).contains("one half"));
        let other_half = Builder::bare_adapter().tensor("output.weight.lora_b", &[4, 2], 0);
        assert!(refused(other_half).contains("one half"));
        let ranks = Builder::bare_adapter().tensor("output.weight.lora_a", &[64, 4], 0).tensor(
            "output.weight.lora_b",
            &[8, 2],
            0,
        );
        assert!(refused(ranks).contains("ranks 4 and 8"));
        let stray = Builder::adapter().tensor("output.weight", &[64, 2], 0);
        assert!(refused(stray).contains("no part"));
        let integers = Builder::bare_adapter().tensor("output.weight.lora_a", &[64, 4], 26).tensor(
            "output.weight.lora_b",
            &[4, 2],
            0,
        );
        assert!(refused(integers).contains("type 26"));
        let cube = Builder::bare_adapter().tensor("output.weight.lora_a", &[64, 4, 2], 0).tensor(
            "output.weight.lora_b",
            &[4, 2],
            0,
        );
        assert!(refused(cube).contains("two dimensions"));
        assert!(refused(Builder::bare_adapter()).contains("changes nothing"));
    }

    #[test]
    fn keys_that_are_not_what_llama_cpp_reads_are_refused() {
        let with = |key: &str, value: Value| refused(Builder::adapter().replacing(key, value));
        assert!(with("adapter.type", Value::U32(7)).contains("not a text"));
        assert!(with("adapter.type", Value::Text("ia3")).contains("ia3"));
        assert!(with("adapter.lora.alpha", Value::U32(16)).contains("alpha"));
        let nan = Value::Raw(F32, f32::NAN.to_le_bytes().to_vec());
        assert!(with("adapter.lora.alpha", nan).contains("alpha"));
        let tokens =
            [&4_u32.to_le_bytes()[..], &1_u64.to_le_bytes(), &7_u32.to_le_bytes()].concat();
        let woken =
            Builder::adapter().with("adapter.alora.invocation_tokens", Value::Raw(9, tokens));
        assert!(refused(woken).contains("aLoRA"));
    }

    #[test]
    fn a_model_is_no_adapter_and_an_adapter_is_no_model() {
        let told = inspect_bytes(&Builder::adapter().bytes()).expect_err("no model").to_string();
        assert!(told.contains("LoRA adapter") && told.contains("engine.adapters"), "{told}");
        let told = inspect_adapter_bytes(&Builder::qwen().bytes()).expect_err("no adapter");
        assert!(told.to_string().contains("is a model"), "{told}");
    }

    #[test]
    fn a_good_adapter_with_any_byte_changed_gets_an_answer() {
        let whole = Builder::adapter().bytes();
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= flip;
                let _ = inspect_adapter_bytes(&changed);
            }
        }
    }
}
