//! The key for engines elsewhere.
//!
//! In: the environment, the user's own command, the system's keyring, the first of these that there is. Out: a
//! key, or none: many engines want none. It is looked for when it is first needed, and again when it was
//! refused: such keys may be good for an hour.

use std::fmt;

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::ask::key::{KeyError, Whose, helper, keyring};
use crate::settings::REMOTE_KEY;

/// Where the key comes from, and what it was.
#[derive(Debug, Default)]
pub struct Key {
    place: Place,
    /// `None` while it was not looked for.
    found: Mutex<Option<Option<SecretString>>>,
}

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The variable, which says the same each time.
    Variable,
    /// What this command prints.
    Helper(String),
    /// The system's keyring.
    Keyring,
    /// Nowhere.
    #[default]
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Variable => write!(f, "the variable {REMOTE_KEY}"),
            Place::Helper(_) => f.write_str("the command of `remote.key_helper`"),
            Place::Keyring => f.write_str("the system's keyring"),
            Place::Nowhere => f.write_str("nowhere"),
        }
    }
}

impl Key {
    /// `helper` is the setting `remote.key_helper`. `keyring` says whether to ask that where there is neither the
    /// variable nor a command.
    pub fn new(helper: Option<String>, keyring: bool) -> Key {
        let variable = std::env::var(REMOTE_KEY).ok().filter(|key| !key.trim().is_empty());
        if let Some(key) = variable {
            let key = SecretString::from(key.trim().to_owned());
            return Key { place: Place::Variable, found: Mutex::new(Some(Some(key))) };
        }
        let place = match helper {
            Some(line) => Place::Helper(line),
            None if keyring => Place::Keyring,
            None => Place::Nowhere,
        };
        Key { place, found: Mutex::default() }
    }

    /// Where it comes from.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The key, if there is one.
    ///
    /// # Errors
    /// When the command does not print one, as a sentence's end.
    pub async fn get(&self) -> Result<Option<SecretString>, String> {
        let mut found = self.found.lock().await;
        if let Some(known) = &*found {
            return Ok(known.clone());
        }
        let key = match &self.place {
            Place::Helper(line) => Some(helper::run(line).await.map_err(|error| match error {
                KeyError::Helper { reason } => {
                    format!("the command of `remote.key_helper` {reason}")
                }
                other => other.to_string(),
            })?),
            Place::Keyring => match keyring::read(Whose::Engines).await {
                Ok(key) => key,
                // A machine without one is no error: the engine may want no key.
                Err(why) => {
                    tracing::debug!("the keyring could not be asked: {why}");
                    None
                }
            },
            Place::Variable | Place::Nowhere => None,
        };
        *found = Some(key.clone());
        Ok(key)
    }

    /// It was refused.
    pub async fn forget(&self) {
        if self.place != Place::Variable {
            *self.found.lock().await = None;
        }
    }
}
