//! Decoding that knows the names: where one is being written, only some may be.
//!
//! In: the names, the text before, and tokens' bytes. Out: which tokens may come next. Pure. After
//! the name anything may come again.
//!
//! That masking a model's tokens at a dot by what a static analysis knows helps a small model most is
//! from "Monitor-Guided Decoding of Code LMs with Static Analysis of Repository Context" (Agrawal et
//! al., NeurIPS 2023).

/// A name on its way.
#[derive(Debug)]
pub struct Names<'a> {
    /// Sorted.
    names: &'a [String],
    /// As far as it is written.
    begun: Vec<u8>,
}

impl<'a> Names<'a> {
    /// The name that goes on where `text` ends must be one of `names`, which are sorted. `None` when
    /// there are none: then it may be any.
    pub fn new(names: &'a [String], text: &str) -> Option<Names<'a>> {
        let length = text.bytes().rev().take_while(|&byte| is_of_a_name(byte)).count();
        let begun = text.as_bytes()[text.len() - length..].to_vec();
        (!names.is_empty()).then_some(Names { names, begun })
    }

    /// May a token come, when `remains` is still to be forced? A token without bytes ends the answer.
    pub fn allow(&self, token: &[u8], remains: &[u8]) -> bool {
        match token.strip_prefix(remains) {
            Some([]) if !token.is_empty() => true,
            Some(more) => {
                let length = length(more);
                let name = [&self.begun, &more[..length]].concat();
                if length == more.len() && !token.is_empty() {
                    self.starts(&name)
                } else {
                    self.has(&name)
                }
            }
            None => !token.is_empty() && remains.starts_with(token),
        }
    }

    /// Takes the next token, which is [allowed](Self::allow); `true` when the name ends in it.
    pub fn take(&mut self, token: &[u8], remains: &[u8]) -> bool {
        let more = token.strip_prefix(remains).unwrap_or_default();
        let length = length(more);
        self.begun.extend_from_slice(&more[..length]);
        length < more.len()
    }

    fn has(&self, name: &[u8]) -> bool {
        self.names.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
    }

    fn starts(&self, name: &[u8]) -> bool {
        let at = self.names.partition_point(|known| known.as_bytes() < name);
        self.names.get(at).is_some_and(|known| known.as_bytes().starts_with(name))
    }
}

/// Bytes of a name at the beginning.
fn length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_of_a_name(byte)).count()
}

/// Letters beyond ASCII count whole.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["get", "get_all", "put"];

    /// Which of some tokens may come after some others, `.` being forced first.
    fn check(text: &str, before: &[&str], allowed: &[&str]) {
        let known = NAMES.map(String::from);
        let mut names = Names::new(&known, text).expect("some names");
        let mut remains: &[u8] = b".";
        for token in before {
            let token = token.as_bytes();
            assert!(names.allow(token, remains), "{before:?}");
            names.take(token, remains);
            remains = &remains[token.len().min(remains.len())..];
        }
        let tokens = [
            "", ".", ".g", ".get", ".go", ".get_", ".get(", ".ge(", "ge", "t", "t_all", "_", "(",
            "p", "_all", "_all()",
        ];
        let may = tokens.into_iter().filter(|token| names.allow(token.as_bytes(), remains));
        assert_eq!(may.collect::<Vec<_>>(), allowed, "{text:?} {before:?}");
    }

    #[test]
    fn a_token_goes_on_a_name_or_ends_one() {
        check("shop.", &[], &[".", ".g", ".get", ".get_", ".get("]);
        check("shop.", &["."], &["ge", "p"]);
        check("shop.", &[".", "ge"], &["t", "t_all"]);
        check(
            "shop.",
            &[".get"],
            &["", ".", ".g", ".get", ".go", ".get_", ".get(", ".ge(", "_", "(", "_all", "_all()"],
        );
    }

    #[test]
    fn what_is_written_already_counts() {
        let known = NAMES.map(String::from);
        let names = Names::new(&known, "shop.ge").expect("some names");
        assert!(names.allow(b"t", b"") && !names.allow(b"m", b"") && !names.allow(b"", b""));
        assert!(Names::new(&[], "shop.").is_none());
    }

    #[test]
    fn the_name_ends_with_what_is_of_no_name() {
        let known = NAMES.map(String::from);
        let mut names = Names::new(&known, "").expect("some names");
        assert!(!names.take(b".get", b"."));
        assert!(names.take(b"(", b""));
    }
}
