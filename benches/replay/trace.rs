//! What is typed: the traces. In: marked texts (see `demo::script`). Out: values.
//!
//! The texts are frozen. Rust ones are this project's own code as it once was; the others are
//! small programs written for this. What is typed, mistyped, pasted and undone, and where
//! suggestions are looked at, was decided before any model saw it.

use tandem::client::{Buffer, Stroke};
use tandem::demo::SAMPLES;
use tandem::demo::player::Document;
use tandem::demo::script::{self, Script, Typist};

/// More keys than any file takes.
const ENDLESS: usize = 10_000;

/// Files to type in.
pub struct Trace {
    pub name: &'static str,
    pub files: Vec<File>,
}

/// One of them.
pub struct File {
    pub uri: String,
    pub language: &'static str,
    pub script: Script,
}

impl File {
    fn new(name: &str, language: &'static str, marked: &str) -> File {
        File {
            uri: format!("file:///tandem-replay/{name}"),
            language,
            script: Script::parse(marked),
        }
    }

    /// For the player.
    pub fn document(&self) -> Document<'_> {
        Document { uri: &self.uri, language: self.language, script: &self.script }
    }

    /// Types it without any suggestion: the keys, and whether the text became what it should.
    pub fn by_hand(&self) -> (usize, bool) {
        let mut buffer = Buffer::new(&self.script.start);
        let (mut keys, mut typed, mut right) = (0, Vec::new(), true);
        for (_, number) in script::turns([&self.script]) {
            let at = self.script.place(number, &typed);
            typed.push(number);
            buffer.press(&Stroke::Jump(at));
            let passage = &self.script.passages[number];
            let mut typist = Typist::new(passage);
            while let Some(key) = typist.next(&buffer.text()[at..buffer.cursor()], None) {
                buffer.press(&key);
                keys += 1;
                assert!(keys < ENDLESS, "{} never ends", self.uri);
            }
            right &= buffer.text()[at..buffer.cursor()] == passage.target;
            keys += 1;
        }
        (keys, right)
    }

    /// Lines of it before anything is typed.
    pub fn lines(&self) -> usize {
        self.script.start.lines().count()
    }
}

impl Trace {
    /// Lines of its longest file.
    pub fn lines(&self) -> usize {
        self.files.iter().map(File::lines).max().unwrap_or_default()
    }
}

/// All traces, the shorter ones first.
pub fn all() -> Vec<Trace> {
    let samples =
        SAMPLES.iter().map(|sample| File::new(sample.name, sample.language, sample.marked));
    let trace = |name, files| Trace { name, files };
    vec![
        trace("demo", samples.collect()),
        trace(
            "lru",
            vec![
                File::new("lru.py", "python", include_str!("lru.py.txt")),
                File::new("test_lru.py", "python", include_str!("test_lru.py.txt")),
            ],
        ),
        trace("logs", vec![File::new("logs.py", "python", include_str!("logs.py.txt"))]),
        trace(
            "orders",
            vec![
                File::new("orders.ts", "typescript", include_str!("orders.ts.txt")),
                File::new("stock.ts", "typescript", include_str!("stock.ts.txt")),
            ],
        ),
        trace("buffer", vec![File::new("buffer.rs", "rust", include_str!("buffer.rs.txt"))]),
        trace("engine", vec![File::new("engine.rs", "rust", include_str!("engine.rs.txt"))]),
        trace("house", vec![File::new("house.rs", "rust", &house())]),
    ]
}

/// A file of 5,000 lines, of different code all through.
fn house() -> String {
    [
        include_str!("house/model.rs.txt"),
        include_str!("house/server.rs.txt"),
        include_str!("house/text.rs.txt"),
    ]
    .concat()
}

/// What there is to type, a line for each file. Stops at a text that cannot be typed.
pub fn list(traces: &[Trace]) -> String {
    let mut text = format!(
        "{:<8} {:<14} {:<11} {:>6} {:>9} {:>10} {:>12}\n",
        "trace", "file", "language", "lines", "passages", "characters", "keys by hand"
    );
    let mut all = 0;
    for trace in traces {
        for file in &trace.files {
            let (keys, right) = file.by_hand();
            assert!(right, "{} does not become what it should", file.uri);
            all += keys;
            text += &format!(
                "{:<8} {:<14} {:<11} {:>6} {:>9} {:>10} {keys:>12}\n",
                trace.name,
                file.uri.rsplit('/').next().unwrap_or_default(),
                file.language,
                file.lines(),
                file.script.passages.len(),
                file.script.characters()
            );
        }
    }
    text + &format!("{all} keys without suggestions\n")
}
