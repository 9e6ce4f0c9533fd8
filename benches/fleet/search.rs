//! The least number that is enough: in ever longer steps from where one begins, then halving. In: where to begin, the
//! most, a test that holds from some number on. Out: the number, exact below 100, else at most 2 % too large. Pure.

/// Of where one begins, the first step.
const FIRST_STEP: usize = 16;

/// `None` where not even the most is enough.
pub fn least(start: usize, most: usize, mut is_enough: impl FnMut(usize) -> bool) -> Option<usize> {
    let mut high = start.clamp(1, most);
    // Not enough; 0 never is.
    let mut low = 0;
    let mut step = (high / FIRST_STEP).max(1);
    if is_enough(high) {
        while high > step {
            if !is_enough(high - step) {
                low = high - step;
                break;
            }
            high -= step;
            step *= 2;
        }
    } else {
        loop {
            if high == most {
                return None;
            }
            low = high;
            high = (high + step).min(most);
            if is_enough(high) {
                break;
            }
            step *= 2;
        }
    }
    while high - low > (high / 50).max(1) {
        let middle = low + (high - low) / 2;
        if is_enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}
