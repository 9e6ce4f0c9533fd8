//! What a question is about: the function around a place. Pure.
//!
//! In: a text and a range in it, which may lie outside it or cut a letter. Out: the bytes of what is
//! around, as whole lines. Refuses nothing: where no function is, some lines are the answer.

use std::ops::Range;

use crate::syntax::outline::places::Placed;

/// A function around a function counts while it is no longer than this, lines.
const LONGEST: usize = 200;
/// Lines above and below, where there is no function.
const LINES: usize = 20;

/// The place of a question in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// What is selected or, without a selection, the cursor's line; whole lines.
    pub focus: Range<usize>,
    /// The functions or types around; whole lines, with the comments above.
    pub whole: Range<usize>,
    /// The name of what is around, where it has one.
    pub name: Option<String>,
}

/// What is around a range of a text, of which `places` says where definitions stand.
pub fn around(places: &[Placed], text: &str, range: &Range<usize>) -> Around {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.floor_char_boundary(range.end.clamp(start, text.len()));
    let focus = lines(text, &(start..end));
    let touched: Vec<&Placed> = touched(places, text, &focus, start);
    let Some(first) = touched.first() else {
        return Around { whole: grown(text, &focus, LINES), focus, name: None };
    };
    let ends = touched.iter().map(|it| it.whole.end).max().unwrap_or(end);
    let whole = with_above(text, first.whole.start)..lines(text, &(start..ends.max(end))).end;
    let whole = whole.start.min(focus.start)..whole.end;
    Around { focus, whole, name: Some(first.name.clone()) }
}

/// The functions that a range touches; else the type around it, or the definition that it stands
/// right above.
fn touched<'a>(
    places: &'a [Placed],
    text: &str,
    focus: &Range<usize>,
    start: usize,
) -> Vec<&'a Placed> {
    let is_short = |it: &Placed| text[it.whole.clone()].matches('\n').count() <= LONGEST;
    let touches =
        |it: &&Placed| it.whole.start < focus.end.max(start + 1) && it.whole.end > focus.start;
    let functions: Vec<&Placed> =
        places.iter().filter(|it| it.is_function()).filter(touches).collect();
    // The outermost that is short, else the innermost.
    let outer = |it: &&&Placed| {
        functions.iter().any(|of| *of != **it && is_short(of) && holds(of, it))
            || !is_short(it) && functions.iter().any(|of| *of != **it && holds(it, of))
    };
    let own: Vec<&Placed> = functions.iter().filter(|it| !outer(it)).copied().collect();
    if !own.is_empty() {
        return own;
    }
    let below = places.iter().find(|it| it.whole.start >= focus.end).filter(|it| {
        let between = text[focus.start..it.whole.start].lines();
        between.clone().count() <= LINES && between.clone().all(is_above)
    });
    let has_lines = |it: &&Placed| text[it.whole.clone()].trim_end().contains('\n');
    let others = places.iter().filter(touches).filter(has_lines).filter(|it| is_short(it));
    let around = others.min_by_key(|it| it.whole.len());
    below.or(around).into_iter().collect()
}

fn holds(outer: &Placed, inner: &Placed) -> bool {
    outer.whole.start <= inner.whole.start && inner.whole.end <= outer.whole.end
}

/// A comment, an attribute, a decorator, or nothing.
fn is_above(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || ["//", "#", "/*", "*", "@", "--"].iter().any(|start| line.starts_with(start))
}

/// Where the comments and attributes right above a definition begin, at a line's start.
pub fn with_above(text: &str, start: usize) -> usize {
    let mut begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    for _ in 0..LINES {
        let Some(before) = begin.checked_sub(1) else { break };
        let line = text[..before].rfind('\n').map_or(0, |at| at + 1);
        if text[line..before].trim().is_empty() || !is_above(&text[line..before]) {
            break;
        }
        begin = line;
    }
    begin
}

/// The lines that a range touches, with their ends.
pub fn lines(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let ends = range.end > start && text[..range.end].ends_with('\n');
    let end = match ends {
        true => range.end,
        false => text[range.end..].find('\n').map_or(text.len(), |at| range.end + at + 1),
    };
    start..end
}

/// With so many more lines above and below.
pub fn grown(text: &str, range: &Range<usize>, by: usize) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    for _ in 0..by {
        start = start.checked_sub(1).map_or(0, |at| text[..at].rfind('\n').map_or(0, |at| at + 1));
        end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    }
    start..end
}

/// The bytes of a line (from 0); the last one's for one that is not there.
pub fn line(text: &str, number: u32) -> Range<usize> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let start = starts.take(number as usize + 1).last().unwrap_or(0);
    start..start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    fn placed(id: &str, text: &str) -> Vec<Placed> {
        syntax::language(id).unwrap().places(text, super::super::cache::PATIENCE)
    }

    /// What is around `$0`.
    fn check(id: &str, fixture: &str, expected: &str) {
        let at = fixture.find("$0").unwrap();
        let text = fixture.replace("$0", "");
        let around = around(&placed(id, &text), &text, &(at..at));
        assert_eq!(&text[around.whole], expected, "{fixture}");
    }

    #[test]
    fn a_function_is_around_its_body_its_head_and_the_comment_above() {
        let text = "fn a() {}\n\n/// Sells.\n#[inline]\nfn b() {\n    c();\n}\n\nfn d() {}\n";
        let whole = "/// Sells.\n#[inline]\nfn b() {\n    c();\n}\n";
        for place in ["c();", "fn b", "Sells", "}\n\nfn d"] {
            check("rust", &text.replace(place, &format!("$0{place}")), whole);
        }
    }

    #[test]
    fn without_a_function_it_is_some_lines() {
        check("rust", "use a;\n$0\n", "use a;\n\n");
        check("python", "a = 1\nb = $02\n", "a = 1\nb = 2\n");
        assert_eq!(around(&[], "", &(5..9)), Around { focus: 0..0, whole: 0..0, name: None });
    }

    #[test]
    fn a_selection_over_two_functions_has_both() {
        let text = "def a():\n    b()\n\ndef c():\n    d()\n\ndef e():\n    pass\n";
        let around = around(&placed("python", text), text, &(10..30));
        assert_eq!(&text[around.whole], "def a():\n    b()\n\ndef c():\n    d()\n");
    }
}
