//! What a person reads before anything is sent: a Markdown text. Pure.
//!
//! In: what is prepared, and where it would go. Out: the list of files with the reason for each, what
//! was taken out or left out, size, price, host, and the request's bytes; and the list to untick.
//! Refuses nothing. Names of files are strangers' text: none of them can look like something else.

use std::fmt::Write;

use super::bundle::Level;
use super::conversation::{Prepared, Row};
use super::price::Money;

/// What the preview says beside the request itself.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Where it goes.
    pub host: String,
    /// What may still be spent: today, this month.
    pub left: Option<(Money, Money)>,
    /// What was of use and is not sent.
    pub left_out: Vec<(String, String)>,
    /// It is sent without a yes, because the person's settings say so.
    pub always: bool,
}

/// The preview, with the request's bytes at its end.
pub fn markdown(prepared: &Prepared, around: &Around) -> String {
    let body = fenced(&String::from_utf8_lossy(&prepared.body), "json");
    format!("{}## The request, byte for byte\n\n{body}\n", summary(prepared, around))
}

/// The preview without the request's bytes, for a terminal.
pub fn summary(prepared: &Prepared, around: &Around) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut page, prepared, around);
    page
}

fn write_summary(page: &mut String, prepared: &Prepared, around: &Around) -> std::fmt::Result {
    let Prepared { rows, tokens: (least, most), cost, .. } = prepared;
    writeln!(page, "# Ask Claude\n")?;
    match around.always {
        true => writeln!(
            page,
            "Sent at once, because `ask.always` in your config.toml names this folder.\n"
        )?,
        false => writeln!(
            page,
            "Nothing has been sent. These bytes are sent, and no others, when you choose *Send*.\n"
        )?,
    }
    writeln!(page, "{}", fenced(&prepared.question, "text"))?;
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| to | {} |", cell(&around.host))?;
    writeln!(page, "| model | {} |", cell(&prepared.model))?;
    writeln!(page, "| size | {} bytes, about {least} to {most} tokens |", prepared.body.len())?;
    let answer = prepared.answer_tokens;
    writeln!(
        page,
        "| cost | {} to {}, the most with an answer of {answer} tokens |",
        cost.0, cost.1
    )?;
    if let Some((day, month)) = &around.left {
        writeln!(page, "| your budget | {day} left today, {month} this month |")?;
    }
    writeln!(page, "| SHA-256 | `{}` |\n", prepared.sha256)?;
    writeln!(page, "## What leaves this machine\n")?;
    if rows.is_empty() {
        writeln!(page, "No file: the question alone.\n")?;
    } else {
        writeln!(page, "| file | what of it | tokens | why | taken out |\n|---|---|---:|---|---|")?;
        for row in rows {
            let Row { path, level, why, tokens, .. } = row;
            let out = cell(&taken_out(row));
            let (path, why) = (cell(path), cell(why));
            writeln!(page, "| {path} | {} | {tokens} | {why} | {out} |", what(*level))?;
        }
        writeln!(page)?;
    }
    if !prepared.of_questions.is_empty() {
        let rules: Vec<_> =
            prepared.of_questions.iter().map(|found| found.rule.to_string()).collect();
        writeln!(page, "Taken out of the question: {}.\n", cell(&rules.join(", ")))?;
    }
    if !around.left_out.is_empty() {
        writeln!(page, "## Not sent\n\n| file | why |\n|---|---|")?;
        for (path, why) in &around.left_out {
            writeln!(page, "| {} | {} |", cell(path), cell(why))?;
        }
        writeln!(page)?;
    }
    Ok(())
}

/// The list that a person may shorten.
pub fn list(rows: &[Row]) -> String {
    let mut list =
        "# What to send\n\nUntick what is not to be sent (`[ ]`), then choose *Look again*.\n\n"
            .to_owned();
    for (number, row) in rows.iter().enumerate() {
        let Row { level, why, tokens, .. } = row;
        let (start, what, why) = (start(number, row), what(*level), cell(why));
        list += &format!("- [x] {start} — {what}, {tokens} tokens: {why}\n");
    }
    list
}

/// How an entry of the list begins. With its number: two names may look the same here.
fn start(number: usize, row: &Row) -> String {
    format!("{}. {}", number + 1, cell(&row.path))
}

/// The files whose line in the list is gone or not ticked.
pub fn unticked(list: &str, rows: &[Row]) -> Vec<String> {
    let entry = |line: &'_ str| -> Option<String> {
        let line = line.trim_start();
        let ticked = line.strip_prefix("- [x] ").or_else(|| line.strip_prefix("- [X] "))?;
        Some(ticked.split(" — ").next()?.trim_end().to_owned())
    };
    let ticked: Vec<String> = list.lines().filter_map(entry).collect();
    let gone = rows.iter().enumerate().filter(|&(n, row)| !ticked.contains(&start(n, row)));
    gone.map(|(_, row)| row.path.clone()).collect()
}

/// `1 file`, `2 files`.
pub fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

fn what(level: Level) -> &'static str {
    match level {
        Level::Body => "text",
        Level::Signatures => "signatures",
        Level::Path => "its name",
    }
}

fn taken_out(row: &Row) -> String {
    let mut out: Vec<String> = row
        .redacted
        .iter()
        .map(|found| format!("{} (line {} of what is sent)", found.rule, found.line))
        .collect();
    if row.hidden > 0 {
        out.push(format!("{} hidden characters", row.hidden));
    }
    out.join(", ")
}

/// In a cell of a table, as code that says nothing but itself.
fn cell(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let clean: String = text
        .chars()
        .map(|c| match c {
            '`' => '\'',
            '|' => '¦',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    format!("`{clean}`")
}

/// Between fences that the text does not have.
fn fenced(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::question::Kind;

    fn row(path: &str) -> Row {
        Row {
            path: path.into(),
            level: Level::Body,
            why: "defines `parse`".into(),
            tokens: 12,
            bytes: 36,
            redacted: Vec::new(),
            hidden: 0,
            sha256: String::new(),
        }
    }

    fn prepared(rows: Vec<Row>, body: &str) -> Prepared {
        Prepared {
            body: body.into(),
            sha256: "5a".into(),
            kind: Kind::Ask,
            model: "m".into(),
            question: "why?".into(),
            rows,
            of_questions: Vec::new(),
            tokens: (90, 110),
            cost: (Money(2_000_000), Money(40_000_000)),
            answer_tokens: 500,
        }
    }

    #[test]
    fn everything_that_leaves_is_listed_and_the_body_is_there_byte_for_byte() {
        let body = "{\"a\": \"```\\n\"}";
        let around = Around {
            host: "api.example".into(),
            left: Some((Money(5_000_000_000), Money(50_000_000_000))),
            left_out: vec![(".env".into(), "keys".into())],
            always: false,
        };
        let page = markdown(&prepared(vec![row("a.rs"), row("b.rs")], body), &around);
        for part in
            ["`api.example`", "`a.rs`", "`b.rs`", "`.env`", "90 to 110 tokens", "5a", body, "why?"]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(page.contains("\n````json\n"), "a fence longer than any in the body");
    }

    #[test]
    fn a_files_name_cannot_forge_a_row() {
        let page = markdown(&prepared(vec![row("a.rs` | x |\n| `b.rs")], ""), &Around::default());
        assert_eq!(page.lines().filter(|line| line.contains("a.rs")).count(), 1);
        assert!(!page.contains("\n| `b.rs"));
    }

    #[test]
    fn what_is_unticked_or_deleted_is_not_sent() {
        let rows =
            [row("a.rs"), row("a.rs.bak"), row("b.rs"), row("c.rs"), row("d`.rs"), row("d'.rs")];
        let all = list(&rows);
        assert_eq!(unticked(&all, &rows), [""; 0]);
        let edited = all.replacen("- [x] 1. `a.rs`", "- [ ] 1. `a.rs`", 1);
        let edited = edited.replacen("- [x] 5.", "- [ ] 5.", 1);
        let edited: String =
            edited.lines().filter(|l| !l.contains("`c.rs`")).map(|l| format!("{l}\n")).collect();
        assert_eq!(unticked(&edited, &rows), ["a.rs", "c.rs", "d`.rs"]);
    }
}
