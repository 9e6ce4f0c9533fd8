//! What a person sees of the demo: in a terminal one picture redrawn in place, elsewhere lines.
//!
//! In: the text and what each key cost. Out: standard output. Refuses: to move the cursor where
//! nobody watches (no terminal, `TERM=dumb`) or where colours are not wanted (`NO_COLOR`).

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::session::Played;
use crate::client::Buffer;
use crate::completer::Source;

/// Long enough to see each key, short enough for the whole demo to be short.
const PAUSE: Duration = Duration::from_millis(40);
/// An accepted suggestion is looked at a little longer.
const PAUSE_AT_ACCEPT: Duration = Duration::from_millis(250);
/// Lines of code above the cursor's, and below; with the rest they fit a terminal of 24 lines.
const ABOVE: usize = 7;
const BELOW: usize = 3;
/// Lines of ghost text below the cursor's.
const GHOST: usize = 4;
/// Columns of code in a transcript.
const COLUMNS: usize = 72;

const GHOSTLY: Style = AnsiColor::BrightBlack.on_default().dimmed();
const FAINT: Style = AnsiColor::BrightBlack.on_default();
const BOLD: Style = Style::new().bold();
const CURSOR: Style = Style::new().invert();

/// Standard output.
pub struct Screen {
    output: anstream::AutoStream<io::Stdout>,
    live: bool,
    /// Lines of the picture that stands there.
    drawn: usize,
    title: String,
    keys: usize,
    /// The progress said last.
    progress: String,
}

impl Screen {
    /// Finds out whether anybody watches.
    pub fn new() -> Screen {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let live = io::stdout().is_terminal()
            && set("NO_COLOR").is_none()
            && set("TERM").is_none_or(|term| term != "dumb");
        let choice =
            if live { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        let output = anstream::AutoStream::new(io::stdout(), choice);
        Screen { output, live, drawn: 0, title: String::new(), keys: 0, progress: String::new() }
    }

    /// Writes text and a line end, below whatever stands there.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.drawn = 0;
        writeln!(self.output, "{text}")?;
        self.output.flush()
    }

    /// A `$/progress` value of LSP.
    pub fn progress(&mut self, value: &Value) -> io::Result<()> {
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        let mut words = [text("title"), text("message")].join(" ");
        if let Some(percent) = value["percentage"].as_u64() {
            // Nobody reads a hundred lines.
            let percent = if self.live { percent } else { percent / 25 * 25 };
            let _ = write!(words, " {percent} %");
        }
        let words = words.trim().to_owned();
        if words.is_empty() || words == self.progress {
            return Ok(());
        }
        self.progress = words;
        let progress = self.progress.clone();
        if self.live { self.draw(&[progress]) } else { self.line(&progress) }
    }

    /// Takes the progress off the screen.
    pub fn loaded(&mut self) -> io::Result<()> {
        if self.live { self.draw(&[]) } else { Ok(()) }
    }

    /// A new file.
    pub fn begin(&mut self, name: &str, number: usize, of: usize) -> io::Result<()> {
        self.title = format!("{name} ({number} of {of})");
        self.keys = 0;
        self.drawn = 0;
        if self.live {
            return Ok(());
        }
        let title = format!("{}\n{}", self.title, header());
        self.line(&title)
    }

    /// The text after a key.
    pub fn show(&mut self, buffer: &Buffer, played: &Played) -> io::Result<()> {
        self.keys += 1;
        if !self.live {
            let row = row(self.keys, buffer, played);
            return self.line(&row);
        }
        let mut picture = vec![format!("{BOLD}{}{BOLD:#}", self.title), String::new()];
        picture.extend(code(buffer, played.ghost.as_deref()));
        picture.push(String::new());
        picture.push(format!("  {}", cost(self.keys, played)));
        picture.push(String::new());
        self.draw(&picture)?;
        let accepted = played.kind.takes();
        std::thread::sleep(if accepted { PAUSE_AT_ACCEPT } else { PAUSE });
        Ok(())
    }

    /// Draws over what was drawn before.
    fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut picture = String::new();
        if self.drawn > 0 {
            let _ = write!(picture, "\x1b[{}A", self.drawn);
        }
        // Without wrapping a line is a line, however narrow the terminal is.
        picture.push_str("\r\x1b[J\x1b[?7l");
        for line in lines {
            picture.push_str(line);
            picture.push('\n');
        }
        picture.push_str("\x1b[?7h");
        self.drawn = lines.len();
        self.output.write_all(picture.as_bytes())?;
        self.output.flush()
    }
}

/// The code around the cursor with the ghost text in it; always as many lines.
fn code(buffer: &Buffer, ghost: Option<&str>) -> Vec<String> {
    let (before, after) = buffer.text().split_at(buffer.cursor());
    let cursor_line = before.matches('\n').count();
    let above: Vec<&str> = before.split('\n').collect();
    let (rest_of_line, below) = after.split_once('\n').unwrap_or((after, ""));
    let mut ghost = ghost.unwrap_or_default().split('\n');
    let first = ghost.next().unwrap_or_default();

    let mut lines = Vec::new();
    let mut number = cursor_line.saturating_sub(ABOVE);
    let mut push = |text: &str, numbered: bool| {
        let gutter = if numbered { (number + 1).to_string() } else { String::new() };
        number += usize::from(numbered);
        lines.push(format!("{FAINT}{gutter:>5}{FAINT:#}  {text}"));
    };
    for line in above[..cursor_line].iter().skip(cursor_line.saturating_sub(ABOVE)) {
        push(line, true);
    }
    let mut shown = first.chars().chain(rest_of_line.chars());
    let under_cursor = shown.next().unwrap_or(' ');
    let (ghostly, plain) = match first.char_indices().nth(1) {
        Some((at, _)) => (&first[at..], rest_of_line),
        None if first.is_empty() => ("", rest_of_line.get(under_cursor.len_utf8()..).unwrap_or("")),
        None => ("", rest_of_line),
    };
    let line = above[cursor_line];
    push(
        &format!("{line}{CURSOR}{under_cursor}{CURSOR:#}{GHOSTLY}{ghostly}{GHOSTLY:#}{plain}"),
        true,
    );
    for line in ghost.take(GHOST) {
        push(&format!("{GHOSTLY}{line}{GHOSTLY:#}"), false);
    }
    for line in below.split('\n').take(BELOW) {
        push(line, true);
    }
    lines.resize(ABOVE + 1 + GHOST + BELOW, String::new());
    lines
}

/// What a key cost, for the picture.
fn cost(number: usize, played: &Played) -> String {
    let Played { ms, evaluated, generated, .. } = played;
    let who = match played.source {
        Source::Model => {
            format!("the model ran: {evaluated} tokens evaluated, {generated} generated")
        }
        Source::Cache => "from the suggestion typed along: no model".to_owned(),
        Source::Nothing => "no token had to be evaluated".to_owned(),
    };
    format!("key {number:>3}  {:<10}{BOLD}{ms:>6.0} ms{BOLD:#}  {FAINT}{who}{FAINT:#}", played.key)
}

fn header() -> String {
    format!(
        "{:>4}  {:<12} {:>6} {:>9} {:>9}  {:<6} line ‹ghost text›",
        "key", "", "ms", "evaluated", "generated", "from"
    )
}

/// A line of the transcript.
fn row(number: usize, buffer: &Buffer, played: &Played) -> String {
    let Played { key, ms, evaluated, generated, .. } = played;
    let from = match played.source {
        Source::Model => "model",
        Source::Cache => "cache",
        Source::Nothing => "-",
    };
    let ghost = played.ghost.as_deref().unwrap_or_default().replace('\n', "⏎");
    let line: Vec<char> = buffer.line_before().chars().collect();
    let line: String = line[line.len().saturating_sub(COLUMNS)..].iter().collect();
    let ghost = if ghost.is_empty() { String::new() } else { format!("‹{ghost}›") };
    format!(
        "{number:>4}  {key:<12} {ms:>6.1} {evaluated:>9} {generated:>9}  {from:<6} {line}{ghost}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Stroke;

    #[test]
    fn ghost_text_stands_at_the_cursor_in_grey() {
        let mut buffer = Buffer::new("a\nlet x\nb\n");
        buffer.press(&Stroke::Jump(7));
        let lines = code(&buffer, Some(" = 1;\n    y"));
        assert_eq!(lines.len(), ABOVE + 1 + GHOST + BELOW);
        assert_eq!(
            lines[1],
            format!("{FAINT}    2{FAINT:#}  let x{CURSOR} {CURSOR:#}{GHOSTLY}= 1;{GHOSTLY:#}")
        );
        assert_eq!(lines[2], format!("{FAINT}     {FAINT:#}  {GHOSTLY}    y{GHOSTLY:#}"));
        assert_eq!(lines[3], format!("{FAINT}    3{FAINT:#}  b"));
    }

    #[test]
    fn without_ghost_text_the_cursor_stands_on_the_next_character() {
        let mut buffer = Buffer::new("f(é)");
        buffer.press(&Stroke::Jump(2));
        let line = &code(&buffer, None)[0];
        assert_eq!(
            *line,
            format!("{FAINT}    1{FAINT:#}  f({CURSOR}é{CURSOR:#}{GHOSTLY}{GHOSTLY:#})")
        );
    }
}
