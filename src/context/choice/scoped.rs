//! What may be called on what is in scope: the receiver, variables, `self` and its fields, an expression
//! that goes on. Pure.

use std::collections::{HashMap, HashSet};

use super::Choice;
use crate::context::expression::last_expression;
use crate::context::words::{mentions, type_named_after};
use crate::syntax::outline::Kind;
use crate::syntax::references;
use crate::workspace::Found;

/// The last variable bound.
const VARIABLE: f64 = 2.0;
/// Each one before it weighs so much of the one after it.
const EARLIER: f64 = 0.5;
/// One that was not used yet weighs so many times more: it was bound for something.
const UNUSED: f64 = 8.0;
/// A variable of no known type, and a type with its name: `store` and `Store`.
const NAMED_AFTER: f64 = 0.5;
/// The type that the place is in a function of.
const OWN: f64 = 1.5;
/// What a field of it is, when it was the last name used.
const FIELD: f64 = 0.5;
/// What a field weighs that was not used nearby.
const UNUSED_FIELD: f64 = 0.1;
/// A name's weight is halved by so many names after it.
const HALF: f64 = 2.0;
/// A type that is named: what is called on a value of it, and on the type.
const NAMED: (f64, f64) = (0.5, 0.07);
/// A function that is named nearby.
const AGAIN: f64 = 1.0;
/// Another definition that is named nearby.
const OTHER: f64 = 0.2;
/// An expression that goes on in the next line: little else follows.
const CONTINUED: f64 = 50.0;

impl Choice<'_> {
    fn before(&self) -> &str {
        &self.around.text[..self.around.at]
    }

    /// What can stand behind the dot at the place, if there is one and its receiver is known.
    pub fn receiver(&mut self) -> bool {
        let before = self.before().trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        let value = before.strip_suffix('.').or_else(|| before.strip_suffix("->"));
        let (receiver, on_value) = match (value, before.strip_suffix("::")) {
            (Some(value), _) => (value.trim_end_matches('?'), true),
            (None, Some(of)) => (of, false),
            (None, None) => return false,
        };
        let types = self.types.of_value(last_expression(receiver)).types;
        self.receive(&types, 1.0, Some(on_value || self.place.language.id != "rust"));
        !types.is_empty()
    }

    /// The expression of the line before, where this line goes on with it.
    pub fn continued(&mut self) {
        let before = self.before().trim_end();
        let last = before[before.rfind('\n').map_or(0, |at| at + 1)..].trim_start();
        let may_end = self.place.language.id != "rust" && !last.starts_with('.');
        if !may_end && !before.ends_with([';', '{', '}', ',', ':']) {
            let types = self.types.of_value(last_expression(before)).types;
            self.receive(&types, CONTINUED, Some(true));
        }
    }

    pub fn variables(&mut self) {
        let scope = self.types.scope;
        let (mut seen, mut weight) = (HashSet::new(), VARIABLE);
        for (number, variable) in scope.variables.iter().enumerate() {
            let name = variable.name.as_str();
            if !seen.insert(name) || matches!(name, "self" | "cls") {
                continue;
            }
            let mut types = self.types.of_variable(number);
            let mut own = weight;
            weight *= EARLIER;
            if types.is_empty() {
                let named_after = type_named_after(name);
                if !self.types.is_type(&named_after) {
                    continue;
                }
                types = vec![named_after];
                own *= NAMED_AFTER;
            }
            if !mentions(&self.before()[variable.end..], name) {
                own *= UNUSED;
            }
            self.receive(&types, own, Some(true));
        }
    }

    /// What `self` can do, and its fields.
    pub fn own(&mut self) {
        let scope = self.types.scope;
        let Some(own) = scope.within.first() else { return };
        self.receive(std::slice::from_ref(own), OWN, None);
        let names = scope.references.iter().enumerate().rev();
        let near: HashMap<&str, usize> =
            names.map(|(at, reference)| (reference.name.as_str(), at)).collect();
        let bases = self.types.with_bases(own);
        let members = bases.iter().flat_map(|base| self.index.members(base));
        let fields: Vec<Found> = members.filter(|it| it.definition.kind == Kind::Field).collect();
        for field in fields {
            let types = self.types.of_member(field.definition, own);
            let at = near.get(field.definition.name.as_str());
            let weight = at.map_or(UNUSED_FIELD, |at| recency(*at));
            self.receive(&types, FIELD * weight, Some(true));
        }
    }

    /// What is named nearby: functions, types.
    pub fn mentioned(&mut self) {
        let mut seen = HashSet::new();
        for (number, reference) in self.types.scope.references.iter().enumerate() {
            for name in qualifier(&reference.place).into_iter().chain([reference.name.as_str()]) {
                if seen.insert(name) {
                    self.named(name, recency(number));
                }
            }
        }
    }

    fn named(&mut self, name: &str, weight: f64) {
        if self.types.is_type(name) {
            let types = [name.to_owned()];
            self.receive(&types, NAMED.0 * weight, Some(true));
            self.receive(&types, NAMED.1 * weight, Some(false));
        }
        let named: Vec<Found> = self.index.named(name).collect();
        for found in named {
            let share = weight / found.homonyms as f64;
            match found.definition.kind {
                Kind::Function => self.add(found, AGAIN * share),
                Kind::Type | Kind::Constant | Kind::Macro => self.add(found, OTHER * share),
                Kind::Method | Kind::Field | Kind::Module => {}
            }
        }
    }
}

fn recency(number: usize) -> f64 {
    0.5_f64.powf(number as f64 / HALF)
}

/// The name before the dot or the `::` that a name stands behind.
fn qualifier(place: &references::Place) -> Option<&str> {
    match place {
        references::Place::Plain => None,
        references::Place::Member { receiver } => receiver.as_deref(),
        references::Place::Segment { qualifier } => qualifier.rsplit("::").next(),
    }
}
