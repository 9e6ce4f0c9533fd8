//! Which tokens of a vocabulary mark the middle to fill in.
//!
//! In: the short strings of a vocabulary, with their ids. Out: the first family that is complete.
//! Refuses: half a family.
//!
//! A vocabulary that has the tokens is taken as a model trained on them; a few models (the
//! general Qwen2.5) share a tokenizer with a code model and are not. The hash-pinned catalogue
//! is the answer to that, not a guess here.

use serde::Serialize;

/// One special token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Marker {
    /// As it is written in the vocabulary.
    pub text: &'static str,
    /// Its place there.
    pub id: u32,
}

/// The tokens of a fill-in-the-middle prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FimTokens {
    pub prefix: Marker,
    pub suffix: Marker,
    pub middle: Marker,
    /// Before the repository's name, where the model knows repositories.
    pub repository: Option<Marker>,
    /// Before each file's path, likewise.
    pub file: Option<Marker>,
}

/// Prefix, suffix, middle: the most common family first.
const FAMILIES: [[&str; 3]; 6] = [
    // Qwen, CodeGemma, Granite 4.
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    // StarCoder2, Granite 3.
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    // SantaCoder and its kin.
    ["<fim-prefix>", "<fim-suffix>", "<fim-middle>"],
    // DeepSeek; its hole is where the suffix begins.
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
    // GLM.
    ["<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"],
    // CodeLlama; the bar is its tokenizer's blank.
    ["▁<PRE>", "▁<SUF>", "▁<MID>"],
];
const REPOSITORY: [&str; 3] = ["<|repo_name|>", "<repo_name>", "<reponame>"];
const FILE: [&str; 4] = ["<|file_sep|>", "<|file_separator|>", "<file_sep>", "<filename>"];

/// The markers met so far.
#[derive(Default)]
pub struct Markers {
    met: Vec<Marker>,
}

impl Markers {
    /// Whether a token of so many bytes can be a marker at all.
    pub fn may_be_one(length: u64) -> bool {
        (6..=32).contains(&length)
    }

    /// Looks at one token. The first of two equal strings counts.
    pub fn note(&mut self, token: &[u8], id: u64) {
        let all = FAMILIES.iter().flatten().chain(&REPOSITORY).chain(&FILE);
        let text = all.copied().find(|text| text.as_bytes() == token);
        if let (Some(text), Ok(id)) = (text, u32::try_from(id))
            && self.get(text).is_none()
        {
            self.met.push(Marker { text, id });
        }
    }

    fn get(&self, text: &str) -> Option<Marker> {
        self.met.iter().copied().find(|marker| marker.text == text)
    }

    pub fn family(&self) -> Option<FimTokens> {
        FAMILIES.iter().find_map(|[prefix, suffix, middle]| {
            Some(FimTokens {
                prefix: self.get(prefix)?,
                suffix: self.get(suffix)?,
                middle: self.get(middle)?,
                repository: REPOSITORY.iter().find_map(|text| self.get(text)),
                file: FILE.iter().find_map(|text| self.get(text)),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(tokens: &[&str]) -> Option<FimTokens> {
        let mut markers = Markers::default();
        for (id, token) in tokens.iter().enumerate() {
            if Markers::may_be_one(token.len() as u64) {
                markers.note(token.as_bytes(), id as u64);
            }
        }
        markers.family()
    }

    #[test]
    fn every_family_is_recognised_by_its_own_words() {
        for [prefix, suffix, middle] in FAMILIES {
            let found = family(&["x", middle, suffix, prefix]).unwrap();
            assert_eq!(
                (found.prefix.text, found.suffix.text, found.middle.text),
                (prefix, suffix, middle)
            );
            assert_eq!(found.middle.id, 1);
        }
    }

    #[test]
    fn half_a_family_is_no_family() {
        assert_eq!(family(&["<|fim_prefix|>", "<|fim_suffix|>"]), None);
        assert_eq!(family(&["<|fim_prefix|>", "<fim_suffix>", "<|fim_middle|>"]), None);
    }

    #[test]
    fn repository_tokens_are_found_where_the_model_has_them() {
        let star = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"];
        assert_eq!(family(&star).unwrap().repository, None);
        let with = [&star[..], &["<repo_name>", "<file_sep>"]].concat();
        let found = family(&with).unwrap();
        assert_eq!(found.repository.map(|marker| marker.id), Some(3));
        assert_eq!(found.file.map(|marker| marker.id), Some(4));
    }
}
