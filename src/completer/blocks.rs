//! The block that a suggested line opens.
//!
//! In: the line, and what was decoded ahead of it. Out: the block, whole or not at all, to be shown with
//! its line. Whoever types does not wait for it: it comes with the next key, once it is there; whoever
//! asked waits.

use super::Completer;
use super::generate::Wanted;
use crate::engine::Figures;
use crate::suggestion::{self, Around, Extent, Suggestion};

/// A place behind a line that opens a block.
#[derive(Clone, Debug)]
pub struct Opened {
    before: String,
    below: String,
    language: String,
}

impl Opened {
    /// By a suggested line; `None` when it opens none.
    pub fn by(line: &str, around: Around) -> Option<Opened> {
        if line.contains('\n') || !around.rest_of_line.trim().is_empty() {
            return None;
        }
        let opened = Opened {
            before: format!("{}{line}", around.before),
            below: around.below.to_owned(),
            language: around.language.to_owned(),
        };
        (Extent::wanted(opened.around()) == Extent::Block).then_some(opened)
    }

    /// Where `text`, generated behind the line, has gone far enough; `None` while more is needed.
    pub fn reached(&self, text: &str) -> Option<usize> {
        Extent::Block.reached(self.around(), text)
    }

    fn around(&self) -> Around<'_> {
        let Opened { before, below, language } = self;
        Around { before, rest_of_line: "", below, language }
    }
}

impl Completer {
    /// The suggested line with the block that it opens.
    pub(super) async fn with_block(
        &self,
        document: &str,
        wanted: Wanted<'_>,
        line: &Suggestion,
        opened: &Opened,
        invoked: bool,
        figures: &mut Figures,
    ) -> Option<Suggestion> {
        let prompt = wanted.prompt.further(&line.text);
        let known = self.documents.get(document).and_then(|memory| {
            memory.known(&prompt).find_map(|known| known.enough(Extent::Block, opened.around()))
        });
        let block = match known {
            Some(block) => block,
            None if invoked => {
                let (extent, around) = (Extent::Block, opened.around());
                let wanted = Wanted { prompt: &prompt, extent, around, forks: 0, ..wanted };
                let mut cost = Figures::default();
                let made = self.generate(wanted, &mut cost).await?;
                figures.evaluated += cost.evaluated;
                figures.generated += cost.generated;
                self.remember(document, &prompt, made.text.clone(), made.whole, false);
                made.whole.then_some(made.text)?
            }
            None => return None,
        };
        let whole = suggestion::shape(&format!("{}{block}", line.text), wanted.around)?;
        // Cut back to less than the block, it is the line that is wanted.
        whole.text.starts_with(&line.text).then_some(whole)
    }
}
