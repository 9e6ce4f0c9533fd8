//! What came of the keys, in rows. In: [`Sample`]s. Out: text for a person, or JSON. Pure.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Value, json};
use tandem::completer::Source;
use tandem::demo::session::{Kind, Played};
use tandem::demo::summary::{mean, percent};
use tandem::figures::percentile;

use crate::peer::Asked;

/// One key on both sides.
#[derive(Clone)]
pub struct Sample {
    pub played: Played,
    /// `None` without a peer, and where the peer is not asked.
    pub peer: Option<Asked>,
}

/// What came of one trace, or of several, with one setting.
pub struct Run {
    /// Of the trace.
    pub name: String,
    /// Lines of the longest file.
    pub lines: usize,
    pub reuse: bool,
    pub model: String,
    pub samples: Vec<Sample>,
    /// Resident memory, KiB.
    pub memory: Memory,
    pub prompts: Prompts,
    /// The peer's model, when there is a peer.
    pub peer: Option<String>,
}

/// Resident memory, KiB; `None` where the system does not say.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    pub server: Option<u64>,
    pub engine: Option<u64>,
    pub peer: Option<u64>,
}

/// What became of the prompts' tokens, in requests and in the background.
#[derive(Clone, Copy, Default)]
pub struct Prompts {
    pub evaluated: u64,
    /// Known from before.
    pub reused: u64,
}

/// Times and tokens of some of the keys on one side.
struct Side {
    ms: [f64; 3],
    evaluated: [f64; 2],
    generated: f64,
    /// Keys for which the model ran.
    runs: usize,
}

struct Row {
    name: &'static str,
    keys: usize,
    ours: Side,
    theirs: Option<Side>,
}

impl Side {
    fn new(keys: impl Iterator<Item = (f64, u64, u64)>) -> Side {
        let (mut ms, mut evaluated, mut generated) = (Vec::new(), Vec::new(), Vec::new());
        for (time, read, written) in keys {
            ms.push(time);
            evaluated.push(read as f64);
            generated.push(written as f64);
        }
        let runs = evaluated.iter().zip(&generated).filter(|(e, g)| **e + **g > 0.0).count();
        Side {
            ms: [0.5, 0.95, 0.99].map(|share| percentile(&ms, share)),
            evaluated: [percentile(&evaluated, 0.5), mean(&evaluated)],
            generated: mean(&generated),
            runs,
        }
    }

    fn print(&self, name: &str, keys: usize) -> String {
        let [p50, p95, p99] = self.ms;
        let [evaluated, evaluated_mean] = self.evaluated;
        format!(
            "{name:<24} {keys:>5} {:>6}  {p50:>8.1} {p95:>8.1} {p99:>8.1}  {evaluated:>8.0} {evaluated_mean:>7.2}  {:>7.2}",
            self.runs, self.generated
        )
    }

    fn json(&self) -> Value {
        json!({
            "ms": {"p50": self.ms[0], "p95": self.ms[1], "p99": self.ms[2]},
            "tokens_evaluated": {"p50": self.evaluated[0], "mean": self.evaluated[1]},
            "tokens_generated_mean": self.generated, "model_runs": self.runs,
        })
    }
}

impl Row {
    /// Of the keys that fit; `None` when there are none. With a peer only those that it was asked.
    fn new(name: &'static str, run: &Run, fits: impl Fn(&Played) -> bool) -> Option<Row> {
        let asked = |sample: &&Sample| run.peer.is_none() || sample.peer.is_some();
        let keys: Vec<&Sample> =
            run.samples.iter().filter(asked).filter(|sample| fits(&sample.played)).collect();
        if keys.is_empty() {
            return None;
        }
        let ours = keys.iter().map(|key| &key.played).map(|p| (p.ms, p.evaluated, p.generated));
        let theirs = keys.iter().filter_map(|key| key.peer.as_ref());
        let theirs = theirs.map(|asked| (asked.ms, asked.evaluated, asked.generated));
        Some(Row {
            name,
            keys: keys.len(),
            ours: Side::new(ours),
            theirs: run.peer.as_ref().map(|_| Side::new(theirs)),
        })
    }

    /// How many times as long the peer takes, p50 and p95.
    fn ratios(&self) -> Option<[f64; 2]> {
        let theirs = self.theirs.as_ref()?;
        Some([0, 1].map(|i| theirs.ms[i] / self.ours.ms[i].max(0.01)))
    }
}

impl Run {
    /// Several traces as one; `None` of fewer than two.
    pub fn all(runs: &[Run], reuse: bool) -> Option<Run> {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.reuse == reuse).collect();
        let (last, true) = (runs.last()?, runs.len() > 1) else { return None };
        Some(Run {
            name: "all traces".into(),
            lines: runs.iter().map(|run| run.lines).max().unwrap_or_default(),
            reuse,
            model: last.model.clone(),
            samples: runs.iter().flat_map(|run| run.samples.iter().cloned()).collect(),
            memory: last.memory,
            prompts: Prompts {
                evaluated: runs.iter().map(|run| run.prompts.evaluated).sum(),
                reused: runs.iter().map(|run| run.prompts.reused).sum(),
            },
            peer: last.peer.clone(),
        })
    }

    fn rows(&self) -> Vec<Row> {
        let moved =
            |p: &Played| matches!(p.kind, Kind::Open | Kind::Jump | Kind::Back | Kind::Switch);
        let rows = [
            Row::new("all keys", self, |_| true),
            Row::new("all but moving about", self, |p| !moved(p)),
            Row::new("model ran", self, |p| p.source == Source::Model),
        ];
        let kinds = Kind::ALL.map(|kind| Row::new(kind.name(), self, |p| p.kind == kind));
        let enter =
            Row::new("enter after accept", self, |p| p.after_accept && p.kind == Kind::Newline);
        rows.into_iter().chain(kinds).chain([enter]).flatten().collect()
    }

    /// The same for the same keys and suggestions.
    fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        for Sample { played, .. } in &self.samples {
            (&played.key, &played.ghost).hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// Characters that came from suggestions, keys that took them, and all characters.
    fn accepted(&self) -> (usize, usize, usize) {
        let taken = self.samples.iter().filter(|sample| sample.played.kind.takes());
        let all = self.samples.iter().map(|sample| sample.played.inserted).sum();
        (taken.clone().map(|sample| sample.played.inserted).sum(), taken.count(), all)
    }

    fn superseded(&self) -> usize {
        self.samples.iter().map(|sample| sample.played.superseded).sum()
    }

    pub fn print(&self) {
        let typed_along = if self.reuse { "on" } else { "off" };
        println!(
            "{}, up to {} lines, {}, completion.reuse {typed_along}",
            self.name, self.lines, self.model
        );
        let ratios = if self.peer.is_some() { "  faster p50, p95" } else { "" };
        println!(
            "{:<24} {:>5} {:>6}  {:>8} {:>8} {:>8}  {:>8} {:>7}  {:>7}{ratios}",
            "", "keys", "runs", "ms p50", "p95", "p99", "eval p50", "mean", "written"
        );
        for row in self.rows() {
            let ratios = row
                .ratios()
                .map_or(String::new(), |[p50, p95]| format!("  {p50:>6.1} x {p95:>6.1} x"));
            println!("{}{ratios}", row.ours.print(row.name, row.keys));
            if let Some(theirs) = &row.theirs {
                println!("{}", theirs.print("  llama-server", row.keys));
            }
        }
        let (characters, takes, all) = self.accepted();
        println!(
            "characters saved: {characters} from {takes} keys, {:.0} % of {all}",
            percent(characters, all)
        );
        if self.superseded() > 0 {
            println!(
                "{} more keys were superseded; their tokens count for the key that followed",
                self.superseded()
            );
        }
        let Prompts { evaluated, reused } = self.prompts;
        println!(
            "prompts: {evaluated} tokens evaluated, {reused} known from before, {:.1} %",
            percent(reused as usize, (evaluated + reused) as usize)
        );
        let mb = |kib: Option<u64>| {
            kib.map_or("n/a".to_owned(), |kib| format!("{:.0} MB", kib as f64 / 1024.0))
        };
        let peer = self.peer.as_ref().map_or(String::new(), |model| {
            format!(", llama-server {} ({model})", mb(self.memory.peer))
        });
        println!(
            "resident: server {}, engine {}{peer}; fingerprint {}\n",
            mb(self.memory.server),
            mb(self.memory.engine),
            self.fingerprint()
        );
    }

    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let mut value = row.ours.json();
            value["keys"] = json!(row.name);
            value["count"] = json!(row.keys);
            if let (Some(theirs), Some([p50, p95])) = (&row.theirs, row.ratios()) {
                value["peer"] = theirs.json();
                value["times_as_fast"] = json!({"p50": p50, "p95": p95});
            }
            value
        };
        let (characters, takes, all) = self.accepted();
        json!({
            "trace": self.name, "lines": self.lines, "model": self.model, "reuse": self.reuse,
            "peer_model": self.peer, "rows": self.rows().iter().map(row).collect::<Vec<_>>(),
            "characters": {"accepted": characters, "accepts": takes, "all": all},
            "superseded": self.superseded(),
            "prompt_tokens": {"evaluated": self.prompts.evaluated, "reused": self.prompts.reused},
            "memory_kib": {
                "server": self.memory.server, "engine": self.memory.engine, "peer": self.memory.peer,
            },
            "fingerprint": self.fingerprint(),
        })
    }
}
