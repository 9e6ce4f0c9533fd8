use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::file::{NAME, OLDER};
use super::*;
use crate::ask::bundle::Level;
use crate::ask::price::Usage;
use crate::private::records::LeftOut;

const LIMITS: Limits = Limits { request: Money(100), day: Money(500), month: Money(2_000) };

struct Home {
    folder: TempDir,
    ledger: Ledger,
}

fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(Some(folder.path().join("ledger")));
    Home { folder, ledger }
}

impl Home {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("ledger").join(name)).unwrap()
    }

    fn requests(&self) -> (Vec<Request>, LeftOut) {
        let mut requests = Vec::new();
        let folder = self.ledger.folder().unwrap();
        let left_out = read(folder, |request| requests.push(request)).unwrap();
        (requests, left_out)
    }
}

/// Noon on a day in Berlin, where clocks change.
fn noon(day: &str) -> Zoned {
    format!("{day}T12:00[Europe/Berlin]").parse().unwrap()
}

fn about(path: &str) -> About {
    let files = vec![Sent { path: path.into(), level: Level::Body, sha256: None }];
    About { model: "m".into(), estimated_tokens: 1_000, files, ..About::default() }
}

fn used(input: u64) -> Answered {
    Answered { usage: Usage { input, ..Usage::default() }, ..Answered::default() }
}

#[test]
fn what_is_reserved_is_taken_from_the_budget_until_it_is_settled() {
    let home = home();
    let now = noon("2026-11-21");
    let spent = || home.ledger.spent_at(&now, LIMITS).unwrap().today.0;
    let reserve = || home.ledger.reserve_at(&now, Money(100), LIMITS, about("a.rs"));
    let first = reserve().unwrap();
    let second = reserve().unwrap();
    assert_eq!((spent(), first.worst()), (200, Money(100)));
    assert_ne!(first.id(), second.id());
    first.release().unwrap();
    assert_eq!(spent(), 100);
    second.settle(Money(130), used(900)).unwrap();
    assert_eq!(spent(), 130, "more than was reserved");
    let (requests, left_out) = home.requests();
    assert_eq!((requests.len(), left_out), (1, LeftOut::default()));
    assert_eq!(requests[0].settled.as_ref().unwrap().cost, Money(130));
}

#[test]
fn each_budget_refuses_what_is_too_much_and_names_itself() {
    let home = home();
    let refused = |day: &str, worst| match home.ledger.reserve_at(
        &noon(day),
        Money(worst),
        LIMITS,
        about("a"),
    ) {
        Err(LedgerError::Budget(refusal)) => Some((refusal.budget, refusal.left.0)),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    };
    assert_eq!(refused("2026-11-01", 101), Some((Budget::Request, 100)));
    for day in ["2026-11-01", "2026-11-02", "2026-11-03"] {
        for _ in 0..5 {
            assert_eq!(refused(day, 100), None);
        }
        assert_eq!(refused(day, 1), Some((Budget::Day, 0)));
    }
    for _ in 0..4 {
        assert_eq!(refused("2026-11-29", 100), None);
    }
    assert_eq!(refused("2026-11-30", 80), None);
    assert_eq!(refused("2026-11-30", 21), Some((Budget::Month, 20)));
    assert_eq!(refused("2026-11-30", 20), None);
    assert_eq!(refused("2026-12-01", 100), None);
}

#[test]
fn a_month_ends_at_midnight_where_the_user_is_also_when_clocks_change() {
    let home = home();
    let at = |time: &str| -> Zoned { time.parse().unwrap() };
    let spent = |time: &str| {
        let spent = home.ledger.spent_at(&at(time), LIMITS).unwrap();
        (spent.today.0, spent.month.0)
    };
    let _on_its_way = home.ledger.reserve_at(
        &at("2026-10-25T00:30[Europe/Berlin]"),
        Money(7),
        LIMITS,
        about("a"),
    );
    // A day of 25 hours.
    assert_eq!(spent("2026-10-25T23:59[Europe/Berlin]"), (7, 7));
    assert_eq!(spent("2026-10-26T00:00[Europe/Berlin]"), (0, 7));
    assert_eq!(spent("2026-10-31T23:59[Europe/Berlin]"), (0, 7));
    assert_eq!(spent("2026-11-01T00:00[Europe/Berlin]"), (0, 0));
    // In UTC it was the day before.
    assert_eq!(spent("2026-10-24T23:00[UTC]"), (7, 7));
}

#[test]
fn limits_that_are_no_sums_allow_nothing() {
    let limits = Limits::dollars(1.5, -1.0, f64::NAN);
    assert_eq!(limits, Limits { request: Money(1_500_000_000), day: Money(0), month: Money(0) });
    assert_eq!(Limits::dollars(f64::INFINITY, 0.0, 0.0).request, Money(u64::MAX));
}

#[test]
fn without_a_place_to_write_nothing_can_be_spent() {
    let nowhere = Ledger::at(None);
    let refused = nowhere.reserve(Money(1), LIMITS, About::default());
    assert!(matches!(refused, Err(LedgerError::NoFolder)));
    let home = home();
    fs::write(home.folder.path().join("ledger"), "a file").unwrap();
    let error = home.ledger.reserve(Money(1), LIMITS, About::default()).unwrap_err();
    assert!(error.to_string().contains("nothing is sent"), "{error}");
    assert!(error.to_string().contains("TANDEM_DATA_DIR"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_ledgers_place_is_not_followed() {
    let home = home();
    let folder = home.ledger.folder().unwrap();
    fs::create_dir(folder).unwrap();
    let elsewhere = home.folder.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.join(NAME)).unwrap();
    assert!(home.ledger.reserve(Money(1), LIMITS, About::default()).is_err());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
}

#[test]
fn looking_at_the_budget_makes_no_folder() {
    let home = home();
    assert_eq!(home.ledger.spent(LIMITS).unwrap(), Spent::default());
    assert_eq!(home.ledger.clear().unwrap().requests, 0);
    assert!(!home.ledger.folder().unwrap().exists());
}

impl Home {
    /// Many requests of another year, so that reading takes its time and those who do not wait for each
    /// other are sure to read the same.
    fn with_a_long_history(self) -> Home {
        let lines = (0..20_000).map(|number| {
            let id = format!("old-{number}");
            Event::Released { id, day: jiff::civil::date(2020, 1, 1) }.line()
        });
        fs::create_dir(self.ledger.folder().unwrap()).unwrap();
        fs::write(self.path(NAME), lines.collect::<String>()).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("ledger").join(name)
    }
}

#[test]
fn many_threads_cannot_overspend() {
    let home = home().with_a_long_history();
    let (allowed, start) = (AtomicU64::new(0), std::sync::Barrier::new(8));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let reserved = home.ledger.reserve(Money(100), LIMITS, about("a"));
                allowed.fetch_add(u64::from(reserved.is_ok()), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(allowed.into_inner(), 5);
    assert_eq!(home.ledger.spent(LIMITS).unwrap().today, Money(500));
}

const CHILD: &str = "TANDEM_TEST_LEDGER";

/// Not a test by itself: what the processes of the test below do.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    eprintln!("ready");
    // Its parent lets all go at once.
    fs::File::open(folder.join("start")).unwrap().lock_shared().unwrap();
    let ledger = Ledger::at(Some(folder));
    while let Ok(reservation) = ledger.reserve(Money(100), LIMITS, about("a")) {
        eprintln!("reserved {}", reservation.id());
    }
    // As a kill would.
    std::process::abort();
}

#[test]
fn many_processes_cannot_overspend_and_what_a_killed_one_reserved_stays_spent() {
    let home = home().with_a_long_history();
    let start = fs::File::create(home.path("start")).unwrap();
    start.lock().unwrap();
    let spawn = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ask::ledger::tests::child", "--nocapture"])
            .env(CHILD, home.ledger.folder().unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut children: Vec<Child> = (0..4).map(|_| spawn()).collect();
    let pipes = children.iter_mut().map(|child| BufReader::new(child.stderr.take().unwrap()));
    let mut lines: Vec<_> = pipes.map(|pipe| pipe.lines().map(|line| line.unwrap())).collect();
    for child in &mut lines {
        assert_eq!(child.next().as_deref(), Some("ready"));
    }
    drop(start);
    let said: Vec<String> = lines.into_iter().flatten().collect();
    for mut child in children {
        assert!(!child.wait().unwrap().success(), "it ended by itself");
    }
    let reserved = said.iter().filter(|line| line.starts_with("reserved ")).count();
    assert_eq!(reserved, 5, "{said:?}");
    let spent = home.ledger.spent(LIMITS).unwrap();
    assert_eq!((spent.today, spent.open), (Money(500), Money(500)));
    assert!(home.ledger.reserve(Money(1), LIMITS, about("a")).is_err());
}

#[test]
fn a_ledger_of_garbage_blocks_the_budget_for_its_month_and_says_so() {
    let home = home();
    fs::create_dir(home.ledger.folder().unwrap()).unwrap();
    fs::write(home.ledger.folder().unwrap().join(NAME), "x\n".repeat(50)).unwrap();
    let reserve =
        |day: &str| home.ledger.reserve_at(&noon(day), Money(1), LIMITS, about("a")).map(drop);
    let error = reserve("2026-11-21").unwrap_err().to_string();
    assert!(error.contains("50 lines of") && error.contains(NAME), "{error}");
    assert!(reserve("2026-11-22").unwrap_err().to_string().contains("this month's"));
    assert!(reserve("2026-12-01").is_ok());
}

#[test]
fn when_the_file_is_put_aside_the_sums_and_what_is_open_go_on() {
    let mut home = home();
    home.ledger.most_bytes = 2_000;
    let limits = Limits { day: Money(1_000), ..LIMITS };
    let open = home.ledger.reserve(Money(100), limits, about("open.rs")).unwrap();
    let mut sum = 100;
    for number in 0..40 {
        let one = home.ledger.reserve(Money(10), limits, about(&format!("f{number}.rs"))).unwrap();
        one.settle(Money(3), used(1)).unwrap();
        sum += 3;
        assert_eq!(home.ledger.spent(limits).unwrap().today, Money(sum));
    }
    assert!(home.file(NAME).len() + home.file(OLDER).len() < 6_000);
    assert!(home.file(NAME).starts_with("{\"v\":1,\"event\":\"carried\""));
    open.settle(Money(1), used(1)).unwrap();
    assert_eq!(home.ledger.spent(limits).unwrap().today, Money(sum - 99));
    let (requests, left_out) = home.requests();
    assert_eq!(left_out, LeftOut::default());
    let ids: std::collections::HashSet<_> = requests.iter().map(|r| &r.reserved.id).collect();
    assert_eq!(ids.len(), requests.len(), "none twice");
    let last = requests.last().unwrap();
    assert_eq!(last.reserved.about.files[0].path, "open.rs");
}

#[test]
fn a_file_that_cannot_be_put_aside_grows() {
    let mut home = home();
    home.ledger.most_bytes = 500;
    fs::create_dir_all(home.ledger.folder().unwrap().join(OLDER).join("mine")).unwrap();
    for _ in 0..4 {
        let one = home.ledger.reserve(Money(10), LIMITS, about("a")).unwrap();
        one.settle(Money(3), used(1)).unwrap();
    }
    assert_eq!(home.ledger.spent(LIMITS).unwrap().today, Money(12));
    assert!(home.file(NAME).len() > 1_000);
}

#[test]
fn a_crash_while_the_file_is_put_aside_counts_nothing_twice() {
    let home = home();
    let one = home.ledger.reserve(Money(10), LIMITS, about("a")).unwrap();
    one.settle(Money(3), used(1)).unwrap();
    // Copied, and not yet begun anew.
    let folder = home.ledger.folder().unwrap();
    fs::copy(folder.join(NAME), folder.join(OLDER)).unwrap();
    fs::write(folder.join("ledger-abc.new"), "half").unwrap();
    assert_eq!(home.ledger.spent(LIMITS).unwrap().today, Money(3));
    assert_eq!(home.requests().0.len(), 1);
    home.ledger.clear().unwrap();
    assert!(!folder.join("ledger-abc.new").exists());
}

#[test]
fn clearing_removes_the_history_and_keeps_what_the_budget_needs() {
    let home = home();
    let old = home.ledger.reserve_at(&noon("2026-10-31"), Money(9), LIMITS, about("secret.rs"));
    old.unwrap().settle(Money(9), used(1)).unwrap();
    let now = Zoned::now();
    let one = home.ledger.reserve_at(&now, Money(50), LIMITS, about("secret.rs")).unwrap();
    one.settle(Money(30), Answered { cited: vec!["secret.rs".into()], ..used(1) }).unwrap();
    let open = home.ledger.reserve_at(&now, Money(50), LIMITS, about("secret.rs")).unwrap();
    let before = home.ledger.spent_at(&now, LIMITS).unwrap();
    let cleared = home.ledger.clear_at(&now).unwrap();
    assert_eq!((cleared.requests, cleared.month), (3, before.month));
    assert!(cleared.bytes > 0);
    assert_eq!(home.ledger.spent_at(&now, LIMITS).unwrap(), before);
    assert!(!home.file(NAME).contains("secret"), "{}", home.file(NAME));
    open.settle(Money(1), used(1)).unwrap();
    assert_eq!(home.ledger.spent_at(&now, LIMITS).unwrap().today, Money(31));
}

#[test]
fn clearing_when_nothing_counts_any_more_leaves_no_file() {
    let home = home();
    let old = home.ledger.reserve_at(&noon("2020-01-01"), Money(9), LIMITS, about("a"));
    drop(old);
    let cleared = home.ledger.clear_at(&noon("2026-11-21")).unwrap();
    assert_eq!((cleared.requests, cleared.month), (1, Money(0)));
    assert!(!home.ledger.folder().unwrap().join(NAME).exists());
}

#[test]
fn the_estimate_is_corrected_by_what_the_last_requests_of_the_model_showed() {
    let home = home();
    let limits = Limits { request: Money(9), day: Money(9_999), month: Money(9_999) };
    let ask = |input| {
        let one = home.ledger.reserve(Money(1), limits, about("a")).unwrap();
        one.settle(Money(1), used(input)).unwrap();
    };
    assert_eq!(home.ledger.calibration("m"), None);
    [9_000, 800].into_iter().for_each(ask);
    assert_eq!(home.ledger.calibration("m"), None, "too few");
    ask(0);
    assert_eq!(home.ledger.calibration("m"), None, "never answered");
    ask(900);
    assert_eq!(home.ledger.calibration("m"), Some(0.9));
    assert_eq!(home.ledger.calibration("another"), None);
    [1_200; 20].into_iter().for_each(ask);
    assert_eq!(home.ledger.calibration("m"), Some(1.2), "the last twenty");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_nothing_is_sent_and_no_half_line_stays() {
    let home = home();
    let one = home.ledger.reserve(Money(10), LIMITS, about("a")).unwrap();
    let before = home.file(NAME);
    // A process that may not write files of more bytes gets the error of a full disk.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "ask::ledger::tests::child_with_a_long_line", "--nocapture"])
        .env(CHILD, home.ledger.folder().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing is sent"), "{said}");
    assert_eq!(home.file(NAME), before);
    one.release().unwrap();
}

/// Not a test by itself: see above.
#[test]
fn child_with_a_long_line() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let ledger = Ledger::at(Some(folder.into()));
    let long = about(&"x".repeat(4_000));
    match ledger.reserve(Money(1), LIMITS, long) {
        Ok(_) => eprintln!("reserved"),
        Err(error) => eprintln!("{error}"),
    }
}
