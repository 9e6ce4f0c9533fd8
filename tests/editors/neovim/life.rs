//! Servers that are not there, that crash, that have no model, and what the plugin says of it.

use std::path::Path;

use super::{Neovim, in_both};
use crate::desk::{Desk, until};
use crate::stand_in::Script;

in_both!(
    a_server_that_crashes_comes_back_but_not_for_ever,
    without_the_program_there_is_one_message_and_no_mapping,
    without_a_model_nothing_is_downloaded_before_a_yes,
    health_says_what_is_there,
    the_status_line_tells_the_truth,
);

fn a_server_that_crashes_comes_back_but_not_for_ever(program: &Path) {
    let init = "vim.g.tandem = { restarts = 1 }";
    let neovim = Neovim::at_the_end(program, "crash", Desk::new(Script::default()), init);
    neovim.ghost();
    let crash = || {
        let screen = || neovim.terminal.screen();
        let server = until("server", || neovim.desk.servers().pop(), screen);
        neovim.desk.kill(&server);
        let gone = || (!neovim.desk.servers().contains(&server)).then_some(());
        until("end of the server", gone, screen);
        // Neovim's own words may fill the screen's end, and it then waits for a key before all else.
        neovim.terminal.shows("quit with exit code");
        neovim.terminal.press(&["Escape"]);
    };
    crash();
    until("another server", || neovim.desk.servers().pop(), || neovim.terminal.screen());
    neovim.terminal.wait("its status", |screen| screen.contains("[tandem]"));
    neovim.terminal.press(&["Escape", "c", "c"]);
    neovim.ghost();
    crash();
    neovim.terminal.shows(":LspTandemRestart");
    neovim.terminal.keep("crashed");
    neovim.terminal.press(&["Escape", "Enter"]);
    neovim.command(":LspTandemRestart");
    neovim.terminal.wait("its status", |screen| screen.contains("[tandem]"));
    neovim.terminal.press(&["Escape", "c", "c"]);
    neovim.ghost();
}

fn without_the_program_there_is_one_message_and_no_mapping(program: &Path) {
    let desk = Desk::without_a_model(Script::default());
    desk.write("a.py", "x\n");
    desk.write("b.py", "y\n");
    let init = "vim.g.tandem = { cmd = { 'tandem-is-elsewhere', 'serve' } }";
    let neovim = Neovim::open(program, "no-program", desk, init, "a.py");
    neovim.terminal.shows("`tandem-is-elsewhere` is not to be found");
    neovim.terminal.keep("message");
    neovim.terminal.press(&["Enter"]);
    neovim.command(":edit b.py");
    neovim.terminal.shows("<y>");
    neovim.command(":new | put =execute('messages')");
    let screen = neovim.terminal.shows("is not to be found");
    assert_eq!(screen.matches("is not to be found").count(), 1, "{screen}");
    neovim.command(":new | put =execute('imap')");
    let screen = neovim.terminal.shows("<C-U>");
    assert!(!screen.contains("tandem-accept"), "{screen}");
}

fn without_a_model_nothing_is_downloaded_before_a_yes(program: &Path) {
    let desk = Desk::without_a_model(Script::default());
    desk.write("a.py", "x\n");
    let neovim = Neovim::open(program, "no-model", desk, "", "a.py");
    let screen = neovim.terminal.shows(":LspTandemPull");
    neovim.terminal.keep("message");
    assert!(screen.contains("model"), "{screen}");
    neovim.terminal.press(&["Enter"]);
    neovim.terminal.shows("{no_model}");
    neovim.command(":LspTandemPull");
    neovim.terminal.shows("(D)ownload");
    neovim.terminal.keep("asked");
    neovim.terminal.keys("c");
    neovim.terminal.wait("end of the question", |screen| !screen.contains("(D)ownload"));
    neovim.terminal.shows("{no_model}");
    assert!(!neovim.desk.home.join("data/models").exists());
}

fn health_says_what_is_there(program: &Path) {
    let neovim = Neovim::at_the_end(program, "health", Desk::new(Script::default()), "");
    // Somebody else's mapping, made later.
    neovim.command(":inoremap <C-]> x");
    neovim.command(":checkhealth tandem");
    let screen = neovim.terminal.shows("<C-]> is mapped by something else");
    neovim.terminal.keep("health");
    for line in ["OK tandem 0.", "OK model: ", "OK client 1", "OK <Tab>: accept"] {
        assert!(screen.contains(line), "{line}:\n{screen}");
    }
}

fn the_status_line_tells_the_truth(program: &Path) {
    let neovim = Neovim::at_the_end(program, "status", Desk::new(Script::default()), "");
    neovim.terminal.shows("[tandem]");
    neovim.command(":LspTandemToggle");
    neovim.terminal.shows("[tandem off]");
    neovim.command(":LspTandemToggle");
    neovim.terminal.shows("[tandem]");
    neovim.command(":LspTandemStatus");
    neovim.terminal.shows("model: qwen2.5-coder-0.5b");
    neovim.terminal.keep("status");
}
