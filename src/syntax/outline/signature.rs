//! An item in one line: its signature, and what it says of its type.
//!
//! In: an item, the text around it and the comments in that. Out: short strings. How much is read
//! does not grow with an item's length.

use std::ops::Range;

use super::collect::Item;
use super::{Gives, Kind};
use crate::syntax::names::Mark;

/// The longest signature, in bytes.
pub const SIGNATURE: usize = 200;
/// The longest type, and the longest constant whose value is shown, in bytes.
const LINE: usize = 80;
/// How many comments and attributes may stand in an item's head.
const ASIDES: usize = 100;
/// How much is read of one piece of text, in bytes: many items may share it.
const READ: usize = 1024;

/// A text and its comments and attributes, in order.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub text: &'a str,
    pub asides: &'a [Range<usize>],
}

/// The head of an item; of a type also its parts.
pub struct Signature {
    head: String,
    parts: Vec<String>,
    /// The bracket that its parts stand in.
    opener: Option<char>,
    /// What follows them: the name of a C type.
    tail: String,
    is_full: bool,
}

impl Signature {
    /// Shows a field, or a function without a body, in its type's signature.
    pub fn add_part(&mut self, part: &Signature, item: &Item, source: Source) {
        let is_declared = item.kind() == Some(Kind::Function) && item.body.is_none();
        if item.kind() != Some(Kind::Field) && !is_declared || self.is_full {
            return;
        }
        // `int x, y;` is one part.
        if self.parts.last().is_some_and(|last| last.trim_end_matches([' ', ',', ';']) == part.head)
        {
            return;
        }
        let length: usize = self.parts.iter().map(|part| part.len()).sum();
        let around = self.head.len() + self.tail.len() + " {  } , …".len();
        if around + length + part.head.len() > SIGNATURE {
            self.is_full = true;
            return;
        }
        let rest = source.text[item.whole.end..].trim_start();
        let separator = if rest.starts_with(',') { ", " } else { "; " };
        self.parts.push(format!("{}{separator}", part.head));
    }

    pub fn into_text(self) -> String {
        let mut parts = self.parts.concat();
        let tail = match self.tail.as_str() {
            "" => String::new(),
            tail => format!(" {tail}"),
        };
        if parts.is_empty() {
            return self.head + &tail;
        }
        match self.is_full {
            true => parts.push('…'),
            false => parts.truncate(parts.len() - 2),
        }
        match self.opener {
            Some('{') => format!("{} {{ {parts} }}{tail}", self.head),
            _ => format!("{}: {parts}", self.head),
        }
    }
}

impl Source<'_> {
    pub fn signature(self, item: &Item, kind: Kind) -> Signature {
        let Range { start, end } = item.whole;
        let head_end = item.body.as_ref().map_or(end, |body| body.start);
        let is_value = matches!(kind, Kind::Constant | Kind::Field);
        let head = if item.mark == Mark::Attribute {
            self.text[item.name.clone()].to_owned()
        } else if is_value && end > head_end {
            let whole = self.collapsed(start..end, LINE + 1);
            match whole.len() <= LINE {
                true => whole,
                false => self.collapsed(start..head_end, SIGNATURE),
            }
        } else {
            self.collapsed(start..head_end, SIGNATURE)
        };
        let opener = item.body.as_ref().and_then(|body| self.text[body.start..].chars().next());
        let tail = match (kind, &item.body) {
            (Kind::Type, Some(body)) => self.collapsed(body.end..end, LINE),
            _ => String::new(),
        };
        let tail = shortened(trimmed(&tail), LINE);
        let head = shortened(trimmed(&head), SIGNATURE - tail.len());
        Signature { head, parts: Vec::new(), opener, tail, is_full: false }
    }

    /// The text without comments and attributes, each run of white space one space; a little more
    /// than `limit` bytes at most.
    fn collapsed(self, range: Range<usize>, limit: usize) -> String {
        let mut out = String::new();
        let mut at = range.start;
        let first = self.asides.partition_point(|aside| aside.start < at);
        let inside =
            self.asides[first..].iter().cloned().take_while(|aside| aside.start < range.end);
        for aside in inside.take(ASIDES).chain(std::iter::once(range.end..range.end)) {
            let code = self.text.get(at..aside.start).unwrap_or_default();
            for word in start_of(code).split_whitespace() {
                push(&mut out, word);
                if out.len() > limit {
                    return shortened(&out, limit + 1);
                }
            }
            at = at.max(aside.end);
        }
        out
    }

    /// What a call of an item gives, or what it is. `method` is the one that an attribute is set in:
    /// `self.shop = shop` says what the parameter says.
    pub fn gives(self, item: &Item, method: Option<&Item>) -> Option<Gives> {
        if let Some(of) = item.r#type.clone() {
            let of = self.collapsed(of, LINE);
            let of = of.trim_start_matches("->").trim_start_matches([':', ' ']);
            return Some(Gives::Type(shortened(of, LINE)));
        }
        let is_value = item.mark == Mark::Attribute
            || matches!(item.kind(), Some(Kind::Constant | Kind::Field));
        let value = self.collapsed(item.value.clone().filter(|_| is_value)?, LINE);
        let parameter = method.and_then(|method| {
            let head = method.start..method.body.as_ref()?.start;
            typed(start_of(&self.text[head]), &value)
        });
        let value = || Gives::Value(shortened(&value, LINE));
        Some(parameter.map_or_else(value, |of| Gives::Type(shortened(of, LINE))))
    }
}

/// The type that a function's head gives a parameter: `Shop` for `shop` in `f(self, shop: Shop = None)`.
fn typed<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let name = Some(name).filter(|name| !name.is_empty() && is_name(name))?;
    let mut found = head.match_indices(name).filter(|(at, _)| {
        head[..*at].ends_with(|c: char| c.is_whitespace() || matches!(c, '(' | ','))
    });
    let of = found.find_map(|(at, _)| {
        head[at + name.len()..].trim_start().strip_prefix(':').map(str::trim_start)
    })?;
    let mut depth = 0_i32;
    let end = of.find(|c| {
        depth += i32::from(matches!(c, '[' | '<' | '(')) - i32::from(matches!(c, ']' | '>' | ')'));
        depth < 0 || depth == 0 && matches!(c, ',' | '=' | '\n')
    });
    Some(of[..end.unwrap_or(of.len())].trim_end())
}

fn start_of(text: &str) -> &str {
    &text[..text.floor_char_boundary(READ)]
}

/// Adds a word behind a space, except inside brackets: `f(`, `a,`, `)` becomes `f(a)`.
fn push(out: &mut String, word: &str) {
    if word.starts_with([')', ']']) {
        out.truncate(out.trim_end_matches(',').len());
    } else if !out.is_empty() && !out.ends_with(['(', '[']) {
        out.push(' ');
    }
    out.push_str(word);
}

/// The name of a type without what it is applied to and where it is: `&'a m::Foo<T>` is `Foo`.
pub fn bare(name: &str) -> &str {
    let name = name.trim_start_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let name = name.split(['<', '[']).next().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or_default();
    let name = name.rsplit(char::is_whitespace).next().unwrap_or_default();
    name.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

/// Without what leads to a body or ends a statement.
fn trimmed(head: &str) -> &str {
    let head = head.trim_end_matches([' ', '{', ':', '=', ';', ',']);
    head.strip_suffix("=>").map_or(head, str::trim_end)
}

/// At most `limit` bytes.
fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}
