//! Several suggestions for one place, when a person asks.
//!
//! In: the first suggestion, and where its line could nearly have gone on otherwise. Out: suggestions
//! along the likeliest of these ways, each decoded greedily to its end. Nothing is drawn by lot, so the
//! same place has the same candidates. What says the same as another but for blanks is left out.

use std::time::{Duration, Instant};

use super::Completer;
use super::generate::{Generated, Wanted};
use crate::engine::{Figures, Fork};
use crate::suggestion::{self, Extent, Suggestion};

/// Ways to hear of: many lead to what was said already.
pub const FORKS: u32 = 8;
/// No way is begun later. A person who asked waits, but not long.
const PATIENCE: Duration = Duration::from_secs(2);

impl Completer {
    /// Suggestions besides the `first`. `main` is the answer behind it with its forks; none when
    /// it was remembered, then the model is asked anew.
    pub(super) async fn others(
        &self,
        document: &str,
        wanted: Wanted<'_>,
        first: &Suggestion,
        main: Option<(String, Vec<Fork>)>,
        figures: &mut Figures,
    ) -> Vec<Suggestion> {
        let started = Instant::now();
        let mut found = vec![first.clone()];
        let most = wanted.style.candidates;
        let (answer, forks) = match main {
            Some(main) => main,
            None => {
                let Some(made) = self.generate(wanted, figures).await else { return Vec::new() };
                add(&mut found, &made.text, wanted);
                (made.text, made.forks)
            }
        };
        for fork in forks {
            if found.len() >= most || started.elapsed() > PATIENCE {
                break;
            }
            let Some(begun) = along(&answer, &fork) else { continue };
            let prompt = wanted.prompt.further(&begun);
            let ends = fork.text.is_empty() || begun.contains('\n');
            let (text, whole) = if ends && wanted.extent == Extent::Line {
                (begun.split('\n').next().unwrap_or_default().to_owned(), true)
            } else {
                let mut cost = Figures::default();
                let wanted = Wanted { prompt: &prompt, begun: &begun, forks: 0, ..wanted };
                let made = self.generate(wanted, &mut cost).await;
                figures.evaluated += cost.evaluated;
                figures.generated += cost.generated;
                let Some(Generated { text, whole, .. }) = made else { break };
                if let Some(mut memory) = self.documents.get_mut(document) {
                    memory.remember(
                        &prompt,
                        text[begun.len().min(text.len())..].to_owned(),
                        whole,
                        false,
                    );
                }
                (text, whole)
            };
            if add(&mut found, &text, wanted)
                && let Some(mut memory) = self.documents.get_mut(document)
            {
                memory.remember_beside(wanted.prompt, text, whole);
            }
        }
        found.split_off(1)
    }
}

/// Adds what a text shows, if that is something else; says whether it did.
fn add(found: &mut Vec<Suggestion>, text: &str, wanted: Wanted) -> bool {
    let Some(suggestion) = suggestion::shape(text, wanted.around) else { return false };
    let marks = |s: &Suggestion| s.text.split_whitespace().collect::<String>();
    let is_new = found.iter().all(|known| marks(known) != marks(&suggestion));
    if is_new {
        found.push(suggestion);
    }
    is_new
}

/// The answer's beginning up to a fork, and on along it; `None` where the answer went that way itself.
fn along(answer: &str, fork: &Fork) -> Option<String> {
    let (before, after) = answer.split_at_checked(fork.at)?;
    let elsewhere = fork.text.is_empty() || !after.starts_with(&fork.text);
    let text = format!("{before}{}", fork.text);
    (elsewhere && !text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_the_answer_took_itself_is_none() {
        let along = |at, text: &str| {
            along("get_all()", &Fork { at, text: text.into(), ln: 0.0, behind: 0.0 })
        };
        assert_eq!(along(0, "put").as_deref(), Some("put"));
        assert_eq!(along(4, "one").as_deref(), Some("get_one"));
        assert_eq!(along(0, "get"), None);
        assert_eq!(along(7, "").as_deref(), Some("get_all"));
        assert_eq!(along(0, " "), None);
        assert_eq!(along(99, "x"), None);
    }
}
