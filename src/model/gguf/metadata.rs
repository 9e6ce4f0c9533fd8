//! The key and value pairs of a GGUF header.
//!
//! In: the bounded reader, standing before the pairs. Out: the few facts that tandem uses, and the
//! markers found in the vocabulary. Refuses: unknown value types, arrays in arrays, keys given
//! twice (two readers could each take the other one), an alignment that is no power of two.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::GgufError;
use super::fim::Markers;
use super::reader::Reader;

/// Pairs in a header; real models have about 30.
pub const MOST: u64 = 4096;
/// From the format's specification.
const LONGEST_KEY: u64 = 65_535;
/// A chat template may have tens of kilobytes.
const LONGEST_TEXT: u64 = 4 << 20;
/// A token of a vocabulary, or one of its merges.
const LONGEST_ELEMENT: u64 = 1 << 20;
/// The format's default, in bytes.
const ALIGNMENT: u64 = 32;
const LARGEST_ALIGNMENT: u64 = 1 << 20;

const FLOAT: u32 = 6;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// The type of a value, by the format's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    One(u32),
    /// A list: the type of its elements, and how many.
    Many(u32, u64),
}

/// What the pairs said.
pub struct Metadata {
    kinds: HashMap<String, Kind>,
    numbers: HashMap<String, u64>,
    floats: HashMap<String, f32>,
    texts: HashMap<String, String>,
    pub vocabulary_size: Option<u64>,
    pub markers: Markers,
    /// Bytes; a power of two.
    pub alignment: u64,
}

impl Metadata {
    /// The type of a key's value; none for a key that is not there.
    pub fn kind(&self, key: &str) -> Option<Kind> {
        self.kinds.get(key).copied()
    }

    /// An unsigned number, whatever its width in the file; signed ones count if not negative.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.numbers.get(key).copied()
    }

    /// A number of 32 bits with a point in it.
    pub fn float(&self, key: &str) -> Option<f32> {
        self.floats.get(key).copied()
    }

    /// A string.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }
}

pub fn read<R: Read>(reader: &mut Reader<R>, count: u64) -> Result<Metadata, GgufError> {
    let mut metadata = Metadata {
        kinds: HashMap::new(),
        numbers: HashMap::new(),
        floats: HashMap::new(),
        texts: HashMap::new(),
        vocabulary_size: None,
        markers: Markers::default(),
        alignment: ALIGNMENT,
    };
    let mut seen: HashSet<String> = HashSet::new();
    for _ in 0..count {
        let key = reader.text(LONGEST_KEY, "a key")?;
        if !seen.insert(key.clone()) {
            return Err(reader.malformed(format!("the key {key:?} is there twice")));
        }
        let kind = reader.u32()?;
        if kind != ARRAY {
            metadata.kinds.insert(key.clone(), Kind::One(kind));
        }
        match kind {
            STRING => {
                let text = reader.text(LONGEST_TEXT, &key)?;
                metadata.texts.insert(key, text);
            }
            ARRAY => array(reader, &key, &mut metadata)?,
            FLOAT => {
                let number = f32::from_le_bytes(reader.take()?);
                metadata.floats.insert(key, number);
            }
            kind => {
                if let Some(number) = scalar(reader, kind)? {
                    metadata.numbers.insert(key, number);
                }
            }
        }
    }
    if let Some(alignment) = metadata.number("general.alignment") {
        if !alignment.is_power_of_two() || alignment > LARGEST_ALIGNMENT {
            return Err(reader.malformed(format!("the alignment is {alignment}")));
        }
        metadata.alignment = alignment;
    }
    Ok(metadata)
}

/// Bytes of a value of fixed size; `None` for a type that does not exist.
fn size_of(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn scalar<R: Read>(reader: &mut Reader<R>, kind: u32) -> Result<Option<u64>, GgufError> {
    Ok(match kind {
        0 => Some(u64::from(reader.take::<1>()?[0])),
        1 => u64::try_from(i8::from_le_bytes(reader.take()?)).ok(),
        2 => Some(u64::from(u16::from_le_bytes(reader.take()?))),
        3 => u64::try_from(i16::from_le_bytes(reader.take()?)).ok(),
        4 => Some(u64::from(reader.u32()?)),
        5 => u64::try_from(i32::from_le_bytes(reader.take()?)).ok(),
        10 => Some(reader.u64()?),
        11 => u64::try_from(i64::from_le_bytes(reader.take()?)).ok(),
        // Booleans and longer floats: nothing we ask for.
        other => {
            let size = size_of(other)
                .ok_or_else(|| reader.malformed(format!("a value has the type {other}")))?;
            reader.skip(size)?;
            None
        }
    })
}

fn array<R: Read>(
    reader: &mut Reader<R>,
    key: &str,
    metadata: &mut Metadata,
) -> Result<(), GgufError> {
    let kind = reader.u32()?;
    let count = reader.u64()?;
    metadata.kinds.insert(key.to_owned(), Kind::Many(kind, count));
    if kind == STRING {
        let vocabulary = key == "tokenizer.ggml.tokens";
        // Each element takes eight bytes or more of the budget, so the loop ends.
        for id in 0..count {
            let length = reader.string_length(LONGEST_ELEMENT)?;
            if vocabulary && Markers::may_be_one(length) {
                metadata.markers.note(&reader.bytes(length)?, id);
            } else {
                reader.skip(length)?;
            }
        }
        if vocabulary {
            metadata.vocabulary_size = Some(count);
        }
        return Ok(());
    }
    let bytes = size_of(kind)
        .ok_or_else(|| reader.malformed(format!("an array has elements of the type {kind}")))?
        .checked_mul(count)
        .ok_or_else(|| reader.malformed(format!("an array claims {count} elements")))?;
    reader.skip(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, Value};
    use super::*;

    fn refused(value: Value) -> GgufError {
        let bytes = Builder::new("qwen2").with("odd", value).bytes();
        let mut reader = Reader::new(&bytes[24..], bytes.len() as u64 - 24);
        match read(&mut reader, 2) {
            Err(error) => error,
            Ok(_) => panic!("this value should be refused"),
        }
    }

    #[test]
    fn an_array_of_arrays_is_refused() {
        let nested = Value::Raw(ARRAY, [&9_u32.to_le_bytes()[..], &[1; 24]].concat());
        let told = refused(nested).to_string();
        assert!(told.contains("elements of the type 9"), "{told}");
    }

    #[test]
    fn an_array_longer_than_memory_is_refused_without_allocating() {
        for (kind, count) in [(4_u32, 1_u64 << 62), (10, u64::MAX), (STRING, u64::MAX)] {
            let claim = [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat();
            let error = refused(Value::Raw(ARRAY, claim));
            assert!(
                matches!(
                    error,
                    GgufError::Malformed { .. }
                        | GgufError::HeaderTooLarge
                        | GgufError::Truncated { .. }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn a_string_that_claims_more_than_any_text_has_is_refused() {
        let claim = u64::MAX.to_le_bytes().to_vec();
        let told = refused(Value::Raw(STRING, claim)).to_string();
        assert!(told.contains("string of 18446744073709551615"), "{told}");
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let builder = Builder::new("qwen2").with("general.architecture", Value::U32(1));
        let bytes = builder.bytes();
        let mut reader = Reader::new(&bytes[24..], bytes.len() as u64 - 24);
        let told = read(&mut reader, 2).err().map(|e| e.to_string());
        assert!(told.is_some_and(|told| told.contains("there twice")));
    }

    #[test]
    fn an_unknown_type_and_a_crooked_alignment_are_refused() {
        let told = refused(Value::Raw(13, vec![0; 8])).to_string();
        assert!(told.contains("the type 13"), "{told}");
        for alignment in [0, 3, 1 << 21] {
            let builder = Builder::new("qwen2").with("general.alignment", Value::U32(alignment));
            let bytes = builder.bytes();
            let mut reader = Reader::new(&bytes[24..], bytes.len() as u64 - 24);
            assert!(read(&mut reader, 2).is_err(), "{alignment}");
        }
    }
}
