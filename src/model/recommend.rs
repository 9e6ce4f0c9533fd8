//! Which model suits a machine. Pure.
//!
//! In: memory, video memory, and how fast the small model ran here. Out: an entry and the reason,
//! in a sentence. Refuses: to recommend what would not fit.

use super::catalogue::Entry;

/// A model for this machine and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    pub entry: &'static Entry,
    /// One sentence, for a person.
    pub reason: String,
}

const GB: f64 = 1e9;

/// Below this, the larger model answers too late to be read before the next key. The 1.5B decodes
/// at about 40 % of the small one's speed, and 50 tokens/s is about one line in 200 ms.
const FAST_ENOUGH: f64 = 120.0;

/// Cards and machines report a little less than the number on the box.
const NOMINAL: f64 = 0.94;

/// Video memory as sold, in GB, and the largest model of ours that leaves room for its context.
const BY_VIDEO_MEMORY: [(f64, &str, &str); 4] = [
    (24.0, "qwen2.5-coder-32b", "24 GB or more"),
    (16.0, "qwen2.5-coder-14b", "16 GB or more"),
    (8.0, "qwen2.5-coder-7b", "8 GB or more"),
    (4.0, "qwen2.5-coder-1.5b-base", "4 GB or more"),
];

/// The model to use. `memory` and `video_memory` are bytes; the speed is decoded tokens a second
/// of the default model on this machine, where it has been measured. Give `video_memory` only if
/// this build can use that GPU.
pub fn recommend(
    memory: u64,
    video_memory: Option<u64>,
    small_model_tokens_per_second: Option<f64>,
) -> Recommendation {
    if let Some(video) = video_memory {
        let video = video as f64 / GB;
        for (sold_as, name, class) in BY_VIDEO_MEMORY {
            if let Some(entry) = Entry::by_name(name).filter(|_| video >= sold_as * NOMINAL) {
                let reason = format!(
                    "a GPU with {class} of memory (this one: {video:.0} GB) holds the {} model with room for its context",
                    entry.parameters
                );
                return Recommendation { entry, reason };
            }
        }
    }
    on_cpu(memory as f64 / GB, small_model_tokens_per_second)
}

fn on_cpu(memory: f64, speed: Option<f64>) -> Recommendation {
    let small = |reason: String| Recommendation { entry: Entry::default_entry(), reason };
    let Some(larger) = Entry::by_name("qwen2.5-coder-1.5b") else {
        return small("it is the default".to_owned());
    };
    if memory < 8.0 * NOMINAL {
        return small(format!(
            "with {memory:.0} GB of memory the smallest model leaves the most room for your other programs"
        ));
    }
    match speed {
        None => small(
            "it answers in time on any CPU; run `tandem doctor` to measure whether this one is fast enough for the 1.5B".to_owned(),
        ),
        Some(speed) if speed < FAST_ENOUGH => small(format!(
            "this CPU decodes {speed:.0} tokens/s with it, and the 1.5B, at less than half of that, would answer after you have typed on (it wants {FAST_ENOUGH:.0})"
        )),
        Some(speed) => Recommendation {
            entry: larger,
            reason: format!(
                "this CPU decodes {speed:.0} tokens/s with the 0.5B, so it is fast enough for the better answers of the 1.5B"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn chosen(memory: u64, video: Option<u64>, speed: Option<f64>) -> &'static str {
        let chosen = recommend(memory, video, speed);
        assert!(!chosen.reason.is_empty());
        chosen.entry.name
    }

    #[test]
    fn a_small_cpu_gets_the_default_however_much_memory_it_has() {
        assert_eq!(chosen(64 * GIB, None, Some(77.0)), "qwen2.5-coder-0.5b");
        assert_eq!(chosen(64 * GIB, None, None), "qwen2.5-coder-0.5b");
    }

    #[test]
    fn a_fast_cpu_gets_the_larger_model_only_where_the_memory_is_there() {
        assert_eq!(chosen(16 * GIB, None, Some(150.0)), "qwen2.5-coder-1.5b");
        assert_eq!(chosen(4 * GIB, None, Some(150.0)), "qwen2.5-coder-0.5b");
    }

    #[test]
    fn a_gpu_gets_the_largest_model_that_fits_it_even_as_it_reports_itself() {
        // 8, 16 and 24 GB cards as drivers report them, in MiB.
        for (mib, name) in [
            (8_188, "qwen2.5-coder-7b"),
            (15_109, "qwen2.5-coder-14b"),
            (22_731, "qwen2.5-coder-32b"),
            (143_771, "qwen2.5-coder-32b"),
            (4_096, "qwen2.5-coder-1.5b-base"),
        ] {
            assert_eq!(chosen(16 * GIB, Some(mib << 20), None), name, "{mib} MiB");
        }
    }

    #[test]
    fn a_recommended_model_fits_the_memory_it_was_chosen_for() {
        for gib in 1..200 {
            let chosen = recommend(0, Some(gib * GIB), None);
            let small = chosen.entry == Entry::default_entry();
            assert!(small || chosen.entry.memory_bytes <= gib * GIB, "{gib} GiB");
        }
    }

    #[test]
    fn a_gpu_too_small_for_anything_falls_back_to_the_cpus_choice() {
        assert_eq!(chosen(16 * GIB, Some(2 * GIB), Some(200.0)), "qwen2.5-coder-1.5b");
    }
}
