//! What may be sent, and what is taken out of it.
//!
//! In: the paths of files, and text. Out: whether a file may be read for a question ([`Guard`]), and text
//! without hidden characters ([`visible`]) and without secrets ([`redact`]), which [`Placeholders`] puts
//! back into edits. Refuses: what ignore rules exclude, key and env files whatever the settings say, files
//! outside the workspace or behind a link, and what is not text.
//!
//! [`prepared`] is all of it for one text, in the order that matters.

pub mod guard;
pub mod hidden;
pub mod inside;
pub mod placeholders;
mod rules;
pub mod secrets;
#[cfg(test)]
mod tests;

pub use guard::{Guard, Verdict};
pub use hidden::visible;
pub use placeholders::{Found, Placeholders, Redacted, redact};
pub use secrets::{Secret, secrets};

/// A text as it may be shown and sent, and how many hidden characters it had.
pub fn prepared(text: &str, placeholders: &mut Placeholders) -> (Redacted, usize) {
    let (text, removed) = visible(text);
    (redact(&text, placeholders), removed)
}

/// A file's bytes as text; `None` for what is not UTF-8, or has a zero byte as no text has.
pub fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}
