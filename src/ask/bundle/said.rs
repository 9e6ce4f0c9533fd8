//! What a question or a message names. Pure.
//!
//! In: a person's words, or a compiler's. Out: names that look like code, other words that may mean
//! something, and places as stack traces write them. Refuses: words that every question has, and more
//! than a limit of each.

use std::collections::HashSet;

use crate::workspace::words;

/// Of a longer text only so much is read, bytes.
const LONGEST: usize = 32 * 1024;
/// Names, words and places each.
const MOST: usize = 64;

/// Words that say nothing about which file is meant.
const COMMON: &str = "the and for are was were this that these those with from into onto not but you your why what \
    when where which who how does did doing done has have had can could should would will shall may might must its \
    it is be been being of to in on at by as an or if so no yes do we us our they them their there here then than \
    some any all each every other another more most less very just also only even still now get gets got give gives \
    make makes made use used uses using want wants need needs please help fix fixed fixes change changed changes \
    return returns returned result results wrong right error errors fail fails failed failing bug bugs work works \
    working correct correctly incorrect incorrectly expected unexpected instead issue issues problem function method \
    class type value values code file files line lines test tests assert assertion actual called call calls after \
    before because about take takes took given due case cases new old true false none null self added add adds support allow allows allowed";

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Names that look like code, in order, each once.
    pub names: Vec<String>,
    /// Words, also those of names, without their endings, in order, each once; and as they are written.
    pub words: Vec<(String, String)>,
    /// Files as the text writes them, and lines (from 0) where it says so.
    pub places: Vec<(String, Option<u32>)>,
}

/// Reads a text.
pub fn said(text: &str) -> Said {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut said = Said { places: places(text), ..Said::default() };
    let common: HashSet<String> = COMMON.split_whitespace().map(stem).collect();
    let (mut seen, mut seen_words) = (HashSet::new(), HashSet::new());
    let plain = without_paths(text);
    for (number, piece) in plain.split('`').enumerate() {
        // Between two backticks.
        let quoted = number % 2 == 1 && piece.len() <= 200 && !piece.contains('\n');
        for (start, name) in with_starts(piece) {
            let before = piece[..start].chars().next_back();
            let after = piece[start + name.len()..].chars().next();
            let joined =
                before == Some('.') || piece[..start].ends_with("::") || after == Some('(');
            let is_name = (quoted || joined || is_compound(name)) && name.len() > 1;
            if is_name && said.names.len() < MOST && seen.insert(name.to_owned()) {
                said.names.push(name.to_owned());
            }
            for (word, written) in written_parts(name) {
                let fits = word.len() > 2 && !common.contains(&word);
                if fits && said.words.len() < MOST && seen_words.insert(word.clone()) {
                    said.words.push((word, written.to_owned()));
                }
            }
        }
    }
    said
}

/// The folders that a stack trace names say nothing of what it is about.
fn without_paths(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | ',');
    let pieces = text.split_inclusive(is_end).map(|piece| {
        let is_path = piece.contains(['/', '\\']) && !piece.starts_with(['/', '\\'])
            || piece.matches('/').count() > 1;
        match piece.chars().next_back().filter(|last| is_path && is_end(*last)) {
            Some(end) => end.to_string(),
            None if is_path => " ".to_owned(),
            None => piece.to_owned(),
        }
    });
    pieces.collect()
}

fn with_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    words::names(text).map(|name| (name.as_ptr() as usize - text.as_ptr() as usize, name))
}

/// `parse_line`, `parseLine`, `HTTPError`, `MAX`: no word of a sentence, which begins large at most.
fn is_compound(name: &str) -> bool {
    let inner = name.trim_matches('_');
    inner.contains('_') || name.starts_with('_') && inner.len() > 1 || {
        let mut letters = inner.chars();
        letters.next();
        letters.any(char::is_uppercase) && inner.len() > 2
    }
}

/// The words of a name, in small letters and without an ending: `parseLines` → `parse`, `line`.
pub fn parts(name: &str) -> impl Iterator<Item = String> + use<'_> {
    written_parts(name).map(|(word, _)| word)
}

/// The same with each as it is written.
pub fn written_parts(name: &str) -> impl Iterator<Item = (String, &str)> {
    name.split('_').flat_map(humps).map(|part| (stem(&part.to_lowercase()), part))
}

/// `HTTPError` → `HTTP`, `Error`.
fn humps(part: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = part.char_indices().collect();
    let mut cuts = vec![0];
    for at in 1..letters.len() {
        let (before, this) = (letters[at - 1].1, letters[at].1);
        let next_is_small = letters.get(at + 1).is_some_and(|next| next.1.is_lowercase());
        if this.is_uppercase() && (!before.is_uppercase() || next_is_small) {
            cuts.push(letters[at].0);
        }
    }
    cuts.push(part.len());
    cuts.windows(2).map(|cut| &part[cut[0]..cut[1]]).filter(|part| !part.is_empty()).collect()
}

/// A word without the endings that change most often, so that `parsing` is `parse` and `parses`.
fn stem(word: &str) -> String {
    let cut = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.len() > 2);
    let rest = cut("ing").or_else(|| cut("ed")).or_else(|| cut("es")).or_else(|| cut("s"));
    let rest = if word.ends_with("ss") { word } else { rest.unwrap_or(word) };
    rest.strip_suffix('e').filter(|rest| rest.len() > 2).unwrap_or(rest).to_owned()
}

/// `src/a.rs:12:3`, `File "a/b.py", line 12`, `a/b.ts`.
fn places(text: &str) -> Vec<(String, Option<u32>)> {
    let mut places = Vec::new();
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '\\' | '+');
    let mut rest = text;
    while let Some(start) = rest.find(is_path) {
        let end = rest[start..].find(|c| !is_path(c)).map_or(rest.len(), |end| start + end);
        let path = rest[start..end].trim_matches('.');
        rest = &rest[end..];
        let ends_like_a_file = path.rsplit_once('.').is_some_and(|(before, end)| {
            !before.is_empty()
                && (1..=4).contains(&end.len())
                && end.chars().all(char::is_alphabetic)
        });
        if !ends_like_a_file || places.len() == MOST {
            continue;
        }
        let after = rest.trim_start_matches(['"', '\'', '`', ',', ')', ' ']);
        let line = rest.strip_prefix(':').or_else(|| after.strip_prefix("line "));
        let digits = line.and_then(|line| line.split(|c: char| !c.is_ascii_digit()).next());
        let line = digits.and_then(|digits| digits.parse::<u32>().ok());
        let place = (path.replace('\\', "/"), line.map(|line| line.saturating_sub(1)));
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_words() {
        let said =
            said("Why does `open` of the HTTPServer give None after parse_lines(), not shop.sell?");
        assert_eq!(said.names, ["open", "HTTPServer", "parse_lines", "sell"]);
        let words: Vec<&str> = said.words.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(words, ["open", "http", "server", "pars", "shop", "sell"]);
    }

    #[test]
    fn the_places_of_stack_traces_are_read() {
        let text = "  File \"/app/shop/till.py\", line 12, in count\n  at src/main.rs:7:3\n see a/b.ts. e.g. 1.5";
        let expected =
            [("/app/shop/till.py", Some(11)), ("src/main.rs", Some(6)), ("a/b.ts", None)];
        let expected = expected.map(|(path, line)| (path.to_owned(), line));
        let found: Vec<_> = said(text).places.into_iter().filter(|it| it.0.len() > 3).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_words_of_a_name_are_the_same_in_every_spelling() {
        let all = |name| parts(name).collect::<Vec<_>>();
        assert_eq!(all("parse_lines"), all("ParseLine"));
        assert_eq!(all("HTTPError"), ["http", "error"]);
        assert_eq!(all("größeÄndern"), all("größe_ändern"));
    }
}
