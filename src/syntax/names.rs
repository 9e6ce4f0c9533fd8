//! The captures of a `names.scm`, and one pass of its patterns over a tree.
//!
//! In: a query's text; a tree. Out: matches, with each capture's meaning. A capture that is not in
//! [`Mark`] is refused when the query is compiled, unless it begins with `_`.

use std::ops::Range;
use std::time::Instant;

use tree_sitter::{
    CaptureQuantifier, Node, Query, QueryCapture, QueryCursor, QueryCursorOptions,
    StreamingIterator, Tree,
};

use super::outline::Kind;
use super::{Language, past};

/// What a captured node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Something with a `Name`, perhaps a `Body`, an `Owner`, a `Base`, a `Type`. Of two patterns that
    /// find the same name the first one counts, and the other adds what it lacks.
    Definition(Kind),
    /// A field that a method defines.
    Attribute,
    /// Not defined here, but gives what stands in its body a container.
    Container,
    /// Left out, with everything in its body.
    Omit,
    Name,
    Body,
    /// The type that a definition belongs to, where it does not stand in its body.
    Owner,
    /// What a type extends or implements.
    Base,
    /// What a function gives, or of what type a field or a `Binding` is.
    Type,
    /// What a field or a `Binding` begins as.
    Value,
    /// A comment or an attribute: no part of a signature.
    Aside,
    /// `Whole` begins earlier than the definition in it that is its `Item`, as `export` does.
    Item,
    Whole,
    /// Has a `Path` and `Name`s.
    Import,
    /// What stands in its `List` has a path that begins with the text before the list.
    Scope,
    List,
    Path,
    Reference,
    /// A `Reference` behind a dot, perhaps with a `Receiver` before it.
    Member,
    /// A `Reference` behind a `Qualifier`.
    Segment,
    Receiver,
    Qualifier,
    /// A local name.
    Binding,
    /// For the query's own predicates.
    Private,
}

fn mark(capture: &str) -> Option<Mark> {
    Some(match capture {
        "definition.type" => Mark::Definition(Kind::Type),
        "definition.function" => Mark::Definition(Kind::Function),
        "definition.field" => Mark::Definition(Kind::Field),
        "definition.constant" => Mark::Definition(Kind::Constant),
        "definition.module" => Mark::Definition(Kind::Module),
        "definition.macro" => Mark::Definition(Kind::Macro),
        "definition.attribute" => Mark::Attribute,
        "container" => Mark::Container,
        "omit" => Mark::Omit,
        "name" => Mark::Name,
        "body" => Mark::Body,
        "owner" => Mark::Owner,
        "base" => Mark::Base,
        "type" => Mark::Type,
        "value" => Mark::Value,
        "aside" => Mark::Aside,
        "item" => Mark::Item,
        "whole" => Mark::Whole,
        "import" => Mark::Import,
        "scope" => Mark::Scope,
        "list" => Mark::List,
        "path" => Mark::Path,
        "reference" => Mark::Reference,
        "reference.member" => Mark::Member,
        "reference.segment" => Mark::Segment,
        "receiver" => Mark::Receiver,
        "qualifier" => Mark::Qualifier,
        "binding" => Mark::Binding,
        _ if capture.starts_with('_') => Mark::Private,
        _ => return None,
    })
}

/// A compiled `names.scm`.
pub(super) struct Names {
    query: Query,
    marks: Vec<Mark>,
}

/// One match.
pub(super) struct Found<'a, 'tree> {
    /// The number of the pattern in its file.
    pub pattern: usize,
    captures: &'a [QueryCapture<'tree>],
    marks: &'a [Mark],
}

impl<'tree> Found<'_, 'tree> {
    pub fn iter(&self) -> impl Iterator<Item = (Mark, Node<'tree>)> {
        self.captures.iter().map(|capture| (self.marks[capture.index as usize], capture.node))
    }

    /// The bytes of the first node with this mark.
    pub fn range(&self, mark: Mark) -> Option<Range<usize>> {
        self.iter().find(|(other, _)| *other == mark).map(|(_, node)| node.byte_range())
    }
}

impl Language {
    /// The patterns of definitions and imports.
    pub(super) fn outline_names(&self) -> Option<&Names> {
        self.of_outline.get_or_init(|| self.names(false)).as_ref()
    }

    /// All patterns.
    pub(super) fn reference_names(&self) -> Option<&Names> {
        self.of_references.get_or_init(|| self.names(true)).as_ref()
    }

    fn names(&self, with_references: bool) -> Option<Names> {
        let mut query = Query::new(&self.grammar.into(), self.names).ok()?;
        let marks: Vec<Mark> =
            query.capture_names().iter().map(|name| mark(name)).collect::<Option<_>>()?;
        let refers = |mark: &Mark| {
            matches!(mark, Mark::Reference | Mark::Member | Mark::Segment | Mark::Binding)
        };
        for pattern in 0..query.pattern_count() {
            let mut used = query.capture_quantifiers(pattern).iter().zip(&marks);
            let is_for_references =
                used.any(|(count, mark)| *count != CaptureQuantifier::Zero && refers(mark));
            if is_for_references && !with_references {
                query.disable_pattern(pattern);
            }
        }
        Some(Names { query, marks })
    }
}

impl Names {
    /// Calls `each` with every match around these bytes; `None` when that takes too long.
    pub fn each(
        &self,
        tree: &Tree,
        text: &str,
        range: Range<usize>,
        deadline: Instant,
        mut each: impl FnMut(Found),
    ) -> Option<()> {
        let mut late = |_: &tree_sitter::QueryCursorState| past(deadline);
        let options = QueryCursorOptions::new().progress_callback(&mut late);
        let mut cursor = QueryCursor::new();
        cursor.set_byte_range(range);
        cursor.set_match_limit(IN_PROGRESS);
        let text = text.as_bytes();
        let mut matches = cursor.matches_with_options(&self.query, tree.root_node(), text, options);
        while let Some(found) = matches.next() {
            let pattern = found.pattern_index;
            each(Found { pattern, captures: found.captures, marks: &self.marks });
        }
        past(deadline).is_continue().then_some(())
    }
}

/// Tells of each place whether it is outside these ranges. Places and ranges come in order.
pub(super) fn outside(ranges: impl Iterator<Item = Range<usize>>) -> impl FnMut(usize) -> bool {
    let (mut ranges, mut end) = (ranges.peekable(), 0);
    move |at| {
        while let Some(range) = ranges.next_if(|range| range.start <= at) {
            end = end.max(range.end);
        }
        at >= end
    }
}

/// How many matches may be unfinished at a time: what a deeply nested text costs is bounded by it.
const IN_PROGRESS: u32 = 1024;
