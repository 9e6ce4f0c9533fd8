//! What is left when an editor goes.

use crate::desk::{Desk, editor, until};
use crate::stand_in::Script;
use crate::terminal::Terminal;

#[test]
#[ignore = "needs the editors: make editors"]
fn an_editor_that_is_killed_leaves_no_server_behind() {
    let Some(neovim) = editor("nvim-0.12") else { return };
    let desk = Desk::new(Script::default());
    desk.write("a.rs", "fn main() {\n}\n");
    let start = "lua vim.lsp.start({name = 'tandem', cmd = {'tandem', 'serve'}})";
    let neovim = neovim.to_str().expect("UTF-8");
    let terminal = Terminal::start(&desk, "life", &[neovim, "--clean", "a.rs", "-c", start]);
    terminal.shows("fn main");
    let server = until("server", || desk.servers().pop(), || terminal.screen());
    let editor = crate::desk::Running { pid: terminal.pid(), command: String::new() };
    desk.kill(&editor);
    let gone = || desk.servers().is_empty().then_some(());
    until("end of the server", gone, || format!("{server:?}"));
}
