//! How much of an answer is wanted: the rest of a line, or the block that the syntax asks for.

use super::Around;
use crate::syntax::{self, Language};

/// How much to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Up to the first line break.
    Line,
    /// Up to the end of the block that opens before the cursor.
    Block,
}

/// Openers of blocks where no grammar says more.
const ANY_OPENERS: [char; 2] = ['{', ':'];

impl Extent {
    /// A block when the text before the cursor opens one and nothing stands in it yet. The idea is
    /// Cody's: multi-line only behind a block start whose next line is not deeper.
    pub fn wanted(around: Around) -> Extent {
        let language = syntax::language(around.language);
        let tail = head(around);
        let Some(last) = tail.chars().next_back() else { return Extent::Line };
        let on_new_line = around.before[tail.len()..].contains('\n');
        let opens = match language {
            Some(language) => language.openers.contains(&last),
            None => ANY_OPENERS.contains(&last),
        };
        // An argument list is filled in place; it is a block only when it starts on a new line.
        let in_place = matches!(last, '(' | '[') && !on_new_line;
        let rest_is_code = around.rest_of_line.contains(|c: char| c.is_alphanumeric());
        if !opens || in_place || rest_is_code {
            return Extent::Line;
        }
        let opener_indent = indent(last_line(tail));
        if around.next_line().is_some_and(|next| indent(next) > opener_indent) {
            return Extent::Line;
        }
        let item = item(tail);
        let opaque = language
            .and_then(|language| language.structure(item))
            .is_some_and(|structure| structure.is_opaque(item.len() - 1));
        if opaque { Extent::Line } else { Extent::Block }
    }

    /// The bytes of `generated` to keep when it goes far enough; `None` while more is needed.
    pub fn reached(self, around: Around, generated: &str) -> Option<usize> {
        match self {
            Extent::Line => generated.find('\n'),
            // A block can end only where a line ends.
            Extent::Block => block_end(around, generated),
        }
    }

    /// The bytes to keep of an answer that ended by itself or at its limit.
    pub fn cut(self, around: Around, generated: &str, at_limit: bool) -> usize {
        let whole_lines = || generated.rfind('\n').unwrap_or(generated.len());
        match self.reached(around, generated) {
            Some(end) => end,
            // A line that the limit cut is not worth showing, unless it is all there is.
            None if at_limit && self == Extent::Block => whole_lines(),
            None => generated.len(),
        }
    }
}

fn block_end(around: Around, generated: &str) -> Option<usize> {
    if !may_have_ended(around, generated) {
        return None;
    }
    block_end_by_parse(around, generated)
}

fn block_end_by_parse(around: Around, generated: &str) -> Option<usize> {
    let first = generated.find(|c: char| !c.is_whitespace())?;
    let by_syntax = syntax::language(around.language)
        .and_then(|language| end_by_syntax(language, around, generated, first));
    let end = match (by_syntax, end_by_indent(around, generated)) {
        (Some(end), _) => end,
        (None, by_indent) => by_indent?,
    };
    Some(without_closer_below(around, &generated[..end]).len())
}

/// The text before the cursor from where its item starts: a line that is not indented, after a blank
/// one. What stands above cannot matter to the syntax below, but a parse of the whole window takes
/// several times as long. In a long string or comment the guess can be wrong, as that of the
/// window's own start can.
pub fn item(before: &str) -> &str {
    let after_blank = before.rmatch_indices("\n\n").map(|(at, blank)| at + blank.len());
    &before[after_blank.into_iter().find(|at| starts_item(&before[*at..])).unwrap_or(0)..]
}

/// The text below the cursor up to where the next item starts.
pub fn item_end(below: &str) -> &str {
    let (mut at, mut after_blank) = (0, false);
    for line in below.split('\n') {
        if after_blank && starts_item(line) {
            return &below[..at];
        }
        after_blank = line.trim().is_empty();
        at += line.len() + 1;
    }
    below
}

fn starts_item(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '#' | '@' | '/'))
}

/// Whether there is any sign that the block has ended: a bracket that nothing in it opened, or a
/// line that is not deeper than the opener's. A parse takes most of a millisecond and this is asked
/// for each line, so it is spared while there is no sign. Brackets in strings count too: at worst
/// the end is seen a line later, at the same place.
fn may_have_ended(around: Around, generated: &str) -> bool {
    let mut depth = 0_usize;
    let closes_more = generated.chars().any(|c| match c {
        '(' | '[' | '{' => {
            depth += 1;
            false
        }
        ')' | ']' | '}' if depth == 0 => true,
        ')' | ']' | '}' => {
            depth -= 1;
            false
        }
        _ => false,
    });
    let opener_indent = indent(last_line(head(around)));
    // The first piece continues the cursor's own line.
    let mut lines = generated.split('\n').skip(1).filter(|line| !line.trim().is_empty());
    closes_more || lines.any(|line| indent(line) <= opener_indent)
}

fn end_by_syntax(
    language: &Language,
    around: Around,
    generated: &str,
    first: usize,
) -> Option<usize> {
    let item = item(around.before);
    let text = format!("{item}{generated}");
    let from = item.len();
    let end = language.structure(&text)?.block_end(from + first)?;
    // Around the first text there may be only a block that ends within it: `{` of a one-liner.
    (end > from + first).then(|| end - from)
}

/// The end before the first line that is not deeper than the one that opened the block; a line
/// that closes it belongs to it.
fn end_by_indent(around: Around, generated: &str) -> Option<usize> {
    let opener_indent = indent(last_line(head(around)));
    // The first piece continues the cursor's own line.
    let mut at = generated.find('\n')? + 1;
    while let Some(length) = generated[at..].find('\n') {
        let line = &generated[at..at + length];
        if !line.trim().is_empty() && indent(line) <= opener_indent {
            let closes = line.trim_start().starts_with(['}', ')', ']']);
            return Some(if closes { at + length } else { at - 1 });
        }
        at += length + 1;
    }
    None
}

/// Drops a last line that only closes what a line below the cursor closes already.
fn without_closer_below<'a>(around: Around, block: &'a str) -> &'a str {
    let Some(at) = block.rfind('\n') else { return block };
    let (last, below) = (&block[at + 1..], around.next_line().unwrap_or_default());
    let closes = last.trim().chars().all(|c| "})];,".contains(c)) && !last.trim().is_empty();
    let same = below.trim().chars().next() == last.trim().chars().next();
    if closes && same && indent(below) == indent(last) { &block[..at] } else { block }
}

/// The text before the cursor without what is said about a block before anything stands in it: a
/// docstring, lines of comment. So the body of a function is wanted below its docstring.
fn head<'a>(around: Around<'a>) -> &'a str {
    let before = around.before.trim_end();
    let Some(language) = syntax::language(around.language) else { return before };
    let mut head = before;
    // Whoever writes the comment is not done with it.
    while around.before[head.len()..].contains('\n') {
        let line = last_line(head);
        let above = head[..head.len() - line.len()].trim_end();
        if line.trim_start().starts_with(language.comment) {
            head = above;
        } else if let Some(above) = without_docstring(head).filter(|_| language.id == "python") {
            head = above;
        } else {
            break;
        }
    }
    let opens = head.ends_with(|c| language.openers.contains(&c));
    if opens { head } else { before }
}

/// The text above a string that stands by itself.
fn without_docstring(text: &str) -> Option<&str> {
    let quotes = [r#"""""#, "'''"].into_iter().find(|quotes| text.ends_with(quotes))?;
    let open = text[..text.len() - quotes.len()].rfind(quotes)?;
    let line = last_line(&text[..open]);
    let is_alone = matches!(line.trim_start(), "" | "r" | "R");
    is_alone.then(|| text[..open - line.len()].trim_end())
}

fn last_line(text: &str) -> &str {
    &text[text.rfind('\n').map_or(0, |at| at + 1)..]
}

/// Columns of leading blanks; a tab is as good as four spaces.
fn indent(line: &str) -> usize {
    let blanks = line.chars().take_while(|c| *c == ' ' || *c == '\t');
    blanks.map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around<'a>(fixture: &'a str, language: &'a str) -> Around<'a> {
        let (before, after) = fixture.split_once("$0").expect("a cursor");
        let (rest_of_line, below) = after.split_once('\n').unwrap_or((after, ""));
        Around { before, rest_of_line, below, language }
    }

    #[test]
    fn a_block_is_wanted_after_an_opener_with_nothing_in_it() {
        let cases = [
            ("rust", "fn f() {$0\n}\n", Extent::Block),
            ("rust", "fn f() {\n    $0\n}\n", Extent::Block),
            ("rust", "fn f() {\n    $0\n    x\n}\n", Extent::Line),
            ("rust", "fn f() {\n    let x = 1;\n    $0\n}\n", Extent::Line),
            ("rust", "foo($0)\n", Extent::Line),
            ("rust", "foo(\n    $0\n)\n", Extent::Block),
            ("rust", "// like so: {$0\n", Extent::Line),
            ("rust", "let x:$0\n", Extent::Line),
            ("python", "def f():\n    $0\n", Extent::Block),
            ("python", "def f(): # a comment:$0\n", Extent::Line),
            ("python", "if x:$0\n\nprint(1)\n", Extent::Block),
            ("python", "def f():\n    \"\"\"It\n    is.\"\"\"\n    $0\n", Extent::Block),
            ("python", "def f():\n    r\"\"\"It.\"\"\"\n    # So:\n    $0\n", Extent::Block),
            ("python", "def f():\n    \"\"\"It.\"\"\"\n    $0\n    return 1\n", Extent::Line),
            ("python", "def f():\n    \"\"\"It.\"\"\"$0\n", Extent::Line),
            ("python", "x = \"\"\"It.\"\"\"\n$0\n", Extent::Line),
            ("python", "def f():\n    # So$0\n", Extent::Line),
            ("rust", "fn f() {\n    // So:\n    $0\n}\n", Extent::Block),
            ("rust", "let x = 1;\n// So:\n$0\n", Extent::Line),
            ("go", "func f() {\n\t$0\n}\n", Extent::Block),
            ("go", "x := 1$0\n", Extent::Line),
        ];
        for (language, fixture, expect) in cases {
            assert_eq!(Extent::wanted(around(fixture, language)), expect, "{fixture:?}");
        }
    }

    /// `$1` in the generated text is where a block ends.
    fn check(language: &str, fixture: &str, generated: &str) {
        let end = generated.find("$1");
        let text = generated.replace("$1", "");
        let reached = Extent::Block.reached(around(fixture, language), &text);
        assert_eq!(reached, end, "{fixture:?} + {generated:?}");
    }

    #[test]
    fn a_rust_block_ends_with_its_bracket_unless_that_stands_below() {
        check("rust", "fn f() {\n    $0\n", "let x = 1;\n    x\n}$1\n\nfn g() {\n");
        check("rust", "fn f() {\n    $0\n}\n", "let x = 1;\n    x$1\n}\n");
        check("rust", "impl A {\n    fn f() {$0\n}\n", "\n        1\n    }$1\n\n    fn g() {}\n");
        check(
            "rust",
            "fn f() {\n    $0\n}\n",
            "if x {\n        1\n    } else {\n        2\n    }$1\n}\n",
        );
        check("rust", "fn f() {\n    $0\n}\n", "let x = 1;\n    let y");
    }

    #[test]
    fn a_block_on_one_line_ends_and_brackets_in_strings_do_not_end_it() {
        check("rust", "fn f() {$0\n", " g(a[0]) }$1\n");
        check("rust", "fn f() {\n    $0\n", "let open = \"{\";\n}$1\n\nfn g() {}\n");
        check("rust", "fn f() {\n    $0\n", "let close = \"}\";\n    close\n}$1\n");
        check("rust", "fn f() {\n    $0\n", "let close = \"}\";\n    close");
    }

    #[test]
    fn an_item_starts_at_the_margin_after_a_blank_line() {
        let cases = [
            ("use a;\n\n/// Doc.\nfn f() {", "/// Doc.\nfn f() {"),
            ("mod a {\n    fn f() {}\n\n    fn g() {", "mod a {\n    fn f() {}\n\n    fn g() {"),
            ("fn f() {\n    a\n\n}\n\n\n#[test]\nfn g() {\n\n", "#[test]\nfn g() {\n\n"),
            ("x = 1\n\n\n@cached\ndef f():", "@cached\ndef f():"),
            ("a\n\n) -> u64 {", "a\n\n) -> u64 {"),
            ("", ""),
        ];
        for (before, expect) in cases {
            assert_eq!(item(before), expect, "{before:?}");
        }
    }

    #[test]
    fn an_item_ends_before_the_next_one() {
        let cases = [
            ("    1\n}\n\n\n/// Doc.\nfn g() {", "    1\n}\n\n\n"),
            ("\nfn g() {", "\n"),
            ("fn g() {", "fn g() {"),
            ("    1\n\n    2\n\n}\nfn g() {", "    1\n\n    2\n\n}\nfn g() {"),
            ("", ""),
        ];
        for (below, expect) in cases {
            assert_eq!(item_end(below), expect, "{below:?}");
        }
    }

    const PIECES: [&str; 12] = [
        "let a = b(c, d[0]);\n",
        "if a {\n",
        "} else {\n",
        "}\n",
        "    }\n",
        "        ",
        "println!(\"{a} {{}}\");\n",
        "// a comment (with brackets)\n",
        "match x { Some(y) => y, None => 0 }",
        ")\n",
        "\n",
        "fn g() {\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn where_there_is_no_sign_of_an_end_a_parse_finds_none(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..14),
        ) {
            let around = around("use a;\n\nimpl A {\n    fn f() {\n        $0\n", "rust");
            let generated = pieces.concat();
            prop_assert_eq!(
                Extent::Block.reached(around, &generated),
                block_end_by_parse(around, &generated)
            );
        }
    }

    #[test]
    fn a_python_block_ends_before_the_next_statement_outside() {
        check("python", "def f():\n    $0\n", "x = 1\n    return x$1\n\ndef g():\n");
        check(
            "python",
            "def f():\n    \"\"\"It.\"\"\"\n    $0\n",
            "x = 1\n    return x$1\n\ndef g():\n",
        );
        check(
            "python",
            "class A:\n    def f(self):\n        $0\n",
            "return 1$1\n\n    def g(self):\n",
        );
        check(
            "python",
            "def f():\n    $0\n",
            "s = '''\nnot the end\n'''\n    return s$1\nprint()\n",
        );
    }

    #[test]
    fn elsewhere_a_block_ends_by_indentation() {
        check("go", "func f() {\n\t$0\n", "x := 1\n\treturn x\n}$1\n\nfunc g() {\n");
        check("ruby", "if x:\n  $0\n", "a\n  b$1\nc\n");
    }

    #[test]
    fn at_the_limit_only_whole_lines_stay() {
        let around = around("fn f() {\n    $0\n", "rust");
        let text = "let a = 1;\n    let b = 2;\n    let c = ";
        assert_eq!(&text[..Extent::Block.cut(around, text, true)], "let a = 1;\n    let b = 2;");
        assert_eq!(Extent::Line.cut(around, "let a", true), 5);
    }
}
