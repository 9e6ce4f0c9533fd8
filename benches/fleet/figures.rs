//! The figures that the simulation is fed with. In: TOML, each figure with where it is from. Out: habits, costs of
//! an engine, and a list of what nobody measured. Refuses what makes no sense, by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::developer::Habits;
use crate::engine::Costs;

/// Those in the repository.
pub const BUILT_IN: &str = include_str!("figures.toml");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    Measured,
    Computed,
    Assumed,
}

/// A value, where it is from, and how to get another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure<T = f64> {
    value: T,
    from: From,
    by: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    developer: BTreeMap<String, Figure>,
    engine: BTreeMap<String, EngineFigures>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineFigures {
    about: String,
    step_ms: Figure<Vec<(f64, f64)>>,
    slots: Figure,
    chunk_tokens: Figure,
    cache_tokens: Figure,
    block_tokens: Figure,
}

impl Figures {
    /// # Errors
    /// When it is not such a file, as a sentence.
    pub fn read(text: &str) -> Result<Figures, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// # Errors
    /// When a figure is missing, unknown or makes no sense.
    pub fn habits(&self) -> Result<Habits, String> {
        let mut taken = 0;
        let mut value = |name: &str, range: (f64, f64)| -> Result<f64, String> {
            let figure = self.developer.get(name);
            let figure = figure.ok_or_else(|| format!("developer.{name} is missing"))?;
            taken += 1;
            within(&format!("developer.{name}"), figure.value, range)
        };
        let share = (0.0, 1.0);
        let (ms, tokens, mean) = ((1.0, 1e9), (1.0, 1e6), (1.0, 1e6));
        let habits = Habits {
            gap_ms: value("key_gap_ms", ms)?,
            gap_spread: value("key_gap_spread", (0.0, 3.0))?,
            burst_keys: value("burst_keys", mean)?,
            pause_ms: value("pause_ms", ms)?,
            // Without any the next one would be looked for forever.
            model_share: value("model_share", (0.001, 1.0))?,
            again_share: value("again_share", share)?,
            new_share: value("new_share", share)?,
            back_share: value("back_share", share)?,
            first_tokens: value("first_tokens", tokens)? as u32,
            grown_tokens: value("grown_tokens", (0.0, 1e6))? as u32,
            anchor_tokens: value("anchor_tokens", tokens)? as u32,
            head_tokens: value("head_tokens", (0.0, 1e6))? as u32,
            write_tokens: value("write_tokens", mean)?,
            write_most: value("write_most", tokens)? as u32,
            ahead_share: value("ahead_share", share)?,
            ahead_tokens: value("ahead_tokens", mean)?,
            ahead_most: value("ahead_most", tokens)? as u32,
            network_ms: value("network_ms", (0.0, 1e6))?,
        };
        if taken < self.developer.len() {
            return Err(
                "[developer] has a figure that nothing reads; compare benches/fleet/figures.toml"
                    .to_owned(),
            );
        }
        if habits.new_share + habits.back_share > 1.0 {
            return Err("developer.new_share and .back_share are more than 1 together".to_owned());
        }
        Ok(habits)
    }

    fn engine(&self, name: &str) -> Result<&EngineFigures, String> {
        self.engine.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.engine.keys().map(String::as_str).collect();
            format!("there is no [engine.{name}]; there are {}", names.join(", "))
        })
    }

    /// # Errors
    /// When there is no such engine, or a figure of it makes no sense.
    pub fn costs(&self, name: &str) -> Result<Costs, String> {
        let engine = self.engine(name)?;
        let value = |field: &str, figure: &Figure, range: (f64, f64)| {
            within(&format!("engine.{name}.{field}"), figure.value, range)
        };
        let step_ms = engine.step_ms.value.clone();
        let is_ascending = step_ms.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let is_costly = step_ms.windows(2).all(|pair| pair[0].1 <= pair[1].1);
        let is_real = |(tokens, ms): &(f64, f64)| *tokens >= 1.0 && *ms > 0.0 && ms.is_finite();
        if step_ms.is_empty() || !is_ascending || !is_costly || !step_ms.iter().all(is_real) {
            return Err(format!(
                "engine.{name}.step_ms takes [tokens, ms], …: more tokens in each, and no fewer ms"
            ));
        }
        Ok(Costs {
            step_ms,
            slots: value("slots", &engine.slots, (1.0, 10_000.0))? as usize,
            chunk_tokens: value("chunk_tokens", &engine.chunk_tokens, (1.0, 1e6))? as u32,
            cache_tokens: value("cache_tokens", &engine.cache_tokens, (0.0, 1e12))? as u64,
            block_tokens: value("block_tokens", &engine.block_tokens, (1.0, 1e6))? as u32,
        })
    }

    /// What an engine is.
    pub fn about(&self, name: &str) -> &str {
        self.engine.get(name).map_or("", |engine| &engine.about)
    }

    /// The figures of the developers and of an engine that nobody measured: a name, and how to.
    pub fn assumed(&self, name: &str) -> Vec<(String, &str)> {
        let mut all: Vec<(String, From, &str)> = self
            .developer
            .iter()
            .map(|(field, figure)| (format!("developer.{field}"), figure.from, &*figure.by))
            .collect();
        if let Some(engine) = self.engine.get(name) {
            let EngineFigures { step_ms, slots, chunk_tokens, cache_tokens, block_tokens, .. } =
                engine;
            let mut add = |field: &str, from, by| {
                all.push((format!("engine.{name}.{field}"), from, by));
            };
            add("step_ms", step_ms.from, &step_ms.by);
            let rest = [
                ("slots", slots),
                ("chunk_tokens", chunk_tokens),
                ("cache_tokens", cache_tokens),
                ("block_tokens", block_tokens),
            ];
            for (field, figure) in rest {
                add(field, figure.from, &figure.by);
            }
        }
        let assumed = all.into_iter().filter(|(_, from, _)| *from == From::Assumed);
        assumed.map(|(name, _, by)| (name, by)).collect()
    }
}

fn within(name: &str, value: f64, (least, most): (f64, f64)) -> Result<f64, String> {
    let is_within = value >= least && value <= most;
    is_within
        .then_some(value)
        .ok_or_else(|| format!("{name} is {value}; it must be from {least} to {most}"))
}
