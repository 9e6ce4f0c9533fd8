//! What engines say differently: the body of a request for each.
//!
//! In: what an engine says of itself, a request. Out: JSON. Pure.
//!
//! All of them take OpenAI's `/v1/completions` with a raw prompt. That an answer must begin with the word being
//! typed is said in four ways, or not at all; then the answer is checked, and one that begins otherwise is
//! thrown away.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::engine::family::Family;

/// Who listens there. vLLM's field is the one since 0.12, which earlier ones pass over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// llama-server.
    LlamaCpp,
    Vllm,
    Sglang,
    /// Anybody else: nothing but what all understand.
    Plain,
}

/// A model that an engine has.
#[derive(Debug, Deserialize)]
pub struct Model {
    pub id: String,
    #[serde(default)]
    owned_by: String,
}

impl Model {
    /// The engines put their own names there.
    pub fn dialect(&self) -> Dialect {
        match self.owned_by.as_str() {
            "llamacpp" => Dialect::LlamaCpp,
            "vllm" => Dialect::Vllm,
            "sglang" => Dialect::Sglang,
            _ => Dialect::Plain,
        }
    }
}

/// What `/v1/models` answers.
#[derive(Debug, Deserialize)]
pub struct Models {
    pub data: Vec<Model>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub model: &'a str,
    pub prompt: &'a str,
    /// What the answer must begin with.
    pub word: &'a str,
    pub max_tokens: u32,
    pub family: Family,
}

/// A token may be as little as a byte, and most words are a token for three.
const BYTES_A_TOKEN: usize = 2;

impl Dialect {
    /// Does it say how long it read a prompt?
    pub fn tells_speed(self) -> bool {
        self == Dialect::LlamaCpp
    }

    /// The body of the request.
    pub fn body(self, ask: &Ask<'_>) -> Value {
        // The least that all engines take; some generate without end for none.
        let max_tokens = match ask.max_tokens {
            0 => 1,
            most => most + ask.word.len().div_ceil(BYTES_A_TOKEN) as u32,
        };
        let mut body = json!({
            "model": ask.model,
            "prompt": ask.prompt,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": true,
            "stop": ask.family.stops(),
            "logprobs": 1,
        });
        if matches!(self, Dialect::Vllm | Dialect::Sglang) && ask.family == Family::Qwen {
            // All that is no text: these end an answer in llama.cpp by themselves.
            let ids = [151_643, 151_644, 151_645].into_iter().chain(151_659..=151_664);
            body["stop_token_ids"] = ids.collect::<Vec<u32>>().into();
        }
        if self.tells_speed() {
            // With the first token, since nobody waits for the last one.
            body["timings_per_token"] = true.into();
        }
        let word = (!ask.word.is_empty()).then_some(ask.word);
        match (self, word) {
            (Dialect::LlamaCpp, Some(word)) => body["grammar"] = grammar(word).into(),
            (Dialect::Vllm, Some(word)) => {
                body["structured_outputs"] = json!({ "regex": pattern(word) });
            }
            (Dialect::Sglang, Some(word)) => body["regex"] = pattern(word).into(),
            (Dialect::Plain, _) | (_, None) => {}
        }
        body
    }
}

/// In llama.cpp's GBNF: this, then anything.
fn grammar(word: &str) -> String {
    let mut literal = String::new();
    for c in word.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c => literal.push(c),
        }
    }
    format!("root ::= \"{literal}\" .*")
}

/// The same as a regular expression.
fn pattern(word: &str) -> String {
    format!("{}[\\s\\S]*", regex::escape(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn ask(word: &str) -> Ask<'_> {
        Ask { model: "m", prompt: "p", word, max_tokens: 24, family: Family::Qwen }
    }

    #[test]
    fn an_engine_is_known_by_what_it_says_of_its_models() {
        let dialect = |owner: &str| {
            let text = format!(r#"{{"object":"list","data":[{{"id":"m","owned_by":"{owner}"}}]}}"#);
            serde_json::from_str::<Models>(&text).unwrap().data[0].dialect()
        };
        assert_eq!(dialect("llamacpp"), Dialect::LlamaCpp);
        assert_eq!(dialect("vllm"), Dialect::Vllm);
        assert_eq!(dialect("sglang"), Dialect::Sglang);
        assert_eq!(dialect("library"), Dialect::Plain);
        let bare: Models = serde_json::from_str(r#"{"data":[{"id":"m"}]}"#).unwrap();
        assert_eq!(bare.data[0].dialect(), Dialect::Plain);
    }

    #[test]
    fn each_engine_is_told_in_its_own_words_how_an_answer_begins() {
        let body = |dialect: Dialect| dialect.body(&ask("get("));
        assert_eq!(body(Dialect::LlamaCpp)["grammar"], r#"root ::= "get(" .*"#);
        assert_eq!(body(Dialect::LlamaCpp)["timings_per_token"], true);
        assert_eq!(body(Dialect::Vllm)["structured_outputs"]["regex"], r"get\([\s\S]*");
        assert_eq!(body(Dialect::Sglang)["regex"], r"get\([\s\S]*");
        expect![[r#"
            {
              "logprobs": 1,
              "max_tokens": 26,
              "model": "m",
              "prompt": "p",
              "stop": [
                "<|endoftext|>",
                "<|file_sep|>",
                "<|fim_pad|>",
                "<|im_end|>"
              ],
              "stream": true,
              "temperature": 0
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&body(Dialect::Plain)).unwrap());
    }

    #[test]
    fn without_a_word_nothing_is_forced() {
        for dialect in [Dialect::LlamaCpp, Dialect::Vllm, Dialect::Sglang] {
            let body = dialect.body(&ask(""));
            for name in ["grammar", "structured_outputs", "regex"] {
                assert_eq!(body[name], Value::Null, "{dialect:?} {name}");
            }
        }
    }

    #[test]
    fn a_word_says_nothing_in_a_grammar_or_a_pattern() {
        assert_eq!(grammar("\"\\\n\t"), "root ::= \"\\\"\\\\\\n\\t\" .*");
        let pattern = regex::Regex::new(&format!("^(?:{})$", pattern("a.*(["))).unwrap();
        assert!(pattern.is_match("a.*([ and\nmore") && !pattern.is_match("abc"));
    }

    #[test]
    fn work_in_the_background_is_a_token_and_not_all() {
        let warm = Ask { max_tokens: 0, ..ask("") };
        assert_eq!(Dialect::Plain.body(&warm)["max_tokens"], 1);
    }
}
