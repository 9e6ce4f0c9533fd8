//! What is in scope at a place of a text.
//!
//! In: text and a place in it. Out: its [`Scope`]: the variables that can be used there, with what the
//! text says of their types; the types around it; the names used nearby. Broken text gives what of it
//! can be read.
//!
//! Pure. One parse and one pass of `names.scm`, with a time budget.

use std::ops::Range;
use std::time::Duration;

use super::Language;
use super::outline::Gives;
use super::references::{BUDGET, Reference};

/// What is known of a type from more text than this is not worth more, bytes.
const SHOWN: usize = 200;

/// What stands where a type would, and says to look at the value.
const INFERRED: [&str; 2] = ["auto", "var"];

/// What is in scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The last one bound comes first, also before one of the same name that it hides.
    pub variables: Vec<Variable>,
    /// The types, impls and classes around the place, the innermost first.
    pub within: Vec<String>,
    /// As [`Language::references`].
    pub references: Vec<Reference>,
}

/// A local name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// What the text says of its type.
    pub gives: Option<Gives>,
    /// That is of what it was taken out of: `Some(x) = …`, `for x in …`.
    pub taken_out: bool,
    /// Where its name ends, in bytes.
    pub end: usize,
}

impl Language {
    /// What is in scope at the byte `at`, and the names used in `near`. Empty when that takes too
    /// long or the text is larger than 1 MiB.
    pub fn scope(&self, text: &str, at: usize, near: Range<usize>) -> Scope {
        self.scope_within(text, at, near, BUDGET)
    }

    /// [`scope`](Self::scope) with as much time as the caller has.
    pub fn scope_within(
        &self,
        text: &str,
        at: usize,
        near: Range<usize>,
        budget: Duration,
    ) -> Scope {
        let Some(mut uses) = self.collected(text, 0..text.len(), near, budget) else {
            return Scope::default();
        };
        let mut bindings: Vec<_> = std::mem::take(&mut uses.bindings).into_iter().collect();
        bindings.sort_by_key(|(start, _)| std::cmp::Reverse(*start));
        let mut variables = Vec::new();
        for (start, binding) in bindings {
            let mut around = uses.functions.iter().filter(|function| function.contains(&start));
            let is_seen = binding.end <= at && around.all(|function| function.contains(&at));
            let name = &text[start..binding.end];
            if is_seen {
                let shown = |range: Range<usize>| collapsed(&text[range]);
                let of = binding.of.filter(|of| !INFERRED.contains(&&text[of.clone()]));
                let gives = match (of, binding.value) {
                    (Some(of), _) => Some(Gives::Type(shown(of))),
                    (None, value) => value.map(|value| Gives::Value(shown(value))),
                };
                let taken_out = is_taken_out(&text[..start]);
                variables.push(Variable {
                    name: name.to_owned(),
                    gives,
                    taken_out,
                    end: binding.end,
                });
            }
        }
        let mut types: Vec<_> = uses.types.iter().filter(|(_, body)| body.contains(&at)).collect();
        types.sort_by_key(|(_, body)| body.len());
        let within =
            types.iter().map(|(name, _)| super::outline::bare(&text[name.clone()]).to_owned());
        Scope { variables, within: within.collect(), references: uses.into_references(text) }
    }
}

/// Is what is bound after this text taken out of a value? Of patterns with a value there are only those
/// of one part: `Some(x)`, `for x in`.
fn is_taken_out(before: &str) -> bool {
    let before = before.trim_end();
    let before = before.strip_suffix("mut").unwrap_or(before).trim_end();
    let pattern = ["Some(", "Ok(", "Err("].iter().any(|pattern| before.ends_with(pattern));
    pattern
        || before.strip_suffix("for").is_some_and(|before| !before.ends_with(char::is_alphanumeric))
}

fn collapsed(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(SHOWN)];
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_start_matches([':', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::language;
    use super::*;

    /// The scope at `$0`.
    fn check(id: &str, fixture: &str, expected: Expect) {
        let at = fixture.find("$0").expect("a place");
        let text = fixture.replace("$0", "");
        let scope = language(id).expect(id).scope(&text, at, 0..0);
        let shown = scope.variables.iter().map(|variable| match &variable.gives {
            Some(Gives::Type(of)) => format!("{}: {of}\n", variable.name),
            Some(Gives::Value(value)) if variable.taken_out => {
                format!("{} of {value}\n", variable.name)
            }
            Some(Gives::Value(value)) => format!("{} = {value}\n", variable.name),
            None => format!("{}\n", variable.name),
        });
        expected.assert_eq(&format!(
            "{}in {}\n",
            shown.collect::<String>(),
            scope.within.join(" ")
        ));
    }

    #[test]
    fn the_variables_of_a_rust_function_and_the_type_around_it() {
        check(
            "rust",
            "impl<T> Walk for Shop<T> {\n fn other(x: u8) { let y = 1; }\n\
             fn f(&self, a: &mut Till, b: u8) {\n let mut c: Arc<Box> = d();\n let c = Bag::new(a)?;\n\
             if let Some(e) = self.e.get() { for g in &e.all { match h() { Ok(i) => { $0 } } } } let z = 1; }\n}",
            expect![[r#"
                i of h()
                g of &e.all
                e of self.e.get()
                c = Bag::new(a)?
                c: Arc<Box>
                b: u8
                a: &mut Till
                T
                in Shop
            "#]],
        );
    }

    #[test]
    fn the_variables_of_a_python_function_and_the_class_around_it() {
        check(
            "python",
            "class Shop(Base):\n    def other(self, x: int):\n        y = 1\n\
             \x20   def f(self, a: Till, b: 'Bag' = None, c=1):\n        with self.open(a) as d:\n\
             \x20           for e in d.all():\n                g: Box = h()\n                i = Box(1)\n                $0\n",
            expect![[r#"
                in 
            "#]],
        );
    }

    #[test]
    fn a_variable_of_each_language_has_its_type() {
        let cases = [
            ("typescript", "function f(a: A) { const b = new B(); for (const c of d()) { $0 } }"),
            ("javascript", "function f(a) { const b = new B(); for (const c of d()) { $0 } }"),
            ("go", "package p\nfunc (r *R) f(a A) { b := B{}; var c C; $0 }"),
            ("c", "int f(A *a) { B b = d(); C *c; $0 }"),
            ("cpp", "int f(A &a) { auto b = d(); C c; $0 }"),
            ("java", "class Z { void f(A a) { var b = new B(); for (C c : d()) { $0 } } }"),
        ];
        let mut all = String::new();
        for (id, fixture) in cases {
            let at = fixture.find("$0").expect("a place");
            let scope = language(id).expect(id).scope(&fixture.replace("$0", ""), at, 0..0);
            let known = scope.variables.iter().filter_map(|it| {
                let (Gives::Type(text) | Gives::Value(text)) = it.gives.as_ref()?;
                Some(format!(" {} {text},", it.name))
            });
            all += &format!("{id}{}\n", known.collect::<String>());
        }
        expect![[r#"
            typescript c d(), b new B(), a A,
            javascript c d(), b new B(),
            go c C, b B{}, a A, r *R,
            c c C, b B, a A,
            cpp c C, b d(), a A,
            java c C, b new B(), a A,
        "#]]
        .assert_eq(&all);
    }
}
