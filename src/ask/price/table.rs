//! The models that are known: those of the built-in table, and the user's own before them.
//!
//! In: the user's `[[ask.models]]`. Out: models by id or short name; a warning for each entry that is left
//! out. Refuses: to guess a price.

use std::collections::HashSet;

use jiff::civil::Date;

use super::rates::Rates;
use super::{ModelPrices, Money, Thinking, Usage};
use crate::settings::Effort;

const BUILT_IN: &str = include_str!("models.toml");

/// Bytes of a model's name; none is near it.
const LONGEST_NAME: usize = 200;

/// A usual answer is taken for this part of what an answer may take: 2,000 tokens of 16,000. An assumption,
/// for the lower end of what is shown; what is reserved does not rest on it.
const USUAL_PART: u64 = 8;

/// A model that has a price.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    id: String,
    alias: Option<String>,
    thinking: Thinking,
    default_effort: Option<Effort>,
    rates: Rates,
}

/// The name of no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no price is known for the model `{name}`, so what it may cost cannot be limited; use {known}, or add it to your config.toml: [[ask.models]] with id = \"{name}\" and prices = [{{ input = …, output = …, cache_write = …, cache_read = … }}], in dollars for a million tokens"
)]
pub struct UnknownModel {
    name: String,
    known: String,
}

/// All models with a price, the user's own first.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    models: Vec<Model>,
    /// The day on which the built-in prices were looked at last, as `2026-11-21`.
    checked: String,
}

#[derive(serde::Deserialize)]
struct File {
    checked: String,
    models: Vec<ModelPrices>,
}

impl Table {
    /// The table, and what a person should hear about their own entries.
    pub fn new(own: &[ModelPrices]) -> (Table, Vec<String>) {
        let (file, mut warnings) = match toml::from_str::<File>(BUILT_IN) {
            Ok(file) => (file, Vec::new()),
            // A test reads this very text.
            Err(error) => {
                let file = File { checked: String::new(), models: Vec::new() };
                (file, vec![format!("tandem's table of prices cannot be read: {error}")])
            }
        };
        let mut models: Vec<Model> = Vec::new();
        let (mut ids, mut aliases) = (HashSet::new(), HashSet::new());
        for (number, prices) in own.iter().chain(&file.models).enumerate() {
            let is_own = number < own.len();
            let built_in = file.models.iter().find(|model| model.id == prices.id);
            let model = match Model::new(prices, built_in.filter(|_| is_own)) {
                Ok(model) => model,
                Err(reason) => {
                    warnings.push(format!("ask.models: {reason}; it is left out"));
                    continue;
                }
            };
            if !ids.insert(model.id.clone()) {
                if is_own {
                    warnings.push(format!(
                        "ask.models: `{}` is there twice; the first counts",
                        model.id
                    ));
                }
                continue;
            }
            let alias = model.alias.clone().filter(|alias| aliases.insert(alias.clone()));
            models.push(Model { alias, ..model });
        }
        (Table { models, checked: file.checked }, warnings)
    }

    /// By the API's name or the short one.
    pub fn find(&self, name: &str) -> Option<&Model> {
        let by_id = self.models.iter().find(|model| model.id == name);
        by_id.or_else(|| self.models.iter().find(|model| model.alias.as_deref() == Some(name)))
    }

    /// As [`find`](Table::find), with a sentence for a person where there is none.
    ///
    /// # Errors
    /// When no model of that name has a price; it says how to add one.
    pub fn model(&self, name: &str) -> Result<&Model, UnknownModel> {
        self.find(name).ok_or_else(|| {
            let known: Vec<&str> = self.models.iter().map(Model::short_name).collect();
            UnknownModel { name: printable(name), known: known.join(", ") }
        })
    }

    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The day on which the built-in prices were looked at last, as `2026-11-21`.
    pub fn checked(&self) -> &str {
        &self.checked
    }
}

impl Model {
    fn new(prices: &ModelPrices, built_in: Option<&ModelPrices>) -> Result<Model, String> {
        let (id, alias) = (&prices.id, prices.alias.as_ref());
        for name in [Some(id), alias].into_iter().flatten() {
            let is_name = (1..=LONGEST_NAME).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_graphic() && c != '"');
            if !is_name {
                return Err(format!("`{}` is no name of a model", printable(name)));
            }
        }
        let rates = Rates::new(&prices.prices).map_err(|reason| format!("`{id}` {reason}"))?;
        Ok(Model {
            id: id.clone(),
            alias: alias.or(built_in.and_then(|model| model.alias.as_ref())).cloned(),
            thinking: prices.thinking,
            default_effort: prices
                .default_effort
                .or(built_in.and_then(|model| model.default_effort)),
            rates,
        })
    }

    /// As the API calls it.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// The alias, or the id where there is none.
    pub fn short_name(&self) -> &str {
        self.alias().unwrap_or(&self.id)
    }

    /// Whether it takes `thinking` and `output_config.effort`.
    pub fn thinking(&self) -> Thinking {
        self.thinking
    }

    pub fn default_effort(&self) -> Option<Effort> {
        self.default_effort
    }

    /// What a request cost at the prices of that day.
    pub fn cost(&self, usage: &Usage, day: Date) -> Money {
        self.rates.cost(usage, day)
    }

    /// What a request will probably cost: from the lower estimate of its tokens with an answer of usual
    /// length, to the [worst](Model::worst). The first is never above the second.
    pub fn range(
        &self,
        input_low: u64,
        input_high: u64,
        answer_tokens: u64,
        day: Date,
    ) -> (Money, Money) {
        let output = answer_tokens / USUAL_PART;
        let usual = Usage { input: input_low.min(input_high), output, ..Usage::default() };
        let worst = self.worst(input_high, answer_tokens, day);
        (self.cost(&usual, day).min(worst), worst)
    }

    /// What to reserve: the higher estimate of the prompt, all of it written to the cache where that costs
    /// more, and every token that the answer may take.
    pub fn worst(&self, input_high: u64, answer_tokens: u64, day: Date) -> Money {
        self.rates.worst(input_high, answer_tokens, day)
    }
}

/// A name of somebody else's, fit to be shown.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 11, 21);

    fn table() -> Table {
        let (table, warnings) = Table::new(&[]);
        assert_eq!(warnings, Vec::<String>::new());
        table
    }

    fn own(text: &str) -> Vec<ModelPrices> {
        #[derive(serde::Deserialize)]
        struct Own {
            models: Vec<ModelPrices>,
        }
        toml::from_str::<Own>(text).unwrap().models
    }

    #[test]
    fn the_built_in_table_has_all_its_models() {
        let table = table();
        assert!(table.models().len() >= 7);
        assert!(table.checked().parse::<Date>().is_ok());
        let ids = ["sonnet", "opus", "haiku", "fable"].map(|name| table.find(name).unwrap().id());
        let known =
            ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2"];
        assert_eq!(ids, known);
        assert_eq!(table.find("claude-opus-5-5").unwrap().alias(), Some("opus"));
    }

    #[test]
    fn a_usual_question_costs_what_it_should() {
        let table = table();
        let usage = Usage { input: 30_000, output: 4_000, ..Usage::default() };
        let costs = ["haiku", "sonnet", "opus", "fable"]
            .map(|name| table.find(name).unwrap().cost(&usage, DAY).to_string());
        assert_eq!(costs, ["$0.0050", "$0.1000", "$0.2000", "$0.4000"]);
    }

    #[test]
    fn sonnets_cache_became_cheaper_in_october() {
        let (table, usage) = (table(), Usage { cache_read: 1_000_000, ..Usage::default() });
        let sonnet = table.find("sonnet").unwrap();
        assert_eq!(sonnet.cost(&usage, date(2026, 10, 6)), Money::from_dollars(0.2));
        assert_eq!(sonnet.cost(&usage, date(2026, 10, 7)), Money::from_dollars(0.1));
    }

    #[test]
    fn haikus_price_steps_up_with_the_prompt() {
        let table = table();
        let haiku = table.find("haiku").unwrap();
        let cost = |input| haiku.cost(&Usage { input, ..Usage::default() }, DAY);
        assert_eq!(cost(100_000), Money::from_dollars(0.01));
        assert_eq!(cost(100_001), Money(50_000_500));
    }

    #[test]
    fn a_range_has_an_order_and_ends_at_what_is_reserved() {
        let table = table();
        for model in table.models() {
            let (low, high) = model.range(20_000, 30_000, 16_000, DAY);
            assert!(Money::ZERO < low && low < high, "{}", model.id());
            assert_eq!(high, model.worst(30_000, 16_000, DAY));
            assert!(model.range(9, 1, 0, DAY).0 <= model.range(9, 1, 0, DAY).1);
        }
        let sonnet = table.find("sonnet").unwrap();
        // 30,000 written to the cache at $2.50, 16,000 answered at $10.
        assert_eq!(sonnet.worst(30_000, 16_000, DAY), Money::from_dollars(0.075 + 0.16));
    }

    #[test]
    fn the_users_prices_come_before_ours_and_keep_the_short_name() {
        let own = own(
            "[[models]]\nid = \"claude-sonnet-5-5\"\nprices = [{ input = 7, output = 7, cache_write = 7, cache_read = 7 }]",
        );
        let (table, warnings) = Table::new(&own);
        assert_eq!(warnings, Vec::<String>::new());
        let million = Usage { input: 1_000_000, ..Usage::default() };
        assert_eq!(table.find("sonnet").unwrap().cost(&million, DAY).to_string(), "$7.00");
        assert_eq!(
            table.models().iter().filter(|model| model.id() == "claude-sonnet-5-5").count(),
            1
        );
    }

    #[test]
    fn a_users_model_can_take_a_short_name_over() {
        let own = own(
            "[[models]]\nid = \"gateway/s\"\nalias = \"sonnet\"\nthinking = \"unsupported\"\nprices = [{ input = 1, output = 1, cache_write = 1, cache_read = 1 }]",
        );
        let (table, _) = Table::new(&own);
        let model = table.find("sonnet").unwrap();
        assert_eq!((model.id(), model.thinking()), ("gateway/s", Thinking::Unsupported));
        assert_eq!(table.find("claude-sonnet-5-5").unwrap().alias(), None);
    }

    #[test]
    fn a_wrong_entry_is_named_and_ours_stays() {
        let own = own(
            "[[models]]\nid = \"claude-opus-5-5\"\nprices = [{ input = nan, output = 1, cache_write = 1, cache_read = 1 }]\n[[models]]\nid = \"two words\"\nprices = []",
        );
        let (table, warnings) = Table::new(&own);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].contains("claude-opus-5-5") && warnings[0].contains("`input`"),
            "{warnings:?}"
        );
        assert!(warnings[1].contains("two words"), "{warnings:?}");
        assert_eq!(table.find("opus").unwrap().id(), "claude-opus-5-5");
    }

    #[test]
    fn a_model_without_a_price_says_how_to_give_it_one() {
        let error = table().model("claude-next").unwrap_err().to_string();
        for needed in ["`claude-next`", "[[ask.models]]", "sonnet", "cache_write"] {
            assert!(error.contains(needed), "{error}");
        }
    }
}
