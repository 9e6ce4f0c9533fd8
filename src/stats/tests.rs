use expect_test::expect;

use super::*;
use crate::ask::bundle::Level;
use crate::ask::ledger::record::{Event as Asked, Line, Reserved, Settled};
use crate::ask::ledger::{About, Answered, Kind, Sent};
use crate::completer::Source;
use crate::journal::{Event, Record};

/// 2026-11-20, noon in UTC.
const NOON: u64 = 1_795_176_000_000;
const DAY: u64 = 24 * 60 * 60 * 1_000;

struct Home {
    folder: tempfile::TempDir,
    journal: String,
    ledger: String,
    next: u64,
}

impl Home {
    fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        Home { folder, journal: String::new(), ledger: String::new(), next: 1 }
    }

    fn record(&mut self, suggestion: u64, time: u64, language: &str, event: Event) {
        let (run, language) = ("r".to_owned(), language.to_owned());
        let record = Record { v: 1, time, run, suggestion, language, event };
        self.journal += &(serde_json::to_string(&record).unwrap() + "\n");
    }

    /// A suggestion of 30 characters, and what becomes of it.
    fn suggestion(&mut self, time: u64, language: &str, latency_ms: f64, fate: &[Event]) {
        let suggestion = self.next;
        self.next += 1;
        let source = if suggestion.is_multiple_of(3) { Source::Cache } else { Source::Model };
        let shown = Event::Shown {
            characters: 30,
            lines: 1,
            source,
            model: Some("qwen".into()),
            latency_ms,
            confidence: None,
            invoked: false,
        };
        self.record(suggestion, time, language, shown);
        for event in fate {
            self.record(suggestion, time + 1_000, language, event.clone());
        }
    }

    fn ask(&mut self, time: u64, sent: usize, cited: usize, cost: Option<u64>) {
        let id = format!("q{}", self.next);
        self.next += 1;
        let day = if time < NOON + DAY / 2 { "2026-11-20" } else { "2026-11-21" };
        let day: Date = day.parse().unwrap();
        let path = |number: usize| format!("src/<b>{number}.rs");
        let file = |number| Sent { path: path(number), level: Level::Body, sha256: None };
        let about = About {
            kind: if sent > 1 { Kind::Change } else { Kind::Ask },
            model: "claude-<i>".into(),
            estimated_tokens: 1_000,
            files: (0..sent).map(file).collect(),
            ..About::default()
        };
        let worst = Money(400_000_000);
        let reserved = Reserved { id: id.clone(), day, worst, time, pid: 1, about, more_files: 0 };
        self.ledger += &line(Asked::Reserved(reserved));
        if let Some(cost) = cost {
            let usage = Usage { input: 900, cache_write: 100, cache_read: 0, output: 250 };
            let cited = (0..cited).map(path).collect();
            let outcome = Answered { usage, cited, ..Answered::default() };
            let settled = Settled { id, day, cost: Money(cost), time, outcome };
            self.ledger += &line(Asked::Settled(settled));
        }
    }

    fn sources(&self) -> Sources<'_> {
        let (journal, ledger) =
            (self.folder.path().join("journal"), self.folder.path().join("ledger"));
        for (folder, name, text) in
            [(&journal, "journal.jsonl", &self.journal), (&ledger, "ledger.jsonl", &self.ledger)]
        {
            if !text.is_empty() {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
        let dollars = |dollars: u64| Money(dollars * 1_000_000_000);
        Sources {
            journal: Some(journal),
            ledger: Ledger::at(Some(ledger)),
            limits: Limits { request: dollars(1), day: dollars(5), month: dollars(50) },
            assumption: Assumption::default(),
            pricing: Some(Pricing { model: "claude-x", cost: &price }),
            zone: TimeZone::UTC,
            now: NOON + DAY,
            is_running: &|_| false,
        }
    }

    fn summary(&self) -> Summary {
        // What counts today depends on the clock.
        let mut summary = super::summary(&self.sources()).unwrap();
        summary.claude.budget = summary.claude.budget.map(|budget| asked::Budget {
            today: Money(300_000_000),
            month: Money(1_250_000_000),
            ..budget
        });
        summary
    }
}

fn line(event: Asked) -> String {
    serde_json::to_string(&Line { v: 1, event }).unwrap() + "\n"
}

/// 2 dollars for a million tokens in, 10 for a million out.
fn price(usage: &Usage, day: Date) -> Option<Money> {
    (day.year() == 2026).then_some(Money(usage.input * 2_000 + usage.output * 10_000))
}

fn accepted(characters: usize) -> Event {
    Event::Accepted { characters, lines: 1, after_ms: 5 }
}

fn kept(after_ms: u64, stands: bool) -> Event {
    Event::Kept { characters: 25, of: 30, stands, after_ms }
}

/// Two days of work, with all that can become of a suggestion and of a question.
fn two_days() -> Home {
    let mut home = Home::new();
    let part = Event::AcceptedPart { characters: 10, lines: 1, after_ms: 5 };
    let down = Event::TurnedDown { characters: 30, after_ms: 9 };
    let along = Event::TypedAlong { characters: 30, after_ms: 9 };
    for number in 0..20 {
        let time = NOON + if number < 8 { 0 } else { DAY };
        let fate = match number % 6 {
            0 => vec![accepted(30), kept(15_000, true), kept(600_000, number != 0)],
            1 => vec![part.clone(), accepted(20), kept(15_000, true)],
            2 => vec![part.clone(), down.clone()],
            3 => vec![along.clone()],
            4 => vec![down.clone()],
            _ => Vec::new(),
        };
        let language = if number % 4 == 0 { "python" } else { "rust" };
        home.suggestion(time, language, 100.0 + number as f64 * 10.0, &fate);
    }
    home.ask(NOON, 1, 1, Some(100_000_000));
    for _ in 0..6 {
        home.ask(NOON + DAY, 3, 1, Some(120_000_000));
    }
    home.ask(NOON + DAY, 3, 2, Some(130_000_000));
    home.ask(NOON + DAY, 2, 0, None);
    home
}

#[test]
fn the_text_says_what_there_is_in_columns() {
    expect![[r#"
        Suggestions, 2 days from 2026-11-20 to 2026-11-21

          shown                   20
          accepted                 8  40 %
          accepted in part         3  15 %
          typed along to the end   3  15 %
          turned down              3  15 %
          no end noted             3  15 %

          Accepting wrote 270 characters for you (about 90 tokens), of 600 shown (about
          200).
          Accepted texts still there: 100 % of 8 after 15 seconds, 75 % of 4 after 10
          minutes.
          Half of the suggestions came within 190 ms, 95 % within 280 ms.
          From claude-x they would have cost $0.0620: if each suggestion shown were one
          request with 1,500 tokens of prompt and its own length as the answer, nothing
          cached, at the prices of its day.

          LANGUAGE  shown  accepted  in part  half within  95 % within
          rust         15      40 %     13 %       200 ms       290 ms
          python        5      40 %     20 %       180 ms       260 ms

          WHERE FROM      shown  accepted  in part  half within  95 % within
          model              14      57 %      0 %       190 ms       290 ms
          earlier answer      6       0 %     50 %       180 ms       270 ms

          LAST DAYS   shown  accepted  in part  half within  95 % within
          2026-11-20      8      50 %     12 %       130 ms       170 ms
          2026-11-21     12      33 %     17 %       230 ms       290 ms

        Claude

          KIND      requests  tokens in  tokens out   cost     no end
          question         1      1,000         250  $0.10          -
          change           8      7,000       1,750  $0.85  1 ($0.40)

          MODEL       requests  tokens in  tokens out   cost     no end
          claude-<i>         9      8,000       2,000  $0.95  1 ($0.40)

          1 request was cut off. It is unknown whether an answer was charged for, so
          what was set aside counts.
          Of 22 files sent, answers named or changed 9 (41 %).
          Today $0.30 of $5.00 are spent, this month $1.25 of $50.00.
          7 of 8 answers used a single file: the local model or a smaller bundle may do.

        `tandem stats --html FILE` draws it by day, `tandem stats --help` says what is
        counted.
    "#]]
    .assert_eq(&two_days().summary().text());
}

#[test]
fn the_json_keeps_its_keys() {
    expect![[r#"
        {
          "v": 1,
          "suggestions": {
            "all": {
              "name": "all",
              "shown": 20,
              "accepted": 8,
              "accepted_in_part": 3,
              "typed_along": 3,
              "turned_down": 3,
              "unknown": 3,
              "characters_shown": 600,
              "characters_inserted": 270,
              "latency_ms": {
                "p50": 190.0,
                "p95": 280.0
              }
            },
            "tokens_shown": 200,
            "tokens_inserted": 90,
            "kept": {
              "after_15_s": {
                "texts": 8,
                "stand": 8,
                "characters": 200,
                "of_characters": 240
              },
              "after_10_min": {
                "texts": 4,
                "stand": 3,
                "characters": 100,
                "of_characters": 120
              },
              "sooner": {
                "texts": 0,
                "stand": 0,
                "characters": 0,
                "of_characters": 0
              }
            },
            "days": [
              {
                "name": "2026-11-20",
                "shown": 8,
                "accepted": 4,
                "accepted_in_part": 1,
                "typed_along": 1,
                "turned_down": 1,
                "unknown": 1,
                "characters_shown": 240,
                "characters_inserted": 130,
                "latency_ms": {
                  "p50": 130.0,
                  "p95": 170.0
                }
              },
              {
                "name": "2026-11-21",
                "shown": 12,
                "accepted": 4,
                "accepted_in_part": 2,
                "typed_along": 2,
                "turned_down": 2,
                "unknown": 2,
                "characters_shown": 360,
                "characters_inserted": 140,
                "latency_ms": {
                  "p50": 230.0,
                  "p95": 290.0
                }
              }
            ],
            "languages": [
              {
                "name": "rust",
                "shown": 15,
                "accepted": 6,
                "accepted_in_part": 2,
                "typed_along": 3,
                "turned_down": 1,
                "unknown": 3,
                "characters_shown": 450,
                "characters_inserted": 200,
                "latency_ms": {
                  "p50": 200.0,
                  "p95": 290.0
                }
              },
              {
                "name": "python",
                "shown": 5,
                "accepted": 2,
                "accepted_in_part": 1,
                "typed_along": 0,
                "turned_down": 2,
                "unknown": 0,
                "characters_shown": 150,
                "characters_inserted": 70,
                "latency_ms": {
                  "p50": 180.0,
                  "p95": 260.0
                }
              }
            ],
            "sources": [
              {
                "name": "model",
                "shown": 14,
                "accepted": 8,
                "accepted_in_part": 0,
                "typed_along": 3,
                "turned_down": 3,
                "unknown": 0,
                "characters_shown": 420,
                "characters_inserted": 240,
                "latency_ms": {
                  "p50": 190.0,
                  "p95": 290.0
                }
              },
              {
                "name": "earlier answer",
                "shown": 6,
                "accepted": 0,
                "accepted_in_part": 3,
                "typed_along": 0,
                "turned_down": 0,
                "unknown": 3,
                "characters_shown": 180,
                "characters_inserted": 30,
                "latency_ms": {
                  "p50": 180.0,
                  "p95": 270.0
                }
              }
            ],
            "models": [
              {
                "name": "qwen",
                "shown": 20,
                "accepted": 8,
                "accepted_in_part": 3,
                "typed_along": 3,
                "turned_down": 3,
                "unknown": 3,
                "characters_shown": 600,
                "characters_inserted": 270,
                "latency_ms": {
                  "p50": 190.0,
                  "p95": 280.0
                }
              }
            ],
            "would_have_cost": {
              "model": "claude-x",
              "cost_nanodollars": 62000000,
              "requests": 20,
              "prompt_tokens": 1500,
              "characters_per_token": 3.0
            }
          },
          "claude": {
            "all": {
              "name": "all",
              "requests": 9,
              "ended": 8,
              "open": 0,
              "unknown": 1,
              "tokens": {
                "input": 7200,
                "cache_write": 800,
                "cache_read": 0,
                "output": 2000
              },
              "cost_nanodollars": 950000000,
              "counted_as_nanodollars": 400000000
            },
            "kinds": [
              {
                "name": "question",
                "requests": 1,
                "ended": 1,
                "open": 0,
                "unknown": 0,
                "tokens": {
                  "input": 900,
                  "cache_write": 100,
                  "cache_read": 0,
                  "output": 250
                },
                "cost_nanodollars": 100000000,
                "counted_as_nanodollars": 0
              },
              {
                "name": "change",
                "requests": 8,
                "ended": 7,
                "open": 0,
                "unknown": 1,
                "tokens": {
                  "input": 6300,
                  "cache_write": 700,
                  "cache_read": 0,
                  "output": 1750
                },
                "cost_nanodollars": 850000000,
                "counted_as_nanodollars": 400000000
              }
            ],
            "models": [
              {
                "name": "claude-<i>",
                "requests": 9,
                "ended": 8,
                "open": 0,
                "unknown": 1,
                "tokens": {
                  "input": 7200,
                  "cache_write": 800,
                  "cache_read": 0,
                  "output": 2000
                },
                "cost_nanodollars": 950000000,
                "counted_as_nanodollars": 400000000
              }
            ],
            "days": [
              {
                "name": "2026-11-20",
                "requests": 1,
                "ended": 1,
                "open": 0,
                "unknown": 0,
                "tokens": {
                  "input": 900,
                  "cache_write": 100,
                  "cache_read": 0,
                  "output": 250
                },
                "cost_nanodollars": 100000000,
                "counted_as_nanodollars": 0
              },
              {
                "name": "2026-11-21",
                "requests": 8,
                "ended": 7,
                "open": 0,
                "unknown": 1,
                "tokens": {
                  "input": 6300,
                  "cache_write": 700,
                  "cache_read": 0,
                  "output": 1750
                },
                "cost_nanodollars": 850000000,
                "counted_as_nanodollars": 400000000
              }
            ],
            "files": {
              "sent": 22,
              "sent_and_used": 9,
              "used_unsent": 0
            },
            "verdict": "7 of 8 answers used a single file: the local model or a smaller bundle may do.",
            "budget": {
              "today_nanodollars": 300000000,
              "day_limit_nanodollars": 5000000000,
              "month_nanodollars": 1250000000,
              "month_limit_nanodollars": 50000000000,
              "broken_lines": 0
            }
          },
          "left_out": {
            "journal": {
              "broken": 0,
              "newer": 0
            },
            "ledger": {
              "broken": 0,
              "newer": 0
            }
          }
        }"#]]
    .assert_eq(&two_days().summary().json());
}

#[test]
fn where_nothing_was_noted_a_sentence_says_what_to_do() {
    let summary = Home::new().summary();
    assert!(summary.is_empty());
    expect![[r#"
        Nothing yet. Type with tandem in your editor for a while, then look again: what
        is shown, accepted and kept is noted on this machine, as numbers without text.
        Today $0.30 of $5.00 are spent, this month $1.25 of $50.00.
    "#]]
    .assert_eq(&summary.text());
    assert!(summary.html().contains("Nothing yet."));
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = two_days().summary().html();
    for word in ["http", "src=", "<script", "url(", "@import", "<link", "<img", "<iframe"] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("<table").count(), 8);
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"));
    assert!(!page.contains("src/") && page.contains("claude-&lt;i&gt;"), "no paths, and escaped");
}

#[test]
fn hostile_names_are_nothing_but_text() {
    let mut home = Home::new();
    let hostile = ["</style><script>x", "\"onload=x\u{1b}[2J", "a\u{202e}b'&<img"];
    for name in hostile {
        home.suggestion(NOON, name, 1.0, &[]);
    }
    home.ask(NOON, 1, 1, Some(1));
    home.ledger = home.ledger.replace("claude-<i>", "</table><script>alert(1)</script>");
    let summary = home.summary();
    let page = summary.html();
    for word in ["<script", "<img", "\"onload", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    for shown in [summary.text(), summary.json()] {
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
}

#[test]
fn broken_lines_and_absurd_numbers_are_counted_and_break_nothing() {
    let mut home = two_days();
    let most = Event::Shown {
        characters: usize::MAX,
        lines: usize::MAX,
        source: Source::Model,
        model: None,
        latency_ms: 1e300,
        confidence: None,
        invoked: false,
    };
    home.record(900, NOON, "rust", most.clone());
    home.record(900, NOON, "rust", accepted(usize::MAX));
    home.record(901, u64::MAX, "rust", most);
    // Its beginning is not there.
    home.record(902, NOON, "rust", accepted(5));
    home.journal += "{\"v\":1,\"time\":\n";
    home.journal += "{\"v\":9,\"event\":\"dreamt\"}\n";
    home.ledger += "half a li\n";
    home.ask(NOON, 1, 1, Some(u64::MAX));
    let summary = home.summary();
    assert_eq!(summary.left_out.journal, LeftOut { broken: 2, newer: 1 });
    assert_eq!(summary.left_out.ledger, LeftOut { broken: 1, newer: 0 });
    assert_eq!((summary.suggestions.all.shown, summary.suggestions.all.accepted), (21, 9));
    assert_eq!(summary.claude.all.cost, Money(u64::MAX));
    assert!(summary.text().contains("2 lines of the journal that could not be read"));
    assert!(summary.html().contains("1 line of the ledger that could not be read"));
}

#[test]
fn what_is_written_down_twice_counts_once() {
    let mut home = Home::new();
    home.suggestion(NOON, "rust", 1.0, &[accepted(30)]);
    home.journal = home.journal.repeat(2);
    let all = home.summary().suggestions.all;
    assert_eq!((all.shown, all.accepted), (1, 1));
}

#[test]
fn the_verdict_is_on_answers_not_on_repairs_or_what_was_never_answered() {
    let mut home = Home::new();
    (0..3).for_each(|_| home.ask(NOON, 2, 1, Some(1)));
    let before = home.summary().claude;
    let first = home.ledger.lines().next().unwrap().to_owned();
    let (mut repairs, mut silent) = (Home::new(), Home::new());
    (0..3).for_each(|_| repairs.ask(NOON, 2, 2, Some(1)));
    (0..3).for_each(|_| silent.ask(NOON, 2, 2, Some(1)));
    repairs.ledger = repairs.ledger.replace("\"change\"", "\"repair\"").replace("\"q", "\"r");
    silent.ledger = silent.ledger.replace("\"output\":250", "\"output\":0").replace("\"q", "\"s");
    assert!(first.contains("\"change\""));
    home.ledger += &(repairs.ledger + &silent.ledger);
    let after = home.summary().claude;
    assert_eq!((after.all.requests, after.files), (9, before.files));
    assert_eq!(after.verdict, before.verdict);
}

#[test]
fn very_many_languages_are_put_together() {
    let mut home = Home::new();
    for number in 0..60 {
        home.suggestion(NOON, &format!("l{number}"), 1.0, &[accepted(3)]);
    }
    let languages = home.summary().suggestions.languages;
    assert_eq!(languages.len(), 41);
    assert_eq!((languages[40].name.as_str(), languages[40].shown), ("others", 20));
}

#[test]
fn a_request_whose_process_lives_is_on_its_way_for_a_day() {
    let mut home = Home::new();
    home.ask(NOON, 1, 0, None);
    let count = |now: u64, alive: bool| {
        let is_running = move |_| alive;
        let sources = Sources { now, is_running: &is_running, ..home.sources() };
        let all = super::summary(&sources).unwrap().claude.all;
        (all.open, all.unknown)
    };
    assert_eq!(count(NOON + 1_000, true), (1, 0));
    assert_eq!(count(NOON + 1_000, false), (0, 1));
    assert_eq!(count(NOON + 2 * DAY, true), (0, 1));
}

#[test]
fn without_a_price_nothing_is_said_of_cost() {
    let mut home = Home::new();
    home.suggestion(NOON - 400 * DAY, "rust", 1.0, &[]);
    assert_eq!(home.summary().suggestions.would_have_cost, None);
    let sources = Sources { pricing: None, ..home.sources() };
    assert_eq!(super::summary(&sources).unwrap().suggestions.would_have_cost, None);
}

#[test]
fn clearing_removes_both_and_keeps_the_sum() {
    let mut home = two_days();
    // Today's, whatever day it is.
    home.ledger.clear();
    let sources = home.sources();
    let one = sources.ledger.reserve(Money(9), sources.limits, About::default()).unwrap();
    one.settle(Money(7), Answered::default()).unwrap();
    let cleared = clear(sources.journal.as_deref(), &sources.ledger).unwrap();
    assert_eq!((cleared.journal.0, cleared.ledger.requests), (1, 1));
    assert_eq!(cleared.ledger.month, Money(7));
    let summary = super::summary(&sources).unwrap();
    assert!(summary.is_empty());
    assert_eq!(summary.claude.budget.unwrap().month, Money(7));
    assert!(summary.text().contains("Today less than $0.0001 of $5.00"));
}
