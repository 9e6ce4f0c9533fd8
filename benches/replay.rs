//! Typing sessions, replayed through the real server on the real model.
//!
//! `cargo bench --bench replay -- [--trace demo|long|all] [--cache on|off|both] [--model NAME]
//! [--bursts N] [--server PROGRAM] [--json]`
//! Out: a table for each trace with `completion.reuse` on and off: from key to suggestion, tokens
//! evaluated and generated a key, the share of keys for which the model evaluated no token (`no
//! model`), and the server's resident memory. Every run has a server and an engine of its own that
//! have seen nothing before, and none of the user's settings. What is typed, and where suggestions
//! are looked at, is fixed by the trace; a suggestion is taken if it agrees with that. Decoding is
//! greedy, so keys and suggestions are the same in every run on a machine, which the fingerprint
//! shows. Times differ, and token counts by a few: how far the engine got with a block that was
//! long enough, before it was told so, is a matter of time.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tandem::client::{Client, Launch};
use tandem::completer::Source;
use tandem::demo::SAMPLES;
use tandem::demo::script::Script;
use tandem::demo::session::{self, Kind, Pace, Played, SessionError};
use tandem::demo::summary::{mean, percent};
use tandem::figures::percentile;

/// How long the model may take to load, and to be checked the first time.
const LOADING: Duration = Duration::from_secs(180);

/// This project's own code (`src/client/buffer.rs`, as it was), with three pieces to be typed.
const LONG: &str = include_str!("replay/buffer.rs.txt");

/// Files to type in, one after the other.
struct Trace {
    name: &'static str,
    files: Vec<File>,
}

struct File {
    uri: String,
    language: &'static str,
    script: Script,
}

struct Options {
    server: PathBuf,
    traces: Vec<Trace>,
    reuse: Vec<bool>,
    model: Option<String>,
    pace: Pace,
    json: bool,
}

/// What came of one trace with one setting.
struct Run {
    model: String,
    played: Vec<Played>,
    /// Resident memory of the server without the engine, KiB; `None` where /proc does not say.
    memory_kib: Option<u64>,
}

fn main() {
    let options = options();
    let mut results = Vec::new();
    for trace in &options.traces {
        for &reuse in &options.reuse {
            let run = run(&options, trace, reuse)
                .unwrap_or_else(|error| fail(&format!("{}: {error}", trace.name)));
            if options.json {
                results.push(as_json(trace, reuse, &run));
            } else {
                print(trace, reuse, &run);
            }
        }
    }
    if options.json {
        println!("{:#}", Value::Array(results));
    }
}

fn options() -> Options {
    let mut options = Options {
        server: env!("CARGO_BIN_EXE_tandem").into(),
        traces: Vec::new(),
        reuse: vec![true, false],
        model: None,
        pace: Pace::Waiting,
        json: false,
    };
    let mut wanted = "all".to_owned();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--trace" => wanted = value(),
            "--cache" => {
                options.reuse = match value().as_str() {
                    "on" => vec![true],
                    "off" => vec![false],
                    "both" => vec![true, false],
                    _ => fail("--cache takes on, off or both"),
                }
            }
            "--model" => options.model = Some(value()),
            "--bursts" => match value().parse() {
                Ok(length) if length > 1 => options.pace = Pace::Bursts(length),
                _ => fail("--bursts takes a number of keys, at least 2"),
            },
            "--server" => options.server = value().into(),
            "--json" => options.json = true,
            other => fail(&format!("unknown argument {other}")),
        }
    }
    options.traces = [demo(), long()]
        .into_iter()
        .filter(|trace| wanted == "all" || wanted == trace.name)
        .collect();
    if options.traces.is_empty() {
        fail("--trace takes demo, long or all");
    }
    options
}

fn demo() -> Trace {
    let file = |sample: &tandem::demo::Sample| File {
        uri: sample.uri(),
        language: sample.language,
        script: Script::parse(sample.marked),
    };
    Trace { name: "demo", files: SAMPLES.iter().map(file).collect() }
}

fn long() -> Trace {
    let file = File {
        uri: "file:///tandem-replay/buffer.rs".into(),
        language: "rust",
        script: Script::parse(LONG),
    };
    Trace { name: "long", files: vec![file] }
}

/// Plays a trace on a server and an engine that know nothing yet.
fn run(options: &Options, trace: &Trace, reuse: bool) -> Result<Run, SessionError> {
    let private = tempfile::tempdir()?;
    let settings = private.path().join("config.toml");
    // If this program is killed, its engine goes by itself soon.
    std::fs::write(&settings, "[engine]\nidle_minutes = 1\n")?;
    let environment = [
        ("TANDEM_RUNTIME_DIR", OsString::from(private.path().join("run"))),
        ("TANDEM_CONFIG", OsString::from(settings)),
    ];
    let mut client = Client::spawn(Launch {
        program: &options.server,
        arguments: &["serve"],
        environment: &environment,
        configuration: Value::Null,
    })?;
    let mut wanted = json!({"completion": {"reuse": reuse}});
    if let Some(model) = &options.model {
        wanted["model"] = json!(model);
    }
    client.initialize(wanted)?;
    let engine = session::wake(&mut client, LOADING, |_| Ok(()))?;
    let mut played = Vec::new();
    for file in &trace.files {
        let document = (file.uri.as_str(), file.language);
        session::play(&mut client, document, &file.script, options.pace, |_, key| {
            played.push(key.clone());
            Ok(())
        })?;
    }
    let memory_kib = resident_kib(client.pid());
    client.shutdown()?;
    end(engine.pid);
    Ok(Run { model: engine.model, played, memory_kib })
}

/// Ends an engine that nobody else can be using, as it was met in a folder of our own.
fn end(engine: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(engine).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = engine;
}

fn resident_kib(process: u32) -> Option<u64> {
    let status = Path::new("/proc").join(process.to_string()).join("status");
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The figures of some of the keys.
struct Row {
    name: String,
    keys: usize,
    superseded: usize,
    without_model: f64,
    ms: [f64; 3],
    evaluated: [f64; 2],
    generated: f64,
}

fn row(name: &str, keys: &[&Played]) -> Row {
    let column = |of: fn(&Played) -> f64| keys.iter().map(|key| of(key)).collect::<Vec<f64>>();
    let ms = column(|key| key.ms);
    let evaluated = column(|key| key.evaluated as f64);
    let without = keys.iter().filter(|key| key.source != Source::Model).count();
    Row {
        name: name.to_owned(),
        keys: keys.len(),
        superseded: keys.iter().map(|key| key.superseded).sum(),
        without_model: percent(without, keys.len()),
        ms: [percentile(&ms, 0.5), percentile(&ms, 0.95), mean(&ms)],
        evaluated: [percentile(&evaluated, 0.5), mean(&evaluated)],
        generated: mean(&column(|key| key.generated as f64)),
    }
}

fn rows(played: &[Played]) -> Vec<Row> {
    let all: Vec<&Played> = played.iter().collect();
    let only = |wanted: &dyn Fn(&Played) -> bool| -> Vec<&Played> {
        played.iter().filter(|key| wanted(key)).collect()
    };
    let mut rows = vec![
        row("all keys", &all),
        row("all but jumps", &only(&|key| key.kind != Kind::Jump)),
        row("model ran", &only(&|key| key.source == Source::Model)),
    ];
    for kind in Kind::ALL {
        rows.push(row(kind.name(), &only(&|key| key.kind == kind)));
    }
    rows.retain(|row| row.keys > 0);
    rows
}

/// The same for the same keys and suggestions.
fn fingerprint(played: &[Played]) -> String {
    let mut hasher = DefaultHasher::new();
    for key in played {
        (&key.key, &key.ghost).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

fn print(trace: &Trace, reuse: bool, run: &Run) {
    let characters: usize = trace.files.iter().map(|file| file.script.characters()).sum();
    let typed_along = if reuse { "on" } else { "off" };
    println!(
        "{} trace, {characters} characters, {}, completion.reuse {typed_along}",
        trace.name, run.model
    );
    println!(
        "{:<14} {:>5} {:>9}  {:>8} {:>8} {:>8}  {:>7} {:>7}  {:>9}",
        "", "keys", "no model", "ms p50", "p95", "mean", "eval p50", "mean", "generated"
    );
    for row in rows(&run.played) {
        let [p50, p95, mean] = row.ms;
        let [evaluated, evaluated_mean] = row.evaluated;
        println!(
            "{:<14} {:>5} {:>7.0} %  {p50:>8.1} {p95:>8.1} {mean:>8.1}  {evaluated:>8.0} {evaluated_mean:>7.2}  {:>9.2}",
            row.name, row.keys, row.without_model, row.generated
        );
    }
    let superseded: usize = run.played.iter().map(|key| key.superseded).sum();
    if superseded > 0 {
        println!(
            "{superseded} more keys were superseded at once; their tokens count for the key that followed"
        );
    }
    let memory =
        run.memory_kib.map_or("n/a".to_owned(), |kib| format!("{:.1} MB", kib as f64 / 1024.0));
    println!(
        "server without the engine: {memory} resident; fingerprint {}\n",
        fingerprint(&run.played)
    );
}

fn as_json(trace: &Trace, reuse: bool, run: &Run) -> Value {
    let rows: Vec<Value> = rows(&run.played)
        .iter()
        .map(|row| {
            json!({
                "keys": row.name, "count": row.keys, "superseded": row.superseded,
                "without_model_percent": row.without_model,
                "ms": {"p50": row.ms[0], "p95": row.ms[1], "mean": row.ms[2]},
                "tokens_evaluated": {"p50": row.evaluated[0], "mean": row.evaluated[1]},
                "tokens_generated_mean": row.generated,
            })
        })
        .collect();
    json!({
        "trace": trace.name, "model": run.model, "reuse": reuse, "rows": rows,
        "server_memory_kib": run.memory_kib, "fingerprint": fingerprint(&run.played),
    })
}

fn fail(problem: &str) -> ! {
    eprintln!("replay: {problem}");
    std::process::exit(2)
}
