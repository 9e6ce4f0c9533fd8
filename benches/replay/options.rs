//! The replay's command line. In: arguments. Out: [`Options`]. Refuses what it does not know, by
//! saying so and ending the program.

use tandem::demo::rhythm::Pace;

use crate::fail;
use crate::server::Program;
use crate::trace::{self, Trace};

/// What to do.
pub struct Options {
    pub program: Program,
    pub traces: Vec<Trace>,
    /// `completion.reuse`, one run for each.
    pub reuse: Vec<bool>,
    pub pace: Pace,
    pub peer: Option<PeerAddress>,
    pub scenario: Option<Scenario>,
    pub json: bool,
    /// Only say what there is to type.
    pub list: bool,
}

/// Where the peer is.
pub struct PeerAddress {
    pub url: String,
    pub process: Option<u32>,
}

/// Something else to measure than typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    Open,
    Cancel,
    Window,
}

pub fn parse() -> Options {
    let program = Program {
        path: env!("CARGO_BIN_EXE_tandem").into(),
        model: None,
        block_tokens: None,
        elsewhere: None,
    };
    let mut options = Options {
        program,
        traces: Vec::new(),
        reuse: Vec::new(),
        pace: Pace::Waiting,
        peer: None,
        scenario: None,
        json: false,
        list: false,
    };
    let (mut wanted, mut url, mut process) = ("all".to_owned(), None, None);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--trace" => wanted = value(),
            "--cache" => options.reuse = reuse(&value()),
            "--model" => options.program.model = Some(value()),
            "--pace" => options.pace = pace(&value()),
            "--elsewhere" => options.program.elsewhere = Some(value()),
            "--peer" => url = Some(value()),
            "--peer-pid" => process = value().parse().ok(),
            "--scenario" => options.scenario = Some(scenario(&value())),
            "--server" => options.program.path = value().into(),
            "--json" => options.json = true,
            "--list" => options.list = true,
            other => fail(&format!("unknown argument {other}")),
        }
    }
    options.peer = url.map(|url| PeerAddress { url, process });
    if options.peer.is_some() {
        if !matches!(options.pace, Pace::Waiting | Pace::AtOnce) {
            fail("with --peer each key is waited for: --pace takes waiting or at-once then");
        }
        // Both sides are to do the same: one line, each time by the model.
        options.program.block_tokens = Some(0);
    }
    if options.reuse.is_empty() {
        options.reuse = if options.peer.is_some() { vec![false] } else { vec![true, false] };
    }
    options.traces = trace::all();
    if wanted != "all" {
        let names: Vec<&str> = wanted.split(',').collect();
        let known: Vec<&str> = options.traces.iter().map(|trace| trace.name).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            fail(&format!("there is no trace {name}; there are all, {}", known.join(", ")));
        }
        options.traces.retain(|trace| names.contains(&trace.name));
    }
    options
}

fn reuse(text: &str) -> Vec<bool> {
    match text {
        "on" => vec![true],
        "off" => vec![false],
        "both" => vec![true, false],
        _ => fail("--cache takes on, off or both"),
    }
}

fn pace(text: &str) -> Pace {
    match text.split_once(':').unwrap_or((text, "")) {
        ("waiting", "") => Pace::Waiting,
        ("at-once", "") => Pace::AtOnce,
        ("typing", "") => Pace::Typing,
        ("bursts", "") => Pace::Bursts(5),
        ("bursts", length) => match length.parse() {
            Ok(length) if length > 1 => Pace::Bursts(length),
            _ => fail("bursts:N takes a number of keys, at least 2"),
        },
        _ => fail("--pace takes waiting, at-once, typing, bursts or bursts:N"),
    }
}

fn scenario(text: &str) -> Scenario {
    match text {
        "open" => Scenario::Open,
        "cancel" => Scenario::Cancel,
        "window" => Scenario::Window,
        _ => fail("--scenario takes open, cancel or window"),
    }
}
