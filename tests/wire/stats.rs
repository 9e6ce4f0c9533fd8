//! `tandem stats`.

use std::fs;

use serde_json::Value;

use crate::harness::Home;

const JOURNAL: &str = r#"{"v":1,"time":1795176000000,"run":"r","suggestion":1,"language":"rust","event":"shown","characters":30,"lines":1,"source":"model","model":"tiny","latency_ms":120.0,"confidence":null,"invoked":false}
{"v":1,"time":1795176001000,"run":"r","suggestion":1,"language":"rust","event":"accepted","characters":30,"lines":1,"after_ms":900}
"#;

/// A request of today's, since it stands behind what is dated ahead: it counts.
const LEDGER: &str = r#"{"v":1,"event":"reserved","id":"a","day":"2999-01-01","worst":400000000,"time":1,"pid":1,"kind":"ask","run":"r","model":"claude-x","host":"h","estimated_tokens":9,"files":[{"path":"secret_name.rs","level":"body"}],"body_sha256":""}
{"v":1,"event":"settled","id":"a","day":"2999-01-01","cost":250000000,"time":2,"usage":{"input":9,"cache_write":0,"cache_read":0,"output":9},"stop":"end_turn","milliseconds":5,"cited":["secret_name.rs"],"edited":[]}
"#;

fn with_both() -> Home {
    let home = Home::new();
    for (folder, file, text) in
        [("journal", "journal.jsonl", JOURNAL), ("ledger", "ledger.jsonl", LEDGER)]
    {
        let folder = home.file("data").join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(file), text).expect("a file");
    }
    home
}

#[test]
fn where_nothing_was_noted_it_says_so_and_makes_nothing() {
    let home = Home::new();
    let said = home.run(&["stats"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.starts_with("Nothing yet."), "{}", said.stdout);
    let cleared = home.run(&["stats", "clear"]);
    assert_eq!(cleared.stdout, "There was nothing to remove.\n");
    assert!(!home.file("data").exists());
}

#[test]
fn both_files_are_summed_up_as_text_as_json_and_as_a_page() {
    let home = with_both();
    let text = home.run(&["stats"]);
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    assert!(text.stdout.contains("claude-x") && text.stdout.contains("$0.25"), "{}", text.stdout);
    let json = home.run(&["stats", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&json["v"], &json["suggestions"]["all"]["accepted"]), (&1.into(), &1.into()));
    assert_eq!(json["claude"]["budget"]["today_nanodollars"], 250_000_000);
    let page = home.file("stats.html");
    let wrote = home.run(&["stats", "--html", &page.to_string_lossy()]);
    assert!(wrote.stdout.starts_with("wrote "), "{}", wrote.stdout);
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("<svg") && !page.contains("http") && !page.contains("secret_name"));
}

#[test]
fn clearing_leaves_the_sum_that_the_budget_needs_and_no_path() {
    let home = with_both();
    let cleared = home.run(&["stats", "clear"]);
    assert_eq!(cleared.code, Some(0), "{}", cleared.stderr);
    assert!(cleared.stdout.contains("1 request") && cleared.stdout.contains("$0.25"));
    assert!(!home.file("data").join("journal").join("journal.jsonl").exists());
    let ledger = home.file("data").join("ledger").join("ledger.jsonl");
    assert!(!fs::read_to_string(ledger).expect("a ledger").contains("secret_name"));
    assert!(home.run(&["stats"]).stdout.contains("$0.25"));
}

#[test]
fn a_page_that_cannot_be_written_is_named_and_two_forms_at_once_are_refused() {
    let home = with_both();
    let said = home.run(&["stats", "--html", "no/such/folder/page.html"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("no/such/folder/page.html"), "{}", said.stderr);
    assert_eq!(home.run(&["stats", "--json", "--html", "x"]).code, Some(2));
    assert_eq!(home.run(&["stats", "--json", "clear"]).code, Some(2));
}
