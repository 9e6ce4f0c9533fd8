//! What all processes take at one moment. In: the stage. Out: [`Sample`]s, every few seconds.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use tandem::completer::Source;

use crate::Stage;
use crate::house::bytes;
use crate::person::PEOPLE;

/// A key that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Since the beginning, s.
    pub s: f64,
    /// From the key to the suggestion, ms.
    pub ms: f64,
    pub source: Source,
}

/// What a process takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub process: u32,
    pub resident_kib: u64,
    pub descriptors: usize,
    pub threads: usize,
}

impl Process {
    /// `None` where it is not running, or /proc does not say.
    fn look(process: u32) -> Option<Process> {
        let folder = PathBuf::from(format!("/proc/{process}"));
        let status = std::fs::read_to_string(folder.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kib = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let count = |name: &str| entries(&folder.join(name));
        let (descriptors, threads) = (count("fd"), count("task"));
        Some(Process { process, resident_kib, descriptors, threads })
    }
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// One moment.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Since the beginning, s.
    pub s: f64,
    pub servers: [Option<Process>; PEOPLE],
    pub engine: Option<Process>,
    /// Of saved states, bytes.
    pub states: u64,
    /// Of the journal, bytes.
    pub journal: u64,
    /// Of what is said on standard error, bytes.
    pub logs: u64,
}

#[derive(Default)]
pub struct Sampler {
    pub samples: Vec<Sample>,
}

impl Sampler {
    pub fn take(&mut self, stage: &Stage) {
        let servers = *stage.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let house = &stage.house;
        self.samples.push(Sample {
            s: stage.began.elapsed().as_secs_f64(),
            servers: servers.map(|server| server.and_then(Process::look)),
            engine: house.engine().and_then(Process::look),
            states: bytes(&house.file("cache").join("states")),
            journal: bytes(&house.file("data").join("journal")),
            logs: bytes(&house.file("run")),
        });
    }

    /// The last one in a line.
    pub fn line(&self, stage: &Stage) -> String {
        let Some(last) = self.samples.last() else { return String::new() };
        let keys = stage.keys.lock().unwrap_or_else(PoisonError::into_inner).len();
        let mib = |process: &Option<Process>| process.map_or(0, |p| p.resident_kib / 1024);
        let servers: Vec<String> = last.servers.iter().map(|s| mib(s).to_string()).collect();
        format!(
            "{:>6.0} s  engine {} MiB, servers {} MiB, states {} MB, {keys} keys",
            last.s,
            mib(&last.engine),
            servers.join(" "),
            last.states / 1_000_000
        )
    }
}
