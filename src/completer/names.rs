//! Answers with a name that cannot stand where it does: the model made it up, or took it from another type.
//!
//! In: an answer, and what is known of the workspace. Out: the answer with a name that can stand in that
//! place, or the word that it is doubtful. Where what stands before a name is of a known type, or a module, its
//! members can, and names of libraries; elsewhere any name that occurs in the workspace, and if the model is
//! very sure any at all: a name may be new, or of a library that nothing else uses yet.

use super::generate::{Generated, Wanted};
use super::{Completer, Place, is_below};
use crate::engine::Figures;
use crate::suggestion::members::{Member, members};
use crate::suggestion::{Around, Extent};
use crate::workspace::words;
use crate::{context, syntax, workspace};

/// Percent: an answer whose least certain token is likelier than this may use a new name.
const CONFIDENCE: u32 = 90;
/// In a workspace with fewer names than this, even those of the standard library may not occur.
pub const MANY: usize = 3_000;
/// More names than this are too many to send to the engine; then there is no second try.
const MOST: usize = 50_000;
/// What so many files define is a method of a trait, mostly, and perhaps of a library's: any type may have
/// it.
const COMMON: usize = 3;
/// But for this: no trait has it.
const NEW: &str = "new";

/// A name that cannot stand where it does.
struct Mistake {
    member: Member,
    /// What can, sorted, where that is known.
    instead: Option<Vec<String>>,
}

impl Completer {
    /// [`generate`](Self::generate), and whether the answer is doubtful. A name that cannot stand where it
    /// does is tried again among those that can.
    pub(super) async fn generate_known(
        &self,
        place: &Place<'_>,
        wanted: Wanted<'_>,
        figures: &mut Figures,
    ) -> Option<(Generated, bool)> {
        let made = self.generate(wanted, figures).await?;
        let Wanted { around, style, .. } = wanted;
        let doubtful = style.is_doubtful(figures.confidence);
        let may_be_new = !is_below(figures.confidence, CONFIDENCE);
        let Some(mistake) = self.mistake(place, &made.text, around, may_be_new) else {
            return Some((made, doubtful));
        };
        // Percent 0 shows everything.
        let given_up = style.confidence > 0;
        let Mistake { member, instead } = mistake;
        let in_first_line = !made.text[..member.at].contains('\n');
        let names = match instead {
            _ if !in_first_line || wanted.extent != Extent::Line => Vec::new(),
            Some(names) => names,
            None if place.invoked || !doubtful => self.names(around),
            None => Vec::new(),
        };
        if names.is_empty() {
            return Some((made, given_up));
        }
        let begun = &made.text[..member.at];
        let prompt = wanted.prompt.further(begun);
        let mut cost = Figures::default();
        let again = Wanted { prompt: &prompt, begun, forks: 0, names: &names, ..wanted };
        let again = self.generate(again, &mut cost).await;
        figures.evaluated += cost.evaluated;
        figures.generated += cost.generated;
        tracing::debug!(name = member.name, again = ?again.as_ref().map(|a| &a.text), "no such name");
        let is_better =
            |again: &Generated| self.mistake(place, &again.text, around, may_be_new).is_none();
        match again.filter(is_better) {
            Some(again) => {
                let doubtful = doubtful && !begun.is_empty() || style.is_doubtful(cost.confidence);
                Some((Generated { forks: made.forks, ..again }, doubtful))
            }
            None => Some((made, given_up)),
        }
    }

    /// The first thing that a text takes by a name that cannot be there.
    fn mistake(
        &self,
        place: &Place<'_>,
        text: &str,
        around: Around<'_>,
        may_be_new: bool,
    ) -> Option<Mistake> {
        let members = members(text, around);
        if members.is_empty() {
            return None;
        }
        let are_few = self.workspace.words().len() < MANY;
        let near = [around.before, around.rest_of_line, around.below];
        let is_near =
            |name: &str| near.iter().any(|text| words::names(text).any(|known| known == name));
        for member in members {
            let name = &member.name;
            let occurs = are_few || is_near(name) || self.workspace.words().has(name);
            let instead = self.possible(place, text, &member, occurs);
            let cannot_be = instead.as_ref().is_some_and(|all| all.binary_search(name).is_err());
            if cannot_be || !occurs && !may_be_new {
                return Some(Mistake { member, instead });
            }
        }
        None
    }

    /// The names that can stand where one does, if all that can are known: not where a library may have it.
    fn possible(
        &self,
        place: &Place<'_>,
        text: &str,
        member: &Member,
        occurs: bool,
    ) -> Option<Vec<String>> {
        let language = syntax::language(place.language)?;
        if text[..member.at].contains('\n') || place.text.len_bytes() as u64 > workspace::MAX_FILE {
            return None;
        }
        let index = self.workspace.index();
        // A name that occurs and is defined nowhere is a library's.
        let mut named = index.named(&member.name).peekable();
        let homonyms = named.peek().map(|found| found.homonyms);
        if homonyms.map_or(occurs, |homonyms| homonyms >= COMMON && member.name != NEW)
            // In Rust a trait may be implemented for every type.
            || named.any(|found| context::is_of_a_trait(&index, &found))
        {
            return None;
        }
        let mut whole = place.text.to_string();
        whole.insert_str(place.cursor, &text[..member.at]);
        let cursor = place.cursor + member.at;
        let at = context::Place { language, text: &whole, cursor, path: place.path };
        context::possible(&index, at)
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
