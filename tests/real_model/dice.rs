//! Chance that falls the same way each time. In: a seed. Out: numbers (Numerical Recipes' LCG).

/// A small generator of numbers.
pub struct Dice(u32);

impl Dice {
    pub fn new(seed: u32) -> Dice {
        Dice(seed)
    }

    /// From 0, below `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % sides
    }
}
