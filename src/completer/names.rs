//! Answers that take something by a name that occurs nowhere: the model made it up.
//!
//! In: an answer, and the names of the workspace. Out: the answer with a name that exists in that place,
//! or the word that it is doubtful. Only what a model is not very sure of is looked at: a name may
//! be new, or of a library that nothing else uses yet.

use super::generate::{Generated, Wanted};
use super::{Completer, is_below};
use crate::engine::Figures;
use crate::suggestion::members::{Member, members};
use crate::suggestion::{Around, Extent};
use crate::workspace::words;

/// Percent: an answer whose least certain token is likelier than this may use a new name.
const CONFIDENCE: u32 = 90;
/// In a workspace with fewer names than this, even those of the standard library may not occur.
pub const MANY: usize = 3_000;
/// More names than this are too many to send to the engine; then there is no second try.
const MOST: usize = 50_000;

impl Completer {
    /// [`generate`](Self::generate), and whether the answer is doubtful. A name that occurs nowhere is
    /// tried again among those that do.
    pub(super) async fn generate_known(
        &self,
        wanted: Wanted<'_>,
        invoked: bool,
        figures: &mut Figures,
    ) -> Option<(Generated, bool)> {
        let made = self.generate(wanted, figures).await?;
        let Wanted { around, style, .. } = wanted;
        let doubtful = style.is_doubtful(figures.confidence);
        // Percent 0 shows everything.
        let may_be = style.confidence > 0 && is_below(figures.confidence, CONFIDENCE);
        let made_up = if may_be { self.made_up(&made.text, around) } else { None };
        let Some(member) = made_up else { return Some((made, doubtful)) };
        let in_first_line = !made.text[..member.at].contains('\n');
        let names = if in_first_line && wanted.extent == Extent::Line && (invoked || !doubtful) {
            self.names(around)
        } else {
            Vec::new()
        };
        if names.is_empty() {
            return Some((made, true));
        }
        let begun = &made.text[..member.at];
        let prompt = wanted.prompt.further(begun);
        let mut cost = Figures::default();
        let again = Wanted { prompt: &prompt, begun, forks: 0, names: &names, ..wanted };
        let again = self.generate(again, &mut cost).await;
        figures.evaluated += cost.evaluated;
        figures.generated += cost.generated;
        tracing::debug!(name = member.name, again = ?again.as_ref().map(|a| &a.text), "made up");
        match again.filter(|again| self.made_up(&again.text, around).is_none()) {
            Some(again) => {
                let doubtful = doubtful || style.is_doubtful(cost.confidence);
                Some((Generated { forks: made.forks, ..again }, doubtful))
            }
            None => Some((made, true)),
        }
    }

    /// The first thing that a text takes by a name that is in no file of the workspace, nor near the
    /// cursor.
    fn made_up(&self, text: &str, around: Around<'_>) -> Option<Member> {
        let words = self.workspace.words();
        if words.len() < MANY {
            return None;
        }
        let near = [around.before, around.rest_of_line, around.below];
        let occurs = |name: &str| {
            words.has(name) || near.iter().any(|text| words::names(text).any(|known| known == name))
        };
        members(text, around).into_iter().find(|member| !occurs(&member.name))
    }

    /// What the workspace defines and what stands near, sorted; none when that is too much.
    fn names(&self, around: Around<'_>) -> Vec<String> {
        let index = self.workspace.index();
        let defined: Vec<&str> = index.names().take(MOST + 1).collect();
        if defined.len() > MOST {
            return Vec::new();
        }
        // The name that the cursor is in is not finished.
        let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
        let before = around.before.trim_end_matches(is_of_a_name);
        let near = [before, around.rest_of_line, around.below].into_iter().flat_map(words::names);
        let mut names: Vec<String> = defined.into_iter().chain(near).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
