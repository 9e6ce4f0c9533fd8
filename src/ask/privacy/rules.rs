//! What a secret looks like: the rules of gitleaks, a maintained set, as data, and a few of our own.
//!
//! In: `rules/gitleaks.toml`, as it comes, and `rules/own.toml` in the same form. Out: compiled [`Rule`]s.
//! Refuses: to leave any out but two of 222: `pkcs12-file`, which has no expression, and for whose files
//! [`super::Guard`] has names, and [`LEFT_OUT`]; and what rules say of paths, so that no path makes a secret
//! harmless.
//!
//! A newer `gitleaks.toml` replaces the file: it is `config/gitleaks.toml` in gitleaks' own repository,
//! and `default/gitleaks.toml` in the crate `rustleaks-core`. Then run the tests of this room: they
//! compile each rule and say what changed in number.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

const GITLEAKS: &str = include_str!("rules/gitleaks.toml");
const OWN: &str = include_str!("rules/own.toml");
/// In gitleaks for Terraform's files alone: elsewhere each `password = "password"` would be one. Our own
/// rule finds what is not a plain word.
const LEFT_OUT: &str = "hashicorp-tf-password";
/// Of a compiled expression, bytes. The largest of gitleaks' needs 2 MB.
const SIZE: usize = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    allowlist: Written,
    rules: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenRule {
    id: String,
    regex: Option<String>,
    #[serde(default)]
    secret_group: usize,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    allowlists: Vec<Written>,
}

/// An allow list as it is written.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    condition: String,
    regex_target: String,
    regexes: Vec<String>,
    stopwords: Vec<String>,
    paths: Vec<String>,
}

/// What one kind of secret looks like.
pub struct Rule {
    /// As a placeholder names it.
    pub id: String,
    expression: String,
    compiled: OnceLock<Compiled>,
    written: Vec<Written>,
    group: usize,
    /// It has no words to tell it by.
    always: bool,
    /// Bits a byte that it has more of; none where zero.
    entropy: f64,
}

struct Compiled {
    regex: Regex,
    allowed: Vec<Allowed>,
}

/// What a rule finds and is no secret.
struct Allowed {
    target: Target,
    regexes: RegexSet,
    stopwords: Option<AhoCorasick>,
    /// All that is there has to fit, not any.
    all: bool,
}

enum Target {
    Secret,
    Match,
    Line,
}

/// All rules, and the words without which a rule need not be tried.
pub struct Rules {
    rules: Vec<Rule>,
    allowed: Allowed,
    words: AhoCorasick,
    /// The rule of each word.
    of_word: Vec<usize>,
}

/// The rules of this build.
pub fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(Rules::load)
}

impl Rules {
    /// Cannot fail: the files are part of the program, and a test reads them.
    fn load() -> Rules {
        let read = |text| toml::from_str::<File>(text).expect("the rules are read in a test");
        let (gitleaks, own) = (read(GITLEAKS), read(OWN));
        let allowed = Allowed::new(&gitleaks.allowlist);
        let (mut rules, mut words, mut of_word) = (Vec::new(), Vec::new(), Vec::new());
        for rule in gitleaks.rules.into_iter().chain(own.rules) {
            let Some(expression) = rule.regex.filter(|_| rule.id != LEFT_OUT) else { continue };
            of_word.extend(rule.keywords.iter().map(|_| rules.len()));
            let always = rule.keywords.is_empty();
            words.extend(rule.keywords);
            rules.push(Rule {
                always,
                id: rule.id,
                expression: from_go(&expression),
                compiled: OnceLock::new(),
                written: rule.allowlists,
                group: rule.secret_group,
                entropy: rule.entropy,
            });
        }
        Rules { rules, allowed, words: any_case(&words), of_word }
    }

    /// The rules that may find something in a text, in order.
    pub fn tried(&self, text: &str) -> impl Iterator<Item = &Rule> {
        let mut tried: Vec<bool> = self.rules.iter().map(|rule| rule.always).collect();
        for word in self.words.find_overlapping_iter(text) {
            tried[self.of_word[word.pattern().as_usize()]] = true;
        }
        self.rules.iter().zip(tried).filter(|(_, tried)| *tried).map(|(rule, _)| rule)
    }

    /// What a rule finds in a text: bytes, apart, in order; perhaps inside a character that is not
    /// ASCII.
    pub fn found(&self, rule: &Rule, text: &str) -> Vec<std::ops::Range<usize>> {
        let compiled = rule.compiled();
        let mut found = Vec::new();
        for captures in compiled.regex.captures_iter(text.as_bytes()) {
            let Some(whole) = captures.get(0) else { continue };
            let group = match rule.group {
                // The first that took part and is not empty.
                0 => captures.iter().skip(1).flatten().find(|group| !group.is_empty()),
                group => captures.get(group),
            };
            let secret = group.unwrap_or(whole);
            let seen = Seen { text: text.as_bytes(), whole: whole.range(), secret: secret.range() };
            let mut allowed = compiled.allowed.iter().chain([&self.allowed]);
            let plain = rule.entropy > 0.0 && entropy(secret.as_bytes()) <= rule.entropy
                || rule.is_generic() && !secret.as_bytes().iter().any(u8::is_ascii_digit);
            if !plain && !allowed.any(|list| list.has(&seen)) {
                found.push(secret.range());
            }
        }
        found
    }
}

impl Rule {
    /// It goes by what a value is called: the name of a more particular rule says more.
    pub fn is_generic(&self) -> bool {
        self.id.starts_with("generic")
    }

    /// Cannot fail: a test compiles all.
    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| Compiled {
            regex: RegexBuilder::new(&self.expression)
                .unicode(false)
                .size_limit(SIZE)
                .build()
                // It cannot fail: a test compiles all.
                .expect("each rule is compiled in a test"),
            allowed: self.written.iter().map(Allowed::new).collect(),
        })
    }
}

/// What a rule found, and where.
struct Seen<'a> {
    text: &'a [u8],
    whole: std::ops::Range<usize>,
    secret: std::ops::Range<usize>,
}

impl Allowed {
    /// Cannot fail: a test compiles all.
    fn new(written: &Written) -> Allowed {
        let regexes = RegexSetBuilder::new(written.regexes.iter().map(|regex| from_go(regex)))
            .unicode(false)
            .size_limit(SIZE)
            .build()
            // It cannot fail: a test compiles all.
            .expect("each allow list is compiled in a test");
        let stopwords = &written.stopwords;
        Allowed {
            target: match written.regex_target.as_str() {
                "match" => Target::Match,
                "line" => Target::Line,
                _ => Target::Secret,
            },
            regexes,
            stopwords: (!stopwords.is_empty()).then(|| any_case(stopwords)),
            // A path that has to fit never does.
            all: written.condition == "AND" && !written.paths.is_empty(),
        }
    }

    fn has(&self, seen: &Seen) -> bool {
        if self.all {
            return false;
        }
        let line = || {
            let start = seen.text[..seen.whole.start].iter().rposition(|byte| *byte == b'\n');
            let end = seen.text[seen.whole.end..].iter().position(|byte| *byte == b'\n');
            let end = end.map_or(seen.text.len(), |at| seen.whole.end + at);
            &seen.text[start.map_or(0, |at| at + 1)..end]
        };
        let secret = &seen.text[seen.secret.clone()];
        let fits = !self.regexes.is_empty()
            && self.regexes.is_match(match self.target {
                Target::Secret => secret,
                Target::Match => &seen.text[seen.whole.clone()],
                Target::Line => line(),
            });
        fits || self.stopwords.as_ref().is_some_and(|words| words.is_match(secret))
    }
}

/// An expression in Go's syntax, where a brace that does not begin a count is a brace.
fn from_go(expression: &str) -> String {
    let mut escaped = String::with_capacity(expression.len());
    for (at, c) in expression.char_indices() {
        let before = &expression[..at];
        let is_escape = before.ends_with('\\')
            || ["\\p", "\\P", "\\x"].iter().any(|escape| before.ends_with(escape));
        let count = expression[at..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let is_count = count.is_some_and(|(count, _)| {
            count.starts_with(|c: char| c.is_ascii_digit())
                && count.chars().all(|c| c.is_ascii_digit() || c == ',')
                && !before.ends_with(['(', '|'])
        });
        if c == '{' && !is_escape && !is_count {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Cannot fail: the words are those of the files.
fn any_case(words: &[String]) -> AhoCorasick {
    let built = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
    // It cannot fail: the words are those of the files, which a test reads.
    built.expect("a few thousand short words")
}

/// Shannon's, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let share = |count: &u32| f64::from(*count) / bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles_and_the_data_is_gitleaks_8_30_1() {
        let rules = rules();
        rules.rules.iter().for_each(|rule| {
            rule.compiled();
        });
        let file: File = toml::from_str(GITLEAKS).unwrap();
        let without = file.rules.iter().filter(|rule| rule.regex.is_none());
        assert_eq!(without.map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["pkcs12-file"]);
        assert!(file.rules.len() == 222 && file.rules.iter().any(|rule| rule.id == LEFT_OUT));
    }

    #[test]
    fn the_only_lists_that_need_all_their_conditions_have_a_path() {
        let file: File = toml::from_str(GITLEAKS).unwrap();
        for list in file.rules.iter().flat_map(|rule| &rule.allowlists) {
            assert!(list.condition != "AND" || !list.paths.is_empty());
        }
    }
}
