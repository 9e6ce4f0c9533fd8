//! An hour of typing, and what it leaves behind: `make soak`, or
//! `cargo bench --bench soak -- --minutes 60 --out FOLDER`.
//!
//! In: four people who type in real servers with the real model, at the pace of people, one after the other and
//! for a while beside the next: they open and close files, mistype, undo, jump, accept, ask, cancel; one ends his
//! editor after each turn, one's editor is killed. All begin anew twelve times, so that any two cycles are the same
//! keys. Out: a sample of all processes every five seconds (CSV), plots (SVG), and a table: the second and third
//! cycle (the first one is warm-up) beside the last two, which of an hour are ten minutes each. It fails where
//! memory, open files, latency or the cache of states grow. What processes take is read from /proc; elsewhere only latency is looked at.

mod house;
mod options;
mod person;
mod report;
mod sample;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::house::House;
use self::options::Options;
use self::person::Person;
use self::report::Report;
use self::sample::{Key, Sampler};

/// From one sample to the next.
const STEP: Duration = Duration::from_secs(5);

/// What the threads share.
pub struct Stage {
    pub house: House,
    pub began: Instant,
    /// From one time that all begin anew to the next.
    pub cycle: Duration,
    pub ended: AtomicBool,
    pub keys: Mutex<Vec<Key>>,
    /// The server of each person, as it is now.
    pub servers: Mutex<[Option<u32>; person::PEOPLE]>,
    pub troubles: Mutex<Vec<String>>,
}

impl Stage {
    pub fn trouble(&self, what: String) {
        eprintln!("{:>6.0} s  {what}", self.began.elapsed().as_secs_f64());
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    match soak(&options) {
        Ok(report) => {
            println!("{report}");
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("soak: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn soak(options: &Options) -> Result<Report, String> {
    std::fs::create_dir_all(&options.out).map_err(|e| format!("{}: {e}", options.out.display()))?;
    let stage = Arc::new(Stage {
        house: House::new()?,
        began: Instant::now(),
        cycle: Duration::from_secs_f64(options.cycle_s()),
        ended: AtomicBool::new(false),
        keys: Mutex::default(),
        servers: Mutex::default(),
        troubles: Mutex::default(),
    });
    let people: Vec<_> = (0..person::PEOPLE)
        .map(|number| {
            let stage = stage.clone();
            std::thread::spawn(move || Person::new(number, stage).live())
        })
        .collect();
    let mut sampler = Sampler::default();
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let mut due = STEP;
    while stage.began.elapsed() < length {
        std::thread::sleep(due.saturating_sub(stage.began.elapsed()));
        due += STEP;
        sampler.take(&stage);
        if due.as_secs().is_multiple_of(60) {
            eprintln!("{}", sampler.line(&stage));
        }
    }
    stage.ended.store(true, SeqCst);
    for person in people {
        if person.join().is_err() {
            stage.trouble("a person's thread panicked".to_owned());
        }
    }
    stage.house.end();
    let keys = std::mem::take(&mut *stage.keys.lock().unwrap_or_else(PoisonError::into_inner));
    let troubles =
        std::mem::take(&mut *stage.troubles.lock().unwrap_or_else(PoisonError::into_inner));
    let report = Report::new(options, sampler.samples, keys, troubles);
    report.write(&options.out).map_err(|error| format!("{}: {error}", options.out.display()))?;
    Ok(report)
}
