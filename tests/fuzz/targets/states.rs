//! Saved states that something has been done to.
//!
//! In: a state, and how its file is changed, or a file's bytes. Out: the state as it was saved, or none; what
//! is not taken is gone or another model's. Refuses: nothing.
#![no_main]

use std::fs;

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tandem::engine::states::{Saved, StateOptions, States};

#[derive(Arbitrary, Debug)]
enum Input {
    Damaged {
        tokens: Vec<i32>,
        state: Vec<u8>,
        flips: Vec<(u16, u8)>,
        cut: Option<u16>,
        more: Vec<u8>,
        under: String,
    },
    File(Vec<u8>),
}

fuzz_target!(|input: Input| {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let options = StateOptions { folder: folder.path().to_owned(), cap: 1 << 20 };
        States::open(options, "m").expect("any file is only passed over")
    };
    match input {
        Input::File(bytes) => {
            fs::write(folder.path().join("x.kv"), bytes).unwrap();
            let _ = open().take(&[1, 2, 3], "");
        }
        Input::Damaged { tokens, state, flips, cut, more, under } => {
            let chosen_under = vec![None; tokens.len()];
            let saved = Saved { tokens: tokens.clone(), chosen_under, state, under: under.clone() };
            open().save(&saved);
            let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            let whole = fs::read(&file).unwrap();
            let mut bytes = whole.clone();
            for (at, flip) in flips {
                let at = usize::from(at) % bytes.len();
                bytes[at] ^= flip;
            }
            if let Some(cut) = cut {
                bytes.truncate(usize::from(cut) % (whole.len() + 1));
            }
            bytes.extend(more);
            fs::write(&file, &bytes).unwrap();
            let found = open().take(&tokens, &under);
            assert!(found.is_none_or(|found| found == saved), "what was saved, or nothing");
            if bytes == whole {
                assert_eq!(open().take(&tokens, &under), Some(saved));
            }
        }
    }
});
