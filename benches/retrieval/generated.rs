//! Cases made of one source tree: a function that another file calls is imagined to be broken.
//!
//! In: a tree. Out: cases of the sets `call`, `message` and `two-calls`, the same each time. Which file
//! defines a called name is told without the code under test: only one file of the tree defines a function
//! with that name, or the caller's import or the path before the name says which of a few it is.
//! Refuses: names of less than four letters and those of the standard libraries, callers and definitions in tests, except that
//! `two-calls` begins in a test where the tree has some.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use tandem::ask::bundle::{Diagnostic, Inquiry};
use tandem::syntax::outline::Kind;
use tandem::syntax::references::{Place, Reference};
use tandem::syntax::{self, Language};
use tandem::workspace::Snapshot;

use crate::cases::{Case, random};
use crate::tree::Tree;

/// Questions that name nothing.
const QUESTIONS: [&str; 5] = [
    "why does this return the wrong result here?",
    "This fails for some inputs, what is wrong?",
    "why is this wrong?",
    "It should work but it does not. Find the bug.",
    "the result is not what I expect",
];
/// What the standard libraries define too: who is called cannot be told from the name.
const OTHERS: [&str; 40] = [
    "as_bytes",
    "as_mut",
    "as_ref",
    "as_slice",
    "as_str",
    "borrow",
    "clear",
    "clone",
    "close",
    "contains",
    "copy",
    "default",
    "drain",
    "extend",
    "find",
    "finish",
    "flush",
    "format",
    "from_str",
    "index",
    "insert",
    "into_inner",
    "is_empty",
    "is_none",
    "is_some",
    "items",
    "iter_mut",
    "join",
    "keys",
    "lock",
    "match",
    "next",
    "push",
    "read",
    "remove",
    "search",
    "split",
    "take",
    "to_string",
    "write",
];
const PATIENCE: Duration = Duration::from_secs(2);
/// More definers than this are not told apart.
const MOST_DEFINERS: usize = 4;

/// A function and where it calls what another file defines.
struct Calling {
    path: String,
    name: String,
    whole: Range<usize>,
    names: Vec<String>,
    calls: Vec<Called>,
}

struct Called {
    name: String,
    path: String,
}

/// The cases of a tree, at most `rows` a set.
pub fn cases(tree: &Tree, rows: usize) -> Vec<Case> {
    let snapshot = tree.workspace.snapshot();
    let definers = definers(&snapshot);
    let texts: HashMap<&str, &str> =
        tree.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut all: Vec<Calling> = Vec::new();
    for (path, text) in &tree.files {
        let Some(language) = syntax::language(&syntax::language_of(path.as_ref())) else {
            continue;
        };
        all.extend(callings(&snapshot, &definers, language, path, text));
    }
    let mut cases = Vec::new();
    let pick = |of: &[&Calling], set: &str| -> Vec<usize> {
        let mut order: Vec<usize> = (0..of.len()).collect();
        order
            .sort_by_key(|at| random(&format!("{set} {} {}", of[*at].path, of[*at].name), 1 << 30));
        order.truncate(rows);
        order
    };
    let code: Vec<&Calling> =
        all.iter().filter(|it| !it.calls.is_empty() && !is_test(&it.path)).collect();
    for set in ["call", "message"] {
        for at in pick(&code, set) {
            let calling = code[at];
            let called = &calling.calls[random(&calling.name, calling.calls.len())];
            cases.push(case(set, calling, called, texts[calling.path.as_str()], &texts));
        }
    }
    let by_function: BTreeMap<(&str, &str), &Calling> =
        code.iter().map(|it| ((it.path.as_str(), it.name.as_str()), *it)).collect();
    let mut two: Vec<(&Calling, &Called)> = Vec::new();
    let has_tests = all.iter().filter(|it| is_test(&it.path) && !it.calls.is_empty()).count() > 10;
    for calling in all.iter().filter(|it| is_test(&it.path) == has_tests) {
        let mut onward: Vec<&Called> = Vec::new();
        for called in &calling.calls {
            let Some(middle) = by_function.get(&(called.path.as_str(), called.name.as_str()))
            else {
                continue;
            };
            let is_third = |it: &&Called| it.path != calling.path && it.path != middle.path;
            let direct = |it: &&Called| calling.calls.iter().all(|own| own.path != it.path);
            onward.extend(middle.calls.iter().filter(is_third).filter(direct));
        }
        if !onward.is_empty() {
            two.push((calling, onward[random(&calling.name, onward.len())]));
        }
    }
    let begins: Vec<&Calling> = two.iter().map(|(calling, _)| *calling).collect();
    for at in pick(&begins, "two-calls") {
        let (calling, called) = two[at];
        cases.push(case("two-calls", calling, called, texts[calling.path.as_str()], &texts));
    }
    cases
}

/// By the name of a function: the files that define one, outside of tests, with the container.
fn definers(snapshot: &Snapshot) -> HashMap<String, Vec<(String, Option<String>)>> {
    let mut definers: HashMap<String, Vec<(String, Option<String>)>> = HashMap::new();
    for file in snapshot.files() {
        let of = file.definitions.iter().filter(|it| {
            matches!(it.kind, Kind::Function | Kind::Method)
                && it.name.len() > 3
                && !OTHERS.contains(&it.name.as_str())
                && !is_test(&file.path)
        });
        for definition in of {
            let all = definers.entry(definition.name.clone()).or_default();
            if all.iter().all(|(path, _)| **path != *file.path) {
                all.push((file.path.to_string(), definition.container.clone()));
            }
        }
    }
    definers
}

fn callings(
    snapshot: &Snapshot,
    definers: &HashMap<String, Vec<(String, Option<String>)>>,
    language: &Language,
    path: &str,
    text: &str,
) -> Vec<Calling> {
    let imports =
        snapshot.number(path).map(|at| &*snapshot.files()[at].imports).unwrap_or_default();
    let called = |reference: &Reference, body: &str| {
        let name = &reference.name;
        let is_call = body.match_indices(name.as_str()).any(|(at, _)| {
            let before = body[..at].chars().next_back();
            let after = &body[at + name.len()..];
            (after.starts_with('(') || after.starts_with("::<"))
                && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        });
        let all = definers.get(name).filter(|all| is_call && all.len() <= MOST_DEFINERS)?;
        let fits = |(definer, container): &&(String, Option<String>)| {
            let stem = module(definer);
            match &reference.place {
                Place::Plain => imports.iter().any(|import| {
                    import.names.contains(name)
                        && import.path.split([':', '.', '/']).any(|part| part == stem)
                }),
                Place::Segment { qualifier } => {
                    let last = qualifier.rsplit(':').next();
                    last == Some(stem) || container.as_deref() == last
                }
                Place::Member { .. } => false,
            }
        };
        let meant: Vec<_> = match all.len() {
            1 => all.iter().collect(),
            _ => all.iter().filter(fits).collect(),
        };
        let [(definer, _)] = meant[..] else { return None };
        let same = syntax::language_of(definer.as_ref()) == language.id;
        (definer != path && same).then(|| Called { name: name.clone(), path: definer.clone() })
    };
    let functions = language.places(text, PATIENCE).into_iter().filter(|it| it.is_function());
    let calling = |it: syntax::outline::places::Placed| {
        let body = &text[it.whole.clone()];
        if body.matches('\n').count() < 2 {
            return None;
        }
        let mut references = language.references(text, it.whole.clone());
        references.sort_by(|a, b| a.name.cmp(&b.name));
        references.dedup_by(|a, b| a.name == b.name);
        let calls = references.iter().filter_map(|reference| called(reference, body)).collect();
        let names = references.into_iter().map(|it| it.name).collect();
        Some(Calling { path: path.to_owned(), name: it.name, whole: it.whole, names, calls })
    };
    functions.filter_map(calling).collect()
}

fn case(
    set: &'static str,
    calling: &Calling,
    called: &Called,
    text: &str,
    texts: &HashMap<&str, &str>,
) -> Case {
    let seed = format!("{set} {} {}", calling.path, calling.name);
    let body = &text[calling.whole.clone()];
    let lines: Vec<usize> =
        body.match_indices('\n').map(|(at, _)| calling.whole.start + at + 1).collect();
    let cursor = lines[random(&seed, lines.len().saturating_sub(1))];
    let number = text[..cursor].matches('\n').count() as u32;
    let mut question = QUESTIONS[random(&seed, QUESTIONS.len())].to_owned();
    let mut names = calling.names.clone();
    let diagnostic = (set == "message").then(|| {
        question.clear();
        let message = match random(&seed, 2) {
            0 => {
                names = vec![called.name.clone()];
                format!(
                    "mismatched types: the argument of `{}` is not what it expects",
                    called.name
                )
            }
            _ => format!(
                "assertion failed: left is 3, right is 4\n  at {} ({}:{})",
                calling.name,
                calling.path,
                number + 1
            ),
        };
        Diagnostic { message, related: Vec::new() }
    });
    let function = texts.get(called.path.as_str()).and_then(|text| {
        let language = syntax::language(&syntax::language_of(called.path.as_ref()))?;
        let place = language
            .places(text, PATIENCE)
            .into_iter()
            .find(|it| it.is_function() && it.name == called.name)?;
        let end = place.body.map_or(place.whole.end, |body| body.end);
        // Its last line, so that a head alone does not count.
        let all: &str = &text[place.whole.start..end];
        let start = all.trim_end_matches(['}', ';', ' ', '\n']).rfind('\n').map_or(0, |at| at + 1);
        Some(all[start..].to_owned())
    });
    Case {
        set,
        name: format!("{}:{} {} -> {}", calling.path, number + 1, calling.name, called.name),
        inquiry: Inquiry {
            question,
            path: Some(calling.path.clone()),
            range: cursor..cursor,
            diagnostic,
            recent: Vec::new(),
        },
        targets: vec![called.path.clone()],
        function,
        buffers: HashMap::new(),
        names,
    }
}

fn module(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let stem = parts.next().unwrap_or_default().split('.').next().unwrap_or_default();
    match stem {
        "mod" | "__init__" | "index" => parts.next().unwrap_or(stem),
        _ => stem,
    }
}

/// By its name.
pub fn is_test(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let (file, folders) = parts.split_last().unwrap_or((&"", &[]));
    let of_tests = ["tests", "test", "testing", "benches", "examples", "doc", "docs", "fuzz"];
    folders.iter().any(|folder| of_tests.contains(folder))
        || file.starts_with("test_")
        || file.starts_with("tests.")
        || file.starts_with("test.")
        || file.starts_with("conftest.")
        || file.contains("_test.")
        || file.contains(".test.")
}
