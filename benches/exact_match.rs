//! Exact match on public data: the anchored middle against plain P-up-to-the-cursor.
//!
//! `TANDEM_DATASETS=FOLDER cargo bench --bench exact_match -- [--rows N] [--model FILE]
//! [--set SingleLine|RandomSpan|santacoder|lines] [--lines-above N,N] [--tree FOLDER …] [--confidence]`
//! prints a row per set and layout. The data (see `CONTRIBUTING.md`) is not part of the project. The set
//! `lines` is made of any source trees: random lines, the cursor at random inside each. Greedy, the same rows and window for every
//! layout, the engine in this process, no filter: an answer is right when its first line equals
//! the rest of the hidden line, white space at the end aside. `TANDEM_VERBOSE=1` shows the misses.
//! `--confidence` says what showing only answers above some confidence would do: this is where the
//! default of `completion.confidence` comes from.

use std::io::Read;
use std::path::{Path, PathBuf};

use ropey::Rope;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Confidence, Engine, Event, Request, State, Stop};
use tandem::model::{Store, choice};
use tandem::prompt::{Budget, Prompt, prompt};
use tandem::syntax;

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
    let (mut only_anchored, mut confidence) = (false, false);
    let mut trees: Vec<PathBuf> = Vec::new();
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| fail(&format!("{arg} needs a value")));
        match arg.as_str() {
            "--rows" => rows = value().parse().unwrap_or_else(|_| fail("--rows takes a number")),
            "--model" => model = value().into(),
            "--set" => sets = vec![value()],
            "--only-anchored" => only_anchored = true,
            "--confidence" => confidence = true,
            "--tree" => trees.push(value().into()),
            "--lines-above" => {
                lines_above = value().split(',').filter_map(|n| n.parse().ok()).collect()
            }
            other => fail(&format!("unknown argument {other}")),
        }
    }
    let folder = || {
        std::env::var_os("TANDEM_DATASETS").map(PathBuf::from).unwrap_or_else(|| {
            fail("set TANDEM_DATASETS to the folder with humaneval-infilling/ and santacoder-fim/")
        })
    };
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
    println!("{}", model.file_name().unwrap_or_default().to_string_lossy());
    println!(
        "{:<11} {:<19} {:>5} {:>7}  against plain: won, lost",
        "set", "layout", "rows", "exact"
    );
    for set in sets {
        let rows = match set.as_str() {
            "lines" => lines(&trees, rows),
            _ => read(&folder(), &set, rows),
        };
        let anchored = |lines_above: usize| Layout {
            name: format!("anchored {lines_above} above"),
            ask: Box::new(move |row: &Row| {
                let budget = Budget { lines_above, ..Budget::default() };
                prompt(&row.text(), row.before.len(), budget, None).0
            }),
        };
        let mut layouts = vec![Layout { name: "P up to the cursor".into(), ask: Box::new(plain) }];
        layouts.extend(lines_above.iter().map(|&lines| anchored(lines)));
        if only_anchored {
            layouts.remove(0);
        }
        let answers = score(&engine, &rows, &layouts);
        report(&set, &layouts, &answers);
        if confidence {
            let last: Vec<Answered> = answers.iter().filter_map(|r| r.last().copied()).collect();
            report_confidence(&last);
        }
    }
}

/// A way of asking.
struct Layout {
    name: String,
    ask: Box<dyn Fn(&Row) -> Prompt>,
}

impl Row {
    fn text(&self) -> Rope {
        Rope::from_str(&format!("{}{}", self.before, self.after))
    }
}

/// What others send: the prefix ends at the cursor. Same window, no healing.
fn plain(row: &Row) -> Prompt {
    let mut all = prompt(&row.text(), row.before.len(), Budget::default(), None).0;
    all.prefix.push_str(&std::mem::take(&mut all.middle));
    all.suffix = row.after.chars().take(800).collect();
    all
}

/// What came of one row in one layout.
#[derive(Clone, Copy)]
struct Answered {
    right: bool,
    /// Something that could be shown.
    shown: bool,
    confidence: Option<Confidence>,
}

/// For each row, how each layout did. Row by row, so that layouts share what is cached.
fn score(engine: &Llama, rows: &[Row], layouts: &[Layout]) -> Vec<Vec<Answered>> {
    let verbose = std::env::var_os("TANDEM_VERBOSE").is_some();
    let right = |row: &Row, layout: &Layout| {
        let (text, confidence) = generate(engine, (layout.ask)(row));
        let first = text.split('\n').next().unwrap_or_default();
        let rest = row.after.split('\n').next().unwrap_or_default();
        let answer = strip_rest(first.trim_end(), rest.trim_end());
        let right = answer.trim_end() == row.hidden.trim_end();
        if verbose && !right {
            let (before, hidden) = (tail(&row.before), &row.hidden);
            println!(
                "{}: {before:?}\n  wanted {hidden:?}\n  got    {first:?}, then {rest:?}",
                layout.name
            );
        }
        Answered { right, shown: !answer.trim().is_empty(), confidence }
    };
    rows.iter().map(|row| layouts.iter().map(|layout| right(row, layout)).collect()).collect()
}

/// One line a layout; the pairs are what McNemar's test compares.
fn report(set: &str, layouts: &[Layout], answers: &[Vec<Answered>]) {
    let right = |row: &Vec<Answered>| row.iter().map(|answered| answered.right).collect();
    let results: Vec<Vec<bool>> = answers.iter().map(right).collect();
    for (i, layout) in layouts.iter().enumerate() {
        let count =
            |wanted: &dyn Fn(&Vec<bool>) -> bool| results.iter().filter(|r| wanted(r)).count();
        let exact = count(&|r| r[i]) as f64 / results.len().max(1) as f64 * 100.0;
        let (won, lost) = (count(&|r| r[i] && !r[0]), count(&|r| !r[i] && r[0]));
        let rows = results.len();
        println!("{set:<11} {:<19} {rows:>5} {exact:>6.1}%  {won}, {lost}", layout.name);
    }
}

/// For some thresholds: the share of shown answers that are right, and of the right ones how many are
/// still shown.
fn report_confidence(answers: &[Answered]) {
    let shown: Vec<&Answered> = answers.iter().filter(|answered| answered.shown).collect();
    let all_right = shown.iter().filter(|answered| answered.right).count();
    let value = |name: &str, c: Confidence| match name {
        "first" => c.first,
        "least" => c.least,
        _ => c.mean,
    };
    println!("  confidence above       shown   right of these   of the right ones kept");
    for name in ["first", "least", "mean"] {
        for percent in [0, 10, 20, 30, 40, 50, 60, 70, 80] {
            let above = |answered: &&&Answered| {
                answered.confidence.is_none_or(|c| value(name, c).exp() * 100.0 >= percent as f32)
            };
            let kept: Vec<_> = shown.iter().filter(above).collect();
            let right = kept.iter().filter(|answered| answered.right).count();
            let share = |of: usize| right as f64 / of.max(1) as f64 * 100.0;
            println!(
                "  {name:<6} {percent:>3} %          {:>5}   {:>5.1} %          {:>5.1} %",
                kept.len(),
                share(kept.len()),
                share(all_right)
            );
        }
    }
}

fn tail(text: &str) -> &str {
    let from = text.rfind('\n').map_or(0, |i| i + 1);
    &text[from..]
}

/// An answer that goes on with what stands right of the cursor is cut there, in every layout.
fn strip_rest<'a>(answer: &'a str, rest: &str) -> &'a str {
    if rest.is_empty() { answer } else { answer.strip_suffix(rest).unwrap_or(answer) }
}

fn generate(engine: &Llama, prompt: Prompt) -> (String, Option<Confidence>) {
    let mut answer = engine.complete(Request::new(prompt, 64, Stop::Line));
    let (mut text, mut confidence) = (String::new(), None);
    while let Some(event) = answer.blocking_next() {
        match event {
            Event::Text(piece) => text.push_str(&piece),
            Event::Begun(_) | Event::Forks(_) => {}
            Event::Done(figures) => {
                confidence = figures.confidence;
                break;
            }
            Event::Failed(message) => fail(&message),
        }
    }
    (text, confidence)
}

/// Lines of real code, evenly spread over some trees, the cursor at random inside each.
fn lines(trees: &[PathBuf], rows: usize) -> Vec<Row> {
    if trees.is_empty() {
        fail("--set lines needs a source tree: --tree FOLDER");
    }
    let each = rows.div_ceil(trees.len());
    trees.iter().flat_map(|tree| lines_of(tree, each)).take(rows).collect()
}

fn lines_of(tree: &Path, most: usize) -> Vec<Row> {
    let mut files: Vec<PathBuf> =
        ignore::WalkBuilder::new(tree).build().flatten().map(|entry| entry.into_path()).collect();
    files.retain(|file| syntax::language(&syntax::language_of(file)).is_some());
    files.sort();
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let mut all: Vec<Row> = Vec::new();
    for text in texts {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let code = line.trim_end();
            let indent = code.len() - code.trim_start().len();
            let comment = ["//", "#", "*", "\"\"\""].iter().any(|c| code[indent..].starts_with(c));
            let place = random(all.len() as u64, (code.len() - indent).saturating_sub(1));
            let at = start + indent + place;
            if code.len() - indent >= 8 && !comment && text.is_char_boundary(at) {
                all.push(Row {
                    before: text[..at].to_owned(),
                    after: text[start + code.len()..].to_owned(),
                    hidden: text[at..start + code.len()].to_owned(),
                });
            }
            start += line.len();
        }
    }
    let step = (all.len() as f64 / most as f64).max(1.0);
    let wanted: Vec<usize> = (0..most).map(|i| (i as f64 * step) as usize).collect();
    let chosen = all.into_iter().enumerate().filter(|(i, _)| wanted.binary_search(i).is_ok());
    chosen.map(|(_, row)| row).collect()
}

/// A number below `below` (0 where that is 0), the same for the same seed (SplitMix64).
fn random(seed: u64, below: usize) -> usize {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % below.max(1) as u64) as usize
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
    let store = Store::default_location().unwrap_or_else(|e| fail(&e.to_string()));
    choice::choose(&store, choice::AUTO, None, None).unwrap_or_else(|e| fail(&e.to_string()))
}

fn fail(message: &str) -> ! {
    eprintln!("exact_match: {message}");
    std::process::exit(1)
}
