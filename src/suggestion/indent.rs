//! Indentation: in the file's own blanks, and not twice.

use super::Around;

/// Indented lines that a file must have, all of one kind, to show what it indents with.
const EVIDENCE: usize = 2;

/// What a file indents with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Tab,
    /// So many of them.
    Spaces(usize),
}

/// The text without the blanks it begins with, where these would indent a line that is indented
/// already: deeper than the line above allows, by as much as there is.
pub fn without_doubled_indent<'a>(text: &'a str, around: Around) -> &'a str {
    let line = around.line_before();
    let blanks = &text[..text.len() - text.trim_start_matches([' ', '\t']).len()];
    let doubled = !line.is_empty() && line.trim().is_empty() && blanks.contains(line);
    let above = around.lines_above().next().unwrap_or_default();
    // What goes on in an open bracket is aligned as people like.
    let aligned = unclosed(above);
    let opens = above.trim_end().ends_with([':', '{', '>']);
    let allowed = match (opens, unit(around)) {
        (false, _) => 0,
        (true, Some(Unit::Spaces(count))) => count,
        (true, Some(Unit::Tab)) => columns("\t"),
        (true, None) => columns(leading(line)),
    };
    let too_deep = columns(line) + columns(blanks) > columns(leading(above)) + allowed;
    match doubled && too_deep && !aligned {
        true => &text[blanks.len()..],
        false => text,
    }
}

/// The text with its lines from the second on indented in the file's own blanks, where that is clear
/// from the file and the text has others. What stands behind the first blank that fits is alignment
/// and stays.
pub fn in_own_blanks(text: &str, around: Around) -> String {
    let Some(unit) = unit(around).filter(|_| text.contains('\n')) else { return text.to_owned() };
    let ours = text.split('\n').skip(1);
    let converted = |line: &str| match unit {
        Unit::Tab => {
            let width = own_width(ours.clone())?;
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let aligned = spaces % width;
            let (tabs, rest) = (spaces / width, &line[spaces - aligned..]);
            Some(format!("{}{rest}", "\t".repeat(tabs)))
        }
        Unit::Spaces(width) => {
            let rest = line.trim_start_matches('\t');
            Some(format!("{}{rest}", " ".repeat(width * (line.len() - rest.len()))))
        }
    };
    let line = |(number, line): (usize, &str)| match number {
        0 => line.to_owned(),
        _ => converted(line).unwrap_or_else(|| line.to_owned()),
    };
    text.split('\n').enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// What the file indents with, if all of it that is seen does so.
fn unit(around: Around) -> Option<Unit> {
    let lines = || around.before.split('\n').chain(around.below.split('\n'));
    let indented = lines().filter(|line| !line.trim().is_empty() || *line == around.line_before());
    let indents = indented.map(leading).filter(|blanks| !blanks.is_empty() && *blanks != " ");
    let tabs = indents.clone().filter(|blanks| blanks.starts_with('\t')).count();
    let all = indents.count();
    match all >= EVIDENCE {
        true if tabs == all => Some(Unit::Tab),
        true if tabs == 0 => own_width(lines()).map(Unit::Spaces),
        _ => None,
    }
}

/// How many spaces a level is: as many as the least indented line has, at most four.
fn own_width<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let spaces = lines.map(|line| line.len() - line.trim_start_matches(' ').len());
    let least = spaces.filter(|&spaces| spaces > 1).min()?;
    Some(if least < 4 { least } else { 4 })
}

/// The line has a bracket that it does not close, with something behind it.
fn unclosed(line: &str) -> bool {
    let count = |brackets: [char; 2]| line.matches(brackets).count();
    count(['(', '[']) > count([')', ']']) && !line.trim_end().ends_with(['(', '['])
}

fn leading(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Columns of blanks; a tab is as good as four spaces.
fn columns(blanks: &str) -> usize {
    blanks.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_in;

    #[test]
    fn a_line_that_is_indented_already_is_not_indented_again() {
        let check = |fixture, generated, expect| check_in("python", fixture, generated, expect);
        check("def f():\n    if a:\n        $0\n", "        return 1", "return 1|");
        check("def f():\n    x = 1\n    $0\n", "    return x", "return x|");
        check("def f():\n\tx = 1\n\t$0\n", "\treturn x", "return x|");
        // Less deep than it may be, it is only completed.
        check("def f():\n    if a:\n    $0\n", "    return 1", "    return 1|");
        check("x = call(one,\n    $0\n", "     two)", "     two)|");
        check("$0\n", "    x = 1", "    x = 1|");
    }

    #[test]
    fn generated_lines_are_indented_as_the_file_is() {
        let check = |fixture, generated, expect| check_in("go", fixture, generated, expect);
        let tabs = "func f() {\n\tif a {\n\t\tb()\n\t}\n\tif c {$0\n";
        check(tabs, "\n        d()\n    }", "\n\t\td()\n\t}|");
        check(tabs, "\n  d(e,\n     f)", "\n\td(e,\n\t\t f)|");
        let two = "f {\n  if a {\n    b()\n  }\n  if c {$0\n";
        check(two, "\n\t\td()\n\t}", "\n    d()\n  }|");
        check(two, "\n    d()\n  }", "\n    d()\n  }|");
    }

    #[test]
    fn without_clear_evidence_indentation_stays() {
        let check = |fixture, generated, expect| check_in("go", fixture, generated, expect);
        check("if c {$0\n", "\n    d()\n}", "\n    d()\n}|");
        check("f {\n\ta()\n    b()\n\tif c {$0\n", "\n\t    d()\n}", "\n\t    d()\n}|");
    }
}
