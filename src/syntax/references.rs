//! Which names a piece of text refers to.
//!
//! In: a file's text and a range of bytes in it. Out: the names used there that may be defined
//! elsewhere: without keywords, primitives and what is bound in the range itself. What `use` and
//! `import` bring is in the [outline](super::outline).
//!
//! Pure. One parse and one pass of `names.scm`, with a time budget.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::Language;
use super::names::{Found, Mark, outside};
use super::outline::{Kind, LIMIT};

/// No answer takes longer. In a file of 1,000 lines it takes some 5 ms, nearly all of it the parse.
pub(super) const BUDGET: Duration = super::budget(100);

/// A name that is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    pub name: String,
    pub place: Place,
}

/// Where a name stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// By itself.
    Plain,
    /// Behind a dot (or arrow): the receiver's text if it is a plain name.
    Member { receiver: Option<String> },
    /// In a path, behind this: `a::b` for the `c` of `a::b::c`.
    Segment { qualifier: String },
}

impl Language {
    /// The names referred to in `range` (bytes of `text`), each once, the last one first. A name
    /// that the range cuts is left out. Empty when that takes too long or the text is larger than
    /// 1 MiB.
    pub fn references(&self, text: &str, range: Range<usize>) -> Vec<Reference> {
        let uses = self.collected(text, range.clone(), range, BUDGET);
        uses.map(|uses| uses.into_references(text)).unwrap_or_default()
    }

    /// What is bound in `read`, and used in `range`, which is part of it.
    pub(super) fn collected(
        &self,
        text: &str,
        read: Range<usize>,
        range: Range<usize>,
        budget: Duration,
    ) -> Option<Uses> {
        let names = self.reference_names()?;
        let deadline = Instant::now() + budget;
        let tree = (text.len() <= LIMIT).then(|| self.parse(text, deadline))??;
        let mut uses = Uses { range, ..Uses::default() };
        names.each(&tree, text, read, deadline, |found| uses.add(&found))?;
        Some(uses)
    }
}

/// One name that is used, in bytes.
struct Use {
    pattern: usize,
    mark: Mark,
    end: usize,
    before: Option<Range<usize>>,
}

/// A local name, in bytes, and what is said of its type.
#[derive(Default)]
pub(super) struct Binding {
    pub end: usize,
    pub of: Option<Range<usize>>,
    pub value: Option<Range<usize>>,
}

#[derive(Default)]
pub(super) struct Uses {
    range: Range<usize>,
    /// By the first byte.
    uses: HashMap<usize, Use>,
    /// By the first byte.
    pub bindings: HashMap<usize, Binding>,
    /// The whole of each.
    pub functions: Vec<Range<usize>>,
    /// Types, classes and impls: the name, and the whole.
    pub types: Vec<(Range<usize>, Range<usize>)>,
    /// By the last byte: where a name is a path, it is the last one in it.
    defined: HashSet<usize>,
    imports: Vec<Range<usize>>,
}

impl Uses {
    fn add(&mut self, found: &Found) {
        let before = found.range(Mark::Receiver).or_else(|| found.range(Mark::Qualifier));
        let is_definition = found.iter().any(|(mark, _)| matches!(mark, Mark::Definition(_)));
        for (mark, node) in found.iter() {
            let Range { start, end } = node.byte_range();
            match mark {
                Mark::Definition(Kind::Function) => self.functions.push(start..end),
                Mark::Definition(Kind::Type) | Mark::Container => {
                    let name = found.range(Mark::Name);
                    self.types.extend(name.map(|name| (name, start..end)));
                }
                Mark::Import | Mark::Scope => self.imports.push(start..end),
                Mark::Name if is_definition => drop(self.defined.insert(end)),
                Mark::Binding => {
                    let known = self.bindings.entry(start).or_default();
                    known.end = end;
                    known.of = known.of.take().or_else(|| found.range(Mark::Type));
                    known.value = known.value.take().or_else(|| found.range(Mark::Value));
                }
                _ if start < self.range.start || end > self.range.end => {}
                Mark::Reference | Mark::Member | Mark::Segment => {
                    let pattern = found.pattern;
                    if self.uses.get(&start).is_none_or(|known| pattern < known.pattern) {
                        let before = before.clone();
                        self.uses.insert(start, Use { pattern, mark, end, before });
                    }
                }
                _ => {}
            }
        }
    }

    pub fn into_references(mut self, text: &str) -> Vec<Reference> {
        let bound = self.bindings.iter().filter(|(start, binding)| {
            **start >= self.range.start && binding.end <= self.range.end
        });
        let bound: HashSet<&str> =
            bound.map(|(start, binding)| &text[*start..binding.end]).collect();
        let mut uses: Vec<_> = self.uses.into_iter().collect();
        uses.sort_by_key(|(start, _)| *start);
        self.imports.sort_by_key(|import| import.start);
        let mut is_outside = outside(self.imports.into_iter());
        let mut seen = HashSet::new();
        let mut references = Vec::new();
        uses.retain(|(start, place)| is_outside(*start) && !self.defined.contains(&place.end));
        for (start, place) in uses.into_iter().rev() {
            let name = text[start..place.end].to_owned();
            let before = place.before.map(|before| text[before].split_whitespace().collect());
            let place = match (place.mark, before) {
                (Mark::Member, receiver) => Place::Member { receiver },
                (Mark::Segment, Some(qualifier)) => Place::Segment { qualifier },
                _ if bound.contains(name.as_str()) => continue,
                _ => Place::Plain,
            };
            let reference = Reference { name, place };
            if seen.insert(reference.clone()) {
                references.push(reference);
            }
        }
        references
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::language;
    use super::*;

    /// What is referred to between `$0` and `$1`.
    fn references(id: &str, fixture: &str) -> Vec<Reference> {
        let start = fixture.find("$0").expect("a start");
        let text = fixture.replace("$0", "");
        let end = text.find("$1").expect("an end");
        language(id).expect(id).references(&text.replace("$1", ""), start..end)
    }

    fn check(id: &str, fixture: &str, expected: Expect) {
        let shown = references(id, fixture).into_iter().map(|it| match it.place {
            Place::Plain => it.name,
            Place::Member { receiver } => format!("{}.{}", receiver.unwrap_or_default(), it.name),
            Place::Segment { qualifier } => format!("{qualifier}::{}", it.name),
        });
        expected.assert_eq(&shown.collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn each_name_comes_once_and_the_last_one_first() {
        check("rust", "$0fn f() { a(); b(); a(); }$1", expect!["a b"]);
        check("rust", "fn f() { a(); $0b(); c(); $1 d(); }", expect!["c b"]);
    }

    #[test]
    fn a_name_that_the_range_cuts_is_left_out() {
        check("rust", "fn f() { ab$0cd(); ef(); g$1h() }", expect!["ef"]);
    }

    #[test]
    fn what_is_bound_or_defined_in_the_range_is_no_reference() {
        check(
            "rust",
            "$0fn f(a: A) { let b = a.c(D::new()); use e::E; b }$1",
            expect!["D::new D a.c A"],
        );
        check(
            "python",
            "$0from __future__ import y\nimport z\ndef f(a: A):\n    b = a.c(D())\n    return b$1\n",
            expect!["D a.c A"],
        );
    }

    /// Lower case is bound, upper case is not.
    #[test]
    fn every_way_to_bind_a_name_is_known() {
        for (id, text) in [
            (
                "rust",
                "fn f<t: A>(a: t, mut b: B) { for c in C { a; b; c } |d, e: D| d; let (g, mut h) = E; \
                 if let F(i) = G { i; } let H { j, .. } = I; let k = |l: J| l; g; h; j; k; }",
            ),
            (
                "python",
                "def f(a, b=A, c: B = C, *d, e: D, **g):\n    h, i = E\n    for j in F: pass\n\
                 \x20   with G as k: a, b, c, d, e, g, h, i, j, k\n\
                 \x20   return [lambda l: l for m in H if (n := m) and n]\n",
            ),
            (
                "typescript",
                "function f<t>(a: t, b?: A) { const c = B; let [d] = C; for (const e of D) { e } \
                 try { a; b } catch (g) { g } const { h } = E; return [i => i, c, d, h] }",
            ),
            (
                "javascript",
                "function f(a, b = A, ...c) { const d = B; let [e] = C; for (const g of D) { g } \
                 try { a; b; c } catch (h) { h } const { i } = E; return [j => j, d, e, i] }",
            ),
            (
                "go",
                "package p\nfunc f[t A](a B, b ...C) { c, d := D, E; var e = F; \
                 for g, h := range G { a(b, c, d, e, g, h) } }\n",
            ),
            (
                "c",
                "int f(A a, B *b, C c[]) { D d = E; F *e = G; H g[] = I; J h; K *i; L j[2]; \
                 return a + b + c + d + e + g + h + i + j; }",
            ),
            (
                "cpp",
                "template <typename t> int f(A a, B *b, C &c) { D d = E; F *e = G; H &g = I; J h; \
                 for (K i : L) { i; } for (M &j : N) { j; } return a + b + c + d + e + g + h; }",
            ),
            (
                "java",
                "class Z<t> { void f(A a, B... b) { C c = D; for (E d : F) { d(); } G(e -> e); H((g, h) -> g + h); \
                 try (I i = J) { a = b + c + i; } catch (K j) { j = j; } } }",
            ),
        ] {
            let found = references(id, &format!("$0{text}$1"));
            let letter = |it: &Reference| it.name.starts_with(char::is_lowercase);
            assert!(
                !found.iter().any(|it| it.place == Place::Plain && letter(it)),
                "{id} {found:?}"
            );
            let expected = text.chars().filter(|c| ('A'..'O').contains(c)).collect::<HashSet<_>>();
            assert_eq!(found.len(), expected.len(), "{id} {found:?}");
        }
    }

    #[test]
    fn broken_text_has_references_too() {
        check(
            "rust",
            "fn f() {\n    $0let a = self.b(C::d(e.f(\n$1}\n",
            expect!["e.f e C::d C self.b a"],
        );
        check("python", "def f(self):\n    $0a = self.b(C.d(\n$1", expect!["C.d C self.b a"]);
    }

    #[test]
    fn rust() {
        let text = "$0impl<T: Tr> m::Foo<T> { fn f(&self, x: u8) -> Option<Bar> {\n\
                    let y = self.a.b(m::n::f::<u8>(x)); println!(\"{}\", q); Kind::A(y?.c) } }$1";
        check("rust", text, expect![".c Kind::A Kind q m::n::f m::n m .b self.a Bar m::Foo Tr"]);
    }

    #[test]
    fn python() {
        let text = "$0@dec\nclass A(Base):\n    def f(self, x: int = 1) -> Out:\n\
                    \x20       self.q = mod.g(len(x), key=self.h().i)\n\
                    \x20       return [j for j in K if isinstance(j, L)]$1\n";
        check("python", text, expect!["L K .i self.h .key mod.g mod self.q Out Base dec"]);
    }

    #[test]
    fn typescript_and_javascript() {
        let text = "$0class A extends B { f(x: C<ns.D>): Promise<E> {\n\
                    const y = this.g(x); return ns.h({ i, k: new F(y) }).l } }$1";
        check("typescript", text, expect![".l F i ns.h ns this.g E ns.D C B"]);
        let text = "$0class A extends B { f(x) { const y = this.g(x); return ns.h({ i, k: new F(y) }).l } }$1";
        check("javascript", text, expect![".l F i ns.h ns this.g B"]);
        check(
            "typescriptreact",
            "$0const v = <Foo.Bar x={y}><Baz/></Foo.Bar>;$1",
            expect!["Foo.Bar Foo Baz y"],
        );
        check(
            "javascriptreact",
            "$0const v = <Foo.Bar x={y}><Baz/></Foo.Bar>;$1",
            expect!["Foo.Bar Foo Baz y"],
        );
    }

    #[test]
    fn go() {
        let text = "package p\n$0func (s *S) F(a string) (*pkg.R, error) {\n\
                    y := s.c.D(len(a)); z := pkg.New(y); return fmt.X{A: z}, nil }$1\n";
        check("go", text, expect!["A fmt.X pkg.New pkg .D s.c pkg.R S"]);
    }

    #[test]
    fn c_and_cpp() {
        let text = "$0int f(struct s *p, size_t n) { T y = p->q.r; return g(y, LIMIT) + NULL; }$1";
        check("c", text, expect!["LIMIT g .r p.q T s"]);
        let text = "$0int A::f(B& b) { auto y = ns::mk<C>(b); this->q(y); return new D(); }$1";
        check("cpp", text, expect!["D this.q C ns::mk ns B A"]);
    }

    #[test]
    fn java() {
        let text = "package a.b;\n$0class A extends B { @Override C<M.N> f(String x) {\n\
                    var y = this.g(x); return new E(y).h(F.K, G::i, y.j().k); } }$1";
        check("java", text, expect![".k y.j G::i G F.K F .h E this.g M.N M C B"]);
    }
}
