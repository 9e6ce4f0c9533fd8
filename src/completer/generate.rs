//! One answer from the engine, read along until there is enough of it.

use super::{Completer, Style};
use crate::engine::{Event, Figures, Fork, Request, Stop};
use crate::prompt::Prompt;
use crate::suggestion::{Around, Extent};

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What the model goes on from.
    pub prompt: &'a Prompt,
    /// A line or a block.
    pub extent: Extent,
    /// The text around the cursor.
    pub around: Around<'a>,
    /// How to complete.
    pub style: Style,
    /// The beginning of the answer that is fixed already; the prompt has it.
    pub begun: &'a str,
    /// Forks to hear of at most.
    pub forks: u32,
    /// The name that is written at the cursor must be one of these, sorted; none for any.
    pub names: &'a [String],
}

/// What came.
#[derive(Debug, Default)]
pub struct Generated {
    /// The text, with the beginning that was fixed.
    pub text: String,
    /// It is all that is wanted; else more may follow.
    pub whole: bool,
    /// Where it could have gone on otherwise.
    pub forks: Vec<Fork>,
}

impl Completer {
    /// Asks the engine and reads along until there is enough, or a block has been waited for long
    /// enough. `None` when the engine fails.
    pub(super) async fn generate(
        &self,
        wanted: Wanted<'_>,
        figures: &mut Figures,
    ) -> Option<Generated> {
        let Wanted { prompt, extent, around, style, begun, forks, names } = wanted;
        let deadline = tokio::time::Instant::now() + style.block_wait;
        let mut late = false;
        let (max_tokens, stop) = match extent {
            Extent::Line => (style.line_tokens, Stop::Line),
            Extent::Block => (style.block_tokens, Stop::Never),
        };
        let quick = style.quick;
        let names = names.to_vec();
        let request =
            Request { quick, forks, names, ..Request::new(prompt.clone(), max_tokens, stop) };
        let mut answer = self.engine.complete(request);
        let mut made = Generated { text: begun.to_owned(), ..Generated::default() };
        loop {
            let event = if extent == Extent::Block && !late {
                tokio::select! {
                    biased;
                    event = answer.next() => event,
                    () = tokio::time::sleep_until(deadline) => {
                        late = true;
                        if let Some(lines) = shown_early(&made.text) {
                            return Some(Generated { text: lines, ..made });
                        }
                        continue;
                    }
                }
            } else {
                answer.next().await
            };
            match event? {
                Event::Begun(so_far) => *figures = so_far,
                Event::Forks(forks) => made.forks = forks,
                Event::Text(piece) => {
                    let line_ended = piece.contains('\n');
                    made.text.push_str(&piece);
                    figures.generated += 1;
                    // The engine stops a line by itself and then says what it cost.
                    if extent == Extent::Block
                        && line_ended
                        && let Some(end) = extent.reached(around, &made.text)
                    {
                        made.text.truncate(end);
                        return Some(Generated { whole: true, ..made });
                    }
                    if late
                        && line_ended
                        && let Some(lines) = shown_early(&made.text)
                    {
                        return Some(Generated { text: lines, ..made });
                    }
                }
                Event::Done(all) => {
                    *figures = all;
                    let at_limit = all.generated + 1 >= max_tokens;
                    made.text.truncate(extent.cut(around, &made.text, at_limit));
                    return Some(Generated { whole: true, ..made });
                }
                Event::Failed(message) => {
                    tracing::debug!("no completion: {message}");
                    return None;
                }
            }
        }
    }
}

/// The lines of a block so far, when there is one worth showing.
fn shown_early(text: &str) -> Option<String> {
    let lines = &text[..=text.rfind('\n')?];
    (!lines.trim().is_empty()).then(|| lines.to_owned())
}
