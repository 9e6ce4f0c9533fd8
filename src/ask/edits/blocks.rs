//! The form in which Claude writes edits, and reading it.
//!
//! In: an answer, whole. Out: its search/replace [`Block`]s, in order; what stands around them is
//! ignored. Refuses: an answer with one block that is not well-formed, so that nothing is dropped
//! without a word.

use super::Problem;

/// How Claude is asked to write edits; part of the system prompt.
pub const FORMAT: &str = "\
To change files, write edit blocks. Each one is the path of the file alone on a line, as the files were \
named to you, and then:

```
<<<<<<< SEARCH
lines as they are in the file now
=======
the lines that take their place
>>>>>>> REPLACE
```

- The three markers stand alone at the very beginning of their lines.
- Copy the SEARCH lines exactly and whole, with their indentation. They must occur exactly once in the \
file and must have been shown to you: never search for text that you only suppose. Take the fewest lines \
that are unique.
- Change different places of a file with a block each. The SEARCH lines of two blocks never overlap.
- To delete lines, leave the part behind ======= empty. To make a new file, name a path that does not \
exist and leave the SEARCH part empty.
- `[redacted: ...]` stands for a secret that you do not see. Keep it as it is where it stands, write it \
nowhere else, and never make one up.
- Write the lines themselves, without comments such as \"rest unchanged\". Explain outside the blocks.";

/// One edit as it is written. Lines end with `\n`, the last one too.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// As it is written above the block.
    pub path: String,
    /// Empty for a new file.
    pub search: String,
    pub replace: String,
    /// Other ways to read it, as (search, replace), where a line that looks like the middle marker is
    /// among the lines themselves.
    pub others: Vec<(String, String)>,
    /// Of the answer, from 1.
    pub line: usize,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq)]
enum Marker {
    Search,
    Middle,
    Replace,
}

/// The blocks of an answer, or what is wrong with those that are not well-formed.
pub fn parse(answer: &str) -> Result<Vec<Block>, Vec<Problem>> {
    let lines: Vec<&str> = answer.lines().collect();
    let (mut blocks, mut problems) = (Vec::<Block>::new(), Vec::new());
    // Behind the block before, and how that was called.
    let (mut at, mut outside, mut last) = (0, 0, None);
    while let Some(line) = lines.get(at) {
        let number = at + 1;
        match marker(line) {
            Some(Marker::Search) => match whole(&lines, at) {
                Ok((end, middles)) => {
                    match path(&lines[outside..at], last.as_deref()) {
                        Ok(path) => {
                            last = Some(path.clone());
                            blocks.push(block(&lines, at, end, &middles, path));
                        }
                        Err(line) => problems.push(Problem::NoPath { line: number, found: line }),
                    }
                    (at, outside) = (end + 1, end + 1);
                }
                Err(why) => {
                    problems.push(Problem::Unfinished { line: number, why });
                    // The next block can be looked at all the same.
                    at += 1;
                    outside = at;
                }
            },
            Some(Marker::Replace) => {
                problems.push(Problem::Stray { line: number });
                at += 1;
            }
            _ if marker(line.trim_start()) == Some(Marker::Search) => {
                problems.push(Problem::Indented { line: number });
                at += 1;
            }
            _ => at += 1,
        }
    }
    if problems.is_empty() { Ok(blocks) } else { Err(problems) }
}

/// Seven of a character, some more or fewer, and a word. Trailing blanks do not matter.
fn marker(line: &str) -> Option<Marker> {
    let line = line.trim_end();
    let run = |c: char| {
        let rest = line.trim_start_matches(c);
        (5..=9).contains(&(line.len() - rest.len())).then_some(rest)
    };
    match line.chars().next()? {
        '<' if run('<')? == " SEARCH" => Some(Marker::Search),
        '=' if run('=')?.is_empty() => Some(Marker::Middle),
        '>' if run('>')? == " REPLACE" => Some(Marker::Replace),
        _ => None,
    }
}

/// Where the block that begins at this line ends, and where its middle may be.
fn whole(lines: &[&str], start: usize) -> Result<(usize, Vec<usize>), &'static str> {
    let mut middles = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(start + 1) {
        match marker(line) {
            Some(Marker::Middle) => middles.push(at),
            Some(Marker::Replace) if middles.is_empty() => return Err("it has no line ======="),
            Some(Marker::Replace) => return Ok((at, middles)),
            Some(Marker::Search) => return Err("another block begins before it ends"),
            None => {}
        }
    }
    Err("it has no end, the line >>>>>>> REPLACE")
}

fn block(lines: &[&str], start: usize, end: usize, middles: &[usize], path: String) -> Block {
    let text = |lines: &[&str]| lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
    let reading =
        |middle: &usize| (text(&lines[start + 1..*middle]), text(&lines[*middle + 1..end]));
    let mut readings = middles.iter().map(reading);
    // There is one at least.
    let (search, replace) = readings.next().unwrap_or_default();
    Block { path, search, replace, others: readings.collect(), line: start + 1 }
}

/// The path above a block: the last line with something on it, but for the fence. With nothing but fences
/// between, that of the block before. `Err` is the line that is none.
fn path(above: &[&str], last: Option<&str>) -> Result<String, String> {
    let is_fence = |line: &str| ["```", "~~~"].iter().any(|fence| line.starts_with(fence));
    let mut above = above.iter().rev().map(|line| line.trim()).filter(|line| !line.is_empty());
    let line = above.find(|line| !is_fence(line));
    let Some(line) = line else { return last.map(str::to_owned).ok_or_else(String::new) };
    let line = line.trim_start_matches(['#', '-', '>']).trim();
    let (bare, inner) = (line.trim_matches(['*', ':', '`']).trim(), line.contains('`'));
    let bare = bare.strip_prefix("File:").unwrap_or(bare).trim_matches([' ', '`', '*']);
    // In words between backticks there may be blanks, not elsewhere: it would be a sentence.
    let quoted = inner
        && line.matches('`').count() == 2
        && line.trim_matches(['*', ':', ' ']).starts_with('`');
    let is_path =
        !bare.is_empty() && !bare.contains('`') && (quoted || !bare.contains(char::is_whitespace));
    if is_path { Ok(bare.to_owned()) } else { Err(line.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Vec<(String, String, String)> {
        let blocks = parse(answer).unwrap_or_else(|problems| panic!("{problems:?}"));
        blocks.into_iter().map(|block| (block.path, block.search, block.replace)).collect()
    }

    fn one(path: &str, search: &str, replace: &str) -> Vec<(String, String, String)> {
        vec![(path.to_owned(), search.to_owned(), replace.to_owned())]
    }

    const BODY: &str = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n";

    #[test]
    fn a_block_is_read_with_or_without_a_fence_and_however_its_path_is_written() {
        for above in [
            "src/a.rs\n",
            "text\n\nsrc/a.rs\n\n",
            "src/a.rs\n```rust\n",
            "`src/a.rs`:\n~~~\n",
            "**src/a.rs**\n",
            "### src/a.rs\n\n```\n",
            "File: src/a.rs\n",
            "- `src/a.rs`\n",
        ] {
            assert_eq!(
                read(&format!("{above}{BODY}```\n\nThat is all.")),
                one("src/a.rs", "old\n", "new\n"),
                "{above}"
            );
        }
        assert_eq!(read(&format!("`my file.rs`\n{BODY}")), one("my file.rs", "old\n", "new\n"));
    }

    #[test]
    fn several_blocks_under_one_path_are_of_that_file() {
        let paths: Vec<String> = read(&format!("a.rs\n```\n{BODY}\n{BODY}```\n\nb.rs\n{BODY}"))
            .into_iter()
            .map(|block| block.0)
            .collect();
        assert_eq!(paths, ["a.rs", "a.rs", "b.rs"]);
    }

    #[test]
    fn empty_parts_are_a_new_file_and_a_deletion() {
        assert_eq!(read("a\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE"), one("a", "", "x\n"));
        assert_eq!(read("a\n<<<<<<< SEARCH\nx\n\n=======\n>>>>>>> REPLACE"), one("a", "x\n\n", ""));
    }

    #[test]
    fn carriage_returns_are_line_ends() {
        assert_eq!(
            read(&format!("a.rs\n{BODY}").replace('\n', "\r\n")),
            one("a.rs", "old\n", "new\n")
        );
    }

    #[test]
    fn a_middle_line_among_the_lines_leaves_two_readings() {
        let blocks =
            parse("a.md\n<<<<<<< SEARCH\nTitle\n=======\nold\n=======\nnew\n>>>>>>> REPLACE\n")
                .unwrap();
        assert_eq!(blocks[0].search, "Title\n");
        assert_eq!(blocks[0].others, [("Title\n=======\nold\n".to_owned(), "new\n".to_owned())]);
    }

    #[test]
    fn what_is_not_well_formed_is_a_problem_and_hides_nothing() {
        for (answer, line) in [
            ("a\n<<<<<<< SEARCH\nold\n=======\nnew\n", 2),
            ("a\n<<<<<<< SEARCH\nold\n>>>>>>> REPLACE\n", 2),
            ("a\n<<<<<<< SEARCH\nold\n", 2),
            ("a\n    <<<<<<< SEARCH\n    old\n", 2),
            ("x\n>>>>>>> REPLACE\n", 2),
            (BODY, 1),
            ("Change it as follows:\n\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n", 3),
            (
                "a\n<<<<<<< SEARCH\nold\n=======\nb\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
                2,
            ),
        ] {
            let problems = parse(answer).unwrap_err();
            assert!(
                problems[0].to_string().contains(&format!("line {line}")),
                "{answer} {problems:?}"
            );
        }
    }

    #[test]
    fn an_answer_without_blocks_has_none() {
        assert_eq!(parse("Use `git diff`:\n\n=======\n\n    <<<<<<< HEAD\n"), Ok(Vec::new()));
    }
}
