//! What came of the simulations. In: [`Row`]s. Out: tables as Markdown, plots as SVG.

use std::fmt::Write as _;
use std::path::Path;

use tandem::stats::plot::{FIRST, Form, SECOND, THIRD, plot};

use crate::router::Router;
use crate::simulation::Outcome;

/// One number of developers, one router.
pub struct Row {
    pub developers: u32,
    pub router: Router,
    pub engines: usize,
    /// The bar holds.
    pub holds: bool,
    pub outcome: Outcome,
}

impl Row {
    fn per_100(&self) -> f64 {
        self.engines as f64 / f64::from(self.developers) * 100.0
    }
}

/// Engines for each number of developers, and how they do.
pub fn engines(rows: &[Row], bar_ms: f64) -> String {
    let mut text = String::from(
        "| developers | router | engines | per 100 developers | p50 / p95 | cached | busy | dropped |\n\
         |---:|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let Outcome { p50_ms, p95_ms, superseded, hits, busy, .. } = row.outcome;
        let ms = |ms: Option<f64>| ms.map_or("never".to_owned(), |ms| format!("{ms:.0}"));
        let [superseded, hits, busy] = [superseded, hits, busy].map(|part| part * 100.0);
        let missed = if row.holds { "" } else { ", too slow" };
        let _ = writeln!(
            text,
            "| {} | {} | {}{missed} | {:.2} | {} / {} ms | {hits:.0} % | {busy:.0} % | {superseded:.0} % |",
            grouped(row.developers as usize),
            row.router.name(),
            grouped(row.engines),
            row.per_100(),
            ms(p50_ms),
            ms(p95_ms),
        );
    }
    if rows.iter().any(|row| !row.holds) {
        let _ = writeln!(
            text,
            "\nToo slow: 95 of 100 requests are not answered within {bar_ms:.0} ms, not even with an engine for each developer or as many as were asked for."
        );
    }
    text
}

/// What a developer asks for.
pub fn sizing(rows: &[Row]) -> String {
    let mut text = String::from(
        "| developers | router | requests a developer and minute, for keys / all | tokens of a request: prompt / read / written |\n\
         |---:|---|---:|---:|\n",
    );
    for row in rows {
        let Outcome { asked_a_minute, requests_a_minute, .. } = row.outcome;
        let Outcome { prompt_tokens, read_tokens, written_tokens, .. } = row.outcome;
        let _ = writeln!(
            text,
            "| {} | {} | {asked_a_minute:.1} / {requests_a_minute:.1} | {prompt_tokens:.0} / {read_tokens:.0} / {written_tokens:.1} |",
            grouped(row.developers as usize),
            row.router.name()
        );
    }
    text
}

/// Writes the tables and, of several numbers of developers, the plots.
///
/// # Errors
/// When they cannot be written.
pub fn write(folder: &Path, tables: &str, rows: &[Row]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("report.md"), tables)?;
    let per_100 = |row: &Row| if row.holds { row.per_100() } else { f64::NAN };
    let about = "Engines for 100 developers, by number of developers";
    let engines = drawn(rows, about, &per_100, &|engines| format!("{engines:.1}"));
    let about = "Prompt tokens found in the engines' caches, by number of developers";
    let hits = drawn(rows, about, &|row| row.outcome.hits * 100.0, &|hits| format!("{hits:.0} %"));
    for (name, svg) in [("engines.svg", engines), ("hits.svg", hits)] {
        if let Some(svg) = svg {
            std::fs::write(folder.join(name), svg)?;
        }
    }
    Ok(())
}

/// A line for each router.
fn drawn(
    rows: &[Row],
    about: &str,
    value: &dyn Fn(&Row) -> f64,
    unit: &dyn Fn(f64) -> String,
) -> Option<String> {
    let mut developers: Vec<u32> = rows.iter().map(|row| row.developers).collect();
    developers.dedup();
    let labels: Vec<String> = developers.iter().map(|number| grouped(*number as usize)).collect();
    let of = |router| {
        let of_router = rows.iter().filter(move |row| row.router == router);
        of_router.map(value).collect::<Vec<f64>>()
    };
    let drawn: Vec<Router> = Router::ALL
        .into_iter()
        .filter(|router| rows.iter().any(|row| row.router == *router))
        .collect();
    let lines: Vec<Vec<f64>> = drawn.iter().map(|router| of(*router)).collect();
    let svg = plot(Form::Lines, about, &labels, &lines, unit)?;
    // On its own it needs what a page would say: its kind, and what the lines are.
    let svg = svg.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1);
    let mut names = String::new();
    for (number, (router, colour)) in drawn.iter().zip([FIRST, SECOND, THIRD]).enumerate() {
        let (y, name) = (130 + 18 * number, router.name());
        let (red, green, blue) = (colour.0, colour.1, colour.2);
        let _ = writeln!(
            names,
            "<text x=\"84\" y=\"{y}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#{red:02X}{green:02X}{blue:02X}\">{name}</text>"
        );
    }
    let end = svg.rfind("</svg>")?;
    Some(format!("{}{names}{}", &svg[..end], &svg[end..]))
}

/// 12,345.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
