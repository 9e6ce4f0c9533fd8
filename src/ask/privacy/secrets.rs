//! Where the secrets of a text are.
//!
//! In: text. Out: ranges that do not overlap, each with the rule that found it. Refuses nothing: rather one
//! too many than one too few.

use std::ops::Range;

use super::rules::{Rule, rules};

/// A secret in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// Bytes.
    pub range: Range<usize>,
    /// What it is, as the rules call it: `aws-access-token`.
    pub rule: String,
}

/// The secrets of a text, in order, apart.
pub fn secrets(text: &str) -> Vec<Secret> {
    let rules = rules();
    let found = |rule: &Rule| -> Vec<(Secret, bool)> {
        let ranges = rules.found(rule, text).into_iter().map(|range| on_characters(text, range));
        let secret = |range| Secret { range, rule: rule.id.clone() };
        ranges.map(|range| (secret(range), rule.is_generic())).collect()
    };
    joined(rules.tried(text).flat_map(found).collect())
}

/// Overlapping ones become one, which is called as the first rule that is not generic calls it: those of
/// gitleaks come first.
pub(super) fn joined(mut found: Vec<(Secret, bool)>) -> Vec<Secret> {
    found.retain(|(secret, _)| !secret.range.is_empty());
    // Stable: rules in order where two start together.
    found.sort_by_key(|(secret, _)| secret.range.start);
    let mut joined: Vec<(Secret, bool)> = Vec::new();
    for (secret, generic) in found {
        match joined.last_mut() {
            Some((last, last_generic)) if secret.range.start < last.range.end => {
                last.range.end = last.range.end.max(secret.range.end);
                if *last_generic && !generic {
                    (last.rule, *last_generic) = (secret.rule, false);
                }
            }
            _ => joined.push((secret, generic)),
        }
    }
    joined.into_iter().map(|(secret, _)| secret).collect()
}

/// The range, on whole characters: the rules look at bytes.
fn on_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let start = (0..=range.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = (range.end..text.len()).find(|at| text.is_char_boundary(*at));
    start..end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no scanner takes this file for a leak.
    const WORD: &str = "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2Ka7Pe4U";

    fn check(text: &str, expect: &[(&str, &str)]) {
        let found = secrets(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|s| (s.rule.as_str(), &text[s.range.clone()])).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn tokens_are_found_by_their_beginning() {
        let aws = format!("{}{}", "AKIA", "Q7RK2ZP4XW4LM7TY");
        check(&format!("let key = \"{aws}\";"), &[("aws-access-token", &aws)]);
        let github = format!("{}{}", "ghp_", &WORD[..36]);
        check(&format!("// use {github} for now\n"), &[("github-pat", &github)]);
        let anthropic = format!("{}{WORD}", "sk-ant-api03-");
        check(&format!("see {anthropic}."), &[("token", &anthropic)]);
        let slack =
            format!("{}-{}-{}", "xoxb", "730191371696", "1413868247813-IG7Z8nYevC2hdviE3aJhb5kF");
        check(&format!("a {slack} b"), &[("slack-bot-token", &slack)]);
    }

    #[test]
    fn whole_private_keys_are_found_and_cut_ones_too() {
        let body = format!("{WORD}{WORD}\n").repeat(4);
        let begin = format!("-----BEGIN RSA {}-----\n", "PRIVATE KEY");
        let end = format!("-----END RSA {}-----", "PRIVATE KEY");
        check(
            &format!("a\n{begin}{body}{end}\nb"),
            &[("private-key", &format!("{begin}{body}{end}"))],
        );
        check(
            &format!("a\n{begin}{body}⋮\nb"),
            &[("private-key", format!("{begin}{body}").trim_end())],
        );
        check(&format!("a\n⋮\n{body}{end}\nb"), &[("private-key", &format!("{body}{end}"))]);
        let quoted = format!("\"{}\\n{}\"", begin.trim_end(), format!("{WORD}\\n").repeat(4));
        assert_eq!(secrets(&quoted).len(), 1, "{quoted}");
        check(&format!("// a line with {} starts a key\nfn f() {{}}\n", begin.trim_end()), &[]);
    }

    #[test]
    fn passwords_are_found_by_what_they_are_assigned_to() {
        let secret = "tr0ub4dor&3";
        check(&format!("postgres://admin:{secret}@db/x"), &[("url-password", secret)]);
        check(&format!("db_password = \"{secret}\""), &[("password", secret)]);
        check(&format!("{{\"apiKey\": \"{secret}\"}}"), &[("password", secret)]);
        check(&format!("ENV DB_PASSWORD={secret}\n"), &[("password", secret)]);
        let random = &WORD[..32];
        check(&format!("secret_token = '{random}'"), &[("password", random)]);
        check(&format!("MY_AUTH: {random}"), &[("generic-api-key", random)]);
    }

    #[test]
    fn names_and_what_is_filled_in_later_are_none() {
        for text in [
            "let password = settings.password.clone();",
            "password = \"password\"",
            "const TOKEN: &str = \"authorization\";",
            "let token = \"token_of_the_user\";",
            "postgres://user:${PASSWORD}@host/db",
            "postgres://user:password@host/db",
            "PASSWORD=$(cat file)",
            "let key = env::var(\"API_KEY\")?;",
            "fn api_key(&self) -> SecretString { self.key.clone() }",
            "see http://localhost:8080/a@b",
            "export API_KEY=\"your-api-key\"",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_finding_begins_and_ends_on_a_character() {
        let text = format!("éé password = \"ü{WORD}é\" é");
        let found = secrets(&text);
        assert!(!found.is_empty());
        for secret in found {
            assert!(text.get(secret.range).is_some());
        }
    }
}
