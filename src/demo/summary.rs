//! How a session went, in a few lines. In: what each key cost. Out: text. Pure.

use super::session::Played;
use crate::completer::Source;
use crate::figures::percentile;

/// Part of a whole in percent; 0 of nothing.
pub fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Keystrokes, latency, tokens, and what was typed against what was accepted.
pub fn of(keys: &[Played]) -> String {
    let column = |of: fn(&Played) -> f64| keys.iter().map(of).collect::<Vec<f64>>();
    let latency = column(|key| key.ms);
    let ran = keys.iter().filter(|key| key.source == Source::Model);
    let ran: Vec<f64> = ran.map(|key| key.ms).collect();
    let evaluated = column(|key| key.evaluated as f64);
    let generated = column(|key| key.generated as f64);
    let without = keys.iter().filter(|key| key.source != Source::Model).count();
    let inserted = |wanted: bool| -> usize {
        let chosen = keys.iter().filter(|key| key.kind.takes() == wanted);
        chosen.map(|key| key.inserted).sum()
    };
    let (typed, accepted) = (inserted(false), inserted(true));
    let takes = keys.iter().filter(|key| key.kind.takes()).count();
    format!(
        "\
{} keystrokes, {without} of them ({:.0} %) answered without evaluating a token
keystroke to suggestion  p50 {:.1} ms, p95 {:.0} ms; where the model ran p50 {:.0} ms, p95 {:.0} ms
tokens evaluated per key p50 {:.0}, mean {:.1}; generated p50 {:.0}, mean {:.1}
characters               {typed} typed, {accepted} from {takes} accepted suggestions ({:.0} %)
",
        keys.len(),
        percent(without, keys.len()),
        percentile(&latency, 0.5),
        percentile(&latency, 0.95),
        percentile(&ran, 0.5),
        percentile(&ran, 0.95),
        percentile(&evaluated, 0.5),
        mean(&evaluated),
        percentile(&generated, 0.5),
        mean(&generated),
        percent(accepted, typed + accepted),
    )
}
