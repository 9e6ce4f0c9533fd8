//! Where the credential for the API comes from.
//!
//! In: the environment, the system's keyring, the user's helper command, in this order. Out: a
//! [`Credential`] and which place it came from. Refuses: two credentials at once, because the API does too;
//! what cannot be a key (blanks, line breaks); to show a key to anybody: it is in no error, log or `Debug`.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;

use secrecy::{ExposeSecret, SecretString};

pub mod cli;
pub(crate) mod helper;
pub(crate) mod keyring;

pub use self::keyring::Whose;

/// Variables of the environment, as the official clients name them.
const KEY: &str = "ANTHROPIC_API_KEY";
const TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
/// The variables that hold a key: for processes that have no use for one to be started without.
pub const VARIABLES: [&str; 2] = [KEY, TOKEN];

/// Bytes of a key; they have a hundred or so, a gateway's token a few thousand.
const LONGEST: usize = 16_384;

/// What the API wants to see: one of the two, never both.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Sent as `x-api-key`.
    Key(SecretString),
    /// Sent as `Authorization: Bearer`, mostly to gateways.
    Token(SecretString),
}

impl Credential {
    /// The secret itself: for the header, and for keeping it out of what others write.
    #[cfg(any(feature = "net", test))]
    pub(crate) fn secret(&self) -> &str {
        match self {
            Credential::Key(secret) | Credential::Token(secret) => secret.expose_secret(),
        }
    }
}

/// Which place a credential came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    KeyVariable,
    TokenVariable,
    Keyring,
    Helper,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::KeyVariable => "the variable ANTHROPIC_API_KEY",
            Source::TokenVariable => "the variable ANTHROPIC_AUTH_TOKEN",
            Source::Keyring => "the system's keyring",
            Source::Helper => "the command of `ask.key_helper`",
        })
    }
}

/// A credential and where it was.
#[derive(Clone, Debug)]
pub struct Found {
    pub credential: Credential,
    pub source: Source,
}

/// Why there is no credential. None of these holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are both set, and the API takes only one; unset the one that you do not mean and start the editor again"
    )]
    Both,

    #[error(
        "there is no key for Claude; run `tandem key set`, or set ANTHROPIC_API_KEY, or name a command that prints one as `ask.key_helper` in your config.toml{}",
        keyring.as_ref().map_or(String::new(), |why| format!(" (the keyring could not be asked: {why})"))
    )]
    None { keyring: Option<String> },

    #[error(
        "{source_of_it} has something that cannot be a key: it is empty, too long, or has a blank or a line break in it; set it again"
    )]
    Malformed { source_of_it: Source },

    #[error(
        "the command of `ask.key_helper` {reason}; run it in a terminal to see what it says, it must print the key and nothing else"
    )]
    Helper { reason: String },

    #[error(
        "the system's keyring cannot be used here: {reason}. Without one, set {}, or name a command that prints the key as `{}` in your config.toml",
        whose.variable(), whose.helper()
    )]
    Keyring { whose: Whose, reason: String },

    #[error("what you gave is no key: {reason}; run `tandem key set` again")]
    Refused { reason: &'static str },

    #[error("cannot read the key: {0}; give it on standard input, or in a terminal")]
    Input(std::io::Error),
}

/// Looks in all places. `helper` is the setting `ask.key_helper`, from the user's own file only.
///
/// The keyring may ask the user to unlock it, and is waited for a minute; the helper has ten seconds.
///
/// # Errors
/// A [`KeyError`] that says what to do.
pub async fn find(helper: Option<&str>) -> Result<Found, KeyError> {
    search(|name| std::env::var_os(name), keyring::read(Whose::Claude), helper.map(helper::run))
        .await
}

/// The order of the places; a later one is not touched where an earlier one has a credential.
async fn search(
    variable: impl Fn(&str) -> Option<OsString>,
    keyring: impl Future<Output = Result<Option<SecretString>, String>>,
    helper: Option<impl Future<Output = Result<SecretString, KeyError>>>,
) -> Result<Found, KeyError> {
    // A variable that is empty counts as not set, as it does everywhere.
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let (secret, source) = match (set(KEY), set(TOKEN)) {
        (Some(_), Some(_)) => return Err(KeyError::Both),
        (Some(key), None) => (readable(key, Source::KeyVariable)?, Source::KeyVariable),
        (None, Some(token)) => (readable(token, Source::TokenVariable)?, Source::TokenVariable),
        (None, None) => match (keyring.await, helper) {
            (Ok(Some(key)), _) => (key, Source::Keyring),
            (Ok(None) | Err(_), Some(helper)) => (helper.await?, Source::Helper),
            (Ok(None), None) => return Err(KeyError::None { keyring: None }),
            (Err(why), None) => return Err(KeyError::None { keyring: Some(why) }),
        },
    };
    let malformed = KeyError::Malformed { source_of_it: source };
    let secret = trimmed(secret.expose_secret()).ok_or(malformed)?;
    let credential = match source {
        Source::TokenVariable => Credential::Token(secret),
        Source::KeyVariable | Source::Keyring | Source::Helper => Credential::Key(secret),
    };
    Ok(Found { credential, source })
}

fn readable(value: OsString, source_of_it: Source) -> Result<SecretString, KeyError> {
    let text = value.into_string().map_err(|_| KeyError::Malformed { source_of_it })?;
    Ok(text.into())
}

/// The key without the blanks around it; `None` if it cannot be one. Only what is seen can stand in a
/// header.
fn trimmed(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let can_be = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    can_be.then(|| text.to_owned().into())
}

#[cfg(test)]
mod tests;
