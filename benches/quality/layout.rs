//! Ways of asking the same model at the same place.
//!
//! In: the request that the server made, and the row. Out: the request that the model gets. Pure.

use ropey::Rope;
use tandem::engine::Request;
use tandem::eval::row::Row;
use tandem::prompt::{Budget, Prompt, prompt};
use tandem::syntax;

/// Characters of suffix that others send.
const SUFFIX: usize = 800;

/// A way of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// What others send: the prefix ends at the cursor. The same window, no healing.
    UpToCursor,
    /// As the server asks where it knows no other files.
    Anchored,
    /// As the server asks, with what it knows of other files.
    Context,
    /// The same, but any name may be written.
    AnyName,
    /// With the definition of what is called there, and nothing else.
    ByHand,
    /// Anchored so many lines above the cursor's.
    Above(usize),
    /// Anchored, by the engine on the other end of `--elsewhere`.
    Elsewhere,
}

impl Layout {
    /// By its name on the command line.
    pub fn named(name: &str) -> Option<Layout> {
        let named = [
            Layout::UpToCursor,
            Layout::Anchored,
            Layout::Context,
            Layout::AnyName,
            Layout::ByHand,
        ];
        let above = || name.strip_prefix("above-")?.parse().ok().map(Layout::Above);
        named.into_iter().find(|layout| layout.name() == name).or_else(above)
    }

    pub fn name(self) -> String {
        match self {
            Layout::UpToCursor => "up-to-cursor".into(),
            Layout::Anchored => "anchored".into(),
            Layout::Context => "context".into(),
            Layout::AnyName => "any-name".into(),
            Layout::ByHand => "by-hand".into(),
            Layout::Above(lines) => format!("above-{lines}"),
            Layout::Elsewhere => "elsewhere".into(),
        }
    }

    /// Does the server itself have to know the other files?
    pub fn knows_files(self) -> bool {
        matches!(self, Layout::Context | Layout::AnyName)
    }

    /// What the model gets where the server asks this.
    pub fn rewrite(self, asked: Request, row: &Row) -> Request {
        let Request { prompt: made, names, .. } = asked.clone();
        let (prompt, names) = match self {
            Layout::Anchored | Layout::Context | Layout::Elsewhere => (made, names),
            Layout::AnyName => (made, Vec::new()),
            Layout::UpToCursor => {
                let Prompt { prefix, middle, .. } = made;
                let suffix = row.after.replace("\r\n", "\n").chars().take(SUFFIX).collect();
                let prefix = format!("{prefix}{middle}");
                (Prompt { prefix, suffix, ..Prompt::default() }, Vec::new())
            }
            Layout::ByHand => (by_hand(made, row), names),
            Layout::Above(lines_above) => {
                let budget = Budget { lines_above, ..Budget::default() };
                (prompt(&Rope::from_str(&row.text()), row.before.len(), budget, None).0, names)
            }
        };
        Request { prompt, names, ..asked }
    }
}

/// With the definition of what is called at the row's cursor, as a comment before the anchor.
fn by_hand(made: Prompt, row: &Row) -> Prompt {
    let indent: String = made.middle.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let leader = syntax::language(&row.language).map(|language| language.comment);
    let call = row.call.as_ref().zip(leader);
    let line = call.map(|(call, leader)| format!("{indent}{leader} {}\n", call.definition));
    Prompt { context: line.unwrap_or_default(), ..made }
}
