//! Where a link leads.
//!
//! In: an address, as Markdown means it: entities are characters already. Out: what kind it is. Refuses,
//! as [`Address::Other`], what is not plainly one of the two that are harmless.

/// A kind of address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Address {
    /// `http:`, `https:` or `mailto:`, of plain characters, which a link may show between sharp brackets.
    Web,
    /// A file beside the answer, or a heading in it.
    Inside,
    /// A command, a file anywhere, a share of another machine, or what may be one.
    Other,
}

/// What kind of address this is.
pub fn address(text: &str) -> Address {
    // Programs leave out or cut off other characters, and make another address of it.
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && !"<>\\`\"^{|}".contains(c));
    let lower = text.to_ascii_lowercase();
    let is_web = ["http://", "https://", "mailto:"].iter().any(|scheme| {
        lower
            .strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
    });
    match is_plain {
        true if is_web => Address::Web,
        // A user before the host makes another host of what one reads first; in a file it means nothing.
        true if is_inside(&lower) => Address::Inside,
        _ => Address::Other,
    }
}

/// Whether nothing in it can be a scheme or a host, written plainly or with `%`.
fn is_inside(text: &str) -> bool {
    let is_escaped = |c: char| text.contains(&format!("%{:02x}", u32::from(c)));
    !text.contains(':')
        && !text.starts_with("//")
        && ![':', '/', '\\', '%'].into_iter().any(is_escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_is_told_by_its_scheme() {
        for text in
            ["http://a.b/c?d=e#f", "HTTPS://A", "mailto:a@b.c", "http://[::1]/", "https://a/%41"]
        {
            assert_eq!(address(text), Address::Web, "{text}");
        }
    }

    #[test]
    fn a_file_or_a_heading_is_inside() {
        for text in ["src/a.rs", "#heading", "../a.rs#L10", "", "a.rs?x", "my%20file.rs"] {
            assert_eq!(address(text), Address::Inside, "{text}");
        }
    }

    #[test]
    fn all_else_is_other_in_whatever_writing() {
        for text in [
            "command:workbench.action.quit",
            "COMMAND:x",
            "vscode://a/b",
            "file:///etc/passwd",
            "javascript:alert(1)",
            " command:x",
            "\tcommand:x",
            "com\nmand:x",
            "command%3ax",
            "command%253Ax",
            "data:text/html,x",
            "//evil.example/x",
            "\\\\host\\share",
            "/\\host",
            "http:x",
            "http:///x",
            "https://",
            "http://a b",
            "http://a\u{202e}",
            "http://a/<b>",
            "ftp://a",
            "x:y",
            "a/b:c",
            "%2f%2fhost",
            "vscode-insiders:x",
            "zed://x",
            "http://é.example",
        ] {
            assert_eq!(address(text), Address::Other, "{text:?}");
        }
    }
}
