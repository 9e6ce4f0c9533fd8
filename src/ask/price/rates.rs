//! The prices of one model, checked: which hold on a day for a prompt of a size.
//!
//! In: prices as they are written. Out: rates in whole units for a token, or a sentence that says what is
//! wrong with them. Refuses: numbers that are no prices, days that are none, a day whose prices leave some
//! size of prompt without one.

use jiff::civil::Date;

use super::{Money, Price, Usage};

/// Dollars for a million tokens above which a price is taken for a slip: a thousand times the dearest.
const MOST_DOLLARS: f64 = 50_000.0;

/// Of [`Money`]'s unit; a token may cost a fraction of that.
const PARTS: u128 = 1_000;

/// What a token costs, in [`PARTS`] of [`Money`]'s unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    from: Date,
    /// Tokens of a prompt; the largest number for "all".
    prompt_up_to: u64,
    input: u64,
    output: u64,
    cache_write: u64,
    cache_read: u64,
}

/// By day, then by size of the prompt; each day has one for the largest prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(Vec<Rate>);

impl Rates {
    /// # Errors
    /// What is wrong, to be read after the model's name.
    pub fn new(prices: &[Price]) -> Result<Rates, String> {
        let mut rates = prices.iter().map(rate).collect::<Result<Vec<Rate>, String>>()?;
        rates.sort_by_key(|rate| (rate.from, rate.prompt_up_to));
        if rates.is_empty() {
            return Err("has no price".to_owned());
        }
        for day in rates.chunk_by(|a, b| a.from == b.from) {
            if day.windows(2).any(|two| two[0].prompt_up_to == two[1].prompt_up_to) {
                return Err("has two prices for the same day and size of prompt".to_owned());
            }
            if day.last().is_some_and(|largest| largest.prompt_up_to != u64::MAX) {
                return Err(
                    "has no price for larger prompts; give one without `prompt_up_to`".into()
                );
            }
        }
        Ok(Rates(rates))
    }

    /// Those that hold on a day, the one for the smallest prompts first. A day before the first price is
    /// a clock that is wrong, or a table that forgets: the first price holds.
    fn on(&self, day: Date) -> &[Rate] {
        let mut days = self.0.chunk_by(|a, b| a.from == b.from);
        let first = days.next().unwrap_or_default();
        days.rfind(|rates| rates[0].from <= day).unwrap_or(first)
    }

    /// What a request cost.
    pub fn cost(&self, usage: &Usage, day: Date) -> Money {
        let prompt = usage.prompt();
        self.on(day)
            .iter()
            .find(|rate| prompt <= rate.prompt_up_to)
            .map_or(Money(u64::MAX), |rate| rate.of(usage))
    }

    /// The most that a request with so many tokens, or fewer, can cost.
    pub fn worst(&self, input: u64, output: u64, day: Date) -> Money {
        let rates = self.on(day);
        // Fewer tokens than estimated may fall into the price of smaller prompts, which need not be less.
        let reached = rates.iter().position(|rate| input <= rate.prompt_up_to).unwrap_or(0);
        let all = rates[..=reached].iter().map(|rate| {
            let input = input.min(rate.prompt_up_to);
            let written = rate.cache_write > rate.input;
            let usage = match written {
                true => Usage { cache_write: input, output, ..Usage::default() },
                false => Usage { input, output, ..Usage::default() },
            };
            rate.of(&usage)
        });
        all.max().unwrap_or(Money(u64::MAX))
    }
}

impl Rate {
    fn of(&self, usage: &Usage) -> Money {
        let parts = [
            (usage.input, self.input),
            (usage.cache_write, self.cache_write),
            (usage.cache_read, self.cache_read),
            (usage.output, self.output),
        ];
        // Each product is below 2^64 × 2^64 and may reach it: only the sum can be too much.
        let parts = parts.map(|(tokens, rate)| u128::from(tokens) * u128::from(rate));
        let all = parts.into_iter().fold(0_u128, u128::saturating_add);
        Money(u64::try_from(all.div_ceil(PARTS)).unwrap_or(u64::MAX))
    }
}

fn rate(price: &Price) -> Result<Rate, String> {
    let from = match &price.from {
        Some(day) => day
            .parse()
            .map_err(|_| format!("has a price from `{day}`, which is no day like 2026-10-07"))?,
        None => Date::MIN,
    };
    if price.prompt_up_to == Some(0) {
        return Err("has a price for prompts of at most 0 tokens".to_owned());
    }
    let per_token = |name: &str, dollars: f64| {
        if !(0.0..=MOST_DOLLARS).contains(&dollars) {
            return Err(format!("has {dollars} for `{name}`; give dollars for a million tokens"));
        }
        // A dollar for a million tokens is 1,000 of Money's unit for one.
        Ok((dollars * 1_000.0 * PARTS as f64).round() as u64)
    };
    Ok(Rate {
        from,
        prompt_up_to: price.prompt_up_to.unwrap_or(u64::MAX),
        input: per_token("input", price.input)?,
        output: per_token("output", price.output)?,
        cache_write: per_token("cache_write", price.cache_write)?,
        cache_read: per_token("cache_read", price.cache_read)?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const DAY: Date = date(2026, 11, 21);

    fn price(input: f64) -> Price {
        Price {
            from: None,
            prompt_up_to: None,
            input,
            output: 5.0 * input,
            cache_write: 1.25 * input,
            cache_read: 0.1 * input,
        }
    }

    #[test]
    fn a_price_holds_from_its_day_on() {
        let later = Price { from: Some("2026-10-07".into()), ..price(1.0) };
        let rates = Rates::new(&[later, price(2.0)]).unwrap();
        let million = Usage { input: 1_000_000, ..Usage::default() };
        let on = |day| rates.cost(&million, day).to_string();
        assert_eq!(on(date(2020, 1, 1)), "$2.00");
        assert_eq!(on(date(2026, 10, 6)), "$2.00");
        assert_eq!(on(date(2026, 10, 7)), "$1.00");
        assert_eq!(on(DAY), "$1.00");
    }

    #[test]
    fn before_its_first_day_the_first_price_holds() {
        let prices = ["2026-01-01", "2026-06-01"]
            .map(|day| Price { from: Some(day.into()), ..price(day[6..7].parse().unwrap()) });
        let rates = Rates::new(&prices).unwrap();
        let million = Usage { input: 1_000_000, ..Usage::default() };
        assert_eq!(rates.cost(&million, date(1999, 1, 1)).to_string(), "$1.00");
    }

    #[test]
    fn the_whole_prompt_chooses_the_price_of_all_of_it() {
        let small = Price { prompt_up_to: Some(100_000), ..price(0.1) };
        let rates = Rates::new(&[price(0.5), small]).unwrap();
        let at = |cache_read| {
            let usage = Usage { input: 60_000, cache_read, output: 1_000, ..Usage::default() };
            rates.cost(&usage, DAY)
        };
        // 60,000 × $0.1 + 40,000 × $0.01 + 1,000 × $0.5 for a million.
        assert_eq!(at(40_000), Money::from_dollars(0.006 + 0.0004 + 0.0005));
        assert_eq!(at(40_001), Money(30_000_000 + 2_000_050 + 2_500_000));
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for wrong in [f64::NAN, f64::INFINITY, -0.01, 1e12] {
            for field in 0..4 {
                let mut price = price(1.0);
                let at = [
                    &mut price.input,
                    &mut price.output,
                    &mut price.cache_write,
                    &mut price.cache_read,
                ];
                *at.into_iter().nth(field).unwrap() = wrong;
                assert!(Rates::new(&[price]).is_err(), "{wrong} in {field}");
            }
        }
        assert!(Rates::new(&[]).is_err());
        assert!(Rates::new(&[price(1.0), price(2.0)]).is_err());
        assert!(Rates::new(&[Price { prompt_up_to: Some(9), ..price(1.0) }]).is_err());
        assert!(Rates::new(&[Price { from: Some("soon".into()), ..price(1.0) }]).is_err());
    }

    fn any_price() -> impl Strategy<Value = Price> {
        let bound = prop_oneof![Just(None), (1..2_000_000_u64).prop_map(Some)];
        let dollars = || 0.0..MOST_DOLLARS;
        (bound, dollars(), dollars(), dollars(), dollars()).prop_map(
            |(prompt_up_to, input, output, cache_write, cache_read)| Price {
                from: None,
                prompt_up_to,
                input,
                output,
                cache_write,
                cache_read,
            },
        )
    }

    fn any_rates() -> impl Strategy<Value = Rates> {
        prop::collection::vec(any_price(), 1..4).prop_map(|mut prices| {
            // Bands of their own, and one for all else.
            prices.sort_by_key(|price| price.prompt_up_to.unwrap_or(0));
            prices.dedup_by_key(|price| price.prompt_up_to);
            if prices.iter().all(|price| price.prompt_up_to.is_some()) {
                prices[0].prompt_up_to = None;
            }
            Rates::new(&prices).unwrap()
        })
    }

    proptest! {
        /// What is reserved is never less than what is paid, however the tokens fall.
        #[test]
        fn nothing_costs_more_than_the_worst(
            rates in any_rates(),
            (input, cache_write, output) in (0..3_000_000_u64, 0..3_000_000_u64, 0..200_000_u64),
            (more, longer) in (0..1_000_000_u64, 0..100_000_u64),
        ) {
            let usage = Usage { input, cache_write, cache_read: 0, output };
            let worst = rates.worst(input + cache_write + more, output + longer, DAY);
            prop_assert!(rates.cost(&usage, DAY) <= worst);
        }

        #[test]
        fn no_number_of_tokens_overflows(
            rates in any_rates(),
            (input, cache_write, cache_read, output) in any::<(u64, u64, u64, u64)>(),
        ) {
            rates.cost(&Usage { input, cache_write, cache_read, output }, DAY);
            rates.worst(input, output, DAY);
        }

        #[test]
        fn more_tokens_never_make_the_worst_less(
            rates in any_rates(),
            (input, output) in (0..3_000_000_u64, 0..200_000_u64),
            (more, longer) in (0..3_000_000_u64, 0..200_000_u64),
        ) {
            let (less, worst) = (rates.worst(input, output, DAY), rates.worst(input + more, output + longer, DAY));
            prop_assert!(less <= worst);
        }
    }
}
