//! What `tandem stats` prints and writes.
//!
//! In: the words of the command line, and where the figures are. Out: text or JSON on stdout, or a page
//! in a file. Refuses: to ask; `clear` was asked for.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Cleared, Sources};
use crate::ask::ledger::dollars;

/// How the figures are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    Text,
    Json,
    /// A page, in this file.
    Html(&'a Path),
}

/// `tandem stats`.
///
/// # Errors
/// When a file cannot be read or written, as a sentence.
pub fn show(sources: &Sources, form: Form) -> Result<(), String> {
    let summary = super::summary(sources).map_err(|error| {
        let folder = sources.journal.as_deref().or(sources.ledger.folder());
        let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
        format!("cannot read what was noted in {folder} or beside it: {error}")
    })?;
    match form {
        Form::Text => say(&summary.text()),
        Form::Json => say(&(summary.json() + "\n")),
        Form::Html(path) => {
            fs::write(path, summary.html())
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            say(&format!("wrote {}\n", path.display()));
        }
    }
    Ok(())
}

/// `tandem stats clear`.
///
/// # Errors
/// When a file cannot be removed or written, as a sentence.
pub fn clear(sources: &Sources) -> Result<(), String> {
    let cleared = super::clear(sources.journal.as_deref(), &sources.ledger)?;
    say(&cleared_text(cleared));
    Ok(())
}

fn cleared_text(Cleared { journal: (files, bytes), ledger }: Cleared) -> String {
    if files == 0 && ledger.requests == 0 {
        return "There was nothing to remove.\n".to_owned();
    }
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut text = format!(
        "Removed the journal of suggestions ({}) and the history of {} to Claude ({}).\n",
        megabytes(bytes),
        match ledger.requests {
            1 => "1 request".to_owned(),
            requests => format!("{requests} requests"),
        },
        megabytes(ledger.bytes)
    );
    if ledger.month.0 > 0 {
        let month = dollars(ledger.month);
        text += &format!("Kept, for the budget: that {month} were spent this month.\n");
    }
    text
}

/// On stdout. A reader that has gone (`| head`) is no error.
fn say(text: &str) {
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::ledger;
    use crate::ask::price::Money;

    #[test]
    fn clearing_says_what_went_and_what_stays() {
        let cleared = |files, requests, month| {
            let month = Money(month);
            let ledger = ledger::Cleared { requests, bytes: 40_000, month };
            cleared_text(Cleared { journal: (files, 1_200_000), ledger })
        };
        expect_test::expect![[r#"
            Removed the journal of suggestions (1.2 MB) and the history of 9 requests to Claude (0.0 MB).
            Kept, for the budget: that $1.23 were spent this month.
        "#]]
        .assert_eq(&cleared(2, 9, 1_230_000_000));
        assert_eq!(cleared(0, 0, 0), "There was nothing to remove.\n");
    }
}
