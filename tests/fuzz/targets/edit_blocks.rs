//! Answers with edit blocks, against a file that was sent.
//!
//! In: a file's text and an answer. Out: edits that are in order, apart, on character boundaries, and change
//! only files that were sent or are new. Refuses: nothing.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tandem::ask::edits::{Sent, parse, resolve};
use tandem::ask::privacy::Placeholders;

#[derive(Arbitrary, Debug)]
enum Piece {
    Path,
    Search,
    Middle,
    Replace,
    /// Lines of the file itself.
    Lines(u8, u8),
    Text(String),
}

#[derive(Arbitrary, Debug)]
struct Input {
    text: String,
    answer: Vec<Piece>,
}

fuzz_target!(|input: Input| {
    let text = input.text;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let answer: String = input
        .answer
        .iter()
        .map(|piece| match piece {
            Piece::Path => "a.rs\n".to_owned(),
            Piece::Search => "<<<<<<< SEARCH\n".to_owned(),
            Piece::Middle => "=======\n".to_owned(),
            Piece::Replace => ">>>>>>> REPLACE\n".to_owned(),
            Piece::Lines(from, many) => {
                lines.iter().skip((*from).into()).take((*many).into()).copied().collect()
            }
            Piece::Text(text) => text.clone(),
        })
        .collect();
    let Ok(blocks) = parse(&answer) else { return };
    let sent = Sent {
        path: "a.rs".to_owned(),
        text: text.clone(),
        parts: std::iter::once(0..text.len()).collect(),
    };
    let now = |path: &str| (path == "a.rs").then(|| text.clone());
    let Ok(files) = resolve(&blocks, &[sent], &now, &Placeholders::default()) else { return };
    for file in files {
        assert_eq!(file.created, file.path != "a.rs");
        let old = if file.created { "" } else { text.as_str() };
        let mut from = 0;
        for (range, _) in &file.edits {
            assert!(from <= range.start && range.start <= range.end, "in order and apart");
            assert!(old.get(range.clone()).is_some(), "whole characters of the file");
            from = range.end;
        }
        let grown: usize = file.edits.iter().map(|(_, new)| new.len()).sum();
        let gone: usize = file.edits.iter().map(|(range, _)| range.len()).sum();
        assert_eq!(file.applied(old).len(), old.len() + grown - gone);
    }
});
