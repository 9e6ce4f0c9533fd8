//! What can go wrong with a request, each with what to do next.
//!
//! In: what failed, and what the API says of it. Out: one sentence. Refuses: to repeat more of the API's words
//! than a person reads, characters that are not seen, and the key, wherever somebody else put it.

use crate::ask::price::Usage;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApiError {
    #[error(
        "this build of tandem makes no connections; use one with the feature `net` to ask Claude"
    )]
    NoConnections,

    #[error(
        "the address of the API cannot be used: {reason}. Correct `ask.base_url` in your config.toml, or ANTHROPIC_BASE_URL"
    )]
    Address { reason: String },

    #[error("the key has something in it that cannot be sent; set it again with `tandem key set`")]
    Key,

    #[error("the proxy cannot be used: {reason}. Correct `ask.proxy` in your config.toml")]
    Proxy { reason: String },

    #[error(
        "cannot reach {host}: {reason}. Nothing was answered; check the connection, `ask.proxy` and `ask.base_url`, and ask again"
    )]
    Unreachable {
        host: String,
        reason: String,
        usage: Usage,
        /// The connection stood, so that the request may have been read, and charged.
        was_open: bool,
    },

    #[error("{0}")]
    Refused(Box<Refused>),

    #[error(
        "{host} redirects to somewhere else ({status}), and a key is not sent after it; put the right address into `ask.base_url`"
    )]
    Redirect { host: String, status: u16 },

    #[error(
        "{host} does not answer as the Messages API does: {reason}. Check that `ask.base_url` is the address of the API or of a gateway for it"
    )]
    Strange { host: String, reason: String, partial: Box<Partial> },

    #[error("the answer broke off: {reason}. What there is of it is incomplete; ask again")]
    Cut { reason: String, partial: Box<Partial> },

    #[error("the API broke the answer off ({kind}: {message}); ask again in a moment")]
    Failed { kind: String, message: String, partial: Box<Partial> },

    #[error("the answer was broken off: {what}; ask a narrower question")]
    TooMuch { what: String, partial: Box<Partial> },
}

/// What had come of an answer before it went wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partial {
    pub text: String,
    /// As far as the API told, its output at least as much as what has come, estimated: it tells the whole
    /// only at the end. The same request may have cost more.
    pub usage: Usage,
    pub model: Option<String>,
    pub request_id: Option<String>,
}

/// An answer with an error's status.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub status: u16,
    /// The API's word for it: `rate_limit_error`; empty where the answer is not from the API.
    pub kind: String,
    /// The API's own sentence, made fit to be shown.
    pub message: String,
    pub request_id: Option<String>,
    /// Seconds that the API asks to wait.
    pub retry_after: Option<u64>,
    /// How often it was sent.
    pub attempts: u32,
    /// Of attempts before this one whose answers broke off.
    pub usage: Usage,
}

impl ApiError {
    /// What had come by then; `None` where nothing can have been answered.
    pub fn partial(&self) -> Option<&Partial> {
        match self {
            ApiError::Strange { partial, .. }
            | ApiError::Cut { partial, .. }
            | ApiError::Failed { partial, .. }
            | ApiError::TooMuch { partial, .. } => Some(partial),
            _ => None,
        }
    }

    /// May the API charge for what was asked, although there is no answer?
    pub fn may_be_charged(&self) -> bool {
        let open = matches!(self, ApiError::Unreachable { was_open: true, .. });
        // What is no answer of the API's, such as a gateway's page, is not charged for by it.
        let broken_off = self.partial().is_some() && !matches!(self, ApiError::Strange { .. });
        open || broken_off || self.usage() != Usage::default()
    }

    /// What was used by then, as far as the API told, by all attempts.
    pub fn usage(&self) -> Usage {
        match self {
            ApiError::Refused(refused) => refused.usage,
            ApiError::Unreachable { usage, .. } => *usage,
            other => other.partial().map_or_else(Usage::default, |partial| partial.usage),
        }
    }

    /// Where that is written down; `None` for errors that come before a first attempt.
    #[cfg(feature = "net")]
    pub(super) fn usage_mut(&mut self) -> Option<&mut Usage> {
        match self {
            ApiError::Strange { partial, .. }
            | ApiError::Cut { partial, .. }
            | ApiError::Failed { partial, .. }
            | ApiError::TooMuch { partial, .. } => Some(&mut partial.usage),
            ApiError::Refused(refused) => Some(&mut refused.usage),
            ApiError::Unreachable { usage, .. } => Some(usage),
            _ => None,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, then) = self.words();
        write!(f, "{what}")?;
        if !self.message.is_empty() {
            // Its own full stop would make two.
            write!(f, " ({})", self.message.trim_end_matches('.'))?;
        }
        write!(f, "; {then}")?;
        match self.retry_after {
            Some(1) => f.write_str("; the API asks to wait a second")?,
            Some(seconds) => write!(f, "; the API asks to wait {seconds} s")?,
            None => {}
        }
        if self.attempts > 1 {
            write!(f, ". It was tried {} times", self.attempts)?;
        }
        Ok(())
    }
}

impl Refused {
    /// A name of what this is, for a message while it is tried again.
    pub fn what(&self) -> String {
        self.words().0
    }

    /// What it is, and what to do.
    fn words(&self) -> (String, &'static str) {
        let status = self.status;
        let (what, then) = match status {
            400 => (
                "the API does not accept the request",
                "if it names a spending limit, raise that in the Claude Console; else check `ask.model`, `ask.effort` and `ask.answer_tokens`",
            ),
            401 => (
                "the API does not accept the key",
                "`tandem key where` says which one it is, `tandem key set` keeps another",
            ),
            402 => (
                "the API wants to be paid",
                "see to the billing of this key's organization in the Claude Console",
            ),
            403 => (
                "this key may not do that",
                "see its permissions in the Claude Console, or choose another `ask.model`",
            ),
            404 => {
                ("the API does not know what was asked for", "check `ask.model` and `ask.base_url`")
            }
            408 | 504 => ("the API took too long", "ask again, or ask for less"),
            409 => ("the API was busy with something that conflicts", "ask again in a moment"),
            413 => (
                "the request is too large for the API",
                "lower `ask.bundle_tokens`, or take files off the list",
            ),
            429 => (
                "the limit of requests or tokens of this key is reached",
                "ask again later, lower `ask.bundle_tokens`, or raise the limit in the Claude Console",
            ),
            529 => {
                ("the API is overloaded", "ask again in a minute, or choose another `ask.model`")
            }
            500..=599 => {
                return (
                    format!("the API has a fault of its own, {status}"),
                    "ask again in a moment; status.claude.com says how it is",
                );
            }
            _ => {
                return (
                    format!("the API answered with status {status}"),
                    "check `ask.base_url`, and ask again",
                );
            }
        };
        (what.to_owned(), then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Refused {
        let message = "It is so.".to_owned();
        let kind = "some_error".to_owned();
        Refused {
            status,
            kind,
            message,
            request_id: None,
            retry_after: None,
            attempts: 1,
            usage: Usage::default(),
        }
    }

    #[test]
    fn every_status_says_what_to_do() {
        let cases = [
            (400, "spending limit"),
            (401, "tandem key set"),
            (402, "billing"),
            (403, "ask.model"),
            (404, "ask.base_url"),
            (409, "again"),
            (413, "ask.bundle_tokens"),
            (418, "status 418"),
            (429, "later"),
            (500, "status.claude.com"),
            (503, "fault of its own, 503"),
            (504, "too long"),
            (529, "overloaded"),
        ];
        for (status, needed) in cases {
            let sentence = ApiError::Refused(Box::new(refused(status))).to_string();
            assert!(sentence.contains(needed) && sentence.contains("(It is so)"), "{sentence}");
        }
        let waiting = Refused { retry_after: Some(90), attempts: 3, ..refused(429) }.to_string();
        assert!(waiting.contains("wait 90 s") && waiting.contains("tried 3 times"), "{waiting}");
    }
}
