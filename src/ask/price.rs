//! Models and what they cost: data with dates, which the user may override.
//!
//! In: the table in `price/models.toml`, the user's own entries, tokens. Out: [`Money`]. Refuses: a price
//! that is no number, is negative or absurd; a model that has no price, because nobody could say what
//! asking it may cost.

use std::fmt;
use std::iter::Sum;

use crate::settings::Effort;

mod rates;
mod table;

pub use table::{Model, Table, UnknownModel};

/// Money, in thousand-millionths of a dollar: a price per million tokens is a whole number of them per
/// token.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub u64);

/// [`Money`]'s unit in a dollar.
const NANO: f64 = 1e9;

impl Money {
    pub const ZERO: Money = Money(0);

    /// Nothing for what is negative or no number, the most there is for what is too much.
    pub fn from_dollars(dollars: f64) -> Money {
        // A cast from f64 saturates, and gives 0 for NaN.
        Money((dollars * NANO).round() as u64)
    }

    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANO
    }

    /// The sum, or the most there is.
    pub fn saturating_add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    pub fn saturating_sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        all.fold(Money::ZERO, Money::saturating_add)
    }
}

/// `$12.34`; below a dollar with four places, `$0.0132`, and what would then be nothing as `<$0.0001`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        match self.0 {
            0 => f.write_str("$0.00"),
            1..50_000 => f.write_str("<$0.0001"),
            50_000..999_950_000 => write!(f, "${dollars:.4}"),
            _ => write!(f, "${dollars:.2}"),
        }
    }
}

/// Tokens of one request, as the API counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Neither written to the cache nor read from it.
    pub input: u64,
    pub cache_write: u64,
    pub cache_read: u64,
    /// With thinking.
    pub output: u64,
}

impl Usage {
    /// Tokens of the whole prompt.
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_write).saturating_add(self.cache_read)
    }
}

/// A model and its prices, as the table and the user's settings write them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ModelPrices {
    /// As the API calls it.
    pub id: String,
    /// A short name: `sonnet`.
    #[serde(default)]
    pub alias: Option<String>,
    /// Whether it can be told how to think.
    #[serde(default)]
    pub thinking: Thinking,
    /// How hard it thinks when it is not told.
    #[serde(default)]
    pub default_effort: Option<Effort>,
    /// The prices, as they changed.
    pub prices: Vec<Price>,
}

/// What a model takes of the settings for thinking.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It decides how much to think, within an effort.
    #[default]
    Adaptive,
    /// None: an older model, or a gateway's own.
    Unsupported,
}

/// Prices from a day on, in dollars for a million tokens.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Price {
    /// `2026-10-07`; from the beginning where not set.
    #[serde(default)]
    pub from: Option<String>,
    /// Only for prompts of at most so many tokens; for all where not set.
    #[serde(default)]
    pub prompt_up_to: Option<u64>,
    pub input: f64,
    pub output: f64,
    /// Kept for five minutes.
    pub cache_write: f64,
    pub cache_read: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_dollars() {
        let shown = [0.0, 0.000_01, 0.000_05, 0.0132, 0.999_949, 0.999_95, 1.0, 12.345, 250.0];
        let shown = shown.map(|dollars| Money::from_dollars(dollars).to_string());
        let expected = [
            "$0.00", "<$0.0001", "$0.0001", "$0.0132", "$0.9999", "$1.00", "$1.00", "$12.35",
            "$250.00",
        ];
        // Halves round to even as they are held in binary.
        assert_eq!(shown[..7], expected[..7]);
        assert!(["$12.34", "$12.35"].contains(&shown[7].as_str()));
        assert_eq!(shown[8], expected[8]);
    }

    #[test]
    fn no_number_makes_negative_or_wrapped_money() {
        assert_eq!(Money::from_dollars(-5.0), Money::ZERO);
        assert_eq!(Money::from_dollars(f64::NAN), Money::ZERO);
        assert_eq!(Money::from_dollars(f64::INFINITY), Money(u64::MAX));
        assert_eq!(Money(u64::MAX).saturating_add(Money(1)), Money(u64::MAX));
        assert_eq!(Money(1).saturating_sub(Money(2)), Money::ZERO);
        assert_eq!([Money(1), Money(u64::MAX)].into_iter().sum::<Money>(), Money(u64::MAX));
    }
}
