//! An answer that only can be read: opening it fetches nothing, and no click runs a command.
//!
//! In: Markdown from Claude, also as far as it has come. Out: Markdown in which an image is its own source,
//! as code; HTML is text; a link leads to the web or to a file of the workspace and says where, and each
//! other one is code. Code blocks stay as they are, but for hidden characters. Cannot fail, and refuses
//! nothing: what cannot be made harmless part by part is shown as code as a whole.
//!
//! What is harmless does not depend on one reading: the text is parsed with several sets of extensions,
//! and is done when none of them sees anything active. An answer that comes bit by bit is judged anew each
//! time, so what is shown is harmless at all times.

mod address;
#[cfg(test)]
mod tests;

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::ask::privacy::visible;
use address::{Address, address};

/// An answer of a person's day needs two rounds; one that is made to need many is shown as code.
const ROUNDS: usize = 10;

/// The Markdown without anything active.
pub fn inert(markdown: &str) -> String {
    let mut text = visible(markdown).0;
    for _ in 0..ROUNDS {
        let Some(changes) = readings().find_map(|options| changes(&text, options)) else {
            return text;
        };
        text = changed(&text, changes);
    }
    fenced(&text)
}

/// The ways in which an editor may read Markdown: plain, as most do, and with all there is.
fn readings() -> impl Iterator<Item = Options> {
    let usual = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let front = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    [Options::empty(), usual, usual | front, Options::all() - front, Options::all()].into_iter()
}

/// A change of the text: bytes, and what takes their place.
type Change = (Range<usize>, String);

/// What is active in one reading, and what is to stand there; `None` where nothing is.
fn changes(text: &str, options: Options) -> Option<Vec<Change>> {
    let parser = Parser::new_ext(text, options);
    let fence = fence(text);
    // They are not events. One that no link uses may be used by what comes next.
    let definitions = parser.reference_definitions().iter().map(|(_, found)| found.span.clone());
    let mut changes: Vec<Change> =
        definitions.filter_map(|span| escaped(text, span, '[', "&#91;")).collect();
    // The links that are open: where, to what, what they say.
    let mut links: Vec<(Range<usize>, LinkType, String, String)> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {
                changes.extend(escaped(text, range, '<', "&lt;"));
            }
            Event::Start(Tag::Image { .. }) => {
                changes.push((range.clone(), code(text, range, &fence)))
            }
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                links.push((range, link_type, dest_url.into_string(), String::new()));
            }
            Event::End(TagEnd::Link) => {
                if let Some((range, kind, to, says)) = links.pop() {
                    changes.extend(link(text, range, kind, &to, &says, &fence));
                }
            }
            Event::Text(said) | Event::Code(said) => {
                links.iter_mut().for_each(|link| link.3.push_str(&said));
            }
            _ => {}
        }
    }
    (!changes.is_empty()).then_some(changes)
}

/// What is to stand in the place of a link, if not itself.
fn link(
    text: &str,
    range: Range<usize>,
    kind: LinkType,
    to: &str,
    says: &str,
    fence: &str,
) -> Option<Change> {
    let (is_bare, is_mail) = (kind == LinkType::Autolink, kind == LinkType::Email);
    let new = match address(to) {
        // Its name says it.
        _ if is_mail => return None,
        Address::Web if is_bare || says == to => return None,
        Address::Inside => return None,
        // An address in sharp brackets says where it leads; an autolink has no other text.
        Address::Web => format!("{} (<{to}>)", label(text, &range, fence)?),
        Address::Other => code(text, range.clone(), fence),
    };
    Some((range, new))
}

/// What a link says, as it is written: from behind its first bracket to the one that closes it.
fn label(text: &str, range: &Range<usize>, fence: &str) -> Option<String> {
    let source = text.get(range.clone())?;
    let Some(inner) = source.strip_prefix('[') else {
        return Some(code(text, range.clone(), fence));
    };
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' if depth == 0 => return Some(inner[..at].to_owned()),
            ']' => depth -= 1,
            _ => {}
        }
    }
    Some(code(text, range.clone(), fence))
}

/// Backticks that are nowhere else in the text so many, so that they pair with nothing.
fn fence(text: &str) -> String {
    "`".repeat(longest_run(text, '`') + 1)
}

/// A part of the text as code.
fn code(text: &str, range: Range<usize>, fence: &str) -> String {
    let source = text.get(range.clone()).unwrap_or_default();
    let line: Vec<&str> = source.split_whitespace().collect();
    // Next to another backtick it would be a longer one, and behind a backslash a shorter one.
    let before = text[..range.start].ends_with(['`', '\\']);
    let after = text[range.end..].starts_with('`');
    let gap = |needed| if needed { " " } else { "" };
    format!("{}{fence} {} {fence}{}", gap(before), line.join(" "), gap(after))
}

/// A part of the text with a character written as an entity, which means nothing but itself; `None` where
/// it has none.
fn escaped(text: &str, range: Range<usize>, c: char, entity: &str) -> Option<Change> {
    let source = text.get(range.clone())?;
    source.contains(c).then(|| (range, source.replace(c, entity)))
}

/// The text with the changes, the outermost where one is inside another.
fn changed(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let (mut new, mut from) = (String::with_capacity(text.len()), 0);
    for (range, replacement) in changes {
        if range.start >= from {
            new.push_str(&text[from..range.start]);
            new.push_str(&replacement);
            from = range.end;
        }
    }
    new.push_str(&text[from..]);
    new
}

/// All of it as one block of code.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
    format!("{fence}\n{text}\n{fence}\n")
}

/// How many of a character follow each other at most.
fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c).map(str::len).max().unwrap_or(0)
}
