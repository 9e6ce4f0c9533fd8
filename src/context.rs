//! What the model should know of other files, chosen for one place. Pure.
//!
//! In: the workspace's index, the document, and where an anchor will stand. Out: a few comment lines
//! to stand right before the anchor, where the KV cache keeps them until it moves: signatures of what
//! the code near the cursor is likely to use. Refuses: nothing; where nothing is known the comment is
//! empty.
//!
//! | in here | job |
//! |---|---|
//! | `around` | what of the document is read to know what is in scope |
//! | `types`, `expression` | the type of an expression, by its text and the index |
//! | `choice` | which definitions are likely to be used next |
//! | `possible` | which names can be taken from what stands before one |
//! | `told` | a definition in few words, and as many as fit |
//! | `words` | names as text |
//!
//! Of 1,350 calls in nine trees that the choice was not tuned on, the name is in 400 bytes of comment in
//! 52 % (by names alone: 34); in 912 calls of the seven it was tuned on, 56 % (37), and 64 in 700 bytes.
//! Code of other files like that around the cursor has less to say: the most similar 270 bytes of all
//! others have the name in 18 % of 420 calls, and together with 400 bytes of this comment it is there as
//! often (63 %) as in 750 bytes of the comment alone (64), less often where the model does not see it already.
//!
//! What is chosen does not help the 0.5B to write the right name yet: of 117 calls in the nine trees 58.1 %
//! with 400 bytes of it, 59.0 % with none; the right definition by itself gives 70.9 %. Where the name is in
//! the comment the model mostly sees it in the file too. Names without parameters, which are there more
//! often (60 % in 400 bytes), did no better (63 calls).
//!
//! Which names are [`possible`] is known for certain in 30 % of 2,647 calls in seven trees, and the right one
//! is among them in 97 % of those (`cargo bench --bench quality -- --recall --rows 2800 --tree …`).
//!
//! A comment near the cursor rather than Qwen's repository block far from it: with the right
//! signature in it the 0.5B model writes the name of a function from another file in 38 % of cases,
//! with the block in 30, with nothing in 24 (67 calls in Rust crates).

mod around;
mod choice;
mod expression;
mod possible;
mod told;
mod types;
mod words;

pub use choice::is_of_a_trait;
pub use possible::possible;

use crate::syntax::Language;
use crate::syntax::outline::Definition;
use crate::workspace::Index;

/// For which place.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The document's language.
    pub language: &'static Language,
    /// The whole document.
    pub text: &'a str,
    /// Bytes into the text.
    pub cursor: usize,
    /// The document's own name in the index.
    pub path: &'a str,
}

/// The comment for a place, at most `budget` bytes, each line ended; each begins with `indent`.
pub fn comment(index: &Index, place: Place, budget: usize, indent: &str) -> String {
    let leader = format!("{indent}{} ", place.language.comment);
    told::lines(choice::chosen(index, place).into_iter(), budget, &leader)
}

/// One definition as a line.
pub fn line(definition: &Definition) -> String {
    match told::container(definition) {
        Some(container) => format!("{container}: {}", definition.signature),
        None => definition.signature.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    fn index(files: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (path, text) in files {
            let language = syntax::language(&syntax::language_of(path.as_ref())).unwrap();
            index.put(path, language.id, language.outline(text).unwrap());
        }
        index
    }

    /// The comment at `$0` in a file that the index does not know.
    fn check(index: &Index, path: &str, fixture: &str, budget: usize, expect: &str) {
        let cursor = fixture.find("$0").expect("a cursor");
        let text = fixture.replace("$0", "");
        let language = syntax::language(&syntax::language_of(path.as_ref())).unwrap();
        let place = Place { language, text: &text, cursor, path };
        assert_eq!(comment(index, place, budget, ""), expect, "{fixture}");
    }

    const SHOP: &str = "pub struct Shop { open: bool }\nimpl Shop {\n    \
                        pub fn sell(&mut self, goods: Goods) -> Receipt {}\n}\n";

    #[test]
    fn what_an_imported_type_can_do_is_told() {
        let index = index(&[("shop.rs", SHOP), ("other.rs", "fn unrelated() {}")]);
        let fixture = "use crate::shop::Shop;\n\nfn main() {\n    let mut shop = Shop::new();\n    shop.$0\n}\n";
        let told = "// Shop: sell(goods) -> Receipt\n";
        check(&index, "main.rs", fixture, 40, told);
        check(&index, "main.rs", "fn main() {\n    $0\n}\n", 400, "");
    }

    #[test]
    fn an_imported_function_is_told_in_the_words_of_its_language() {
        let index = index(&[("shop.py", "def sell(goods, price=0):\n    pass\n")]);
        let fixture = "from shop import sell\n\ndef main():\n    $0\n";
        check(&index, "main.py", fixture, 400, "# shop: sell(goods, price)\n");
        check(&index, "main.rs", "use shop::sell;\nfn main() {\n    $0\n}\n", 400, "");
    }

    #[test]
    fn what_stands_in_the_file_itself_or_does_not_fit_is_left_out() {
        let index = index(&[("shop.rs", SHOP), ("main.rs", "fn sell_all(shop: Shop) {}")]);
        check(
            &index,
            "main.rs",
            "fn sell_all(shop: Shop) {}\n\nfn main() {\n    sell_all($0\n}\n",
            30,
            "",
        );
    }

    const TILL: &str = "pub struct Till;\nimpl Till {\n    pub fn open() -> Self {}\n    \
                        pub fn count(&self, coins: u8) -> u8 {}\n}\n\
                        pub trait Lock { fn lock(&self) {} }\nimpl Lock for Till {}\n";

    #[test]
    fn behind_a_known_receiver_stand_only_its_members() {
        let index = index(&[("shop.rs", SHOP), ("till.rs", TILL)]);
        let fixture = "use crate::shop::Shop;\nfn f(shop: &Shop, till: &mut Option<Till>) {\n    till.as_mut()?.$0\n}\n";
        check(&index, "main.rs", fixture, 400, "// Till: count(coins) -> u8\n// Lock: lock()\n");
        let fixture = "fn f(shop: &Shop) {\n    Till::$0\n}\n";
        check(&index, "main.rs", fixture, 400, "// Till: open() -> Self\n");
    }

    #[test]
    fn a_chain_that_goes_on_in_the_next_line_is_told_of_first() {
        let open = "pub fn open_till() -> Till {}\n";
        let index = index(&[("till.rs", TILL), ("open.rs", open)]);
        let fixture = "fn main() {\n    open_till()\n        $0\n}\n";
        let told = "// Till: count(coins) -> u8\n// Lock: lock()\n";
        check(&index, "main.rs", fixture, 45, told);
    }

    #[test]
    fn what_can_be_done_with_a_variable_not_used_yet_comes_first() {
        let index = index(&[("shop.rs", SHOP), ("till.rs", TILL)]);
        let fixture = |used: &str| {
            format!("fn f(shop: &mut Shop, till: Till) {{\n    {used}.anything();\n    $0\n}}\n")
        };
        check(&index, "main.rs", &fixture("till"), 35, "// Shop: sell(goods) -> Receipt\n");
        let told = "// Till: count(coins) -> u8\n// Lock: lock()\n";
        check(&index, "main.rs", &fixture("shop"), 45, told);
    }

    #[test]
    fn what_self_has_and_inherits_is_told() {
        let base = "class Base:\n    def sell(self, goods):\n        pass\n";
        let till = "class Till:\n    def count(self):\n        pass\n";
        let index = index(&[("base.py", base), ("till.py", till)]);
        let head = "class Shop(Base):\n    def __init__(self):\n        self.till = Till()\n\n";
        let far = "    def g(self):\n        pass\n\n".repeat(300);
        let own = &format!("{head}{far}    def f(self):\n        $0\n");
        let mut all = index;
        let language = syntax::language("python").unwrap();
        all.put("shop.py", "python", language.outline(&own.replace("$0", "")).unwrap());
        check(&all, "shop.py", own, 400, "# Base: sell(goods)\n# Till: count()\n");
    }

    #[test]
    fn an_expression_goes_on_with_what_its_type_can_do() {
        let index = index(&[("shop.rs", SHOP), ("till.rs", TILL)]);
        let fixture = "fn f(shop: &Shop) {\n    let count = Till::open()\n        $0\n}\n";
        check(&index, "main.rs", fixture, 35, "// Till: count(coins) -> u8\n");
    }

    #[test]
    fn what_was_just_written_elsewhere_is_told() {
        let mut index = index(&[("shop.rs", "pub fn old() {}\n")]);
        let language = syntax::language("rust").unwrap();
        let outline = language.outline("pub fn old() {}\npub fn pack(goods: u8) {}\n").unwrap();
        index.put("shop.rs", "rust", outline);
        check(&index, "main.rs", "fn f() {\n    $0\n}\n", 400, "// shop: pack(goods)\n");
    }

    #[test]
    fn the_same_place_has_the_same_comment() {
        let index = index(&[("shop.rs", SHOP), ("till.rs", TILL)]);
        let text = "use crate::shop::Shop;\nuse crate::till::{Till, Lock};\nfn f(shop: Shop, till: Till) {\n    \n}\n";
        let language = syntax::language("rust").unwrap();
        let place = Place { language, text, cursor: text.len() - 3, path: "main.rs" };
        let first = comment(&index, place, 400, "    ");
        assert!(first.lines().count() > 2 && first.lines().all(|line| line.starts_with("    // ")));
        assert!((0..20).all(|_| comment(&index, place, 400, "    ") == first));
    }
}
