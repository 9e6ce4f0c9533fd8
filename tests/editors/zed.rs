//! Zed, which no machine without a screen runs: the route that its ghost text takes, with the prompts that it
//! writes, beside the language client that it starts. What it adds is its own pause of up to 300 ms between
//! two requests (`THROTTLE_TIMEOUT` in zed-industries/zed, crates/edit_prediction/src/edit_prediction.rs).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::{Value, json};
use tandem::client::{Client, Editor, Launch, Stroke};

use crate::desk::{Desk, Running, p50, tandem, until};
use crate::stand_in::Script;

/// Bytes of text in a prompt: Zed's 512 tokens, which it takes for three bytes each
/// (`FIM_CONTEXT_TOKENS` in crates/edit_prediction/src/fim.rs).
const WINDOW: usize = 512 * 3;

/// A file with a struct and methods, to write one more in.
const FILE: &str = "use std::collections::BTreeMap;

/// One kind of thing in the store.
#[derive(Clone, Debug)]
pub struct Article {
    pub name: String,
    pub price: u32,
    pub count: u32,
}

/// All that a shop has.
#[derive(Default)]
pub struct Store {
    articles: BTreeMap<String, Article>,
}

impl Store {
    /// Adds some of an article.
    pub fn add(&mut self, name: &str, price: u32, count: u32) {
        let new = Article { name: name.to_owned(), price, count: 0 };
        self.articles.entry(name.to_owned()).or_insert(new).count += count;
    }

    /// Takes some of an article, if there are enough.
    pub fn take(&mut self, name: &str, count: u32) -> bool {
        match self.articles.get_mut(name) {
            Some(article) if article.count >= count => {
                article.count -= count;
                true
            }
            _ => false,
        }
    }

    /// The price of an article.
    pub fn price(&self, name: &str) -> Option<u32> {
        self.articles.get(name).map(|article| article.price)
    }

    /// How many articles there are of a kind.
    pub fn count(&self, name: &str) -> u32 {
        self.articles.get(name).map_or(0, |article| article.count)
    }

    /// What everything in the store costs.
$0
    /// Forgets what has run out.
    pub fn tidy(&mut self) {
        self.articles.retain(|_, article| article.count > 0);
    }

    /// The dearest article, if there is any.
    pub fn dearest(&self) -> Option<&Article> {
        self.articles.values().max_by_key(|article| article.price)
    }

    /// Makes everything cheaper by so many percent.
    pub fn discount(&mut self, percent: u32) {
        for article in self.articles.values_mut() {
            article.price -= article.price * percent / 100;
        }
    }

    /// Those whose name has this in it, in order of their names.
    pub fn search(&self, part: &str) -> Vec<&Article> {
        self.articles.values().filter(|article| article.name.contains(part)).collect()
    }

    /// The kinds that have run out.
    pub fn missing(&self) -> Vec<&str> {
        let missing = self.articles.values().filter(|article| article.count == 0);
        missing.map(|article| article.name.as_str()).collect()
    }
}
";

/// What is typed there.
const TYPED: &str =
    "    pub fn total(&self) -> u32 {\n        let mut total = 0;\n        for article in ";

/// Zed's HTTP client: it keeps its connection.
struct Route {
    address: String,
    connection: BufReader<TcpStream>,
}

impl Route {
    fn open(address: &str, running: &impl Fn() -> Vec<Running>) -> Route {
        let connect = || TcpStream::connect(address).ok();
        let connection = until("port", connect, || format!("{:?}", running()));
        connection.set_nodelay(true).expect("a socket");
        Route { address: address.to_owned(), connection: BufReader::new(connection) }
    }

    /// The suggestion for a cursor, in whole lines around it as Zed sends them.
    fn suggestion(&mut self, text: &str, cursor: usize) -> String {
        let shown = window(text, cursor);
        let (prefix, suffix) = (&text[shown.start..cursor], &text[cursor..shown.end]);
        let body = json!({
            "model": "tandem",
            "prompt": format!("<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"),
            "max_tokens": 64,
            "stop": ["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"],
        });
        let body = body.to_string();
        let address = &self.address;
        let request = format!(
            "POST /v1/completions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.connection.get_mut().write_all(request.as_bytes()).expect("a server that reads");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).expect("a header");
            match line.trim_end().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                None if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).expect("a body");
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        answer["choices"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// Whole lines around a cursor, as many above as below where there are so many.
fn window(text: &str, cursor: usize) -> std::ops::Range<usize> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let (mut start, mut end) = (line_start(cursor), line_end(cursor));
    loop {
        let before = start;
        let further = (line_start(start.saturating_sub(1)), line_end(end));
        if further.1 - start <= WINDOW {
            end = further.1;
        }
        if end - further.0 <= WINDOW {
            start = further.0;
        }
        if start == before && (further.1 == text.len() || further.1 - start > WINDOW) {
            return start..end;
        }
    }
}

/// A port that nobody has.
fn port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// Types, asks after each key, and prints how long that took. Returns the last suggestion.
fn type_and_ask(
    what: &str,
    route: &mut Route,
    mut press: impl FnMut(char) -> (String, usize),
) -> String {
    let (mut times, mut last) = (Vec::new(), String::new());
    for key in TYPED.chars() {
        let pressed = Instant::now();
        let (text, cursor) = press(key);
        last = route.suggestion(&text, cursor);
        times.push(pressed.elapsed());
    }
    let keys = times.len();
    times.sort_unstable();
    let slow = times[keys * 9 / 10].as_secs_f64() * 1e3;
    let middle = p50(times).as_secs_f64() * 1e3;
    println!("{what}, key to suggestion: p50 {middle:.1} ms, p90 {slow:.1} ms over {keys} keys");
    last
}

#[test]
#[ignore = "needs the editors: make editors"]
fn zeds_ghost_text_comes_from_the_document_that_its_language_client_has_open() {
    let desk = Desk::new(Script::default());
    let text = FILE.replace("$0", "\n");
    let path = desk.write("store.rs", &text);
    let address = port();
    let mut client = Client::spawn(Launch {
        program: tandem(),
        arguments: &["serve", "--stdio", "--http", &address],
        environment: &desk.environment(),
        configuration: Value::Null,
    })
    .expect("tandem starts");
    client.initialize(json!({})).expect("an introduction");
    let uri = format!("file://{}", path.display());
    let mut editor = Editor::open(&mut client, &uri, "rust", &text);
    let cursor = FILE.find("$0").expect("a cursor");
    editor.press(&mut client, &Stroke::Jump(cursor));
    let mut route = Route::open(&address, &|| desk.servers());
    let shown = window(&text, cursor);
    assert!(shown.len() < text.len(), "Zed shows a piece of it");
    // Loads the model.
    route.suggestion(&text, cursor);
    let last = type_and_ask("Zed route", &mut route, |key| {
        // As it is, without brackets or indentation that an editor would add.
        editor.press(&mut client, &Stroke::Paste(key.into()));
        (editor.buffer().text().to_owned(), editor.buffer().cursor())
    });
    assert!(last.starts_with("self.articles"), "{last:?}");
    let status = client.execute("tandem.status", Vec::new()).expect("a status");
    assert!(status["requests"].as_u64().unwrap_or_default() >= TYPED.len() as u64, "{status}");
}

#[test]
#[ignore = "needs the editors: make editors"]
fn without_a_language_client_there_is_ghost_text_from_the_prompt_alone() {
    let desk = Desk::new(Script::default());
    let address = port();
    let mut server = std::process::Command::new(tandem())
        .args(["serve", "--http", &address])
        .envs(desk.environment())
        .spawn()
        .expect("tandem starts");
    let mut route = Route::open(&address, &|| desk.servers());
    let (before, after) = FILE.split_once("$0").expect("a cursor");
    let mut typed = String::new();
    route.suggestion(&format!("{before}\n{after}"), before.len());
    let last = type_and_ask("Zed route without an open document", &mut route, |key| {
        typed.push(key);
        (format!("{before}{typed}\n{after}"), before.len() + typed.len())
    });
    assert!(last.starts_with("self.articles"), "{last:?}");
    let _ = server.kill();
    let _ = server.wait();
}
