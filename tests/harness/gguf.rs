//! Tiny files in the GGUF format: enough for a header check, nothing that llama.cpp could run.

const TEXT: u32 = 8;
const ARRAY: u32 = 9;

/// A model whose vocabulary has these tokens, and one tensor of 32 weights.
pub fn with_tokens(tokens: &[&str]) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    out.extend(3_u32.to_le_bytes());
    // One tensor, three facts.
    out.extend(1_u64.to_le_bytes());
    out.extend(3_u64.to_le_bytes());
    for (key, value) in [("general.architecture", "qwen2"), ("general.name", "Tiny Talker")] {
        out.extend(text(key));
        out.extend(TEXT.to_le_bytes());
        out.extend(text(value));
    }
    out.extend(text("tokenizer.ggml.tokens"));
    out.extend(ARRAY.to_le_bytes());
    out.extend(TEXT.to_le_bytes());
    out.extend((tokens.len() as u64).to_le_bytes());
    out.extend(tokens.iter().flat_map(|token| text(token)));
    // One dimension of 32, f32, at offset 0.
    out.extend(text("output_norm.weight"));
    out.extend(1_u32.to_le_bytes());
    out.extend(32_u64.to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(0_u64.to_le_bytes());
    out.resize(out.len().next_multiple_of(32) + 32 * 4, 0);
    out
}

/// A model that its header check accepts.
pub fn that_fills_in_the_middle() -> Vec<u8> {
    with_tokens(&["a", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"])
}

fn text(words: &str) -> Vec<u8> {
    [&(words.len() as u64).to_le_bytes()[..], words.as_bytes()].concat()
}
