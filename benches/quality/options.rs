//! The command line. In: arguments. Out: [`Options`]. Refuses what it does not know, by saying so and
//! ending the program.

use std::path::PathBuf;

use tandem::completer::CONTEXT;
use tandem::model::{Store, choice};

use crate::fail;
use crate::layout::Layout;

/// Rows a set unless told otherwise: a few minutes a set on 2 cores.
const ROWS: usize = 100;
/// Rows of a set whose answers are run.
const RUN_ROWS: usize = 24;

/// Where rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    SingleLine,
    MidLine,
    RandomSpan,
    Santacoder,
    Lines,
    CrossFile,
    HumanevalX,
}

impl Set {
    const ALL: [Set; 7] = [
        Set::SingleLine,
        Set::MidLine,
        Set::RandomSpan,
        Set::Santacoder,
        Set::Lines,
        Set::CrossFile,
        Set::HumanevalX,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Set::SingleLine => "SingleLine",
            Set::MidLine => "MidLine",
            Set::RandomSpan => "RandomSpan",
            Set::Santacoder => "santacoder",
            Set::Lines => "lines",
            Set::CrossFile => "cross-file",
            Set::HumanevalX => "humaneval-x",
        }
    }

    /// Made of source trees?
    pub fn is_of_trees(self) -> bool {
        matches!(self, Set::Lines | Set::CrossFile)
    }

    fn layouts(self) -> Vec<Layout> {
        let mut layouts = vec![Layout::UpToCursor, Layout::Anchored];
        if self.is_of_trees() {
            layouts.push(Layout::Context);
        }
        if self == Set::CrossFile {
            layouts.push(Layout::ByHand);
        }
        layouts
    }
}

/// What to do.
pub struct Options {
    pub sets: Vec<Set>,
    rows: Option<usize>,
    pub trees: Vec<PathBuf>,
    pub model: PathBuf,
    layouts: Vec<Layout>,
    lines_above: Vec<usize>,
    /// The address of an engine that has the same model.
    pub elsewhere: Option<String>,
    pub data: Option<PathBuf>,
    pub confidence: bool,
    pub recall: bool,
    /// Bytes of context.
    pub bytes: usize,
    pub verbose: bool,
    pub json: Option<PathBuf>,
}

impl Options {
    pub fn rows(&self, set: Set) -> usize {
        self.rows.unwrap_or(if set == Set::HumanevalX { RUN_ROWS } else { ROWS })
    }

    pub fn layouts(&self, set: Set) -> Vec<Layout> {
        let mut layouts = match self.layouts.is_empty() {
            true => set.layouts(),
            false => self.layouts.clone(),
        };
        layouts.extend(self.lines_above.iter().map(|&lines| Layout::Above(lines)));
        layouts.extend(self.elsewhere.iter().map(|_| Layout::Elsewhere));
        layouts
    }
}

pub fn parse() -> Options {
    let mut options = Options {
        sets: Vec::new(),
        rows: None,
        trees: Vec::new(),
        model: PathBuf::new(),
        layouts: Vec::new(),
        lines_above: Vec::new(),
        elsewhere: None,
        data: std::env::var_os("TANDEM_DATASETS").filter(|d| !d.is_empty()).map(PathBuf::from),
        confidence: false,
        recall: false,
        bytes: CONTEXT,
        verbose: std::env::var_os("TANDEM_VERBOSE").is_some(),
        json: None,
    };
    let mut model = None;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--set" => options.sets.extend(value().split(',').map(set)),
            "--rows" => options.rows = Some(number(&argument, &value())),
            "--tree" => options.trees.push(tree(&value())),
            "--model" => model = Some(PathBuf::from(value())),
            "--layouts" => options.layouts = value().split(',').map(layout).collect(),
            "--lines-above" => {
                options.lines_above = value().split(',').map(|n| number(&argument, n)).collect();
            }
            "--elsewhere" => options.elsewhere = Some(value()),
            "--confidence" => options.confidence = true,
            "--recall" => options.recall = true,
            "--bytes" => options.bytes = number(&argument, &value()),
            "--verbose" => options.verbose = true,
            "--json" => options.json = Some(value().into()),
            other if other.starts_with('-') => fail(&format!("unknown argument {other}")),
            folder => options.trees.push(tree(folder)),
        }
    }
    if options.sets.is_empty() {
        options.sets = vec![Set::SingleLine, Set::MidLine, Set::RandomSpan, Set::Santacoder];
        if !options.trees.is_empty() {
            options.sets.extend([Set::Lines, Set::CrossFile]);
        }
        if options.data.is_none() {
            options.sets.retain(|set| set.is_of_trees());
        }
    }
    let of_trees = options.recall || options.sets.iter().any(|set| set.is_of_trees());
    if of_trees && options.trees.is_empty() {
        fail("lines, cross-file and --recall need a source tree: --tree FOLDER");
    }
    if !options.recall {
        options.model = model.unwrap_or_else(default_model);
    }
    options
}

fn set(name: &str) -> Set {
    let found = Set::ALL.into_iter().find(|set| set.name() == name);
    found.unwrap_or_else(|| {
        let names = Set::ALL.map(Set::name).join(", ");
        fail(&format!("there is no set {name}; there are {names}"))
    })
}

fn layout(name: &str) -> Layout {
    Layout::named(name).unwrap_or_else(|| {
        fail(&format!(
            "there is no layout {name}; there are up-to-cursor, anchored, context, any-name, \
             by-hand, above-N"
        ))
    })
}

fn number(argument: &str, text: &str) -> usize {
    text.parse().unwrap_or_else(|_| fail(&format!("{argument} takes a number, not {text}")))
}

/// An existing folder, absolute, because it becomes a URI.
fn tree(path: &str) -> PathBuf {
    let folder = std::fs::canonicalize(path);
    folder.ok().filter(|f| f.is_dir()).unwrap_or_else(|| fail(&format!("{path} is no folder")))
}

fn default_model() -> PathBuf {
    let store = Store::default_location().unwrap_or_else(|e| fail(&e.to_string()));
    choice::choose(&store, choice::AUTO, None, None).unwrap_or_else(|e| fail(&e.to_string()))
}
