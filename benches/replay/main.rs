//! Typing sessions, replayed through the real server on the real model.
//!
//! `cargo bench --bench replay -- [--trace NAME,…|all] [--cache on|off|both] [--model NAME]
//! [--pace waiting|at-once|typing|bursts[:N]] [--peer URL [--peer-pid N]] [--elsewhere URL]
//! [--scenario open|cancel|window] [--server PROGRAM] [--json] [--list]`
//!
//! Out: a table for each trace with `completion.reuse` on and off: from key to suggestion, keys for
//! which the model ran, tokens evaluated and written a key, for each kind of key; characters saved;
//! resident memory. Every run has a server and an engine of its own that have seen nothing before,
//! and none of the user's settings. What is typed, and where suggestions are looked at, is fixed by
//! the trace; a suggestion is taken if it agrees with that. Decoding is greedy, so keys and
//! suggestions are the same in every run on a machine, which the fingerprint shows. Times differ,
//! and token counts by a few: how far the engine got with a block that was long enough, before it
//! was told so, is a matter of time.
//!
//! Paces: `waiting` presses a key when the answer to the one before has come and 80 ms have passed,
//! as a fast typist would who reads nothing; before taking a suggestion it looks at it for 700 ms,
//! Enter comes 250 ms after that, a jump takes 500 ms. `at-once` leaves all that out. `typing`
//! presses keys when a person would, answered or not, and `bursts` several at once; both count the
//! keys that were superseded.
//!
//! With `--peer` each key is first tandem's, then the llama-server's, from the same text. While the
//! peer works, tandem's engine is stopped: it neither takes the peer's cores nor gains time. What
//! the text becomes is decided by tandem's suggestions and the trace. Both write single lines. With `--elsewhere`
//! tandem has no engine of its own and asks the one there (`sh benches/peer.sh elsewhere` plays both).

mod options;
mod peer;
mod scenario;
mod server;
mod table;
mod trace;

use std::io;

use serde_json::Value;
use tandem::demo::player::{self, Document};
use tandem::demo::session::SessionError;

use options::{Options, PeerAddress};
use peer::Peer;
use server::{House, Stopped, resident_kib};
use table::{Memory, Prompts, Run, Sample};
use trace::Trace;

fn main() {
    let options = options::parse();
    if options.list {
        print!("{}", trace::list(&options.traces));
        return;
    }
    if let Some(scenario) = options.scenario {
        let result = scenario::run(scenario, &options).unwrap_or_else(|e| fail(&e.to_string()));
        match options.json {
            true => println!("{:#}", result.json()),
            false => print!("{result}"),
        }
        return;
    }
    let peer = options.peer.as_ref().map(|PeerAddress { url, process }| {
        Peer::at(url, *process).unwrap_or_else(|error| fail(&format!("{url}: {error}")))
    });
    let mut runs = Vec::new();
    for trace in &options.traces {
        for &reuse in &options.reuse {
            let run = run(&options, trace, reuse, peer.as_ref())
                .unwrap_or_else(|error| fail(&format!("{}: {error}", trace.name)));
            if !options.json {
                run.print();
            }
            runs.push(run);
        }
    }
    for &reuse in &options.reuse {
        if let Some(all) = Run::all(&runs, reuse) {
            if !options.json {
                all.print();
            }
            runs.push(all);
        }
    }
    if options.json {
        println!("{:#}", Value::Array(runs.iter().map(Run::json).collect()));
    }
}

/// Plays a trace on a server and an engine that know nothing yet.
fn run(
    options: &Options,
    trace: &Trace,
    reuse: bool,
    peer: Option<&Peer>,
) -> Result<Run, SessionError> {
    let house = House::new()?;
    let (mut client, engine) = house.launch(&options.program, reuse)?;
    if let Some(peer) = peer {
        let _stopped = Stopped::engine(engine.pid);
        peer.forget()?;
    }
    let documents: Vec<Document<'_>> = trace.files.iter().map(trace::File::document).collect();
    let mut samples = Vec::new();
    let played = player::play(&mut client, &documents, options.pace, |buffer, played| {
        let asked = match peer {
            Some(peer) => {
                let _stopped = Stopped::engine(engine.pid);
                peer.complete(buffer)?
            }
            None => None,
        };
        samples.push(Sample { played: played.clone(), peer: asked });
        Ok(())
    });
    let memory = Memory {
        server: resident_kib(client.pid()),
        engine: resident_kib(engine.pid),
        peer: peer.and_then(Peer::memory_kib),
    };
    let summary = client.execute("tandem.status", vec![]).unwrap_or_default();
    let of = |names: [&str; 2]| names.iter().filter_map(|name| summary[name].as_u64()).sum();
    let prompts = Prompts {
        evaluated: of(["tokens_evaluated", "background_evaluated"]),
        reused: of(["tokens_reused", "background_reused"]),
    };
    let goodbye = played.and_then(|()| Ok(client.shutdown()?));
    server::end(engine.pid);
    goodbye?;
    Ok(Run {
        name: format!("{} trace", trace.name),
        lines: trace.lines(),
        reuse,
        model: engine.model,
        samples,
        memory,
        prompts,
        peer: peer.map(|peer| peer.model.clone()),
    })
}

fn fail(problem: &str) -> ! {
    let _ = io::Write::flush(&mut io::stdout());
    eprintln!("replay: {problem}");
    std::process::exit(2)
}
