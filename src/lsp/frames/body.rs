//! Whether tower-lsp will take a frame's body, and what goes in its place if not.
//!
//! In: the bytes of a body. Out: a [`Verdict`].
//! Refuses: what serde_json refuses (so it is parsed as tower-lsp will parse it, numbers, escapes
//! and depth included, but kept nowhere), and JSON that is neither a request, a notification nor
//! a response.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::{INVALID_REQUEST, PARSE_ERROR};

/// What to do with a body.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Pass it on as it is.
    Good,
    /// Pass this on instead.
    Substitute(Vec<u8>),
    /// Pass this on instead; the body is not JSON, so its length may be wrong.
    NotJson(Vec<u8>),
}

/// Judges a body.
pub(super) fn check(body: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(body) else {
        return Verdict::NotJson(parse_error("the body is not UTF-8"));
    };
    let fault = match understand(text) {
        Ok(()) => return Verdict::Good,
        Err(fault) => fault,
    };
    let mended = match fault {
        Fault::Json(_) => mend_surrogates(text),
        Fault::Rpc(_) | Fault::Request(..) => None,
    };
    match mended.map(|mended| (understand(&mended), mended)) {
        Some((Ok(()), mended)) => Verdict::Substitute(mended.into_bytes()),
        Some((Err(fault), _)) => fault.verdict(),
        None => fault.verdict(),
    }
}

/// The body to pass on for bytes that are no JSON-RPC.
pub(super) fn parse_error(why: &str) -> Vec<u8> {
    substitute(PARSE_ERROR, None, why)
}

fn substitute(method: &'static str, id: Option<Id>, message: &str) -> Vec<u8> {
    let params = Params { message };
    let substitute = Substitute { jsonrpc: "2.0", id, method, params };
    // Strings and numbers in a struct always serialise.
    serde_json::to_vec(&substitute).unwrap_or_default()
}

#[derive(Serialize)]
struct Substitute<'a> {
    jsonrpc: &'static str,
    id: Option<Id>,
    method: &'static str,
    params: Params<'a>,
}

#[derive(Serialize)]
struct Params<'a> {
    message: &'a str,
}

/// An id that tower-lsp can read and we can send back.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

#[derive(Debug)]
enum Fault {
    /// Not JSON.
    Json(String),
    /// JSON, but not a JSON-RPC object.
    Rpc(&'static str),
    /// A JSON-RPC object that says nothing valid. The id is the client's request's.
    Request(Option<Id>, Cow<'static, str>),
}

impl Fault {
    fn verdict(self) -> Verdict {
        match self {
            Fault::Json(why) => Verdict::NotJson(parse_error(&why)),
            Fault::Rpc(why) => Verdict::Substitute(parse_error(why)),
            Fault::Request(id, why) => Verdict::Substitute(substitute(INVALID_REQUEST, id, &why)),
        }
    }
}

/// The members JSON-RPC names; others are allowed and ignored, as in tower-lsp. A member named
/// twice is an error.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    jsonrpc: Shape,
    #[serde(default)]
    id: Shape,
    #[serde(default)]
    method: Shape,
    #[serde(default)]
    params: Shape,
    #[serde(default)]
    result: Shape,
    #[serde(default)]
    error: Option<RpcError>,
}

/// As strict as tower-lsp's, which would take a response with another error for a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its shape")]
struct RpcError {
    code: i64,
    message: IgnoredText,
    #[serde(default)]
    data: Shape,
}

/// Whether `text` is a message tower-lsp decodes into something with a meaning.
fn understand(text: &str) -> Result<(), Fault> {
    // A derived struct would take an array for its members in order.
    if !text.trim_ascii_start().starts_with('{') {
        return match serde_json::from_str::<Shape>(text) {
            Ok(_) => Err(Fault::Rpc("the message is not an object (batches are not supported)")),
            Err(error) => Err(Fault::Json(error.to_string())),
        };
    }
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => Fault::Request(None, error.to_string().into()),
            Category::Syntax | Category::Eof | Category::Io => Fault::Json(error.to_string()),
        })?;
    envelope.judge()
}

impl Envelope {
    fn judge(self) -> Result<(), Fault> {
        let Envelope { jsonrpc, id, method, params, result, error } = self;
        let answers = result != Shape::Absent || error.is_some();
        let (id, id_fits) = match id {
            Shape::Integer(number) => (Some(Id::Number(number)), true),
            Shape::Text(text) => (Some(Id::Text(text)), true),
            Shape::Null => (None, true),
            Shape::Absent => (None, !answers),
            Shape::Other | Shape::Structure => (None, false),
        };
        let why = match (&jsonrpc, &method, answers, &params) {
            (Shape::Absent, ..) => return Err(Fault::Rpc("the message has no jsonrpc member")),
            (Shape::Text(version), ..) if version != "2.0" => "jsonrpc is not \"2.0\"",
            (Shape::Text(_), ..) if !id_fits => "id is missing or not an integer or string",
            (
                Shape::Text(_),
                Shape::Text(_),
                false,
                Shape::Absent | Shape::Null | Shape::Structure,
            )
            | (Shape::Text(_), Shape::Absent, true, _) => return Ok(()),
            (Shape::Text(_), Shape::Text(_), false, _) => "params is not an object or array",
            (Shape::Text(_), ..) => "the message is neither a request nor a response",
            _ => "jsonrpc is not \"2.0\"",
        };
        // An id that came with an answer is one of ours, not the client's.
        Err(Fault::Request(id.filter(|_| !answers), why.into()))
    }
}

/// The kind of a JSON value. Reading one checks the value to its depths and keeps no structure.
#[derive(Debug, Default, PartialEq)]
enum Shape {
    /// No such member.
    #[default]
    Absent,
    Null,
    /// A whole number that fits tower-lsp's ids.
    Integer(i64),
    Text(String),
    /// An array or object.
    Structure,
    /// A boolean or another number.
    Other,
}

/// A string, read and dropped.
struct IgnoredText;

impl<'de> Deserialize<'de> for IgnoredText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Shape::deserialize(deserializer)? {
            Shape::Text(_) => Ok(IgnoredText),
            _ => Err(D::Error::custom("message is not a string")),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not IgnoredAny: that skips a value without checking escapes, numbers or depth.
        deserializer.deserialize_any(ShapeVisitor { keep_text: true })
    }
}

/// Any value, read to its depths and dropped without a copy.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor { keep_text: false })?;
        Ok(Checked)
    }
}

struct ShapeVisitor {
    keep_text: bool,
}

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(i64::try_from(number).map_or(Shape::Other, Shape::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        let kept = if self.keep_text { text } else { "" };
        Ok(Shape::Text(kept.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        while items.next_element::<Checked>()?.is_some() {}
        Ok(Shape::Structure)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
        while members.next_entry::<Checked, Checked>()?.is_some() {}
        Ok(Shape::Structure)
    }
}

/// The body with every unpaired surrogate escape made `\ufffd`; none if it has no such escape.
/// JavaScript strings may hold half a pair (a client that cuts text at a code unit sends one) and
/// serde_json refuses it. U+FFFD is one UTF-16 code unit too, so positions stay right.
fn mend_surrogates(body: &str) -> Option<String> {
    let bytes = body.as_bytes();
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == b'\\')) {
        at += found;
        at += match (escape(bytes, at), escape(bytes, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&body[kept..at]);
                mended.push_str("\\ufffd");
                kept = at + 6;
                6
            }
            // Any other escape; of an escaped backslash both are stepped over.
            _ => 2,
        };
    }
    (kept > 0).then(|| mended + &body[kept..])
}

/// The code unit of a `\uXXXX` escape at `at`, if there is one.
fn escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
