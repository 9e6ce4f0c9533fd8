//! Headers of model files: any bytes are a model or are refused with a sentence, in little time and memory.

use tandem::model::gguf::inspect_bytes;

pub fn check(data: &[u8]) {
    match inspect_bytes(data) {
        Ok(summary) => {
            assert_eq!(summary.bytes, data.len() as u64);
            assert!(!summary.architecture.is_empty());
            // Nothing is promised that the file does not hold.
            assert!(summary.vocabulary_size.is_none_or(|words| words <= data.len() as u64));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
