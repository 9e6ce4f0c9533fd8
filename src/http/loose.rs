//! Texts that are known only from what requests say of them: no editor has told of the document.
//!
//! In: an excerpt. Out: the document that it goes on with, as a name and a text. Each request adds what it
//! shows, so that the text's beginning stays where it is while a person types, and with it what the engine
//! has evaluated and what may be typed along. Refuses: to keep many or long ones.

use super::excerpt::Excerpt;
use super::place::{self, Found};

/// Documents remembered.
const MOST: usize = 8;
/// Bytes of one that are remembered; past that it begins anew.
const LONGEST: usize = 256 << 10;

/// What is remembered, the newest first.
#[derive(Default)]
pub struct Loose {
    texts: Vec<Text>,
    next: u64,
}

struct Text {
    document: String,
    path: Option<String>,
    text: String,
}

/// A place in such a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    /// Names the document.
    pub document: String,
    pub text: String,
    /// Bytes into the text.
    pub cursor: usize,
    /// Documents that are remembered no longer.
    pub forgotten: Vec<String>,
}

impl Loose {
    /// The document that an excerpt is of, with the excerpt in it.
    pub fn place(&mut self, excerpt: &Excerpt) -> Placed {
        let fits = |known: &Text| known.path.is_none() || known.path == excerpt.path;
        let look = |look: fn(&str, &Excerpt) -> Option<Found>| {
            let mut known = self.texts.iter().enumerate().filter(|(_, known)| fits(known));
            known.find_map(|(at, known)| Some((at, look(&known.text, excerpt)?)))
        };
        let found = look(place::exact).or_else(|| look(place::near));
        let mut forgotten = Vec::new();
        let (document, text, cursor) = match found {
            Some((at, found)) => {
                let known = self.texts.remove(at);
                let (text, cursor) = found.text(&known.text, excerpt);
                (known.document, text, cursor)
            }
            None => {
                self.next += 1;
                (format!("http:{}", self.next), excerpt.whole(), excerpt.prefix.len())
            }
        };
        let (text, cursor) = if text.len() > LONGEST {
            (excerpt.whole(), excerpt.prefix.len())
        } else {
            (text, cursor)
        };
        let path = excerpt.path.clone();
        self.texts.insert(0, Text { document: document.clone(), path, text: text.clone() });
        forgotten.extend(self.texts.drain(MOST.min(self.texts.len())..).map(|text| text.document));
        Placed { document, text, cursor, forgotten }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(prefix: &str, suffix: &str) -> Excerpt {
        Excerpt { prefix: prefix.into(), suffix: suffix.into(), path: None }
    }

    #[test]
    fn a_window_that_moves_along_stays_in_one_text() {
        let lines: Vec<String> = (0..60).map(|i| format!("let line_{i} = {i};\n")).collect();
        let mut loose = Loose::default();
        let first = loose.place(&excerpt(&lines[0..20].concat(), &lines[20..40].concat()));
        let typed = format!("{}x", lines[5..22].concat());
        let second = loose.place(&excerpt(&typed, &lines[22..40].concat()));
        assert_eq!(second.document, first.document);
        let all = format!("{}x{}", lines[..22].concat(), lines[22..40].concat());
        assert_eq!((second.text, second.cursor), (all, lines[..22].concat().len() + 1));
    }

    #[test]
    fn other_texts_and_other_files_are_other_documents() {
        let mut loose = Loose::default();
        let text = "the same forty letters and more, in two files that have names\n";
        let named = |path: &str| Excerpt { path: Some(path.into()), ..excerpt(text, "") };
        let first = loose.place(&named("a.rs")).document;
        assert_ne!(loose.place(&named("b.rs")).document, first);
        assert_ne!(loose.place(&excerpt("something else", "")).document, first);
        assert_eq!(loose.place(&named("a.rs")).document, first);
    }

    #[test]
    fn only_a_few_are_remembered() {
        let mut loose = Loose::default();
        let mut place = |i: usize| loose.place(&excerpt(&format!("{i}").repeat(30), ""));
        let first = place(1).document;
        let forgotten: Vec<String> = (2..=MOST + 1).flat_map(|i| place(i).forgotten).collect();
        assert_eq!(forgotten, [first]);
    }
}
