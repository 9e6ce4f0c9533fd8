//! How long it takes from a key to its ghost text, as the terminal shows it.
//!
//! A person types a method. Each key is sent by tmux; then the screen is read until ghost text stands behind
//! what was typed. A key that was foreseen has it at once; after another a new suggestion has to come. A key
//! after which none comes in [`SILENCE`] is not counted. The clock starts before tmux is run and stops when a
//! screen has been read, which takes some 5 ms.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Neovim, SHAPES, in_both, is_native};
use crate::desk::{Desk, p50};
use crate::stand_in::Script;

in_both!(key_to_ghost_text);

/// How long a suggestion is waited for.
const SILENCE: Duration = Duration::from_secs(2);

const TYPED: [&str; 3] = [
    "        self.width = width",
    "        self.corners = [(0, 0), (width, height)]",
    "        total = sum(x * y for x, y in self.corners)",
];

fn key_to_ghost_text(program: &Path) {
    let neovim = Neovim::at_the_end(program, "figure", Desk::new(Script::default()), "");
    let (mut new, mut foreseen, mut none) = (Vec::new(), Vec::new(), 0);
    // Indentation is typed, so that what stands in a line is known.
    neovim.command(":setlocal noautoindent indentexpr=");
    neovim.terminal.press(&["c", "c"]);
    let first = SHAPES.lines().count();
    for (number, line) in TYPED.iter().enumerate() {
        let (mut typed, mut before) = (String::new(), String::new());
        for key in line.chars() {
            typed.push(key);
            let start = Instant::now();
            neovim.terminal.keys(&key.to_string());
            let expected: String = before.strip_prefix(key).unwrap_or_default().to_owned();
            let stale = before.chars().skip(1).collect::<String>();
            let ghost = loop {
                let ghost = behind(&neovim.terminal.screen(), first + number, &typed);
                let is_new =
                    |ghost: &String| !ghost.is_empty() && (*ghost == expected || *ghost != stale);
                match ghost.filter(is_new) {
                    Some(ghost) => break Some(ghost),
                    None if start.elapsed() > SILENCE => break None,
                    None => {}
                }
            };
            match &ghost {
                Some(ghost) if *ghost == expected => foreseen.push(start.elapsed()),
                Some(_) => new.push(start.elapsed()),
                None => none += 1,
            }
            before = ghost.unwrap_or_default();
        }
        neovim.terminal.press(&["Enter"]);
    }
    neovim.terminal.keep("figure");
    let version = if is_native(program) { "0.12" } else { "0.11" };
    let (count, along) = (new.len(), foreseen.len());
    let all = [new.as_slice(), foreseen.as_slice()].concat();
    println!(
        "Neovim {version} key to ghost text: p50 {} ms over {} keys: {along} foreseen, p50 {} ms, and {count} new, \
         p50 {} ms; {none} without",
        p50(all).as_millis(),
        count + along,
        p50(foreseen).as_millis(),
        p50(new).as_millis(),
    );
    assert!(count > 0, "no suggestion at all");
}

/// The ghost text behind `typed` in a line of the screen; `None` while that is not there yet.
fn behind(screen: &str, line: usize, typed: &str) -> Option<String> {
    let shown = screen.lines().nth(line)?;
    let padded = format!("{shown:<width$}", width = typed.len());
    Some(padded.strip_prefix(typed)?.trim_end().to_owned())
}
