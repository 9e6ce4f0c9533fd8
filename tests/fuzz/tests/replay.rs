//! What the corpora hold is checked without a fuzzer, on any toolchain.

use std::fs;
use std::path::Path;

#[test]
fn what_was_found_once_stays_mended() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, check) in tandem_fuzz::TARGETS {
        let entries = fs::read_dir(corpus.join(name)).expect("a corpus");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            println!("{}", file.display());
            check(&fs::read(file).expect("a file"));
        }
    }
}
