//! The command line. In: arguments. Out: [`Options`]. Refuses what it does not know, by saying so and
//! ending the program.

use std::path::PathBuf;

use tandem::ask::bundle::BUDGET;
use tandem::ask::bundle::rank::{WEIGHTS, Weights};

/// Cases of each set, of each tree.
const ROWS: usize = 30;

/// What to do.
pub struct Options {
    pub trees: Vec<PathBuf>,
    pub releases: Vec<PathBuf>,
    pub sets: Vec<String>,
    pub rows: usize,
    pub tokens: u64,
    pub weights: Weights,
    pub verbose: bool,
}

pub fn parse() -> Options {
    let mut options = Options {
        trees: Vec::new(),
        releases: Vec::new(),
        sets: Vec::new(),
        rows: ROWS,
        tokens: BUDGET,
        weights: WEIGHTS,
        verbose: false,
    };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--tree" => options.trees.push(folder(&value())),
            "--releases" => options.releases.push(folder(&value())),
            "--set" => options.sets.extend(value().split(',').map(str::to_owned)),
            "--rows" => options.rows = number(&argument, &value()) as usize,
            "--tokens" => options.tokens = number(&argument, &value()) as u64,
            "--weights" => value().split(',').for_each(|one| weigh(&mut options.weights, one)),
            "--verbose" => options.verbose = true,
            other => fail(&format!("unknown argument {other}")),
        }
    }
    options
}

fn weigh(weights: &mut Weights, one: &str) {
    let (name, value) = one.split_once('=').unwrap_or_else(|| fail("--weights takes NAME=X,…"));
    let weight = match name {
        "leads" => &mut weights.leads,
        "graph" => &mut weights.graph,
        "question" => &mut weights.question,
        "message" => &mut weights.message,
        "named_alike" => &mut weights.named_alike,
        "pointed" => &mut weights.pointed,
        "recent" => &mut weights.recent,
        "caller" => &mut weights.caller,
        "tests" => &mut weights.tests,
        other => fail(&format!("there is no weight {other}")),
    };
    *weight = number(name, value);
}

fn number(argument: &str, text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| fail(&format!("{argument} takes a number, not {text}")))
}

fn folder(path: &str) -> PathBuf {
    let folder = std::fs::canonicalize(path);
    folder.ok().filter(|f| f.is_dir()).unwrap_or_else(|| fail(&format!("{path} is no folder")))
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2);
}
