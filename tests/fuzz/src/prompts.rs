//! Prompts: for any text and any walk of the cursor, what the model reads is the text around the cursor.

use arbitrary::{Arbitrary, Unstructured};
use ropey::Rope;
use tandem::prompt::{self, Anchor, Budget, plain};

const PIECES: [&str; 12] = [
    "fn f() {\n",
    "    x",
    "é",
    "🦀",
    "\r\n",
    "\r",
    "\n",
    ")}]\n",
    "\"",
    "\u{2028}",
    "<|fim_middle|>",
    "\t",
];

#[derive(Arbitrary)]
enum Step {
    Type(u8),
    Paste(String),
    Move(u16),
    Delete(u8),
}

pub fn check(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let _ = walk(&mut input);
}

fn walk(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let budget = Budget {
        prefix: input.int_in_range(1..=200)?,
        suffix: input.int_in_range(0..=100)?,
        middle: input.int_in_range(1..=150)?,
        lines_above: input.int_in_range(0..=4)?,
    };
    let pieces: Vec<u8> = input.arbitrary()?;
    let piece = |n: u8| PIECES[usize::from(n) % PIECES.len()];
    let mut text: String = pieces.iter().map(|n| piece(*n)).collect();
    let mut cursor = 0;
    let mut anchor: Option<Anchor> = None;
    for step in input.arbitrary_iter::<Step>()?.take(40) {
        match step? {
            Step::Type(n) => {
                text.insert_str(cursor, piece(n));
                cursor += piece(n).len();
            }
            Step::Paste(some) => {
                text.insert_str(cursor, &some);
                cursor += some.len();
            }
            Step::Move(to) => cursor = boundary(&text, usize::from(to)),
            Step::Delete(count) => {
                let from = boundary(&text, cursor.saturating_sub(usize::from(count)));
                text.replace_range(from..cursor, "");
                cursor = from;
            }
        }
        let rope = Rope::from_str(&text);
        let (made, next) = prompt::prompt(&rope, cursor, budget, anchor.as_ref());
        let before = plain(&rope, 0, cursor);
        let read = format!("{}{}", made.prefix, made.middle);
        assert!(before.ends_with(&read), "{before:?} does not end with {read:?}");
        assert!(made.prefix.len() <= budget.prefix, "{} bytes", made.prefix.len());
        assert!(made.suffix.len() <= budget.suffix, "{} bytes", made.suffix.len());
        let after = plain(&rope, cursor, rope.len_bytes());
        assert!(after.contains(made.suffix.trim_end_matches('\n')), "{after:?}: {:?}", made.suffix);
        // The same question again is the same prompt, whatever was asked before.
        let (again, _) = prompt::prompt(&rope, cursor, budget, Some(&next));
        assert_eq!(again, made);
        anchor = Some(next);
    }
    Ok(())
}

fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
