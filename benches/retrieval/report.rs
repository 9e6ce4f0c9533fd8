//! The table.

use tandem::eval::statistics::Share;

/// Where a way of choosing files puts what has to change.
#[derive(Clone, Copy)]
pub struct Seen {
    /// Files before the first of them; `None` where none is sent.
    pub first: Option<usize>,
    /// Are all of them sent?
    pub all: bool,
}

/// What came of a case.
pub struct Outcome {
    pub set: &'static str,
    pub ours: Seen,
    /// At least its signatures; its body.
    pub text: bool,
    pub body: bool,
    /// Is the broken function in it, where it is one?
    pub has_function: Option<bool>,
    pub open: Seen,
    pub grep: Seen,
    pub rare: Seen,
    pub items: usize,
    pub tokens: u64,
    pub ms: f64,
}

/// Prints a table: a row for each set, and one for all.
pub fn print(outcomes: &[Outcome]) {
    println!(
        "| set | cases | in bundle | (all of several) | signatures or body | body | the function | first three | open: three | grep: bundle | grep: three | rare: bundle | rare: three | items | tokens | ms: median, most |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut sets: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !sets.contains(&outcome.set) {
            sets.push(outcome.set);
        }
    }
    for set in &sets {
        row(set, &outcomes.iter().filter(|it| it.set == *set).collect::<Vec<_>>());
    }
    row("all", &outcomes.iter().collect::<Vec<_>>());
}

fn row(name: &str, all: &[&Outcome]) {
    let share = |is: &dyn Fn(&Outcome) -> bool| shown(Share::of(all.iter().map(|it| is(it))));
    let three = |seen: Seen| seen.first.is_some_and(|first| first < 3);
    let functions = Share::of(all.iter().filter_map(|it| it.has_function));
    let mut times: Vec<f64> = all.iter().map(|it| it.ms).collect();
    times.sort_by(f64::total_cmp);
    let count = all.len().max(1) as f64;
    let cells = [
        name.to_owned(),
        all.len().to_string(),
        share(&|it| it.ours.first.is_some()),
        share(&|it| it.ours.all),
        share(&|it| it.text),
        share(&|it| it.body),
        if functions.all == 0 { "–".to_owned() } else { shown(functions) },
        share(&|it| three(it.ours)),
        share(&|it| three(it.open)),
        share(&|it| it.grep.first.is_some()),
        share(&|it| three(it.grep)),
        share(&|it| it.rare.first.is_some()),
        share(&|it| three(it.rare)),
        format!("{:.0}", all.iter().map(|it| it.items).sum::<usize>() as f64 / count),
        format!("{:.0}", all.iter().map(|it| it.tokens).sum::<u64>() as f64 / count),
        format!(
            "{:.0}, {:.0}",
            times.get(times.len() / 2).copied().unwrap_or_default(),
            times.last().copied().unwrap_or_default()
        ),
    ];
    println!("| {} |", cells.join(" | "));
}

fn shown(share: Share) -> String {
    let (low, high) = share.interval();
    format!("{:.0} ({low:.0}–{high:.0})", share.percent())
}
