//! From the matches of a query to what they are about.
//!
//! In: matches in the order in which the query finds them, several for one thing. Out: each item,
//! import and comment once, in the order of the text.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::super::names::{Found, Mark};
use super::Kind;
use super::signature::bare;

/// Something with a name: a definition, an impl, or what is left out. All ranges are bytes.
#[derive(Debug)]
pub struct Item {
    pub mark: Mark,
    pattern: usize,
    /// Where its own node begins.
    pub start: usize,
    /// From `export` or `template` on.
    pub whole: Range<usize>,
    pub name: Range<usize>,
    pub body: Option<Range<usize>>,
    pub owner: Option<Range<usize>>,
    pub bases: Vec<Range<usize>>,
    pub r#type: Option<Range<usize>>,
    pub value: Option<Range<usize>>,
}

impl Item {
    pub fn kind(&self) -> Option<Kind> {
        match self.mark {
            Mark::Definition(kind) => Some(kind),
            Mark::Attribute => Some(Kind::Field),
            _ => None,
        }
    }

    /// The type that the item says it belongs to, and its name without that.
    pub fn names<'a>(&self, text: &'a str) -> (Option<String>, &'a str) {
        let name = text[self.name.clone()].trim_matches(['"', '\'']);
        if let Some(owner) = self.owner.clone() {
            return (Some(bare(&text[owner]).to_owned()), name);
        }
        match name.rsplit_once("::") {
            Some((owner, last)) if matches!(self.kind(), Some(Kind::Function | Kind::Type)) => {
                (Some(bare(owner).to_owned()), last)
            }
            _ => (None, name),
        }
    }
}

/// An import as it stands in the text.
pub struct Statement {
    pub start: usize,
    pub path: Option<Range<usize>>,
    pub names: Vec<Range<usize>>,
}

#[derive(Default)]
pub struct Collected {
    pub items: Vec<Item>,
    /// Comments and attributes.
    pub asides: Vec<Range<usize>>,
    pub imports: Vec<Statement>,
    /// Each with the start of its list.
    pub scopes: Vec<(Range<usize>, usize)>,
    /// By the first byte of the name.
    item_at: HashMap<usize, usize>,
    import_at: HashMap<usize, usize>,
    /// By the first byte of the item in it.
    wholes: HashMap<usize, Range<usize>>,
}

impl Collected {
    pub fn add(&mut self, found: &Found) {
        let Some((mark, range)) = found.iter().find_map(|(mark, node)| {
            let leads = matches!(
                mark,
                Mark::Definition(_)
                    | Mark::Attribute
                    | Mark::Container
                    | Mark::Omit
                    | Mark::Import
                    | Mark::Scope
                    | Mark::Whole
                    | Mark::Aside
            );
            leads.then(|| (mark, node.byte_range()))
        }) else {
            return;
        };
        match mark {
            Mark::Aside => self.asides.push(range),
            Mark::Whole => {
                if let Some(item) = found.range(Mark::Item) {
                    self.wholes.insert(item.start, range);
                }
            }
            Mark::Scope => {
                if let Some(list) = found.range(Mark::List) {
                    self.scopes.push((range, list.start));
                }
            }
            Mark::Import => self.add_import(found, range.start),
            _ => self.add_item(found, mark, range),
        }
    }

    fn add_import(&mut self, found: &Found, start: usize) {
        let at = *self.import_at.entry(start).or_insert_with(|| {
            self.imports.push(Statement { start, path: None, names: Vec::new() });
            self.imports.len() - 1
        });
        let import = &mut self.imports[at];
        import.path = import.path.take().or_else(|| found.range(Mark::Path));
        let names = found.iter().filter(|(mark, _)| *mark == Mark::Name);
        import.names.extend(names.map(|(_, node)| node.byte_range()));
    }

    fn add_item(&mut self, found: &Found, mark: Mark, whole: Range<usize>) {
        let Some(name) = found.range(Mark::Name) else { return };
        let bodies = || found.iter().filter(|(mark, _)| *mark == Mark::Body);
        let body = bodies().next().map(|(_, first)| {
            let end = bodies().map(|(_, body)| body.end_byte()).max();
            first.start_byte()..end.unwrap_or(first.end_byte())
        });
        let pattern = found.pattern;
        let (owner, start) = (found.range(Mark::Owner), whole.start);
        let bases = found.iter().filter(|(mark, _)| *mark == Mark::Base);
        let bases = bases.map(|(_, node)| node.byte_range()).collect();
        let (r#type, value) = (found.range(Mark::Type), found.range(Mark::Value));
        let item = Item { mark, pattern, start, whole, name, body, owner, bases, r#type, value };
        match self.item_at.entry(item.name.start) {
            Entry::Vacant(entry) => {
                entry.insert(self.items.len());
                self.items.push(item);
            }
            Entry::Occupied(entry) => {
                let known = &mut self.items[*entry.get()];
                let (mut first, other) = match item.pattern < known.pattern {
                    true => (item, &*known),
                    false => return known.complete(&item),
                };
                first.complete(other);
                *known = first;
            }
        }
    }

    /// In the order of the text, the outer one first.
    pub fn sorted(mut self) -> Self {
        for item in &mut self.items {
            // `export declare class`: two steps.
            for _ in 0..2 {
                if let Some(whole) = self.wholes.get(&item.whole.start) {
                    let end = whole.end.max(item.whole.end);
                    item.whole = whole.start..end;
                }
            }
        }
        self.items.sort_by_key(|item| (item.start, item.name.start));
        self.asides.sort_by_key(|aside| aside.start);
        self.asides.dedup_by_key(|aside| aside.start);
        self.imports.sort_by_key(|import| import.start);
        for import in &mut self.imports {
            import.names.sort_by_key(|name| name.start);
            import.names.dedup();
        }
        self.scopes.sort_by_key(|(scope, _)| scope.start);
        self
    }
}

impl Item {
    /// Takes from another match of the same item what this one lacks.
    fn complete(&mut self, other: &Item) {
        self.owner = self.owner.take().or_else(|| other.owner.clone());
        self.r#type = self.r#type.take().or_else(|| other.r#type.clone());
        self.value = self.value.take().or_else(|| other.value.clone());
        for base in &other.bases {
            if !self.bases.contains(base) {
                self.bases.push(base.clone());
            }
        }
        if self.pattern == other.pattern {
            let both = self.body.iter().chain(&other.body);
            let start = both.clone().map(|body| body.start).min();
            let end = both.map(|body| body.end).max();
            self.body = start.zip(end).map(|(start, end)| start..end);
        } else {
            self.body = self.body.take().or_else(|| other.body.clone());
        }
    }
}
