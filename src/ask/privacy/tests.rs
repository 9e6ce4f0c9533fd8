//! What no tree of files gets past: planted secrets, and files that ignore rules exclude.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::workspace::IGNORE_FILES;

/// A secret of each kind, made of these letters and put together here, so that no scanner takes this
/// file for a leak.
fn canary(kind: usize, seed: &str) -> String {
    // Letters, digits and capitals in each, whatever the seed.
    let word: String = format!("a7Q{seed}{}", "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2Ka7Pe4U");
    let capitals: String = word
        .to_uppercase()
        .chars()
        .filter(|c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains(*c))
        .collect();
    match kind {
        // Two letters of the seed: with six, one in many thousands repeats itself so often that the rule, which
        // asks for three bits a letter, takes it for no key.
        0 => format!("{}{}{}", "AKIA", &capitals[3..5], &capitals[capitals.len() - 14..]),
        1 => format!("{}{}", "ghp_", &word[..36]),
        2 => format!("{}{}", "sk-ant-api03-", &word[..38]),
        3 => format!(
            "-----BEGIN {0}-----\n{word}{word}\n{word}{word}\n-----END {0}-----",
            "PRIVATE KEY"
        ),
        4 => format!("{}{}", "glpat-", &word[..20]),
        _ => word[..24].to_owned(),
    }
}

/// How it stands in a file.
fn planted(kind: usize, secret: &str) -> String {
    match kind {
        5 => format!("    db_password: \"{secret}\","),
        6 => format!("let db = \"postgres://app:{secret}@db.internal/app\";"),
        _ => format!("let it = \"{secret}\"; // here"),
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "src", "lib", "x1"]), 1..4)
        .prop_map(|parts| parts.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_canary_and_no_ignored_file_comes_through(
        files in prop::collection::btree_map(name(), ("[a-z0-9 ;\n]{0,80}", 0_usize..7, "[a-zA-Z0-9]{6}", "[ -~é\n]{0,80}"), 1..8),
        rules in prop::collection::vec((0_usize..7, prop::sample::select(vec!["a", "b", "src", "lib", "x1", "*.rs"])), 0..3),
        unsaved in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let of_rules = |at: usize| [".gitignore", ".ignore"].into_iter().chain(IGNORE_FILES).nth(at).unwrap();
        let mut written: Vec<(&str, String)> = Vec::new();
        for (file, pattern) in &rules {
            // One line a file: the last one counts.
            fs::write(folder.path().join(of_rules(*file)), format!("{pattern}\n")).unwrap();
            written.retain(|(name, _)| *name != of_rules(*file));
            written.push((of_rules(*file), (*pattern).to_owned()));
        }
        let (guard, _) = Guard::new(&[folder.path().to_owned()], &[]);
        let mut known = Placeholders::default();
        for (path, (before, kind, seed, after)) in &files {
            let path = format!("{path}.rs");
            let at = folder.path().join(&path);
            let secret = canary(*kind, seed);
            let text = format!("{before}\n{}\n{after}", planted(*kind, &secret));
            if !unsaved {
                fs::create_dir_all(at.parent().unwrap()).unwrap();
                fs::write(&at, &text).unwrap();
            }
            let stem = path.trim_end_matches(".rs").split('/').rev().skip(1);
            let ignored = written.iter().any(|(_, rule)| rule == "*.rs" || stem.clone().any(|part| part == rule));
            prop_assert_eq!(guard.allows(&at), !ignored, "{} {:?}", path, written);
            let (shown, _) = prepared(&text, &mut known);
            for line in secret.lines().filter(|line| !line.contains("-----")) {
                prop_assert!(!shown.text.contains(line), "{}", shown.text);
            }
            prop_assert_eq!(known.restore(&shown.text), visible(&text).0);
        }
    }

    #[test]
    fn any_text_is_redacted_and_restored(texts in prop::collection::vec("(?s)(.{0,60}|[a-zA-Z0-9_=:\"/@ -]{0,60}|\\[redacted: jwt 1\\]|password = \"[!-~]{8,20}\"){0,6}", 1..4)) {
        let mut known = Placeholders::default();
        for text in &texts {
            let shown = redact(text, &mut known);
            prop_assert_eq!(&known.restore(&shown.text), text);
        }
    }
}

#[test]
fn a_megabyte_of_hostile_text_is_taken_in_one_go() {
    for piece in [
        "api_key = token secret password = \n",
        "a",
        "curl -H \"",
        "-----BEGIN PRIVATE KEY-----\n",
        "x://a:b",
        "password = \"aB3$",
        "kind: secret\ndata:\n",
    ] {
        let text = piece.repeat(1_000_000 / piece.len());
        let mut known = Placeholders::default();
        let shown = redact(&text, &mut known);
        assert!(known.restore(&shown.text) == text, "{piece}");
    }
}
