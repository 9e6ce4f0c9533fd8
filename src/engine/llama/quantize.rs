//! The same model in another type of weights.
//!
//! In: a GGUF file that our own reader has accepted, and a recipe. Out: another file, through
//! llama.cpp's own quantizer. It can abort the process, so it runs in one of its own
//! (`model::optimize::workshop`). It refuses nothing and cleans up nothing: who ordered it does.

use std::ffi::{CStr, CString};
use std::fmt;
use std::path::Path;
use std::ptr;
use std::str::FromStr;

use llama_cpp_sys_2 as sys;
use serde::{Deserialize, Serialize};

use super::backends;

/// What to make of a model: which of its matrices get four bits a weight, in types that llama.cpp
/// lays out anew when it loads them, so that one instruction works on eight rows (`repack.cpp`; on
/// x86 with AVX2 these are Q4_0, IQ4_NL and Q4_K).
///
/// Feed-forward matrices are most of what the model reads for a token and lose little. Attention is
/// an eighth of it in the 0.5B and loses most: with its four bits the mean divergence from the
/// published file's answers is half as large again (0.023 instead of 0.016 nats a token, on code in
/// six languages), so the usual recipe leaves it as it is. The rows of a matrix decide: where they
/// divide by 256, Q4_K is better than the others and as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Recipe {
    /// Feed-forward and output in IQ4_NL, whose 16 levels are spaced for what weights are like.
    Iq4Nl,
    /// As that, without the output: the matrix that scores each token of the vocabulary.
    Iq4NlFeedForward,
    /// Feed-forward and output in Q4_0: made in a quarter of the time, and no faster.
    Q4_0,
    /// As that, and attention too.
    Q4_0All,
}

impl Recipe {
    /// All there are, in the order in which they are tried.
    pub const ALL: [Recipe; 4] =
        [Recipe::Iq4Nl, Recipe::Iq4NlFeedForward, Recipe::Q4_0, Recipe::Q4_0All];

    fn name(self) -> &'static str {
        match self {
            Recipe::Iq4Nl => "iq4_nl",
            Recipe::Iq4NlFeedForward => "iq4_nl-ffn",
            Recipe::Q4_0 => "q4_0",
            Recipe::Q4_0All => "q4_0-all",
        }
    }

    /// The type for rows that do not divide by 256.
    fn four_bits(self) -> sys::ggml_type {
        match self {
            Recipe::Iq4Nl | Recipe::Iq4NlFeedForward => sys::GGML_TYPE_IQ4_NL,
            Recipe::Q4_0 | Recipe::Q4_0All => sys::GGML_TYPE_Q4_0,
        }
    }

    /// Attention gets four bits as well.
    pub fn reaches_attention(self) -> bool {
        self == Recipe::Q4_0All
    }

    fn reaches(self, matrix: &Matrix, has_output: bool) -> bool {
        // Without a matrix of its own the output uses the one that turns tokens into states.
        let output = if has_output { "output.weight" } else { "token_embd.weight" };
        if matrix.name == output {
            return self != Recipe::Iq4NlFeedForward;
        }
        matrix.name.contains(".ffn_")
            || (self.reaches_attention() && matrix.name.contains(".attn_"))
    }

    /// The type for one matrix of a model: its own unless the recipe reaches it and it is finer.
    fn type_for(self, matrix: &Matrix, has_output: bool) -> sys::ggml_type {
        let target = match matrix.row % 256 {
            0 => sys::GGML_TYPE_Q4_K,
            _ => self.four_bits(),
        };
        let finer = bits(matrix.kind) > bits(target);
        if finer && self.reaches(matrix, has_output) { target } else { matrix.kind }
    }
}

/// Bits a weight takes.
fn bits(kind: sys::ggml_type) -> f64 {
    // SAFETY: both look up a constant of a type that llama.cpp gave us.
    let (bytes, weights) = unsafe { (sys::ggml_type_size(kind), sys::ggml_blck_size(kind)) };
    8.0 * bytes as f64 / weights.max(1) as f64
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Recipe> for String {
    fn from(recipe: Recipe) -> String {
        recipe.to_string()
    }
}

impl FromStr for Recipe {
    type Err = String;

    fn from_str(word: &str) -> Result<Recipe, String> {
        Recipe::ALL.into_iter().find(|recipe| recipe.name() == word).ok_or_else(|| {
            let known = Recipe::ALL.map(Recipe::name).join(", ");
            format!("`{word}` is no type of weights; use one of {known}")
        })
    }
}

impl TryFrom<String> for Recipe {
    type Error = String;

    fn try_from(word: String) -> Result<Recipe, String> {
        word.parse()
    }
}

/// A matrix of a model.
#[derive(Debug, PartialEq)]
struct Matrix {
    name: String,
    kind: sys::ggml_type,
    /// Weights in a row.
    row: i64,
}

/// Writes `target` from `source`. Blocks for seconds.
///
/// # Errors
/// With a sentence, when llama.cpp refuses; it says more in its log. A file may be left then.
pub fn quantize(source: &Path, target: &Path, recipe: Recipe, threads: u32) -> Result<(), String> {
    let _backend = backends::start()?;
    let (from, to) = (c_path(source)?, c_path(target)?);
    let matrices = matrices(&from).ok_or_else(|| format!("cannot read {}", source.display()))?;
    let has_output = matrices.iter().any(|matrix| matrix.name == "output.weight");
    // A type for each, so that llama.cpp's own mixtures decide nothing.
    let types: Vec<(CString, sys::ggml_type)> = matrices
        .iter()
        .filter_map(|matrix| {
            let pattern = format!("^{}$", matrix.name.replace('.', "[.]"));
            Some((CString::new(pattern).ok()?, recipe.type_for(matrix, has_output)))
        })
        .collect();
    let mut overrides: Vec<sys::llama_model_tensor_override> = types
        .iter()
        .map(|(pattern, kind)| sys::llama_model_tensor_override {
            pattern: pattern.as_ptr(),
            type_: *kind,
        })
        .collect();
    overrides.push(sys::llama_model_tensor_override { pattern: ptr::null(), type_: 0 });
    // SAFETY: it takes nothing and returns plain values.
    let mut params = unsafe { sys::llama_model_quantize_default_params() };
    params.nthread = i32::try_from(threads).unwrap_or(0);
    params.ftype = match recipe {
        Recipe::Iq4Nl | Recipe::Iq4NlFeedForward => sys::LLAMA_FTYPE_MOSTLY_IQ4_NL,
        Recipe::Q4_0 | Recipe::Q4_0All => sys::LLAMA_FTYPE_MOSTLY_Q4_0,
    };
    // The source is 4 to 8 bits already: there are no finer weights to start from.
    params.allow_requantize = true;
    params.tt_overrides = overrides.as_ptr();
    // SAFETY: strings, overrides (which end with a null) and parameters outlive the call; the other
    // pointers in the parameters are null, as the defaults are.
    let failed =
        unsafe { sys::llama_model_quantize(from.as_ptr(), to.as_ptr(), &raw const params) };
    match failed {
        0 => Ok(()),
        _ => Err(format!("llama.cpp cannot turn {} into {recipe}", source.display())),
    }
}

/// The matrices in a file; `None` when llama.cpp cannot read it.
fn matrices(file: &CStr) -> Option<Vec<Matrix>> {
    let mut tensors: *mut sys::ggml_context = ptr::null_mut();
    let params = sys::gguf_init_params { no_alloc: true, ctx: &raw mut tensors };
    // SAFETY: the path is a string; on success both contexts are ours, and freed below.
    let header = unsafe { sys::gguf_init_from_file(file.as_ptr(), params) };
    if header.is_null() {
        return None;
    }
    let mut found = Vec::new();
    // SAFETY: both contexts live, each number is below the count, and the tensor of a name that the
    // header has is there or null.
    unsafe {
        for number in 0..sys::gguf_get_n_tensors(header) {
            let name = sys::gguf_get_tensor_name(header, number);
            let tensor = sys::ggml_get_tensor(tensors, name);
            if !tensor.is_null() && sys::ggml_n_dims(tensor) >= 2 {
                let name = CStr::from_ptr(name).to_string_lossy().into_owned();
                found.push(Matrix { name, kind: (*tensor).type_, row: (*tensor).ne[0] });
            }
        }
        sys::ggml_free(tensors);
        sys::gguf_free(header);
    }
    Some(found)
}

fn c_path(path: &Path) -> Result<CString, String> {
    let text = path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
    CString::new(text).map_err(|_| format!("{} has a zero byte", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_known_by_its_name_and_another_name_is_answered_with_all_of_them() {
        for recipe in Recipe::ALL {
            assert_eq!(recipe.to_string().parse(), Ok(recipe));
        }
        let told = "q9".parse::<Recipe>().unwrap_err();
        assert!(told.contains("iq4_nl, iq4_nl-ffn, q4_0"), "{told}");
    }

    #[test]
    fn a_recipe_makes_coarser_what_it_reaches_and_nothing_finer() {
        let matrix = |name: &str, kind, row| Matrix { name: name.into(), kind, row };
        let up = matrix("blk.0.ffn_up.weight", sys::GGML_TYPE_Q5_0, 896);
        let down = matrix("blk.0.ffn_down.weight", sys::GGML_TYPE_Q6_K, 4_864);
        let attention = matrix("blk.0.attn_q.weight", sys::GGML_TYPE_Q5_0, 896);
        let output = matrix("output.weight", sys::GGML_TYPE_Q8_0, 896);
        let words = matrix("token_embd.weight", sys::GGML_TYPE_Q5_0, 896);
        let types = |recipe: Recipe| {
            [&up, &down, &attention, &output, &words].map(|m| recipe.type_for(m, true))
        };
        let (q4_0, q4_k) = (sys::GGML_TYPE_Q4_0, sys::GGML_TYPE_Q4_K);
        let (q5_0, q8_0, iq4) = (sys::GGML_TYPE_Q5_0, sys::GGML_TYPE_Q8_0, sys::GGML_TYPE_IQ4_NL);
        assert_eq!(types(Recipe::Iq4Nl), [iq4, q4_k, q5_0, iq4, q5_0]);
        assert_eq!(types(Recipe::Iq4NlFeedForward), [iq4, q4_k, q5_0, q8_0, q5_0]);
        assert_eq!(types(Recipe::Q4_0All), [q4_0, q4_k, q4_0, q4_0, q5_0]);
        // Tokens and output share a matrix.
        assert_eq!(Recipe::Iq4Nl.type_for(&words, false), iq4);
        let coarse = matrix("blk.0.ffn_up.weight", sys::GGML_TYPE_Q2_K, 1_536);
        assert_eq!(Recipe::Iq4Nl.type_for(&coarse, true), sys::GGML_TYPE_Q2_K);
    }
}
