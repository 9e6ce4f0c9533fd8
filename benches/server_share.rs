//! The server's own share of a keystroke: all but the model, in files of 1,000 to 100,000 lines.
//!
//! `cargo bench --bench server_share -- [--p99 [KEYS]] [criterion's own options]`
//! Out: criterion's figures for each step (edit, position, prompt, extent, filters) and for whole
//! keystrokes; then, for whole keystrokes alone, p50, p99 and the worst. With `--p99` only these.
//! A whole keystroke goes through the real server over a pipe in memory, from the first byte of the
//! change to the last byte of the answer. The engine is scripted and answers at once, so its part
//! is a task and a few channel messages, which are counted in.

#[path = "server_share/editor.rs"]
mod editor;
#[path = "server_share/source.rs"]
mod source;
#[path = "server_share/steps.rs"]
mod steps;
#[path = "server_share/typing.rs"]
mod typing;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use tandem::figures::percentile;
use tokio::runtime::Runtime;

use source::{Source, source, with_lone_return};
use typing::{Kind, Typist};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const KEYS: usize = 2_000;
/// Keys before the clock counts.
const WARM_UP: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = runtime();
    if let Some(at) = arguments.iter().position(|argument| argument == "--p99") {
        let keys = arguments.get(at + 1).and_then(|keys| keys.parse().ok()).unwrap_or(KEYS);
        return percentiles(&runtime, keys);
    }
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
        .configure_from_args();
    for lines in SIZES {
        let text = source(lines);
        steps::bench(&mut criterion, lines, &text);
        keystrokes(&mut criterion, &runtime, lines, &text);
    }
    criterion.final_summary();
    percentiles(&runtime, KEYS);
}

/// As the server's own.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

fn keystrokes(criterion: &mut Criterion, runtime: &Runtime, lines: usize, text: &Source) {
    let mut group = criterion.benchmark_group("keystroke");
    for kind in Kind::ALL {
        let mut typist = runtime.block_on(Typist::new(kind, text));
        group.bench_function(BenchmarkId::new(kind.name(), lines), |bencher| {
            bencher.iter_custom(|keys| {
                runtime.block_on(async {
                    let mut took = Duration::ZERO;
                    for _ in 0..keys {
                        took += typist.key().await;
                    }
                    took
                })
            });
        });
    }
}

fn percentiles(runtime: &Runtime, keys: usize) {
    println!("whole keystrokes, {keys} of each kind; ms");
    println!("{:<16} {:>8}  {:>7} {:>7} {:>7}", "", "lines", "p50", "p99", "max");
    for lines in SIZES {
        let text = source(lines);
        for kind in Kind::ALL {
            print(kind.name(), lines, &typed(runtime, kind, &text, keys));
        }
        let text = with_lone_return(text);
        print("line, a lone CR", lines, &typed(runtime, Kind::Line, &text, keys));
    }
}

fn typed(runtime: &Runtime, kind: Kind, text: &Source, keys: usize) -> Vec<f64> {
    runtime.block_on(async {
        let mut typist = Typist::new(kind, text).await;
        for _ in 0..WARM_UP {
            typist.key().await;
        }
        let mut ms = Vec::with_capacity(keys);
        for _ in 0..keys {
            ms.push(typist.key().await.as_secs_f64() * 1e3);
        }
        ms
    })
}

fn print(name: &str, lines: usize, ms: &[f64]) {
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| percentile(ms, share));
    println!("{name:<16} {lines:>8}  {p50:>7.3} {p99:>7.3} {max:>7.3}");
}
