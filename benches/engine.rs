//! The engine alone: what guessing saves, and how soon a cancelled request's work ends.
//!
//! `cargo bench --bench engine -- [--guess] [--cancel] [--lines N] [--model FILE] [--draft FILE [--tokens N]]`
//!
//! Guessing: lines of this project's own sources are typed, three characters at a time, with the
//! rest of the file below. Each prompt is asked of two engines in turn, one that guesses and one
//! that does not; both say the same, which is counted. With `--draft` one guesses, and the other has that
//! draft model besides, which drafts N tokens each time or as many as pay. Cancelling: requests in cold places are
//! dropped after some time, and it is measured until the model's thread is idle.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ropey::Rope;
use tandem::engine::costs;
use tandem::engine::llama::{Draft, Llama, Options};
use tandem::engine::process::{ProcessEngine, Wanted};
use tandem::engine::states::StateOptions;
use tandem::engine::{Engine, Event, Figures, Request, State, Stop};
use tandem::figures::percentile;
use tandem::model::{DEFAULT, Store, choice};
use tandem::prompt::{self, Anchor, Budget, Prompt};
use tandem::wanted;

/// What is typed, and what stands around it: our own code.
const SOURCES: [(&str, &str); 5] = [
    ("prompt.rs", include_str!("../src/prompt.rs")),
    ("cache.rs", include_str!("../src/engine/cache.rs")),
    ("settings.rs", include_str!("../src/settings.rs")),
    ("document/edit.rs", include_str!("../src/document/edit.rs")),
    ("model/store.rs", include_str!("../src/model/store.rs")),
];
/// Characters typed between two prompts.
const STEP: usize = 3;
/// Requests that are cancelled.
const CANCELS: u32 = 60;
const LOOK: Duration = Duration::from_millis(50);

fn main() {
    let (mut guess, mut cancel, mut lines) = (false, false, 12);
    let mut model = default_model();
    let (mut draft, mut tokens) = (None, None);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().unwrap_or_else(|| fail(&format!("{argument} needs a value")));
        match argument.as_str() {
            "--guess" => guess = true,
            "--cancel" => cancel = true,
            "--lines" => lines = value().parse().unwrap_or_else(|_| fail("--lines: a number")),
            "--model" => model = value().into(),
            "--draft" => draft = Some(PathBuf::from(value())),
            "--tokens" => {
                tokens = Some(value().parse().unwrap_or_else(|_| fail("--tokens: a number")));
            }
            other => fail(&format!("unknown argument {other}")),
        }
    }
    println!("{}", model.file_name().unwrap_or_default().to_string_lossy());
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|e| fail(&e.to_string()));
    if guess || !cancel {
        let draft = draft.map(|model| Draft { model, tokens });
        runtime.block_on(guessing(&model, lines, draft));
    }
    if cancel || !guess {
        runtime.block_on(cancelling(&model));
    }
}

/// What was asked of one engine.
#[derive(Default)]
struct Total {
    written: u32,
    decode_ms: f64,
    drafted: u32,
    accepted: u32,
}

async fn guessing(model: &std::path::Path, lines: usize, draft: Option<Draft>) {
    let private = tempfile::tempdir().unwrap_or_else(|e| fail(&e.to_string()));
    // SAFETY: no other thread reads the environment yet.
    unsafe { std::env::set_var("TANDEM_RUNTIME_DIR", private.path()) };
    let names = if draft.is_some() { ["guessing", "drafting"] } else { ["plain", "guessing"] };
    let place = |more: bool| private.path().join(names[usize::from(more)]);
    let engine = |more: bool| {
        // No state fits; what batches cost is kept.
        let states = Some(StateOptions { folder: place(more), cap: 0 });
        let options = match &draft {
            Some(draft) => Options { draft: more.then(|| draft.clone()), ..Options::new(model) },
            None => Options { guess: more, ..Options::new(model) },
        };
        let options = Options { states, ..options };
        let wanted: Wanted = Arc::new(move || Ok(options.clone()));
        ProcessEngine::new(env!("CARGO_BIN_EXE_tandem").into(), Arc::new(|| Duration::ZERO), wanted)
    };
    let (less, more) = (engine(false), engine(true));
    for (engine, folder) in [(&less, place(false)), (&more, place(true))] {
        // It does not guess before it knows what that costs, which it finds out when nobody asks.
        engine.wake();
        while !costs::are_noted(&folder) {
            if let State::Failed { message } = &*engine.state().borrow() {
                fail(message);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    let mut totals: HashMap<bool, Total> = HashMap::new();
    let (mut prompts, mut differ) = (0, 0);
    for (name, text) in SOURCES {
        let mut ratio = [0.0, 0.0];
        for (prompt, stop) in typed(text, lines) {
            let request = Request::new(prompt, 48, stop);
            // Which one goes first changes, so that neither always finds warm caches.
            let order = if prompts % 2 == 0 { [false, true] } else { [true, false] };
            let mut said = HashMap::new();
            for is_more in order {
                let engine = if is_more { &more } else { &less };
                let (text, figures) = finish(engine, request.clone()).await;
                let total = totals.entry(is_more).or_default();
                total.written += figures.generated;
                total.decode_ms += figures.decode_ms;
                total.drafted += figures.drafted;
                total.accepted += figures.accepted;
                ratio[usize::from(is_more)] += figures.decode_ms;
                said.insert(is_more, text);
            }
            prompts += 1;
            differ += usize::from(said[&false] != said[&true]);
        }
        println!("{name:<18} {:.2} times as fast {}", ratio[0] / ratio[1], names[1]);
    }
    for (is_more, name) in [false, true].into_iter().zip(names) {
        let total = &totals[&is_more];
        println!(
            "{name:<9} {:>6} tokens written in {:>8.0} ms: {:.1} tokens/s; {} drafted, {} came true",
            total.written,
            total.decode_ms,
            f64::from(total.written) / total.decode_ms * 1e3,
            total.drafted,
            total.accepted
        );
    }
    println!(
        "decoding is {:.2} times as fast {} as {}; {differ} of {prompts} answers differ\n",
        totals[&false].decode_ms / totals[&true].decode_ms,
        names[1],
        names[0]
    );
}

/// The prompts while some lines of a text are typed: each line's rest, and a few lines more at its
/// start.
fn typed(text: &str, lines: usize) -> Vec<(Prompt, Stop)> {
    let all: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim_end()))
        })
        .filter(|(_, line)| line.trim().len() > 12 && !line.trim_start().starts_with("//"))
        .collect();
    let mut prompts = Vec::new();
    for (start, line) in all.iter().step_by((all.len() / lines).max(1)) {
        let indent = line.len() - line.trim_start().len();
        let mut anchor: Option<Anchor> = None;
        for typed in (indent..line.len()).step_by(STEP).filter(|&at| line.is_char_boundary(at)) {
            let now = format!("{}{}", &text[..start + typed], &text[start + line.len()..]);
            let (prompt, next) = prompt::prompt(
                &Rope::from_str(&now),
                start + typed,
                Budget::default(),
                anchor.as_ref(),
            );
            anchor = Some(next);
            prompts.push((prompt, if typed == indent { Stop::Never } else { Stop::Line }));
        }
    }
    prompts
}

async fn finish(engine: &ProcessEngine, request: Request) -> (String, Figures) {
    let mut answer = engine.complete(request);
    let mut text = String::new();
    while let Some(event) = answer.next().await {
        match event {
            Event::Text(piece) => text.push_str(&piece),
            Event::Done(figures) => return (text, figures),
            Event::Failed(message) => fail(&message),
            Event::Begun(_) | Event::Forks(_) => {}
        }
    }
    fail("an answer without an end")
}

async fn cancelling(model: &std::path::Path) {
    let engine = Llama::start(Options::new(model));
    let mut state = engine.state();
    let loaded = |state: &State| matches!(state, State::Ready(_) | State::Failed { .. });
    if !matches!(state.wait_for(loaded).await.as_deref(), Ok(State::Ready(_))) {
        fail("the model does not load");
    }
    let mut busy = engine.busy();
    // Until it knows what batches cost.
    let _ = busy.wait_for(|busy| !busy).await;
    let mut times = Vec::new();
    let text = Rope::from_str(SOURCES[2].1);
    for number in 0..CANCELS {
        let cursor = text.line_to_byte(text.len_lines() / CANCELS as usize * number as usize + 1);
        let (prompt, _) = prompt::prompt(&text, cursor, Budget::default(), None);
        let answer = engine.complete(Request::new(prompt, 128, Stop::Never));
        // While it reads the prompt, and later while it writes.
        tokio::time::sleep(Duration::from_millis(u64::from(20 + 53 * number))).await;
        let cancelled = Instant::now();
        drop(answer);
        if busy.wait_for(|busy| !busy).await.is_err() {
            fail("the engine is gone");
        }
        times.push(cancelled.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "from cancel to idle: p50 {:.1} ms, p95 {:.1} ms, of {CANCELS}",
        percentile(&times, 0.5),
        percentile(&times, 0.95)
    );
}

/// The file that the engine would run.
fn default_model() -> PathBuf {
    let store = Store::default_location().unwrap_or_else(|e| fail(&e.to_string()));
    let model =
        choice::choose(&store, DEFAULT, None, None).unwrap_or_else(|e| fail(&e.to_string()));
    wanted::file_of(&tandem::settings::Settings::default(), &store, &model).0
}

fn fail(problem: &str) -> ! {
    eprintln!("engine: {problem}");
    std::process::exit(2)
}
