//! Edit blocks: any answer is edits or problems, and edits are of the lines that were searched, in a text that
//! was sent and is still the same.

use arbitrary::{Arbitrary, Unstructured};
use tandem::ask::edits::{Sent, parse, resolve};
use tandem::ask::privacy::Placeholders;

const PIECES: [&str; 16] = [
    "<<<<<<< SEARCH\n",
    "=======\n",
    ">>>>>>> REPLACE\n",
    "a.rs\n",
    "./a.rs:\n",
    "b.rs\n",
    "```\n",
    "x\n",
    "y\n",
    "  x\n",
    "é🦀\n",
    "\n",
    "\r\n",
    "x\r\n",
    "========\n",
    "x",
];

#[derive(Arbitrary)]
enum Piece {
    Known(u8),
    Any(String),
}

fn text(pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Known(n) => PIECES[usize::from(*n) % PIECES.len()].to_owned(),
        Piece::Any(some) => some.clone(),
    };
    pieces.iter().map(piece).collect()
}

pub fn check(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((file, answer)) = input.arbitrary::<(Vec<Piece>, Vec<Piece>)>() else { return };
    let (file, answer) = (text(&file), text(&answer));
    let Ok(blocks) = parse(&answer) else { return };
    for block in &blocks {
        assert!(block.line <= answer.lines().count() && !block.path.is_empty(), "{block:?}");
    }
    let whole = 0..file.len();
    let sent = [Sent { path: "a.rs".into(), text: file.clone(), parts: vec![whole] }];
    let now = |path: &str| (path == "a.rs").then(|| file.clone());
    let Ok(edits) = resolve(&blocks, &sent, &now, &Placeholders::default()) else { return };
    for edit in &edits {
        let text = if edit.created { "" } else { file.as_str() };
        let mut end = 0;
        for (range, _) in &edit.edits {
            assert!(end <= range.start && range.start <= range.end, "{edit:?}");
            assert!(text.get(range.clone()).is_some(), "{edit:?} of {text:?}");
            end = range.end;
        }
        // What no edit names is as it was.
        let changed = edit.applied(text);
        let first = edit.edits.first().map_or(text.len(), |(range, _)| range.start);
        assert!(changed.starts_with(&text[..first]) && changed.ends_with(&text[end..]), "{edit:?}");
    }
}
