//! Why an answer ends.
//!
//! In: the API's word, and what it says of a refusal. Out: a [`Stop`], and a sentence for a person. Refuses: to
//! take any end but the model's own for a whole answer.

use std::fmt;

/// Why an answer ends where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is finished.
    EndTurn,
    /// It reached what it may be long.
    MaxTokens,
    /// It came to a text that was to end it; none is ever named here.
    StopSequence,
    /// It wants a tool; none is ever offered.
    ToolUse,
    /// It took a break that the next request would end.
    PauseTurn,
    /// The model, or a filter before it, would not.
    Refusal { category: Option<String>, explanation: Option<String> },
    /// Question and answer together reached what the model can hold.
    ContextWindow,
    /// A reason that is newer than this program; empty where none was given.
    Other(String),
}

impl Stop {
    /// The API's word for it.
    pub fn word(&self) -> &str {
        match self {
            Stop::EndTurn => "end_turn",
            Stop::MaxTokens => "max_tokens",
            Stop::StopSequence => "stop_sequence",
            Stop::ToolUse => "tool_use",
            Stop::PauseTurn => "pause_turn",
            Stop::Refusal { .. } => "refusal",
            Stop::ContextWindow => "model_context_window_exceeded",
            Stop::Other(word) => word,
        }
    }

    /// Whether the answer is whole: only then may an edit in it be applied.
    pub fn is_complete(&self) -> bool {
        matches!(self, Stop::EndTurn | Stop::StopSequence)
    }

    #[cfg(feature = "net")]
    pub(super) fn of(word: &str, category: Option<String>, explanation: Option<String>) -> Stop {
        match word {
            "end_turn" => Stop::EndTurn,
            "max_tokens" => Stop::MaxTokens,
            "stop_sequence" => Stop::StopSequence,
            "tool_use" => Stop::ToolUse,
            "pause_turn" => Stop::PauseTurn,
            "refusal" => Stop::Refusal { category, explanation },
            "model_context_window_exceeded" => Stop::ContextWindow,
            other => Stop::Other(other.to_owned()),
        }
    }
}

/// A whole sentence, with what to do where something can be done.
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::EndTurn | Stop::StopSequence => f.write_str("The answer is complete."),
            Stop::MaxTokens => f.write_str(
                "The answer was cut off at its longest; raise `ask.answer_tokens`, or ask for less.",
            ),
            Stop::ToolUse => {
                f.write_str("Claude asked for a tool, which it has not; ask again in other words.")
            }
            Stop::PauseTurn => f.write_str("Claude paused in the middle of its answer; ask again."),
            Stop::Refusal { category, explanation } => {
                f.write_str("Claude declined to answer")?;
                if let Some(category) = category {
                    write!(f, " (category `{category}`)")?;
                }
                match explanation {
                    Some(explanation) => write!(f, ": {explanation}")?,
                    None => f.write_str(".")?,
                }
                f.write_str(
                    " This can happen to harmless code about security or machine learning; asking the same again does not help, other words or less of the code may.",
                )
            }
            Stop::ContextWindow => f.write_str(
                "Question and answer together were more than the model can hold; lower `ask.bundle_tokens`.",
            ),
            Stop::Other(word) if word.is_empty() => {
                f.write_str("The answer ended without a reason, so it is not taken for complete.")
            }
            Stop::Other(word) => write!(
                f,
                "The answer ended for a reason that tandem does not know (`{word}`), so it is not taken for complete."
            ),
        }
    }
}
