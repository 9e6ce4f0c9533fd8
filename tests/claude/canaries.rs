//! Planted secrets and excluded files, in random trees, through all that makes a request: none of them
//! is ever in a body.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tandem::ask::bundle::{self, Diagnostic, Inquiry};
use tandem::ask::conversation::{Asked, Conversation};
use tandem::ask::preview::{self, Around};
use tandem::ask::price::Table;
use tandem::ask::privacy::Guard;
use tandem::ask::sources::{Read, Sources};
use tandem::settings::AskSettings;
use tandem::workspace::Workspace;

/// Of a GitHub token's form, put together here so that no scanner takes this file for a leak.
fn token(number: usize) -> String {
    format!("{}{}{number:04}", "ghp_", "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2")
}

/// Stands in files that may not be sent at all.
fn word(number: usize) -> String {
    format!("canary_of_an_excluded_file_{number:04}")
}

#[derive(Clone, Debug)]
enum Kind {
    Plain,
    /// A secret in a file that may be sent.
    Secret,
    /// By `.gitignore`, `.aiignore`, …
    Ignored(usize),
    /// By tandem's own list.
    Denied(usize),
    /// By `ask.never`.
    Never,
}

#[derive(Clone, Debug)]
struct Planted {
    kind: Kind,
    folder: usize,
    /// Names that occur in it, of all that there are.
    uses: Vec<usize>,
    /// It is open in the editor with another text.
    open: bool,
}

const IGNORES: [&str; 6] = [
    ".gitignore",
    ".aiignore",
    ".cursorignore",
    ".aiderignore",
    ".continueignore",
    ".copilotignore",
];
const DENIED: [&str; 4] = ["id_rsa", ".env", "server.pem", ".ssh/deploy.py"];
const FOLDERS: [&str; 3] = ["", "src/", "src/deep/"];

fn planted() -> impl Strategy<Value = Vec<Planted>> {
    let kind = prop_oneof![
        2 => Just(Kind::Plain),
        3 => Just(Kind::Secret),
        2 => (0..IGNORES.len()).prop_map(Kind::Ignored),
        2 => (0..DENIED.len()).prop_map(Kind::Denied),
        1 => Just(Kind::Never),
    ];
    let uses = proptest::collection::vec(0_usize..8, 0..4);
    let one = (kind, 0..FOLDERS.len(), uses, any::<bool>())
        .prop_map(|(kind, folder, uses, open)| Planted { kind, folder, uses, open });
    proptest::collection::vec(one, 1..9)
}

/// The file's name, its text, and what must not leave.
fn file(number: usize, planted: &Planted) -> (String, String, Option<String>) {
    let folder = FOLDERS[planted.folder];
    let calls: String = planted.uses.iter().map(|name| format!("    f{name}()\n")).collect();
    let text =
        |inside: &str| format!("def f{number}():\n    x = \"{inside}\"\n{calls}    return x\n");
    let name = |stem: &str| format!("{folder}{stem}_{number}.py");
    match planted.kind {
        Kind::Plain => (name("plain"), text("nothing"), None),
        Kind::Secret => (name("secret"), text(&token(number)), Some(token(number))),
        Kind::Ignored(_) => (name("ignored"), text(&word(number)), Some(word(number))),
        Kind::Denied(which) => {
            (format!("{folder}{}", DENIED[which]), text(&word(number)), Some(word(number)))
        }
        Kind::Never => (name("never"), text(&word(number)), Some(word(number))),
    }
}

fn build(root: &Path, all: &[Planted]) -> (HashMap<std::path::PathBuf, Read>, Vec<String>) {
    let (mut buffers, mut canaries) = (HashMap::new(), Vec::new());
    for (number, planted) in all.iter().enumerate() {
        let (name, text, canary) = file(number, planted);
        let path = root.join(&name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, &text).expect("a file");
        if let Kind::Ignored(which) = planted.kind {
            let rules = root.join(IGNORES[which]);
            let known = fs::read_to_string(&rules).unwrap_or_default();
            fs::write(&rules, format!("{known}/{name}\n")).expect("rules");
        }
        if planted.open {
            buffers.insert(path, Read { text: format!("# unsaved\n{text}"), version: Some(2) });
        }
        canaries.extend(canary);
    }
    (buffers, canaries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn canaries_and_excluded_files_never_leave(
        all in planted(), at in 0_usize..9, line in 0_usize..4, quotes in any::<bool>(),
    ) {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().canonicalize().expect("a path");
        let (buffers, canaries) = build(&root, &all);
        let workspace = Workspace::default();
        workspace.open_folders(vec![root.clone()]);
        for (path, read) in &buffers {
            workspace.buffer(path, &ropey::Rope::from_str(&read.text));
        }
        workspace.settle();
        let (guard, warnings) = Guard::new(std::slice::from_ref(&root), &["never_*".to_owned()]);
        prop_assert!(warnings.is_empty());
        let sources = Sources::new(vec![root], buffers, guard);
        // The person stands in any of the files, and names all of them; some paste a secret.
        let here = at % all.len();
        let (path, text, canary) = file(here, &all[here]);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let names: Vec<String> = (0..all.len()).map(|number| file(number, &all[number]).0).collect();
        let pasted = match (&all[here].kind, canary) {
            (Kind::Secret, Some(canary)) if quotes => canary,
            _ => String::new(),
        };
        let question = format!("what of {} and {pasted}?", names.join(", "));
        let related = names.iter().map(|name| (name.clone(), 1)).collect();
        let diagnostic = Some(Diagnostic { message: format!("f{here} is wrong"), related });
        let inquiry = Inquiry {
            question: question.clone(),
            path: Some(path.clone()),
            range: start..start,
            diagnostic: diagnostic.clone(),
            recent: names.clone(),
        };
        let bundle = bundle::bundle(&inquiry, workspace.snapshot(), &sources, 24_000);
        let asked = Asked { question, path: Some(path), diagnostic, ..Asked::default() };
        let conversation = Conversation::new(&asked, bundle, |name| sources.read(name));
        let (table, _) = Table::new(&[]);
        let model = table.find("sonnet").expect("a model");
        let day = jiff::civil::date(2026, 11, 21);
        let prepared = conversation.prepare(&AskSettings::default(), model, None, day);
        let body = String::from_utf8(prepared.body.clone()).expect("text");
        let page = preview::markdown(&prepared, &Around::default());
        for canary in canaries {
            prop_assert!(!body.contains(&canary), "{canary} in {body}");
            prop_assert!(!page.contains(&canary), "{canary} in the preview");
        }
    }
}
