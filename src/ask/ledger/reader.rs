//! The requests of the ledger, each put together from its lines: for figures, not for the budget.
//!
//! In: the folder. Out: each request once, with what became of it: those that ended in the order in
//! which they did, then those that did not. Refuses: nothing; lines that say nothing are counted. What
//! is in memory is what is open, and the names of what has ended.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::file::{NAME, OLDER};
use super::record::{Event, Line, Reserved, Settled};
use crate::private::records::{self, LeftOut};

/// A request that was paid for, or may have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub reserved: Reserved,
    /// `None`: on its way, or cut off.
    pub settled: Option<Settled>,
}

/// Shows each request to `visit`. Those of which nothing was sent are left out.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(folder: &Path, mut visit: impl FnMut(Request)) -> io::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    let mut open: HashMap<String, Reserved> = HashMap::new();
    // What is put aside while it is copied stands in both files.
    let mut done: HashSet<String> = HashSet::new();
    for name in [OLDER, NAME] {
        records::read(&folder.join(name), &mut left_out, |line: Line| match line.event {
            Event::Reserved(reserved) if !done.contains(&reserved.id) => {
                // One that was cleared meanwhile lists no files: the first counts.
                open.entry(reserved.id.clone()).or_insert(reserved);
            }
            Event::Settled(settled) => {
                if let Some(reserved) = open.remove(&settled.id) {
                    done.insert(settled.id.clone());
                    visit(Request { reserved, settled: Some(settled) });
                }
            }
            Event::Released { id, .. } => {
                open.remove(&id);
                done.insert(id);
            }
            Event::Reserved(_) | Event::Carried { .. } | Event::Noted { .. } => {}
        })?;
    }
    let mut open: Vec<Reserved> = open.into_values().collect();
    open.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    open.into_iter().for_each(|reserved| visit(Request { reserved, settled: None }));
    Ok(left_out)
}
