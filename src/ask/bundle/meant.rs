//! Which definitions a name at a place means, as far as its text says. Pure.
//!
//! In: a name as it stands somewhere, and what is known of that place: imports, variables, the type
//! around it. Out: definitions, each with a share; together they have less than 1, the rest being for
//! what the workspace does not define. Nothing is compiled: a wrong one costs a little room.

use super::known::{At, Known, family, folder, has, is_test};
use crate::syntax::outline::{Definition, Gives, Import, Kind};
use crate::syntax::references::{Place, Reference};
use crate::syntax::scope::Scope;
use crate::workspace::words::{self, hash};

/// A definition that nothing speaks for or against has the weight 1; that many of it stand for what is
/// defined outside.
const OUTSIDE: f64 = 0.4;
/// What an import, a receiver's type or a path says.
const SURE: f64 = 8.0;
/// A name that is spelled like it.
const LIKELY: f64 = 4.0;
/// What speaks against it.
const UNLIKELY: f64 = 0.25;
/// Shares below this are dropped.
const LEAST: f64 = 0.01;

/// Where a name stands.
pub struct Origin<'a> {
    /// The file's number, if it is known.
    pub file: Option<u32>,
    pub path: &'a str,
    pub language: &'a str,
    pub imports: &'a [Import],
    pub scope: &'a Scope,
}

/// What a reference may mean, with the share of each, in the order of files.
pub fn meant(known: &Known, origin: &Origin, reference: &Reference) -> Vec<(At, f64)> {
    let mut all: Vec<(At, f64)> = Vec::new();
    for at in known.named(&reference.name) {
        let file = known.file(at.0);
        let fits = file.language.is_some_and(|it| family(it) == family(origin.language));
        if fits {
            all.push((at, weight(known, origin, reference, at)));
        }
    }
    // Of a function and its declaration, or its overloads, one is enough.
    all.dedup_by(|later, first| {
        let same = later.0.0 == first.0.0
            && known.definition(later.0).container == known.definition(first.0).container;
        if same {
            first.1 = first.1.max(later.1);
        }
        same
    });
    let sum: f64 = all.iter().map(|(_, weight)| weight).sum::<f64>() + OUTSIDE;
    all.iter_mut().for_each(|(_, weight)| *weight /= sum);
    all.retain(|(_, share)| *share >= LEAST);
    all
}

fn weight(known: &Known, origin: &Origin, reference: &Reference, at: At) -> f64 {
    let file = known.file(at.0);
    let definition = known.definition(at);
    let module = known.modules[at.0 as usize];
    let is_own = origin.file == Some(at.0);
    let container = definition.container.as_deref().filter(|it| !it.is_empty());
    let of_kind = by_kind(definition.kind, &reference.place, origin.language);
    let by_place = match &reference.place {
        Place::Plain if is_own => LIKELY,
        Place::Plain => imported(origin, &reference.name, &file.path, module),
        Place::Segment { qualifier } => segment(origin, qualifier, container, module, is_own),
        Place::Member { receiver } => {
            member(origin, receiver.as_deref(), definition, container, module, is_own, known)
        }
    };
    let near = if folder(&file.path) == folder(origin.path) { 1.3 } else { 1.0 };
    let test = if is_test(&file.path) && !is_test(origin.path) { UNLIKELY } else { 1.0 };
    of_kind * by_place * near * test
}

fn by_kind(kind: Kind, place: &Place, language: &str) -> f64 {
    let implicit_self = matches!(language, "java" | "cpp");
    match (place, kind) {
        (_, Kind::Function) => 1.0,
        (Place::Plain, Kind::Method) if implicit_self => 0.7,
        (Place::Plain, Kind::Method | Kind::Field) => 0.05,
        (_, Kind::Method) => 1.0,
        (Place::Plain, Kind::Type | Kind::Macro) => 1.0,
        (_, Kind::Type) => 0.8,
        (Place::Member { .. }, Kind::Field) => 0.4,
        (_, Kind::Field) => 0.5,
        (_, Kind::Constant) => 0.6,
        (_, Kind::Module | Kind::Macro) => 0.3,
    }
}

/// Does an import say that the name is from that file?
fn imported(origin: &Origin, name: &str, path: &str, module: &str) -> f64 {
    let mut of_module = 1.0;
    for import in origin.imports {
        let parts = || import.path.split([':', '.', '/']).filter(|part| !part.is_empty());
        let leads_there = parts().any(|part| part == module)
            || parts().next_back().is_some_and(|last| last != name && path.contains(last));
        if import.names.iter().any(|known| known == name) {
            return if leads_there { 2.0 * SURE } else { 1.5 };
        }
        // Everything of a module.
        if import.names.is_empty() && leads_there {
            of_module = LIKELY;
        }
    }
    if of_module > 1.0 { of_module } else { 0.5 }
}

fn segment(
    origin: &Origin,
    qualifier: &str,
    container: Option<&str>,
    module: &str,
    is_own: bool,
) -> f64 {
    let last = qualifier.rsplit([':', '.']).next().unwrap_or_default();
    let last = last.split('<').next().unwrap_or_default();
    let own = origin.scope.within.first().map(String::as_str);
    match last {
        "Self" if own.is_some() && own == container => SURE,
        "Self" => UNLIKELY,
        "self" | "crate" | "super" => 1.0 + f64::from(is_own),
        _ if container == Some(last) || module == last => SURE,
        _ => UNLIKELY * UNLIKELY,
    }
}

fn member(
    origin: &Origin,
    receiver: Option<&str>,
    definition: &Definition,
    container: Option<&str>,
    module: &str,
    is_own: bool,
    known: &Known,
) -> f64 {
    let of_type = matches!(definition.kind, Kind::Method | Kind::Field);
    let own = origin.scope.within.first().map(String::as_str);
    let spoken_of = || {
        let file = origin.file.map(|file| known.file(file));
        container.is_some_and(|it| file.is_some_and(|file| has(file, hash(it))))
    };
    let else_by_words = || if spoken_of() || is_own { 1.5 } else { UNLIKELY };
    let Some(receiver) = receiver else { return else_by_words() };
    if matches!(receiver, "self" | "this" | "cls") {
        let inherits = if is_own { 1.0 } else { else_by_words() / 1.5 };
        return if own.is_some() && own == container { SURE } else { 0.7 * inherits };
    }
    if !of_type {
        let is_module = module == receiver
            || origin.imports.iter().any(|import| {
                import.names.iter().any(|name| name == receiver) && import.path.contains(module)
            });
        return if is_module || container == Some(receiver) { SURE } else { UNLIKELY };
    }
    let Some(container) = container else { return UNLIKELY };
    if container == receiver {
        return SURE;
    }
    let variable = origin.scope.variables.iter().find(|variable| variable.name == receiver);
    let gives = variable.and_then(|variable| variable.gives.as_ref());
    if let Some(Gives::Type(text) | Gives::Value(text)) = gives
        && words::names(text).any(|name| name == container)
    {
        return SURE;
    }
    let (small, receiver) = (container.to_lowercase(), receiver.replace('_', "").to_lowercase());
    if receiver.len() > 2 && (small == receiver || small.ends_with(&receiver)) {
        return LIKELY;
    }
    match gives {
        // It is of another type.
        Some(Gives::Type(_)) => UNLIKELY,
        _ => else_by_words(),
    }
}
