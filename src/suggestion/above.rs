//! The lines above the cursor are not written again.

use super::{Around, Line, lines};

/// A shorter line may well come twice, characters.
const LONG: usize = 10;

/// Whether a suggestion does nothing but write the line, or the lines, above once more. Only exact
/// copies count, since the rows of a table are similar; and only what the model wrote itself.
pub fn repeats_above(text: &str, around: Around) -> bool {
    let lines = lines(text, around);
    let long = text.lines().any(|line| line.trim().chars().count() > LONG);
    // Of a text that starts with a line break the cursor's own line is the one above.
    let own = lines.first().filter(|line| line.start > 0).map(|_| around.line_before());
    let own = own.filter(|line| !line.trim().is_empty());
    let above: Vec<&str> = own.into_iter().chain(around.lines_above()).take(lines.len()).collect();
    let mut pairs = lines.iter().rev().zip(&above);
    let same = |(line, above): (&Line, &&str)| line.whole.trim_end() == above.trim_end();
    long && above.len() == lines.len() && pairs.all(same)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    fn check(fixture: &str, generated: &str, expect: &str) {
        check_in("rust", fixture, generated, expect);
    }

    #[test]
    fn the_line_above_is_not_written_again() {
        check("    let total = sum(a);\n\n    $0\n", "let total = sum(a);", "nothing");
        check("    let total = sum(a);\n    let $0\n", "total = sum(a);", "nothing");
        check("    let total = sum(a);\n    $0)\n", "let total = sum(a", "let total = sum(a|");
    }

    #[test]
    fn several_lines_above_are_not_written_again() {
        let above = "    {\n    one(first);\n    two(second);\n    }\n";
        let again = "{\n    one(first);\n    two(second);\n    }";
        check(&format!("{above}    $0\n"), again, "nothing");
        let less = "{\n    one(first);\n    two(seconds);\n    }";
        check(&format!("{above}    $0\n"), less, &format!("{less}|"));
    }

    #[test]
    fn a_short_line_a_sibling_or_the_end_of_a_typed_line_may_come_again() {
        check("        return total;\n    $0\n", "return total;", "return total;|");
        check(
            "    return total;\n}\nfn f() {$0\n",
            "\n    return total;\n}",
            "\n    return total;\n}|",
        );
        check("    step();\n    $0\n", "step();", "step();|");
        check("    (1, \"first\"),\n    $0\n", "(2, \"first\"),", "(2, \"first\"),|");
        check("    reader.advance();\n    reader.adv$0\n", "ance();", "ance();|");
    }
}
