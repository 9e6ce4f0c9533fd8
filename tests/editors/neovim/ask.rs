//! Asking Claude from Neovim: the preview, the yes, the answer as it comes, the edits.

use std::path::Path;

use super::{Neovim, in_both};
use crate::desk::{Desk, until};
use crate::stand_in::Script;

in_both!(
    an_answer_comes_as_it_is_written,
    edits_are_applied_after_a_yes,
    a_code_action_asks_too_and_no_is_no,
    a_question_is_asked_for_where_none_is_given,
);

const LOCK: &str = "pub fn permits(n: usize) -> usize {\n    n - 1\n}\n";

fn at_the_lock(program: &Path, name: &str, script: Script) -> Neovim {
    let desk = Desk::new(script);
    desk.write("src/lock.rs", LOCK);
    std::fs::create_dir_all(desk.project().join(".git")).expect("a folder");
    let neovim = Neovim::open(program, name, desk, "", "src/lock.rs");
    neovim.terminal.wait("server", |screen| !screen.contains("{none}") && screen.contains('{'));
    neovim.terminal.press(&["2", "G"]);
    neovim.has_line("n - 1");
    neovim
}

/// Waits for the preview and its question, and presses this number.
fn choose(neovim: &Neovim, first: &str, number: &str) {
    let screen = neovim.terminal.shows("Type number");
    assert!(screen.contains(&format!("1: {first}")), "{screen}");
    neovim.terminal.press(&[number, "Enter"]);
}

fn an_answer_comes_as_it_is_written(program: &Path) {
    let neovim = at_the_lock(program, "answer", Script::Slow);
    neovim.command(":LspTandemAsk why one less?");
    let screen = neovim.terminal.shows("1: Send to 127.0.0.1");
    assert!(screen.contains("Nothing has been sent"), "{screen}");
    assert!(neovim.desk.stand_in.seen().is_empty());
    neovim.terminal.keep("preview");
    neovim.terminal.press(&["1", "Enter"]);
    neovim.terminal.wait("the answer's beginning", |screen| {
        screen.contains("tandem-answer") || screen.contains("answer.md")
    });
    neovim.terminal.wait("the answer's beginning", |screen| screen.contains("Der Schl"));
    neovim.terminal.keep("answer-begins");
    neovim.desk.stand_in.go_on();
    neovim.terminal.shows("Der Schlüssel.");
    neovim.terminal.shows("answer-1.md");
    neovim.terminal.keep("answer");
    let sent = neovim.desk.stand_in.only().json().to_string();
    assert!(sent.contains("why one less?") && sent.contains("n - 1"), "{sent}");
}

fn edits_are_applied_after_a_yes(program: &Path) {
    let answer = "It takes one too many.\n\nsrc/lock.rs\n<<<<<<< SEARCH\n    n - 1\n=======\n    n\n>>>>>>> REPLACE\n";
    let neovim = at_the_lock(program, "edits", Script::Text(answer.into()));
    neovim.command(":LspTandemAsk! take all of them");
    choose(&neovim, "Send to 127.0.0.1", "1");
    let screen = neovim.terminal.shows("1: Apply");
    assert!(screen.contains("proposes edits in 1 file"), "{screen}");
    assert_eq!(neovim.desk.read("src/lock.rs"), LOCK);
    neovim.terminal.keep("proposed");
    neovim.terminal.press(&["1", "Enter"]);
    neovim.terminal.shows("change src/lock.rs?");
    neovim.terminal.press(&["1", "Enter"]);
    neovim.terminal.shows("1 file changed");
    neovim.terminal.press(&["Enter"]);
    neovim.command(":wall");
    let wanted = LOCK.replace("n - 1", "n");
    let written = || (neovim.desk.read("src/lock.rs") == wanted).then_some(());
    until("changed file", written, || neovim.terminal.screen());
}

fn a_code_action_asks_too_and_no_is_no(program: &Path) {
    let neovim = at_the_lock(program, "action", Script::default());
    // On a name.
    neovim.terminal.keys("ggww");
    neovim.has_line("pub fn permits(n: usize) -> usize {");
    neovim.command(":lua vim.lsp.buf.code_action()");
    neovim.terminal.shows("Ask Claude");
    neovim.terminal.keep("actions");
    neovim.terminal.press(&["1", "Enter"]);
    // The server asks for the question by `tandem/input`.
    neovim.terminal.shows("What do you want to ask Claude?");
    neovim.terminal.keys("why?");
    neovim.terminal.press(&["Enter"]);
    choose(&neovim, "Send to 127.0.0.1", "3");
    neovim.terminal.wait("end of the question", |screen| !screen.contains("Type number"));
    assert!(neovim.desk.stand_in.seen().is_empty());
}

fn a_question_is_asked_for_where_none_is_given(program: &Path) {
    let neovim = at_the_lock(program, "input", Script::default());
    neovim.command(":%LspTandemAsk");
    neovim.terminal.shows("What do you want to ask Claude?");
    neovim.terminal.keep("prompt");
    neovim.terminal.keys("is this right?");
    neovim.terminal.press(&["Enter"]);
    choose(&neovim, "Send to 127.0.0.1", "1");
    neovim.terminal.shows("hält ihn");
    let sent = neovim.desk.stand_in.only().json().to_string();
    assert!(sent.contains("is this right?"), "{sent}");
}
