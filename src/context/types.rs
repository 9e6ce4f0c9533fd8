//! Which types of the workspace a piece of text stands for.
//!
//! In: a type as written (`&mut Option<Arc<Shop>>`), or an expression (`Shop::new()?.till`); the index;
//! what is in scope. Out: the names of the types that the index knows. Nothing is guessed from a name,
//! and what cannot be told gives nothing. By the text of expressions, so one way serves all languages.
//! Pure.

mod library;
mod seen;
#[cfg(test)]
mod tests;

pub use self::library::STANDARD;
use self::library::{OF_ANY, POINTERS, QUALIFIERS, TRANSPARENT, UNWRAPPING, WRAPPERS};
pub use self::seen::Seen;
use self::seen::UNSURE;
use super::expression::{arguments, bracketed, identifier, split_path, turbofish, union};
use crate::syntax::outline::{Definition, Gives, Kind};
use crate::syntax::scope::Scope;
use crate::workspace::{Found, Index};

/// How far one thing is looked up in another.
const DEPTH: usize = 6;
/// Types that one type may extend, in all.
const BASES: usize = 12;

/// What types are looked up in.
#[derive(Clone, Copy)]
pub struct Types<'a> {
    pub index: &'a Index,
    /// As in `textDocument.languageId`.
    pub language: &'a str,
    pub scope: &'a Scope,
}

/// A value, seen from a place.
#[derive(Clone, Copy)]
struct View<'a> {
    /// The type that `self` is of, if it is in one.
    own: Option<&'a str>,
    /// Variables of the scope from this number on.
    variables: usize,
    depth: usize,
}

impl<'a> Types<'a> {
    /// What the place is in a function of.
    pub fn own(&self) -> Option<&'a str> {
        self.scope.within.first().map(String::as_str)
    }

    /// The types of a variable in scope, by its number.
    pub fn of_variable(&self, number: usize) -> Vec<String> {
        self.variable(number, View { own: self.own(), variables: 0, depth: 0 }).types
    }

    /// The types of an expression at the place.
    pub fn of_value(&self, text: &str) -> Seen {
        self.value(text, View { own: self.own(), variables: 0, depth: 0 })
    }

    /// What a field is, or a call gives, of a type with this name.
    pub fn of_member(&self, definition: &Definition, own: &str) -> Vec<String> {
        self.given(definition, View { own: Some(own), variables: usize::MAX, depth: 0 }).types
    }

    /// Is a type of this name defined in the workspace?
    pub fn is_type(&self, name: &str) -> bool {
        self.types_named(name).next().is_some()
    }

    fn types_named(&self, name: &str) -> impl Iterator<Item = Found<'a>> {
        let language = self.language;
        self.index
            .named(name)
            .filter(move |found| found.definition.kind == Kind::Type && found.language == language)
    }

    /// A type, and what it extends.
    pub fn with_bases(&self, name: &str) -> Vec<String> {
        let mut all = vec![name.to_owned()];
        let mut at = 0;
        while at < all.len() && all.len() < BASES {
            let own = all[at].clone();
            let deref = self.index.members(&own).filter(|found| {
                found.definition.name == "Target" && found.definition.kind == Kind::Type
            });
            let view = View { own: Some(&own), variables: usize::MAX, depth: 1 };
            let derefs = deref.flat_map(|found| self.given(found.definition, view).types);
            for base in self.index.bases(&own).map(str::to_owned).chain(derefs) {
                if !all.contains(&base) {
                    all.push(base);
                }
            }
            at += 1;
        }
        all
    }

    /// Can a type be used as another one that is not of the workspace?
    pub fn derefs_outside(&self, name: &str) -> bool {
        let mut members = self.index.members(name);
        let view = View { own: Some(name), variables: usize::MAX, depth: 1 };
        members.any(|found| {
            found.definition.name == "Target"
                && found.definition.kind == Kind::Type
                && !self.given(found.definition, view).is_direct()
        })
    }

    /// May a path of the workspace begin so?
    fn is_here(&self, first: &str) -> bool {
        let is_named = |found: Found| {
            matches!(found.definition.kind, Kind::Module | Kind::Type)
                && found.language == self.language
        };
        self.language != "rust"
            || matches!(first, "crate" | "self" | "super" | "Self")
            || self.index.named(first).any(is_named)
    }

    fn variable(&self, number: usize, view: View) -> Seen {
        let inner = View { variables: number + 1, depth: view.depth + 1, ..view };
        let variable = &self.scope.variables[number];
        match &variable.gives {
            Some(Gives::Type(of)) => self.r#type(of, inner),
            Some(Gives::Value(value)) if variable.taken_out => self.value(value, inner).inside(),
            Some(Gives::Value(value)) => self.value(value, inner),
            None => Seen::nothing(),
        }
    }

    fn given(&self, definition: &Definition, view: View) -> Seen {
        let inner = View { depth: view.depth + 1, ..view };
        match &definition.gives {
            Some(Gives::Type(of)) => self.r#type(of, inner),
            Some(Gives::Value(value)) => self.value(value, inner),
            None => Seen::nothing(),
        }
    }

    /// The types that one as written stands for: of a union several.
    fn r#type(&self, text: &str, view: View) -> Seen {
        if view.depth > DEPTH {
            return Seen::nothing();
        }
        let mut all = Seen::nothing();
        // Python writes in quotes what is defined below.
        for part in union(text.trim_matches(['"', '\''])) {
            let Seen { types, layers } = self.first_known(part, view);
            // Of what is nothing of the workspace's there may be anything.
            let is_none = matches!(part.trim(), "None" | "null" | "undefined");
            all.layers = all.layers.max(if types.is_empty() && !is_none { UNSURE } else { layers });
            for name in types {
                if !all.types.contains(&name) {
                    all.types.push(name);
                }
            }
        }
        all
    }

    /// The first name in a type that the index knows, or what that is another name for.
    fn first_known(&self, text: &str, view: View) -> Seen {
        let mut rest = text;
        let mut layers = 0;
        while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
            let is_lifetime = rest[..start].ends_with('\'') && !rest[start..].contains('\'');
            match &rest[..start] {
                opened if opened.contains('[') => layers += 1,
                opened if opened.contains(['(', ',']) => layers = UNSURE,
                _ => {}
            }
            let (name, after) = identifier(&rest[start..]);
            rest = after;
            let is_path = after.starts_with("::") || after.starts_with('.');
            if is_lifetime || is_path && !matches!(name, "Self") {
                if !is_lifetime && !self.is_here(name) {
                    layers = UNSURE;
                }
                continue;
            }
            if name == "Self" {
                return Seen { types: view.own.map(str::to_owned).into_iter().collect(), layers };
            }
            let inside = after.trim_start_matches("::");
            if inside.starts_with(['<', '[']) {
                let (inside, after) = bracketed(inside);
                let mut arguments = arguments(inside);
                // The error says nothing of the value, the key nothing of what is kept.
                let wanted = match name {
                    "Result" => arguments.next(),
                    "dict" | "Dict" | "Mapping" | "MutableMapping" => arguments.last(),
                    _ if name.ends_with("Map") => arguments.last(),
                    _ if WRAPPERS.contains(&name) => Some(inside),
                    _ => None,
                };
                if let Some(wanted) = wanted {
                    let found = self.first_known(wanted, view);
                    let own = u32::from(!POINTERS.contains(&name));
                    if !found.types.is_empty() || name == "Result" {
                        return found.within(layers + own);
                    }
                    layers = UNSURE;
                    rest = after;
                    continue;
                }
            }
            if WRAPPERS.contains(&name) {
                layers += u32::from(!POINTERS.contains(&name));
                continue;
            }
            let known: Vec<Found> = self.types_named(name).collect();
            if let Some(first) = known.first() {
                // One of several is another name for something: which is meant is not known.
                let is_alias = |found: &Found| found.definition.gives.is_some();
                if known.len() > 1 && known.iter().any(is_alias) {
                    layers = UNSURE;
                }
                let inner = View { depth: view.depth + 1, ..view };
                return match &first.definition.gives {
                    Some(Gives::Type(of)) => {
                        let meant = self.r#type(of, inner);
                        match meant.types.is_empty() {
                            true => Seen { types: vec![name.to_owned()], layers: UNSURE },
                            false => meant.within(layers),
                        }
                    }
                    _ => Seen { types: vec![name.to_owned()], layers },
                };
            }
            if !QUALIFIERS.contains(&name) {
                layers = UNSURE;
            }
        }
        Seen::nothing()
    }

    fn value(&self, text: &str, view: View) -> Seen {
        if view.depth > DEPTH {
            return Seen::nothing();
        }
        let mut rest = text.trim_start();
        for prefix in ["await ", "new ", "&mut ", "&", "*", "mut ", "return "] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest).trim_start();
        }
        let (mut seen, mut module);
        if rest.starts_with('(') {
            let (inside, after) = bracketed(rest);
            seen = self.value(inside, View { depth: view.depth + 1, ..view });
            (module, rest) = (false, after);
        } else {
            let path;
            (path, rest) = split_path(rest);
            if path.is_empty() || rest.starts_with('!') {
                return Seen::nothing();
            }
            let called = rest.starts_with('(');
            (seen, module) = self.begin(&path, called, view);
            if path.len() > 1 && !self.is_here(path[0]) {
                seen = seen.within(UNSURE);
            }
        }
        loop {
            rest = rest.trim_start();
            if rest.starts_with('(') {
                rest = bracketed(rest).1;
            } else if rest.starts_with('[') {
                (seen, rest) = (seen.inside(), bracketed(rest).1);
            } else if let Some(after) =
                rest.strip_prefix('?').filter(|after| !after.starts_with('.'))
            {
                (seen, rest) = (seen.inside(), after);
            } else if let Some(of) = rest.strip_prefix("as ") {
                return self.r#type(of, View { depth: view.depth + 1, ..view });
            } else if let Some(after) =
                ["?.", "->", "."].iter().find_map(|dot| rest.strip_prefix(dot))
            {
                let (name, after) = identifier(after.trim_start());
                if name.is_empty() {
                    return seen;
                }
                rest = turbofish(after);
                if name == "await" {
                    continue;
                }
                let called = rest.starts_with('(');
                if module {
                    (seen, module) = self.begin(&[name], called, view);
                    module &= seen.types.is_empty();
                } else {
                    seen = self.step(seen, name, called, view);
                }
            } else {
                return seen;
            }
        }
    }

    /// What a path stands for; and whether it may be a module.
    fn begin(&self, path: &[&str], called: bool, view: View) -> (Seen, bool) {
        let inner = View { depth: view.depth + 1, ..view };
        let Some((&last, before)) = path.split_last() else { return (Seen::nothing(), false) };
        let owner = before.last().map(|name| match *name {
            "Self" => Seen::of(view.own.map(str::to_owned).into_iter().collect()),
            name => self.first_known(name, inner),
        });
        if let Some(Seen { types: owner, layers }) = owner.filter(|owner| !owner.types.is_empty()) {
            let member = self.member(&owner, last);
            return match member {
                Some((found, own)) if called && found.definition.kind == Kind::Method => {
                    (self.given(found.definition, View { own: Some(&own), ..inner }), false)
                }
                Some((found, own)) if found.definition.kind == Kind::Constant => {
                    (self.given(found.definition, View { own: Some(&own), ..inner }), false)
                }
                // A variant; or what is derived, and gives the type mostly: `default`, `from`.
                Some(_) => (Seen { types: owner, layers }, false),
                None if matches!(last, "default" | "from" | "new") => {
                    (Seen { types: owner, layers }, false)
                }
                None => (Seen::nothing(), false),
            };
        }
        if matches!(last, "self" | "this" | "cls" | "Self") {
            return (Seen::of(view.own.map(str::to_owned).into_iter().collect()), false);
        }
        if last == "super" && called {
            let bases = view.own.into_iter().flat_map(|own| self.index.bases(own));
            return (Seen::of(bases.map(str::to_owned).collect()), false);
        }
        let mut variables = self.scope.variables.iter().enumerate().skip(view.variables);
        if before.is_empty()
            && !called
            && let Some((number, _)) = variables.find(|(_, variable)| variable.name == last)
        {
            return (self.variable(number, view), false);
        }
        let known = self.first_known(last, inner);
        if !known.types.is_empty() {
            return (known, false);
        }
        let wanted = if called { Kind::Function } else { Kind::Constant };
        let named = self
            .index
            .named(last)
            .filter(|found| found.language == self.language && found.definition.kind == wanted);
        let named: Vec<Found> = named.collect();
        match named.first() {
            Some(found) => {
                let view = View { own: None, variables: usize::MAX, ..inner };
                let given = self.given(found.definition, view);
                (given.within(if named.len() > 1 { UNSURE } else { 0 }), false)
            }
            None => (Seen::nothing(), !called),
        }
    }

    /// What a member of one of these types is, or gives.
    fn step(&self, seen: Seen, name: &str, called: bool, view: View) -> Seen {
        match self.member(&seen.types, name) {
            Some((found, own)) => {
                let inner = View { own: Some(&own), variables: usize::MAX, depth: view.depth + 1 };
                self.given(found.definition, inner)
            }
            None if called && UNWRAPPING.contains(&name) => seen.inside(),
            None if called && TRANSPARENT.contains(&name) => {
                let is_in_nothing = seen.layers == 0 && !OF_ANY.contains(&name);
                seen.within(if is_in_nothing { UNSURE } else { 0 })
            }
            None => Seen::nothing(),
        }
    }

    /// A member with this name of one of these types or what they extend, and the type it was looked
    /// for in: its own `Self`.
    fn member(&self, types: &[String], name: &str) -> Option<(Found<'a>, String)> {
        types.iter().find_map(|of| {
            let mut all = self.with_bases(of).into_iter();
            let found = all.find_map(|base| {
                let mut named = self.index.named_in(name, &base);
                named.find(|found| found.language == self.language)
            })?;
            Some((found, of.clone()))
        })
    }
}
