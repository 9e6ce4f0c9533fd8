//! The lines of a file that are most like those that were searched in vain.
//!
//! In: the lines that were searched, and what was sent of the file. Out: a few lines to show, with
//! placeholders for secrets; nothing where nothing is alike. Refuses: lines that were not shown.

use std::collections::HashMap;

use similar::TextDiff;

use super::lines::Lines;
use super::{Sent, resolve};
use crate::ask::privacy::Placeholders;

/// So many lines are shown.
const SHOWN: usize = 12;
/// Lines that are looked at one by one, and how much of each, bytes: a hint is worth some milliseconds.
const LOOKED_AT: usize = 3000;
const OF_A_LINE: usize = 160;
/// Lines less alike than this say nothing.
const ALIKE: f32 = 0.6;

/// A sentence that shows them, or nothing.
pub fn closest(wanted: &Lines, sent: &Sent, seen: &Lines, placeholders: &Placeholders) -> String {
    let is_shown = |line: &usize| resolve::is_shown(sent, &seen.bytes(&(*line..*line + 1)));
    let shown: Vec<usize> = (0..seen.count()).filter(is_shown).collect();
    let start =
        by_equal_lines(wanted, seen, &shown).or_else(|| by_alike_line(wanted, seen, &shown));
    let Some(start) = start else { return String::new() };
    let lines =
        shown.iter().filter(|line| (start..start + wanted.count().min(SHOWN)).contains(line));
    let text: String = lines.flat_map(|line| [seen.line(*line), "\n"]).collect();
    format!(" The closest lines there are:\n{}", placeholders.hide(&text).trim_end())
}

/// Where most lines would be equal but for blanks around them.
fn by_equal_lines(wanted: &Lines, seen: &Lines, shown: &[usize]) -> Option<usize> {
    let mut of_line: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in 0..wanted.count() {
        of_line.entry(wanted.line(at).trim()).or_default().push(at);
    }
    let mut votes: HashMap<usize, usize> = HashMap::new();
    for line in shown {
        let text = seen.line(*line).trim();
        // A bracket alone is everywhere.
        let wanted = of_line.get(text).filter(|_| text.len() > 2);
        for at in wanted.into_iter().flatten().take(SHOWN).filter(|at| *at <= line) {
            *votes.entry(line - at).or_default() += 1;
        }
    }
    let most = votes.into_iter().max_by_key(|(start, votes)| (*votes, std::cmp::Reverse(*start)));
    most.map(|(start, _)| start)
}

/// Where a line is most like the longest one that was searched.
fn by_alike_line(wanted: &Lines, seen: &Lines, shown: &[usize]) -> Option<usize> {
    let at = (0..wanted.count()).max_by_key(|at| wanted.line(*at).trim().len())?;
    let longest = cut(wanted.line(at).trim());
    let ratio = |line: &usize| TextDiff::from_chars(longest, cut(seen.line(*line).trim())).ratio();
    let ratios = shown.iter().take(LOOKED_AT).map(|line| (line, ratio(line)));
    let best = ratios.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, ratio)| *ratio >= ALIKE);
    best.map(|(line, _)| line.saturating_sub(at))
}

fn cut(line: &str) -> &str {
    let end = (0..=line.len().min(OF_A_LINE)).rev().find(|at| line.is_char_boundary(*at));
    &line[..end.unwrap_or(0)]
}
