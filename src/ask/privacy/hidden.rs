//! Characters that one does not see: what they hide is for a program, not for a person.
//!
//! In: text. Out: the same without them. What counts: Unicode's `Default_Ignorable_Code_Point` (UAX #44:
//! zero-width characters, tags, fillers, variation selectors) and `Bidi_Control` ("Trojan Source",
//! CVE-2021-42574), and control characters but tab and line ends. Refuses: none; what joins an emoji
//! stays, and a byte order mark where a text begins.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

/// First what stays: pictures, one selector behind each, joined.
const HIDDEN: &str = r"(?x)
    (\p{Extended_Pictographic}\x{FE0F}?(?:\x{200D}\p{Extended_Pictographic}\x{FE0F}?)*)
    | [\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\x{FFF9}-\x{FFFB}&&[^\t\n\r]]+";

/// A text without hidden characters, and how many there were.
pub fn visible(text: &str) -> (String, usize) {
    let (mut shown, mut removed, mut from) = (String::with_capacity(text.len()), 0, 0);
    for range in hidden(text) {
        shown.push_str(&text[from..range.start]);
        removed += text[range.clone()].chars().count();
        from = range.end;
    }
    shown.push_str(&text[from..]);
    (shown, removed)
}

/// Where a text has hidden characters: bytes, in order.
pub fn hidden(text: &str) -> impl Iterator<Item = Range<usize>> {
    static EXPRESSION: OnceLock<Regex> = OnceLock::new();
    // Cannot fail: a constant, which the tests compile.
    let compile = || Regex::new(HIDDEN).expect("a constant");
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let all = EXPRESSION.get_or_init(compile).captures_iter(&text[start..]);
    let hidden = all.filter(|found| found.get(1).is_none()).filter_map(|found| found.get(0));
    hidden.map(move |found| found.start() + start..found.end() + start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_removed() {
        for c in [
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{200e}',
            '\u{200f}',
            '\u{61c}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{fe0f}',
            '\u{ad}',
            '\u{34f}',
            '\u{3164}',
            '\u{fff9}',
            '\u{180e}',
            '\u{1b}',
            '\u{0}',
            '\u{7f}',
            '\u{9b}',
            '\u{c}',
        ] {
            assert_eq!(visible(&format!("a{c}{c}b")), ("ab".to_owned(), 2), "{c:?}");
        }
    }

    #[test]
    fn what_is_seen_stays() {
        let text = "\u{feff}fn f() {\r\n\tlet é = \"日本 👩\u{200d}🚀 ❤\u{fe0f}\u{a0}→\";\n}\n";
        assert_eq!(visible(text), (text.to_owned(), 0));
    }

    #[test]
    fn an_emoji_carries_one_selector_and_no_letters() {
        let text = "😀\u{fe0f}\u{fe0f}\u{e0041}\u{200d}x";
        assert_eq!(visible(text), ("😀\u{fe0f}x".to_owned(), 3));
    }
}
