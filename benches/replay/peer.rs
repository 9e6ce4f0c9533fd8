//! A llama-server, asked at `/infill` as the editor plugin llama.vim asks.
//!
//! In: a text with a cursor. Out: what came back, how long it took, and what was evaluated. The
//! request is the plugin's: 256 lines before, 64 after, the cursor's line up to the cursor as the
//! prompt, the prompt cache on; but greedy and without its time limits, so that both sides do the
//! same work. Like the plugin it does not ask where more than 8 characters follow on the line.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem::client::Buffer;

use crate::server::resident_kib;

const LINES_BEFORE: usize = 256;
const LINES_AFTER: usize = 64;
/// Characters right of the cursor with which one still asks.
const MOST_BEHIND: usize = 8;
/// As `completion.line_tokens` of tandem has it by default.
const LINE_TOKENS: u32 = 48;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running llama-server.
pub struct Peer {
    /// `HOST:PORT`.
    address: String,
    /// Its process, to see its memory.
    process: Option<u32>,
    /// The model file's name.
    pub model: String,
}

/// What the peer said and took.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// From the request to its answer, ms.
    pub ms: f64,
    /// Tokens of prompt that it evaluated.
    pub evaluated: u64,
    /// Tokens that it generated.
    pub generated: u64,
    /// What it would show.
    pub text: String,
}

impl Peer {
    /// The one at `http://HOST:PORT`.
    ///
    /// # Errors
    /// When there is none, or the address is of another kind.
    pub fn at(url: &str, process: Option<u32>) -> io::Result<Peer> {
        let Some(address) = url.strip_prefix("http://") else {
            return Err(io::Error::other("the peer's address must begin with http://"));
        };
        let address = address.trim_end_matches('/').to_owned();
        let mut peer = Peer { address, process, model: String::new() };
        let properties = peer.ask("GET", "/props", "")?;
        let path = properties["model_path"].as_str().unwrap_or("unknown");
        let name = path.rsplit('/').next().unwrap_or(path);
        peer.model = name.trim_end_matches(".gguf").to_owned();
        Ok(peer)
    }

    /// Resident memory, KiB.
    pub fn memory_kib(&self) -> Option<u64> {
        self.process.and_then(resident_kib)
    }

    /// Forgets what its slot holds, so that a run begins with nothing.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn forget(&self) -> io::Result<()> {
        // A prompt that shares nothing with any other takes the place of what is there.
        let body = json!({"prompt": "x", "n_predict": 1, "cache_prompt": false, "id_slot": 0});
        self.ask("POST", "/completion", &body.to_string()).map(drop)
    }

    /// Completes at the cursor; `None` where the plugin would not ask.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub fn complete(&self, buffer: &Buffer) -> io::Result<Option<Asked>> {
        let Some(body) = body(buffer.text(), buffer.cursor()) else { return Ok(None) };
        let started = Instant::now();
        let answer = self.ask("POST", "/infill", &body.to_string())?;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        let count = |name: &str| answer["timings"][name].as_u64();
        let (Some(text), Some(evaluated), Some(generated)) =
            (answer["content"].as_str(), count("prompt_n"), count("predicted_n"))
        else {
            return Err(io::Error::other(format!("the peer's answer makes no sense: {answer}")));
        };
        Ok(Some(Asked { ms, evaluated, generated, text: text.to_owned() }))
    }

    /// One request on a connection of its own, as the plugin makes them.
    fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            return Err(io::Error::other("the peer closed the connection"));
        };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("the peer refuses {path}: {body}")));
        }
        serde_json::from_str(body).map_err(io::Error::other)
    }
}

/// What the plugin sends for a place.
fn body(text: &str, cursor: usize) -> Option<Value> {
    let (before, after) = text.split_at(cursor);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let (rest_of_line, below) = after.split_once('\n').unwrap_or((after, ""));
    if rest_of_line.chars().count() > MOST_BEHIND {
        return None;
    }
    let above: Vec<&str> = before[..line_start].split_inclusive('\n').collect();
    let above = above[above.len().saturating_sub(LINES_BEFORE)..].concat();
    let below: String = below.split_inclusive('\n').take(LINES_AFTER).collect();
    Some(json!({
        "id_slot": 0,
        "input_prefix": above,
        "input_suffix": format!("{rest_of_line}\n{below}"),
        "input_extra": [],
        "prompt": &before[line_start..],
        "n_predict": LINE_TOKENS,
        "stop": ["\n"],
        "temperature": 0.0,
        "top_k": 1,
        "samplers": ["top_k"],
        "stream": false,
        "cache_prompt": true,
    }))
}
