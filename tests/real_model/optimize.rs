//! Other weights for the same model: made by llama.cpp, held against the original, used.

use std::fs;

use serde_json::Value;

use crate::harness::{Home, model};

#[test]
fn other_weights_are_made_answer_like_the_original_and_are_used() {
    let home = Home::new();
    home.put_model();
    // One type only and whatever the clock says: a busy machine must not decide about a test.
    let said = home.run(&["model", "optimize", "--only", "q4_0", "--json"]);
    let choice: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(choice["state"], "derived");
    let agreement = &choice["record"]["candidates"][0]["agreement"];
    let count = |name: &str| agreement[name].as_f64().expect("a number");
    assert!(count("choices") >= 72.0, "{agreement}");
    assert!(count("same_choices") >= 0.9 * count("choices"), "{agreement}");

    let derived = choice["path"].as_str().expect("a path");
    assert!(
        fs::metadata(derived).expect("a file").len() < fs::metadata(model()).expect("a file").len()
    );
    assert_eq!(home.run(&["model", "path"]).trim_end(), derived);
    assert_ne!(home.run(&["model", "path", "--original"]).trim_end(), derived);
    assert!(home.run(&["model", "verify"]).contains("q4_0 for this CPU is whole"));
    let file = home.file("sum.py");
    fs::write(&file, "def add(a, b):\n    return \n").expect("a file");
    let shown = home.complete(&file, 2, 12);
    assert_eq!(shown["text"], "a + b");

    home.run(&["model", "remove", "qwen2.5-coder-0.5b"]);
    assert!(!fs::exists(derived).expect("a folder"));
}
