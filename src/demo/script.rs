//! A text with marks → what a typist does, key by key. Pure.
//!
//! In: a file as it should become, in which `«…»` is typed, one such passage after the other;
//! within a passage `¦` is a place where the typist looks up and takes the suggestion if it is
//! what was to be typed, and `‹…›` is typed by mistake and taken back. Out: the text to start
//! from, and for each moment the next [`Stroke`]. Whether a suggestion is taken is decided by
//! comparing it with the text that is to be typed, and by nothing else. Refuses: marks that do not
//! pair, by ending a passage at the end of the file.

use crate::client::{Item, Stroke};

/// Shorter agreement is not worth a key.
const WORTH: usize = 3;

/// A file and what is typed into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text before anything is typed.
    pub start: String,
    /// In the order of typing, which is the order in the file.
    pub passages: Vec<Passage>,
}

/// One uninterrupted piece of typing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Where it begins: bytes into the text as it is when everything before has been typed.
    pub at: usize,
    /// What stands there in the end.
    pub target: String,
    /// Where the typist looks up, bytes into the target.
    looks: Vec<usize>,
    /// What is mistyped, and where.
    slips: Vec<(usize, String)>,
}

impl Script {
    /// Reads the marks.
    pub fn parse(marked: &str) -> Script {
        let (mut start, mut passages, mut typed) = (String::new(), Vec::new(), 0);
        let mut pieces = marked.split('«');
        start.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (inside, behind) = piece.split_once('»').unwrap_or((piece, ""));
            let passage = Passage::parse(start.len() + typed, inside);
            typed += passage.target.len();
            passages.push(passage);
            start.push_str(behind);
        }
        Script { start, passages }
    }

    /// Characters that are to be typed.
    pub fn characters(&self) -> usize {
        self.passages.iter().map(|passage| passage.target.chars().count()).sum()
    }
}

impl Passage {
    fn parse(at: usize, marked: &str) -> Passage {
        let mut passage = Passage { at, ..Passage::default() };
        let mut rest = marked;
        while let Some(mark) = rest.find(['¦', '‹']) {
            passage.target.push_str(&rest[..mark]);
            let place = passage.target.len();
            if let Some(behind) = rest[mark..].strip_prefix('¦') {
                passage.looks.push(place);
                rest = behind;
            } else {
                let slip = &rest[mark + '‹'.len_utf8()..];
                let (slip, behind) = slip.split_once('›').unwrap_or((slip, ""));
                passage.slips.push((place, slip.to_owned()));
                rest = behind;
            }
        }
        passage.target.push_str(rest);
        passage
    }
}

/// Somebody typing a passage.
pub struct Typist<'p> {
    passage: &'p Passage,
    /// Slips up to here are made.
    slips_made: usize,
    /// Keys of a slip that are still to be pressed, the last one first.
    slipping: Vec<Stroke>,
}

impl<'p> Typist<'p> {
    /// Somebody with the cursor at the passage's place.
    pub fn new(passage: &'p Passage) -> Typist<'p> {
        Typist { passage, slips_made: 0, slipping: Vec::new() }
    }

    /// The next key, given what stands there so far and the suggestion with its ghost text;
    /// `None` when everything is typed.
    pub fn next(&mut self, typed: &str, suggestion: Option<(&Item, &str)>) -> Option<Stroke> {
        if let Some(stroke) = self.slipping.pop() {
            return Some(stroke);
        }
        let target = self.passage.target.as_str();
        let Some(rest) = target.strip_prefix(typed) else {
            return Some(after_indent(typed, target));
        };
        let next = rest.chars().next()?;
        if self.passage.looks.contains(&typed.len())
            && let Some(stroke) = suggestion.and_then(|(item, ghost)| accept(item, ghost, rest))
        {
            return Some(stroke);
        }
        if let Some(slip) = self.slip(typed.len()) {
            let keys: Vec<Stroke> = slip.chars().map(Stroke::Type).collect();
            self.slipping = vec![Stroke::Backspace; keys.len()];
            self.slipping.extend(keys.into_iter().rev());
            return self.slipping.pop();
        }
        let blank = line_of(typed).chars().all(|c| c == ' ');
        Some(match next {
            '\n' => Stroke::Newline,
            ' ' if blank && rest.starts_with("    ") => Stroke::Tab,
            c => Stroke::Type(c),
        })
    }

    /// The slip that is due at this place.
    fn slip(&mut self, place: usize) -> Option<&'p str> {
        let passage = self.passage;
        while let Some((at, slip)) = passage.slips.get(self.slips_made) {
            if *at > place {
                return None;
            }
            self.slips_made += 1;
            if *at == place {
                return Some(slip);
            }
        }
        None
    }
}

/// The key that brings an automatic indentation back to what is wanted.
fn after_indent(typed: &str, target: &str) -> Stroke {
    let same = typed.bytes().zip(target.bytes()).take_while(|(a, b)| a == b).count();
    match target[target.floor_char_boundary(same)..].chars().next() {
        Some('\n') => Stroke::Newline,
        Some(closer @ ('}' | ')' | ']')) => Stroke::Type(closer),
        _ => Stroke::Backspace,
    }
}

/// Takes the suggestion if all of it is what comes next, else those of its first lines that are.
fn accept(item: &Item, ghost: &str, rest: &str) -> Option<Stroke> {
    let ends = ghost.match_indices('\n').map(|(at, _)| at).chain([ghost.len()]);
    let longest = ends.rev().find(|&end| agrees(&ghost[..end], rest))?;
    let taken = &ghost[..longest];
    Some(match longest == ghost.len() {
        true => Stroke::Accept(item.clone()),
        false => Stroke::AcceptPart(taken.to_owned()),
    })
}

fn agrees(text: &str, rest: &str) -> bool {
    let Some(behind) = rest.strip_prefix(text) else { return false };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let cuts_a_word = text.ends_with(word) && behind.starts_with(word);
    text.chars().filter(|c| !c.is_whitespace()).count() >= WORTH && !cuts_a_word
}

fn line_of(typed: &str) -> &str {
    &typed[typed.rfind('\n').map_or(0, |at| at + 1)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Buffer;

    /// Plays a script with one suggestion for ever; the keys, and the text at the end.
    fn play(marked: &str, ghost: &str) -> (String, String) {
        let script = Script::parse(marked);
        let mut buffer = Buffer::new(&script.start);
        let mut keys = String::new();
        for passage in &script.passages {
            buffer.press(&Stroke::Jump(passage.at));
            let mut typist = Typist::new(passage);
            let item =
                Item { insert_text: ghost.into(), filter_text: None, range: None, command: None };
            loop {
                let typed = buffer.text()[passage.at..buffer.cursor()].to_owned();
                let Some(stroke) = typist.next(&typed, Some((&item, ghost))) else { break };
                buffer.press(&stroke);
                keys.push(match stroke {
                    Stroke::Type(c) => c,
                    Stroke::Tab => '→',
                    Stroke::Newline => '↵',
                    Stroke::Backspace => '←',
                    Stroke::Accept(_) => '✓',
                    _ => '½',
                });
                assert!(keys.len() < 500, "it never ends: {keys}");
            }
        }
        (keys, buffer.text().to_owned())
    }

    #[test]
    fn the_text_becomes_what_the_script_says() {
        let (keys, text) =
            play("fn f() {«\n    a‹bc›\n\n    if x {\n        y\n    }\n}»\n«z»", "-");
        assert_eq!(text, "fn f() {\n    a\n\n    if x {\n        y\n    }\n}\nz");
        assert_eq!(keys, "↵abc←←↵↵if x {↵y↵}↵}z");
    }

    #[test]
    fn python_goes_back_by_backspace() {
        let (keys, text) = play("def f():«\n    if x:\n        y\n    z\n»", "-");
        assert_eq!(
            (keys.as_str(), text.as_str()),
            ("↵if x:↵y↵←z↵←", "def f():\n    if x:\n        y\n    z\n")
        );
    }

    #[test]
    fn a_suggestion_is_taken_only_where_it_is_looked_at_and_agrees() {
        assert_eq!(play("«let a¦ = 1;»", " = 1;").0, "let a✓");
        assert_eq!(play("«let a = 1;»", " = 1;").0, "let a = 1;");
        assert_eq!(play("«let a¦ = 1;»", " = 2;").0, "let a = 1;");
        assert_eq!(play("«let ¦abcd»", "abc").0, "let abcd");
        assert_eq!(play("«let a¦ = 1;\nb»", " = 1;\nc").0, "let a½↵b");
    }
}
