//! Prompts for any text and cursor, one after another as somebody types.
//!
//! In: a text, cursors. Out: prompts whose prefix and middle are the text up to the cursor, within their
//! budgets. Refuses: nothing.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use ropey::Rope;
use tandem::prompt::{Budget, prompt};

#[derive(Arbitrary, Debug)]
struct Input {
    text: String,
    times: u8,
    budget: (u8, u8, u8, u8),
    steps: Vec<(u16, Option<String>)>,
}

fuzz_target!(|input: Input| {
    let budget = Budget {
        prefix: 10 + usize::from(input.budget.0) * 4,
        suffix: 10 + usize::from(input.budget.1) * 4,
        middle: 10 + usize::from(input.budget.2) * 4,
        lines_above: usize::from(input.budget.3 % 8),
    };
    let mut text = Rope::from_str(&input.text.repeat(usize::from(input.times % 16) + 1));
    let mut anchor = None;
    for (cursor, typed) in input.steps.iter().take(32) {
        let cursor = usize::from(*cursor) % (text.len_bytes() + 2);
        if let Some(typed) = typed {
            let at = text.byte_to_char(cursor.min(text.len_bytes()));
            text.insert(at, typed);
        }
        let (made, next) = prompt(&text, cursor, budget, anchor.as_ref());
        let before = text.char_to_byte(text.byte_to_char(cursor.min(text.len_bytes())));
        let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        let seen = format!("{}{}", made.prefix, made.middle);
        let all = plain(&text.byte_slice(..before).to_string());
        assert!(
            all.ends_with(&seen),
            "what is read is the text up to the cursor: {seen:?} of {all:?}, {budget:?}"
        );
        assert!(made.prefix.len() <= budget.prefix, "the prefix keeps its budget");
        assert!(made.middle.len() <= budget.middle, "the middle keeps its budget");
        assert!(made.suffix.len() <= budget.suffix, "the suffix keeps its budget");
        let again = prompt(&text, cursor, budget, Some(&next)).0;
        assert_eq!(again, made, "asked twice it is the same");
        anchor = Some(next);
    }
});
