//! How often the file that has to change is in the bundle of a question.
//!
//! `cargo bench --bench retrieval -- [--tree FOLDER]… [--releases FOLDER]… [--rows N] [--tokens N]
//! [--set NAME,…] [--weights NAME=X,…] [--verbose]`
//!
//! Sets made of any source tree: a function that is called from another file is imagined to be broken.
//! `call`: the cursor somewhere in the calling function, the question names nothing. `message`: a
//! compiler's words about the call, or a failed assertion with a stack trace that ends in the caller.
//! `two-calls`: as `call`, but the cause is in a third file, that the called function calls.
//!
//! Sets made of successive releases (`NAME-VERSION` folders, side by side): what has to change are the one to
//! three source files that the next release changed. `test`: the cursor in what that release added to a
//! test, which is in the buffer and not on disk. `changelog`: its words as the question, no place. `both`.
//!
//! Out: a table with 95 % intervals, against the open file alone, and files ranked by how often the names
//! at hand occur in them, plainly or with rare names counting more, each whole until the tokens are used.
//! The file that is asked about is the first of the first three. Samples are fixed.

mod baseline;
mod cases;
mod generated;
mod options;
mod releases;
mod report;
#[allow(dead_code, reason = "the other bench uses the rest")]
mod tree;

use std::time::Instant;

use tandem::ask::bundle::{Level, weighed};

use baseline::Ranking;
use cases::Case;
use report::{Outcome, Seen};
use tree::Tree;

fn main() {
    let options = options::parse();
    if options.trees.is_empty() && options.releases.is_empty() {
        println!(
            "nothing to measure: name source trees with --tree, folders of releases with --releases; \
             CONTRIBUTING.md says where they come from"
        );
        return;
    }
    let mut outcomes = Vec::new();
    for folder in &options.trees {
        let tree = Tree::read(folder);
        let cases = generated::cases(&tree, options.rows);
        outcomes.extend(run(&tree, cases, &options));
    }
    for folder in &options.releases {
        for (old, cases) in releases::cases(folder) {
            outcomes.extend(run(&Tree::read(&old), cases, &options));
        }
    }
    report::print(&outcomes);
}

fn run(tree: &Tree, cases: Vec<Case>, options: &options::Options) -> Vec<Outcome> {
    let wanted =
        |case: &Case| options.sets.is_empty() || options.sets.contains(&case.set.to_owned());
    let outcomes = cases.into_iter().filter(wanted).map(|case| {
        let texts = tree.texts(&case);
        let start = Instant::now();
        let snapshot = tree.workspace.snapshot();
        let bundle = weighed(&case.inquiry, snapshot, &texts, options.tokens, &options.weights);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let place = |target: &String| bundle.items.iter().position(|item| item.path == *target);
        let places: Vec<Option<usize>> = case.targets.iter().map(place).collect();
        let first = places.iter().flatten().min().copied();
        let shown = |level: Level| first.is_some_and(|at| bundle.items[at].level >= level);
        let has_function = case.function.as_ref().is_some_and(|function| {
            first.is_some_and(|at| {
                bundle.items[at].level == Level::Body && bundle.items[at].text.contains(function)
            })
        });
        let ours = Seen { first, all: places.iter().all(Option::is_some) };
        if options.verbose && first.is_none_or(|first| first > 2) {
            println!("{} {} {:?}: {first:?}", case.set, case.name, case.targets);
            for item in bundle.items.iter().take(4) {
                println!("    {} {:?} {}: {}", item.path, item.level, item.tokens, item.why);
            }
        }
        Outcome {
            set: case.set,
            ours,
            text: shown(Level::Signatures),
            body: shown(Level::Body),
            has_function: case.function.as_ref().map(|_| has_function),
            open: baseline::open(&case),
            grep: baseline::grep(tree, &case, Ranking::Matches, options.tokens),
            rare: baseline::grep(tree, &case, Ranking::Rare, options.tokens),
            items: bundle.items.len(),
            tokens: bundle.items.iter().map(|item| item.tokens).sum(),
            ms,
        }
    });
    let outcomes: Vec<Outcome> = outcomes.collect();
    eprintln!("{}: {} files, {} cases", tree.name, tree.workspace.index().files(), outcomes.len());
    outcomes
}
