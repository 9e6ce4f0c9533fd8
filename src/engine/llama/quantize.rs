//! The same model in another type of weights.
//!
//! In: a GGUF file that our own reader has accepted, and a recipe. Out: another file, through
//! llama.cpp's own quantizer. It can abort the process, so it runs in one of its own
//! (`model::optimize::workshop`). It refuses nothing and cleans up nothing: who ordered it does.

use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::backends;

/// A type of weights that llama.cpp lays out anew when it loads them, so that one instruction works
/// on eight rows: on x86 with AVX2 these are Q4_0, Q4_K and IQ4_NL (`repack.cpp`). Q4_K wants rows
/// that divide by 256, which the 0.5B model's do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// 4 bits and a scale for each 32 weights.
    Q4_0,
    /// The same size; its 16 levels are spaced for what weights are like.
    Iq4Nl,
}

/// What to make of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Recipe {
    pub weights: Weights,
    /// The matrix that turns the last state into a score for each token of the vocabulary, and the
    /// one that turns tokens into states, in that type as well. Else llama.cpp leaves them finer
    /// (6 or 8 bits), which costs time: in a small model they are a large part of all weights.
    pub output_too: bool,
}

impl Recipe {
    /// All there are, in the order in which they are tried.
    pub const ALL: [Recipe; 4] = [
        Recipe { weights: Weights::Q4_0, output_too: false },
        Recipe { weights: Weights::Q4_0, output_too: true },
        Recipe { weights: Weights::Iq4Nl, output_too: false },
        Recipe { weights: Weights::Iq4Nl, output_too: true },
    ];
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.weights, self.output_too) {
            (Weights::Q4_0, false) => "q4_0",
            (Weights::Q4_0, true) => "q4_0-all",
            (Weights::Iq4Nl, false) => "iq4_nl",
            (Weights::Iq4Nl, true) => "iq4_nl-all",
        })
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
        Recipe::ALL.into_iter().find(|recipe| recipe.to_string() == word).ok_or_else(|| {
            let known = Recipe::ALL.map(|recipe| recipe.to_string()).join(", ");
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

/// Writes `target` from `source`. Blocks for seconds.
///
/// # Errors
/// With a sentence, when llama.cpp refuses; it says more in its log. A file may be left then.
pub fn quantize(source: &Path, target: &Path, recipe: Recipe, threads: u32) -> Result<(), String> {
    let _backend = backends::start()?;
    let (from, to) = (c_path(source)?, c_path(target)?);
    // SAFETY: it takes nothing and returns plain values.
    let mut params = unsafe { llama_cpp_sys_2::llama_model_quantize_default_params() };
    let (file_type, tensor_type) = match recipe.weights {
        Weights::Q4_0 => {
            (llama_cpp_sys_2::LLAMA_FTYPE_MOSTLY_Q4_0, llama_cpp_sys_2::GGML_TYPE_Q4_0)
        }
        Weights::Iq4Nl => {
            (llama_cpp_sys_2::LLAMA_FTYPE_MOSTLY_IQ4_NL, llama_cpp_sys_2::GGML_TYPE_IQ4_NL)
        }
    };
    params.nthread = i32::try_from(threads).unwrap_or(0);
    params.ftype = file_type;
    // The source is 4 to 8 bits already: there are no finer weights to start from.
    params.allow_requantize = true;
    if recipe.output_too {
        params.output_tensor_type = tensor_type;
        params.token_embedding_type = tensor_type;
    }
    // SAFETY: both strings and the parameters outlive the call, and the pointers in the parameters
    // are null, as the defaults are.
    let failed = unsafe {
        llama_cpp_sys_2::llama_model_quantize(from.as_ptr(), to.as_ptr(), &raw const params)
    };
    match failed {
        0 => Ok(()),
        _ => Err(format!("llama.cpp cannot turn {} into {recipe}", source.display())),
    }
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
        assert!(told.contains("q4_0, q4_0-all, iq4_nl"), "{told}");
    }
}
