//! The list of tensors in a GGUF header: do they fit the file they are in?
//!
//! In: the bounded reader, standing before the list, and the alignment. Out: the list, and how many weights
//! there are. Refuses: no or too many dimensions, zero and overflowing ones, names twice, places outside
//! the file, tensors that share bytes. A weight type we do not know is passed over: its size cannot be computed.

use std::collections::HashSet;
use std::io::Read;

use super::GgufError;
use super::reader::Reader;

/// Tensors in a file; the largest mixtures of experts have a few thousand.
pub const MOST: u64 = 100_000;
/// ggml's GGML_MAX_NAME is 64 with the closing zero.
const LONGEST_NAME: u64 = 63;
/// ggml's GGML_MAX_DIMS.
const MOST_DIMENSIONS: u32 = 4;

/// The tensors of a file.
#[derive(Debug, Default)]
pub struct Tensors {
    pub list: Vec<Tensor>,
    /// Weights of all together.
    pub weights: u64,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Tensor {
    pub name: String,
    /// The length of a row first.
    pub dimensions: Vec<u64>,
    /// ggml's number of the weights' type.
    pub kind: u32,
}

/// Reads and checks the list.
pub fn check<R: Read>(
    reader: &mut Reader<R>,
    count: u64,
    alignment: u64,
) -> Result<Tensors, GgufError> {
    let mut names: HashSet<String> = HashSet::new();
    let mut places: Vec<(u64, u64)> = Vec::new();
    let mut tensors = Tensors::default();
    // Where the last byte of the last tensor is, counted from the start of the data.
    let mut end: u64 = 0;
    for _ in 0..count {
        let name = reader.text(LONGEST_NAME, "a tensor's name")?;
        if !names.insert(name.clone()) {
            return Err(reader.malformed(format!("the tensor {name:?} is there twice")));
        }
        let (elements, dimensions) = dimensions(reader, &name)?;
        let kind = reader.u32()?;
        let offset = reader.u64()?;
        if !offset.is_multiple_of(alignment) {
            return Err(reader.malformed(format!("the tensor {name:?} is not aligned")));
        }
        let bytes = match block(kind) {
            // At least a byte: a place outside the file is refused for unknown types as well.
            None => 1,
            Some((per_block, bytes)) => {
                if !dimensions[0].is_multiple_of(per_block) {
                    return Err(reader.malformed(format!(
                        "the rows of the tensor {name:?} are not whole blocks"
                    )));
                }
                (elements / per_block).checked_mul(bytes).ok_or_else(|| {
                    reader.malformed(format!("the tensor {name:?} has impossible dimensions"))
                })?
            }
        };
        tensors.weights = tensors.weights.saturating_add(elements);
        let tensor_end = offset
            .checked_add(bytes)
            .ok_or_else(|| reader.malformed(format!("the tensor {name:?} is out of place")))?;
        end = end.max(tensor_end);
        places.push((offset, tensor_end));
        tensors.list.push(Tensor { name, dimensions, kind });
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(reader.malformed("two tensors share bytes of the file"));
    }
    let needed = reader
        .at()
        .checked_next_multiple_of(alignment)
        .and_then(|start| start.checked_add(end))
        .ok_or_else(|| reader.malformed("a tensor is out of place"))?;
    if count > 0 && needed > reader.length() {
        return Err(GgufError::Truncated { got: reader.length(), needed });
    }
    Ok(tensors)
}

/// The number of elements, and the dimensions: at least one, none of them zero.
fn dimensions<R: Read>(reader: &mut Reader<R>, name: &str) -> Result<(u64, Vec<u64>), GgufError> {
    let count = reader.u32()?;
    if count == 0 || count > MOST_DIMENSIONS {
        return Err(reader.malformed(format!("the tensor {name:?} has {count} dimensions")));
    }
    let mut elements: u64 = 1;
    let mut dimensions = Vec::new();
    for _ in 0..count {
        let size = reader.u64()?;
        // ggml counts in i64. A zero dimension has crashed llama.cpp (its issue 24263).
        elements = elements
            .checked_mul(size)
            .filter(|product| *product > 0 && i64::try_from(*product).is_ok())
            .ok_or_else(|| {
                reader.malformed(format!("the tensor {name:?} has impossible dimensions"))
            })?;
        dimensions.push(size);
    }
    Ok((elements, dimensions))
}

/// Elements and bytes of a block, for each weight type (ggml.h and ggml-common.h).
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 | 26 => (1, 4),      // F32, I32
        1 | 25 | 30 => (1, 2), // F16, I16, BF16
        24 => (1, 1),          // I8
        27 | 28 => (1, 8),     // I64, F64
        2 | 20 => (32, 18),    // Q4_0, IQ4_NL
        3 => (32, 20),         // Q4_1
        6 => (32, 22),         // Q5_0
        7 => (32, 24),         // Q5_1
        8 => (32, 34),         // Q8_0
        9 => (32, 36),         // Q8_1
        39 => (32, 17),        // MXFP4
        10 => (256, 84),       // Q2_K
        11 | 21 => (256, 110), // Q3_K, IQ3_S
        12 => (256, 144),      // Q4_K
        13 => (256, 176),      // Q5_K
        14 => (256, 210),      // Q6_K
        15 => (256, 292),      // Q8_K
        16 | 35 => (256, 66),  // IQ2_XXS, TQ2_0
        17 => (256, 74),       // IQ2_XS
        18 => (256, 98),       // IQ3_XXS
        19 => (256, 50),       // IQ1_S
        22 => (256, 82),       // IQ2_S
        23 => (256, 136),      // IQ4_XS
        29 => (256, 56),       // IQ1_M
        34 => (256, 54),       // TQ1_0
        _ => return None,
    })
}

/// The name of `general.file_type` (llama.h's llama_ftype).
pub fn file_type_name(number: u64) -> String {
    let known = match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4",
        other => return format!("type {other}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::builder::Builder;
    use super::*;

    /// Checks one tensor alone, in a file of `data` bytes after the header.
    fn check_one(dimensions: &[u64], kind: u32, offset: u64, data: usize) -> Result<u64, String> {
        let mut bytes = Builder::tensor_record("t", dimensions, kind, offset);
        bytes.resize(bytes.len().next_multiple_of(32) + data, 0);
        let mut reader = Reader::new(&bytes[..], bytes.len() as u64);
        let tensors = check(&mut reader, 1, 32).map_err(|e| e.to_string())?;
        assert_eq!(
            tensors.list,
            [Tensor { name: "t".to_owned(), dimensions: dimensions.to_vec(), kind }]
        );
        Ok(tensors.weights)
    }

    #[test]
    fn a_tensor_that_ends_with_the_file_fits_and_one_byte_less_does_not() {
        assert_eq!(check_one(&[64, 2], 2, 0, 72), Ok(128));
        assert!(check_one(&[64, 2], 2, 0, 71).unwrap_err().contains("truncated"));
    }

    #[test]
    fn impossible_dimensions_are_refused() {
        for dimensions in [
            &[0][..],
            &[4, 0],
            &[],
            &[1, 1, 1, 1, 1],
            &[1 << 32, 1 << 32],
            &[u64::MAX],
            &[1 << 31, 1 << 31, 1 << 31],
        ] {
            let told = check_one(dimensions, 0, 0, 1024).unwrap_err();
            assert!(told.contains("dimensions"), "{dimensions:?}: {told}");
        }
    }

    #[test]
    fn dimensions_that_fit_a_number_but_not_the_file_are_a_truncation() {
        let told = check_one(&[1 << 31, 1 << 29], 0, 0, 1024).unwrap_err();
        assert!(told.contains("truncated"), "{told}");
    }

    #[test]
    fn places_that_are_crooked_or_outside_are_refused() {
        assert!(check_one(&[4], 0, 3, 1024).unwrap_err().contains("not aligned"));
        assert!(check_one(&[4], 0, 1 << 40, 1024).is_err());
        assert!(check_one(&[4], 0, u64::MAX - 31, 1024).is_err(), "it would wrap round");
        assert!(check_one(&[33], 8, 0, 1024).unwrap_err().contains("whole blocks"));
    }

    #[test]
    fn tensors_that_share_bytes_are_refused() {
        for (second, fits) in [(32, false), (0, false), (64, true)] {
            let mut bytes = Builder::tensor_record("a", &[16], 0, 0);
            bytes.extend(Builder::tensor_record("b", &[1], 0, second));
            bytes.resize(bytes.len().next_multiple_of(32) + 256, 0);
            let mut reader = Reader::new(&bytes[..], bytes.len() as u64);
            assert_eq!(check(&mut reader, 2, 32).is_ok(), fits, "{second}");
        }
    }

    #[test]
    fn an_unknown_weight_type_is_passed_over_but_must_begin_inside_the_file() {
        assert_eq!(check_one(&[4], 999, 0, 1024), Ok(4));
        assert!(check_one(&[4], 999, 2048, 1024).is_err());
    }
}
