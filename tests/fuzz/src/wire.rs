//! Lines between a server and its engine: any line is a message or an error, and a message that is said
//! again is the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem::engine::wire::{FromEngine, ToEngine, line, message};

fn again<T: Serialize + DeserializeOwned>(text: &str) {
    let Ok(said) = message::<T>(text) else { return };
    let said = line(&said).expect("a line");
    let heard: T = message(&said).expect("what was said can be read");
    assert_eq!(line(&heard).expect("a line"), said);
    assert!(!said.contains('\n'), "one message a line");
}

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    again::<ToEngine>(&text);
    again::<FromEngine>(&text);
}
