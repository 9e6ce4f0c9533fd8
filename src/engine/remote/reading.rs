//! The pieces of an answer as they come.
//!
//! In: the data of one event after another. Out: text, log-probabilities. Pure. Refuses: data that is no JSON,
//! an error in the middle of a stream, an answer that does not begin with the word being typed.

use serde::Deserialize;

use super::memory::Read;
use crate::engine::Confidence;

/// The data of the last event.
const END: &str = "[DONE]";

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde_json::Value>,
    usage: Option<Usage>,
    timings: Option<Timings>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    text: String,
    logprobs: Option<Logprobs>,
}

/// In OpenAI's old form, and in that of its chats, which llama-server gives here too.
#[derive(Deserialize)]
struct Logprobs {
    token_logprobs: Option<Vec<Option<f32>>>,
    content: Option<Vec<OfToken>>,
}

#[derive(Deserialize)]
struct OfToken {
    logprob: f32,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u32,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

/// llama-server's own.
#[derive(Deserialize)]
struct Timings {
    #[serde(default)]
    cache_n: u32,
    #[serde(default)]
    prompt_n: u32,
    prompt_ms: Option<f64>,
}

/// What became of a piece.
#[derive(Debug, PartialEq)]
pub enum Piece {
    /// Text after the word; may be empty.
    Text(String),
    /// There will be no more.
    End,
}

/// Why an answer is none.
#[derive(Debug, PartialEq)]
pub enum Unusable {
    /// It begins otherwise than what is typed: nothing went wrong, but it is of no use.
    OtherWord,
    /// What came is not what such an engine says.
    Strange(String),
}

/// An answer as far as it has come.
#[derive(Debug)]
pub struct Reading {
    /// What must still come first.
    word: String,
    pub tokens: u32,
    pub confidence: Option<Confidence>,
    /// What became of the prompt. Most engines that say so say it last.
    pub read: Read,
}

impl Reading {
    pub fn new(word: &str) -> Reading {
        let word = word.to_owned();
        Reading { word, tokens: 0, confidence: None, read: Read::default() }
    }

    /// # Errors
    /// When it is of no use.
    pub fn take(&mut self, data: &str) -> Result<Piece, Unusable> {
        if data.trim() == END {
            return Ok(Piece::End);
        }
        let strange = |why: String| Unusable::Strange(why);
        let data: Data = serde_json::from_str(data)
            .map_err(|error| strange(format!("it sent no completion: {error}")))?;
        if let Some(error) = data.error {
            let message = error["message"].as_str().map_or(error.to_string(), str::to_owned);
            return Err(strange(message));
        }
        if let Some(usage) = data.usage {
            let reused = usage.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or(0);
            let evaluated = usage.prompt_tokens.saturating_sub(reused);
            self.read = Read { evaluated, reused, ..self.read };
        }
        if let Some(Timings { prompt_n, cache_n, prompt_ms }) = data.timings {
            self.read = Read { evaluated: prompt_n, reused: cache_n, ms: prompt_ms };
        }
        let Some(choice) = data.choices.into_iter().next() else {
            return Ok(Piece::Text(String::new()));
        };
        let is_free = self.word.is_empty();
        let text = self.after_word(choice.text)?;
        if !text.is_empty() {
            self.count(choice.logprobs, is_free);
        }
        Ok(Piece::Text(text))
    }

    /// What is left of a piece when the word is taken off.
    fn after_word(&mut self, text: String) -> Result<String, Unusable> {
        if self.word.is_empty() {
            return Ok(text);
        }
        if let Some(rest) = self.word.strip_prefix(text.as_str()) {
            self.word = rest.to_owned();
            return Ok(String::new());
        }
        let rest = text.strip_prefix(self.word.as_str()).ok_or(Unusable::OtherWord)?;
        let rest = rest.to_owned();
        self.word.clear();
        Ok(rest)
    }

    /// A token in which the word ends was not chosen freely, and says nothing of how sure the model is.
    fn count(&mut self, logprobs: Option<Logprobs>, is_free: bool) {
        let of_tokens: Vec<f32> = match logprobs {
            Some(Logprobs { token_logprobs: Some(all), .. }) => all.into_iter().flatten().collect(),
            Some(Logprobs { content: Some(all), .. }) => {
                all.into_iter().map(|token| token.logprob).collect()
            }
            _ => Vec::new(),
        };
        self.tokens += of_tokens.len().max(1) as u32;
        for ln in of_tokens.into_iter().filter(|_| is_free) {
            self.confidence = Some(Confidence::and(self.confidence, ln));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        serde_json::json!({ "choices": [{ "text": text }] }).to_string()
    }

    fn read(word: &str, pieces: &[&str]) -> Result<String, Unusable> {
        let mut reading = Reading::new(word);
        let mut whole = String::new();
        for piece in pieces {
            match reading.take(&text(piece))? {
                Piece::Text(text) => whole.push_str(&text),
                Piece::End => break,
            }
        }
        Ok(whole)
    }

    #[test]
    fn the_word_that_is_typed_already_is_not_said_again() {
        assert_eq!(read(" le", &[" let", " a"]), Ok("t a".into()));
        assert_eq!(read(" let", &[" ", "l", "et", " a"]), Ok(" a".into()));
        assert_eq!(read("", &["a"]), Ok("a".into()));
        assert_eq!(read("a", &["a", ""]), Ok(String::new()));
    }

    #[test]
    fn an_answer_that_begins_otherwise_is_of_no_use() {
        assert_eq!(read(" le", &[" fn"]), Err(Unusable::OtherWord));
        assert_eq!(read(" let", &[" l", "ong"]), Err(Unusable::OtherWord));
    }

    #[test]
    fn log_probabilities_are_read_in_both_forms_and_not_of_the_word() {
        let mut reading = Reading::new("ab");
        let old = |text: &str, ln: f32| {
            serde_json::json!({ "choices": [{ "text": text, "logprobs": { "token_logprobs": [ln] } }] })
                .to_string()
        };
        let new = |text: &str, ln: f32| {
            serde_json::json!({ "choices": [{ "text": text, "logprobs": { "content": [{ "token": text, "logprob": ln }] } }] })
                .to_string()
        };
        for of_the_word in ["a", "bc"] {
            reading.take(&old(of_the_word, -9.0)).unwrap();
        }
        assert_eq!(reading.confidence, None);
        reading.take(&old("b", -1.0)).unwrap();
        reading.take(&new("c", -3.0)).unwrap();
        let confidence = reading.confidence.unwrap();
        assert_eq!((confidence.first, confidence.least, confidence.mean), (-1.0, -3.0, -2.0));
        assert_eq!((confidence.tokens, reading.tokens), (2, 3));
    }

    #[test]
    fn what_the_prompt_cost_is_read_in_both_forms() {
        let mut reading = Reading::new("");
        let usage = r#"{"choices":[],"usage":{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":96}}}"#;
        reading.take(usage).unwrap();
        assert_eq!(reading.read, Read { evaluated: 4, reused: 96, ms: None });
        let timings =
            r#"{"choices":[{"text":""}],"timings":{"cache_n":50,"prompt_n":2,"prompt_ms":30.5}}"#;
        reading.take(timings).unwrap();
        assert_eq!(reading.read, Read { evaluated: 2, reused: 50, ms: Some(30.5) });
    }

    #[test]
    fn the_end_and_what_is_no_completion_are_told_apart() {
        assert_eq!(Reading::new("").take(" [DONE]"), Ok(Piece::End));
        assert!(matches!(Reading::new("").take("<html>"), Err(Unusable::Strange(_))));
        let error = r#"{"error":{"message":"out of memory","code":500}}"#;
        let said = Reading::new("").take(error);
        assert_eq!(said, Err(Unusable::Strange("out of memory".into())));
    }
}
