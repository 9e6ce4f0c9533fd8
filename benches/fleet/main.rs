//! How many engines a team needs: `make fleet`, or `cargo bench --bench fleet -- --help`.
//!
//! In: figures of developers and of an engine, each with where it is from (`figures.toml`). Out: for 10 to 100,000
//! developers and each way of sharing them out, the least number of engines with which 95 of 100 requests are
//! answered in time, and what those engines do then: tables and plots. It simulates and measures nothing; it is as
//! good as the figures. `tests/fleet` tests its parts. What a team sets up is in `README.md` beside this.

mod cache;
mod developer;
mod engine;
mod events;
mod figures;
mod latencies;
mod options;
mod random;
mod report;
mod ring;
mod router;
mod search;
mod simulation;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use figures::Figures;
use options::Options;
use report::Row;
use router::Router;
use simulation::{Outcome, Plan};

/// Until the caches are as they stay, ms.
const WARM_UP_MS: f64 = 60_000.0;
/// What is counted: as many developers' ms, but no less than half a minute.
const DEVELOPER_MS: f64 = 2e8;
const LEAST_MS: f64 = 30_000.0;

fn main() -> ExitCode {
    let done = Options::read().and_then(|options| fleet(&options));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fleet: {problem}");
            ExitCode::from(2)
        }
    }
}

fn fleet(options: &Options) -> Result<(), String> {
    let figures = match &options.figures {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| Figures::read(&text))
            .map_err(|why| format!("{}: {why}", path.display()))?,
        None => Figures::read(figures::BUILT_IN)?,
    };
    let mut habits = figures.habits()?;
    let costs = figures.costs(&options.engine)?;
    if options.no_ahead {
        habits.ahead_share = 0.0;
    }
    let full = options.full.unwrap_or(costs.slots as u32);
    let base = Plan {
        habits,
        costs,
        developers: 1,
        engines: 1,
        router: Router::RoundRobin,
        full,
        seed: options.seed,
        warm_up_ms: WARM_UP_MS,
        length_ms: LEAST_MS,
    };
    let rows = rows(options, &base);
    let about = figures.about(&options.engine);
    let mut text = format!(
        "Engine `{}`: {about}. Bar: p95 within {:.0} ms. Seed {}.\n\n{}\n{}",
        options.engine,
        options.bar,
        options.seed,
        report::engines(&rows, options.bar),
        report::sizing(&rows)
    );
    let assumed = figures.assumed(&options.engine);
    if !assumed.is_empty() {
        text += "\nAssumed, measured by nobody:\n\n";
        for (name, by) in assumed {
            text += &format!("- `{name}`: {by}\n");
        }
    }
    println!("{text}");
    report::write(&options.out, &text, &rows)
        .map_err(|error| format!("{}: {error}", options.out.display()))
}

/// In the order of the developers, then of the routers. Each router has a thread.
fn rows(options: &Options, base: &Plan) -> Vec<Row> {
    let mut developers = options.developers.clone();
    developers.sort_unstable();
    developers.dedup();
    let rows = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for (number, router) in options.routers.iter().enumerate() {
            let (rows, developers) = (&rows, &developers);
            scope.spawn(move || {
                let mut before = None;
                for &developers in developers {
                    let row =
                        row(options, &Plan { developers, router: *router, ..base.clone() }, before);
                    before = Some((row.engines, row.developers));
                    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                    rows.insert((developers, number), row);
                }
            });
        }
    });
    rows.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// `before` is what a smaller team needed: engines, and developers.
fn row(options: &Options, plan: &Plan, before: Option<(usize, u32)>) -> Row {
    let began = Instant::now();
    let Plan { developers, router, .. } = *plan;
    let length_ms = (DEVELOPER_MS / f64::from(developers)).max(LEAST_MS);
    let run = |engines| simulation::run(&Plan { engines, length_ms, ..plan.clone() });
    let (engines, outcome) = match options.engines {
        Some(engines) => (engines, run(engines)),
        None => least(options.bar, developers as usize, before, run),
    };
    let holds = outcome.is_within(options.bar);
    eprintln!(
        "{:>8} developers, {:<12} {engines:>7} engines{}, {:.1} s",
        developers,
        router.name(),
        if holds { "" } else { ", too slow" },
        began.elapsed().as_secs_f64()
    );
    Row { developers, router, engines, holds, outcome }
}

/// The least number that holds the bar, or an engine for each developer.
fn least(
    bar_ms: f64,
    most: usize,
    before: Option<(usize, u32)>,
    run: impl Fn(usize) -> Outcome,
) -> (usize, Outcome) {
    let mut seen = BTreeMap::new();
    let start = before.map_or(1, |(engines, developers)| engines * most / developers as usize);
    let found = search::least(start, most, |engines| {
        let outcome = run(engines);
        let holds = outcome.is_within(bar_ms);
        seen.insert(engines, outcome);
        holds
    });
    let engines = found.unwrap_or(most);
    let outcome = seen.remove(&engines).unwrap_or_else(|| run(engines));
    (engines, outcome)
}
