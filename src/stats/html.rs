//! The figures as a page: plots, each with its table. Pure.
//!
//! In: a [`Summary`]. Out: one file of HTML that needs nothing else: no script, no font, no address.
//! Refuses: to take a name for anything but text.

use super::Summary;
use super::asked::{Asked, Claude};
use super::local::{Group, Suggestions};
use super::plot::{Form, plot};
use super::text::{self, Table, count, milliseconds};
use crate::ask::ledger::dollars;
use crate::ask::price::Money;

/// Days in a plot; more would be thinner than a pixel of a phone.
const MOST_DAYS: usize = 60;
const STYLE: &str = include_str!("page.css");

/// All of it.
pub fn page(summary: &Summary) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>tandem: statistics</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>What tandem did</h1>\n"
    );
    if summary.is_empty() {
        page += &paragraph("", text::EMPTY);
        text::spent(&summary.claude).iter().for_each(|line| page += &paragraph("", line));
    } else {
        suggestions(&mut page, &summary.suggestions);
        claude(&mut page, &summary.claude);
    }
    for line in text::left_out(summary) {
        page += &paragraph("quiet", &line);
    }
    page += "</main>\n<footer><p>Made from files on your machine. Nothing was sent anywhere, and this \
             page loads nothing.</p></footer>\n</body>\n</html>\n";
    page
}

/// Text that is nothing but text.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

fn suggestions(page: &mut String, suggestions: &Suggestions) {
    *page += "<section>\n<h2>Suggestions</h2>\n";
    if suggestions.all.shown == 0 {
        *page += &paragraph("", "None were shown yet.");
        *page += "</section>\n";
        return;
    }
    *page += &table(&text::outcome(suggestions));
    for line in text::served(suggestions) {
        *page += &paragraph("", &line);
    }
    let days = &suggestions.days[suggestions.days.len().saturating_sub(MOST_DAYS)..];
    let labels = days.iter().map(|day| short(&day.name)).collect::<Vec<_>>();
    let row = |value: fn(&Group) -> f64| days.iter().map(value).collect::<Vec<f64>>();
    let taken = |day: &Group| (day.accepted + day.accepted_in_part) as f64;
    let shown = [row(|day| day.shown as f64), row(taken)];
    let by_day = text::groups("Day", days);
    *page += &figure(
        "Suggestions by day",
        &["shown", "accepted, whole or in part"],
        plot(Form::Bars, "Bars: suggestions by day", &labels, &shown, &|n| count(n as u64)),
        Some(&by_day),
    );
    let latency = [
        row(|day| day.latency_ms.map_or(f64::NAN, |latency| latency.p95)),
        row(|day| day.latency_ms.map_or(f64::NAN, |latency| latency.p50)),
    ];
    let in_table = "The figures are in the table of the days.";
    *page += &figure(
        "From the request to the answer, by day",
        &["95 % took no longer", "half took no longer"],
        plot(
            Form::Lines,
            &format!("Lines: latency by day. {in_table}"),
            &labels,
            &latency,
            &|ms| milliseconds(ms),
        ),
        None,
    );
    for (title, groups) in [
        ("Language", &suggestions.languages),
        ("Where from", &suggestions.sources),
        ("Model", &suggestions.models),
    ] {
        *page += &format!("<h3>{}</h3>\n", escape(title));
        *page += &table(&text::groups(title, groups));
    }
    *page += "</section>\n";
}

fn claude(page: &mut String, claude: &Claude) {
    *page += "<section>\n<h2>Claude</h2>\n";
    *page += &paragraph("", &claude.verdict);
    for line in text::spent(claude) {
        *page += &paragraph("", &line);
    }
    if claude.all.requests > 0 {
        let days = &claude.days[claude.days.len().saturating_sub(MOST_DAYS)..];
        let labels = days.iter().map(|day| short(&day.name)).collect::<Vec<_>>();
        let in_dollars = |money: Money| money.0 as f64 / 1e9;
        let row = |value: &dyn Fn(&Asked) -> Money| {
            days.iter().map(|day| in_dollars(value(day))).collect::<Vec<f64>>()
        };
        let all = |day: &Asked| Money(day.cost.0.saturating_add(day.counted_as.0));
        let rows = [row(&all), row(&|day| day.cost)];
        let unit = |value: f64| dollars(Money((value * 1e9) as u64));
        *page += &figure(
            "Cost by day",
            &["counted for what has no end", "paid"],
            plot(Form::Bars, "Bars: cost of Claude by day", &labels, &rows, &unit),
            Some(&text::asked("Day", days)),
        );
        for (title, groups) in [("Kind", &claude.kinds), ("Model", &claude.models)] {
            *page += &format!("<h3>{}</h3>\n", escape(title));
            *page += &table(&text::asked(title, groups));
        }
    }
    *page += "</section>\n";
}

fn figure(title: &str, legend: &[&str], plot: Option<String>, below: Option<&Table>) -> String {
    let mut figure = String::from("<figure>\n");
    if let Some(plot) = plot {
        figure += &format!("<h3>{}</h3>\n{plot}\n<figcaption>", escape(title));
        for (name, class) in legend.iter().zip(["first", "second"]) {
            figure += &format!("<i class=\"{class}\"></i>{}", escape(name));
        }
        figure += "</figcaption>\n";
    }
    if let Some(below) = below {
        figure += "<details>\n<summary>The same as a table</summary>\n";
        figure += &table(below);
        figure += "</details>\n";
    }
    figure + "</figure>\n"
}

fn table(Table { head, rows }: &Table) -> String {
    // What is wider than a phone is moved by itself, also by keys.
    let mut html = String::from(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">\n<table>\n",
    );
    let mut line = |cells: &[String], is_head: bool| {
        html += if is_head { "<thead>\n<tr>" } else { "<tr>" };
        for (at, cell) in cells.iter().enumerate() {
            html += &match (is_head, at) {
                (true, _) => format!("<th scope=\"col\">{}</th>", escape(cell)),
                (false, 0) => format!("<th scope=\"row\">{}</th>", escape(cell)),
                (false, _) => format!("<td>{}</td>", escape(cell)),
            };
        }
        html += if is_head { "</tr>\n</thead>\n<tbody>\n" } else { "</tr>\n" };
    };
    line(head, true);
    rows.iter().for_each(|row| line(row, false));
    html + "</tbody>\n</table>\n</div>\n"
}

fn paragraph(class: &str, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<p{class}>{}</p>\n", escape(text))
}

/// A day as it stands under a plot: month and day.
fn short(day: &str) -> String {
    day.get(5..).unwrap_or(day).to_owned()
}
