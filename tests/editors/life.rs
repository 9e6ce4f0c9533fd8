//! What is left when an editor goes, and what two editors share.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, Running, editor, until};
use crate::helix;
use crate::stand_in::Script;
use crate::terminal::Terminal;

const CODE: &str = "def total_price(items):\n    total = 0\n    for item in items:\n        \
    total += item.price\n    return total\n\n\ndef average_price(items):\n    \n";

/// A desk with a file, whose engine goes as soon as nobody is there any more.
fn desk() -> Desk {
    let desk = Desk::new(Script::default());
    let config = desk.home.join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    fs::write(config, format!("{text}\n[engine]\nidle_minutes = 0\n")).expect("a file");
    desk.write("a.py", CODE);
    desk
}

/// Neovim with nothing of anybody's own but the server.
fn neovim(program: &Path, desk: &Desk) -> Terminal {
    let start = "lua vim.lsp.start({name = 'tandem', cmd = {'tandem', 'serve'}})";
    let program = program.to_str().expect("UTF-8");
    let terminal = Terminal::start(desk, "life", &[program, "--clean", "a.py", "-c", start]);
    terminal.shows("def total_price");
    terminal
}

/// Kills the editor at once, as a crash would.
fn kill(terminal: &Terminal, desk: &Desk) {
    desk.kill(&Running { pid: terminal.pid(), command: String::new() });
}

fn engine(desk: &Desk) -> Running {
    until("engine", || desk.engines().pop(), || format!("{:?}", desk.servers()))
}

/// Neither server nor engine is left.
fn nothing_is_left(desk: &Desk) {
    let gone = |left: Vec<Running>| left.is_empty().then_some(());
    until("end of the server", || gone(desk.servers()), || format!("{:?}", desk.servers()));
    until("end of the engine", || gone(desk.engines()), || format!("{:?}", desk.engines()));
}

#[test]
#[ignore = "needs the editors: make editors"]
fn neovim_killed_leaves_no_server_and_no_engine_behind() {
    let Some(program) = editor("nvim-0.12") else { return };
    let desk = desk();
    let terminal = neovim(&program, &desk);
    engine(&desk);
    kill(&terminal, &desk);
    nothing_is_left(&desk);
}

#[test]
#[ignore = "needs the editors: make editors"]
fn helix_killed_leaves_no_server_and_no_engine_behind() {
    let Some(program) = editor("hx") else { return };
    let desk = desk();
    let terminal = helix::start(&program, &desk, "life", "\"tandem\"");
    engine(&desk);
    kill(&terminal, &desk);
    nothing_is_left(&desk);
}

#[test]
#[ignore = "needs the editors: make editors"]
fn two_editors_share_one_engine_and_one_that_goes_does_not_disturb_the_other() {
    let (Some(first), Some(second)) = (editor("nvim-0.12"), editor("hx")) else { return };
    let desk = desk();
    let first = neovim(&first, &desk);
    let shared = engine(&desk);
    let second = helix::start(&second, &desk, "life", "\"tandem\"");
    second.keys("9ggA");
    second.keys("return ");
    helix::entry(&second);
    assert_eq!(desk.servers().len(), 2);
    assert_eq!(desk.engines(), std::slice::from_ref(&shared));
    kill(&first, &desk);
    until(
        "end of the first server",
        || (desk.servers().len() == 1).then_some(()),
        || format!("{:?}", desk.servers()),
    );
    // Another place, so that nothing remembered answers.
    second.press(&["Escape"]);
    second.wait("normal mode", |screen| screen.contains("NOR"));
    second.keys("odef biggest_price(items):");
    helix::entry(&second);
    assert_eq!(desk.engines(), [shared], "the same engine goes on");
    kill(&second, &desk);
    nothing_is_left(&desk);
}
