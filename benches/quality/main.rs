//! How good the suggestions are: through the real server, as an editor would ask.
//!
//! `cargo bench --bench quality -- [--set NAME,…] [--rows N] [--tree FOLDER]… [--model FILE]
//! [--layouts NAME,…] [--lines-above N,…] [--elsewhere ADDRESS] [--confidence] [--recall] [--bytes N]
//! [--verbose] [--json FILE]`
//!
//! Sets: `SingleLine`, `RandomSpan` and `santacoder` (public, in `$TANDEM_DATASETS`): the first line of
//! each hole; `MidLine`: those of `SingleLine` with the cursor at random inside. `lines`: random lines of the trees, the cursor at random inside each. `cross-file`: calls
//! of what another file of the tree defines and no other tree calls, the cursor before the name. `humaneval-x` (public): a line,
//! or the rest of one, in Rust and Python programs, which are then run with their tests.
//!
//! Layouts, each row in all of them one after another: `up-to-cursor`, what others send, same window;
//! `anchored`, as tandem asks where it knows no other file; `context`, as it asks in a workspace;
//! `any-name`, the same without names at hand while decoding; `by-hand`, with the called function's
//! definition given; `above-N`, anchored N lines above; `elsewhere`, anchored, asked of the engine at ADDRESS
//! (`sh benches/peer.sh quality …` starts one), and how many texts are those of `anchored`.
//!
//! Out: tables with intervals; with `--json` every answer, as it comes. The samples are fixed and spread
//! evenly, decoding is greedy without guesses, and no row knows of another one: documents are closed
//! after each, answers are not reused, nothing is done ahead, and no KV state is kept on disk. `N` rows
//! are those of a set, of all trees together. What the model said before any filter is read at the seam
//! between server and engine; where the server would not ask by itself, it is asked as if a person had,
//! for that figure alone.
//! `--recall` asks no model: how often a called name is in the context at all.

mod answer;
mod layout;
mod options;
mod parse;
mod programs;
mod recall;
mod recorder;
mod report;
mod rows;
mod run;
mod server;
mod trial;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tandem::engine::llama::{Llama, Options as Engine};
use tandem::engine::remote::{self, RemoteEngine};
use tandem::engine::{Engine as _, State};
use tandem::eval::row::Row;
use tandem::eval::{calls, trees};
use tokio::runtime::Runtime;

use answer::Answer;
use options::Set;
use recorder::Recorder;
use report::Table;
use run::House;
use trial::Bench;

fn main() {
    let options = options::parse();
    if options.recall {
        let each = options.rows(Set::CrossFile).div_ceil(options.trees.len().max(1));
        let common = calls::common(&options.trees);
        for tree in &options.trees {
            recall::recall(tree, &common, each, options.bytes, options.verbose);
        }
        return;
    }
    if options.sets.is_empty() {
        println!(
            "nothing to measure: set TANDEM_DATASETS to the folder with the public sets, or name \
             source trees with --tree; CONTRIBUTING.md says where the data comes from"
        );
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|error| fail(&error.to_string()));
    // Whether to guess depends on how fast the machine is, and rounding then differs a little.
    let engine = Engine { guess: false, ..Engine::new(&options.model) };
    let elsewhere = options.elsewhere.as_ref().map(|address| {
        let options = remote::Options { addresses: vec![address.clone()], ..Default::default() };
        wanted(RemoteEngine::new(&options, None))
    });
    let recorder = Arc::new(Recorder::new(Llama::start(engine), elsewhere));
    wait_until_loaded(&runtime, &recorder);
    let json = options.json.as_ref().map(|path| {
        let file = std::fs::File::create(path);
        file.unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())))
    });
    println!("{}", options.model.file_name().unwrap_or_default().to_string_lossy());
    report::print_legend();
    for &set in &options.sets {
        let bench = (set == Set::HumanevalX).then(|| wanted(Bench::new()));
        let house = House {
            runtime: &runtime,
            recorder: &recorder,
            options: &options,
            bench: bench.as_ref(),
            json: json.as_ref(),
        };
        let answers = measure(&house, set);
        let layouts: Vec<String> = options.layouts(set).iter().map(|l| l.name()).collect();
        println!("\n{}, {} rows", set.name(), answers.len() / layouts.len().max(1));
        Table::new(&layouts, &answers).print(options.confidence);
    }
}

/// All rows of a set in all its layouts.
fn measure(house: &House<'_>, set: Set) -> Vec<Answer> {
    let options = house.options;
    let most = options.rows(set);
    let data = || {
        options.data.as_deref().unwrap_or_else(|| {
            fail("set TANDEM_DATASETS to the folder with the public sets; see CONTRIBUTING.md")
        })
    };
    let each = most.div_ceil(options.trees.len().max(1));
    let parts: Vec<(Option<&Path>, usize, Vec<Row>)> = match set {
        Set::SingleLine | Set::RandomSpan => {
            vec![(None, 0, wanted(rows::humaneval(data(), set.name(), most)))]
        }
        Set::MidLine => vec![(None, 0, wanted(rows::mid_line(data(), most)))],
        Set::Santacoder => vec![(None, 0, wanted(rows::santacoder(data(), most)))],
        Set::HumanevalX => {
            let bench = house.bench.map(|bench| programs::rows(data(), most, bench));
            vec![(None, 0, wanted(bench.unwrap_or_else(|| Ok(Vec::new()))))]
        }
        Set::Lines | Set::CrossFile => {
            let common = calls::common(&options.trees);
            let of = |tree: &'_ Path| {
                let workspace = calls::workspace(tree);
                let index = workspace.index();
                match set {
                    Set::Lines => (index.files(), trees::lines(tree, each)),
                    _ => (index.files(), calls::rows(tree, &index, &common, each)),
                }
            };
            let part = |tree| {
                let (files, rows) = of(tree);
                (Some(tree), files, rows)
            };
            options.trees.iter().map(|tree| part(tree.as_path())).collect()
        }
    };
    let rows: usize = parts.iter().map(|(_, _, rows)| rows.len()).sum();
    let bar = progress(set, rows);
    let mut answers = Vec::new();
    for (tree, files, rows) in parts {
        let tree = tree.map(|tree| (tree, files));
        let made = house.ask(set, tree, rows, &bar);
        answers.extend(made.unwrap_or_else(|error| fail(&error.to_string())));
    }
    bar.finish_and_clear();
    answers
}

fn wanted<T>(made: Result<T, String>) -> T {
    made.unwrap_or_else(|problem| fail(&problem))
}

fn progress(set: Set, rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    let template = "{msg:>12} {wide_bar} {pos}/{len}, {elapsed}, {eta} left";
    // The template is fixed and parses.
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(set.name());
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn wait_until_loaded(runtime: &Runtime, recorder: &Recorder) {
    let mut state = recorder.state();
    let settled = |s: &State| matches!(s, State::Ready(_) | State::Failed { .. });
    runtime.block_on(async {
        match state.wait_for(settled).await.as_deref() {
            Ok(State::Failed { message }) => fail(message),
            Ok(_) => {}
            Err(_) => fail("the model's thread is gone"),
        }
    });
}

fn fail(problem: &str) -> ! {
    eprintln!("quality: {problem}");
    std::process::exit(2)
}
