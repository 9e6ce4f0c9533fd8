//! The bundle as a whole, of small made-up workspaces.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::pack::cost;
use super::*;
use crate::workspace::words::Of;
use crate::workspace::{Index, Words};

struct Files(BTreeMap<String, String>);

impl Texts for Files {
    fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).cloned()
    }
}

fn workspace(files: &[(&str, &str)]) -> (Files, Snapshot) {
    let (mut index, mut words) = (Index::default(), Words::default());
    for (path, text) in files {
        words.put(path, Of::text(text));
        if let Some(language) = language(path) {
            index.put(path, language.id, language.outline(text).unwrap());
        }
    }
    let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    (Files(owned.collect()), Snapshot::from((&index, &words)))
}

/// An inquiry at `$0` in the first file, and the workspace without it.
fn asked(files: &[(&str, &str)], question: &str) -> (Inquiry, Files, Snapshot) {
    let at = files[0].1.find("$0").expect("a cursor");
    let text = files[0].1.replace("$0", "");
    let mut files = files.to_vec();
    files[0].1 = &text;
    let (texts, snapshot) = workspace(&files);
    let path = Some(files[0].0.to_owned());
    (
        Inquiry { question: question.to_owned(), path, range: at..at, ..Inquiry::default() },
        texts,
        snapshot,
    )
}

fn paths(bundle: &Bundle) -> Vec<&str> {
    bundle.items.iter().map(|item| item.path.as_str()).collect()
}

const TILL: (&str, &str) = (
    "src/till.rs",
    "pub struct Till;\nimpl Till {\n    /// Counts.\n    pub fn count(&self) -> u8 {\n        crate::coins::worth(1)\n    }\n}\n",
);
const COINS: (&str, &str) = ("src/coins.rs", "pub fn worth(coin: u8) -> u8 {\n    coin * 2\n}\n");
const OTHER: (&str, &str) = ("src/other.rs", "pub fn unrelated() {}\npub fn count_words() {}\n");
const SHOP: (&str, &str) = (
    "src/shop.rs",
    "use crate::till::Till;\n\npub fn close(till: &Till) -> u8 {\n    $0till.count()\n}\n",
);

#[test]
fn what_the_place_calls_comes_right_behind_it_and_what_that_calls_next() {
    let (inquiry, texts, snapshot) = asked(&[SHOP, COINS, OTHER, TILL], "why?");
    let bundle = bundle(&inquiry, snapshot, &texts, BUDGET);
    assert_eq!(paths(&bundle)[..3], ["src/shop.rs", "src/till.rs", "src/coins.rs"]);
    assert!(bundle.items[0].text.contains("till.count()"));
    assert!(bundle.items[1].why.contains("`count`"), "{}", bundle.items[1].why);
    assert!(bundle.items[2].text.contains("coin * 2"));
    assert!(bundle.items[2].why.contains("called in `count`"), "{}", bundle.items[2].why);
}

#[test]
fn of_two_with_the_same_name_the_imported_one_is_meant() {
    let caller = ("app/main.py", "from app.disk import load\n\ndef run():\n    return load($0)\n");
    let disk = ("app/disk.py", "def load():\n    return 1\n");
    let net = ("app/cloud.py", "def load():\n    return 2\n");
    let (inquiry, texts, snapshot) = asked(&[caller, net, disk], "");
    assert_eq!(paths(&bundle(&inquiry, snapshot, &texts, BUDGET))[1], "app/disk.py");
}

#[test]
fn a_question_without_a_place_goes_by_its_names_and_words() {
    let (texts, snapshot) = workspace(&[SHOP, COINS, OTHER, TILL]);
    for question in ["what does `worth` do?", "Is the worth of coins right?"] {
        let inquiry = Inquiry { question: question.to_owned(), ..Inquiry::default() };
        let bundle = bundle(&inquiry, snapshot.clone(), &texts, BUDGET);
        assert_eq!(paths(&bundle)[0], "src/coins.rs", "{question}");
    }
}

#[test]
fn related_places_and_stack_traces_are_followed() {
    let (mut inquiry, texts, snapshot) =
        asked(&[("src/a.rs", "fn a() {\n    $0b();\n}\n"), COINS, OTHER], "");
    let message = "failed\n  at src/other.rs:1:3".to_owned();
    inquiry.diagnostic = Some(Diagnostic { message, related: Vec::new() });
    assert_eq!(paths(&bundle(&inquiry, snapshot.clone(), &texts, BUDGET))[1], "src/other.rs");
    let related = vec![("src/coins.rs".to_owned(), 1), ("src/gone.rs".to_owned(), 9)];
    inquiry.diagnostic = Some(Diagnostic { message: String::new(), related });
    let bundle = bundle(&inquiry, snapshot, &texts, BUDGET);
    assert_eq!(paths(&bundle)[1], "src/coins.rs");
    assert!(bundle.items[1].why.contains("the diagnostic points here"));
}

#[test]
fn an_unsaved_buffer_counts_and_a_file_that_may_not_be_read_is_not_named() {
    let (inquiry, mut texts, snapshot) = asked(&[SHOP, COINS, OTHER, TILL], "");
    let unsaved = "pub fn close() -> u8 {\n    crate::other::unrelated()\n}\n";
    texts.0.insert("src/shop.rs".to_owned(), unsaved.to_owned());
    texts.0.remove("src/coins.rs");
    let bundle = bundle(&inquiry, snapshot, &texts, BUDGET);
    assert_eq!(bundle.items[0].text, unsaved);
    assert_eq!(paths(&bundle)[1], "src/other.rs");
    assert!(!format!("{bundle:?}").contains("coins"));
}

#[test]
fn a_long_function_is_cut_to_whole_lines_around_the_cursor() {
    let line = |number| format!("    let a{number:04} = {number};\n");
    let body: String = (0..2_000).map(line).collect();
    let text = format!("fn long() {{\n{}}}\n", body.replace("let a1000", "$0let a1000"));
    let (inquiry, texts, snapshot) = asked(&[("a.rs", &text), COINS], "");
    let bundle = bundle(&inquiry, snapshot, &texts, 500);
    let item = &bundle.items[0];
    assert!(item.text.contains("let a1000") && item.text.contains("let a1010"), "{}", item.text);
    assert!(item.text.lines().all(|line| line == "⋮" || line.ends_with(';')));
    assert!(item.text.len() > 500 && cost(item) <= 500);
}

#[test]
fn no_file_takes_everything_and_generated_ones_have_no_body() {
    let function = |number| format!("pub fn f{number}() {{\n    go({number});\n}}\n");
    let large: String = (0..600).map(function).collect();
    let generated = format!("// @generated\n{}", function(9_999));
    let calls = "fn a() {\n    $0f1();\n    f9999();\n    worth();\n}\n";
    let files = [("a.rs", calls), ("large.rs", &large), ("made.rs", &generated), COINS];
    let (inquiry, texts, snapshot) = asked(&files, "");
    let bundle = bundle(&inquiry, snapshot, &texts, BUDGET);
    let of = |path: &str| bundle.items.iter().find(|item| item.path == path).unwrap();
    assert!(of("large.rs").tokens < BUDGET / 5 && of("large.rs").text.contains("go(1);"));
    assert_eq!(
        (of("made.rs").level, of("made.rs").text.as_str()),
        (Level::Signatures, "pub fn f9999()\n")
    );
    assert!(of("src/coins.rs").text.contains("coin * 2"));
}

#[test]
fn what_has_no_room_is_told_of() {
    let many: Vec<(String, String)> = (0..200)
        .map(|number| (format!("src/m{number:03}.rs"), format!("pub fn go{number}() {{}}\n")))
        .collect();
    let calls: String = (0..200).map(|number| format!("    go{number}();\n")).collect();
    let text = format!("fn a() {{\n$0{calls}}}\n");
    let mut files = vec![("a.rs", text.as_str())];
    files.extend(many.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let (inquiry, texts, snapshot) = asked(&files, "");
    let bundle = bundle(&inquiry, snapshot, &texts, BUDGET);
    assert_eq!(bundle.left_out.len(), 20);
    assert!(
        bundle
            .left_out
            .iter()
            .all(|(path, why)| !paths(&bundle).contains(&path.as_str()) && !why.is_empty())
    );
}

#[test]
fn nothing_known_is_an_empty_bundle() {
    let (texts, snapshot) = workspace(&[]);
    let inquiry = Inquiry { path: Some("gone.rs".to_owned()), range: 5..9, ..Inquiry::default() };
    assert_eq!(bundle(&inquiry, snapshot, &texts, BUDGET), Bundle::default());
}

#[test]
fn a_name_with_thousands_of_definers_is_no_trouble() {
    let many: Vec<String> = (0..3_000).map(|number| format!("m{number:04}.rs")).collect();
    let mut files = vec![("a.rs", "fn a() {\n    $0new();\n    worth(1);\n}\n"), COINS];
    files.extend(many.iter().map(|path| (path.as_str(), "pub fn new() {}\n")));
    let (inquiry, texts, snapshot) = asked(&files, "new");
    let bundle = bundle(&inquiry, snapshot, &texts, 2_000);
    assert_eq!(paths(&bundle)[..2], ["a.rs", "src/coins.rs"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_inquiry_keeps_the_budget_and_has_the_same_bundle_again(
        first in "(fn [ab]\\(\\) \\{ ?[a-dé]\\(\\)[;}]\n?|\\PC{0,20}\n| {0,4}[a-d]\\(\\);?\n){0,20}",
        second in "(pub fn [a-d]\\(\\) \\{\n? {0,4}[a-d]\\(\\);\n\\}\n|\\PC{0,20}\n){0,20}",
        question in "\\PC{0,40}|`[a-d]` [a-d]\\.rs:[0-9]{1,9}",
        message in "\\PC{0,40}|File \"b.py\", line 3",
        start in 0usize..400,
        end in 0usize..400,
        path in prop::sample::select(vec!["a.rs", "b.py", "c.txt", "gone.rs"]),
        budget in 0u64..600,
    ) {
        let files = [("a.rs", first.as_str()), ("b.py", second.as_str()), ("c.txt", first.as_str()), ("d.rs", second.as_str())];
        let (texts, snapshot) = workspace(&files);
        let related = vec![("d.rs".to_owned(), start as u32), ("a.rs".to_owned(), u32::MAX)];
        let inquiry = Inquiry {
            question,
            path: Some(path.to_owned()),
            range: start..end,
            diagnostic: Some(Diagnostic { message, related }),
            recent: vec!["b.py".to_owned(), "gone.py".to_owned()],
        };
        let bundle = bundle(&inquiry, snapshot.clone(), &texts, budget);
        prop_assert_eq!(&bundle, &super::bundle(&inquiry, snapshot, &texts, budget));
        prop_assert!(bundle.items.iter().map(cost).sum::<u64>() <= budget);
        let mut seen = std::collections::HashSet::new();
        for item in &bundle.items {
            prop_assert!(seen.insert(&item.path), "{} comes twice", item.path);
            prop_assert_eq!(item.tokens, crate::ask::tokens::estimate(&item.text));
            let text = texts.text(&item.path).unwrap();
            for part in &item.parts {
                prop_assert!(text.get(part.clone()).is_some_and(|part| item.text.contains(part)));
                prop_assert!(part.start == 0 || text.as_bytes()[part.start - 1] == b'\n');
            }
            prop_assert_eq!(item.level == Level::Body, !item.parts.is_empty());
        }
    }
}
