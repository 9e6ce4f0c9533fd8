//! A hub for tests, on loopback: it gives prepared answers and keeps what it was asked.
//!
//! In: answers, one per connection, in order. Out: an address, and the requests. Refuses: anything
//! after its last answer.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::{Optimize, Options, SourceChoice};
use crate::model::catalogue::{Entry, Wheels};
use crate::model::digest::hex;
use crate::model::gguf::builder::Builder;

pub struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// A status line and the length that the body should have; `body` may be shorter.
    pub fn new(status: &str, length: usize, body: &[u8]) -> Answer {
        Answer {
            head: format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n"),
            body: body.to_vec(),
        }
    }

    pub fn whole(body: &[u8]) -> Answer {
        Answer::new("200 OK", body.len(), body).with("ETag: \"v1\"")
    }

    /// Only the first `cut` bytes, though all are announced.
    pub fn cut(body: &[u8], cut: usize) -> Answer {
        Answer::new("200 OK", body.len(), &body[..cut]).with("ETag: \"v1\"")
    }

    /// What a range request from `first` on is answered with.
    pub fn rest(body: &[u8], first: usize) -> Answer {
        let range = format!("Content-Range: bytes {first}-{}/{}", body.len() - 1, body.len());
        Answer::new("206 Partial Content", body.len() - first, &body[first..]).with(&range)
    }

    pub fn with(mut self, header: &str) -> Answer {
        self.head += header;
        self.head += "\r\n";
        self
    }
}

pub struct StandIn {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub fn new(answers: Vec<Answer>) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(vec![]));
        let heard = requests.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                heard.lock().unwrap().push(head.join("\n").to_lowercase());
                // The client may have hung up already; that is its right.
                let _ = stream.write_all(format!("{}\r\n", answer.head).as_bytes());
                let _ = stream.write_all(&answer.body);
            }
        });
        StandIn { address, requests }
    }

    /// The heads of all requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn options(&self) -> Options {
        Options {
            hub: self.address.clone(),
            patience: std::time::Duration::ZERO,
            python: vec![],
            optimize: Optimize::No,
            ..Options::new(SourceChoice::Hub)
        }
    }
}

/// A small model and its catalogue entry, pinned or not.
pub fn model(pinned: bool) -> (Vec<u8>, &'static Entry) {
    let mut body = Builder::qwen().bytes();
    // A few kilobytes, so that there is something to cut.
    body.extend((0..20_000_u32).flat_map(|i| i.to_le_bytes()));
    let entry = entry(&body, pinned, None);
    (body, entry)
}

pub fn entry(body: &[u8], pinned: bool, wheels: Option<Wheels>) -> &'static Entry {
    let sha256: &'static str = sha256(body).leak();
    Box::leak(Box::new(Entry {
        name: "tiny",
        repo: "owner/tiny-GGUF",
        file: "tiny.gguf",
        bytes: pinned.then_some(body.len() as u64),
        sha256: pinned.then_some(sha256),
        wheels,
        ..*Entry::default_entry()
    }))
}

pub fn sha256(body: &[u8]) -> String {
    hex(Sha256::new_with_prefix(body))
}
