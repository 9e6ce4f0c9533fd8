//! Where definitions stand in a text, local ones and those of test modules too.
//!
//! In: a file's text. Out: each function, type, impl, constant and macro with the bytes it takes. What
//! its signature is says the [outline](super). Pure; one parse and one pass of `names.scm`, with a time
//! budget.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::collect::Collected;
use super::{Kind, LIMIT, bare};
use crate::syntax::Language;
use crate::syntax::names::Mark;

/// A definition, or an impl, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub name: String,
    /// `None` for an impl: it only gives what is in it a container.
    pub kind: Option<Kind>,
    /// Of the innermost type, impl or module around it.
    pub container: Option<String>,
    /// Bytes of all of it, without the comments and attributes before it.
    pub whole: Range<usize>,
    /// Bytes of what is in it.
    pub body: Option<Range<usize>>,
}

impl Placed {
    pub fn is_function(&self) -> bool {
        matches!(self.kind, Some(Kind::Function | Kind::Method))
    }
}

impl Language {
    /// The definitions of `text` in order, an outer one before what is in it. Empty when that takes
    /// longer than `budget` or the text is larger than 1 MiB.
    pub fn places(&self, text: &str, budget: Duration) -> Vec<Placed> {
        self.placed(text, Instant::now() + budget).unwrap_or_default()
    }

    fn placed(&self, text: &str, deadline: Instant) -> Option<Vec<Placed>> {
        let names = self.outline_names()?;
        let tree = (text.len() <= LIMIT).then(|| self.parse(text, deadline))??;
        let mut collected = Collected::default();
        names.each(&tree, text, 0..text.len(), deadline, |found| collected.add(&found))?;
        let mut placed: Vec<Placed> = Vec::new();
        // Numbers of what is around.
        let mut around: Vec<usize> = Vec::new();
        for item in collected.sorted().items {
            let kind = item.kind();
            if kind.is_none() && item.mark != Mark::Container {
                continue;
            }
            around.retain(|outer| placed[*outer].whole.end > item.whole.start);
            let (owner, name) = item.names(text);
            let is_open = |outer: &&usize| {
                !matches!(placed[**outer].kind, Some(Kind::Function | Kind::Method))
            };
            let outer = around.iter().rev().find(is_open).map(|outer| &placed[*outer]);
            let is_method = owner.is_some()
                || outer.is_some_and(|outer| matches!(outer.kind, None | Some(Kind::Type)));
            let container = owner.or_else(|| outer.map(|outer| outer.name.clone()));
            let kind = match kind {
                Some(Kind::Function) if is_method => Some(Kind::Method),
                kind => kind,
            };
            let name = if kind.is_none() { bare(name) } else { name };
            if item.body.is_some() {
                around.push(placed.len());
            }
            let (whole, body) = (item.whole.clone(), item.body.clone());
            placed.push(Placed { name: name.to_owned(), kind, container, whole, body });
        }
        Some(placed)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::syntax::language;

    fn check(id: &str, text: &str, expected: Expect) {
        let placed = language(id).unwrap().places(text, Duration::from_secs(5));
        let shown = placed.iter().map(|it| {
            let lines = text[..it.whole.start].matches('\n').count()
                ..=text[..it.whole.end].matches('\n').count();
            format!("{lines:?} {:?} {}\n", it.container.as_deref().unwrap_or(""), it.name)
        });
        expected.assert_eq(&shown.collect::<String>());
    }

    #[test]
    fn methods_local_functions_and_tests_have_a_place() {
        let rust = "struct Shop { open: bool }\nimpl Shop {\n    fn sell(&self) {\n        \
                    fn inner() {}\n    }\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    \
                    fn sells() {}\n}\n";
        check(
            "rust",
            rust,
            expect![[r#"
            0..=0 "" Shop
            0..=0 "Shop" open
            1..=5 "" Shop
            2..=4 "Shop" sell
            3..=3 "Shop" inner
            9..=9 "" sells
        "#]],
        );
        let python =
            "class Shop:\n    def sell(self):\n        self.open = 1\n\ndef test():\n    pass\n";
        check(
            "python",
            python,
            expect![[r#"
            0..=2 "" Shop
            1..=2 "Shop" sell
            2..=2 "Shop" open
            4..=5 "" test
        "#]],
        );
    }
}
