//! What edits do, and what they leave alone.

// What is sent of a file may be one range.
#![allow(clippy::single_range_in_vec_init)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ask::privacy::{Placeholders, redact};

/// A block as Claude writes it.
fn written(path: &str, search: &str, replace: &str) -> String {
    let fence = "```";
    format!(
        "{path}\n{fence}\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n{fence}\n\n"
    )
}

fn whole(path: &str, text: &str) -> Sent {
    Sent { path: path.to_owned(), text: text.to_owned(), parts: vec![0..text.len()] }
}

fn resolved(
    answer: &str,
    sent: &[Sent],
    now: &[(&str, &str)],
    known: &Placeholders,
) -> Result<Vec<FileEdit>, Vec<Problem>> {
    let now: BTreeMap<&str, &str> = now.iter().copied().collect();
    let blocks = parse(answer)?;
    resolve(&blocks, sent, &|path| now.get(path).map(|text| (*text).to_owned()), known)
}

/// The file that was sent whole, after the edits; or the problems in a line each.
fn check(text: &str, answer: &str) -> Result<String, String> {
    let edits =
        resolved(answer, &[whole("a.rs", text)], &[("a.rs", text)], &Placeholders::default());
    let problems =
        |problems: Vec<Problem>| problems.iter().map(|p| format!("{p}\n")).collect::<String>();
    edits.map_err(problems).map(|edits| {
        edits
            .iter()
            .find(|edit| edit.path == "a.rs")
            .map_or(text.to_owned(), |edit| edit.applied(text))
    })
}

#[test]
fn lines_are_replaced_inserted_and_deleted() {
    let text = "a\nb\nc\nd\n";
    let answer = written("a.rs", "b\n", "B\nB2\n") + &written("./a.rs", "d\n", "");
    assert_eq!(check(text, &answer).unwrap(), "a\nB\nB2\nc\n");
    assert_eq!(check(text, &written("a.rs", "a\nb\n", "a\nx\nb\n")).unwrap(), "a\nx\nb\nc\nd\n");
}

#[test]
fn only_lines_that_differ_are_edited() {
    let text = "a\nb\nc\n";
    let edits = resolved(
        &written("a.rs", text, "a\nB\nc\n"),
        &[whole("a.rs", text)],
        &[("a.rs", text)],
        &Placeholders::default(),
    );
    assert_eq!(edits.unwrap()[0].edits, [(2..4, "B\n".to_owned())]);
}

#[test]
fn the_files_own_line_ends_are_kept() {
    assert_eq!(check("a\r\nb\r\n", &written("a.rs", "b\n", "c\nd\n")).unwrap(), "a\r\nc\r\nd\r\n");
    assert_eq!(check("a\nb", &written("a.rs", "b\n", "c\n")).unwrap(), "a\nc");
    assert_eq!(check("a\r\nb", &written("a.rs", "a\nb\n", "a\nb\nc\n")).unwrap(), "a\r\nb\r\nc");
    assert_eq!(check("\u{feff}a\n", &written("a.rs", "a\n", "b\n")).unwrap(), "\u{feff}b\n");
}

#[test]
fn a_search_that_is_not_there_shows_what_is_closest() {
    let text = "fn one() {\n    let x = compute(1);\n    x\n}\n";
    let problem = check(text, &written("a.rs", "    let x = compute(2);\n", "")).unwrap_err();
    assert!(
        problem.contains("not in `a.rs`") && problem.ends_with("    let x = compute(1);\n"),
        "{problem}"
    );
    let problem =
        check(text, &written("a.rs", "fn one() {\n  let x = compute(1);\n", "")).unwrap_err();
    assert!(problem.contains("fn one() {\n    let x = compute(1);"), "{problem}");
}

#[test]
fn what_is_there_twice_changes_nothing() {
    let problem =
        check("a\nb\na\n", &(written("a.rs", "b\n", "c\n") + &written("a.rs", "a\n", "x\n")))
            .unwrap_err();
    assert!(problem.contains("line 12 searches are 2 times"), "{problem}");
}

#[test]
fn parts_of_lines_are_not_found() {
    assert!(check("    ab\n", &written("a.rs", "ab\n", "c\n")).is_err());
}

#[test]
fn only_what_was_shown_can_be_changed() {
    let text = "a\nb\nc\n";
    let sent = |parts| [Sent { path: "a.rs".to_owned(), text: text.to_owned(), parts }];
    let edit = |search, parts| {
        resolved(
            &written("a.rs", search, "x\n"),
            &sent(parts),
            &[("a.rs", text)],
            &Placeholders::default(),
        )
    };
    assert!(edit("b\n", vec![2..4]).is_ok());
    assert!(edit("a\nb\n", vec![0..2, 2..4]).is_ok());
    for (search, parts) in [("c\n", vec![2..4]), ("b\nc\n", vec![2..4]), ("a\n", vec![])] {
        assert!(matches!(edit(search, parts).unwrap_err()[..], [Problem::NotShown { .. }]));
    }
    assert!(matches!(edit("z\n", vec![0..2]).unwrap_err()[..], [Problem::NotFound { .. }]));
    let other = resolved(
        &written("b.rs", "a\n", ""),
        &sent(vec![0..6]),
        &[("a.rs", text), ("b.rs", "a\n")],
        &Placeholders::default(),
    );
    assert!(matches!(other.unwrap_err()[..], [Problem::NotSent { .. }]));
}

#[test]
fn a_file_that_changed_elsewhere_is_edited_and_one_that_changed_there_is_not() {
    let sent = [whole("a.rs", "a\nb\nc\n")];
    let answer = written("a.rs", "b\n", "x\n");
    let edit = |now: &str| {
        resolved(&answer, &sent, &[("a.rs", now)], &Placeholders::default())
            .map(|edits| edits[0].applied(now))
    };
    assert_eq!(edit("new\na\nb\nC\n").unwrap(), "new\na\nx\nC\n");
    for now in ["a\nB\nc\n", "b\nb\n"] {
        assert!(matches!(edit(now).unwrap_err()[..], [Problem::Changed { .. }]));
    }
    let gone = resolved(&answer, &sent, &[], &Placeholders::default());
    assert!(matches!(gone.unwrap_err()[..], [Problem::Changed { .. }]));
}

#[test]
fn overlapping_blocks_change_nothing() {
    let problem = check(
        "a\nb\nc\n",
        &(written("a.rs", "a\nb\n", "x\nb\n") + &written("a.rs", "b\nc\n", "b\ny\n")),
    )
    .unwrap_err();
    assert!(problem.contains("lines 3 and 14 search the same lines"), "{problem}");
}

#[test]
fn a_new_file_is_made_once_and_never_over_another() {
    let make =
        |answer: &str, now: &[(&str, &str)]| resolved(answer, &[], now, &Placeholders::default());
    let answer = written("new/b.rs", "", "fn f() {}\n");
    let made = FileEdit {
        path: "new/b.rs".to_owned(),
        created: true,
        edits: vec![(0..0, "fn f() {}\n".to_owned())],
    };
    assert_eq!(make(&answer, &[]).unwrap(), [made]);
    assert!(!make(&answer, &[("new/b.rs", "")]).unwrap()[0].created);
    assert!(matches!(
        make(&answer, &[("new/b.rs", "x")]).unwrap_err()[..],
        [Problem::Exists { .. }]
    ));
    assert!(matches!(
        make(&(answer.clone() + &answer), &[]).unwrap_err()[..],
        [Problem::Overlaps { .. }]
    ));
}

#[test]
fn a_heading_line_among_the_lines_is_read_as_the_file_has_it() {
    let text = "Title\n=======\nold\n";
    let answer = written("a.rs", "Title\n=======\nold\n", "new\n");
    assert_eq!(check(&format!("{text}Title\n"), &answer).unwrap(), "new\nTitle\n");
    assert!(check(text, &answer).unwrap_err().contains("two ways"));
    let answer = written("a.rs", "Title\n", "A\n=======\nB\n");
    assert_eq!(check(text, &answer).unwrap(), "A\n=======\nB\n=======\nold\n");
}

#[test]
fn secrets_come_back_where_they_stood_and_nowhere_else() {
    let mut known = Placeholders::default();
    let text = "let p = login(\"me\");\nlet password = \"tr0ub4dor&3x\";\n";
    let other = "let api_key = \"0th3r!S3cret?\";\n";
    let shown = redact(text, &mut known).text;
    redact(other, &mut known);
    assert!(shown.contains("[redacted: password 1]"));
    let sent = [whole("a.rs", text), whole("b.rs", other)];
    let edit = |search: &str, replace: &str| {
        resolved(
            &written("a.rs", search, replace),
            &sent,
            &[("a.rs", text), ("b.rs", other)],
            &known,
        )
    };
    let line = shown.lines().nth(1).unwrap();
    let edits = edit(&format!("{line}\n"), &format!("const {line}\n")).unwrap();
    assert_eq!(edits[0].applied(text), text.replace("let password", "const let password"));
    for made_up in ["[redacted: password 2]", "[redacted: password 7]"] {
        let problems = edit(&format!("{line}\n"), &format!("send(\"{made_up}\");\n")).unwrap_err();
        assert!(matches!(problems[..], [Problem::Placeholder { .. }]), "{problems:?}");
    }
    let problem = edit("let passwort = \"x\";\n", "").unwrap_err()[0].to_string();
    assert!(problem.contains("[redacted: password 1]") && !problem.contains("tr0ub"), "{problem}");
}

#[test]
fn hidden_characters_are_passed_over_but_not_deleted() {
    let text = "a\nb\u{200b}b\nc\n";
    assert_eq!(
        check(text, &written("a.rs", "a\nbb\nc\n", "x\nbb\nc\n")).unwrap(),
        "x\nb\u{200b}b\nc\n"
    );
    assert!(
        check(text, &written("a.rs", "bb\n", "x\n")).unwrap_err().contains("hidden characters")
    );
}

#[test]
fn the_repair_round_names_each_problem() {
    let problems = [Problem::Stray { line: 2 }, Problem::Ambiguous { line: 9 }];
    let text = repair(&problems);
    assert!(problems.iter().all(|problem| text.contains(&problem.to_string())));
}

proptest! {
    #[test]
    fn unique_lines_are_replaced_as_by_hand(
        lines in prop::collection::vec("[a-c ]{0,3}", 1..12),
        from in 0_usize..12, count in 1_usize..4,
        replace in prop::collection::vec("[a-d ]{0,3}", 0..4),
        ends_with_line in any::<bool>(), returns in any::<bool>(),
    ) {
        let end = if returns { "\r\n" } else { "\n" };
        let text = lines.join(end) + if ends_with_line { end } else { "" };
        // A text of one line without an end says nothing of how its lines end.
        let end = if text.contains('\n') { end } else { "\n" };
        let lines: Vec<&str> = text.lines().collect();
        prop_assume!(from + count <= lines.len());
        let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let search = joined(&lines[from..from + count]);
        let new: Vec<&str> = replace.iter().map(String::as_str).collect();
        let times = lines.windows(count).filter(|window| *window == &lines[from..from + count]).count();
        match check(&text, &written("a.rs", &search, &joined(&new))) {
            Ok(changed) => {
                prop_assert_eq!(times, 1);
                let by_hand: Vec<&str> = lines[..from].iter().chain(&new).chain(&lines[from + count..]).copied().collect();
                let mut expected = by_hand.iter().map(|line| format!("{line}{end}")).collect::<String>();
                if !text.ends_with('\n') && changed != expected {
                    expected.truncate(expected.len() - end.len());
                }
                prop_assert_eq!(changed, expected);
            }
            Err(problem) => prop_assert!(times > 1, "{}", problem),
        }
    }

    #[test]
    fn no_answer_is_too_odd(
        answer in prop::collection::vec(prop_oneof![
            Just("<<<<<<< SEARCH\n".to_owned()), Just("=======\n".to_owned()), Just(">>>>>>> REPLACE\n".to_owned()),
            Just("```\n".to_owned()), Just("a.rs\n".to_owned()), Just("a\n".to_owned()), Just("[redacted: password 1]".to_owned()), "(?s).{0,12}",
        ], 0..14).prop_map(|parts| parts.concat()),
        text in "(?s)(a\n|b\r\n|é|\u{200b}|.){0,12}", start in 0_usize..12, end in 0_usize..12,
    ) {
        let on_character = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let sent = [Sent { path: "a.rs".to_owned(), text: text.clone(), parts: vec![on_character(start.min(end))..on_character(start.max(end))] }];
        if let Ok(edits) = resolved(&answer, &sent, &[("a.rs", &text)], &Placeholders::default()) {
            for edit in edits {
                edit.applied(&text);
            }
        }
    }
}
