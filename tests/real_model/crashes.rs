//! The engine's process ended at random moments, loading or at work, while three editors type.
//!
//! `TANDEM_KILLS=200 cargo test --release --test real_model crashes -- --nocapture` does it that often and
//! prints how long suggestions were away; `make test` does it a few times.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tandem::client::{Client, ClientError, Editor, Stroke};

use crate::dice::Dice;
use crate::harness::{Home, kill, marked, status, turn, until};

/// How often in all, unless the environment says so.
const KILLS: u32 = 6;
/// Of these so many with the same servers: five within a minute would be one too many for them.
const EACH: u32 = 3;
/// An answer that takes longer will not come.
const DEADLINE: Duration = Duration::from_secs(60);
/// When they should be back; told, not held, since it is a matter of the machine.
const WANTED: Duration = Duration::from_secs(2);
/// So long after its end nothing comes of an engine any more.
const LAST_WORDS: Duration = Duration::from_millis(300);
const SIGNALS: [Signal; 3] = [Signal::KILL, Signal::ABORT, Signal::SEGV];

/// What three people write.
const DESKS: [(&str, &str, &str); 3] = [
    (
        "rust",
        "fn sum(values: &[u32]) -> u32 {\n    $0\n}\n\nfn main() {\n    dbg!(sum(&[1]));\n}\n",
        "let mut total = 0;\n    for value in values {\n        total += value;\n    }\n    total",
    ),
    (
        "python",
        "def area(width, height):\n    $0\n\nprint(area(2, 3))\n",
        "if width < 0 or height < 0:\n        raise ValueError('é🦀')\n    return width * height",
    ),
    (
        "javascript",
        "// Counts words.\nfunction count(text) {\n  $0\n}\ncount(\"a b\");\n",
        "const words = text.split(\" \");\n  return words.filter(Boolean).length;",
    ),
];

/// How it went for one person.
#[derive(Debug, Default)]
struct Account {
    requests: usize,
    /// Suggestions that went on from the very line that had been typed.
    suggestions: usize,
    messages: Vec<String>,
}

/// What the one who kills and those who type know of each other.
#[derive(Default)]
struct Scene {
    ended: AtomicBool,
    kills: AtomicU32,
    /// Since when the last engine is gone, until the first suggestion of another.
    gone: Mutex<Option<Instant>>,
    away: Mutex<Vec<Duration>>,
}

impl Scene {
    fn killed(&self) {
        self.kills.fetch_add(1, SeqCst);
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// A suggestion has come that was asked for after so many kills. One that was asked for before may be the last
    /// engine's, unless that has been gone for a while.
    fn suggested(&self, kills: u32) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let of_another =
            |since: &mut Instant| kills == self.kills.load(SeqCst) || since.elapsed() > LAST_WORDS;
        if let Some(since) = gone.take_if(of_another) {
            self.away.lock().unwrap_or_else(PoisonError::into_inner).push(since.elapsed());
        }
    }

    fn is_whole(&self) -> bool {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// One person, typing the same again and again.
struct Person<'a> {
    client: Client,
    editor: Editor,
    to_type: &'static str,
    typed: usize,
    dice: Dice,
    /// Asked and not waited for, with the line as it was.
    open: Vec<(i64, String)>,
    account: Account,
    scene: &'a Scene,
}

impl<'a> Person<'a> {
    fn sit_down(home: &Home, number: usize, seed: u32, scene: &'a Scene) -> Person<'a> {
        let (language, fixture, to_type) = DESKS[number];
        // Each key asks the model, whatever it thinks of its answer.
        let completion =
            json!({"reuse": false, "line_tokens": 4, "block_tokens": 0, "confidence": 0});
        let mut client = home.server(json!({"completion": completion}));
        let (cursor, text) = marked(fixture);
        let mut editor = Editor::open(&mut client, "file:///typed", language, &text);
        editor.press(&mut client, &Stroke::Jump(cursor));
        let dice = Dice::new(seed);
        let (open, account) = (Vec::new(), Account::default());
        Person { client, editor, to_type, typed: 0, dice, open, account, scene }
    }

    fn key(&mut self) {
        let stroke = match self.to_type.chars().nth(self.typed) {
            _ if self.typed > 0 && self.dice.below(6) == 0 => {
                self.typed -= 1;
                Stroke::Undo
            }
            Some(c) => {
                self.typed += 1;
                Stroke::Paste(c.to_string())
            }
            None => {
                self.typed = 0;
                Stroke::Paste("\n".into())
            }
        };
        self.editor.press(&mut self.client, &stroke);
        let kills = self.scene.kills.load(SeqCst);
        let id = self.editor.ask(&mut self.client);
        self.open.push((id, self.editor.buffer().line_before().to_owned()));
        self.account.requests += 1;
        // Some type on before the answer is there.
        if self.dice.below(3) > 0 {
            self.wait(kills);
        }
    }

    /// Every request is answered, and what is suggested goes on from what was typed.
    fn wait(&mut self, kills: u32) {
        for (id, line) in self.open.drain(..) {
            match self.client.finish_inline_within(id, DEADLINE) {
                Ok(Some(item)) => {
                    assert!(item.insert_text.starts_with(&line), "{line:?}: {item:?}");
                    self.account.suggestions += 1;
                    self.scene.suggested(kills);
                }
                Ok(None) => {}
                Err(ClientError::Refused { refusal, .. }) if refusal.code == -32800 => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn work(mut self) -> Account {
        while !self.scene.ended.load(SeqCst) {
            self.key();
        }
        self.wait(u32::MAX);
        // All that was typed is there: after one more answer to look at.
        let text = until("a last suggestion", || {
            self.editor.press(&mut self.client, &Stroke::Type(' '));
            self.editor.suggestion(&mut self.client).expect("an answer")
        });
        assert!(text.insert_text.starts_with(self.editor.buffer().line_before()));
        self.account.messages = messages(&mut self.client);
        assert_eq!(self.client.stray_answers(), 0, "answered twice");
        assert_eq!(self.client.shutdown().expect("a farewell"), Some(0));
        self.account
    }
}

/// What the person was told so far.
fn messages(client: &mut Client) -> Vec<String> {
    let told = std::iter::from_fn(|| client.notification(Duration::ZERO));
    let shown = told.filter(|told| told.method == "window/showMessage");
    shown.map(|told| told.params["message"].as_str().expect("text").to_owned()).collect()
}

/// The engine that serves a home, or is about to.
fn engine(home: &Home) -> Option<u32> {
    let folder = std::fs::read_dir(home.file("run")).ok()?;
    let mut locks = folder.filter_map(|entry| Some(entry.ok()?.path()));
    let lock = locks.find(|path| path.extension().is_some_and(|end| end == "lock"))?;
    let process = std::fs::read_to_string(lock).ok()?.trim().parse().ok()?;
    tandem::machine::is_running(process).then_some(process)
}

fn one_round(home: &Home, kills: u32, seed: u32) -> (Vec<Account>, Vec<Duration>) {
    let scene = Scene::default();
    let accounts = std::thread::scope(|scope| {
        let people: Vec<_> = (0..DESKS.len())
            .map(|number| {
                let person = Person::sit_down(home, number, seed + number as u32, &scene);
                scope.spawn(move || person.work())
            })
            .collect();
        let mut dice = Dice::new(seed);
        for _ in 0..kills {
            let signal = SIGNALS[dice.below(SIGNALS.len())];
            // Now and then in the middle of loading; else when it has worked for a while.
            if dice.below(4) > 0 {
                until("suggestions are back", || scene.is_whole().then_some(()));
            }
            std::thread::park_timeout(Duration::from_millis(dice.below(700) as u64));
            let process = until("there is an engine", || engine(home));
            scene.killed();
            kill(process, signal);
        }
        until("suggestions are back", || scene.is_whole().then_some(()));
        scene.ended.store(true, SeqCst);
        people.into_iter().map(|person| person.join().expect("all went well")).collect()
    });
    let away = scene.away.into_inner().unwrap_or_else(PoisonError::into_inner);
    (accounts, away)
}

#[test]
fn whenever_the_engine_ends_no_edit_is_lost_every_request_is_answered_and_suggestions_come_back() {
    let _turn = turn();
    let home = Home::new();
    home.put_model();
    // Once, so that the file is known to be right and lies in memory.
    let mut first = home.server(json!({}));
    first.open("file:///first", "rust", "fn a() {}\n");
    home.engine(&mut first);
    first.shutdown().expect("a farewell");
    let wanted = std::env::var("TANDEM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let (mut done, mut away, mut requests, mut suggestions) = (0, Vec::new(), 0, 0);
    while done < wanted {
        let kills = EACH.min(wanted - done);
        let (accounts, times) = one_round(&home, kills, done + 7);
        for account in accounts {
            assert!(account.messages.is_empty(), "{account:?}");
            requests += account.requests;
            suggestions += account.suggestions;
        }
        away.extend(times);
        done += kills;
    }
    away.sort();
    let late = away.iter().filter(|away| **away > WANTED).count();
    let at = |part: usize| away.get((away.len() * part / 100).min(away.len() - 1));
    println!(
        "{done} kills, {requests} requests, {suggestions} suggestions; away {:?} p50, {:?} p95, {:?} at most, \
         {late} of {} times longer than {WANTED:?}",
        at(50),
        at(95),
        away.last(),
        away.len()
    );
    // The last one is ended with this process.
    let mut client = home.server(json!({}));
    client.open("file:///end", "rust", "fn a() {}\n");
    home.engine(&mut client);
}

#[test]
fn an_engine_that_keeps_dying_ends_in_one_message_and_a_working_editor() {
    let _turn = turn();
    let home = Home::new();
    home.put_model();
    // What was suggested before is not shown again.
    let mut client = home.server(json!({"completion": {"reuse": false}}));
    let (cursor, text) = marked("fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n");
    let mut editor = Editor::open(&mut client, "file:///typed", "rust", &text);
    editor.press(&mut client, &Stroke::Jump(cursor));
    let failed = |status: &Value| status["engine"]["state"] == "failed";
    let mut kills = 0;
    until("it is given up on", || {
        if let Some(process) = engine(&home) {
            kill(process, Signal::KILL);
            kills += 1;
        }
        // Typing goes on, and wakes another engine.
        editor.press(&mut client, &Stroke::Type('a'));
        editor.suggestion(&mut client).expect("an answer");
        failed(&status(&mut client)).then_some(())
    });
    println!("{kills} kills");
    for _ in 0..20 {
        editor.press(&mut client, &Stroke::Type('a'));
        assert_eq!(editor.suggestion(&mut client).expect("an answer"), None);
    }
    assert_eq!(engine(&home), None, "it was started again");
    let messages = messages(&mut client);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("stopped 5 times") && messages[0].contains(".log"));
    assert_eq!(client.shutdown().expect("a farewell"), Some(0));
}
