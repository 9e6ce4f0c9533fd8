//! What a file defines and imports.
//!
//! In: a file's text. Out: its [`Outline`]: each definition with a signature, a container and what it
//! gives, each type with what it extends, each import with the names it brings. What stands in a
//! function's body is local and left out, as are Rust's test modules. Broken text gives what of it can be read.
//!
//! Pure. One parse and one pass of `names.scm`, with a time budget.

mod collect;
pub mod places;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use self::collect::{Collected, Item, Statement};
pub(super) use self::signature::bare;
use self::signature::{SIGNATURE, Signature, Source};
use super::Language;
use super::names::{Mark, outside};

/// No file takes longer while someone waits. A file of 1,000 lines takes some 5 ms, nearly all of it the parse.
const BUDGET: Duration = super::budget(500);

/// Larger files are generated, or no source at all. Where the parser recovers from errors it looks
/// at no clock, so its time has to be bounded by the text's length, in bytes.
pub(super) const LIMIT: usize = 1 << 20;

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A struct, class, enum, union, trait, interface or another name for a type.
    Type,
    Function,
    /// A function of a type.
    Method,
    /// A field of a type, or a variant of an enum.
    Field,
    /// A constant, or a variable of a file.
    Constant,
    /// A module or namespace with a name of its own.
    Module,
    Macro,
}

/// One definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: String,
    pub kind: Kind,
    /// The item without its body, white space collapsed, at most 200 bytes:
    /// `pub fn f(&self, x: u8) -> Option<T>`. A type has its fields, variants and functions without
    /// a body in it, as many as fit: `struct P { x: u8, y: u8 }`.
    pub signature: String,
    /// The type, class, impl or module it stands in.
    pub container: Option<String>,
    /// What a call of it gives, or what it is.
    pub gives: Option<Gives>,
}

/// What a text says about a type: as written, white space collapsed, at most 80 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A type: `Option<Foo>`.
    Type(String),
    /// An expression of that type: `Foo::new(1)?`.
    Value(String),
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// As written, without quotes: `a::b::C`, `pkg.mod`, `./thing`.
    pub path: String,
    /// The names it brings, as this file calls them; none for a whole module or all of its names.
    pub names: Vec<String>,
}

/// What a file defines and imports, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    pub definitions: Vec<Definition>,
    pub imports: Vec<Import>,
    /// A type, and one that it extends or implements.
    pub bases: Vec<(String, String)>,
}

impl Language {
    /// Parses `text`; `None` when that takes too long or the text is larger than 1 MiB.
    pub fn outline(&self, text: &str) -> Option<Outline> {
        self.outline_within(text, BUDGET)
    }

    /// [`outline`](Self::outline) with as much time as the caller has.
    pub fn outline_within(&self, text: &str, budget: Duration) -> Option<Outline> {
        let names = self.outline_names()?;
        let deadline = Instant::now() + budget;
        let tree = (text.len() <= LIMIT).then(|| self.parse(text, deadline))??;
        let mut collected = Collected::default();
        names.each(&tree, text, 0..text.len(), deadline, |found| collected.add(&found))?;
        let Collected { items, asides, mut imports, scopes, .. } = collected.sorted();
        let omitted =
            || items.iter().filter(|item| item.mark == Mark::Omit).map(|it| it.whole.clone());
        let (mut is_kept, mut is_kept_too) = (outside(omitted()), outside(omitted()));
        imports.retain(|import| is_kept(import.start));
        let kept = items.iter().filter(|item| is_kept_too(item.start));
        let bases = bases(text, kept);
        let definitions = definitions(Source { text, asides: &asides }, &items);
        Some(Outline { definitions, imports: resolved(text, imports, &scopes), bases })
    }
}

/// A body, and whose it is.
struct Scope<'a> {
    item: &'a Item,
    body: Range<usize>,
    name: String,
    /// Its type's number among the definitions.
    definition: Option<usize>,
}

impl Scope<'_> {
    fn is_local(&self) -> bool {
        let open = [Mark::Container, Mark::Definition(Kind::Type), Mark::Definition(Kind::Module)];
        !open.contains(&self.item.mark)
    }

    fn is_type(&self) -> bool {
        matches!(self.item.mark, Mark::Container | Mark::Definition(Kind::Type))
    }
}

/// `items` come in the order of the text, the outer one first.
fn definitions(source: Source, items: &[Item]) -> Vec<Definition> {
    let mut definitions: Vec<Definition> = Vec::new();
    let mut signatures: Vec<Signature> = Vec::new();
    let mut scopes: Vec<Scope> = Vec::new();
    let mut seen = HashSet::new();
    for item in items {
        while scopes.last().is_some_and(|scope| scope.body.end <= item.start) {
            scopes.pop();
        }
        let Some(around) = around(&scopes, item) else { continue };
        let mut own = None;
        let method = scopes.last().filter(|scope| scope.is_local()).map(|scope| scope.item);
        if let Some(definition) = definition(source, item, around, method) {
            let Definition { name, kind, container, .. } = &definition;
            let may_repeat = matches!(kind, Kind::Function | Kind::Method);
            if !may_repeat && !seen.insert((container.clone(), name.clone(), *kind)) {
                continue;
            }
            let signature = source.signature(item, *kind);
            if let Some(outer) = around.and_then(|scope| scope.definition) {
                signatures[outer].add_part(&signature, item, source);
            }
            own = (*kind == Kind::Type).then_some(definitions.len());
            definitions.push(definition);
            signatures.push(signature);
        }
        if let Some(body) = item.body.clone() {
            let name = bare(item.names(source.text).1).to_owned();
            scopes.push(Scope { item, body, name, definition: own });
        }
    }
    for (definition, signature) in definitions.iter_mut().zip(signatures) {
        definition.signature = signature.into_text();
    }
    definitions
}

/// The scope that an item is defined in, `Some(None)` for that of the file; `None` for a local item.
fn around<'s, 'a>(scopes: &'s [Scope<'a>], item: &Item) -> Option<Option<&'s Scope<'a>>> {
    let mut around = scopes.iter().rev().filter(|scope| scope.body.contains(&item.start));
    match item.mark {
        Mark::Attribute => around.find(|scope| scope.is_type()).map(Some),
        _ => match around.next() {
            Some(scope) if scope.is_local() => None,
            scope => Some(scope),
        },
    }
}

/// Without a signature, which may still grow. `method` is the function that an attribute is set in.
fn definition(
    source: Source,
    item: &Item,
    around: Option<&Scope>,
    method: Option<&Item>,
) -> Option<Definition> {
    let (owner, name) = item.names(source.text);
    let of_type = owner.is_some() || around.is_some_and(Scope::is_type);
    let kind = match item.kind()? {
        Kind::Function if of_type => Kind::Method,
        kind => kind,
    };
    Some(Definition {
        name: name.to_owned(),
        kind,
        signature: String::new(),
        container: owner.or_else(|| around.map(|scope| scope.name.clone())),
        gives: source.gives(item, method),
    })
}

/// Each type with the names of what it extends.
fn bases<'a>(text: &'a str, items: impl Iterator<Item = &'a Item>) -> Vec<(String, String)> {
    let mut bases = Vec::new();
    for item in items {
        let of = bare(item.names(text).1);
        for base in item.bases.iter().flat_map(|base| extended(&text[base.clone()])) {
            if base != of {
                bases.push((of.to_owned(), base.to_owned()));
            }
        }
    }
    bases
}

/// `(A, b.B[C], metaclass=M)` → `A`, `B`; `: fmt::Display + 'static` → `Display`.
fn extended(list: &str) -> impl Iterator<Item = &str> {
    let list = &list[..list.floor_char_boundary(SIGNATURE)];
    let lists = list.split("implements ");
    let mut depth = 0_i32;
    let parts = lists.flat_map(move |list| {
        list.split(move |c| {
            depth += i32::from(matches!(c, '<' | '[')) - i32::from(matches!(c, '>' | ']'));
            depth == 0 && matches!(c, ',' | '+' | '&')
        })
    });
    let parts = parts.filter(|part| !part.contains('='));
    let names = parts.map(|part| bare(part.trim()).rsplit('.').next().unwrap_or_default());
    names.filter(|name| !name.is_empty())
}

/// `imports` and `scopes` come in the order of the text, the outer one first.
fn resolved(text: &str, imports: Vec<Statement>, scopes: &[(Range<usize>, usize)]) -> Vec<Import> {
    let mut scopes = scopes.iter().peekable();
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut resolved = Vec::new();
    for import in imports {
        let enter = |scope: &&(Range<usize>, usize)| scope.0.start <= import.start;
        while let Some((scope, list)) = scopes.next_if(enter) {
            open.retain(|(end, _)| *end > scope.start);
            let prefix = open.last().map_or("", |(_, prefix)| prefix);
            open.push((scope.end, format!("{prefix}{}", dense(&text[scope.start..*list]))));
        }
        open.retain(|(end, _)| *end > import.start);
        let prefix = open.last().map_or("", |(_, prefix)| prefix);
        let names = import.names.into_iter().map(|name| text[name].to_owned());
        let import = match import.path {
            Some(path) => {
                let path = format!("{prefix}{}", dense(&text[path]));
                Import { path, names: names.collect() }
            }
            // `self` in a list: what the list is of.
            None => {
                let path = prefix.trim_end_matches(':').to_owned();
                let names = path.rsplit("::").next().map(str::to_owned).into_iter().collect();
                Import { path, names }
            }
        };
        if !import.path.is_empty() {
            resolved.push(import);
        }
    }
    resolved
}

/// A path without quotes, brackets and white space.
fn dense(path: &str) -> String {
    let path = path.trim_matches(['"', '\'', '`', '<', '>']);
    path.chars().filter(|letter| !letter.is_whitespace()).collect()
}
