//! Kinds of keystrokes, and the scripted engine that answers each as a model would.

use std::sync::Arc;
use std::time::Duration;

use tandem::engine::scripted::{Scripted, Step};

use super::editor::{Answered, Editor};
use super::source::Source;

/// What is typed, over and over; after each line comes a new one.
const LINES: [&str; 6] = [
    "let doubled = bound.saturating_mul(2).min(limit);",
    "let longest = input.iter().copied().max().unwrap_or_default();",
    "tracing::trace!(\"at {doubled} of {longest}\");",
    "assert!(input.len() < usize::MAX / 2, \"{bound}\");",
    "let names: Vec<String> = input.iter().map(u64::to_string).collect();",
    "drop(names);",
];

/// A block as a model writes it: with brackets in every line and more behind its end.
const BLOCK: &str = "
            let shifted = item.rotate_left(3) ^ (bound << 1);
            match shifted.checked_add(*item) {
                Some(sum) if sum < limit => total.push((sum, item)),
                Some(sum) => total.push((sum % limit, item)),
                None => {
                    tracing::warn!(\"{item} is too large for {limit}\");
                    continue;
                }
            }
            if total.len() > bound as usize {
                total.sort_by_key(|(sum, _)| std::cmp::Reverse(*sum));
                total.truncate(bound as usize);
            }
        }
        total.iter().map(|(sum, _)| sum).sum()
";

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A letter of a line; the engine proposes something else each time.
    Line,
    /// A letter of the suggestion shown; the engine is not asked.
    Along,
    /// The opener of a block; the engine writes fifteen lines.
    Block,
    /// A letter somewhere else than the last.
    Jump,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Line, Kind::Along, Kind::Block, Kind::Jump];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Line => "line",
            Kind::Along => "typed along",
            Kind::Block => "block",
            Kind::Jump => "jump",
        }
    }

    fn engine(self) -> Arc<Scripted> {
        Scripted::new(move |request| {
            let middle = &request.prompt.middle;
            let typed = middle[middle.rfind('\n').map_or(0, |at| at + 1)..].trim_start();
            let says = match self {
                Kind::Block => BLOCK,
                // From the first letter on, so that it is asked once a line.
                Kind::Along => {
                    let line = LINES.iter().find_map(|line| line.strip_prefix(typed));
                    line.filter(|_| !typed.is_empty()).unwrap_or_default()
                }
                Kind::Line | Kind::Jump => "§nobody(types, this).at(all);",
            };
            pieces(says)
        })
    }
}

/// Text in pieces of the size of tokens, each ending with a line at the latest.
fn pieces(text: &str) -> Vec<Step> {
    let mut pieces = Vec::new();
    for line in text.split_inclusive('\n') {
        let letters: Vec<char> = line.chars().collect();
        pieces.extend(letters.chunks(4).map(|piece| Step::Text(piece.iter().collect())));
    }
    pieces
}

/// Someone typing one kind of key in one text.
pub struct Typist {
    editor: Editor,
    kind: Kind,
    /// The line and column of the cursor.
    at: (u32, u32),
    lines: u32,
    keys: u32,
    /// The line that is being typed, and how much of it stands there.
    line: usize,
    typed: usize,
}

impl Typist {
    pub async fn new(kind: Kind, source: &Source) -> Typist {
        let editor = Editor::open(kind.engine(), &source.text).await;
        let lines = source.text.matches('\n').count() as u32;
        Typist { editor, kind, at: (source.gap, 8), lines, keys: 0, line: 0, typed: 0 }
    }

    /// Types one key; the time until its answer was there.
    pub async fn key(&mut self) -> Duration {
        self.keys += 1;
        let answered = match self.kind {
            Kind::Line => {
                let answered = self.letter().await;
                let shown = answered.suggested.as_deref().unwrap_or_default();
                assert!(shown.ends_with("all);"), "{shown:?}");
                answered
            }
            Kind::Along => self.letter().await,
            Kind::Block => {
                let answered = self.opener().await;
                let shown = answered.suggested.as_deref().unwrap_or_default();
                assert!(shown.ends_with("\n        }"), "{shown:?}");
                answered
            }
            Kind::Jump => self.elsewhere().await,
        };
        answered.took
    }

    async fn letter(&mut self) -> Answered {
        // Without the `;`, behind which nothing is suggested.
        let line = LINES[self.line % LINES.len()].trim_end_matches(';');
        let (row, column) = self.at;
        if self.typed == line.len() {
            (self.line, self.typed) = (self.line + 1, 0);
            self.editor.replace(self.at, self.at, "\n        ").await;
            self.at = (row + 1, 8);
            return Box::pin(self.letter()).await;
        }
        let letter = &line[self.typed..self.typed + 1];
        self.typed += 1;
        let before = self.at;
        self.at = (row, column + 1);
        self.editor.key(before, before, letter, self.at).await
    }

    async fn opener(&mut self) -> Answered {
        let (row, _) = self.at;
        let line = format!("        for item_{} in input ", self.keys);
        self.editor.replace((row, 0), (row, u32::MAX), &line).await;
        let end = (row, line.len() as u32);
        self.editor.key(end, end, "{", (row, end.1 + 1)).await
    }

    /// At the start of a line, where there is nothing to the right but the break inserted.
    async fn elsewhere(&mut self) -> Answered {
        // A step without a common factor with the number of lines visits them all.
        let row = (u64::from(self.keys) * 7_919 % u64::from(self.lines)) as u32;
        let answered = self.editor.key((row, 0), (row, 0), "x = \n", (row, 4)).await;
        self.editor.replace((row, 0), (row + 1, 0), "").await;
        answered
    }
}
