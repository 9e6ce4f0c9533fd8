//! What is said to a person, as every client shows it: plain.
//!
//! Some clients read a message as Markdown: VS Code runs the commands that a link in it names. Messages
//! repeat what others wrote (a setting of a workspace, a path of an answer), so none has a link.

/// The same words, with nothing in them that is a link.
pub fn plain(words: impl Into<String>) -> String {
    words.into().replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_has_a_link() {
        assert_eq!(plain("a [b](command:c) d"), "a [b] (command:c) d");
        assert_eq!(plain("a [b]](](c) d"), "a [b]] (] (c) d");
    }
}
