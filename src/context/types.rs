//! Which types of the workspace a piece of text stands for.
//!
//! In: a type as written (`&mut Option<Arc<Shop>>`), or an expression (`Shop::new()?.till`); the index;
//! what is in scope. Out: the names of the types that the index knows. Nothing is guessed from a name,
//! and what cannot be told gives nothing. By the text of expressions, so one way serves all languages.
//! Pure.

#[cfg(test)]
mod tests;

use super::expression::{arguments, bracketed, identifier, split_path, turbofish, union};
use crate::syntax::outline::{Definition, Gives, Kind};
use crate::syntax::scope::Scope;
use crate::workspace::{Found, Index};

/// How far one thing is looked up in another.
const DEPTH: usize = 6;
/// Types that one type may extend, in all.
const BASES: usize = 12;

/// Around another type, and no receiver themselves: what is in them is what is meant.
const WRAPPERS: [&str; 32] = [
    "Option",
    "Result",
    "Arc",
    "Rc",
    "Box",
    "Pin",
    "Cow",
    "RefCell",
    "Cell",
    "Mutex",
    "RwLock",
    "Weak",
    "Vec",
    "VecDeque",
    "Ref",
    "RefMut",
    "MutexGuard",
    "Poll",
    "Optional",
    "List",
    "Iterator",
    "Iterable",
    "Sequence",
    "Awaitable",
    "Generator",
    "AsyncIterator",
    "ContextManager",
    "ClassVar",
    "Promise",
    "Readonly",
    "Array",
    "Self",
];

/// Methods that give what they are called on, or what is in it.
const TRANSPARENT: [&str; 44] = [
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "clone",
    "cloned",
    "copied",
    "as_ref",
    "as_mut",
    "as_deref",
    "as_deref_mut",
    "borrow",
    "borrow_mut",
    "lock",
    "read",
    "write",
    "iter",
    "iter_mut",
    "into_iter",
    "ok",
    "ok_or",
    "ok_or_else",
    "map_err",
    "to_owned",
    "get",
    "get_mut",
    "get_or_insert_with",
    "first",
    "last",
    "first_mut",
    "last_mut",
    "next",
    "peek",
    "pop",
    "take",
    "values",
    "values_mut",
    "filter",
    "rev",
    "enumerate",
    "into_inner",
    "or_else",
    "inspect_err",
];

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
        self.variable(number, View { own: self.own(), variables: 0, depth: 0 })
    }

    /// The types of an expression at the place.
    pub fn of_value(&self, text: &str) -> Vec<String> {
        self.value(text, View { own: self.own(), variables: 0, depth: 0 })
    }

    /// What a field is, or a call gives, of a type with this name.
    pub fn of_member(&self, definition: &Definition, own: &str) -> Vec<String> {
        self.given(definition, View { own: Some(own), variables: usize::MAX, depth: 0 })
    }

    /// Is a type of this name defined in the workspace?
    pub fn is_type(&self, name: &str) -> bool {
        self.index
            .named(name)
            .any(|found| found.definition.kind == Kind::Type && found.language == self.language)
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
            let derefs = deref.flat_map(|found| self.given(found.definition, view));
            for base in self.index.bases(&own).map(str::to_owned).chain(derefs) {
                if !all.contains(&base) {
                    all.push(base);
                }
            }
            at += 1;
        }
        all
    }

    fn variable(&self, number: usize, view: View) -> Vec<String> {
        let inner = View { variables: number + 1, depth: view.depth + 1, ..view };
        match &self.scope.variables[number].gives {
            Some(Gives::Type(of)) => self.r#type(of, inner),
            Some(Gives::Value(value)) => self.value(value, inner),
            None => Vec::new(),
        }
    }

    fn given(&self, definition: &Definition, view: View) -> Vec<String> {
        let inner = View { depth: view.depth + 1, ..view };
        match &definition.gives {
            Some(Gives::Type(of)) => self.r#type(of, inner),
            Some(Gives::Value(value)) => self.value(value, inner),
            None => Vec::new(),
        }
    }

    /// The types that one as written stands for: of a union several.
    fn r#type(&self, text: &str, view: View) -> Vec<String> {
        if view.depth > DEPTH {
            return Vec::new();
        }
        let mut all: Vec<String> = Vec::new();
        // Python writes in quotes what is defined below.
        for part in union(text.trim_matches(['"', '\''])) {
            for name in self.first_known(part, view) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        }
        all
    }

    /// The first name in a type that the index knows, or what that is another name for.
    fn first_known(&self, text: &str, view: View) -> Vec<String> {
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
            let is_lifetime = rest[..start].ends_with('\'') && !rest[start..].contains('\'');
            let (name, after) = identifier(&rest[start..]);
            rest = after;
            let is_path = after.starts_with("::") || after.starts_with('.');
            if is_lifetime || is_path && !matches!(name, "Self") {
                continue;
            }
            if name == "Self" {
                return view.own.map(str::to_owned).into_iter().collect();
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
                    if !found.is_empty() || name == "Result" {
                        return found;
                    }
                    rest = after;
                    continue;
                }
            }
            if WRAPPERS.contains(&name) {
                continue;
            }
            let known = self.index.named(name).find(|found| {
                found.definition.kind == Kind::Type && found.language == self.language
            });
            if let Some(known) = known {
                let inner = View { depth: view.depth + 1, ..view };
                let meant = match &known.definition.gives {
                    Some(Gives::Type(of)) => self.r#type(of, inner),
                    _ => Vec::new(),
                };
                return if meant.is_empty() { vec![name.to_owned()] } else { meant };
            }
        }
        Vec::new()
    }

    fn value(&self, text: &str, view: View) -> Vec<String> {
        if view.depth > DEPTH {
            return Vec::new();
        }
        let mut rest = text.trim_start();
        for prefix in ["await ", "new ", "&mut ", "&", "*", "mut ", "return "] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest).trim_start();
        }
        let (mut types, mut module);
        if rest.starts_with('(') {
            let (inside, after) = bracketed(rest);
            types = self.value(inside, View { depth: view.depth + 1, ..view });
            (module, rest) = (false, after);
        } else {
            let path;
            (path, rest) = split_path(rest);
            if path.is_empty() || rest.starts_with('!') {
                return Vec::new();
            }
            let called = rest.starts_with('(');
            (types, module) = self.begin(&path, called, view);
        }
        loop {
            rest = rest.trim_start();
            if rest.starts_with(['(', '[']) {
                rest = bracketed(rest).1;
            } else if let Some(after) =
                rest.strip_prefix('?').filter(|after| !after.starts_with('.'))
            {
                rest = after;
            } else if let Some(of) = rest.strip_prefix("as ") {
                return self.r#type(of, View { depth: view.depth + 1, ..view });
            } else if let Some(after) =
                ["?.", "->", "."].iter().find_map(|dot| rest.strip_prefix(dot))
            {
                let (name, after) = identifier(after.trim_start());
                if name.is_empty() {
                    return types;
                }
                rest = turbofish(after);
                if name == "await" {
                    continue;
                }
                let called = rest.starts_with('(');
                if module {
                    (types, module) = self.begin(&[name], called, view);
                    module &= types.is_empty();
                } else {
                    types = self.step(&types, name, called, view);
                }
            } else {
                return types;
            }
        }
    }

    /// What a path stands for; and whether it may be a module.
    fn begin(&self, path: &[&str], called: bool, view: View) -> (Vec<String>, bool) {
        let inner = View { depth: view.depth + 1, ..view };
        let Some((&last, before)) = path.split_last() else { return (Vec::new(), false) };
        let owner = before.last().map(|name| match *name {
            "Self" => view.own.map(str::to_owned).into_iter().collect(),
            name => self.first_known(name, inner),
        });
        if let Some(owner) = owner.filter(|owner| !owner.is_empty()) {
            let member = self.member(&owner, last);
            return match member {
                Some((found, own)) if called && found.definition.kind == Kind::Method => {
                    (self.given(found.definition, View { own: Some(&own), ..inner }), false)
                }
                Some((found, own)) if found.definition.kind == Kind::Constant => {
                    (self.given(found.definition, View { own: Some(&own), ..inner }), false)
                }
                // A variant; or what is derived, and gives the type mostly: `default`, `from`.
                Some(_) => (owner, false),
                None if matches!(last, "default" | "from" | "new") => (owner, false),
                None => (Vec::new(), false),
            };
        }
        if matches!(last, "self" | "this" | "cls" | "Self") {
            return (view.own.map(str::to_owned).into_iter().collect(), false);
        }
        if last == "super" && called {
            let bases = view.own.into_iter().flat_map(|own| self.index.bases(own));
            return (bases.map(str::to_owned).collect(), false);
        }
        let mut variables = self.scope.variables.iter().enumerate().skip(view.variables);
        if before.is_empty()
            && !called
            && let Some((number, _)) = variables.find(|(_, variable)| variable.name == last)
        {
            return (self.variable(number, view), false);
        }
        let known = self.first_known(last, inner);
        if !known.is_empty() {
            return (known, false);
        }
        let mut named = self.index.named(last).filter(|found| found.language == self.language);
        let wanted = if called { Kind::Function } else { Kind::Constant };
        match named.find(|found| found.definition.kind == wanted) {
            Some(found) => (
                self.given(found.definition, View { own: None, variables: usize::MAX, ..inner }),
                false,
            ),
            None => (Vec::new(), !called),
        }
    }

    /// What a member of one of these types is, or gives.
    fn step(&self, types: &[String], name: &str, called: bool, view: View) -> Vec<String> {
        match self.member(types, name) {
            Some((found, own)) => {
                let inner = View { own: Some(&own), variables: usize::MAX, depth: view.depth + 1 };
                self.given(found.definition, inner)
            }
            None if called && TRANSPARENT.contains(&name) => types.to_vec(),
            None => Vec::new(),
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
