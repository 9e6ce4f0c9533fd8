//! A hub on loopback that fails as told.
//!
//! In: answers, one for each connection, in order. Out: an address, and the requests. Refuses: anything
//! after its last answer.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest, Sha256};

use crate::harness::gguf;

/// The file that is had from here.
pub fn model() -> Vec<u8> {
    let mut model = gguf::that_fills_in_the_middle();
    model.extend((0..60_000_u32).flat_map(u32::to_le_bytes));
    model
}

/// One answer.
pub struct Answer {
    head: String,
    body: Vec<u8>,
    /// Holds the connection open after the body until this is dropped or told something.
    hold: Option<Receiver<()>>,
}

impl Answer {
    /// `body` may be shorter than `length`, which is what is announced. The hash is that of `whole`.
    fn new(status: &str, length: usize, body: &[u8], whole: &[u8]) -> Answer {
        let sha256 = Sha256::digest(whole);
        let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\nETag: \"v1\"\r\n\
             X-Linked-Etag: \"{sha256}\"\r\nX-Linked-Size: {}\r\n",
            whole.len()
        );
        Answer { head, body: body.to_vec(), hold: None }
    }

    pub fn whole(body: &[u8]) -> Answer {
        Answer::new("200 OK", body.len(), body, body)
    }

    /// As many bytes as in `announced`, but these.
    pub fn other(body: &[u8], announced: &[u8]) -> Answer {
        Answer::new("200 OK", announced.len(), body, announced)
    }

    /// Only the first `cut` bytes, though all are announced.
    pub fn cut(body: &[u8], cut: usize) -> Answer {
        Answer::new("200 OK", body.len(), &body[..cut], body)
    }

    /// What a request for the bytes from `first` on is answered with.
    pub fn rest(body: &[u8], first: usize) -> Answer {
        let mut answer =
            Answer::new("206 Partial Content", body.len() - first, &body[first..], body);
        let (last, all) = (body.len() - 1, body.len());
        answer.head += &format!("Content-Range: bytes {first}-{last}/{all}\r\n");
        answer
    }

    /// The connection stays open behind it until the sender is dropped.
    pub fn held(mut self) -> (Answer, Sender<()>) {
        let (go, hold) = channel();
        self.hold = Some(hold);
        (self, go)
    }
}

pub struct Hub {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    pub fn new(answers: Vec<Answer>) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = requests.clone();
        thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
                let head: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                heard.lock().expect("a list").push(head.join("\n").to_lowercase());
                // The client may have hung up already; that is its right.
                let _ = stream.write_all(format!("{}\r\n", answer.head).as_bytes());
                let _ = stream.write_all(&answer.body);
                if let Some(hold) = answer.hold {
                    thread::spawn(move || {
                        let _ = hold.recv();
                        drop(stream);
                    });
                }
            }
        });
        Hub { address, requests }
    }

    /// The heads of all requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a list").clone()
    }
}
