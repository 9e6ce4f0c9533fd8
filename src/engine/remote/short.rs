//! A shorter prompt, in text: what [`heads`](crate::engine::heads) are in tokens.
//!
//! In: a prompt, bytes. Out: the same place with less around it. Pure. Typing on in a line only appends to it.

use crate::prompt::Prompt;

/// About so many bytes of a prompt: three quarters before the cursor from a line's start, a quarter after it. The
/// middle stays, and nothing of other files does.
pub fn shorter(prompt: &Prompt, bytes: usize) -> Prompt {
    let after = prompt.suffix.floor_char_boundary(bytes / 4);
    let suffix = &prompt.suffix[..after];
    // A line that begins and does not end is of less use than none.
    let suffix = &suffix[..suffix.rfind('\n').map_or(suffix.len(), |end| end + 1)];
    // Without the line being typed, which grows: the rest must stay as it is.
    let lines = prompt.middle.rfind('\n').map_or(0, |end| end + 1);
    let before = (bytes - bytes / 4).saturating_sub(lines);
    let start = prompt.prefix.len().saturating_sub(before);
    let start = prompt.prefix.ceil_char_boundary(start);
    let is_line_start = start == 0 || prompt.prefix[..start].ends_with('\n');
    let prefix = &prompt.prefix[start..];
    let prefix = match prefix.find('\n') {
        Some(end) if !is_line_start && end < before / 2 => &prefix[end + 1..],
        _ => prefix,
    };
    Prompt {
        prefix: prefix.to_owned(),
        context: String::new(),
        suffix: suffix.to_owned(),
        middle: prompt.middle.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(middle: &str) -> Prompt {
        Prompt {
            prefix: "let aa = 1;\n".repeat(20),
            context: "// fn other()\n".into(),
            suffix: "\nlet zz = 2;\nlet yy = 3;\n".into(),
            middle: middle.into(),
        }
    }

    #[test]
    fn it_begins_and_ends_at_lines() {
        let short = shorter(&prompt("let b"), 80);
        assert_eq!(short.prefix, "let aa = 1;\n".repeat(5));
        assert_eq!(short.suffix, "\nlet zz = 2;\n");
        assert_eq!((short.middle.as_str(), short.context.as_str()), ("let b", ""));
    }

    #[test]
    fn typing_on_only_appends_to_it() {
        let (one, two) = (shorter(&prompt("let b"), 80), shorter(&prompt("let b = 1"), 80));
        assert_eq!(
            Prompt { middle: String::new(), ..one },
            Prompt { middle: String::new(), ..two }
        );
    }

    #[test]
    fn it_is_never_cut_within_a_character_nor_longer_than_what_there_is() {
        let prompt =
            Prompt { prefix: "é".repeat(100), suffix: "ü".repeat(100), ..Prompt::default() };
        for bytes in 0..300 {
            let short = shorter(&prompt, bytes);
            assert!(short.prefix.len() <= bytes && short.suffix.len() <= bytes / 4);
        }
        let all = self::prompt("");
        let whole = shorter(&all, 10_000);
        assert_eq!((whole.prefix, whole.suffix), (all.prefix, all.suffix));
    }
}
