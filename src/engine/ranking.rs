//! Which token is how likely, of a row of logits. Pure.

use super::healing::Token;

/// A token whose logit is this much below the best one's is not counted among the alternatives: all
/// 150,000 together would add 2 %, and taking powers would take longer.
const NEGLIGIBLE: f32 = 16.0;

/// The natural logarithm of a token's probability, of all tokens.
pub fn ln_probability(logits: &[f32], token: Token) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let logit = usize::try_from(token).ok().and_then(|token| logits.get(token));
    logit.copied().unwrap_or(f32::NEG_INFINITY) - ln_sum(logits.iter().copied(), most)
}

/// The `most` best tokens that fit, the best first (of equals the one with the lowest number), each
/// with the natural logarithm of its probability among those that fit.
pub fn ranked(logits: &[f32], most: usize, fits: &dyn Fn(Token) -> bool) -> Vec<(Token, f32)> {
    let mut best: Vec<(Token, f32)> = Vec::with_capacity(most + 1);
    for (token, &logit) in (0..).zip(logits) {
        let last = if best.len() < most { f32::NEG_INFINITY } else { best[most - 1].1 };
        // Only what would be among the best is asked whether it fits: few are.
        if logit > last && fits(token) {
            let at = best.partition_point(|&(_, known)| known >= logit);
            best.insert(at, (token, logit));
            best.truncate(most);
        }
    }
    let Some(&(_, top)) = best.first() else { return best };
    let near = (0..).zip(logits).filter(|&(_, &logit)| logit > top - NEGLIGIBLE);
    let fitting = near.filter(|&(token, _)| fits(token)).map(|(_, &logit)| logit);
    let sum = ln_sum(fitting, top);
    best.iter().map(|&(token, logit)| (token, logit - sum)).collect()
}

/// The logarithm of the sum of what these are logarithms of; `most` is the largest.
fn ln_sum(logits: impl Iterator<Item = f32>, most: f32) -> f32 {
    let near = logits.filter(|&logit| logit > most - NEGLIGIBLE);
    most + near.map(|logit| (logit - most).exp()).sum::<f32>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four tokens; the second and the last are equally likely.
    fn logits() -> Vec<f32> {
        [0.1_f32, 0.3, 0.1, 0.3, 0.2].map(|p| p.ln() + 7.0).to_vec()
    }

    fn percent(ranked: &[(Token, f32)]) -> Vec<(Token, i32)> {
        ranked.iter().map(|&(token, ln)| (token, (ln.exp() * 100.0).round() as i32)).collect()
    }

    #[test]
    fn the_best_come_first_and_of_equals_the_lowest_number() {
        assert_eq!(percent(&ranked(&logits(), 3, &|_| true)), [(1, 30), (3, 30), (4, 20)]);
        assert_eq!(percent(&ranked(&logits(), 9, &|_| true)).len(), 5);
    }

    #[test]
    fn only_those_that_fit_share_the_probability() {
        assert_eq!(percent(&ranked(&logits(), 2, &|t| t % 2 == 0)), [(4, 50), (0, 25)]);
        assert!(ranked(&logits(), 2, &|_| false).is_empty());
    }

    #[test]
    fn a_tokens_probability_is_of_all() {
        let of = |token| (ln_probability(&logits(), token).exp() * 100.0).round() as i32;
        assert_eq!([of(0), of(3), of(4), of(99), of(-1)], [10, 30, 20, 0, 0]);
    }

    #[test]
    fn what_is_no_number_wins_nothing() {
        let logits = [f32::NAN, 1.0, f32::NEG_INFINITY];
        assert_eq!(ranked(&logits, 2, &|_| true)[0].0, 1);
    }
}
