//! Is an answer right, and what is wrong with it? Pure.
//!
//! In: generated or shown text and the row that it was made for. Out: plain facts. Refuses: nothing.
//! An answer is right when its first line completes the hidden line exactly, white space at the end
//! aside.

/// What delimits the parts of prompts and of conversations, for several families of models: none of it
/// is code.
const MARKERS: [&str; 18] = [
    "<|fim_",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|cursor|>",
    "<fim_prefix>",
    "<fim_suffix>",
    "<fim_middle>",
    "<file_sep>",
    "<repo_name>",
    "<PRE>",
    "<SUF>",
    "<MID>",
    "<EOT>",
    "<｜fim",
    "[INST]",
];
/// Letters and digits from which on a repeated line, and a repeated part of one, is no chance: `end`
/// and `i += 1` may well stand twice.
const REPEATED_LINE: usize = 4;
const REPEATED_PART: usize = 8;

/// A text up to its first line break.
pub fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// What is to be written at a cursor, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The hidden text, up to its line's end.
    pub hidden: &'a str,
    /// All that stands behind the cursor.
    pub after: &'a str,
    /// White space at the start does not count either, as the set has it.
    pub trimmed: bool,
}

impl Wanted<'_> {
    /// Is the model's text right? Models mostly repeat what stands right of the cursor: that is cut off.
    pub fn is_generated(self, text: &str) -> bool {
        let rest = first_line(self.after).trim_end();
        let line = first_line(text).trim_end();
        let answer = if rest.is_empty() { line } else { line.strip_suffix(rest).unwrap_or(line) };
        self.is(answer, self.hidden)
    }

    /// Is a suggestion right, which replaces so many bytes behind the cursor?
    pub fn is_shown(self, text: &str, replaces: usize) -> bool {
        if text.trim_end().contains('\n') {
            return self.is_generated(text);
        }
        let rest = first_line(self.after);
        let left = rest.get(replaces..).unwrap_or_default();
        self.is(&format!("{text}{left}"), &format!("{}{rest}", self.hidden))
    }

    fn is(self, answer: &str, wanted: &str) -> bool {
        let (answer, wanted) = (answer.trim_end(), wanted.trim_end());
        answer == wanted || self.trimmed && answer.trim_start() == wanted.trim_start()
    }
}

/// The identifier that a text begins with; empty for none.
pub fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_numeric()) { "" } else { &text[..end] }
}

/// All identifiers of a text, each with where it starts.
pub fn identifiers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut behind_word = false;
    text.char_indices().filter_map(move |(at, c)| {
        let begins = is_word(c) && !behind_word;
        behind_word = is_word(c);
        let name = if begins { identifier(&text[at..]) } else { "" };
        (!name.is_empty()).then_some((at, name))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The identifiers right behind a `.` or `::` that a suggestion writes, or the end of. `before` is the
/// cursor's line up to the cursor, `rest` what stands behind the suggestion. A range's `..` asks for no
/// member.
pub fn members(before: &str, shown: &str, rest: &str) -> Vec<String> {
    let line = format!("{before}{shown}{}", first_line(rest));
    let written = before.len()..before.len() + shown.len();
    let found = identifiers(&line).filter(|(at, name)| {
        let head = &line[..*at];
        let member = head.ends_with("::") || head.ends_with('.') && !head.ends_with("..");
        member && *at < written.end && at + name.len() > written.start
    });
    found.map(|(_, name)| name.to_owned()).collect()
}

/// Does a suggestion end with what follows it, so that it stands there twice? `follows` is what
/// stands behind what the suggestion replaces. It does when it ends with
/// - the rest of the cursor's line, if that has a letter or digit, or
/// - the first line of what follows, if that has at least 4 of them, or
/// - a beginning of what follows with at least 8 of them that is more than one name.
///
/// Blanks at either side do not count.
pub fn is_suffix_repeated(shown: &str, follows: &str) -> bool {
    let shown = shown.trim_end();
    let marks = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let rest = first_line(follows).trim();
    if marks(rest) > 0 && shown.ends_with(rest) {
        return true;
    }
    let follows = follows.trim_start();
    let line = first_line(follows).trim_end();
    let is_repetition = |text: &str| {
        let part = marks(text) >= REPEATED_PART && text.contains(|c| !is_word(c));
        part || text == line && marks(text) >= REPEATED_LINE
    };
    let ends = follows.char_indices().map(|(at, c)| at + c.len_utf8());
    // What follows can be long; no more of it can be repeated than was shown.
    let beginnings = ends.take_while(|end| *end <= shown.len()).map(|end| &follows[..end]);
    beginnings.filter(|text| shown.ends_with(text)).any(is_repetition)
}

/// A marker of prompts that is in a suggestion, unless the document has it too.
pub fn leaked(shown: &str, document: &str) -> Option<&'static str> {
    MARKERS.into_iter().find(|marker| shown.contains(marker) && !document.contains(marker))
}

/// Was half a character shown? Such bytes arrive as U+FFFD.
pub fn is_broken(shown: &str, document: &str) -> bool {
    shown.contains('\u{fffd}') && !document.contains('\u{fffd}')
}

/// How many pieces of a generated text it takes to show a beginning of it. Blanks do not count, since
/// a suggestion may be indented otherwise.
pub fn pieces_shown(pieces: &[String], shown: &str) -> usize {
    let marks = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let wanted = marks(shown);
    let mut so_far = 0;
    let enough = pieces.iter().position(|piece| {
        so_far += marks(piece);
        so_far >= wanted
    });
    match wanted {
        0 => 0,
        _ => enough.map_or(pieces.len(), |last| last + 1),
    }
}
