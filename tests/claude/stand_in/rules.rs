//! What the API refuses, in October 2026: before anything is answered, and with these words or like them.
//!
//! In: a request. Out: its body, or the error. Where models differ, the strictest of those in
//! tandem's table is taken. Both versions of the API refuse what is refused here, but for sampling parameters at their
//! defaults, which only the newer one does.

use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::KEY;

const MODELS: [&str; 7] = [
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-haiku-5-5",
    "claude-fable-5-2",
    "claude-fable-5-1",
    "claude-opus-5",
    "claude-sonnet-5",
];

/// Models that always think.
const ALWAYS_THINKING: [&str; 3] = ["claude-opus-5-5", "claude-fable-5-1", "claude-fable-5-2"];

const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

/// Fields of a request, as the official client of 2026-11 types them.
const FIELDS: [&str; 16] = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "stream",
    "thinking",
    "output_config",
    "tools",
    "tool_choice",
    "metadata",
    "cache_control",
    "stop_sequences",
    "service_tier",
    "speed",
    "container",
    "inference_geo",
];

const LARGEST: usize = 32 * 1024 * 1024;
const LONGEST_ANSWER: u64 = 128_000;
const MOST_MARKS: usize = 4;

pub struct Refusal {
    pub status: u16,
    pub kind: &'static str,
    pub message: String,
}

fn refuse<T>(status: u16, kind: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, kind, message: message.into() })
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    refuse(400, "invalid_request_error", message)
}

pub fn check(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Map<String, Value>, Refusal> {
    if path != "/v1/messages" {
        return refuse(404, "not_found_error", "Not found");
    }
    if method != Method::POST {
        return refuse(405, "invalid_request_error", "Method Not Allowed");
    }
    authentication(headers)?;
    match header(headers, "anthropic-version") {
        None => return invalid("anthropic-version: header is required"),
        Some(version) if !VERSIONS.contains(&version) => {
            return invalid(format!("anthropic-version: \"{version}\" is not a valid version"));
        }
        Some(_) => {}
    }
    if header(headers, "content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
        return invalid("content-type: must be application/json");
    }
    if body.len() > LARGEST {
        return refuse(413, "request_too_large", "Request exceeds the maximum size");
    }
    let Ok(Value::Object(request)) = serde_json::from_slice(body) else {
        return invalid("The request body is not valid JSON");
    };
    for field in ["model", "max_tokens", "messages"] {
        if !request.contains_key(field) {
            return invalid(format!("{field}: Field required"));
        }
    }
    only(&request, &FIELDS, "")?;
    let Some(model) = request["model"].as_str() else {
        return invalid("model: Input should be a valid string");
    };
    if !MODELS.contains(&model) {
        return refuse(404, "not_found_error", format!("model: {model}"));
    }
    match request["max_tokens"].as_u64() {
        Some(1..=LONGEST_ANSWER) => {}
        _ => return invalid(format!("max_tokens: must be 1 to {LONGEST_ANSWER}")),
    }
    if request.get("stream").is_some_and(|stream| !stream.is_boolean()) {
        return invalid("stream: Input should be a valid boolean");
    }
    conversation(&request)?;
    thinking(&request, model)?;
    let choice = request.get("tool_choice").map(|choice| choice["type"].as_str());
    if choice.is_some_and(|kind| !matches!(kind, Some("auto" | "none"))) {
        return invalid("tool_choice: forced tool use is not supported for this model");
    }
    let marks = marks(&Value::Object(request.clone()))?;
    if marks > MOST_MARKS {
        return invalid(format!(
            "A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {marks}."
        ));
    }
    Ok(request)
}

fn authentication(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |message| refuse(401, "authentication_error", message);
    let key = header(headers, "x-api-key");
    let token = header(headers, "authorization");
    match (key, token) {
        (Some(_), Some(_)) => refuse("x-api-key and authorization cannot both be set"),
        (None, None) => refuse("x-api-key header is required"),
        (Some(KEY), None) => Ok(()),
        (Some(_), None) => refuse("invalid x-api-key"),
        (None, Some(token)) if token.strip_prefix("Bearer ") == Some(KEY) => Ok(()),
        (None, Some(_)) => refuse("invalid bearer token"),
    }
}

fn conversation(request: &Map<String, Value>) -> Result<(), Refusal> {
    if let Some(system) = request.get("system") {
        content(system, "system")?;
    }
    let messages = match request["messages"].as_array() {
        Some(messages) if !messages.is_empty() => messages,
        _ => return invalid("messages: at least one message is required"),
    };
    for (i, message) in messages.iter().enumerate() {
        let Some(fields) = message.as_object() else {
            return invalid(format!("messages.{i}: Input should be an object"));
        };
        only(fields, &["role", "content"], &format!("messages.{i}."))?;
        if !matches!(message["role"].as_str(), Some("user" | "assistant")) {
            return invalid(format!("messages.{i}.role: Input should be 'user' or 'assistant'"));
        }
        content(&message["content"], &format!("messages.{i}.content"))?;
    }
    if messages.last().is_some_and(|message| message["role"] == "assistant") {
        return invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        );
    }
    Ok(())
}

/// A text, or blocks of it.
fn content(content: &Value, place: &str) -> Result<(), Refusal> {
    let blocks = match content {
        Value::String(text) if !text.is_empty() => return Ok(()),
        Value::Array(blocks) if !blocks.is_empty() => blocks,
        Value::String(_) | Value::Array(_) => {
            return invalid(format!("{place}: content must be non-empty"));
        }
        _ => return invalid(format!("{place}: Field required")),
    };
    for (i, block) in blocks.iter().enumerate() {
        let place = format!("{place}.{i}.");
        let Some(fields) = block.as_object() else {
            return invalid(format!("{place}: Input should be an object"));
        };
        match block["type"].as_str() {
            Some("text") => only(fields, &["type", "text", "cache_control"], &place)?,
            Some("thinking") => only(fields, &["type", "thinking", "signature"], &place)?,
            _ => return invalid(format!("{place}type: Input should be 'text'")),
        }
        if block["type"] == "text" && block["text"].as_str().is_none_or(str::is_empty) {
            return invalid(format!("{place}text: text content blocks must be non-empty"));
        }
    }
    Ok(())
}

fn thinking(request: &Map<String, Value>, model: &str) -> Result<(), Refusal> {
    if let Some(thinking) = request.get("thinking") {
        let kind = thinking["type"].as_str();
        if thinking.get("budget_tokens").is_some() || kind == Some("enabled") {
            return invalid("\"thinking.type.enabled\" is not supported for this model");
        }
        if kind == Some("disabled") && ALWAYS_THINKING.contains(&model) {
            return invalid("\"thinking.type.disabled\" is not supported for this model");
        }
        if !matches!(kind, Some("adaptive" | "disabled")) {
            return invalid("thinking.type: Input should be 'adaptive' or 'disabled'");
        }
        let display = thinking.get("display").map(|display| display.as_str());
        if display.is_some_and(|word| !matches!(word, Some("summarized" | "omitted"))) {
            return invalid("thinking.display: Input should be 'summarized' or 'omitted'");
        }
        let fields = thinking.as_object().expect("an object has a type");
        only(fields, &["type", "display"], "thinking.")?;
    }
    if let Some(config) = request.get("output_config") {
        let Some(fields) = config.as_object() else {
            return invalid("output_config: Input should be an object");
        };
        only(fields, &["effort", "format"], "output_config.")?;
        let effort = config.get("effort").map(|effort| effort.as_str());
        if effort
            .is_some_and(|word| !matches!(word, Some("low" | "medium" | "high" | "xhigh" | "max")))
        {
            return invalid(
                "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
            );
        }
    }
    Ok(())
}

/// How often the prompt's cache is marked, anywhere.
fn marks(value: &Value) -> Result<usize, Refusal> {
    let mut count = 0;
    match value {
        Value::Array(values) => {
            for value in values {
                count += marks(value)?;
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if name != "cache_control" {
                    count += marks(value)?;
                    continue;
                }
                let lasts = value.get("ttl").map(|ttl| ttl.as_str());
                let known = lasts.is_none_or(|ttl| matches!(ttl, Some("5m" | "1h")));
                if value["type"] != "ephemeral" || !known {
                    return invalid(
                        "cache_control: Input tag should be 'ephemeral', for '5m' or '1h'",
                    );
                }
                count += 1;
            }
        }
        _ => {}
    }
    Ok(count)
}

fn only(fields: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), Refusal> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => invalid(format!("{place}{name}: Extra inputs are not permitted")),
        None => Ok(()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
