//! Saved states: any file in the folder is a state of this model or as good as not there, and what is read
//! is what was saved.

use std::fs;

use tandem::engine::states::{Saved, StateOptions, States};

const MODEL: &str = "tiny";

pub fn check(data: &[u8]) {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("states");
    let options = || StateOptions { folder: folder.clone(), cap: 1 << 20 };
    let saved = Saved {
        tokens: vec![1, 2, 3],
        chosen_under: vec![None, Some(b"a".as_slice().into()), None],
        state: b"keys and values".to_vec(),
    };
    {
        let mut states = States::open(options(), MODEL).expect("a folder of ours");
        states.save(&saved);
        assert_eq!(states.take(&saved.tokens).as_ref(), Some(&saved));
    }
    let entries = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
    let file = entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "kv"));
    let file = file.expect("it was saved");
    let whole = fs::read(&file).expect("a file");
    // The bytes as a file of their own, and as damage to one: at a place, so many bytes.
    fs::write(folder.join("hostile.kv"), data).expect("a file");
    if let [at, rest @ ..] = data
        && !rest.is_empty()
    {
        let mut damaged = whole.clone();
        let at = usize::from(*at) * damaged.len() / 256;
        let end = damaged.len().min(at + rest.len().min(8));
        damaged[at..end].copy_from_slice(&rest[..end - at]);
        fs::write(&file, &damaged).expect("a file");
    }
    let mut states = States::open(options(), MODEL).expect("a folder of ours");
    // Whatever else there is, what is taken has a right checksum: it is what somebody saved.
    if let Some(taken) = states.take(&saved.tokens) {
        assert_eq!(taken.tokens.len(), taken.chosen_under.len());
    }
    states.save(&saved);
    assert_eq!(states.take(&saved.tokens).as_ref(), Some(&saved));
}
