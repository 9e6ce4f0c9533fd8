//! Bytes in, bodies out; every input also one byte at a time, and everything that comes out also
//! through tower-lsp itself.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use proptest::prelude::*;
use tokio::io::{AsyncRead, ReadBuf};
use tower_lsp::jsonrpc::{Request, Response};

use super::*;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const NOTE: &str = r#"{"jsonrpc":"2.0","method":"note","params":{"text":"é😀 \ud83d\ude00"}}"#;

/// Gives at most `step` bytes a read.
struct Drip<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl AsyncRead for Drip<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context,
        into: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        let step = self.step.min(self.bytes.len()).min(into.remaining());
        let (now, later) = self.bytes.split_at(step);
        into.put_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(()))
    }
}

fn frame(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What the guard writes for `input`, whole.
fn guarded(input: &[u8], step: usize) -> Vec<u8> {
    let mut output = Vec::new();
    run(guard(Drip { bytes: input, step }, &mut output)).unwrap();
    output
}

/// The bodies of the guard's own, strictly written frames.
fn bodies(mut output: &[u8]) -> Vec<String> {
    let mut bodies = Vec::new();
    while !output.is_empty() {
        let rest = output.strip_prefix(b"Content-Length: ").unwrap();
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let length: usize = str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
        let (body, rest) = rest[end + 4..].split_at(length);
        bodies.push(String::from_utf8(body.to_vec()).unwrap());
        output = rest;
    }
    bodies
}

/// `!method id` for a substitute, the body itself for any other.
fn short(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    match value["method"].as_str() {
        Some(method) if method.starts_with("tandem/") => {
            assert!(value["params"]["message"].as_str().is_some_and(|message| !message.is_empty()));
            format!("!{} {}", &method["tandem/".len()..], value["id"])
        }
        _ => body.to_owned(),
    }
}

#[track_caller]
fn check(input: impl AsRef<[u8]>, expected: &[&str]) {
    let input = input.as_ref();
    let whole = guarded(input, usize::MAX);
    for step in [1, 2, 7, 31] {
        assert_eq!(guarded(input, step), whole, "{step} bytes at a time");
    }
    let found: Vec<String> = bodies(&whole).iter().map(|body| short(body)).collect();
    assert_eq!(found, expected);
    assert_eq!(decoded_by_tower_lsp(whole), expected.len(), "tower-lsp does not take them all");
}

const BAD: &str = "!parseError null";
const INVALID: &str = "!invalidRequest null";

// ---- tower-lsp as the judge ------------------------------------------------------------------

#[derive(Clone, Default)]
struct Counter(Arc<Mutex<usize>>);

impl tower::Service<Request> for Counter {
    type Response = Option<Response>;
    type Error = io::Error;
    type Future = futures::future::Ready<io::Result<Option<Response>>>;

    fn poll_ready(&mut self, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        *self.0.lock().unwrap() += 1;
        futures::future::ok(None)
    }
}

impl tower_lsp::Loopback for Counter {
    type RequestStream = futures::stream::Empty<Request>;
    type ResponseSink = Pin<Box<dyn futures::Sink<Response, Error = io::Error>>>;

    fn split(self) -> (Self::RequestStream, Self::ResponseSink) {
        let sink = futures::sink::unfold(self, |counter, _: Response| async {
            *counter.0.lock().unwrap() += 1;
            Ok(counter)
        });
        (futures::stream::empty(), Box::pin(sink))
    }
}

/// How many messages tower-lsp makes of frames before it gives up.
fn decoded_by_tower_lsp(frames: Vec<u8>) -> usize {
    let counter = Counter::default();
    let server =
        tower_lsp::Server::new(io::Cursor::new(frames), tokio::io::sink(), counter.clone());
    run(server.serve(counter.clone()));
    *counter.0.lock().unwrap()
}

#[test]
fn tower_lsp_alone_stops_at_the_frame_the_guard_replaces() {
    let frames = [frame(PING), frame("{"), frame(PING)].concat();
    assert_eq!(decoded_by_tower_lsp(frames.clone()), 1);
    assert_eq!(decoded_by_tower_lsp(guarded(&frames, usize::MAX)), 3);
}

// ---- headers ---------------------------------------------------------------------------------

#[test]
fn valid_frames_pass_byte_for_byte() {
    let spaced = " {\"jsonrpc\" : \"2.0\",\r\n \"method\":\"x\", \"extra\":[1e5] } ";
    check([frame(PING), frame(NOTE), frame(spaced)].concat(), &[PING, NOTE, spaced]);
}

#[test]
fn headers_come_in_any_case_number_and_line_end() {
    let length = PING.len();
    check(format!("content-LENGTH:{length}\r\n\r\n{PING}"), &[PING]);
    check(format!("Content-Length: {length}\n\n{PING}"), &[PING]);
    check(
        format!(
            "A: 1\r\nB:\r\nContent-Type: x; charset=latin1\nContent-Length:  {length} \r\nD: :\r\n\r\n{PING}"
        ),
        &[PING],
    );
}

#[test]
fn blank_lines_between_frames_are_skipped() {
    check([b"\r\n\n".to_vec(), frame(PING), b"\n".to_vec(), frame(NOTE)].concat(), &[PING, NOTE]);
}

#[test]
fn a_length_that_is_none_is_answered_and_the_next_frame_comes_through() {
    for bad in ["abc", "-1", "+5", "", "10000000000", "67108865", "99999999999999999999999", "1 2"]
    {
        let broken = format!("Content-Length: {bad}\r\n\r\n{PING}");
        check([broken.as_bytes(), &frame(NOTE)].concat(), &[BAD, NOTE]);
    }
    let missing = format!("Content-Type: x\r\n\r\n{PING}");
    check([missing.as_bytes(), &frame(NOTE), &frame(PING)].concat(), &[BAD, NOTE, PING]);
}

#[test]
fn garbage_before_a_header_is_answered_once() {
    check([b"garbage\nmore of it\n".to_vec(), frame(PING)].concat(), &[BAD, PING]);
    check([b"garbage".to_vec(), frame(PING)].concat(), &[BAD, PING]);
    check([b"\xff\x00\xfe\n".to_vec(), frame(PING)].concat(), &[BAD, PING]);
}

#[test]
fn a_wrong_length_costs_its_own_frame_only() {
    let framed = |length: usize| format!("Content-Length: {length}\r\n\r\n{PING}").into_bytes();
    let short = framed(PING.len() - 3);
    check([short, frame(NOTE), frame(PING)].concat(), &[BAD, BAD, NOTE, PING]);
    let long = framed(PING.len() + 9);
    check([long, frame(NOTE), frame(PING)].concat(), &[BAD, NOTE, PING]);
}

#[test]
fn headers_over_eight_kilobytes_are_answered_and_left() {
    let long = format!("X: {}\r\n", "y".repeat(MAX_HEAD));
    check([long.as_bytes(), &frame(PING)].concat(), &[BAD, PING]);
    let many = "X: y\r\n".repeat(MAX_HEAD / 6 + 1);
    check([many.as_bytes(), &frame(PING)].concat(), &[BAD, PING]);
}

#[test]
fn an_end_in_mid_frame_ends_cleanly() {
    let whole = frame(PING);
    for cut in 0..whole.len() {
        check([&frame(NOTE), &whole[..cut]].concat(), &[NOTE]);
    }
}

// ---- bodies ----------------------------------------------------------------------------------

#[test]
fn a_body_that_is_no_json_rpc_is_answered_with_a_parse_error() {
    let deep = format!(
        r#"{{"jsonrpc":"2.0","method":"x","params":{}{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let batch = format!("[{PING}]");
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"\xc3\"}",
        b"null",
        b"3",
        b"[]",
        br#"["2.0",1,"ping"]"#,
        batch.as_bytes(),
        b"{}",
        deep.as_bytes(),
        br#"{"jsonrpc":"2.0","method":"x","params":[1e999]}"#,
    ];
    for body in bodies {
        check([frame(body), frame(PING)].concat(), &[BAD, PING]);
    }
}

#[test]
fn an_object_with_no_valid_meaning_is_an_invalid_request() {
    let bodies = [
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","method":3}"#,
        r#"{"jsonrpc":"2.0","method":"x","method":"y"}"#,
        r#"{"jsonrpc":"1.0","method":"x"}"#,
        r#"{"jsonrpc":2.0,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":9223372036854775808,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":"text"}"#,
        r#"{"jsonrpc":"2.0","result":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"result":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"text"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","more":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":2}}"#,
    ];
    for body in bodies {
        let found = bodies_of(&[frame(body), frame(PING)].concat());
        assert!(found[0].starts_with("!invalidRequest"), "{body} gave {}", found[0]);
        check([frame(body), frame(PING)].concat(), &[&found[0], PING]);
    }
}

fn bodies_of(input: &[u8]) -> Vec<String> {
    bodies(&guarded(input, usize::MAX)).iter().map(|body| short(body)).collect()
}

#[test]
fn an_invalid_request_is_answered_under_its_own_id() {
    check(frame(r#"{"jsonrpc":"2.0","id":5,"method":"x","params":3}"#), &["!invalidRequest 5"]);
    check(frame(r#"{"jsonrpc":"2.0","id":"a","params":[]}"#), &["!invalidRequest \"a\""]);
    // This id is one of ours, and the client asked nothing under it.
    check(frame(r#"{"jsonrpc":"1.0","id":5,"result":3}"#), &[INVALID]);
}

#[test]
fn responses_and_odd_but_valid_requests_pass() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":"a","result":{"x":[1,true,null,-0.5]}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"m","data":{}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":null,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"x","params":null}"#,
        r#"{"jsonrpc":"2.0","id":-1,"method":"x","params":[],"unknown":1,"unknown":2}"#,
        r#"{"\u006asonrpc":"2\u002e0","method":"x"}"#,
    ] {
        check([frame(body), frame(PING)].concat(), &[body, PING]);
    }
}

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character() {
    let text = |text: &str| format!(r#"{{"jsonrpc":"2.0","method":"x","params":["{text}"]}}"#);
    for (sent, passed) in [
        (r"\ud83d", r"\ufffd"),
        (r"a\uDE00b", r"a\ufffdb"),
        (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
        (r"\ud83dé\n", r"\ufffdé\n"),
        (r"\ud83d\\ude00", r"\ufffd\\ude00"),
        (r"\\ud83d\ud83d", r"\\ud83d\ufffd"),
        (r"\ude00\ud83d", r"\ufffd\ufffd"),
    ] {
        check(frame(text(sent)), &[&text(passed)]);
    }
    let paired = text(r"\ud83d\ude00 \\ud83d");
    check(frame(&paired), &[&paired]);
    check(frame(text(r"\ud83d") + "x"), &[BAD]);
    check(
        frame(r#"{"jsonrpc":"2.0","id":7,"method":"x","params":"\ud83d"}"#),
        &["!invalidRequest 7"],
    );
}

// ---- anything at all -------------------------------------------------------------------------

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            "Content-Length: ",
            "content-length:",
            "Content-Length: 12\r\n",
            "Content-Length: 70\n\n",
            "Content-Length: 999999999999\r\n\r\n",
            "Conten",
            "\r\n",
            "\n",
            "\r",
            ":",
            "7",
            "{}",
            "{",
            "\"",
            r#"{"jsonrpc":"2.0"}"#,
            "\\ud83d",
            "é",
            "X: y\r\n",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A body to be found again, whatever came before it.
fn marked(mark: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"mark","params":[{mark}]}}"#)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_on_a_new_line_is_delivered_whatever_came_before(
        before in prop::collection::vec(garbage(), 1..5),
        step in 1usize..50,
    ) {
        let mut input = Vec::new();
        for (mark, garbage) in before.iter().enumerate() {
            input.extend_from_slice(garbage);
            input.push(b'\n');
            input.extend(frame(marked(mark)));
        }
        let output = guarded(&input, usize::MAX);
        prop_assert_eq!(&guarded(&input, step), &output);
        let passed = bodies(&output);
        let count = passed.len();
        let mut passed = passed.into_iter();
        for mark in 0..before.len() {
            prop_assert!(passed.any(|body| body == marked(mark)), "mark {} is lost", mark);
        }
        prop_assert_eq!(decoded_by_tower_lsp(output), count);
    }
}

#[test]
fn a_refused_body_that_ends_like_a_header_starts_costs_nothing_more() {
    for end in ["c", "Content-", "Content-Length: 12"] {
        check([frame(end), frame(PING)].concat(), &[BAD, PING]);
        check([frame(end), b"junk\n".to_vec(), frame(PING)].concat(), &[BAD, BAD, PING]);
    }
}

#[test]
fn the_answer_to_a_bad_frame_does_not_wait_for_the_next_frame() {
    for bad in ["Content-Length: abc\r\n\r\n", "junk\n", "Content-Length: 1\n\nc"] {
        let (mut client, input) = tokio::io::duplex(64);
        let mut frames = Frames::new(input);
        let body = run(async {
            client.write_all(bad.as_bytes()).await?;
            // The client stays; a guard that read on would wait here for ever.
            tokio::select! { biased; body = frames.next() => body, () = async {} => Ok(None) }
        });
        assert_eq!(short(str::from_utf8(&body.unwrap().unwrap()).unwrap()), BAD);
    }
}

/// Bytes that never end a line, a header or a frame.
#[test]
fn endless_garbage_is_not_kept() {
    for piece in
        ["x", "Content-Length:\r\n", "Content-Length: 99", "\n", "X: y\n", "Content-Length"]
    {
        let input = piece.repeat((4 << 20) / piece.len());
        let mut frames = Frames::new(input.as_bytes());
        let mut most = 0;
        while run(frames.next()).unwrap().is_some() {
            most = most.max(frames.bytes.capacity());
        }
        most = most.max(frames.bytes.capacity());
        assert!(most <= 4 * READ, "{most} bytes held for {piece:?}");
    }
}

#[test]
fn a_great_length_takes_no_memory_before_its_bytes_come() {
    let input = format!("Content-Length: {MAX_FRAME}\r\n\r\n{{");
    let mut frames = Frames::new(input.as_bytes());
    assert_eq!(run(frames.next()).unwrap(), None);
    assert!(frames.bytes.capacity() <= 4 * READ);
}

#[test]
fn a_large_frame_does_not_hold_its_memory_afterwards() {
    let large = marked(1).replace("[1]", &format!("[\"{}\"]", "x".repeat(8 << 20)));
    let input = [frame(large), frame(PING), frame(PING)].concat();
    let mut frames = Frames::new(Drip { bytes: &input, step: READ });
    while run(frames.next()).unwrap().is_some() {}
    assert!(frames.bytes.capacity() <= 4 * READ);
}
