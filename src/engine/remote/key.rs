//! The key for engines elsewhere.
//!
//! In: the environment, else the user's own command. Out: a key, or none: many engines want none. The command
//! runs when a key is first needed, and again when one was refused: such keys may be good for an hour.

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::ask::key::{KeyError, helper};
use crate::settings::REMOTE_KEY;

/// Where the key comes from, and what it was.
#[derive(Debug, Default)]
pub struct Key {
    helper: Option<String>,
    found: Mutex<Option<SecretString>>,
}

impl Key {
    /// `helper` is the setting `remote.key_helper`. Without it only the variable is looked at.
    pub fn new(helper: Option<String>) -> Key {
        let variable = std::env::var(REMOTE_KEY).ok().filter(|key| !key.trim().is_empty());
        let found = variable.map(|key| SecretString::from(key.trim().to_owned()));
        // What the variable says stays so; there is nothing to ask again.
        let helper = helper.filter(|_| found.is_none());
        Key { helper, found: Mutex::new(found) }
    }

    /// The key, if there is one.
    ///
    /// # Errors
    /// When the command does not print one, as a sentence's end.
    pub async fn get(&self) -> Result<Option<SecretString>, String> {
        let mut found = self.found.lock().await;
        if let (None, Some(line)) = (&*found, &self.helper) {
            let key = helper::run(line).await.map_err(|error| match error {
                KeyError::Helper { reason } => {
                    format!("the command of `remote.key_helper` {reason}")
                }
                other => other.to_string(),
            })?;
            *found = Some(key);
        }
        Ok(found.clone())
    }

    /// It was refused.
    pub async fn forget(&self) {
        if self.helper.is_some() {
            *self.found.lock().await = None;
        }
    }
}
