//! What `tandem key …` does and prints.
//!
//! In: a key, typed without being shown or given on standard input. Out: the keyring changed; words on
//! stdout that never hold a key. Refuses: a key on the command line, where others see it; an empty one, or
//! one of several lines.

use std::fmt::Display;
use std::io::{IsTerminal, Read, Write};

use secrecy::{ExposeSecret, SecretString};

use super::{KEY, KeyError, LONGEST, Source, TOKEN, Whose, find, keyring, trimmed};
#[cfg(feature = "net")]
use crate::engine::remote::Key;
use crate::settings::REMOTE_KEY;

/// One line on stdout. A reader that has gone (`| head`) is no error.
fn say(line: impl Display) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// `tandem key set`: asks for a key and keeps it in the system's keyring.
///
/// # Errors
/// When what was given is no key, or there is no keyring.
pub async fn set(whose: Whose) -> Result<(), KeyError> {
    let given = tokio::task::spawn_blocking(move || given(whose)).await;
    let given = given.map_err(std::io::Error::other).and_then(|given| given);
    let key = accepted(given.map_err(KeyError::Input)?.expose_secret())?;
    keyring::write(whose, key).await.map_err(|reason| KeyError::Keyring { whose, reason })?;
    let (taken_out, first): (_, &[&str]) = match whose {
        Whose::Claude => ("tandem key remove", &[KEY, TOKEN]),
        Whose::Engines => ("tandem key remove --remote", &[REMOTE_KEY]),
    };
    say(format!("The key is in the system's keyring; `{taken_out}` takes it out again."));
    for name in first {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            say(format!("But {name} is set here, and comes first."));
        }
    }
    Ok(())
}

/// `tandem key remove`: takes the key out of the system's keyring.
///
/// # Errors
/// When there is no keyring.
pub async fn remove(whose: Whose) -> Result<(), KeyError> {
    match keyring::remove(whose).await.map_err(|reason| KeyError::Keyring { whose, reason })? {
        true => say("The key is no longer in the system's keyring."),
        false => say("There was no key in the system's keyring."),
    }
    Ok(())
}

/// `tandem key where`: which place the key comes from. `helper` is the setting `ask.key_helper`.
///
/// # Errors
/// When there is no key, with what to do.
pub async fn whereabouts(helper: Option<&str>) -> Result<Source, KeyError> {
    let source = find(helper).await?.source;
    say(format!("The key for Claude comes from {source}."));
    Ok(source)
}

/// `tandem key where --remote`: which place the key for engines elsewhere comes from. `helper` is the setting
/// `remote.key_helper`.
///
/// # Errors
/// When the command prints no key.
#[cfg(feature = "net")]
pub async fn whereabouts_of_engines(helper: Option<String>) -> Result<(), String> {
    let key = Key::new(helper, true);
    let found = key.get().await?.is_some();
    say(match found {
        true => format!("The key for engines on other machines comes from {}.", key.place()),
        false => "There is no key for engines on other machines; many want none. `tandem key set --remote` \
                  keeps one in the system's keyring."
            .to_owned(),
    });
    Ok(())
}

/// Reads a key: hidden in a terminal, else all of standard input.
fn given(whose: Whose) -> std::io::Result<SecretString> {
    let whom = match whose {
        Whose::Claude => "Claude",
        Whose::Engines => "engines on other machines",
    };
    #[cfg(feature = "net")]
    if std::io::stdin().is_terminal() {
        let asked = format!("Key for {whom} (it is not shown): ");
        return rpassword::prompt_password(asked).map(Into::into);
    }
    #[cfg(not(feature = "net"))]
    if std::io::stdin().is_terminal() {
        return Err(std::io::Error::other(format!("this build of tandem keeps no key for {whom}")));
    }
    let mut text = String::new();
    std::io::stdin().take(LONGEST as u64 + 1).read_to_string(&mut text)?;
    Ok(text.into())
}

fn accepted(text: &str) -> Result<SecretString, KeyError> {
    let reason = match text.trim() {
        "" => "it is empty",
        lines if lines.contains(['\n', '\r']) => "it has more than one line",
        _ => "it has a blank or another character that no key has, or is too long",
    };
    trimmed(text).ok_or(KeyError::Refused { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_keyring_one_is_told_of_the_places_for_that_very_key() {
        let error = |whose| KeyError::Keyring { whose, reason: "none".to_owned() }.to_string();
        let claude = error(Whose::Claude);
        assert!(claude.contains(KEY) && claude.contains("`ask.key_helper`"), "{claude}");
        let engines = error(Whose::Engines);
        assert!(engines.contains(REMOTE_KEY) && engines.contains("`remote.key_helper`"));
    }

    #[test]
    fn only_a_line_without_blanks_is_taken_for_a_key() {
        let key = accepted("  sk-ant-x\r\n").unwrap();
        assert_eq!(key.expose_secret(), "sk-ant-x");
        let long = "x".repeat(LONGEST + 1);
        let refused = [("\n", "empty"), ("a\nb", "line"), ("a b", "blank"), (&long, "too long")];
        for (text, why) in refused {
            let error = accepted(text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("tandem key set"), "{error}");
        }
    }
}
