//! Cases made of successive releases: what a release changed had to change.
//!
//! In: a folder with `NAME-VERSION` folders. Out: for each release with a successor the cases of the sets
//! `test`, `changelog` and `both`. Refuses: releases that changed no source file or more than three, and
//! changes of a version's number, of comments or of white space alone. What a release changed is not
//! always one fix: that at least one of its files is found counts, and whether all are is told apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};
use tandem::ask::bundle::Inquiry;
use tandem::syntax;
use tandem::workspace::words;

use crate::cases::Case;
use crate::generated::is_test;

/// More changed files are several fixes.
const MOST_CHANGED: usize = 3;
/// Files that hold the release's number.
const VERSIONS: [&str; 4] = ["setup.py", "conf.py", "_version.py", "__version__.py"];
/// Tests of one release.
const MOST_TESTS: usize = 3;
/// Of a changelog, bytes.
const WORDS: usize = 800;

/// The old release's folder, and its cases.
pub fn cases(folder: &Path) -> Vec<(PathBuf, Vec<Case>)> {
    let mut releases: BTreeMap<String, Vec<(Vec<u64>, PathBuf)>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((package, version)) = name.rsplit_once('-') else { continue };
        let version: Option<Vec<u64>> = version
            .split('+')
            .next()
            .unwrap_or_default()
            .split('.')
            .map(|part| part.parse().ok())
            .collect();
        if let Some(version) = version {
            releases.entry(package.to_owned()).or_default().push((version, entry.path()));
        }
    }
    let mut all = Vec::new();
    for of_package in releases.values_mut() {
        of_package.sort();
        for pair in of_package.windows(2) {
            let cases = of_pair(&pair[0].1, &pair[1].1);
            if !cases.is_empty() {
                all.push((pair[0].1.clone(), cases));
            }
        }
    }
    all
}

fn of_pair(old: &Path, new: &Path) -> Vec<Case> {
    let (before, after) = (files(old), files(new));
    let mut targets = Vec::new();
    let mut tests: Vec<(String, Vec<usize>)> = Vec::new();
    for (path, text) in &after {
        let is_source = syntax::language(&syntax::language_of(path.as_ref())).is_some();
        if !is_source || VERSIONS.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        match before.get(path) {
            Some(old) if old != text => {
                let lines = added(old, text);
                if is_test(path) {
                    if !lines.is_empty() {
                        tests.push((path.clone(), lines));
                    }
                } else if !lines.is_empty() || !added(text, old).is_empty() {
                    targets.push(path.clone());
                }
            }
            _ => {}
        }
    }
    if targets.is_empty() || targets.len() > MOST_CHANGED {
        return Vec::new();
    }
    let name = new.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let changelog = changelog(&before, &after);
    let mut cases = Vec::new();
    let mut add = |set, question: &str, test: Option<&(String, Vec<usize>)>| {
        let mut case = Case {
            set,
            name: format!("{name} {}", test.map_or("", |test| &test.0)),
            inquiry: Inquiry { question: question.to_owned(), ..Inquiry::default() },
            targets: targets.clone(),
            function: None,
            buffers: HashMap::new(),
            names: words::names(question)
                .filter(|name| name.len() > 3)
                .map(str::to_owned)
                .collect(),
        };
        if let Some((path, lines)) = test {
            let text = &after[path];
            case.inquiry.path = Some(path.clone());
            case.inquiry.range = lines[0]..lines[0];
            case.buffers.insert(path.clone(), text.clone());
            // What is in the lines that were added.
            let of_line = |at: &usize| text[*at..].lines().next().unwrap_or_default();
            let names = lines.iter().map(of_line).flat_map(words::names);
            case.names.extend(names.filter(|name| name.len() > 3).map(str::to_owned));
        }
        cases.push(case);
    };
    for test in tests.iter().take(MOST_TESTS) {
        add("test", "this test fails, why?", Some(test));
        if let Some(changelog) = &changelog {
            add("both", changelog, Some(test));
        }
    }
    if let Some(changelog) = &changelog {
        add("changelog", changelog, None);
    }
    cases
}

/// Where lines begin that were added, and that say something.
fn added(old: &str, new: &str) -> Vec<usize> {
    let diff = TextDiff::from_lines(old, new);
    let (mut at, mut added) = (0, Vec::new());
    for change in diff.iter_all_changes() {
        let line = change.value();
        let code = line.trim();
        let says = code.len() > 3
            && !["#", "//", "*", "\"\"\"", "__version__", "version"]
                .iter()
                .any(|start| code.starts_with(start));
        if change.tag() == ChangeTag::Insert && says {
            added.push(at);
        }
        if change.tag() != ChangeTag::Delete {
            at += line.len();
        }
    }
    added
}

/// What the release says it changed.
fn changelog(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Option<String> {
    let is_log = |path: &str| {
        let path = path.to_lowercase();
        let says = ["change", "history", "release", "news"].iter().any(|name| path.contains(name));
        says && [".md", ".rst", ".txt"].iter().any(|end| path.ends_with(end))
    };
    let mut said = String::new();
    for (path, text) in after.iter().filter(|(path, _)| is_log(path)) {
        let old = before.get(path).map(String::as_str).unwrap_or_default();
        let known: BTreeSet<&str> = old.lines().collect();
        for line in text.lines().filter(|line| !known.contains(line)) {
            let heads = ["#", "---", "===", "version", "release", "unreleased"];
            let line = line.trim();
            let is_head = heads.iter().any(|head| line.to_lowercase().starts_with(head));
            if line.len() > 20 && !is_head && said.len() + line.len() < WORDS {
                said.push_str(line);
                said.push('\n');
            }
        }
    }
    (said.len() > 30).then_some(said)
}

/// By their paths in the folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = ignore::WalkBuilder::new(folder).build().flatten();
    let read = |entry: ignore::DirEntry| {
        let path = entry.path().strip_prefix(folder).ok()?.to_string_lossy().replace('\\', "/");
        Some((path, std::fs::read_to_string(entry.path()).ok()?))
    };
    entries.filter(|entry| entry.path().is_file()).filter_map(read).collect()
}
