//! Where in a text an excerpt lies. Pure.
//!
//! In: a text, as it was known last, and the lines around a cursor, as they are now. Out: the bytes of the
//! text that the excerpt stands for, and whether they are the same. Text and excerpt come on two ways, so
//! either may be a key or an accepted suggestion ahead: then the excerpt is right, and the text around it
//! still says what the file is.
//! Refuses: to guess. An excerpt that too little speaks for lies nowhere.

use std::ops::Range;

use super::excerpt::Excerpt;

/// Characters that are no blanks: fewer in common could stand in any file.
const TELLING: usize = 40;
/// Lines at an excerpt's ends that are looked for in the text.
const LINES: usize = 3;
/// Places that may begin or end alike and are looked at.
const CANDIDATES: usize = 8;
/// Bytes that the two may differ in at one place: about the longest suggestion.
const APART: usize = 2_000;

/// Where an excerpt lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The bytes of the text that it stands for.
    pub bytes: Range<usize>,
    /// They are the excerpt.
    pub exact: bool,
}

impl Found {
    /// The text with the excerpt in it, and the cursor's byte.
    pub fn text(&self, text: &str, excerpt: &Excerpt) -> (String, usize) {
        let Excerpt { prefix, suffix, .. } = excerpt;
        let (before, after) = (&text[..self.bytes.start], &text[self.bytes.end..]);
        (format!("{before}{prefix}{suffix}{after}"), self.cursor(excerpt))
    }

    /// The cursor's byte in that text.
    pub fn cursor(&self, excerpt: &Excerpt) -> usize {
        self.bytes.start + excerpt.prefix.len()
    }
}

/// The place where the text is the excerpt, the first one of several.
pub fn exact(text: &str, excerpt: &Excerpt) -> Option<Found> {
    let whole = excerpt.whole();
    if text == whole {
        return Some(Found { bytes: 0..text.len(), exact: true });
    }
    let start = is_telling(&whole).then(|| text.find(&whole)).flatten()?;
    Some(Found { bytes: start..start + whole.len(), exact: true })
}

/// The place where the text is nearly the excerpt: they differ in one piece, and have more in common.
pub fn near(text: &str, excerpt: &Excerpt) -> Option<Found> {
    let whole = excerpt.whole();
    let (top, bottom) = ends(excerpt);
    for start in starts(text, top) {
        let same = common_start(&text[start..], &whole);
        for end in places(&text[start..], bottom) {
            let piece = &text[start..start + end];
            let (shorter, longer) = (piece.len().min(whole.len()), piece.len().max(whole.len()));
            let same = same.min(shorter);
            let behind = common_end(piece, &whole).min(shorter - same);
            let apart = longer - same - behind;
            let common = [&whole[..same], &whole[whole.len() - behind..]].concat();
            let all = start == 0 && piece.len() == text.len();
            let enough = common.len() * 2 >= longer && (all || is_telling(&common));
            if apart <= APART && enough {
                return Some(Found { bytes: start..start + end, exact: false });
            }
        }
    }
    None
}

/// The excerpt's first lines above the cursor's, and its last ones below; empty where there are none.
fn ends(excerpt: &Excerpt) -> (&str, &str) {
    let above = excerpt.prefix.rfind('\n').map_or("", |at| &excerpt.prefix[..=at]);
    let below = excerpt.suffix.find('\n').map_or("", |at| &excerpt.suffix[at..]);
    let top = above.match_indices('\n').nth(LINES - 1).map_or(above, |(at, _)| &above[..=at]);
    // The break that ends the last line is none between two.
    let breaks = below.trim_end_matches('\n').rmatch_indices('\n');
    let bottom = breaks.take(LINES).last().map_or(below, |(at, _)| &below[at..]);
    (top, bottom)
}

/// Where lines that begin like the excerpt begin.
fn starts(text: &str, top: &str) -> Vec<usize> {
    if top.is_empty() {
        return vec![0];
    }
    let begins_line = |&at: &usize| at == 0 || text.as_bytes()[at - 1] == b'\n';
    text.match_indices(top).map(|(at, _)| at).filter(begins_line).take(CANDIDATES).collect()
}

/// Where text that ends like the excerpt ends.
fn places(text: &str, bottom: &str) -> Vec<usize> {
    if bottom.trim().is_empty() {
        return vec![text.len()];
    }
    text.match_indices(bottom).map(|(at, _)| at + bottom.len()).take(CANDIDATES).collect()
}

fn is_telling(text: &str) -> bool {
    text.chars().filter(|c| !c.is_whitespace()).take(TELLING).count() == TELLING
}

/// Bytes that both begin with, whole characters.
fn common_start(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// Bytes that both end with, whole characters.
fn common_end(one: &str, other: &str) -> usize {
    let same = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `$0` marks the cursor.
    fn excerpt(text: &str) -> Excerpt {
        let (prefix, suffix) = text.split_once("$0").expect("a cursor");
        Excerpt { prefix: prefix.into(), suffix: suffix.into(), path: None }
    }

    /// A file of functions that look alike.
    fn functions(count: usize) -> String {
        let function =
            |i| format!("fn number_{i}() -> u32 {{\n    let value = {i};\n    value\n}}\n\n");
        (0..count).map(function).collect()
    }

    fn found(text: &str, excerpt: &Excerpt) -> Option<(String, usize)> {
        let found = exact(text, excerpt).or_else(|| near(text, excerpt))?;
        Some(found.text(text, excerpt))
    }

    #[test]
    fn an_excerpt_is_found_where_it_stands() {
        let text = functions(20);
        let at = text.find("let value = 7;").unwrap();
        let (from, to) = (text.find("fn number_6").unwrap(), text.find("fn number_9").unwrap());
        let part =
            Excerpt { prefix: text[from..at].into(), suffix: text[at..to].into(), path: None };
        assert_eq!(exact(&text, &part), Some(Found { bytes: from..to, exact: true }));
        assert_eq!(found(&text, &part), Some((text.clone(), at)));
    }

    #[test]
    fn a_key_or_a_suggestion_ahead_of_the_text_is_put_into_it() {
        let before = functions(20);
        let (from, to) = (before.find("fn number_6").unwrap(), before.find("fn number_9").unwrap());
        let accepted = "    let more = value;\n    if more > 3 {\n        return 4;\n    }\n";
        for typed in ["x", "\n    ", accepted, "é🦀"] {
            let at = before.find("    value\n}\n\nfn number_8").unwrap();
            let after = format!("{}{typed}{}", &before[..at], &before[at..]);
            let prefix = format!("{}{typed}", &before[from..at]);
            let part = Excerpt { prefix, suffix: before[at..to].into(), path: None };
            assert_eq!(exact(&before, &part), None, "{typed:?}");
            assert_eq!(found(&before, &part), Some((after.clone(), at + typed.len())), "{typed:?}");
            // Taken back again, the text is ahead.
            let part = Excerpt {
                prefix: before[from..at].into(),
                suffix: before[at..to].into(),
                path: None,
            };
            assert_eq!(found(&after, &part), Some((before.clone(), at)), "{typed:?}");
        }
    }

    #[test]
    fn a_small_file_is_followed_from_its_first_letters() {
        for (before, now) in [
            ("", "$0"),
            ("let x", "let x $0"),
            ("fn main() {\n    le\n}\n", "fn main() {\n    let$0\n}\n"),
            ("fn main() {}\n", "fn main() {$0}\n"),
        ] {
            let part = excerpt(now);
            assert_eq!(found(before, &part), Some((part.whole(), part.prefix.len())), "{now}");
        }
    }

    #[test]
    fn another_file_is_none_however_it_begins() {
        let licence = "// Copyright\n// Licence\n// Author\n";
        let text = format!("{licence}{}", functions(3));
        assert_eq!(found(&text, &excerpt(&format!("{licence}struct A;$0\nstruct B;\n"))), None);
        assert_eq!(found(&text, &excerpt("$0")), None);
        assert_eq!(found(&text, &excerpt("}\n\n$0")), None);
        assert_eq!(found("", &excerpt("let x$0")), None);
        assert_eq!(found(&functions(40), &excerpt(&format!("{}$0", &functions(1)[..30]))), None);
    }
}
