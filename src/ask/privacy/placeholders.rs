//! What stands in a conversation where a secret stood.
//!
//! In: text with secrets. Out: text with [`Placeholders`] for them, the same for the same secret as long as
//! the conversation lasts, wherever it stands; and the way back, for edits. Refuses: to let a text pass
//! that only looks like a placeholder, which an edit would turn into somebody's secret.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Captures, Regex};

use super::secrets::{Secret, joined, secrets};

/// A shorter secret is replaced where it was found, and not wherever its letters occur; bytes.
const DISTINCT: usize = 8;
/// A line of a longer secret, as of a key, that is one on its own; bytes.
const LINE: usize = 24;
/// The rule of what looked like a placeholder before anything was replaced.
const QUOTED: &str = "quoted";

/// The secrets of one conversation. Never written anywhere.
#[derive(Clone, Default)]
pub struct Placeholders {
    /// Of each secret.
    names: BTreeMap<String, String>,
    /// Of each placeholder.
    secrets: BTreeMap<String, String>,
    /// Lines of secrets that have several, and their rules: half a key is one too.
    lines: BTreeMap<String, String>,
    /// How many there are of each rule.
    counts: BTreeMap<String, usize>,
}

/// A text that may be shown and sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redacted {
    pub text: String,
    pub found: Vec<Found>,
}

/// What was taken out of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// As the rules call it: `aws-access-token`.
    pub rule: String,
    /// Of the text as it was, from 0.
    pub line: usize,
    /// What stands there now: `[redacted: aws-access-token 1]`.
    pub placeholder: String,
}

/// The text with placeholders for its secrets: those that the rules find, and those that were found
/// before in other texts. Remove hidden characters first: they break secrets up.
pub fn redact(text: &str, placeholders: &mut Placeholders) -> Redacted {
    let new = placeholders.learned(text);
    let (mut shown, mut found, mut from, mut line) = (String::new(), Vec::new(), 0, 0);
    for Secret { range, rule } in placeholders.places(text, new) {
        let placeholder = placeholders.name(&text[range.clone()], &rule);
        let before = &text[from..range.start];
        line += before.matches('\n').count();
        shown.push_str(before);
        shown.push_str(&placeholder);
        found.push(Found { rule, line, placeholder });
        line += text[range.clone()].matches('\n').count();
        from = range.end;
    }
    shown.push_str(&text[from..]);
    Redacted { text: shown, found }
}

impl Placeholders {
    /// Gets to know the secrets of a text. Worth it for a whole file of which a part is sent: half a key,
    /// and a password away from its name, are known then.
    pub fn learn(&mut self, text: &str) {
        self.learned(text);
    }

    /// The same, and what the rules found.
    fn learned(&mut self, text: &str) -> Vec<Secret> {
        let all: Vec<Secret> = secrets(text).into_iter().chain(quoted(text)).collect();
        for secret in &all {
            let value = &text[secret.range.clone()];
            self.name(value, &secret.rule);
            if value.contains('\n') {
                let lines = value.lines().map(str::trim).filter(|line| line.len() >= LINE);
                let lines = lines.filter(|line| !line.contains("-----"));
                self.lines.extend(lines.map(|line| (line.to_owned(), secret.rule.clone())));
            }
        }
        all
    }

    /// The text with the secrets in the place of their placeholders. Others stay: see
    /// [`unknown`](Self::unknown).
    pub fn restore(&self, text: &str) -> String {
        let secret = |found: &Captures| {
            self.secrets.get(&found[0]).cloned().unwrap_or_else(|| found[0].to_owned())
        };
        expression().replace_all(text, secret).into_owned()
    }

    /// The placeholders of a text, in order.
    pub fn used<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        expression().find_iter(text).map(|found| found.as_str())
    }

    /// What looks like a placeholder in a text, and is none of this conversation.
    pub fn unknown<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.used(text).find(|placeholder| !self.secrets.contains_key(*placeholder))
    }

    /// The text with placeholders for the secrets that are known; no new ones are looked for.
    pub fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for Secret { range, .. } in self.places(text, Vec::new()).into_iter().rev() {
            let name = self.names.get(&text[range.clone()]);
            shown.replace_range(range, name.map_or("[redacted]", String::as_str));
        }
        shown
    }

    /// Where the known secrets of a text are, together with what the rules found in it.
    fn places(&self, text: &str, found: Vec<Secret>) -> Vec<Secret> {
        let long = |(secret, _): &(&String, &String)| secret.len() >= DISTINCT;
        let known: Vec<(&String, &String)> =
            self.names.iter().chain(&self.lines).filter(long).collect();
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(known.iter().map(|(secret, _)| secret.as_str()));
        // It fails for gigabytes only, which no text here has.
        let seen = search.iter().flat_map(|search| search.find_iter(text));
        let known = seen.map(|found| {
            let (secret, name) = known[found.pattern().as_usize()];
            let rule = match self.names.contains_key(secret) {
                // `[redacted: RULE 1]`
                true => name
                    .strip_prefix(START)
                    .and_then(|name| name.split(' ').next())
                    .unwrap_or_default(),
                false => name,
            };
            (Secret { range: found.range(), rule: rule.to_owned() }, false)
        });
        joined(found.into_iter().map(|secret| (secret, false)).chain(known).collect())
    }

    /// The placeholder of a secret, a new one if need be.
    fn name(&mut self, secret: &str, rule: &str) -> String {
        if let Some(name) = self.names.get(secret) {
            return name.clone();
        }
        let count = self.counts.entry(rule.to_owned()).or_default();
        *count += 1;
        let name = format!("{START}{rule} {count}]");
        self.names.insert(secret.to_owned(), name.clone());
        self.secrets.insert(name.clone(), secret.to_owned());
        name
    }
}

/// How a placeholder begins.
const START: &str = "[redacted: ";

fn expression() -> &'static Regex {
    static EXPRESSION: OnceLock<Regex> = OnceLock::new();
    // Cannot fail: a constant, which the tests compile.
    let compile = || Regex::new(r"\[redacted: [a-z0-9-]{1,60} [0-9]{1,9}\]").expect("a constant");
    EXPRESSION.get_or_init(compile)
}

/// What looks like a placeholder and stands in the file itself.
fn quoted(text: &str) -> impl Iterator<Item = Secret> {
    let secret = |range| Secret { range, rule: QUOTED.to_owned() };
    expression().find_iter(text).map(move |found| secret(found.range()))
}

impl fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Placeholders").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        format!("{}{}", "AKIA", "Q7RK2ZP4XW4LM7TY")
    }

    #[test]
    fn a_secret_has_one_placeholder_for_the_whole_conversation() {
        let (key, mut known) = (key(), Placeholders::default());
        let first = redact(&format!("let a = 1;\nlet key = \"{key}\";\n"), &mut known);
        assert_eq!(first.text, "let a = 1;\nlet key = \"[redacted: aws-access-token 1]\";\n");
        assert_eq!((first.found[0].line, first.found[0].rule.as_str()), (1, "aws-access-token"));
        let other = key.replace("Q7", "X7");
        let second = redact(&format!("{other} {key}"), &mut known);
        assert_eq!(second.text, "[redacted: aws-access-token 2] [redacted: aws-access-token 1]");
        assert_eq!(known.restore(&second.text), format!("{other} {key}"));
    }

    #[test]
    fn a_known_secret_is_replaced_where_no_rule_would_find_it() {
        let mut known = Placeholders::default();
        known.learn("db_password = \"tr0ub4dor&3\"");
        assert_eq!(
            redact("why is tr0ub4dor&3 refused?", &mut known).text,
            "why is [redacted: password 1] refused?"
        );
        assert_eq!(known.hide("tr0ub4dor&3"), "[redacted: password 1]");
    }

    #[test]
    fn a_line_of_a_known_key_is_a_secret() {
        let line = "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2Ka7Pe4U";
        let other: String = line.chars().rev().collect();
        let name = "PRIVATE KEY";
        let pem = format!("-----BEGIN {name}-----\n{line}\n{other}\n-----END {name}-----\n");
        let mut known = Placeholders::default();
        known.learn(&pem);
        let shown = redact(&format!("⋮\n{other}\n"), &mut known);
        assert_eq!(shown.text, "⋮\n[redacted: private-key 2]\n");
        assert_eq!(known.restore(&shown.text), format!("⋮\n{other}\n"));
    }

    #[test]
    fn what_only_looks_like_a_placeholder_never_becomes_a_secret() {
        let mut known = Placeholders::default();
        redact(&key(), &mut known);
        let text = "send(\"[redacted: aws-access-token 1]\")";
        let shown = redact(text, &mut known);
        assert_eq!(shown.text, "send(\"[redacted: quoted 1]\")");
        assert_eq!(known.restore(&shown.text), text);
    }

    #[test]
    fn a_placeholder_that_was_made_up_is_unknown() {
        let mut known = Placeholders::default();
        redact(&key(), &mut known);
        assert_eq!(known.unknown("[redacted: aws-access-token 1]"), None);
        assert_eq!(known.unknown("a [redacted: jwt 1]"), Some("[redacted: jwt 1]"));
        assert_eq!(known.restore("a [redacted: jwt 1]"), "a [redacted: jwt 1]");
    }

    #[test]
    fn secrets_are_in_no_debug_output() {
        let mut known = Placeholders::default();
        redact(&key(), &mut known);
        assert!(!format!("{known:?}").contains(&key()));
    }
}
