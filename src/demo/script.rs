//! A text with marks → what a typist does, key by key. Pure.
//!
//! In: a file as it should become, in which each `«…»` is a passage that is typed, in the order of
//! the numbers that they may begin with (`«2:…»`), else in that of the file. Within a passage:
//!
//! | mark | the typist |
//! |---|---|
//! | `¦` | looks up, and takes the suggestion if it is what was to be typed |
//! | `┆` | looks up, and takes only its first word |
//! | `‹…›` | mistypes this and takes it back by backspaces |
//! | `⟨…⟩` | types this, thinks better of it and undoes it |
//! | `⟦…⟧` | pastes this |
//!
//! Out: the text to start from, and for each moment the next [`Stroke`]. Whether a suggestion is
//! taken is decided by comparing it with the text that is to be typed, and by nothing else.
//! Refuses: marks that do not pair, by ending a passage at the end of the file.

use std::ops::Range;

use crate::client::{Item, Stroke};

/// One level of indentation.
const LEVEL: &str = "    ";
/// Shorter agreement is not worth a key.
const WORTH: usize = 3;

/// A file and what is typed into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text before anything is typed.
    pub start: String,
    /// In the order in which they stand in the file.
    pub passages: Vec<Passage>,
}

/// One uninterrupted piece of typing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its turn; equal ones in the order of the files, and in the file.
    pub turn: u32,
    /// What stands there in the end.
    pub target: String,
    /// Where it begins: bytes into the text at the start.
    begins: usize,
    /// Where the typist looks up, bytes into the target.
    looks: Vec<usize>,
    /// Where he takes one word.
    words: Vec<usize>,
    /// What is typed and taken back, and where.
    slips: Vec<(usize, Slip)>,
    /// What is pasted, bytes of the target.
    pastes: Vec<Range<usize>>,
}

/// Something that does not stay.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slip {
    text: String,
    /// By undo, not by backspaces.
    undone: bool,
}

impl Script {
    /// Reads the marks.
    pub fn parse(marked: &str) -> Script {
        let mut script = Script { start: String::new(), passages: Vec::new() };
        let mut pieces = marked.split('«');
        script.start.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (inside, behind) = piece.split_once('»').unwrap_or((piece, ""));
            // One without a number belongs to the one before.
            let turn = script.passages.last().map_or(0, |passage| passage.turn);
            let (turn, inside) = numbered(inside).unwrap_or((turn, inside));
            script.passages.push(Passage::parse(script.start.len(), turn, inside));
            script.start.push_str(behind);
        }
        script
    }

    /// Where a passage begins when these have been typed: bytes into the text as it is then.
    pub fn place(&self, passage: usize, typed: &[usize]) -> usize {
        let before = typed.iter().filter(|&&other| other < passage);
        let grown: usize = before.map(|&other| self.passages[other].target.len()).sum();
        self.passages[passage].begins + grown
    }

    /// Characters that are to be typed.
    pub fn characters(&self) -> usize {
        self.passages.iter().map(|passage| passage.target.chars().count()).sum()
    }
}

/// The passages of several files in the order of typing, each as (file, passage).
pub fn turns<'s>(scripts: impl IntoIterator<Item = &'s Script>) -> Vec<(usize, usize)> {
    let mut turns = Vec::new();
    for (file, script) in scripts.into_iter().enumerate() {
        turns.extend(script.passages.iter().enumerate().map(|(n, p)| (p.turn, file, n)));
    }
    turns.sort_unstable();
    turns.into_iter().map(|(_, file, passage)| (file, passage)).collect()
}

/// A passage's number and the rest of it, if it has one.
fn numbered(inside: &str) -> Option<(u32, &str)> {
    let (number, rest) = inside.split_once(':')?;
    Some((number.parse().ok()?, rest))
}

impl Passage {
    fn parse(begins: usize, turn: u32, marked: &str) -> Passage {
        let mut passage = Passage { begins, turn, ..Passage::default() };
        let mut rest = marked;
        while let Some(at) = rest.find(['¦', '┆', '‹', '⟨', '⟦']) {
            passage.target.push_str(&rest[..at]);
            let place = passage.target.len();
            let mut behind = rest[at..].chars();
            let mark = behind.next();
            rest = behind.as_str();
            match mark {
                Some('‹') => {
                    let text = up_to('›', &mut rest).to_owned();
                    passage.slips.push((place, Slip { text, undone: false }));
                }
                Some('⟨') => {
                    let text = up_to('⟩', &mut rest).to_owned();
                    passage.slips.push((place, Slip { text, undone: true }));
                }
                Some('⟦') => {
                    passage.target.push_str(up_to('⟧', &mut rest));
                    passage.pastes.push(place..passage.target.len());
                }
                Some('┆') => passage.words.push(place),
                _ => passage.looks.push(place),
            }
        }
        passage.target.push_str(rest);
        passage
    }
}

/// What stands before the mark, which `rest` is moved behind.
fn up_to<'m>(mark: char, rest: &mut &'m str) -> &'m str {
    let (inside, behind) = rest.split_once(mark).unwrap_or((*rest, ""));
    *rest = behind;
    inside
}

/// Somebody typing a passage.
#[derive(Clone)]
pub struct Typist<'p> {
    passage: &'p Passage,
    /// Slips up to here are made.
    slips_made: usize,
    /// Keys of a slip that are still to be pressed, the last one first.
    slipping: Vec<Stroke>,
    /// Everything from here on is to be undone, bytes into the target.
    undoing: Option<usize>,
}

impl<'p> Typist<'p> {
    /// Somebody with the cursor at the passage's place.
    pub fn new(passage: &'p Passage) -> Typist<'p> {
        Typist { passage, slips_made: 0, slipping: Vec::new(), undoing: None }
    }

    /// Does he look up here, and wait a moment for a suggestion?
    pub fn looks(&self, typed: &str) -> bool {
        let here = &typed.len();
        let idle = self.slipping.is_empty() && self.undoing.is_none();
        idle && (self.passage.looks.contains(here) || self.passage.words.contains(here))
    }

    /// The next key, given what stands there so far and the suggestion with its ghost text;
    /// `None` when everything is typed.
    pub fn next(&mut self, typed: &str, suggestion: Option<(&Item, &str)>) -> Option<Stroke> {
        if let Some(stroke) = self.slipping.pop() {
            return Some(stroke);
        }
        self.undoing = self.undoing.filter(|&place| typed.len() > place);
        if self.undoing.is_some() {
            return Some(Stroke::Undo);
        }
        let target = self.passage.target.as_str();
        let Some(rest) = target.strip_prefix(typed) else {
            return Some(after_indent(typed, target));
        };
        let next = rest.chars().next()?;
        if let Some(suggestion) = suggestion
            && let Some(stroke) = self.take(typed.len(), rest, suggestion)
        {
            return Some(stroke);
        }
        if let Some(slip) = self.slip(typed.len()) {
            let keys: Vec<Stroke> = slip.text.chars().map(Stroke::Type).collect();
            match slip.undone {
                true => self.undoing = Some(typed.len()),
                false => self.slipping = vec![Stroke::Backspace; keys.len()],
            }
            self.slipping.extend(keys.into_iter().rev());
            return self.slipping.pop();
        }
        if let Some(paste) = self.passage.pastes.iter().find(|paste| paste.start == typed.len()) {
            return Some(Stroke::Paste(target[paste.clone()].to_owned()));
        }
        let blank = line_of(typed).chars().all(|c| c == ' ');
        Some(match next {
            '\n' => Stroke::Newline,
            ' ' if blank && rest.starts_with(LEVEL) => Stroke::Tab,
            c => Stroke::Type(c),
        })
    }

    /// Takes the suggestion, if here is a place to look at one and it is right.
    fn take(&self, place: usize, rest: &str, (item, ghost): (&Item, &str)) -> Option<Stroke> {
        if self.passage.words.contains(&place) {
            return accept_word(ghost, rest);
        }
        self.passage.looks.contains(&place).then(|| accept(item, ghost, rest))?
    }

    /// The slip that is due at this place.
    fn slip(&mut self, place: usize) -> Option<&'p Slip> {
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
    let same = target.floor_char_boundary(same);
    match target[same..].chars().next() {
        Some('\n') => Stroke::Newline,
        // A closer takes one level back by itself, and no more.
        Some(closer @ ('}' | ')' | ']')) if &typed[same..] == LEVEL => Stroke::Type(closer),
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

/// Takes the suggestion's first word, with the blanks and signs before it, if that is right.
fn accept_word(ghost: &str, rest: &str) -> Option<Stroke> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let start = ghost.find(word).filter(|&start| !ghost[..start].contains('\n'))?;
    let length = ghost[start..].find(|c| !word(c)).unwrap_or(ghost.len() - start);
    let taken = &ghost[..start + length];
    agrees(taken, rest).then(|| Stroke::AcceptPart(taken.to_owned()))
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
        let (mut keys, mut done) = (String::new(), Vec::new());
        for (_, number) in turns([&script]) {
            let at = script.place(number, &done);
            done.push(number);
            buffer.press(&Stroke::Jump(at));
            let mut typist = Typist::new(&script.passages[number]);
            let item =
                Item { insert_text: ghost.into(), filter_text: None, range: None, command: None };
            loop {
                let typed = buffer.text()[at..buffer.cursor()].to_owned();
                let Some(stroke) = typist.next(&typed, Some((&item, ghost))) else { break };
                buffer.press(&stroke);
                keys.push(match stroke {
                    Stroke::Type(c) => c,
                    Stroke::Tab => '→',
                    Stroke::Newline => '↵',
                    Stroke::Backspace => '←',
                    Stroke::Accept(_) => '✓',
                    Stroke::AcceptPart(_) => '½',
                    Stroke::Paste(_) => '▣',
                    Stroke::Undo => '↶',
                    Stroke::Delete | Stroke::Jump(_) => '?',
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
    fn a_closer_two_levels_back_is_typed_after_a_backspace() {
        let (keys, text) = play("f {«\n    a\n        .b\n}»", "-");
        assert_eq!((keys.as_str(), text.as_str()), ("↵a↵→.b↵←}", "f {\n    a\n        .b\n}"));
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

    #[test]
    fn a_word_of_a_suggestion_is_taken_where_the_script_wants_one() {
        assert_eq!(play("«let a┆ = foo(b);»", " = foo(c);").0, "let a½(b);");
        assert_eq!(play("«let a┆ = food;»", " = foo(c);").0, "let a = food;");
        assert_eq!(play("«let a┆ = b;»", " = b;").0, "let a = b;");
        assert_eq!(play("«a┆\nlong»", "\nlong").0, "a↵long");
    }

    #[test]
    fn what_is_undone_is_typed_again_where_the_undo_took_more() {
        let (keys, text) = play("«let ⟨old = 1;⟩new;»", "-");
        assert_eq!((keys.as_str(), text.as_str()), ("let old = 1;↶↶↶↶↶↶new;", "let new;"));
        let (keys, text) = play("«a⟨bc⟩d»", "-");
        assert_eq!((keys.as_str(), text.as_str()), ("abc↶ad", "ad"));
    }

    #[test]
    fn a_paste_is_one_key_and_stands_as_it_is() {
        let (keys, text) = play("fn f() {«\n    a⟦ = {\n  b }⟧;»", "-");
        assert_eq!((keys.as_str(), text.as_str()), ("↵a▣;", "fn f() {\n    a = {\n  b };"));
    }

    #[test]
    fn passages_are_typed_in_their_turn_also_across_files() {
        let (keys, text) = play("a «2:two» b «1:one» c «3:three» d", "-");
        assert_eq!(keys, "onetwothree");
        assert_eq!(text, "a two b one c three d");
        let (first, second) = (Script::parse("«1:a»«3:c»"), Script::parse("«2:b: d»«e»"));
        assert_eq!(turns([&first, &second]), [(0, 0), (1, 0), (1, 1), (0, 1)]);
        assert_eq!(second.passages[0].target, "b: d");
        assert_eq!((first.place(1, &[0]), first.place(1, &[])), (1, 0));
    }
}
