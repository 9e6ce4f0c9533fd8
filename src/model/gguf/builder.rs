//! Writes small GGUF files for tests, good ones and bad ones.
//!
//! In: what the file should claim. Out: its bytes. Refuses: nothing; lying is its purpose.

/// A metadata value.
pub enum Value {
    U16(u16),
    U32(u32),
    Text(&'static str),
    Strings(Vec<String>),
    /// A type number and bytes, whatever they are.
    Raw(u32, Vec<u8>),
}

pub struct Builder {
    pairs: Vec<(String, Value)>,
    /// Name, dimensions, type, bytes of data.
    tensors: Vec<(&'static str, Vec<u64>, u32, usize)>,
}

impl Builder {
    pub fn new(architecture: &'static str) -> Builder {
        let pair = ("general.architecture".to_owned(), Value::Text(architecture));
        Builder { pairs: vec![pair], tensors: vec![] }
    }

    /// A tiny but complete model: two tensors, eight tokens.
    pub fn qwen() -> Builder {
        let mut builder = Builder::new("qwen2")
            .with("general.name", Value::Text("Tiny Coder"))
            .with("general.file_type", Value::U32(15))
            .with("qwen2.context_length", Value::U32(32_768))
            .with("qwen2.block_count", Value::U32(2))
            .with("tokenizer.chat_template", Value::Text("{{ messages }}"));
        builder.tokens(&[
            "a",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
            "a token that is far too long to be any marker of any family",
        ]);
        builder.tensors.push(("output.weight", vec![64, 2], 2, 72));
        builder.tensors.push(("output_norm.weight", vec![32], 0, 128));
        builder
    }

    /// An adapter of rank 4 for the first tensor of that model.
    pub fn adapter() -> Builder {
        Builder::bare_adapter().tensor("output.weight.lora_a", &[64, 4], 0).tensor(
            "output.weight.lora_b",
            &[4, 2],
            0,
        )
    }

    /// The facts of an adapter, without any tensor.
    pub fn bare_adapter() -> Builder {
        Builder::new("qwen2")
            .with("general.type", Value::Text("adapter"))
            .with("general.name", Value::Text("House style"))
            .with("adapter.type", Value::Text("lora"))
            .with("adapter.lora.alpha", Value::Raw(6, 16_f32.to_le_bytes().to_vec()))
    }

    pub fn with(mut self, key: &str, value: Value) -> Builder {
        self.pairs.push((key.to_owned(), value));
        self
    }

    pub fn tokens(&mut self, tokens: &[&str]) {
        let tokens = tokens.iter().map(|&token| token.to_owned()).collect();
        self.pairs.push(("tokenizer.ggml.tokens".to_owned(), Value::Strings(tokens)));
    }

    /// With another value for this key.
    pub fn replacing(mut self, key: &str, value: Value) -> Builder {
        self.pairs.retain(|(other, _)| other != key);
        self.with(key, value)
    }

    /// One more tensor, with so much data as F32 takes.
    pub fn tensor(mut self, name: &'static str, dimensions: &[u64], kind: u32) -> Builder {
        let size = dimensions.iter().product::<u64>() as usize * 4;
        self.tensors.push((name, dimensions.to_vec(), kind, size));
        self
    }

    pub fn tensor_record(name: &str, dimensions: &[u64], kind: u32, offset: u64) -> Vec<u8> {
        let mut out = text(name);
        out.extend((dimensions.len() as u32).to_le_bytes());
        out.extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        out.extend(kind.to_le_bytes());
        out.extend(offset.to_le_bytes());
        out
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.pairs.len() as u64).to_le_bytes());
        for (key, value) in &self.pairs {
            out.extend(text(key));
            out.extend(value.bytes());
        }
        let mut data: Vec<u8> = vec![];
        for (name, dimensions, kind, size) in &self.tensors {
            data.resize(data.len().next_multiple_of(32), 0);
            out.extend(Builder::tensor_record(name, dimensions, *kind, data.len() as u64));
            data.extend((0..*size).map(|i| i as u8));
        }
        if !data.is_empty() {
            out.resize(out.len().next_multiple_of(32), 0);
        }
        out.extend(data);
        out
    }
}

impl Value {
    fn bytes(&self) -> Vec<u8> {
        let (kind, payload): (u32, Vec<u8>) = match self {
            Value::U16(number) => (2, number.to_le_bytes().to_vec()),
            Value::U32(number) => (4, number.to_le_bytes().to_vec()),
            Value::Text(words) => (8, text(words)),
            Value::Strings(list) => {
                let mut out = 8_u32.to_le_bytes().to_vec();
                out.extend((list.len() as u64).to_le_bytes());
                out.extend(list.iter().flat_map(|item| text(item)));
                (9, out)
            }
            Value::Raw(kind, bytes) => (*kind, bytes.clone()),
        };
        [kind.to_le_bytes().to_vec(), payload].concat()
    }
}

fn text(words: &str) -> Vec<u8> {
    let mut out = (words.len() as u64).to_le_bytes().to_vec();
    out.extend(words.as_bytes());
    out
}
