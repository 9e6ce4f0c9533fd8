//! A draft model beside the real one. The same file drafts for itself: that does not pay, but needs no second
//! download, and what is accepted and refused is the same bookkeeping.

use ropey::Rope;
use tandem::engine::llama::{Draft, Llama, Options};
use tandem::engine::{Engine, Figures, Request, State, Stop};
use tandem::prompt::{self, Budget};

use crate::cache::{end, finish};
use crate::harness::{model, turn, until};

const TEXTS: [&str; 5] = [
    "fn add(a: i32, b: i32) -> i32 {\n    a",
    "def mean(numbers):\n    \"\"\"The arithmetic mean.\"\"\"\n    ret",
    "struct Point {\n    x: f64,\n    y: f64,\n}\n\nimpl Point {\n    fn length(&self) -> f64 {\n        ",
    "for (let i = 0; i < items.length; i++) {\n    const item = ",
    "SELECT name, count(*) FROM users GRO",
];

fn said_by(options: Options) -> (String, Vec<(String, Figures)>) {
    let engine = Llama::start(Options { threads: 1, ..options });
    let requests = TEXTS.iter().flat_map(|text| {
        let text = Rope::from_str(text);
        let (prompt, _) = prompt::prompt(&text, text.len_bytes(), Budget::default(), None);
        // The place is read in the background first, as when a file is opened.
        [Request::warm(prompt.clone()), Request::new(prompt, 24, Stop::Never)]
    });
    let said = requests.map(|request| finish(engine.complete(request))).collect();
    let draft = match &*engine.state().borrow() {
        State::Ready(about) => about.draft.clone(),
        other => panic!("{other:?}"),
    };
    end(engine);
    (draft, said)
}

#[test]
fn with_a_draft_model_the_same_is_said_in_fewer_steps() {
    let _turn = turn();
    let plain = Options { guess: false, ..Options::new(model()) };
    let draft = Draft { model: model(), tokens: Some(4) };
    let (about, drafted) = said_by(Options { draft: Some(draft), ..plain.clone() });
    let (_, alone) = said_by(plain);
    let texts = |said: &[(String, Figures)]| said.iter().map(|(text, _)| text.clone()).collect();
    let (texts, expected): (Vec<_>, Vec<_>) = (texts(&drafted), texts(&alone));
    assert_eq!(texts, expected);
    assert!(about.ends_with(": 4 tokens at a time"), "{about}");
    let sum = |of: fn(&Figures) -> u32| drafted.iter().map(|(_, figures)| of(figures)).sum::<u32>();
    let (tried, accepted) = (sum(|figures| figures.drafted), sum(|figures| figures.accepted));
    assert!(accepted > 40 && accepted * 10 > tried * 7, "{accepted} of {tried}");
}

#[test]
fn a_draft_model_that_cannot_be_loaded_is_left_aside() {
    let _turn = turn();
    let draft = Draft { model: "nowhere.gguf".into(), tokens: None };
    let engine = Llama::start(Options { threads: 1, draft: Some(draft), ..Options::new(model()) });
    let about = until("the model is there", || match &*engine.state().borrow() {
        State::Ready(about) => Some(about.draft.clone()),
        State::Loading { .. } => None,
        other => panic!("{other:?}"),
    });
    assert_eq!(about, "");
    end(engine);
}
