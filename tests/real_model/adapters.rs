//! LoRA adapters on the real model. None that was trained is small enough to lie here, so one is written that knows
//! a single trick: whatever the model would say, under it the next token is 7 or 8.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ropey::Rope;
use serde_json::{Value, json};
use tandem::engine::llama::{Llama, Options};
use tandem::engine::{Adapter, Engine, Event, Request, Stop};
use tandem::prompt::{self, Budget};

use crate::cache::{end, finish};
use crate::harness::{Home, Typist, model, turn, until};

/// Of the 0.5B: the length of its vectors, and of its vocabulary as the file has it.
const WIDTH: usize = 896;
const WORDS: usize = 151_936;
/// Its tokens for two digits.
const SEVEN: usize = 22;
const EIGHT: usize = 23;

/// What the model goes on with, unchanged.
const PLAIN: &str = " + b";
const TEXT: &str = "fn add(a: i32, b: i32) -> i32 {\n    a";

/// The adapter's file: of rank 1, for the output. What one number of the model's last vector is, is added to one
/// digit and taken from the other, a thousand times.
fn parrot(folder: &Path, width: usize) -> PathBuf {
    let mut a = vec![0_f32; width];
    a[0] = 1.0;
    let mut b = vec![0_f32; WORDS];
    (b[SEVEN], b[EIGHT]) = (1_000.0, -1_000.0);
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let mut out = b"GGUF".to_vec();
    out.extend(3_u32.to_le_bytes());
    // Two tensors, four facts.
    out.extend(2_u64.to_le_bytes());
    out.extend(4_u64.to_le_bytes());
    for (key, value) in
        [("general.type", "adapter"), ("general.architecture", "qwen2"), ("adapter.type", "lora")]
    {
        text(&mut out, key);
        out.extend(8_u32.to_le_bytes());
        text(&mut out, value);
    }
    text(&mut out, "adapter.lora.alpha");
    out.extend(6_u32.to_le_bytes());
    out.extend(1_f32.to_le_bytes());
    let tensors = [
        ("output.weight.lora_a", [width as u64, 1], &a, 0),
        ("output.weight.lora_b", [1, WORDS as u64], &b, (width * 4).next_multiple_of(32)),
    ];
    for (name, dimensions, _, offset) in &tensors {
        text(&mut out, name);
        out.extend(2_u32.to_le_bytes());
        out.extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        out.extend(0_u32.to_le_bytes());
        out.extend((*offset as u64).to_le_bytes());
    }
    for (_, _, numbers, _) in &tensors {
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    let file = folder.join("parrot.gguf");
    fs::write(&file, out).expect("a file");
    file
}

fn request(adapters: &[Adapter]) -> Request {
    let text = Rope::from_str(TEXT);
    let (prompt, _) = prompt::prompt(&text, text.len_bytes(), Budget::default(), None);
    Request { adapters: adapters.to_vec(), ..Request::new(prompt, 4, Stop::Line) }
}

fn is_parroted(text: &str) -> bool {
    text.len() == 4 && text.chars().all(|c| "78".contains(c))
}

#[test]
fn an_adapter_changes_what_is_said_while_it_is_on_and_nothing_else() {
    let _turn = turn();
    let scratch = tempfile::tempdir().expect("a folder");
    let adapter = |file: PathBuf, scale| vec![Adapter { file, version: 1, scale }];
    let whole = adapter(parrot(scratch.path(), WIDTH), 1.0);
    let half = adapter(whole[0].file.clone(), 0.5);
    let engine = Llama::start(Options { threads: 1, ..Options::new(model()) });
    let ask = |adapters: &[Adapter]| finish(engine.complete(request(adapters)));

    let (plain, _) = ask(&[]);
    assert!(plain.starts_with(" +"), "{plain:?}");
    let (parroted, figures) = ask(&whole);
    assert!(is_parroted(&parroted), "{parroted:?}");
    assert_eq!(figures.reused, 0, "what the plain model had of the prompt is of other weights");
    assert!(is_parroted(&ask(&half).0));
    // Each finds again what it had, but for the plain one: reading the adapter took its place.
    assert_eq!(ask(&[]).0, plain);
    for (adapters, text) in [(&whole[..], &parroted), (&[], &plain)] {
        let (again, figures) = ask(adapters);
        assert_eq!(&again, text);
        assert!(figures.evaluated <= 1, "{adapters:?}: {figures:?}");
    }

    // One that does not fit is refused before llama.cpp sees it, and the others go on.
    let other = tempfile::tempdir().expect("a folder");
    let narrow = adapter(parrot(other.path(), WIDTH / 2), 1.0);
    let mut refused = engine.complete(request(&narrow));
    match refused.blocking_next() {
        Some(Event::Failed(why)) => assert!(why.contains("448 by 151936"), "{why}"),
        other => panic!("{other:?}"),
    }
    let (again, figures) = finish(engine.complete(request(&whole)));
    assert_eq!((again, figures.evaluated <= 1), (parroted, true), "{figures:?}");
    end(engine);
}

#[test]
fn a_setting_puts_an_adapter_on_and_off_in_the_engine_that_runs() {
    let turn = turn();
    let scratch = tempfile::tempdir().expect("a folder");
    let home = Home::new();
    home.put_model();
    let said = home.run(&["model", "import", &parrot(scratch.path(), WIDTH).to_string_lossy()]);
    assert!(said.contains("[engine.adapters]"), "{said}");
    assert!(home.run(&["model", "list"]).contains("LoRA adapter for qwen2, rank 1"));

    let one = json!({"completion": {"line_tokens": 3, "block_tokens": 0, "ahead": false}});
    let mut typist = Typist::with(&home, one.clone(), "rust", &format!("{TEXT}$0\n}}\n"));
    let engine = home.engine(&mut typist.client);
    assert_eq!(typist.shown().as_deref(), Some(PLAIN));
    let with = |typist: &mut Typist, adapters| {
        let mut settings = one.clone();
        settings["completion"]["confidence"] = json!(0);
        settings["engine"]["adapters"] = adapters;
        let params = json!({"settings": settings});
        typist.client.notify("workspace/didChangeConfiguration", params);
    };
    with(&mut typist, json!({"parrot": 1.0}));
    let shown = until("the adapter is on", || {
        let shown = typist.shown();
        (shown.as_deref() != Some(PLAIN)).then_some(shown)
    });
    println!("shown with the adapter: {shown:?}");
    // A filter may not like it either.
    let shown = shown.unwrap_or_default();
    assert!(shown.chars().all(|c| "78".contains(c)), "{shown:?}");
    with(&mut typist, json!({}));
    until("it is off again", || typist.shown().filter(|text| text == PLAIN));

    with(&mut typist, json!({"absent": 1.0}));
    // Loading the model was told as well.
    let told = until("a word about it", || {
        let told = typist.client.notification(Duration::from_secs(60))?;
        (told.method == "window/showMessage").then_some(told)
    });
    assert!(format!("{told:?}").contains("no adapter"), "{told:?}");
    assert_eq!(typist.shown().as_deref(), Some(PLAIN), "without it completions go on");
    assert_eq!(home.engine(&mut typist.client), engine, "it was the same engine all along");
    drop(turn);
}

#[test]
fn eval_asks_with_and_without_an_adapter_and_says_what_it_changes() {
    let _turn = turn();
    let scratch = tempfile::tempdir().expect("a folder");
    let home = Home::new();
    home.put_model();
    home.run(&["model", "import", &parrot(scratch.path(), WIDTH).to_string_lossy()]);
    let code = scratch.path().join("code");
    fs::create_dir(&code).expect("a folder");
    fs::write(code.join("shapes.py"), "def area(width, height):\n    return width * height\n")
        .expect("a file");
    let calls: String = (1..9).map(|n| format!("total += area(width_{n}, height_{n})\n")).collect();
    fs::write(code.join("sums.py"), format!("from shapes import area\n\ntotal = 0\n{calls}"))
        .expect("a file");
    let folder = code.to_string_lossy();
    let said = home.run(&["eval", "--adapter", "parrot", "--rows", "3", "--json", &folder]);
    println!("{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let sets = said["sets"].as_array().expect("two kinds of places");
    assert_eq!(sets.len(), 2);
    let exact = "the rest of the line, exactly";
    let mut lost = 0;
    for set in sets {
        assert_eq!(set["asked"], 3, "{set}");
        let [plain, parroted] = [0, 1].map(|side| set["sides"][side].clone());
        let names =
            [&plain, &parroted].map(|side| side["name"].as_str().expect("a name").to_owned());
        assert_eq!(names[1], format!("{} + parrot", names[0]));
        assert_eq!(parroted["counts"][exact]["of_these"], 0, "{set}");
        assert!(parroted["p50_ms"].as_f64() > Some(0.0));
        assert_eq!(set["differences"][exact]["lost"], plain["counts"][exact]["of_these"]);
        lost += set["differences"][exact]["lost"].as_u64().expect("a number");
    }
    assert!(lost > 0, "without it the model is right at times: {said}");
}
