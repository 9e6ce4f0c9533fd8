//! What goes over the pipes: frames out, frames and lines in, each by a thread of its own, so that
//! neither side waits for the other with a full pipe.
//!
//! In: bytes from the server. Out: [`Incoming`] messages. The server's own requests are answered
//! here, at once: `workspace/configuration` with what was given, the creation of a progress token
//! with yes, anything else with MethodNotFound. Refuses: a frame without a length, or with a body
//! that is not JSON; that ends the reading, as a server that sends one cannot be trusted further.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;

use serde_json::{Value, json};

use super::{Notification, Refusal};

/// The protocol's MethodNotFound.
const METHOD_NOT_FOUND: i64 = -32601;

/// Something the server said.
pub(super) enum Incoming {
    /// To a request of ours.
    Answer { id: i64, result: Result<Value, Refusal> },
    /// Unasked.
    Notification(Notification),
    /// On its standard error.
    Complaint(String),
    /// It closed its output.
    End,
}

/// A message with its header.
pub(super) fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Writes frames until there is nobody left to send one, or to read one.
pub(super) fn write_frames(mut stdin: impl Write + Send + 'static, frames: Receiver<Vec<u8>>) {
    thread::spawn(move || {
        for frame in frames {
            if stdin.write_all(&frame).and_then(|()| stdin.flush()).is_err() {
                return;
            }
        }
    });
}

/// Passes on what the server says on its standard error.
pub(super) fn read_lines(stderr: ChildStderr, tell: Sender<Incoming>) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if tell.send(Incoming::Complaint(line)).is_err() {
                return;
            }
        }
    });
}

/// Passes on answers and notifications, and answers the server's requests.
pub(super) fn read_frames(
    stdout: impl Read + Send + 'static,
    tell: Sender<Incoming>,
    outbox: Sender<Vec<u8>>,
    configuration: Value,
) {
    thread::spawn(move || {
        let mut input = BufReader::new(stdout);
        while let Ok(Some(message)) = read_frame(&mut input) {
            match sort(message, &configuration) {
                Sorted::ForUs(incoming) => {
                    if tell.send(incoming).is_err() {
                        return;
                    }
                }
                Sorted::Reply(reply) => {
                    // When the writer is gone the next wait finds out.
                    let _ = outbox.send(frame(&reply));
                }
                Sorted::Stray => {}
            }
        }
        let _ = tell.send(Incoming::End);
    });
}

/// The next message; `None` at the end of the input.
fn read_frame(input: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let length = length.ok_or_else(|| io::Error::other("a frame without a length"))?;
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    serde_json::from_slice(&body).map(Some).map_err(io::Error::other)
}

/// What is to be done with a message.
enum Sorted {
    ForUs(Incoming),
    Reply(Value),
    /// No request, no notification, and no answer to anything that we asked.
    Stray,
}

fn sort(mut message: Value, configuration: &Value) -> Sorted {
    let id = message.get_mut("id").map(Value::take);
    let Some(method) = message["method"].as_str().map(str::to_owned) else {
        return answer(id, message);
    };
    let params = message["params"].take();
    let Some(id) = id else {
        return Sorted::ForUs(Incoming::Notification(Notification { method, params }));
    };
    let result = match method.as_str() {
        "workspace/configuration" => {
            let sections = params["items"].as_array().map_or(0, Vec::len);
            Value::Array(vec![configuration.clone(); sections])
        }
        "window/workDoneProgress/create" => Value::Null,
        _ => {
            let error = json!({"code": METHOD_NOT_FOUND, "message": format!("no {method} here")});
            return Sorted::Reply(json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
    };
    Sorted::Reply(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn answer(id: Option<Value>, mut message: Value) -> Sorted {
    let Some(id) = id.filter(|id| !id.is_string()) else { return Sorted::Stray };
    // An error about a frame whose id could not be read has the id null; tests wait for it as 0.
    let id = id.as_i64().unwrap_or_default();
    let result = match message.get_mut("error").map(Value::take) {
        None => Ok(message["result"].take()),
        Some(error) => Err(serde_json::from_value(error)
            .unwrap_or(Refusal { code: 0, message: "an error without a code".into() })),
    };
    Sorted::ForUs(Incoming::Answer { id, result })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(message: Value) -> Value {
        match sort(message, &json!({"model": "x"})) {
            Sorted::Reply(reply) => reply,
            _ => panic!("no reply"),
        }
    }

    #[test]
    fn frames_are_read_as_they_are_written() {
        let first = json!({"method": "ö", "params": [1, 2]});
        let second = json!({"id": 1, "result": null});
        let mut bytes = frame(&first);
        bytes.extend(b"Content-Type: x\r\n");
        bytes.extend(frame(&second));
        let mut input = bytes.as_slice();
        assert_eq!(read_frame(&mut input).unwrap(), Some(first));
        assert_eq!(read_frame(&mut input).unwrap(), Some(second));
        assert_eq!(read_frame(&mut input).unwrap(), None);
        assert!(read_frame(&mut b"X: 1\r\n\r\n".as_slice()).is_err());
    }

    #[test]
    fn a_server_gets_its_settings_its_progress_and_a_refusal_of_the_rest() {
        let items = json!({"items": [{"section": "tandem"}, {}]});
        let asked = json!({"id": "a", "method": "workspace/configuration", "params": items});
        assert_eq!(reply(asked)["result"], json!([{"model": "x"}, {"model": "x"}]));
        let progress = reply(json!({"id": 7, "method": "window/workDoneProgress/create"}));
        assert_eq!(progress, json!({"jsonrpc": "2.0", "id": 7, "result": null}));
        let other = reply(json!({"id": 8, "method": "client/registerCapability"}));
        assert_eq!(other["error"]["code"], json!(METHOD_NOT_FOUND));
    }

    #[test]
    fn an_error_is_an_answer() {
        let error = json!({"id": 3, "error": {"code": -32601, "message": "no"}});
        let Sorted::ForUs(Incoming::Answer { id, result }) = sort(error, &Value::Null) else {
            panic!("no answer");
        };
        assert_eq!((id, result), (3, Err(Refusal { code: -32601, message: "no".into() })));
    }
}
