//! `tandem demo`: a short typing session through the real server on the real model.
//!
//! In: the program to start as `PROGRAM serve`. Out: on standard output, in a terminal the code
//! with its ghost text, redrawn in place; elsewhere a transcript, one line a key. Everything shown
//! is what the server answered; what is typed is fixed, and whether a suggestion is taken is
//! decided by comparing it with that ([`script`]). Refuses: to play without a model; it says then
//! how to get one.

mod connect;
pub mod player;
pub mod rhythm;
mod screen;
pub mod script;
pub mod session;
pub mod summary;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, ClientError, Launch};
use player::Document;
use rhythm::Pace;
use screen::Screen;
use script::Script;
use session::{Played, SessionError};

/// How long a model may take to load, and to be checked the first time.
const LOADING: Duration = Duration::from_secs(180);

/// A file that the demo types in.
pub struct Sample {
    /// Its name, for a person and in its URI.
    pub name: &'static str,
    /// As in `textDocument.languageId`.
    pub language: &'static str,
    /// The marked text; see [`script`].
    pub marked: &'static str,
}

/// The demo's files, in the order of playing.
pub const SAMPLES: [Sample; 2] = [
    Sample { name: "inventory.rs", language: "rust", marked: include_str!("demo/sample.rs.txt") },
    Sample { name: "ledger.py", language: "python", marked: include_str!("demo/sample.py.txt") },
];

impl Sample {
    /// The name that the server knows it by.
    pub fn uri(&self) -> String {
        format!("file:///tandem-demo/{}", self.name)
    }
}

/// Why there is no demo, or only half of one; for a person.
#[derive(Debug, thiserror::Error)]
#[error("the demo cannot go on: {0}")]
pub struct DemoError(#[from] SessionError);

impl From<ClientError> for DemoError {
    fn from(error: ClientError) -> DemoError {
        DemoError(error.into())
    }
}

impl From<io::Error> for DemoError {
    fn from(error: io::Error) -> DemoError {
        DemoError(error.into())
    }
}

/// Plays both samples, then says how it went and how to connect an editor.
///
/// # Errors
/// [`DemoError`]; the server is gone in any case.
pub fn run(program: &Path) -> Result<(), DemoError> {
    let mut screen = Screen::new();
    let started = Instant::now();
    let mut client = Client::spawn(Launch {
        program,
        arguments: &["serve"],
        environment: &[],
        configuration: Value::Null,
    })?;
    // Nobody's typing: it is not to be counted among the person's.
    client.initialize(json!({"journal": {"enabled": false}}))?;
    let loaded = session::wake(&mut client, LOADING, |said| match said.method.as_str() {
        "$/progress" => screen.progress(&said.params["value"]),
        _ => Ok(()),
    });
    screen.loaded()?;
    let model = loaded?.model;
    screen.line(&format!("{model}, ready after {:.1} s\n", started.elapsed().as_secs_f64()))?;

    let mut played_all: Vec<Played> = Vec::new();
    for (number, sample) in SAMPLES.iter().enumerate() {
        screen.begin(sample.name, number + 1, SAMPLES.len())?;
        let script = Script::parse(sample.marked);
        let uri = sample.uri();
        let document = Document { uri: &uri, language: sample.language, script: &script };
        player::play(&mut client, &[document], Pace::AtOnce, |buffer, played| {
            played_all.push(played.clone());
            Ok(screen.show(buffer, played)?)
        })?;
    }
    client.shutdown()?;
    screen.line(&summary::of(&played_all))?;
    screen.line(&connect::how(program))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Buffer, Stroke};
    use script::Typist;

    /// Types a sample without any suggestion, as the slowest typist would.
    fn typed_by_hand(sample: &Sample) -> (String, usize) {
        let script = Script::parse(sample.marked);
        let mut buffer = Buffer::new(&script.start);
        let (mut keys, mut done) = (0, Vec::new());
        for (_, number) in script::turns([&script]) {
            let at = script.place(number, &done);
            done.push(number);
            buffer.press(&Stroke::Jump(at));
            let mut typist = Typist::new(&script.passages[number]);
            while let Some(key) = typist.next(&buffer.text()[at..buffer.cursor()], None) {
                buffer.press(&key);
                keys += 1;
                assert!(keys < 2_000, "{} never ends", sample.name);
            }
        }
        (buffer.text().to_owned(), keys)
    }

    #[test]
    fn the_samples_are_typed_to_their_ends() {
        for sample in &SAMPLES {
            let plain = sample.marked.replace(['«', '»', '¦'], "");
            let (text, keys) = typed_by_hand(sample);
            let slips: usize = plain.matches('‹').count();
            assert!(slips > 0, "{} has no backspace", sample.name);
            assert!(keys < 250, "{} takes {keys} keys", sample.name);
            assert!(!text.contains(['«', '»', '¦', '‹', '›']));
        }
    }
}
