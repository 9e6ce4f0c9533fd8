//! How many layers of a model to put on a GPU when nobody says.
//!
//! llama.cpp's own default is all of them, and a model that does not fit then does not load. So
//! whoever has a GPU with too little memory gets as many layers as fit, and the CPU does the rest.
//!
//! In: what the model's header says, and the free memory of the GPUs. Out: a number of layers, or
//! nothing when llama.cpp's default is right. An estimate on the safe side, not a promise: other
//! programs take memory too.

use llama_cpp_2::LlamaBackendDeviceType::{Gpu, IntegratedGpu};

use super::Options;
use super::context::BATCH;
use crate::model::gguf::{self, Summary};

/// What a model takes on a GPU, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Needs {
    /// Layers with weights and a cache, all alike.
    layers: u32,
    /// Weights of one of them.
    layer: u64,
    /// Keys and values of one of them, for all documents.
    cache: u64,
    /// Weights of the output, which goes to the GPU first.
    output: u64,
    /// The logits of a whole batch, the largest of what is computed in between.
    working: u64,
}

/// How many layers fit beside `free` bytes, as llama.cpp counts them: with the output as one more.
/// A tenth of the memory stays free.
fn fitting(needs: Needs, free: u64) -> u32 {
    let room = free - free / 10;
    let Some(room) = room.checked_sub(needs.output.saturating_add(needs.working)) else { return 0 };
    let each = needs.layer.saturating_add(needs.cache).max(1);
    u32::try_from(room / each).unwrap_or(u32::MAX).min(needs.layers).saturating_add(1)
}

impl Needs {
    /// For a context of `cells` tokens; `None` when the header does not say enough.
    fn of(model: &Summary, cells: u64) -> Option<Needs> {
        let layers = model.block_count?.max(1);
        let words = model.vocabulary_size?;
        // The output has as many weights as the table of tokens, which is never on the GPU. Where
        // they share their weights the layers are thought somewhat too large.
        let table = words.checked_mul(model.width?)?;
        let bytes_per_weight = model.bytes as f64 / model.parameters.max(1) as f64;
        let output = ((table as f64 * bytes_per_weight) as u64).min(model.bytes);
        Some(Needs {
            layers: u32::try_from(layers).ok()?,
            layer: (model.bytes - output) / layers,
            cache: model.cell_bytes?.checked_mul(cells)? / layers,
            output,
            working: words.checked_mul(4 * BATCH as u64)?,
        })
    }
}

/// The number of layers to ask llama.cpp for; `None` for its default, all of them.
pub fn layers(options: &Options) -> Option<u32> {
    let devices = llama_cpp_2::list_llama_ggml_backend_devices();
    let largest = |kind| {
        let of_kind = devices.iter().filter(|device| device.device_type == kind);
        of_kind.map(|device| device.memory_free as u64).max()
    };
    // llama.cpp passes over the processor's own GPU when there is another. A GPU may be listed
    // twice, by two drivers, so their memories are not added up.
    let free = largest(Gpu).or_else(|| largest(IntegratedGpu))?;
    let model = gguf::inspect(&options.model).ok()?;
    let cells = u64::from(options.context_tokens) * u64::from(options.sequences());
    let needs = Needs::of(&model, cells)?;
    let fitting = fitting(needs, free);
    tracing::debug!(?needs, free, fitting, "layers on the GPU");
    (fitting <= needs.layers).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: Needs = Needs { layers: 28, layer: 90, cache: 10, output: 300, working: 600 };

    #[test]
    fn as_many_layers_go_to_the_gpu_as_leave_a_tenth_of_it_free() {
        let cases = [
            // Not even the output fits.
            (0, 0),
            (998, 0),
            // The output alone, then with one layer more for each 100 bytes.
            (999, 1),
            (1_110, 1),
            (1_111, 2),
            (2_000, 10),
            // 2,800 bytes of layers and 900 more.
            (4_110, 28),
            (4_111, 29),
            (1 << 40, 29),
            (u64::MAX, 29),
        ];
        for (free, layers) in cases {
            assert_eq!(fitting(NEEDS, free), layers, "{free} bytes free");
        }
    }

    #[test]
    fn numbers_without_end_mean_that_nothing_fits() {
        let endless = Needs { layer: u64::MAX, cache: u64::MAX, ..NEEDS };
        assert_eq!(fitting(endless, 1 << 40), 1);
        let endless = Needs { output: u64::MAX, working: u64::MAX, ..NEEDS };
        assert_eq!(fitting(endless, u64::MAX), 0);
    }

    /// Qwen2.5-Coder 7B, Q4_K_M.
    fn seven_b() -> Summary {
        Summary {
            version: 3,
            architecture: "qwen2".to_owned(),
            name: None,
            file_type: None,
            context_length: None,
            block_count: Some(28),
            vocabulary_size: Some(152_064),
            width: Some(3_584),
            cell_bytes: Some(57_344),
            has_chat_template: false,
            parameters: 7_615_616_512,
            bytes: 4_683_074_240,
            fim: None,
        }
    }

    #[test]
    fn a_7b_model_fits_a_card_of_8_gb_whole_and_one_of_4_gb_by_three_fifths() {
        let needs = Needs::of(&seven_b(), 4 * 2_048).unwrap();
        assert_eq!(fitting(needs, 8 << 30), 29);
        assert_eq!(fitting(needs, 4 << 30), 19);
        assert_eq!(fitting(needs, 512 << 20), 0);
    }

    #[test]
    fn a_header_that_does_not_say_enough_leaves_the_choice_to_llama_cpp() {
        assert_eq!(Needs::of(&Summary { width: None, ..seven_b() }, 8_192), None);
        assert_eq!(Needs::of(&Summary { cell_bytes: None, ..seven_b() }, 8_192), None);
        let absurd = Summary { vocabulary_size: Some(u64::MAX), ..seven_b() };
        assert_eq!(Needs::of(&absurd, 8_192), None);
    }
}
