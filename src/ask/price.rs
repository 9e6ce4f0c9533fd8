//! Models and what they cost: data with dates, which the user may override.

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

/// A model and its prices, as the table and the user's settings write them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ModelPrices {
    /// As the API calls it.
    pub id: String,
    /// A short name: `sonnet`.
    #[serde(default)]
    pub alias: Option<String>,
    /// The prices, as they changed.
    pub prices: Vec<Price>,
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
