//! From blocks to edits.
//!
//! In: blocks, what was sent, the texts as they are now, the secrets of the conversation. Out: edits of the
//! texts as they are now, only of lines that differ, with the line ends of the file. Refuses: all, if one
//! block does not fit; [`Problem`] says why.

use std::ops::Range;

use super::closest::closest;
use super::lines::Lines;
use super::{Block, FileEdit, Problem, Sent};
use crate::ask::privacy::Placeholders;

/// Where a block fits, and what it does there.
struct Fit {
    path: String,
    created: bool,
    /// Bytes of the text now that were searched.
    searched: Range<usize>,
    edit: Option<(Range<usize>, String)>,
    line: usize,
}

/// The edits that blocks mean, by file, in the order of the blocks; or all that is wrong with them.
/// `now` is the text of a file by the workspace's name of it, `None` where there is none.
pub fn resolve(
    blocks: &[Block],
    sent: &[Sent],
    now: &dyn Fn(&str) -> Option<String>,
    placeholders: &Placeholders,
) -> Result<Vec<FileEdit>, Vec<Problem>> {
    let world = World { sent, now, placeholders };
    let (mut fits, mut problems) = (Vec::<Fit>::new(), Vec::new());
    for block in blocks {
        match world.fit(block) {
            Ok(fit) => {
                let same = |other: &&Fit| {
                    let meet = fit.searched.start < other.searched.end
                        && other.searched.start < fit.searched.end;
                    other.path == fit.path && (fit.created || other.created || meet)
                };
                if let Some(other) = fits.iter().find(same) {
                    let (line, other, path) = (fit.line, other.line, fit.path.clone());
                    problems.push(Problem::Overlaps { line, other, path });
                }
                fits.push(fit);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut files = Vec::<FileEdit>::new();
    for Fit { path, created, edit, .. } in fits {
        // A block that changes nothing is done.
        let Some(edit) = edit else { continue };
        match files.iter_mut().find(|file| file.path == path) {
            Some(file) => file.edits.push(edit),
            None => files.push(FileEdit { path, created, edits: vec![edit] }),
        }
    }
    files.iter_mut().for_each(|file| file.edits.sort_by_key(|(range, _)| range.start));
    Ok(files)
}

struct World<'a> {
    sent: &'a [Sent],
    now: &'a dyn Fn(&str) -> Option<String>,
    placeholders: &'a Placeholders,
}

impl World<'_> {
    /// The one reading of a block that fits.
    fn fit(&self, block: &Block) -> Result<Fit, Problem> {
        let path = block.path.trim_start_matches("./");
        let first = self.read(block.line, path, &block.search, &block.replace);
        let mut others = block
            .others
            .iter()
            .filter_map(|(search, replace)| self.read(block.line, path, search, replace).ok());
        match (first, others.next(), others.next()) {
            (first, None, _) => first,
            (Err(_), Some(fit), None) => Ok(fit),
            _ => Err(Problem::Ambiguous { line: block.line }),
        }
    }

    fn read(&self, line: usize, path: &str, search: &str, replace: &str) -> Result<Fit, Problem> {
        // The file may have changed since: the last that was sent of it is what Claude knows.
        let sent = self.sent.iter().rfind(|sent| sent.path == path);
        let seen = sent.map(|sent| Lines::of(&sent.text));
        let replace = self.replacement(line, path, replace, seen.as_ref())?;
        let owned = || path.to_owned();
        if search.is_empty() {
            return match (self.now)(path) {
                Some(text) if !text.is_empty() => Err(Problem::Exists { line, path: owned() }),
                now => Ok(Fit {
                    path: owned(),
                    created: now.is_none(),
                    // Nothing else is in it.
                    searched: 0..usize::MAX,
                    edit: Some((0..0, replace)),
                    line,
                }),
            };
        }
        let not_sent = Problem::NotSent { line, path: owned() };
        let (sent, seen) = sent.zip(seen).ok_or(not_sent)?;
        let wanted = self.placeholders.restore(search);
        let wanted = Lines::of(&wanted);
        match seen.places(wanted.shown())[..] {
            [place] if is_shown(sent, &seen.bytes(&(place..place + wanted.count()))) => {}
            [_] => return Err(Problem::NotShown { line, path: owned() }),
            [] => {
                let closest = closest(&wanted, sent, &seen, self.placeholders);
                return Err(Problem::NotFound { line, path: owned(), closest });
            }
            ref places => {
                return Err(Problem::Repeated { line, path: owned(), times: places.len() });
            }
        }
        let changed = Problem::Changed { line, path: owned() };
        let text = (self.now)(path).ok_or(changed.clone())?;
        let lines = Lines::of(&text);
        let [place] = lines.places(wanted.shown())[..] else { return Err(changed) };
        let searched = lines.bytes(&(place..place + wanted.count()));
        let (differing, new) = differing(wanted.shown(), &replace);
        let differing = place + differing.start..place + differing.end;
        if lines.has_hidden(&differing) {
            return Err(Problem::Hidden { line, path: owned() });
        }
        let edit = (!differing.is_empty() || !new.is_empty())
            .then(|| edit(&text, lines.bytes(&differing), &new));
        Ok(Fit { path: owned(), created: false, searched, edit, line })
    }

    /// What takes the place of the lines, with its secrets: those of this file, and no others. A file from
    /// elsewhere could have asked for one.
    fn replacement(
        &self,
        line: usize,
        path: &str,
        replace: &str,
        seen: Option<&Lines>,
    ) -> Result<String, Problem> {
        let stands_here = |placeholder: &&str| {
            let secret = self.placeholders.restore(placeholder);
            let secret = Lines::of(&secret);
            self.placeholders.unknown(placeholder).is_none()
                && seen.is_some_and(|seen| {
                    seen.shown().contains(secret.shown().trim_end_matches('\n'))
                })
        };
        match self.placeholders.used(replace).find(|used| !stands_here(used)) {
            Some(placeholder) => Err(Problem::Placeholder {
                line,
                path: path.to_owned(),
                placeholder: placeholder.to_owned(),
            }),
            None => Ok(Lines::of(&self.placeholders.restore(replace)).shown().to_owned()),
        }
    }
}

/// Whether these bytes were sent, but perhaps for the last line's end.
pub(super) fn is_shown(sent: &Sent, range: &Range<usize>) -> bool {
    let end = range.start + sent.text[range.clone()].trim_end_matches(['\n', '\r']).len();
    let mut reached = range.start;
    for part in &sent.parts {
        if part.start <= reached {
            reached = reached.max(part.end);
        }
    }
    // Of empty lines nothing is left but their place.
    sent.parts.iter().any(|part| part.start <= range.start && range.start < part.end)
        && reached >= end
}

/// The lines of the old text that differ from the new one's, and those of the new one.
fn differing(old: &str, new: &str) -> (Range<usize>, String) {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = old.iter().zip(&new).take_while(same).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(same).count();
    (start..old.len() - end, new[start..new.len() - end].concat())
}

/// Lines in the place of a range of whole lines, as the file ends its lines.
fn edit(text: &str, range: Range<usize>, new: &str) -> (Range<usize>, String) {
    let (all, returned) = (text.matches('\n').count(), text.matches("\r\n").count());
    let end = if returned * 2 > all { "\r\n" } else { "\n" };
    let mut new = new.replace('\n', end);
    let is_cut = range.end == text.len() && !text.is_empty() && !text.ends_with('\n');
    if is_cut && !new.is_empty() {
        // The last line has no end, before and after.
        new.truncate(new.len() - end.len());
        if range.start == text.len() {
            new.insert_str(0, end);
        }
    }
    (range, new)
}
