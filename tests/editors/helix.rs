//! Helix: the menu with our entry, its preview and what Enter makes of it; code actions, commands, a
//! server that dies; and the pieces of `editors/helix`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::desk::{DEADLINE, Desk, editor, p50, until};
use crate::stand_in::Script;
use crate::terminal::Terminal;

/// What the menu says of an entry of ours, behind its label: the kind "text", which no other server uses.
const OURS: &str = " text";

/// Columns left of the text: a mark, the line's number, a mark.
const GUTTER: usize = 6;

const PRICES: &str = "def total_price(items):\n    total = 0\n    for item in items:\n        \
    total += item.price\n    return total\n\n\n";

/// Helix in the desk's project with `a.py`, and these servers for Python.
pub fn start(helix: &Path, desk: &Desk, name: &str, servers: &str) -> Terminal {
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editors/words.py");
    let languages = format!(
        "[language-server.tandem]\ncommand = \"tandem\"\nargs = [\"serve\"]\n\n\
         [language-server.quick]\ncommand = \"python3\"\nargs = [{words:?}, \"0\", \"retry\", \"return\"]\n\n\
         [language-server.slow]\ncommand = \"python3\"\nargs = [{words:?}, \"600\", \"retry\", \"return\"]\n\n\
         [[language]]\nname = \"python\"\nlanguage-servers = [{servers}]\n\n\
         [[language]]\nname = \"go\"\nlanguage-servers = [{servers}]\n\n\
         [[language]]\nname = \"markdown\"\nlanguage-servers = [\"tandem\"]\n"
    );
    let folder = desk.home.join("config/helix");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("languages.toml"), languages).expect("a file");
    // No word of the text itself in the menu, so that what is there comes from a server; and what is typed
    // is what is typed.
    let config = "[editor]\nword-completion.enable = false\nauto-pairs = false\n";
    fs::write(folder.join("config.toml"), config).expect("a file");
    let files = fs::read_dir(desk.project()).expect("a folder");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    let file = names.first().expect("a file to open").clone();
    let terminal = Terminal::start(desk, name, &[helix.to_str().expect("UTF-8"), &file]);
    terminal.wait("an open file", |screen| screen.contains(&file) && screen.contains("NOR"));
    // An engine is started when a document is opened, which a server hears of when it is ready itself.
    until("engine", || desk.engines().pop(), || terminal.screen());
    terminal
}

/// The label of our first entry, once there is one. On a machine that is busy with something else the
/// first answer may be one that the model is in doubt about, which is not shown; a person asks then.
pub fn entry(terminal: &Terminal) -> String {
    /// Looks at the screen before Ctrl-x is pressed, once.
    const LOOKS: usize = 500;
    let mut looks = 0;
    let look = || {
        looks += 1;
        if looks == LOOKS {
            terminal.press(&["C-x"]);
        }
        ours(&terminal.screen())
    };
    until("entry of ours", look, || terminal.screen())
}

fn ours(screen: &str) -> Option<String> {
    let line = screen.lines().find(|line| line.trim_end().ends_with(OURS))?;
    let label: String = line.trim_end().strip_suffix(OURS)?.chars().skip(GUTTER).collect();
    Some(label.trim().to_owned())
}

/// Leaves insert mode and writes the file.
fn save(terminal: &Terminal) {
    terminal.press(&["Escape"]);
    terminal.wait("normal mode", |screen| screen.contains("NOR"));
    terminal.keys(":w");
    terminal.press(&["Enter"]);
    terminal.shows("written");
}

/// Goes to the end of a line, as one who goes on typing there.
fn append(terminal: &Terminal, line: usize) {
    terminal.press(&["Escape"]);
    terminal.wait("normal mode", |screen| screen.contains("NOR"));
    terminal.keys(&format!("{line}ggA"));
    terminal.wait("insert mode", |screen| screen.contains("INS"));
}

#[test]
#[ignore = "needs the editors: make editors"]
fn an_entry_stays_while_its_word_is_typed_previews_and_is_accepted_as_it_reads() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    // With the ends of lines that a file may have.
    let text = format!("{PRICES}def average_price(items):\n    \n").replace('\n', "\r\n");
    desk.write("a.py", &text);
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    append(&terminal, 9);
    terminal.keys("return ");
    let label = entry(&terminal);
    let (first, rest) = label.split_at(2);
    terminal.keys(first);
    terminal.shows(&format!("    return {first}"));
    assert_eq!(entry(&terminal), label, "it stays while it is typed along");
    terminal.keep("menu");
    terminal.press(&["Tab"]);
    terminal.shows(&format!("    return {first}{rest}"));
    terminal.keep("preview");
    terminal.press(&["Enter"]);
    terminal.wait("a closed menu", |screen| ours(screen).is_none());
    save(&terminal);
    let expected = format!("{PRICES}def average_price(items):\n    return {label}\n");
    assert_eq!(desk.read("a.py"), expected.replace('\n', "\r\n"));
}

#[test]
#[ignore = "needs the editors: make editors"]
fn a_block_comes_with_its_own_indentation_and_nothing_is_indented_twice() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    let text = format!(
        "{PRICES}class Cart:\n    def __init__(self):\n        self.items = []\n\n    \
         def add(self, item):\n        self.items.append(item)\n\n    \
         def remove(self, item):\n        if item in self.items:\n            \
         self.items.remove(item)\n\n\n"
    );
    desk.write("a.py", &text);
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    append(&terminal, text.lines().count());
    terminal.keys("    def total(self):");
    let label = entry(&terminal);
    terminal.press(&["Tab"]);
    let first = label.trim_end_matches(" …");
    terminal.wait("a preview", |screen| {
        let shown = |line: &&str| line.trim_end().ends_with(&format!("        {first}"));
        screen.lines().find(shown).is_some()
    });
    terminal.keep("block");
    terminal.press(&["Enter"]);
    save(&terminal);
    let now = desk.read("a.py");
    let (head, block) = now.split_once("def total(self):\n").expect("the line that was typed");
    assert!(head.ends_with("\n    "), "{now}");
    for line in block.lines() {
        let indent = line.len() - line.trim_start().len();
        assert!(indent >= 8 && indent % 4 == 0, "{line:?} in\n{now}");
    }
    assert_eq!(block.lines().next(), Some(&*format!("        {first}")), "{now}");
}

#[test]
#[ignore = "needs the editors: make editors"]
fn tabs_stay_tabs_and_ctrl_x_gives_several_entries() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    let text =
        "package shop\n\nfunc Total(prices []int) int {\n\ttotal := 0\n\t\n\treturn total\n}\n";
    desk.write("a.go", text);
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    append(&terminal, 5);
    terminal.press(&["C-x"]);
    let count =
        |screen: &str| screen.lines().filter(|line| line.trim_end().ends_with(OURS)).count();
    terminal.wait("several entries", |screen| count(screen) > 1);
    terminal.keep("asked");
    let label = entry(&terminal);
    terminal.press(&["Tab", "Enter"]);
    terminal.wait("a closed menu", |screen| ours(screen).is_none());
    save(&terminal);
    let now = desk.read("a.go");
    let line = now.lines().nth(4).expect("a line");
    assert_eq!(line, format!("\t{}", label.trim_end_matches(" …")), "{now}");
}

#[test]
#[ignore = "needs the editors: make editors"]
fn beside_another_server_the_entry_comes_first_and_takes_nothing_away() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    desk.write("a.py", &format!("{PRICES}def average_price(items):\n    \n# re\n"));
    let terminal = start(&helix, &desk, "helix", "\"slow\", \"tandem\"");
    // Python may take longer to start than an engine, and Helix asks no server that is not ready.
    terminal.shows("words are ready");
    // In a comment we have nothing to say, and must not make Helix forget who is slower.
    append(&terminal, 10);
    terminal.keys("t");
    terminal.shows("retry");
    // In code, both: ours first, because it is the last in the list.
    append(&terminal, 9);
    terminal.keys("return ");
    terminal.wait("our entry before the other's", |screen| {
        let at = |kind: &str, label: &str| {
            let line = |line: &str| line.trim_end().ends_with(kind) && line.contains(label);
            screen.lines().position(line)
        };
        at(OURS, "").zip(at("function", "retry")).is_some_and(|(ours, theirs)| ours < theirs)
    });
    terminal.keep("beside");
}

#[test]
#[ignore = "needs the editors: make editors"]
fn an_action_asks_claude_and_the_answers_edits_are_applied() {
    let Some(helix) = editor("hx") else { return };
    let answer = "It starts too high.\n\na.py\n<<<<<<< SEARCH\n    total = 0\n=======\n    \
                  total = 10\n>>>>>>> REPLACE\n";
    let desk = Desk::new(Script::Text(answer.into()));
    desk.write("a.py", &PRICES.replace("    total = 0", "    # !: start at ten\n    total = 0"));
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    // The first name of the line: it is what is asked about.
    terminal.keys("3gggs");
    terminal.wait("the cursor on a name", |screen| screen.contains(" 3:5"));
    terminal.keys(" a");
    terminal.shows("Ask Claude about `total`");
    terminal.press(&["Escape"]);
    // What a comment wants.
    terminal.keys("2gggs a");
    terminal.shows("Ask Claude to change");
    terminal.keep("action");
    terminal.press(&["Enter"]);
    // The preview, and the question on top of it.
    terminal.shows("Nothing is sent before you");
    terminal.keep("consent");
    assert!(desk.stand_in.seen().is_empty(), "sent before a yes");
    terminal.shows("Send to 127.0.0.1");
    // Closed, the choices stand on the preview.
    terminal.press(&["Escape"]);
    terminal.wait("no question", |screen| !screen.contains("Send to 127.0.0.1"));
    terminal.keys(" a");
    terminal.shows("Send to 127.0.0.1");
    terminal.press(&["Enter"]);
    terminal.shows("It starts too high.");
    terminal.keep("answer");
    assert_eq!(desk.stand_in.seen().len(), 1);
    terminal.shows("Apply");
    terminal.press(&["Enter"]);
    terminal.wait("a changed file", |screen| screen.contains("total = 10"));
    terminal.keep("applied");
}

#[test]
#[ignore = "needs the editors: make editors"]
fn commands_are_there_by_name() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    desk.write("a.py", &format!("{PRICES}def average_price(items):\n    \n"));
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    terminal.keys(":lsp-workspace-command");
    terminal.press(&["Enter"]);
    terminal.shows("tandem.toggle");
    terminal.keep("commands");
    terminal.press(&["Escape"]);
    terminal.keys(":lsp-workspace-command tandem.toggle");
    terminal.press(&["Enter"]);
    terminal.shows("completions are off");
    terminal.keys(":lsp-workspace-command tandem.toggle");
    terminal.press(&["Enter"]);
    terminal.shows("completions are on");
    append(&terminal, 9);
    terminal.keys("return ");
    entry(&terminal);
}

#[test]
#[ignore = "needs the editors: make editors"]
fn a_server_that_died_is_back_after_lsp_restart() {
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    desk.write("a.py", &format!("{PRICES}def average_price(items):\n    \n"));
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    let server = desk.servers().remove(0);
    desk.kill(&server);
    until("end of the server", || desk.servers().is_empty().then_some(()), || terminal.screen());
    // Editing goes on without it.
    append(&terminal, 9);
    terminal.keys("ret");
    terminal.shows("    ret");
    terminal.press(&["Escape"]);
    terminal.wait("normal mode", |screen| screen.contains("NOR"));
    terminal.keep("died");
    terminal.keys(":lsp-restart");
    terminal.press(&["Enter"]);
    until("another server", || desk.servers().pop(), || terminal.screen());
    append(&terminal, 9);
    terminal.keys("urn ");
    entry(&terminal);
}

#[test]
#[ignore = "needs the editors: make editors"]
fn how_long_an_entry_takes() {
    /// A key without an entry by then is not counted: the model may have nothing to say there.
    const PATIENCE: Duration = Duration::from_secs(5);
    let Some(helix) = editor("hx") else { return };
    let desk = Desk::new(Script::default());
    // Whole functions, whose bodies are written anew: below half a one the model thinks of an end.
    let functions = [
        ("sum", "sum(item.price for item in items)"),
        ("first", "items[0].price"),
        ("last", "items[-1].price"),
        ("lowest", "min(item.price for item in items)"),
        ("highest", "max(item.price for item in items)"),
        ("average", "total_price(items) / len(items)"),
        ("sorted", "sorted(item.price for item in items)"),
        ("known", "[item.price for item in items if item.price]"),
    ];
    let whole =
        |(name, body): &(&str, &str)| format!("def {name}_price(items):\n    return {body}\n\n\n");
    desk.write("a.py", &format!("{PRICES}{}", functions.iter().map(whole).collect::<String>()));
    let terminal = start(&helix, &desk, "helix", "\"tandem\"");
    // The model is loaded when there is a first entry.
    append(&terminal, PRICES.lines().count());
    terminal.keys("def total_weight(items):");
    entry(&terminal);
    let mut times = Vec::new();
    for (number, (_, body)) in functions.iter().enumerate() {
        terminal.press(&["Escape"]);
        terminal.wait("normal mode", |screen| screen.contains("NOR"));
        // All of the line is taken away.
        terminal.keys(&format!("{}ggghvglc", PRICES.lines().count() + number * 4 + 2));
        terminal.wait("insert mode", |screen| screen.contains("INS") && !screen.contains(body));
        terminal.keys("    return");
        terminal.wait("what was typed", |screen| {
            ours(screen).is_none()
                && screen.lines().any(|line| line.trim_end().ends_with("    return"))
        });
        let key = Instant::now();
        terminal.keys(" ");
        while key.elapsed() < PATIENCE {
            if ours(&terminal.screen()).is_some() {
                times.push(key.elapsed());
                break;
            }
            // A look costs the model time, on two cores.
            std::thread::sleep(Duration::from_millis(20));
        }
        terminal.keys(body);
    }
    assert!(!times.is_empty(), "no entry at all in {DEADLINE:?}:\n{}", terminal.screen());
    let keys = times.len();
    println!("Helix key to entry: p50 {} ms over {keys} keys", p50(times).as_millis());
}

/// The servers that `hx --health` names for a language.
fn servers(helix: &Path, desk: &Desk, language: &str) -> Vec<String> {
    let output = Command::new(helix)
        .args(["--health", language])
        .envs(desk.environment())
        .output()
        .expect("Helix runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Error parsing"), "{text}");
    let listed = text.lines().skip_while(|line| !line.contains("language servers")).skip(1);
    let listed = listed.take_while(|line| !line.contains("debug adapter"));
    listed
        .map(|line| {
            let words = line.split_whitespace().nth(1).unwrap_or_default();
            words.trim_end_matches(':').to_owned()
        })
        .collect()
}

#[test]
#[ignore = "needs the editors: make editors"]
fn every_piece_of_the_list_keeps_helixs_own_servers() {
    let Some(helix) = editor("hx") else { return };
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/helix/languages.toml");
    let list = fs::read_to_string(list).expect("a list");
    let names: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.len() > 100, "{names:?}");
    let (plain, ours) =
        (Desk::without_a_model(Script::default()), Desk::without_a_model(Script::default()));
    let folder = ours.home.join("config/helix");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("languages.toml"), &list).expect("a file");
    for name in names {
        let mut expected = servers(&helix, &plain, name);
        expected.push("tandem".to_owned());
        let what = format!("{name}; editors/helix/generate.py makes the pieces anew");
        assert_eq!(servers(&helix, &ours, name), expected, "{what}");
    }
}
