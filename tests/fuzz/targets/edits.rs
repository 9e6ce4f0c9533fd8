//! A document and batches of edits, against the model of the tests.
//!
//! In: a text and batches of changes. Out: after each batch the text the model has, or out of sync where the
//! model refuses. Refuses: nothing.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tandem::document::{Change, Document, Encoding, Position, Range};

#[allow(dead_code)]
#[path = "../../../src/document/tests/model.rs"]
mod model;

/// The start and end of what is replaced, none for the whole, and what comes there instead.
type Edit = (Option<[(u8, u8); 2]>, String);

#[derive(Arbitrary, Debug)]
struct Input {
    text: String,
    encoding: u8,
    batches: Vec<Vec<Edit>>,
}

fuzz_target!(|input: Input| {
    let encodings = [Encoding::Utf16, Encoding::Utf8, Encoding::Utf32];
    let encoding = encodings[usize::from(input.encoding) % 3];
    let mut document = Document::open(&input.text, 0, "text");
    let mut expected = input.text;
    for (version, batch) in (1..).zip(&input.batches) {
        let at = |(line, character): (u8, u8)| Position {
            line: line.into(),
            character: character.into(),
        };
        let changes: Vec<Change> = batch
            .iter()
            .map(|(range, text)| Change {
                range: range.map(|[start, end]| Range { start: at(start), end: at(end) }),
                text: text.clone(),
            })
            .collect();
        let outcome = document.change(version, &changes, encoding);
        match model::model_batch(&expected, &changes, encoding) {
            Some(text) => {
                outcome.expect("the model took it");
                expected = text;
            }
            None => {
                outcome.expect_err("the model refused it");
                assert!(document.snapshot().is_none());
                let full = Change { range: None, text: expected.clone() };
                document.change(version, &[full], encoding).expect("a full text is always taken");
            }
        }
        assert_eq!(document.snapshot().unwrap().rope.to_string(), expected);
    }
});
