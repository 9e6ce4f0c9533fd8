//! What is not typing: opening a file, being superseded, a second window.
//!
//! In: the traces' files. Out: a few [`Line`]s of times. Each scenario has folders of its own.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::client::{Client, Editor, Stroke};
use tandem::demo::session::SessionError;
use tandem::figures::percentile;

use crate::options::{Options, Scenario};
use crate::server::{self, House};
use crate::trace::File;

/// Long enough for an engine that is left alone to save what it wants to save.
const SETTLE: Duration = Duration::from_millis(2_500);
/// Requests that are superseded.
const CANCELS: usize = 20;
/// How far the first of them gets; each one gets a bit further.
const FIRST_CANCEL: Duration = Duration::from_millis(30);
const LATER: Duration = Duration::from_millis(20);

/// What came of a scenario.
pub struct Outcome(Vec<Line>);

/// Some times under a name, ms.
struct Line {
    name: &'static str,
    ms: Vec<f64>,
    /// What else there is to say.
    note: String,
}

impl Outcome {
    pub fn json(&self) -> Value {
        let line = |line: &Line| {
            json!({
                "name": line.name, "count": line.ms.len(), "note": line.note,
                "ms": {"p50": percentile(&line.ms, 0.5), "p95": percentile(&line.ms, 0.95)},
                "all_ms": line.ms,
            })
        };
        Value::Array(self.0.iter().map(line).collect())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<44} {:>5} {:>9} {:>9}", "", "times", "ms p50", "p95")?;
        for Line { name, ms, note } in &self.0 {
            let [p50, p95] = [0.5, 0.95].map(|share| percentile(ms, share));
            writeln!(f, "{name:<44} {:>5} {p50:>9.1} {p95:>9.1}  {note}", ms.len())?;
        }
        Ok(())
    }
}

pub fn run(scenario: Scenario, options: &Options) -> Result<Outcome, SessionError> {
    match scenario {
        Scenario::Open => open(options),
        Scenario::Cancel => cancel(options),
        Scenario::Window => window(options),
    }
    .map(Outcome)
}

/// The first suggestion in a file that is opened: with an engine that has never seen it, and with a
/// new engine after the file was closed and the old one has ended.
fn open(options: &Options) -> Result<Vec<Line>, SessionError> {
    let house = House::new()?;
    let files: Vec<&File> = options.traces.iter().flat_map(|trace| &trace.files).collect();
    let mut lines = Vec::new();
    for name in ["opened for the first time", "opened again, with a new engine"] {
        let (mut client, engine) = house.launch(&options.program, false)?;
        let mut ms = Vec::new();
        for file in &files {
            let started = Instant::now();
            let editor = visit(&mut client, file, 0);
            editor.suggestion(&mut client)?;
            ms.push(started.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(SETTLE);
            editor.close(&mut client);
            std::thread::sleep(SETTLE);
        }
        client.shutdown()?;
        server::end(engine.pid);
        let lengths = files.iter().map(|file| file.lines());
        let (least, most) = (lengths.clone().min(), lengths.max());
        let note = format!("files of {} to {} lines", least.unwrap_or(0), most.unwrap_or(0));
        lines.push(Line { name, ms, note });
    }
    Ok(lines)
}

/// How soon the engine is there for somebody else after a long request was cancelled: a short
/// request elsewhere, whose prompt is evaluated already, with and without that before it.
fn cancel(options: &Options) -> Result<Vec<Line>, SessionError> {
    let house = House::new()?;
    let (mut client, engine) = house.launch(&options.program, false)?;
    let mut files: Vec<&File> = options.traces.iter().flat_map(|trace| &trace.files).collect();
    files.sort_by_key(|file| file.lines());
    let (Some(short), Some(long)) = (files.first(), files.last()) else { return Ok(Vec::new()) };
    let warm = visit(&mut client, short, 0);
    warm.suggestion(&mut client)?;
    let mut cold = Editor::open(&mut client, "file:///tandem-replay/cold", long.language, {
        &long.script.start
    });
    std::thread::sleep(SETTLE);
    let ask = |client: &mut Client| -> Result<f64, SessionError> {
        let started = Instant::now();
        warm.suggestion(client)?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    };
    let (mut idle, mut after, mut missed) = (Vec::new(), Vec::new(), 0);
    for number in 0..CANCELS {
        std::thread::sleep(SETTLE / 5);
        idle.push(ask(&mut client)?);
        // Places far from each other, none of them read before.
        let place = cold.buffer().text().len() / (CANCELS + 1) * (number + 1);
        let line_end = cold.buffer().text()[..place].rfind('\n').unwrap_or(0);
        cold.press(&mut client, &Stroke::Jump(line_end));
        let id = cold.ask(&mut client);
        std::thread::sleep(FIRST_CANCEL + LATER * number as u32);
        client.cancel(id);
        after.push(ask(&mut client)?);
        // The answer to what was cancelled: an error, unless it was quicker.
        missed += usize::from(client.finish_inline(id).is_ok_and(|item| item.is_some()));
    }
    client.shutdown()?;
    server::end(engine.pid);
    let extra: Vec<f64> = after.iter().zip(&idle).map(|(after, idle)| after - idle).collect();
    let line = |name, ms| Line { name, ms, note: String::new() };
    let mut lines = vec![
        line("a short request to an idle engine", idle),
        line("the same right after a cancelled one", after),
        line("the difference: from cancel to idle", extra),
    ];
    if missed > 0 {
        lines[1].note = format!("{missed} were answered before they were cancelled");
    }
    Ok(lines)
}

/// A second window beside the first: until it can complete, and how many engines there are then.
fn window(options: &Options) -> Result<Vec<Line>, SessionError> {
    let house = House::new()?;
    let mut windows: Vec<(Client, u32, f64)> = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let (client, engine) = house.launch(&options.program, true)?;
        windows.push((client, engine.pid, started.elapsed().as_secs_f64() * 1e3));
    }
    let mut pids: Vec<u32> = windows.iter().map(|window| window.1).collect();
    pids.dedup();
    let mb = |process| server::resident_kib(process).unwrap_or(0) / 1024;
    let servers: Vec<String> =
        windows.iter().map(|window| format!("{} MB", mb(window.0.pid()))).collect();
    let note = format!(
        "{} engine of {} MB for {} windows ({} running); servers {}",
        pids.len(),
        mb(pids[0]),
        windows.len(),
        house.engines(),
        servers.join(", ")
    );
    let ms: Vec<f64> = windows.iter().map(|window| window.2).collect();
    for (client, ..) in windows {
        client.shutdown()?;
    }
    pids.into_iter().for_each(server::end);
    let first =
        Line { name: "the first window, until ready", ms: ms[..1].to_vec(), note: String::new() };
    Ok(vec![first, Line { name: "each further window, until ready", ms: ms[1..].to_vec(), note }])
}

/// Opens a file and goes where its first passage is to be typed.
fn visit(client: &mut Client, file: &File, passage: usize) -> Editor {
    let mut editor = Editor::open(client, &file.uri, file.language, &file.script.start);
    editor.press(client, &Stroke::Jump(file.script.place(passage, &[])));
    editor
}
