//! Calls of what another file defines: does the model write the right name?
//!
//! `cargo bench --bench cross_file -- TREE… [--items N] [--model FILE] [--bytes N] [--recall] [--verbose]` takes
//! any source trees (a crate or package as its registry installs it), hides the rest of lines from
//! right before the call of a function that one other file of the tree defines, and asks the model four
//! ways: prompt up to the cursor; anchored; anchored with what `context` chooses; anchored with the right
//! definition given by hand. Greedy, the engine in this process, no filter. `N` items a tree, spread
//! evenly; the same each time. Printed: the share of names that are right, and of rests of lines.
//!
//! The context is what it would be at the start of the line, since it stays while a line is typed.
//! `--recall` asks no model and prints how often the name is in the context at all.

use std::path::{Path, PathBuf};

use ropey::Rope;
use tandem::completer::CONTEXT;
use tandem::context;
use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Engine, Event, Request, State, Stop};
use tandem::model::{Store, choice};
use tandem::prompt::{Budget, Prompt, prompt, prompt_in_context};
use tandem::syntax::outline::Kind;
use tandem::syntax::{self, Language};
use tandem::workspace::{Index, Workspace};

/// A call to write.
struct Item {
    path: String,
    language: &'static Language,
    /// The file without the rest of the line.
    text: String,
    cursor: usize,
    name: String,
    /// The rest of the line.
    rest: String,
    /// The called function's definition, as a line.
    definition: String,
}

impl Item {
    /// Where the context is chosen for.
    fn place(&self) -> context::Place<'_> {
        let cursor = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
        context::Place { language: self.language, text: &self.text, cursor, path: &self.path }
    }
}

/// For each way: is the name right, and the rest of the line.
type Scores = [(bool, bool); 4];

const WAYS: [&str; 4] = ["up to the cursor", "anchored", "with context", "given by hand"];

fn main() {
    let (mut trees, mut items, mut bytes, mut verbose) = (Vec::new(), 60, CONTEXT, false);
    let mut recall = false;
    let mut model = default_model();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--items" => items = value().parse().unwrap_or_else(|_| fail("--items: a number")),
            "--bytes" => bytes = value().parse().unwrap_or_else(|_| fail("--bytes: a number")),
            "--model" => model = value().into(),
            "--verbose" => verbose = true,
            "--recall" => recall = true,
            other if other.starts_with('-') => fail(&format!("unknown argument {other}")),
            tree => trees.push(PathBuf::from(tree)),
        }
    }
    if trees.is_empty() {
        println!("name a source tree to measure on; nothing was done");
        return;
    }
    if recall {
        trees.iter().for_each(|tree| report_recall(tree, items, bytes, verbose));
        return;
    }
    let engine = Llama::start(Options::new(&model));
    ready(&engine);
    println!("{}", model.file_name().unwrap_or_default().to_string_lossy());
    println!("{:<28} {:>5}   name right, rest of line right, in %", "tree", "items");
    println!("{:<34} {}", "", WAYS.map(|way| format!("{way:>18}")).concat());
    let mut all = Vec::new();
    for tree in &trees {
        let workspace = Workspace::default();
        workspace.open_folders(vec![tree.clone()]);
        workspace.settle();
        let found = calls(tree, &workspace.index(), items);
        let index = workspace.index();
        let results: Vec<Scores> =
            found.iter().map(|item| score(&engine, &index, item, bytes, verbose)).collect();
        report(&tree.file_name().unwrap_or_default().to_string_lossy(), &results);
        all.extend(results);
    }
    report("all", &all);
}

/// Lines that call what one other file defines.
fn calls(tree: &Path, index: &Index, most: usize) -> Vec<Item> {
    let mut all = Vec::new();
    let mut files: Vec<PathBuf> = ignore::WalkBuilder::new(tree)
        .build()
        .flatten()
        .map(|entry| entry.into_path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for file in files {
        let Some(language) = syntax::language(&syntax::language_of(&file)) else { continue };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let path = file.strip_prefix(tree).unwrap_or(&file).to_string_lossy().into_owned();
        let Some(structure) = language.structure(&text) else { continue };
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let item = call(line).and_then(|at| {
                let name = identifier(&line[at..]);
                let cursor = start + at;
                let definition = defined_elsewhere(index, language, &path, name)?;
                (!structure.is_opaque(cursor)).then(|| Item {
                    path: path.clone(),
                    language,
                    text: format!("{}{}", &text[..cursor], &text[start + line.trim_end().len()..]),
                    cursor,
                    name: name.to_owned(),
                    rest: line[at..].trim_end().to_owned(),
                    definition,
                })
            });
            all.extend(item);
            start += line.len();
        }
    }
    let step = (all.len() as f64 / most as f64).max(1.0);
    let wanted: Vec<usize> = (0..most).map(|i| (i as f64 * step) as usize).collect();
    let chosen = all.into_iter().enumerate().filter(|(i, _)| wanted.binary_search(i).is_ok());
    chosen.map(|(_, item)| item).collect()
}

/// Where the first call in a line begins, when the line is not a definition or an import.
fn call(line: &str) -> Option<usize> {
    let begins = line.trim_start();
    let not = ["fn ", "pub fn", "def ", "async ", "use ", "from ", "import ", "class ", "#", "//"];
    if not.iter().any(|word| begins.starts_with(word)) || line.contains("fn ") {
        return None;
    }
    line.char_indices().find_map(|(at, c)| {
        let begins = (c.is_alphabetic() || c == '_')
            && !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name = if begins { identifier(&line[at..]) } else { "" };
        (name.len() > 3 && line[at + name.len()..].starts_with('(')).then_some(at)
    })
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn defined_elsewhere(index: &Index, language: &Language, path: &str, name: &str) -> Option<String> {
    let mut found = index.named(name).filter(|found| {
        let callable = matches!(found.definition.kind, Kind::Function | Kind::Method);
        // In Rust a method that is not public is a trait's, mostly one of the standard library's.
        let of_a_trait = language.id == "rust"
            && found.definition.kind == Kind::Method
            && !found.definition.signature.starts_with("pub");
        callable && !of_a_trait && found.language == language.id
    });
    let first = found.next().filter(|found| found.path != path)?;
    found.all(|other| other.path == first.path).then(|| context::line(first.definition))
}

fn score(engine: &Llama, index: &Index, item: &Item, bytes: usize, verbose: bool) -> Scores {
    let text = Rope::from_str(&item.text);
    let budget = Budget::default();
    let anchored = |make: &dyn Fn(&str) -> String| {
        let context = |at: usize| {
            let indent: String =
                item.text[at..].chars().take_while(|c| c.is_whitespace() && *c != '\n').collect();
            make(&indent)
        };
        prompt_in_context(&text, item.cursor, budget, None, &context).0
    };
    let place = item.place();
    let chosen = anchored(&|indent| context::comment(index, place, bytes, indent));
    let by_hand =
        anchored(&|indent| format!("{indent}{} {}\n", item.language.comment, item.definition));
    let mut plain = prompt(&text, item.cursor, budget, None).0;
    plain.prefix.push_str(&std::mem::take(&mut plain.middle));
    let has_it = chosen.context.contains(&item.name);
    let asked = [plain, anchored(&|_| String::new()), chosen, by_hand];
    let context = asked[2].context.clone();
    let result = asked.map(|prompt| {
        let answer = generate(engine, prompt);
        let first = answer.split('\n').next().unwrap_or_default().trim_end();
        (identifier(first) == item.name, first == item.rest)
    });
    if verbose {
        let before = &item.text[..item.cursor];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        println!(
            "{}: {line:?} + {:?}; {result:?}; in the context: {has_it}\n{context}",
            item.path, item.rest
        );
    }
    result
}

fn report_recall(tree: &Path, items: usize, bytes: usize, verbose: bool) {
    let workspace = Workspace::default();
    let started = std::time::Instant::now();
    workspace.open_folders(vec![tree.to_owned()]);
    workspace.settle();
    let (read, memory) = (started.elapsed(), resident_mb());
    let index = workspace.index();
    let found = calls(tree, &index, items);
    let (mut has, mut size) = (0, 0);
    let started = std::time::Instant::now();
    for item in &found {
        let context = context::comment(&index, item.place(), bytes, "");
        let there = context.lines().any(|line| line.contains(&format!("{}(", item.name)));
        has += usize::from(there);
        size += context.len();
        if verbose {
            println!("{}: {} | {} | {there}\n{context}", item.path, item.rest, item.definition);
        }
    }
    let each = started.elapsed() / found.len().max(1) as u32;
    println!(
        "{}: {} files and {} definitions read in {read:?}, {memory} MB resident; the name is there for {has} of {}; {} bytes, {each:?}",
        tree.file_name().unwrap_or_default().to_string_lossy(),
        index.files(),
        index.definitions(),
        found.len(),
        size / found.len().max(1)
    );
}

/// Megabytes that this process holds, where the system says.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_000
}

fn report(name: &str, results: &[Scores]) {
    let percent = |right: usize| right as f64 / results.len().max(1) as f64 * 100.0;
    let columns: String = (0..WAYS.len())
        .map(|way| {
            let names = percent(results.iter().filter(|result| result[way].0).count());
            let lines = percent(results.iter().filter(|result| result[way].1).count());
            format!("{:>18}", format!("{names:.1} {lines:.1}"))
        })
        .collect();
    println!("{name:<28} {:>5} {columns}", results.len());
}

fn generate(engine: &Llama, prompt: Prompt) -> String {
    let mut answer = engine.complete(Request::new(prompt, 48, Stop::Line));
    let mut text = String::new();
    while let Some(event) = answer.blocking_next() {
        match event {
            Event::Text(piece) => text.push_str(&piece),
            Event::Begun(_) | Event::Forks(_) => {}
            Event::Done(_) => break,
            Event::Failed(message) => fail(&message),
        }
    }
    text
}

fn ready(engine: &Llama) {
    let mut state = engine.state();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let settled = |s: &State| matches!(s, State::Ready(_) | State::Failed { .. });
        let state = state.wait_for(settled).await.expect("the model's thread lives");
        if let State::Failed { message } = &*state {
            fail(message);
        }
    });
}

fn default_model() -> PathBuf {
    let store = Store::default_location().unwrap_or_else(|e| fail(&e.to_string()));
    choice::choose(&store, choice::AUTO, None, None).unwrap_or_else(|e| fail(&e.to_string()))
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2);
}
