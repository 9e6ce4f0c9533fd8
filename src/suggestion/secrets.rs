//! Keys, tokens and hashes that the model made up, or remembers from somebody else's code.

use super::Around;

/// How a secret starts, and how many characters of its kind follow at least. A choice from the
/// default rules of gitleaks (`config/gitleaks.toml`, MIT): those that are told by their beginning.
const PREFIXES: [(&str, usize); 16] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("hf_", 34),
    ("npm_", 36),
    ("sk-", 20),
    ("sk_live_", 16),
    ("xoxb-", 20),
    ("eyJhbGciOi", 20),
];
/// How a private key starts (PEM), up to the kind of key.
const PEM: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY");
/// A literal from this length on may be a secret, characters.
const LITERAL: usize = 20;
/// Lengths of MD5, SHA-1 and SHA-256 in hex.
const DIGESTS: [usize; 3] = [32, 40, 64];
/// Digits that something random has at least.
const DIGITS: usize = 3;
/// Names of files are made of parts; in base64 one character in 32 looks as if it parted them, so
/// that one in so many leaves room.
const PARTS: usize = 16;
/// Bits a character has at least in something random. For hex it is detect-secrets' limit (Yelp);
/// for the rest its limit of 4.5 cannot be reached by 20 characters, of which 4.3 is the most.
const HEX_ENTROPY: f64 = 3.0;
const ENTROPY: f64 = 3.8;

/// Whether the text has, or completes, a secret that does not stand in the text around.
pub fn has_invented_secret(text: &str, around: Around) -> bool {
    let line_before = around.line_before();
    let joined = format!("{line_before}{text}");
    let invented = |(start, secret): (usize, &str)| {
        start + secret.len() > line_before.len()
            && ![around.before, around.rest_of_line, around.below]
                .iter()
                .any(|known| known.contains(secret))
    };
    runs(&joined).filter(|(start, run)| is_secret(&joined[..*start], run)).any(invented)
        || text.contains(PEM.0) && text.contains(PEM.1) && !around.before.contains(PEM.0)
}

/// The longest pieces of characters that secrets are made of, and where they start.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let of_secrets = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let pieces = text.split(move |c: char| !of_secrets(c)).filter(|run| !run.is_empty());
    pieces.map(|run| (run.as_ptr() as usize - text.as_ptr() as usize, run))
}

fn is_secret(before: &str, run: &str) -> bool {
    let prefixed = |(prefix, more): &(&str, usize)| {
        // `x=ghp_…`, and `key-ghp_…` too.
        let rest = run.split(['=', '/', '+']).find_map(|part| part.strip_prefix(prefix));
        // In capitals or mixed, and with digits: a name or a placeholder is not.
        let has = |rest: &str, test: fn(char) -> bool| rest.contains(test);
        rest.is_some_and(|rest| {
            rest.len() >= *more
                && has(rest, |c| c.is_ascii_uppercase())
                && has(rest, |c| c.is_ascii_digit())
        })
    };
    let literal = before.ends_with(['"', '\'', '`']) && run.len() >= LITERAL;
    PREFIXES.iter().any(prefixed) || literal && is_random(run)
}

fn is_random(literal: &str) -> bool {
    let has = |test: fn(&char) -> bool| literal.chars().any(|c| test(&c));
    let digits = literal.chars().filter(char::is_ascii_digit).count();
    let hex = literal.chars().all(|c| c.is_ascii_hexdigit());
    let entropy = entropy(literal);
    let parts = literal.matches(['-', '_', '/']).count();
    if digits < DIGITS || parts > literal.len() / PARTS || is_alphabet(literal) {
        return false;
    }
    match hex {
        true => {
            let letters = has(char::is_ascii_alphabetic);
            DIGESTS.contains(&literal.len()) && letters && entropy >= HEX_ENTROPY
        }
        false => {
            let mixed = has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase);
            mixed && entropy >= ENTROPY
        }
    }
}

/// `0123456789abcdef` has as many different characters as there can be, and is no secret.
fn is_alphabet(literal: &str) -> bool {
    let bytes = literal.as_bytes();
    let steps = bytes.windows(2).filter(|pair| pair[0].checked_add(1) == Some(pair[1])).count();
    steps * 2 > bytes.len()
}

/// Shannon's, in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
    }

    /// Put together here, so that no scanner takes this file for a leak.
    fn made_up() -> Vec<String> {
        let word = "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2Ka7Pe4U";
        vec![
            format!("{}{}", "AKIA", "Q7RK2ZP9XW4LM8TY"),
            format!("{}{}", "ghp_", &word[..36]),
            format!("{}{word}", "sk-"),
            format!("{}{word}", "sk-proj-"),
            word.to_owned(),
            word[..24].to_owned(),
            "9e107d9d372bb6826bd81d3542a419d6".to_owned(),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
        ]
    }

    #[test]
    fn invented_secrets_are_not_shown() {
        for secret in made_up() {
            check("let key = $0\n", &format!("\"{secret}\";"), "nothing");
            check("let key = \"$0\n", &format!("{secret}\";"), "nothing");
            let (start, end) = secret.split_at(6);
            check(&format!("let key = \"{start}$0\n"), &format!("{end}\";"), "nothing");
        }
        let pem = format!("\"-----BEGIN RSA {}-----\";", "PRIVATE KEY");
        check("let key = $0\n", &pem, "nothing");
    }

    #[test]
    fn those_that_stand_around_are() {
        for secret in made_up() {
            let text = format!("\"{secret}\";");
            check(&format!("let a = \"{secret}\";\nlet b = $0\n"), &text, &format!("{text}|"));
            check(&format!("let b = $0\n\nlet a = \"{secret}\";\n"), &text, &format!("{text}|"));
        }
    }

    #[test]
    fn names_paths_alphabets_and_numbers_are_none() {
        for text in [
            "\"application/x-www-form-urlencoded\";",
            "\"src/suggestion/extent2/lines10.rs\";",
            "\"MyComponentTestHelperForVersion2\";",
            "\"0123456789abcdef0123456789abcdef\";",
            "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\";",
            "\"00000000000000000000000000000000\";",
            "\"9e107d9d372bb6826bd81d35\";",
            "\"Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf\";",
            "\"Modules/xxlimited_352.so\";",
            "\"aaaaaaaaaaaaaaaa0000000000000000\";",
            "\"GGGGgggg1111HHHHgggg2222\";",
            "\"550e8400-e29b-41d4-a716-446655440000\";",
            "\"a long sentence with 20 characters or More\";",
            "\"sk-loading-indicator-small-2 sk-the-key-of-your-account-1\";",
            "sk_learn_version_10_or_something_like_it();",
            "0x9e107d9d372bb6826bd81d3542a419d6;",
        ] {
            check("let key = $0\n", text, &format!("{text}|"));
        }
    }
}
