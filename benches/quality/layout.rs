//! Ways of asking the same model at the same place.
//!
//! In: the prompt that the server made, and the row. Out: the prompt that the model gets. Pure.

use ropey::Rope;
use tandem::prompt::{Budget, Prompt, prompt};
use tandem::syntax;

use crate::rows::Row;

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
    /// With the definition of what is called there, and nothing else.
    ByHand,
    /// Anchored so many lines above the cursor's.
    Above(usize),
}

impl Layout {
    /// By its name on the command line.
    pub fn named(name: &str) -> Option<Layout> {
        [Layout::UpToCursor, Layout::Anchored, Layout::Context, Layout::ByHand]
            .into_iter()
            .find(|layout| layout.name() == name)
            .or_else(|| name.strip_prefix("above-")?.parse().ok().map(Layout::Above))
    }

    pub fn name(self) -> String {
        match self {
            Layout::UpToCursor => "up-to-cursor".into(),
            Layout::Anchored => "anchored".into(),
            Layout::Context => "context".into(),
            Layout::ByHand => "by-hand".into(),
            Layout::Above(lines) => format!("above-{lines}"),
        }
    }

    /// Does the server itself have to know the other files?
    pub fn knows_files(self) -> bool {
        self == Layout::Context
    }

    /// What the model gets where the server asks this.
    pub fn rewrite(self, asked: Prompt, row: &Row) -> Prompt {
        match self {
            Layout::Anchored | Layout::Context => asked,
            Layout::UpToCursor => {
                let Prompt { prefix, middle, .. } = asked;
                let suffix = row.after.replace("\r\n", "\n").chars().take(SUFFIX).collect();
                let prefix = format!("{prefix}{middle}");
                Prompt { prefix, suffix, ..Prompt::default() }
            }
            Layout::ByHand => {
                let indent: String =
                    asked.middle.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
                let leader = syntax::language(&row.language).map(|language| language.comment);
                let line = row
                    .call
                    .as_ref()
                    .zip(leader)
                    .map(|(call, leader)| format!("{indent}{leader} {}\n", call.definition));
                Prompt { context: line.unwrap_or_default(), ..asked }
            }
            Layout::Above(lines_above) => {
                let budget = Budget { lines_above, ..Budget::default() };
                prompt(&Rope::from_str(&row.text()), row.before.len(), budget, None).0
            }
        }
    }
}
