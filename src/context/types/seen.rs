//! What is known of a value. Pure.

/// The types of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Their names; of a union several.
    pub types: Vec<String>,
    /// What the value is in: one for `Option<T>`, two for `Vec<Option<T>>`. From [`UNSURE`] on it cannot
    /// be told.
    pub layers: u32,
}

/// More layers than any value has.
pub const UNSURE: u32 = 1 << 16;

impl Seen {
    pub fn of(types: Vec<String>) -> Seen {
        Seen { types, layers: 0 }
    }

    pub fn nothing() -> Seen {
        Seen::default()
    }

    /// Is the value of these types itself?
    pub fn is_direct(&self) -> bool {
        self.layers == 0 && !self.types.is_empty()
    }

    pub fn within(self, layers: u32) -> Seen {
        Seen { layers: self.layers.saturating_add(layers), ..self }
    }

    /// What is in it.
    pub fn inside(self) -> Seen {
        Seen { layers: self.layers.checked_sub(1).unwrap_or(UNSURE), ..self }
    }
}
