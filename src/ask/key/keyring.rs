//! Keys in the system's keyring: Keychain, Credential Manager, or the Secret Service over D-Bus.
//!
//! In: whose key, or one to keep. Out: the key that was kept. Refuses: to wait for ever for a keyring that
//! asks its user something. A machine without one (a server, a container) is an error in words, never a
//! crash. Built without the feature `net`, there is none.

#[cfg(not(feature = "net"))]
pub use absent::{read, remove, write};
#[cfg(feature = "net")]
pub use system::{read, remove, write};

use crate::settings::REMOTE_KEY;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The one for Claude.
    Claude,
    /// The one for engines on other machines.
    Engines,
}

impl Whose {
    /// The variable that it may stand in instead.
    pub fn variable(self) -> &'static str {
        match self {
            Whose::Claude => super::KEY,
            Whose::Engines => REMOTE_KEY,
        }
    }

    /// The setting that names a command which prints it.
    pub fn helper(self) -> &'static str {
        match self {
            Whose::Claude => "ask.key_helper",
            Whose::Engines => "remote.key_helper",
        }
    }
}

#[cfg(feature = "net")]
mod system {
    use std::time::Duration;

    use ::keyring::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};

    use super::Whose;

    /// Leaves the keyring alone where it is set: for machines where asking it opens a window that nobody
    /// sees, and for tests.
    const OFF: &str = "TANDEM_NO_KEYRING";

    /// A person may have to type a password to unlock it.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// What the entries are called, in the keyring's own window too.
    const SERVICE: &str = "tandem";

    fn user(whose: Whose) -> &'static str {
        match whose {
            Whose::Claude => "claude-api-key",
            Whose::Engines => "remote-engines-key",
        }
    }

    pub async fn read(whose: Whose) -> Result<Option<SecretString>, String> {
        on_a_thread(whose, |entry| match entry.get_password() {
            Ok(key) => Ok(Some(SecretString::from(key))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(words(&error)),
        })
        .await
    }

    pub async fn write(whose: Whose, key: SecretString) -> Result<(), String> {
        on_a_thread(whose, move |entry| {
            entry.set_password(key.expose_secret()).map_err(|error| words(&error))
        })
        .await
    }

    /// Was there one?
    pub async fn remove(whose: Whose) -> Result<bool, String> {
        on_a_thread(whose, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(words(&error)),
        })
        .await
    }

    /// Keyrings block, and have executors of their own that must not meet ours.
    async fn on_a_thread<T: Send + 'static>(
        whose: Whose,
        work: impl FnOnce(&Entry) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        if std::env::var_os(OFF).is_some_and(|value| !value.is_empty()) {
            return Err(format!("{OFF} is set"));
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        let run = move || {
            let entry = match Entry::store_status() {
                Ok(()) => Entry::new(SERVICE, user(whose)).map_err(|error| words(&error)),
                Err(error) => Err(words(error)),
            };
            // Nobody may wait any more.
            let _ = tell.send(entry.and_then(|entry| work(&entry)));
        };
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(run)
            .map_err(|error| format!("no thread for it ({error})"))?;
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("it broke off".to_owned()),
            Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Only the kinds whose words hold nothing of the entry are shown as they are.
    fn words(error: &Error) -> String {
        match error {
            Error::PlatformFailure(_) | Error::NoStorageAccess(_) | Error::NoDefaultStore => {
                let by_d_bus = cfg!(all(unix, not(target_os = "macos")));
                let hint = if by_d_bus { " (is no secret service running?)" } else { "" };
                format!("{error}{hint}")
            }
            Error::TooLong(..) => "the key is too long for it".to_owned(),
            Error::Ambiguous(_) => {
                "it has several entries for tandem; remove them in its own window".to_owned()
            }
            _ => "its entry for tandem cannot be read; run `tandem key set` again".to_owned(),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_an_entry_holds_is_in_no_error() {
            let errors = [
                Error::BadEncoding(b"canary".to_vec()),
                Error::BadStoreFormat("canary".into()),
                Error::Invalid("canary".into(), "canary".into()),
                Error::NotSupportedByStore("canary".into()),
            ];
            for error in errors {
                assert!(!words(&error).contains("canary"));
            }
        }
    }
}

#[cfg(not(feature = "net"))]
mod absent {
    use secrecy::SecretString;

    use super::Whose;

    const WHY: &str = "this build of tandem makes no connections and keeps no key";

    pub async fn read(_whose: Whose) -> Result<Option<SecretString>, String> {
        Err(WHY.to_owned())
    }

    pub async fn write(_whose: Whose, _key: SecretString) -> Result<(), String> {
        Err(WHY.to_owned())
    }

    pub async fn remove(_whose: Whose) -> Result<bool, String> {
        Err(WHY.to_owned())
    }
}
