//! The Neovim plugin, in Neovim 0.12 (its own ghost text) and 0.11 (the plugin's): by keys and screen.
//!
//! The status line of these tests says what a screen does not tell apart: how the server is, how often it
//! was asked, and the text of the cursor's line without what only stands there as ghost text.

mod ask;
mod figure;
mod life;
mod typing;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::desk::{Desk, editor, until};
use crate::terminal::Terminal;

/// What the model has no doubt about how to go on with.
const SHAPES: &str = "import math


class Circle:
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2


class Square:
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


class Rectangle:
    def __init__(self, width, height):
";

/// What a test's own configuration begins with.
const SEEN: &str = r"
vim.o.swapfile, vim.o.shada, vim.o.laststatus = false, '', 2
local asked = 0
vim.api.nvim_create_autocmd('LspRequest', { callback = function(event)
  local request = event.data.request
  if request.method == 'textDocument/inlineCompletion' and request.type == 'pending' then
    asked = asked + 1
  end
end })
function Seen()
  local state = require('tandem').state()
  local line = vim.trim(vim.api.nvim_get_current_line())
  local words = require('tandem').status()
  return ('[%s] {%s} asked:%d <%s>'):format(words, state and state.state or 'none', asked, line)
end
vim.o.statusline = '%t %{v:lua.Seen()}'
";

/// A Neovim with the plugin and nothing else, in a terminal.
struct Neovim {
    terminal: Terminal,
    desk: Desk,
}

impl Neovim {
    /// Opens a file of the desk's project. `init` goes before what a test's configuration begins with.
    fn open(program: &Path, name: &str, desk: Desk, init: &str, file: &str) -> Neovim {
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/neovim");
        let config = desk.home.join("config/nvim");
        fs::create_dir_all(&config).expect("a folder");
        let init = format!("{init}\nvim.opt.rtp:prepend('{}')\n{SEEN}", plugin.display());
        fs::write(config.join("init.lua"), init).expect("a file");
        let version =
            program.file_name().expect("a name").to_string_lossy().replace("nvim", "neovim");
        let name = format!("{version}/{name}");
        let program = program.to_str().expect("UTF-8");
        let terminal = Terminal::start(&desk, &name, &[program, file]);
        Neovim { terminal, desk }
    }

    /// Opens [`SHAPES`], goes to a new line at its end and waits until the model is loaded.
    fn at_the_end(program: &Path, name: &str, desk: Desk, init: &str) -> Neovim {
        desk.write("shapes.py", SHAPES);
        let neovim = Neovim::open(program, name, desk, init, "shapes.py");
        neovim.terminal.wait("server", |screen| !screen.contains("{none}") && screen.contains('{'));
        neovim.terminal.press(&["G", "A", "Enter"]);
        // The first key wakes the engine.
        neovim.terminal.shows("{ready}");
        neovim
    }

    /// Types so far that the model knows the rest, and waits for it.
    fn ghost(&self) {
        self.terminal.keys("self.wi");
        self.shows_line("self.width = width");
        self.has_line("self.wi");
    }

    /// Waits until a line of the screen, ghost text and all, is this but for indentation.
    fn shows_line(&self, line: &str) -> String {
        let what = format!("line `{line}` on the screen");
        self.terminal.wait(&what, |screen| screen.lines().any(|shown| shown.trim() == line))
    }

    /// Waits until the cursor's line is this in the buffer, but for indentation.
    fn has_line(&self, line: &str) {
        self.terminal.shows(&format!("<{line}>"));
    }

    /// Runs a command, from insert mode or normal mode.
    fn command(&self, command: &str) {
        self.terminal.press(&["Escape"]);
        self.terminal.keys(command);
        self.terminal.press(&["Enter"]);
    }

    /// Writes the file, and waits until it holds this.
    fn writes(&self, file: &str, text: &str) {
        self.command(":silent write");
        let written = || (self.desk.read(file) == text).then_some(());
        let seen = || format!("{}\n{}", self.desk.read(file), self.terminal.screen());
        until(&format!("file with\n{text}"), written, seen);
    }

    /// How often the server was asked for suggestions.
    fn asked(&self) -> u32 {
        let screen = self.terminal.screen();
        let (_, count) = screen.split_once("asked:").expect("the status line");
        count.split(' ').next().and_then(|count| count.parse().ok()).expect("a number")
    }
}

/// Whether Neovim draws the ghost text itself.
fn is_native(program: &Path) -> bool {
    program.ends_with("nvim-0.12")
}

/// Defines each test twice, once for each Neovim.
macro_rules! in_both {
    ($($name:ident),* $(,)?) => {
        mod in_0_12 {
            $(#[test]
            #[ignore = "needs the editors: make editors"]
            fn $name() {
                if let Some(program) = crate::desk::editor("nvim-0.12") { super::$name(&program) }
            })*
        }
        mod in_0_11 {
            $(#[test]
            #[ignore = "needs the editors: make editors"]
            fn $name() {
                if let Some(program) = crate::desk::editor("nvim-0.11") { super::$name(&program) }
            })*
        }
    };
}
use in_both;

#[test]
#[ignore = "needs the editors: make editors"]
fn words_lines_and_what_is_typed_along_are_found_in_plain_lua() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["nvim-0.12", "nvim-0.11"] {
        let Some(program) = editor(name) else { continue };
        let ran = Command::new(program)
            .args(["--headless", "-l"])
            .arg(here.join("tests/editors/neovim/text.lua"))
            .arg(here.join("editors/neovim"))
            .output()
            .expect("Neovim runs");
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
#[ignore = "needs the editors: make editors"]
fn the_tags_of_the_help_are_those_of_its_text() {
    let Some(program) = editor("nvim-0.12") else { return };
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/neovim/doc");
    let made = tempfile::tempdir().expect("a folder");
    fs::copy(doc.join("tandem.txt"), made.path().join("tandem.txt")).expect("a copy");
    let make = format!("helptags {}", made.path().display());
    let ran =
        Command::new(program).args(["--headless", "--clean", "-c", &make, "-c", "quit"]).output();
    let ran = ran.expect("Neovim runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    let tags =
        fs::read_to_string(made.path().join("tags")).unwrap_or_else(|_| panic!("no tags: {said}"));
    let committed = fs::read_to_string(doc.join("tags")).expect("tags");
    assert_eq!(committed, tags, "run `nvim --headless -c 'helptags editors/neovim/doc' -c q`");
}
