//! Document sync: for any changes in any encoding the document holds the text that the model holds, and
//! refuses what the model refuses.

use arbitrary::{Arbitrary, Unstructured};
use tandem::document::Document;
use tandem::document::edit::Change;
use tandem::document::position::{Encoding, Position, Range};

use self::model::model_change;

#[allow(dead_code)]
#[path = "../../../src/document/model.rs"]
mod model;

const PIECES: [&str; 14] = [
    "a",
    "é",
    "e\u{301}",
    "漢",
    "😀",
    "👩‍💻",
    "\n",
    "\r\n",
    "\r",
    "\u{2028}",
    "\u{b}",
    "\u{c}",
    "\u{feff}",
    "\0",
];

#[derive(Arbitrary)]
enum Words {
    Known(Vec<u8>),
    Any(String),
}

impl Words {
    fn text(&self) -> String {
        match self {
            Words::Known(pieces) => {
                pieces.iter().map(|n| PIECES[usize::from(*n) % PIECES.len()]).collect()
            }
            Words::Any(text) => text.clone(),
        }
    }
}

#[derive(Arbitrary)]
struct Step {
    /// Small numbers are places; large ones are past every end.
    range: Option<[u8; 4]>,
    words: Words,
}

fn change(step: &Step) -> Change {
    let far = |n: u8| if n > 250 { u32::MAX - u32::from(255 - n) } else { u32::from(n % 24) };
    let at = |line: u8, character: u8| Position { line: far(line), character: far(character) };
    let range = step.range.map(|[a, b, c, d]| Range { start: at(a, b), end: at(c, d) });
    Change { range, text: step.words.text() }
}

pub fn check(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((encoding, first, batches)) = input.arbitrary::<(u8, Words, Vec<Vec<Step>>)>() else {
        return;
    };
    let encoding = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][usize::from(encoding) % 3];
    let mut expected = first.text();
    let mut document = Document::open(&expected, 0, "rust");
    for (version, batch) in (1..).zip(batches.iter().take(30)) {
        let batch: Vec<Change> = batch.iter().map(change).collect();
        // Nothing before the last full text can be seen in the result.
        let from = batch.iter().rposition(|change| change.range.is_none()).unwrap_or(0);
        let after = batch[from..]
            .iter()
            .try_fold(expected.clone(), |text, change| model_change(&text, change, encoding));
        let outcome = document.change(version, &batch, encoding);
        assert_eq!(outcome.is_ok(), after.is_some(), "{outcome:?} {batch:?} on {expected:?}");
        match after {
            Some(text) => expected = text,
            None => {
                assert!(document.snapshot().is_none(), "refused, and still offered");
                let again = Change { range: None, text: expected.clone() };
                document.change(version, &[again], encoding).expect("a full text");
            }
        }
        assert_eq!(document.snapshot().expect("in sync").rope.to_string(), expected);
    }
}
