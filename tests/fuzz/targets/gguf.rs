//! The header of a model's file.
//!
//! In: bytes. Out: a summary whose claims are possible, or a refusal in a sentence. Refuses: nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem::model::gguf::inspect_bytes;

fuzz_target!(|bytes: &[u8]| match inspect_bytes(bytes) {
    Ok(summary) => {
        assert_eq!(summary.bytes, bytes.len() as u64);
        assert!(summary.block_count.is_none_or(|blocks| (1..=512).contains(&blocks)));
        // Each token takes eight bytes or more.
        assert!(summary.vocabulary_size.is_none_or(|tokens| tokens <= summary.bytes / 8));
        // Cut short, a file with tensors is refused.
        if summary.parameters > 0 {
            assert!(inspect_bytes(&bytes[..bytes.len().min(24)]).is_err());
        }
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});
