//! Frames of the protocol, however their bytes arrive.
//!
//! In: bytes, and how they are cut into reads. Out: the same frames whatever the cuts, each of them JSON, and
//! a whole frame behind anything is found. Refuses: nothing.
#![no_main]

use std::pin::Pin;
use std::task::{Context, Poll};

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokio::io::{AsyncRead, ReadBuf};

#[derive(Arbitrary, Debug)]
struct Input {
    cuts: Vec<u8>,
    bytes: Vec<u8>,
}

/// Bytes that come in pieces of these lengths, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    cuts: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let cut = self.cuts.next().map_or(usize::MAX, |cut| usize::from(*cut) + 1);
        let (piece, rest) = self.bytes.split_at(cut.min(self.bytes.len()).min(into.remaining()));
        self.bytes = rest;
        into.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}

fn passed(bytes: &[u8], cuts: &[u8]) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut out = Vec::new();
    let input = Pieces { bytes, cuts: cuts.iter().cycle() };
    runtime.block_on(tandem::lsp::frames::guard(input, &mut out)).unwrap();
    out
}

/// The bodies of frames that are well-formed, as the guard's own must be.
fn bodies(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).expect("a readable head");
        let length = head.strip_prefix("Content-Length: ").expect("a length").parse().unwrap();
        let (body, rest) = bytes[end + 4..].split_at(length);
        bodies.push(body);
        bytes = rest;
    }
    bodies
}

fuzz_target!(|input: Input| {
    let whole = passed(&input.bytes, &[]);
    assert_eq!(whole, passed(&input.bytes, &[0]), "one byte at a time");
    assert_eq!(whole, passed(&input.bytes, &input.cuts), "in pieces");
    for body in bodies(&whole) {
        serde_json::from_slice::<serde_json::Value>(body).expect("only JSON is passed on");
    }
});
