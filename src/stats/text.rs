//! The figures as text for a terminal, and the tables and sentences that a page shows too. Pure.
//!
//! In: a [`Summary`]. Out: short lines in columns. Refuses: to show more rows than fit; the JSON and the
//! page have all.

use super::asked::{Asked, Budget, Claude};
use super::local::{Group, Look, Suggestions, WouldHaveCost};
use super::{BothLeftOut, Summary};
use crate::ask::ledger::dollars;

/// Where nothing was written down yet.
pub const EMPTY: &str = "Nothing yet. Type with tandem in your editor for a while, then look again: what \
                         is shown, accepted and kept is noted on this machine, as numbers without text.";
/// Where there is more to see.
const MORE: &str =
    "`tandem stats --html FILE` draws it by day, `tandem stats --help` says what is counted.";
/// Rows of a table in a terminal.
const MOST_ROWS: usize = 8;
/// Columns of a terminal that everybody has.
const WIDTH: usize = 80;

/// Columns with names, and rows whose first cell is a name.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// All of it.
pub fn text(summary: &Summary) -> String {
    if summary.is_empty() {
        // The budget's sums outlive what was cleared.
        let spent: String = spent(&summary.claude).iter().map(|line| wrapped(line, 0)).collect();
        return wrapped(EMPTY, 0) + &spent + &notes(summary);
    }
    let mut text = String::new();
    let suggestions = &summary.suggestions;
    if suggestions.all.shown > 0 {
        text += &format!("Suggestions, {}\n\n", period(&suggestions.days));
        text += &aligned(&outcome(suggestions), false);
        text.push('\n');
        for line in served(suggestions) {
            text += &wrapped(&line, 2);
        }
        for (title, groups) in
            [("LANGUAGE", &suggestions.languages), ("WHERE FROM", &suggestions.sources)]
        {
            text.push('\n');
            text += &aligned(&self::groups(title, &groups[..groups.len().min(MOST_ROWS)]), true);
        }
        let last = suggestions.days.len().saturating_sub(MOST_ROWS);
        text.push('\n');
        text += &aligned(&groups("LAST DAYS", &suggestions.days[last..]), true);
        text.push('\n');
    }
    text += "Claude\n\n";
    if summary.claude.all.requests > 0 {
        text += &aligned(&asked("KIND", &summary.claude.kinds), true);
        text.push('\n');
        let models = &summary.claude.models;
        text += &aligned(&asked("MODEL", &models[..models.len().min(MOST_ROWS)]), true);
        text.push('\n');
    }
    for line in spent(&summary.claude) {
        text += &wrapped(&line, 2);
    }
    text += &wrapped(&summary.claude.verdict, 2);
    text.push('\n');
    text += &wrapped(MORE, 0);
    text + &notes(summary)
}

fn notes(summary: &Summary) -> String {
    let mut notes = String::new();
    for line in left_out(summary) {
        notes.push('\n');
        notes += &wrapped(&line, 0);
    }
    notes
}

/// What became of the suggestions.
pub fn outcome(suggestions: &Suggestions) -> Table {
    let all = &suggestions.all;
    let row =
        |name: &str, number: u64| vec![name.to_owned(), count(number), percent(number, all.shown)];
    let mut rows = vec![vec!["shown".to_owned(), count(all.shown), String::new()]];
    rows.extend([
        row("accepted", all.accepted),
        row("accepted in part", all.accepted_in_part),
        row("typed along to the end", all.typed_along),
        row("turned down", all.turned_down),
    ]);
    if all.unknown > 0 {
        rows.push(row("no end noted", all.unknown));
    }
    Table { head: ["", "suggestions", "of shown"].map(str::to_owned).to_vec(), rows }
}

/// What was served, what stood, how fast, and what it would have cost: a sentence each.
pub fn served(suggestions: &Suggestions) -> Vec<String> {
    let Suggestions { all, kept, .. } = suggestions;
    let mut lines = vec![format!(
        "Accepting wrote {} characters for you (about {} tokens), of {} shown (about {}).",
        count(all.characters_inserted),
        count(suggestions.tokens_inserted),
        count(all.characters_shown),
        count(suggestions.tokens_shown)
    )];
    let look = |look: Look, when: &str| {
        let stand = percent(look.stand, look.texts);
        (look.texts > 0).then(|| format!("{stand} of {} {when}", count(look.texts)))
    };
    let looks =
        [look(kept.after_15_s, "after 15 seconds"), look(kept.after_10_min, "after 10 minutes")];
    let looks: Vec<String> = looks.into_iter().flatten().collect();
    if !looks.is_empty() {
        lines.push(format!("Accepted texts still there: {}.", looks.join(", ")));
    }
    if let Some(latency) = all.latency_ms {
        let (half, most) = (milliseconds(latency.p50), milliseconds(latency.p95));
        lines.push(format!("Half of the suggestions came within {half}, 95 % within {most}."));
    }
    if let Some(WouldHaveCost { model, cost, assumption, .. }) = &suggestions.would_have_cost {
        lines.push(format!(
            "From {model} they would have cost {}: if each suggestion shown were one request with {} \
             tokens of prompt and its own length as the answer, nothing cached, at the prices of its day.",
            dollars(*cost),
            count(assumption.prompt_tokens)
        ));
    }
    lines
}

/// Suggestions by what they have in common.
pub fn groups(title: &str, groups: &[Group]) -> Table {
    let head = [title, "shown", "accepted", "in part", "half within", "95 % within"];
    let row = |group: &Group| {
        let latency = |of: fn(&super::percentile::Latency) -> f64| {
            group.latency_ms.as_ref().map_or_else(|| "-".to_owned(), |all| milliseconds(of(all)))
        };
        vec![
            group.name.clone(),
            count(group.shown),
            percent(group.accepted, group.shown),
            percent(group.accepted_in_part, group.shown),
            latency(|all| all.p50),
            latency(|all| all.p95),
        ]
    };
    Table { head: head.map(str::to_owned).to_vec(), rows: groups.iter().map(row).collect() }
}

/// Requests by what they have in common.
pub fn asked(title: &str, groups: &[Asked]) -> Table {
    let head = [title, "requests", "tokens in", "tokens out", "cost", "no end"];
    let row = |asked: &Asked| {
        let open = if asked.open + asked.unknown == 0 {
            "-".to_owned()
        } else {
            format!("{} ({})", count(asked.open + asked.unknown), dollars(asked.counted_as))
        };
        vec![
            asked.name.clone(),
            count(asked.requests),
            count(asked.tokens_in()),
            count(asked.tokens.output),
            dollars(asked.cost),
            open,
        ]
    };
    Table { head: head.map(str::to_owned).to_vec(), rows: groups.iter().map(row).collect() }
}

/// What Claude cost, what of the budget is gone, and how many of the files were used.
pub fn spent(claude: &Claude) -> Vec<String> {
    let mut lines = Vec::new();
    let all = &claude.all;
    if all.unknown > 0 {
        lines.push(format!(
            "{} cut off. It is unknown whether an answer was charged for, so what was set aside counts.",
            plural(all.unknown, "request was", "requests were")
        ));
    }
    if all.requests > 0 && claude.files.sent > 0 {
        let files = claude.files;
        let unsent = match files.used_unsent {
            0 => String::new(),
            unsent => format!(" Answers used {} that were not sent.", count(unsent)),
        };
        lines.push(format!(
            "Of {} sent, answers named or changed {} ({}).{unsent}",
            plural(files.sent, "file", "files"),
            count(files.sent_and_used),
            percent(files.sent_and_used, files.sent)
        ));
    }
    if let Some(budget) = claude.budget
        && (all.requests > 0 || budget.month.0 > 0)
    {
        lines.push(format!(
            "Today {} of {} are spent, this month {} of {}.",
            dollars(budget.today),
            dollars(budget.day_limit),
            dollars(budget.month),
            dollars(budget.month_limit)
        ));
    }
    lines
}

/// What could not be read.
pub fn left_out(summary: &Summary) -> Vec<String> {
    let BothLeftOut { journal, ledger } = summary.left_out;
    let mut lines = Vec::new();
    for (name, left_out) in [("journal", journal), ("ledger", ledger)] {
        if left_out.broken > 0 {
            let broken = plural(left_out.broken as u64, "line", "lines");
            lines.push(format!("Left out: {broken} of the {name} that could not be read."));
        }
        if left_out.newer > 0 {
            let newer = plural(left_out.newer as u64, "line", "lines");
            lines.push(format!("Left out: {newer} of the {name} by a later version of tandem."));
        }
    }
    if let Some(Budget { broken_lines: 1.., .. }) = summary.claude.budget {
        lines.push("The budget counts each of the ledger's as a whole request.".to_owned());
    }
    lines
}

/// `1,234`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `180 ms`, `2.5 s`.
pub fn milliseconds(ms: f64) -> String {
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 9_950.0 {
        format!("{} ms", count(ms.round() as u64))
    } else {
        format!("{:.1} s", ms / 1e3)
    }
}

fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => format!("{:.0} %", part as f64 * 100.0 / whole as f64),
    }
}

fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

fn period(days: &[Group]) -> String {
    match days {
        [] => String::new(),
        [day] => day.name.clone(),
        [first, .., last] => {
            format!("{} days from {} to {}", count(days.len() as u64), first.name, last.name)
        }
    }
}

/// The first column to the left, the others to the right.
fn aligned(table: &Table, with_head: bool) -> String {
    let lines: Vec<&Vec<String>> =
        with_head.then_some(&table.head).into_iter().chain(&table.rows).collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for line in &lines {
        let mut row = String::from("  ");
        for (column, cell) in line.iter().enumerate() {
            let width = width(column);
            row += &match column {
                0 => format!("{cell:width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        text += row.trim_end();
        text.push('\n');
    }
    text
}

/// In lines of at most [`WIDTH`] columns, all indented.
fn wrapped(sentence: &str, indent: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        }
        if column == 0 {
            text += &" ".repeat(indent);
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += length;
    }
    text.push('\n');
    text
}
