//! Requests and answers as OpenAI's `/v1/completions` has them.
//!
//! In: bodies. Out: what of them matters here, and bodies to answer with. Refuses: what is no JSON, and a
//! prompt that is no text. Keys that are not known are ignored: clients send many (`temperature`, `n`), and
//! answers here are greedy and one.
//!
//! All of an answer's keys are there, because clients insist on them: Zed reads `id`, `object`, `created`,
//! `model`, `choices[].text`, `choices[].finish_reason` and all three of `usage`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::engine::Figures;

/// A request's body.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    prompt: Texts,
    #[serde(default)]
    pub suffix: Option<String>,
    /// Tokens at most; the settings' where it says nothing.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    #[serde(default)]
    stop: Option<Texts>,
    /// The answer as events.
    #[serde(default)]
    pub stream: Option<bool>,
}

/// One text or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Texts::One(String::new())
    }
}

impl Asked {
    /// What a body says.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read(body: &[u8]) -> Result<Asked, String> {
        let asked: Asked = serde_json::from_slice(body)
            .map_err(|error| format!("the body is not a request for a completion: {error}"))?;
        match &asked.prompt {
            Texts::Several(prompts) if prompts.len() != 1 => {
                Err("`prompt` must be one text".into())
            }
            _ => Ok(asked),
        }
    }

    pub fn prompt(&self) -> &str {
        match &self.prompt {
            Texts::One(prompt) => prompt,
            Texts::Several(prompts) => prompts.first().map_or("", String::as_str),
        }
    }

    /// An answer up to where it was to stop.
    pub fn stopped<'a>(&self, text: &'a str) -> &'a str {
        let stops = match &self.stop {
            None => &[],
            Some(Texts::One(stop)) => std::slice::from_ref(stop),
            Some(Texts::Several(stops)) => stops.as_slice(),
        };
        let found = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop));
        &text[..found.min().unwrap_or(text.len())]
    }
}

/// An answer.
pub struct Answered {
    pub model: String,
    pub text: String,
    pub figures: Figures,
}

impl Answered {
    /// The whole as one body.
    pub fn body(&self) -> Value {
        let Figures { reused, evaluated, generated, .. } = self.figures;
        let (prompt, completion) = (u64::from(reused) + u64::from(evaluated), u64::from(generated));
        let mut body = self.part(&self.text, Some("stop"), &id());
        body["usage"] = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        });
        body
    }

    /// The whole as server-sent events.
    pub fn events(&self) -> String {
        let id = id();
        let parts = [self.part(&self.text, None, &id), self.part("", Some("stop"), &id)];
        let events = parts.iter().map(|part| format!("data: {part}\n\n"));
        events.chain(["data: [DONE]\n\n".to_owned()]).collect()
    }

    fn part(&self, text: &str, finish_reason: Option<&str>, id: &str) -> Value {
        let choice =
            json!({"text": text, "index": 0, "finish_reason": finish_reason, "logprobs": null});
        json!({
            "id": id,
            "object": "text_completion",
            "created": now(),
            "model": self.model,
            "choices": [choice],
        })
    }
}

/// The models that there are: the one.
pub fn models(model: &str) -> Value {
    let model = json!({"id": model, "object": "model", "created": 0, "owned_by": "tandem"});
    json!({"object": "list", "data": [model]})
}

/// Why there is no answer.
pub fn error(message: &str, kind: &str, code: &str) -> Value {
    json!({"error": {"message": format!("tandem: {message}"), "type": kind, "code": code}})
}

fn id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("tandem-{}-{number}", std::process::id())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_prompt_and_what_is_known_of_the_rest() {
        let body =
            br#"{"model": "any", "prompt": "a", "max_tokens": 5, "stop": ["\n\n", ";"], "n": 1,
                        "temperature": null, "suffix": "b", "stream": null}"#;
        let asked = Asked::read(body).unwrap();
        assert_eq!((asked.prompt(), asked.suffix.as_deref()), ("a", Some("b")));
        assert_eq!((asked.max_tokens, asked.stream), (Some(5), None));
        assert_eq!(asked.stopped("x = 1; y\n\nz"), "x = 1");
        assert_eq!(Asked::read(br#"{"prompt": ["a"], "stop": ""}"#).unwrap().prompt(), "a");
    }

    #[test]
    fn what_is_no_request_is_said() {
        for wrong in ["", "[]", "{}", r#"{"prompt": 1}"#, r#"{"prompt": ["a", "b"]}"#, "\u{0}"] {
            let told = Asked::read(wrong.as_bytes()).unwrap_err();
            assert!(told.contains("prompt") || told.contains("not a request"), "{told}");
        }
    }
}
