//! Exact match on public data, the anchored middle against plain P-up-to-the-cursor.
//!
//! `TANDEM_DATASETS=DIR cargo bench --bench exact_match -- [--rows N] [--model FILE] [--set NAME]`
//! prints one row per set and layout. The data (see `CONTRIBUTING.md`) is not part of the project.
//! Greedy, the same rows for every layout, engine in this process, nothing filtered: an answer is
//! right when its first line equals the rest of the hidden line (white space at the end aside).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Engine, Event, Request, State, Stop};
use tandem::prompt::{Budget, Prompt, prompt};

struct Row {
    before: String,
    after: String,
    hidden: String,
}

fn main() {
    let mut rows = 100;
    let mut model = default_model();
    let mut sets = vec!["SingleLine".to_owned(), "RandomSpan".to_owned()];
    let mut lines_above = vec![3];
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| fail(&format!("{arg} needs a value")));
        match arg.as_str() {
            "--rows" => rows = value().parse().unwrap_or_else(|_| fail("--rows takes a number")),
            "--model" => model = value().into(),
            "--set" => sets = vec![value()],
            "--lines-above" => {
                lines_above = value().split(',').filter_map(|n| n.parse().ok()).collect()
            }
            other => fail(&format!("unknown argument {other}")),
        }
    }
    let folder = std::env::var_os("TANDEM_DATASETS").map(PathBuf::from).unwrap_or_else(|| {
        fail("set TANDEM_DATASETS to the folder with humaneval-infilling/ and santacoder-fim/")
    });
    let engine = Llama::start(Options::new(&model));
    let mut state = engine.state();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let settled = |s: &State| matches!(s, State::Ready(_) | State::Failed { .. });
        let state = state.wait_for(settled).await.expect("the model's thread lives");
        if let State::Failed { message } = &*state {
            fail(message);
        }
    });
    println!("{}", model.display());
    println!("{:<12} {:<22} {:>5} {:>7} {:>9}", "set", "layout", "rows", "exact", "ms/row");
    for set in sets {
        let rows = read(&folder, &set, rows);
        let mut results: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        score(&engine, &rows, &set, "P up to the cursor", &mut results, plain);
        for &lines in &lines_above {
            let budget = Budget { lines_above: lines, ..Budget::default() };
            score(&engine, &rows, &set, &format!("anchored {lines} above"), &mut results, |row| {
                let text = Rope::from_str(&format!("{}{}", row.before, row.after));
                prompt(&text, row.before.len(), budget, None).0
            });
        }
    }
}

/// What others send: the prefix ends at the cursor. Same window, no healing.
fn plain(row: &Row) -> Prompt {
    let text = Rope::from_str(&format!("{}{}", row.before, row.after));
    let mut all = prompt(&text, row.before.len(), Budget::default(), None).0;
    all.prefix.push_str(&std::mem::take(&mut all.middle));
    all.suffix = row.after.chars().take(800).collect();
    all
}

fn score(
    engine: &Llama,
    rows: &[Row],
    set: &str,
    layout: &str,
    results: &mut BTreeMap<String, Vec<bool>>,
    ask: impl Fn(&Row) -> Prompt,
) {
    let started = Instant::now();
    let verbose = std::env::var_os("TANDEM_VERBOSE").is_some();
    let right: Vec<bool> = rows
        .iter()
        .map(|row| {
            let text = generate(engine, ask(row));
            let first = text.split('\n').next().unwrap_or_default();
            let rest = row.after.split('\n').next().unwrap_or_default();
            let answer = strip_rest(first.trim_end(), rest.trim_end());
            let right = answer.trim_end() == row.hidden.trim_end();
            if verbose && !right {
                println!(
                    "  {:?}\n  wanted {:?}\n  got    {first:?} (rest {rest:?})",
                    tail(&row.before),
                    row.hidden
                );
            }
            right
        })
        .collect();
    let exact = right.iter().filter(|&&r| r).count() as f64 / rows.len() as f64 * 100.0;
    let ms = started.elapsed().as_secs_f64() * 1e3 / rows.len() as f64;
    println!("{set:<12} {layout:<22} {:>5} {exact:>6.1}% {ms:>9.0}", rows.len());
    results.insert(layout.to_owned(), right);
}

fn tail(text: &str) -> &str {
    let from = text.rfind('\n').map_or(0, |i| i + 1);
    &text[from..]
}

/// An answer that goes on with what stands right of the cursor is cut there, in every layout.
fn strip_rest<'a>(answer: &'a str, rest: &str) -> &'a str {
    if rest.is_empty() { answer } else { answer.strip_suffix(rest).unwrap_or(answer) }
}

fn generate(engine: &Llama, prompt: Prompt) -> String {
    let mut answer = engine.complete(Request { prompt, max_tokens: 64, stop: Stop::Line });
    let mut text = String::new();
    while let Some(event) = answer.blocking_next() {
        match event {
            Event::Text(piece) => text.push_str(&piece),
            Event::Begun(_) => {}
            Event::Done(_) => break,
            Event::Failed(message) => fail(&message),
        }
    }
    text
}

/// The first line of each hole, evenly spread over the set.
fn read(folder: &std::path::Path, set: &str, rows: usize) -> Vec<Row> {
    let path = match set {
        "santacoder" => folder.join("santacoder-fim/santacoder_fim.jsonl.gz"),
        set => folder.join(format!("humaneval-infilling/{set}.jsonl.gz")),
    };
    let file =
        std::fs::File::open(&path).unwrap_or_else(|e| fail(&format!("{}: {e}", path.display())));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap_or_else(|e| fail(&e.to_string()));
    let all: Vec<serde_json::Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let string = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let holes = all.iter().filter_map(|v| {
        let (mut before, mut after) = (string(v, "prompt"), string(v, "suffix"));
        let hidden = string(v, "canonical_solution");
        if set == "santacoder" {
            before.push('\n');
            after.insert(0, '\n');
        }
        let line = hidden.split('\n').next().unwrap_or_default().to_owned();
        if line.trim().is_empty() {
            return None;
        }
        let rest = &hidden[line.len()..];
        Some(Row { before, after: format!("{rest}{after}"), hidden: line })
    });
    let holes: Vec<Row> = holes.collect();
    let step = (holes.len() as f64 / rows as f64).max(1.0);
    let mut picked: Vec<Row> = Vec::new();
    for (i, row) in holes.into_iter().enumerate() {
        if i as f64 >= picked.len() as f64 * step && picked.len() < rows {
            picked.push(row);
        }
    }
    picked
}

fn default_model() -> PathBuf {
    std::env::var_os("TANDEM_MODEL").map(PathBuf::from).unwrap_or_default()
}

fn fail(message: &str) -> ! {
    eprintln!("exact_match: {message}");
    std::process::exit(1)
}
