//! Expressions between `$0` and `$1`, and the types of other files that they have.

use super::*;
use crate::syntax;

/// The types of the expression between `$0` and `$1`, among what `others` define.
fn check(path: &str, others: &[&str], fixture: &str, expected: &str) {
    let mut index = Index::default();
    let language = syntax::language(&syntax::language_of(path.as_ref())).unwrap();
    for (number, text) in others.iter().enumerate() {
        index.put(&format!("{number}"), language.id, language.outline(text).unwrap());
    }
    let at = fixture.find("$0").expect("a start");
    let text = fixture.replace("$0", "");
    let end = text.find("$1").expect("an end");
    let text = text.replace("$1", "");
    index.put("own", language.id, language.outline(&text).unwrap());
    let scope = language.scope(&text, at, 0..0);
    let types = Types { index: &index, language: language.id, scope: &scope };
    let seen = types.of_value(&text[at..end]);
    // A value that is in something, or may be anything else.
    let mark = if seen.types.is_empty() || seen.is_direct() { "" } else { "?" };
    assert_eq!(format!("{}{mark}", seen.types.join(" ")), expected, "{fixture}");
}

const RUST: &str = "pub struct Shop { pub till: Arc<Mutex<Till>>, bags: HashMap<Id, Vec<Bag>> }\n\
    pub struct Till; pub struct Bag; pub struct Id; pub enum Side { Left, Right }\n\
    impl Shop { pub fn new() -> Self {} pub fn open(&self) -> Result<&mut Till, Error> {} }\n\
    impl Deref for Bag { type Target = Shop; }\n\
    pub trait Sell { fn sell(&self) -> Option<Bag> {} } impl Sell for Till {}\n\
    pub fn find() -> Box<dyn Sell> {} pub type Found = Result<Shop, Error>; pub struct Error;\n\
    pub static MAIN: LazyLock<Shop> = LazyLock::new(Shop::new);\n";

#[test]
fn a_rust_expression_has_the_type_that_its_parts_say() {
    for (expression, expected) in [
        ("a", "Shop"),
        ("a.till", "Till?"),
        ("a.till.lock().unwrap()", "Till"),
        ("a.bags.get(&x)?", "Bag?"),
        ("b", "Till"),
        ("c", "Bag"),
        ("d.sell()", "Bag?"),
        ("Shop::new().open()?.sell()", "Bag?"),
        ("c.open()?", "Till"),
        ("crate::shop::Shop::new()", "Shop"),
        ("library::Shop::new()", "Shop?"),
        ("find()", "Sell"),
        ("Side::Left", "Side"),
        ("Side::default()", "Side"),
        ("&mut Shop { till, bags }", "Shop"),
        ("(*a).till", "Till?"),
        ("f", "Shop?"),
        ("MAIN.open()", "Till?"),
        ("x as Till", "Till"),
        ("self.own.till", "Till?"),
        ("Self::make()", "Till"),
        ("a.unknown().till", ""),
        ("unknown", ""),
        ("format!(a)", ""),
    ] {
        let fixture = format!(
            "struct Mine {{ own: Rc<Shop> }}\nimpl Mine {{ fn make() -> Till {{}}\n\
             fn f(&self, a: &mut Shop, f: Found) {{ let b = a.open()?; let Some(c) = b.sell() else {{}};\n\
             let d = a.open().unwrap(); $0{expression}$1; }} }}"
        );
        check("a.rs", &[RUST], &fixture, expected);
    }
}

const PYTHON: &str = "class Base:\n    def sell(self) -> 'Bag': ...\n\
    class Till(Base): ...\nclass Bag: ...\n\
    class Shop:\n    def __init__(self, bag: Bag):\n        self.till = Till()\n        self.bag = bag\n\
    \x20   @property\n    def size(self) -> Optional[Bag]: ...\n\
    def find(name) -> 'Till | None': ...\n";

#[test]
fn a_python_expression_has_the_type_that_its_parts_say() {
    for (expression, expected) in [
        ("Shop(1)", "Shop"),
        ("a", "Shop"),
        ("a.till", "Till"),
        ("a.till.sell()", "Bag"),
        ("a.bag", "Bag"),
        ("a.size", "Bag"),
        ("b", "Till"),
        ("c", "Shop Till"),
        ("shops.Shop(1).till", "Till"),
        ("self.shop.till", "Till"),
        ("super().sell()", "Bag"),
        ("d", "Till"),
        ("unknown(1)", ""),
    ] {
        let fixture = format!(
            "class Mine(Base):\n    def __init__(self):\n        self.shop = Shop()\n\
             \x20   def f(self, c: Shop | Till):\n        a = Shop(1)\n        b = find('x')\n\
             \x20       with find('y') as d:\n            $0{expression}$1\n"
        );
        check("a.py", &[PYTHON], &fixture, expected);
    }
}

#[test]
fn a_value_is_told_from_what_it_is_in() {
    let others = "pub struct Till; impl Till { fn next(&self) -> Option<Till> {} }";
    for (of, expression, expected) in [
        ("&mut Till", "x", "Till"),
        ("&[Till]", "x", "Till?"),
        ("[Till; 2]", "x[0]", "Till"),
        ("(u8, Till)", "x", "Till?"),
        ("impl Fn() -> Till", "x", "Till?"),
        ("Sender<Till>", "x", "Till?"),
        ("std::io::Till", "x", "Till?"),
        ("Box<dyn Till>", "x", "Till"),
        ("Arc<Mutex<Till>>", "x.lock().unwrap()", "Till"),
        ("Option<Vec<Till>>", "x?", "Till?"),
        ("Option<Vec<Till>>", "x?.iter().next().unwrap()", "Till"),
        ("Till", "x.clone()", "Till"),
        ("Till", "x.iter()", "Till?"),
        ("Till", "x.next()", "Till?"),
        ("Till", "x.next().unwrap()", "Till"),
        ("Vec<Till>", "{ for y in x { $0y$1", "Till"),
        ("Vec<Till>", "{ let y = x; $0y$1", "Till?"),
        ("Vec<Option<Till>>", "{ for y in x { let Some(z) = y; $0z$1", "Till"),
        ("Till", "{ for y in x { $0y$1", "Till?"),
    ] {
        let marked = if expression.contains("$0") { "" } else { "$0" };
        let end = if marked.is_empty() { "" } else { "$1" };
        let fixture = format!("fn f(x: {of}) {{ {marked}{expression}{end}; }}");
        check("a.rs", &[others], &fixture, expected);
    }
    for (of, expected) in
        [("Optional[Till]", "Till"), ("list[Till]", "Till?"), ("Till | str", "Till?")]
    {
        check("a.py", &["class Till: ..."], &format!("def f(x: {of}):\n    $0x$1\n"), expected);
    }
}

#[test]
fn what_leads_back_to_itself_has_no_type() {
    let others = "pub type A = B; pub type B = A; pub struct C { c: D }";
    check("a.rs", &[others], "fn f(x: A) { let y = y; $0x.c$1 }", "");
    check("a.rs", &[others], "fn f() { let y = z; let z = y; $0z$1 }", "");
    let deep = "(".repeat(5_000);
    check("a.rs", &[others], &format!("fn f() {{ $0{deep}$1 }}"), "");
}
