//! Rows in whole programs that have tests: humaneval-x, in Rust and Python.
//!
//! In: `humaneval-x/{rust,python}.jsonl.gz`. Out: for each chosen task two rows, one with a line of its
//! body hidden (`line`), one with the rest of another from a random place inside (`rest`). Refuses:
//! tasks whose own solution does not pass its tests on this machine; in Rust some need crates that are
//! not there.

use std::path::Path;

use serde_json::Value;
use tandem::eval::row::{Row, random, spread};

use crate::rows::{read, string};
use crate::trial::Bench;

/// Crates that the Rust tasks import whether they need them or not.
const CRATES: [&str; 3] = ["use rand", "use regex", "use md5"];
/// Characters of the shortest line that is hidden.
const SHORTEST: usize = 4;
/// Rows of each task.
const EACH: usize = 2;

/// A task, whole.
struct Task {
    name: String,
    language: &'static str,
    /// Where the body begins in the text.
    body: usize,
    text: String,
    tests: String,
}

/// Rows of tasks that can be run here.
///
/// # Errors
/// A sentence for a person.
pub fn rows(folder: &Path, most: usize, bench: &Bench) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (language, end) in [("rust", "rs"), ("python", "py")] {
        let all = read(&folder.join(format!("humaneval-x/{language}.jsonl.gz")))?;
        for value in spread(all, most.div_ceil(2 * EACH)) {
            let task = task(&value, language);
            if !bench.passes(language, &format!("{}{}", task.text, task.tests)) {
                eprintln!("{} is left out: its own solution does not pass here", task.name);
                continue;
            }
            let lines = ["line", "rest"].into_iter().enumerate();
            rows.extend(lines.filter_map(|(number, kind)| hide(&task, kind, number as u64, end)));
        }
    }
    Ok(rows)
}

fn task(value: &Value, language: &'static str) -> Task {
    let head = match language {
        "rust" => {
            let declaration = string(value, "declaration");
            let wanted = |line: &&str| !CRATES.iter().any(|c| line.trim_start().starts_with(c));
            let kept: String = declaration.split_inclusive('\n').filter(wanted).collect();
            format!("{}{kept}", string(value, "prompt"))
        }
        _ => string(value, "prompt"),
    };
    let tests = format!("\n{}\n", string(value, "test"));
    let text = format!("{head}{}", string(value, "canonical_solution"));
    Task { name: string(value, "task_id"), language, body: head.len(), text, tests }
}

fn hide(task: &Task, kind: &str, seed: u64, end: &str) -> Option<Row> {
    let mut start = task.body;
    let mut lines = Vec::new();
    for line in task.text[task.body..].split_inclusive('\n') {
        let code = line.trim_end();
        let indent = code.len() - code.trim_start().len();
        let of_words = code.contains(char::is_alphabetic);
        let comment = code[indent..].starts_with(['#', '/']);
        if code.len() - indent >= SHORTEST && of_words && !comment {
            lines.push((start + indent, start + code.len()));
        }
        start += line.len();
    }
    let name = format!("{} {kind}", task.name);
    // Fixed, and another one for each task and kind.
    let seed = name.bytes().fold(seed, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
    let (from, to) = *lines.get(random(seed, lines.len()))?;
    let at = match kind {
        "line" => from,
        _ => from + 1 + random(seed + 1, to - from - 1),
    };
    task.text.is_char_boundary(at).then(|| Row {
        group: format!("{} {kind}", task.language),
        language: task.language.into(),
        uri: format!("file:///tandem-quality/{}.{end}", name.replace(' ', "-")),
        before: task.text[..at].to_owned(),
        hidden: task.text[at..to].to_owned(),
        after: task.text[to..].to_owned(),
        tests: Some(task.tests.clone()),
        name,
        ..Row::default()
    })
}
