//! Rows asked, one after another, in all layouts.
//!
//! In: rows of one tree, or of none. Out: their answers. Each layout is asked twice: with everything
//! shown that passes the filters, and with the default settings; the second time the recorder answers.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tandem::client::{ClientError, Trigger};
use tandem::eval::row::Row;
use tandem::eval::trees;
use tokio::runtime::Runtime;

use crate::answer::{self, Answer, Seen};
use crate::fail;
use crate::layout::Layout;
use crate::options::{Options, Set};
use crate::parse::parses;
use crate::recorder::{Mode, Recorder};
use crate::server::{Server, Setting, Shown};
use crate::trial::Bench;

/// How long the workspace takes to have read a buffer: it waits 300 ms for quiet.
const READ: Duration = Duration::from_millis(400);
/// Rows after which it is clear how long all will take.
const TELLING: u64 = 5;

/// What is needed to ask.
pub struct House<'a> {
    pub runtime: &'a Runtime,
    pub recorder: &'a Arc<Recorder>,
    pub options: &'a Options,
    /// For rows that have tests.
    pub bench: Option<&'a Bench>,
    /// Where each answer goes besides, a line each: a run of hours that breaks off has not been in vain.
    pub json: Option<&'a File>,
}

/// Two servers that know the same.
struct Pair {
    /// Shows what the model is unsure of, too.
    unsure: Server,
    usual: Server,
}

impl House<'_> {
    /// The answers of all rows. `tree` is opened as the workspace; its index holds so many files.
    ///
    /// # Errors
    /// When a server does not do its part.
    pub fn ask(
        &self,
        set: Set,
        tree: Option<(&Path, usize)>,
        rows: Vec<Row>,
        bar: &ProgressBar,
    ) -> Result<Vec<Answer>, ClientError> {
        let layouts = self.options.layouts(set);
        let names = tree.map(|(tree, _)| trees::names(tree));
        let mut alone = match layouts.iter().any(|layout| !layout.knows_files()) {
            true => Some(self.pair(None)?),
            false => None,
        };
        let mut knowing = match layouts.iter().any(|layout| layout.knows_files()) {
            true => Some(self.pair(tree)?),
            false => None,
        };
        let mut answers = Vec::new();
        for row in rows {
            let row = Arc::new(row);
            self.recorder.forget();
            for pair in [&mut alone, &mut knowing].into_iter().flatten() {
                pair.open(&row, tree.is_some())?;
            }
            if knowing.is_some() && tree.is_some() {
                std::thread::sleep(READ);
            }
            let parsed = parses(&row.language, &row.whole()) == Some(true);
            for &layout in &layouts {
                let pair = if layout.knows_files() { &mut knowing } else { &mut alone };
                // There is one for each kind of layout.
                let Some(pair) = pair else { continue };
                self.recorder.set(Mode::Ask(row.clone(), layout));
                let names = names.as_ref();
                let seen = Seen { names, parsed, ..self.look(set, layout, pair, &row)? };
                let mut answer = Answer::new(&row, seen);
                if let (Some(bench), Some(tests)) = (self.bench, &row.tests) {
                    let run = |shown: &Option<Shown>, right: bool| {
                        right || shown.as_ref().is_some_and(|s| passes(bench, &row, s, tests))
                    };
                    let unsure = run(&answer.unsure, answer.unsure_right);
                    let same = answer.shown == answer.unsure;
                    answer.passes = Some(match same {
                        true => unsure,
                        false => run(&answer.shown, answer.shown_right),
                    });
                    answer.unsure_passes = Some(unsure);
                }
                if self.options.verbose {
                    bar.suspend(|| tell(&row, &answer));
                }
                self.write(&answer).unwrap_or_else(|error| fail(&format!("--json: {error}")));
                answers.push(answer);
            }
            for pair in [&mut alone, &mut knowing].into_iter().flatten() {
                pair.unsure.close(&row);
                pair.usual.close(&row);
            }
            bar.inc(1);
            if bar.is_hidden() && bar.position() == TELLING {
                let left = bar.elapsed() * (bar.length().unwrap_or(0) as u32) / TELLING as u32;
                eprintln!("{}: about {} min in all", set.name(), left.as_secs() / 60 + 1);
            }
        }
        for pair in [alone, knowing].into_iter().flatten() {
            pair.unsure.end()?;
            pair.usual.end()?;
        }
        Ok(answers)
    }

    fn write(&self, answer: &Answer) -> io::Result<()> {
        let Some(mut file) = self.json else { return Ok(()) };
        let line = format!("{}\n", serde_json::to_string(answer)?);
        file.write_all(line.as_bytes())
    }

    fn pair(&self, tree: Option<(&Path, usize)>) -> Result<Pair, ClientError> {
        let bytes = self.options.bytes;
        let start =
            |unsure| Server::start(self.runtime, self.recorder, Setting { tree, bytes, unsure });
        Ok(Pair { unsure: start(true)?, usual: start(false)? })
    }

    fn look(
        &self,
        set: Set,
        layout: Layout,
        pair: &mut Pair,
        row: &Row,
    ) -> Result<Seen<'static>, ClientError> {
        self.recorder.take();
        let unsure = pair.unsure.ask(row, Trigger::Automatic)?;
        let mut asked = self.recorder.take();
        let silent = asked.is_empty();
        let (mut shown, mut made) = (None, Vec::new());
        if silent {
            pair.unsure.ask(row, Trigger::Invoked)?;
            asked = self.recorder.take();
        } else {
            shown = pair.usual.ask(row, Trigger::Automatic)?;
            made = self.recorder.take();
        }
        if let Some(failure) = asked.iter().find_map(|asked| asked.failure.as_ref()) {
            fail(failure);
        }
        let asked = asked.into_iter().next().unwrap_or_default();
        let (set, layout) = (set.name(), layout.name());
        Ok(Seen { set, layout, asked, made, silent, unsure, shown, names: None, parsed: false })
    }
}

/// Do the tests pass with this? What is right needs no run: the whole does pass.
fn passes(bench: &Bench, row: &Row, shown: &Shown, tests: &str) -> bool {
    let follows = row.after.get(shown.replaces..).unwrap_or_default();
    let program = answer::with(row, &shown.text, follows);
    bench.passes(&row.language, &format!("{program}{tests}"))
}

impl Pair {
    fn open(&mut self, row: &Row, typing: bool) -> Result<(), ClientError> {
        for server in [&mut self.unsure, &mut self.usual] {
            match typing {
                true => server.open_and_type(row)?,
                false => server.open(row),
            }
        }
        Ok(())
    }
}

/// Says what was not right.
fn tell(row: &Row, answer: &Answer) {
    if answer.raw_right && answer.shown_right {
        return;
    }
    let behind = tandem::eval::score::first_line(&row.after);
    println!("{}, {}: {:?} | {behind:?}", row.name, answer.layout, row.line_before());
    println!("  wanted {:?}\n  said   {:?}", answer.hidden, answer.raw);
    let text = |shown: &Option<Shown>| shown.as_ref().map(|shown| shown.text.clone());
    println!("  shown  {:?}, unsure {:?}", text(&answer.shown), text(&answer.unsure));
}
