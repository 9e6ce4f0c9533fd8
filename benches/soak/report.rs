//! From samples to a verdict: the first cycles after the warm-up beside the last ones. In: samples, keys. Out: a
//! table, a CSV, a plot.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use tandem::completer::Source;
use tandem::figures::percentile;
use tandem::stats::plot::{Form, plot};

use crate::house::STATES_MB;
use crate::options::Options;
use crate::sample::{Key, Process, Sample};

/// Memory may grow by this part.
const GROWTH: f64 = 0.05;
/// Latency may differ by this part.
const SLOWER: f64 = 0.10;
/// The people whose editors stay open all the time.
const STAY: [usize; 2] = [0, 1];

/// One thing that should not grow.
struct Line {
    what: String,
    first: f64,
    last: f64,
    unit: &'static str,
    /// How much more the last may be, as a part; `None` where it is only told.
    bar: Option<f64>,
}

impl Line {
    fn ratio(&self) -> f64 {
        if self.first == 0.0 && self.last == 0.0 { 1.0 } else { self.last / self.first }
    }

    fn holds(&self) -> bool {
        // Without /proc there is nothing to say of processes; elsewhere nothing seen is nothing proven.
        let unseen = self.ratio().is_nan() && !cfg!(target_os = "linux");
        self.bar.is_none_or(|bar| unseen || self.ratio() <= 1.0 + bar)
    }
}

pub struct Report {
    samples: Vec<Sample>,
    keys: Vec<Key>,
    troubles: Vec<String>,
    lines: Vec<Line>,
    part_s: f64,
}

impl Report {
    pub fn new(
        options: &Options,
        samples: Vec<Sample>,
        keys: Vec<Key>,
        troubles: Vec<String>,
    ) -> Report {
        let (cycle, part) = (options.cycle_s(), 2.0 * options.cycle_s());
        let first = |s: f64| s >= cycle && s < cycle + part;
        let last = |s: f64| s >= 10.0 * cycle && s < 10.0 * cycle + part;
        let mean = |of: &dyn Fn(&Sample) -> Option<f64>, within: &dyn Fn(f64) -> bool| {
            let values: Vec<f64> =
                samples.iter().filter(|sample| within(sample.s)).filter_map(of).collect();
            // Of nothing there is no mean, and no bar holds.
            values.iter().sum::<f64>() / values.len() as f64
        };
        let mut lines = Vec::new();
        let mut line = |what: &str, unit, bar, of: &dyn Fn(&Sample) -> Option<f64>| {
            let (first, last) = (mean(of, &first), mean(of, &last));
            lines.push(Line { what: what.to_owned(), first, last, unit, bar });
        };
        let mib = |process: &Process| process.resident_kib as f64 / 1024.0;
        line("engine, resident", "MiB", Some(GROWTH), &|s| s.engine.as_ref().map(mib));
        // A new window or a leaving one is a descriptor more or less.
        let files = |process: &Process| process.descriptors as f64;
        line("engine, open files", "", Some(0.2), &|s| s.engine.as_ref().map(files));
        line("engine, threads", "", Some(0.2), &|s| s.engine.map(|e| e.threads as f64));
        for number in STAY {
            let server = |s: &Sample| s.servers[number];
            let name = format!("server {}, resident", number + 1);
            line(&name, "MiB", Some(GROWTH), &|s| server(s).as_ref().map(mib));
            let name = format!("server {}, open files", number + 1);
            line(&name, "", Some(0.0), &|s| server(s).as_ref().map(files));
        }
        line("saved states", "MB", None, &|s| Some(s.states as f64 / 1e6));
        line("journal", "kB", None, &|s| Some(s.journal as f64 / 1e3));
        line("logs", "kB", None, &|s| Some(s.logs as f64 / 1e3));
        let times = |within: &dyn Fn(f64) -> bool, model: bool| -> Vec<f64> {
            let asked = |key: &&Key| within(key.s) && (!model || key.source == Source::Model);
            keys.iter().filter(asked).map(|key| key.ms).collect()
        };
        for (what, model, share, bar) in [
            ("key to suggestion, p50", false, 0.5, Some(SLOWER)),
            ("key to suggestion, p95", false, 0.95, Some(SLOWER)),
            ("of these by the model, p50", true, 0.5, Some(SLOWER)),
        ] {
            let [first, last] =
                [times(&first, model), times(&last, model)].map(|ms| match ms.is_empty() {
                    true => f64::NAN,
                    false => percentile(&ms, share),
                });
            lines.push(Line { what: what.to_owned(), first, last, unit: "ms", bar });
        }
        let count = |within: &dyn Fn(f64) -> bool| times(within, false).len() as f64;
        let (first, last) = (count(&first), count(&last));
        let what = "keys answered".to_owned();
        lines.push(Line { what, first, last, unit: "", bar: None });
        Report { samples, keys, troubles, lines, part_s: part }
    }

    /// The most that all states ever took, bytes.
    fn most_states(&self) -> u64 {
        self.samples.iter().map(|sample| sample.states).max().unwrap_or(0)
    }

    fn states_hold(&self) -> bool {
        // Of a file that is being written there are two for a moment, and the folder has one more.
        self.most_states() <= (STATES_MB << 20) * 11 / 10
    }

    pub fn holds(&self) -> bool {
        self.troubles.is_empty() && self.states_hold() && self.lines.iter().all(Line::holds)
    }

    /// Writes the samples and the plot.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut csv = String::from(
            "s,engine_kib,engine_files,engine_threads,server1_kib,server1_files,server2_kib,server2_files,states,journal,logs\n",
        );
        for sample in &self.samples {
            let engine = sample.engine.unwrap_or_default();
            let [one, two] = STAY.map(|number| sample.servers[number].unwrap_or_default());
            csv += &format!(
                "{:.0},{},{},{},{},{},{},{},{},{},{}\n",
                sample.s,
                engine.resident_kib,
                engine.descriptors,
                engine.threads,
                one.resident_kib,
                one.descriptors,
                two.resident_kib,
                two.descriptors,
                sample.states,
                sample.journal,
                sample.logs
            );
        }
        fs::write(folder.join("samples.csv"), csv)?;
        let keys: String = self
            .keys
            .iter()
            .map(|key| format!("{:.2},{:.2},{:?}\n", key.s, key.ms, key.source))
            .collect();
        fs::write(folder.join("keys.csv"), format!("s,ms,source\n{keys}"))?;
        fs::write(folder.join("report.txt"), self.to_string())?;
        for (name, svg) in [("memory", self.memory()), ("latency", self.latency())] {
            // On its own it needs what a page would say.
            if let Some(svg) = svg {
                let svg = svg.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
                fs::write(folder.join(format!("{name}.svg")), svg)?;
            }
        }
        Ok(())
    }

    /// Of the engine and of one server, MiB, a value a minute.
    fn memory(&self) -> Option<String> {
        let minutes = self.minutes();
        let mean = |of: &dyn Fn(&Sample) -> Option<f64>| -> Vec<f64> {
            let of_minute = |minute: usize| {
                let samples = self.samples.iter().filter(|s| s.s as usize / 60 == minute);
                let values: Vec<f64> = samples.filter_map(of).collect();
                values.iter().sum::<f64>() / values.len().max(1) as f64
            };
            (0..minutes).map(of_minute).collect()
        };
        let engine = mean(&|s| s.engine.map(|p| p.resident_kib as f64 / 1024.0));
        let server = mean(&|s| s.servers[0].map(|p| p.resident_kib as f64 / 1024.0));
        let about = "Resident memory of the engine and of a server, by minute";
        plot(Form::Lines, about, &labels(minutes), &[engine, server], &|mib| {
            format!("{mib:.0} MiB")
        })
    }

    /// Of the keys that the model answered, median and p95, ms, a value a minute.
    fn latency(&self) -> Option<String> {
        let minutes = self.minutes();
        let rows = [0.95, 0.5].map(|share| {
            let of_minute = |minute: usize| {
                let of = |key: &&Key| key.s as usize / 60 == minute && key.source == Source::Model;
                let ms: Vec<f64> = self.keys.iter().filter(of).map(|key| key.ms).collect();
                percentile(&ms, share)
            };
            (0..minutes).map(of_minute).collect::<Vec<f64>>()
        });
        let about = "From a key to the model's suggestion, p95 and median, by minute";
        plot(Form::Lines, about, &labels(minutes), &rows, &|ms| format!("{ms:.0} ms"))
    }

    fn minutes(&self) -> usize {
        self.samples.last().map_or(0, |sample| sample.s as usize / 60)
    }
}

fn labels(minutes: usize) -> Vec<String> {
    (0..minutes).map(|minute| format!("{minute} min")).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.part_s / 60.0;
        writeln!(
            f,
            "{:<30} {:>12} {:>12} {:>7}  bar",
            "",
            format!("first {minutes:.0} min"),
            format!("last {minutes:.0} min"),
            "ratio"
        )?;
        for line in &self.lines {
            let bar = match line.bar {
                Some(bar) if line.holds() => format!("<= {:.2}", 1.0 + bar),
                Some(bar) => format!("<= {:.2}  MISSED", 1.0 + bar),
                None => String::new(),
            };
            writeln!(
                f,
                "{:<30} {:>12} {:>12} {:>7.3}  {bar}",
                line.what,
                format!("{:.1} {}", line.first, line.unit),
                format!("{:.1} {}", line.last, line.unit),
                line.ratio()
            )?;
        }
        let verdict = if self.states_hold() { "" } else { "  MISSED" };
        let (most, cap) = (self.most_states() as f64 / 1e6, (STATES_MB << 20) as f64 / 1e6);
        writeln!(f, "states at most: {most:.0} of {cap:.0} MB{verdict}")?;
        writeln!(f, "{} keys answered in all", self.keys.len())?;
        for trouble in &self.troubles {
            writeln!(f, "TROUBLE: {trouble}")?;
        }
        write!(f, "{}", if self.holds() { "All bars hold." } else { "Not all bars hold." })
    }
}
