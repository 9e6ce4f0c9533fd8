//! What else one could do: send the open file; search for the names at hand and send what has most.

use std::collections::HashSet;

use tandem::ask::tokens::estimate;

use crate::cases::Case;
use crate::report::Seen;
use crate::tree::Tree;

/// How files with matches are ranked.
#[derive(Clone, Copy, PartialEq)]
pub enum Ranking {
    /// By the number of matches.
    Matches,
    /// By names, a rare one counting more and each match of it less (as in TF-IDF).
    Rare,
}

/// The open file alone.
pub fn open(case: &Case) -> Seen {
    seen(case, &case.inquiry.path.iter().cloned().collect::<Vec<_>>())
}

/// The open file, then whole files while the tokens last; the last one cut.
pub fn grep(tree: &Tree, case: &Case, ranking: Ranking, tokens: u64) -> Seen {
    let mut scores = vec![0.0; tree.files.len()];
    let names: HashSet<&String> = case.names.iter().collect();
    let mut names: Vec<&String> = names.into_iter().collect();
    names.sort();
    for name in names {
        let all = tree.occurs.get(name).map(Vec::as_slice).unwrap_or_default();
        let rare = (tree.files.len() as f64 / all.len().max(1) as f64).ln();
        for (number, count) in all {
            let count = *count as f64;
            scores[*number] += match ranking {
                Ranking::Matches => count,
                Ranking::Rare => rare * count / (count + 1.0),
            };
        }
    }
    let own = case.inquiry.path.as_deref();
    let mut order: Vec<usize> = (0..scores.len()).filter(|number| scores[*number] > 0.0).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order.retain(|number| own != Some(tree.files[*number].0.as_str()));
    let mut sent: Vec<String> = own.map(str::to_owned).into_iter().collect();
    let of_own = own.and_then(|own| tree.files.iter().find(|(path, _)| path == own));
    let mut used = of_own.map_or(0, |(_, text)| estimate(text));
    for number in order {
        if used >= tokens {
            break;
        }
        used += estimate(&tree.files[number].1);
        sent.push(tree.files[number].0.clone());
    }
    seen(case, &sent)
}

fn seen(case: &Case, sent: &[String]) -> Seen {
    let place = |target: &String| sent.iter().position(|path| path == target);
    let places: Vec<Option<usize>> = case.targets.iter().map(place).collect();
    Seen { first: places.iter().flatten().min().copied(), all: places.iter().all(Option::is_some) }
}
