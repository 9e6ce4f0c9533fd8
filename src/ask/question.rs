//! What can be asked at a place in a document.
//!
//! In: the text around the cursor or a selection, and what the editor says is wrong there. Out:
//! [`Offer`]s, each with the title of its code action. Pure and instant: no model, no network, no file.

use std::ops::Range;

use super::bundle::Diagnostic;

/// Characters of a question that a title shows.
const TITLE: usize = 60;
/// Diagnostics that are offered at one place.
const MOST_DIAGNOSTICS: usize = 3;
/// What begins a comment in most languages that there is no grammar for.
const COMMENTS: [&str; 5] = ["//", "#", "--", ";", "%"];

/// What kind of answer is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An explanation.
    #[default]
    Ask,
    /// Why a compiler or linter complains.
    Why,
    /// Edits.
    Change,
}

impl Kind {
    /// What is asked where nobody said anything.
    pub fn usual_question(self) -> &'static str {
        match self {
            Kind::Ask => {
                "Explain what this does, how the rest of the code uses it, and what could be wrong with it."
            }
            Kind::Why => "Why does this happen, where is the cause, and how is it put right?",
            Kind::Change => "Put this right where it is wrong, with as few changes as it takes.",
        }
    }
}

/// Something that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub title: String,
    pub kind: Kind,
    /// Empty where the person has not said yet what it is.
    pub question: String,
    /// Bytes of the text that it is about.
    pub range: Range<usize>,
    /// The number of the diagnostic that it is about.
    pub diagnostic: Option<usize>,
}

/// What can be asked about these bytes of a text (empty at the cursor), with these diagnostics there.
/// `comment` is what begins a comment in the text's language, where that is known.
pub fn offers(
    text: &str,
    range: Range<usize>,
    comment: Option<&str>,
    diagnostics: &[Diagnostic],
) -> Vec<Offer> {
    let (start, end) = (floor(text, range.start), floor(text, range.end.max(range.start)));
    let mut offers = Vec::new();
    for (number, diagnostic) in diagnostics.iter().enumerate().take(MOST_DIAGNOSTICS) {
        let title = format!("Ask Claude: why this error: {}", short(&diagnostic.message));
        let (kind, range) = (Kind::Why, start..end);
        let (question, diagnostic) = (String::new(), Some(number));
        offers.push(Offer { title, kind, question, range, diagnostic });
    }
    let lines = line_start(text, start)..line_end(text, end);
    let mut at = lines.start;
    for line in text[lines].split_inclusive('\n') {
        if let Some((kind, question)) = asked(line, comment) {
            let title = match kind {
                Kind::Change => format!("Ask Claude to change: {}", short(question)),
                _ => format!("Ask Claude: {}", short(question)),
            };
            let (question, range) = (question.to_owned(), at..at + line.trim_end().len());
            offers.push(Offer { title, kind, question, range, diagnostic: None });
        }
        at += line.len();
    }
    let selected = !text[start..end].trim().is_empty();
    let about = match selected {
        true => Some(("this".to_owned(), start..end)),
        false => symbol(text, start).map(|it| (format!("`{}`", short(&text[it.clone()])), it)),
    };
    if let Some((name, range)) = about {
        for (kind, what) in [(Kind::Ask, "about"), (Kind::Change, "to change")] {
            // Without words for it, a change is only wanted of what was selected.
            if kind == Kind::Ask || selected {
                let title = format!("Ask Claude {what} {name}");
                let (question, range) = (String::new(), range.clone());
                offers.push(Offer { title, kind, question, range, diagnostic: None });
            }
        }
    }
    offers
}

/// The question that a line asks: behind a comment's beginning `?:` for an answer, `!:` for a change.
/// In a text of its own, such as an answer, also at the line's start.
pub fn asked<'t>(line: &'t str, comment: Option<&str>) -> Option<(Kind, &'t str)> {
    let known = comment.as_slice();
    let marks = if known.is_empty() { &COMMENTS[..] } else { known };
    let behind = marks.iter().filter_map(|mark| line.find(mark).map(|at| &line[at + mark.len()..]));
    let bare = comment.is_none().then_some(line);
    behind.chain(bare).find_map(|rest| {
        let rest = rest.trim_start();
        let (kind, rest) = match rest.strip_prefix("?:") {
            Some(rest) => (Kind::Ask, rest),
            None => (Kind::Change, rest.strip_prefix("!:")?),
        };
        let question = rest.trim().trim_end_matches("*/").trim_end();
        (!question.is_empty()).then_some((kind, question))
    })
}

/// The name at a byte, or just before it.
fn symbol(text: &str, at: usize) -> Option<Range<usize>> {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    let before: usize =
        text[..at].chars().rev().take_while(|c| of_name(*c)).map(char::len_utf8).sum();
    let after: usize = text[at..].chars().take_while(|c| of_name(*c)).map(char::len_utf8).sum();
    let name = at - before..at + after;
    (text[name.clone()].starts_with(|c: char| c.is_alphabetic() || c == '_')).then_some(name)
}

/// In one line, and not longer than a title can be.
fn short(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(TITLE) {
        words.truncate(cut);
        words.push('…');
    }
    words
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The titles at `$0`, or for the selection from `$0` to `$1`.
    fn titles(fixture: &str, comment: Option<&str>, messages: &[&str]) -> Vec<String> {
        let start = fixture.find("$0").expect("a cursor");
        let text = fixture.replacen("$0", "", 1);
        let end = text.find("$1").unwrap_or(start);
        let text = text.replacen("$1", "", 1);
        let diagnostic =
            |m: &&str| Diagnostic { message: (*m).to_owned(), ..Diagnostic::default() };
        let diagnostics: Vec<_> = messages.iter().map(diagnostic).collect();
        offers(&text, start..end, comment, &diagnostics).into_iter().map(|o| o.title).collect()
    }

    #[test]
    fn a_symbol_or_a_selection_can_be_asked_about() {
        let rust = Some("//");
        assert_eq!(titles("let x = par$0se(y);", rust, &[]), ["Ask Claude about `parse`"]);
        assert_eq!(titles("let x = parse$0(y);", rust, &[]), ["Ask Claude about `parse`"]);
        let both = ["Ask Claude about this", "Ask Claude to change this"];
        assert_eq!(titles("$0let x = parse(y);$1", rust, &[]), both);
        assert_eq!(titles("let x = $0 (y);", rust, &[]), [""; 0]);
        assert_eq!(titles("let x = 4$02;", rust, &[]), [""; 0]);
    }

    #[test]
    fn a_comment_asks_for_an_answer_or_a_change() {
        let why = "Ask Claude: why does this deadlock";
        assert_eq!(titles("$0// ?: why does this deadlock\n", Some("//"), &[]), [why]);
        assert_eq!(titles("lock();$0 # ?:why does this deadlock  \n", Some("#"), &[]), [why]);
        let change = "Ask Claude to change: use a map";
        assert_eq!(titles("$0  // !: use a map\n", Some("//"), &[]), [change]);
        assert_eq!(titles("$0# ?:\n", Some("#"), &[]), [""; 0]);
        assert_eq!(titles("a ?: b$0 ", Some("//"), &[]).len(), 1, "no comment: the symbol alone");
        // Where there is no grammar, and in an answer.
        assert_eq!(titles("$0-- ?: why does this deadlock\n", None, &[]), [why]);
        assert_eq!(titles("$0?: why does this deadlock\n", None, &[]), [why]);
    }

    #[test]
    fn each_error_can_be_asked_about_and_titles_stay_short() {
        let long = "x".repeat(200);
        let titles = titles("$0(", Some("//"), &["expected `;`,\n found `}`", &long, "c", "d"]);
        assert_eq!(titles.len(), MOST_DIAGNOSTICS);
        assert_eq!(titles[0], "Ask Claude: why this error: expected `;`, found `}`");
        assert!(titles[1].chars().count() < 100 && titles[1].ends_with('…'));
    }

    proptest! {
        #[test]
        fn any_text_and_any_place_will_do(
            text in "[ -~\n?:!/#é]{0,80}", start in 0_usize..90, end in 0_usize..90,
        ) {
            for offer in offers(&text, start..end, Some("//"), &[]) {
                prop_assert!(text.get(offer.range).is_some());
            }
        }
    }
}
