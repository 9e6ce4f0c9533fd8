//! Which names can be taken from what stands before one: a type's members, what a module defines.
//!
//! In: a place where a name begins, the index. Out: the names, where what is before the dot, the arrow or
//! the `::` is known for certain and all of it is the workspace's; else `None`. Rust and Python only. Pure.

use super::Place;
use super::around::around;
use super::choice::takes_self;
use super::expression::last_expression;
use super::told;
use super::types::{STANDARD, Types};
use crate::syntax::outline::{Import, Kind};
use crate::workspace::{Found, Index};

/// Where what is known was held against what stands there. Elsewhere types get members in other ways
/// (embedding, merged declarations, macros).
const LANGUAGES: [&str; 2] = ["rust", "python"];
/// Bases that say nothing of a class's members.
const EMPTY_BASES: [&str; 6] = ["object", "ABC", "Protocol", "Generic", "Any", "Exception"];

/// The names that can stand at a place, sorted; if one is begun there, those that begin so. `None` when
/// that is not known, or there is none: someone writes what will be defined later.
pub fn possible(index: &Index, place: Place) -> Option<Vec<String>> {
    if !LANGUAGES.contains(&place.language.id) {
        return None;
    }
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let before = place.text[..place.cursor].trim_end_matches(is_of_a_name);
    let value = before.strip_suffix('.').or_else(|| before.strip_suffix("->"));
    let (receiver, on_value) = match (value, before.strip_suffix("::")) {
        (Some(value), _) => (value.trim_end_matches('?'), true),
        (None, Some(of)) => (of, false),
        (None, None) => return None,
    };
    let around = around(place.text, receiver.len(), 0);
    let scope = place.language.scope(&around.text, around.at, around.near.clone());
    let types = Types { index, language: place.language.id, scope: &scope };
    let expression = last_expression(&around.text[..around.at]);
    let seen = types.of_value(expression);
    let begun = &place.text[before.len()..place.cursor];
    let mut names: Vec<String> = match seen.types.is_empty() {
        true => of_module(index, place, expression)?,
        false if seen.is_direct() => {
            if seen.types.iter().any(|of| is_of_the_standard_library(index, place, of)) {
                return None;
            }
            let rust = place.language.id == "rust";
            let members = seen.types.iter().map(|of| members(types, of));
            let members: Vec<Vec<Found>> = members.collect::<Option<_>>()?;
            let can_be_taken = |found: &Found| !rust || is_of(found, on_value);
            let found = members.into_iter().flatten().filter(can_be_taken);
            found.map(|found| found.definition.name.clone()).collect()
        }
        false => return None,
    };
    names.retain(|name| name.starts_with(begun));
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// What a type has, with what it extends; `None` when it extends what nobody knows, or has what nobody
/// can.
fn members<'a>(types: Types<'a>, of: &str) -> Option<Vec<Found<'a>>> {
    let bases = types.with_bases(of);
    // In Rust what is not known is a trait, and gives it nothing that does not occur elsewhere.
    let is_known = |base: &String| {
        types.language == "rust" || types.is_type(base) || EMPTY_BASES.contains(&base.as_str())
    };
    let found = bases.iter().flat_map(|base| types.index.members(base));
    let found: Vec<Found> = found.filter(|it| it.language == types.language).collect();
    let has_any = found.iter().any(|it| it.definition.name == "__getattr__")
        || types.language == "rust" && bases.iter().any(|base| types.derefs_outside(base));
    (bases.iter().all(is_known) && !has_any).then_some(found)
}

/// Is what the file means by this name none of the workspace's?
fn is_of_the_standard_library(index: &Index, place: Place, name: &str) -> bool {
    let is_meant =
        |import: &Import| import.names.iter().any(|it| it == name) && is_standard(import);
    index.imports(place.path).is_some_and(|imports| imports.iter().any(is_meant))
}

fn is_standard(import: &Import) -> bool {
    STANDARD.iter().any(|first| {
        import
            .path
            .strip_prefix(first)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

/// Can a member of a Rust type be taken from a value, or from the type?
fn is_of(found: &Found, value: bool) -> bool {
    let of_type = |name: &str| name.starts_with(char::is_uppercase);
    match found.definition.kind {
        Kind::Method => !value || takes_self(found),
        Kind::Field => value != of_type(&found.definition.name),
        _ => !value,
    }
}

/// What the files of a module define and import by name, where an imported name or a path leads to one.
fn of_module(index: &Index, place: Place, expression: &str) -> Option<Vec<String>> {
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let rust = place.language.id == "rust";
    let name = expression.rsplit("::").next().filter(|name| !name.is_empty())?;
    if !name.chars().all(is_of_a_name) || !rust && name != expression {
        return None;
    }
    let brings_it = |import: &Import| {
        let last = import.path.rsplit([':', '.', '/']).next();
        import.names.iter().any(|it| it == name) || import.names.is_empty() && last == Some(name)
    };
    let is_here =
        || ["crate::", "self::", "super::"].iter().any(|first| expression.starts_with(first));
    let is_imported = || {
        let mut imports = index.imports(place.path)?.iter().filter(|import| brings_it(import));
        imports.next().filter(|import| !is_standard(import))
    };
    // `io` after `use std::io`, but not in `tokio::io`.
    if !is_here() && (name != expression || is_imported().is_none()) {
        return None;
    }
    let mut names = Vec::new();
    let language = place.language.id;
    let mut files =
        index.shared().filter(|file| told::module(file.path) == name && file.language == language);
    // Of several, which is meant is not looked into.
    if let (Some(file), None) = (files.next(), files.next()) {
        // What brings in all of something may have any name.
        let brings_all = |import: &Import| language == "rust" && import.names.is_empty();
        if file.path.ends_with("__init__.py") || file.imports.iter().any(brings_all) {
            return None;
        }
        let defined = file.definitions.iter().filter(|it| told::container(it).is_none());
        names.extend(defined.map(|definition| definition.name.clone()));
        names.extend(file.imports.iter().flat_map(|import| import.names.iter().cloned()));
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    /// What can stand at `$0`, in a file that `others` stand beside.
    fn check(path: &str, others: &[(&str, &str)], fixture: &str, expected: Option<&str>) {
        let language = syntax::language(&syntax::language_of(path.as_ref())).unwrap();
        let cursor = fixture.find("$0").expect("a place");
        let text = fixture.replace("$0", "");
        let mut index = Index::default();
        for (path, text) in others.iter().copied().chain([(path, text.as_str())]) {
            index.put(path, language.id, language.outline(text).unwrap());
        }
        let names = possible(&index, Place { language, text: &text, cursor, path });
        assert_eq!(names.map(|names| names.join(" ")).as_deref(), expected, "{fixture}");
    }

    const SHOP: (&str, &str) = (
        "shop.rs",
        "pub struct Shop { till: Till, bags: Vec<Bag> }\npub struct Bag;\n\
         impl Shop { pub const MOST: u8 = 1; pub fn open() -> Self {} pub fn sell(&self) {} }\n\
         pub enum Side { Left, Right }\npub struct Till;\nimpl Display for Till {}\n\
         impl Deref for Till { type Target = Shop; }\nfn private() {}\n",
    );

    fn check_rust(text: &str, expected: Option<&str>) {
        let fixture =
            format!("use crate::shop::{{self, Shop}};\nfn f(a: &Shop, b: Shop) {{ {text} }}\n");
        check("a.rs", &[SHOP], &fixture, expected);
    }

    #[test]
    fn behind_a_value_stand_its_fields_and_methods_behind_a_type_the_rest() {
        check_rust("a.$0", Some("bags sell till"));
        check_rust("f(b.se$0", Some("sell"));
        check_rust("f(b.other$0", None);
        check_rust("Shop::$0", Some("MOST open sell"));
        check_rust("Side::$0", Some("Left Right"));
        check_rust("a.till.$0", Some("bags sell till"));
    }

    #[test]
    fn behind_a_module_stands_what_it_defines() {
        check_rust("shop::$0", Some("Bag Shop Side Till private"));
        check_rust("crate::shop::$0", Some("Bag Shop Side Till private"));
        check_rust("other::$0", None);
        let all = ("shop.rs", "pub use crate::till::*;\npub fn sell() {}\n");
        check("a.rs", &[all], "use crate::shop;\nfn f() { shop::$0 }\n", None);
        let shop = ("a/shop.py", "from till import Till\ndef sell(): ...\n");
        let fixture = "from a import shop\ndef f():\n    shop.$0\n";
        check("b.py", &[shop], fixture, Some("Till sell"));
        check("b.py", &[("shop/__init__.py", shop.1)], fixture, None);
    }

    #[test]
    fn what_is_not_known_for_certain_is_not_known() {
        check_rust("a.bags.$0", None);
        check_rust("a.unknown().$0", None);
        check_rust("$0", None);
        check_rust("String::$0", None);
        check("a.ts", &[], "class Shop { sell() {} }\nfunction f(a: Shop) { a.$0 }\n", None);
        let other = |head: &str| format!("{head}\nfn f(a: &Side) {{ a.$0 }}\n");
        let side = "pub struct Side;\nimpl Side { pub fn turn(&self) {} }\n";
        check("a.rs", &[("b.rs", side)], &other("use crate::b::Side;"), Some("turn"));
        check("a.rs", &[("b.rs", side)], &other("use std::task::Side;"), None);
        let alias = ("c.rs", "impl Link for X { type Side = u8; }\n");
        check("a.rs", &[("b.rs", side), alias], &other(""), None);
        let deref = ("c.rs", "impl Deref for Side { type Target = String; }\n");
        check("a.rs", &[("b.rs", side), deref], &other(""), None);
        let fixture =
            |base: &str| format!("class Shop({base}):\n    def sell(self):\n        self.$0\n");
        check("a.py", &[], &fixture("object"), Some("sell"));
        check("a.py", &[], &fixture("Library"), None);
        let any = fixture("object").replace("sell", "__getattr__");
        check("a.py", &[], &any, None);
    }
}
