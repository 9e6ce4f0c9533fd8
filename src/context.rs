//! What the model should know of other files, chosen for one place. Pure.
//!
//! In: the workspace's index, the document, and where an anchor will stand. Out: a few comment lines
//! to stand right before the anchor, where the KV cache keeps them until it moves: signatures of what
//! the code near the cursor is likely to use. Refuses: nothing; where nothing is known the comment is
//! empty.
//!
//! A comment near the cursor rather than Qwen's repository block far from it: with the right
//! signature in it the 0.5B model writes the name of a function from another file in 38 % of cases,
//! with the block in 30, with nothing in 24 (67 calls in Rust crates).

mod around;
pub mod choice;
mod expression;
pub mod told;
mod types;
mod words;

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
}
