//! Ghost text, and the keys that take it, change it and hide it.

use std::path::Path;

use super::{Neovim, SHAPES, in_both, is_native};
use crate::desk::Desk;
use crate::stand_in::Script;

in_both!(
    tab_accepts_a_suggestion_exactly_once,
    typing_along_keeps_a_suggestion,
    words_and_lines_are_accepted_one_by_one,
    asked_for_there_are_several_to_choose_from,
    escape_hides_a_suggestion,
    what_no_longer_fits_is_not_inserted,
    a_menu_and_a_tab_of_the_users_own_keep_their_work,
    without_a_mapping_tab_accepts_beside_a_menu,
);

/// What the file holds when this is its new last line.
fn with(line: &str) -> String {
    format!("{SHAPES}        {line}\n")
}

fn tab_accepts_a_suggestion_exactly_once(program: &Path) {
    let neovim = Neovim::at_the_end(program, "tab", Desk::new(Script::default()), "");
    neovim.ghost();
    neovim.terminal.keep("ghost-text");
    neovim.terminal.press(&["Tab"]);
    // What is typed at once comes after.
    neovim.terminal.keys(" + 0");
    neovim.has_line("self.width = width + 0");
    neovim.writes("shapes.py", &with("self.width = width + 0"));
    // One undo takes back what was typed since, another one the suggestion.
    neovim.terminal.press(&["u", "u"]);
    neovim.has_line("self.wi");
}

fn typing_along_keeps_a_suggestion(program: &Path) {
    let neovim = Neovim::at_the_end(program, "along", Desk::new(Script::default()), "");
    neovim.ghost();
    let asked = neovim.asked();
    for (key, line) in [("d", "self.wid"), ("t", "self.widt"), ("h", "self.width")] {
        neovim.terminal.keys(key);
        neovim.has_line(line);
        neovim.shows_line("self.width = width");
    }
    // Neovim's own asks with each key.
    assert!(is_native(program) || neovim.asked() == asked, "{}", neovim.terminal.screen());
    // At once, before another answer could come.
    neovim.terminal.press(&["Space", "Tab"]);
    neovim.has_line("self.width = width");
    neovim.writes("shapes.py", &with("self.width = width"));
}

fn words_and_lines_are_accepted_one_by_one(program: &Path) {
    let neovim = Neovim::at_the_end(program, "pieces", Desk::new(Script::default()), "");
    neovim.ghost();
    neovim.terminal.press(&["C-Right"]);
    neovim.has_line("self.width");
    neovim.shows_line("self.width = width");
    neovim.terminal.keep("after-a-word");
    neovim.terminal.press(&["C-Right"]);
    neovim.has_line("self.width =");
    neovim.terminal.press(&["C-M-Right"]);
    neovim.has_line("self.width = width");
    neovim.writes("shapes.py", &with("self.width = width"));
    // Without a suggestion the key goes on moving by a word, as it does in Neovim.
    neovim.command(":LspTandemToggle");
    neovim.terminal.shows("tandem off");
    neovim.terminal.press(&["0", "i", "C-Right", "C-Right"]);
    neovim.terminal.keys("x");
    neovim.has_line("selfx.width = width");
}

fn asked_for_there_are_several_to_choose_from(program: &Path) {
    let neovim = Neovim::at_the_end(program, "several", Desk::new(Script::default()), "");
    let shown = |number: &str| {
        let mark = format!(" {number}/");
        let screen = neovim.terminal.shows(&mark);
        screen.split_once(&mark).expect("it is there").0.to_owned()
    };
    neovim.terminal.press(&["M-\\"]);
    let first = shown("1");
    neovim.terminal.keep("first");
    neovim.terminal.press(&["M-]"]);
    let second = shown("2");
    neovim.terminal.keep("second");
    assert_ne!(first, second);
    neovim.terminal.press(&["M-["]);
    assert_eq!(shown("1"), first);
    // Hidden, and nothing inserted.
    neovim.terminal.press(&["C-]"]);
    neovim.terminal.wait("hidden suggestion", |screen| !screen.contains(" 1/"));
    neovim.has_line("");
}

fn escape_hides_a_suggestion(program: &Path) {
    let neovim = Neovim::at_the_end(program, "escape", Desk::new(Script::default()), "");
    neovim.ghost();
    neovim.terminal.press(&["Escape"]);
    neovim.shows_line("self.wi");
    neovim.writes("shapes.py", &with("self.wi"));
}

fn what_no_longer_fits_is_not_inserted(program: &Path) {
    let neovim = Neovim::at_the_end(program, "stale", Desk::new(Script::default()), "");
    neovim.ghost();
    // Neovim's own keeps showing the old one for a while. Tab is then what it is in a Python file, blanks.
    neovim.terminal.keys("(");
    neovim.terminal.press(&["Tab"]);
    neovim.terminal.keys(")");
    let screen = neovim.terminal.wait("a closed bracket", |screen| screen.contains(")>"));
    let (_, line) = screen.split_once('<').expect("the status line");
    let (line, _) = line.split_once('>').expect("the status line");
    assert_eq!(line.replace(' ', ""), "self.wi()");
}

/// A configuration with a Tab for menus, as many have one.
const OWN_TAB: &str = "vim.o.completeopt = 'menuone,noselect'
vim.keymap.set('i', '<Tab>', function()
  return vim.fn.pumvisible() == 1 and '<C-n>' or 'TAB'
end, { expr = true })";

fn a_menu_and_a_tab_of_the_users_own_keep_their_work(program: &Path) {
    let neovim = Neovim::at_the_end(program, "menu", Desk::new(Script::default()), OWN_TAB);
    neovim.ghost();
    // Both stand there; the menu's entry is below the word.
    neovim.terminal.press(&["C-n"]);
    neovim
        .terminal
        .wait("menu", |screen| screen.lines().any(|line| line.trim() == "~            width"));
    neovim.terminal.keep("menu");
    neovim.terminal.press(&["Tab"]);
    neovim.has_line("self.width");
    // Without the menu it is ours again.
    neovim.terminal.press(&["C-y"]);
    neovim.shows_line("self.width = width");
    neovim.terminal.press(&["Tab"]);
    neovim.has_line("self.width = width");
    // And with neither it is what it was.
    neovim.command(":LspTandemToggle");
    neovim.terminal.shows("tandem off");
    neovim.terminal.press(&["A", "Tab"]);
    neovim.has_line("self.width = widthTAB");
}

fn without_a_mapping_tab_accepts_beside_a_menu(program: &Path) {
    let init = "vim.o.completeopt = 'menuone,noselect'";
    let neovim = Neovim::at_the_end(program, "menu-default", Desk::new(Script::default()), init);
    neovim.ghost();
    neovim.terminal.press(&["C-n"]);
    neovim
        .terminal
        .wait("menu", |screen| screen.lines().any(|line| line.trim() == "~            width"));
    neovim.terminal.press(&["Tab"]);
    neovim.has_line("self.width = width");
    neovim.writes("shapes.py", &with("self.width = width"));
}
