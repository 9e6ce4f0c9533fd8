//! LSP frames: whatever a client sends, what passes the guard is whole frames of JSON objects, and the same
//! ones however the bytes were cut into reads.

use std::pin::Pin;
use std::task::{Context, Poll};

use tandem::lsp::frames::guard;
use tokio::io::{AsyncRead, ReadBuf};

/// Gives its bytes in pieces of these sizes, in turn.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let size = self.sizes.next().copied().unwrap_or(1);
        let size = size.max(1).min(self.bytes.len()).min(buffer.remaining());
        let (piece, rest) = self.bytes.split_at(size);
        buffer.put_slice(piece);
        self.bytes = rest;
        Poll::Ready(Ok(()))
    }
}

fn passed(bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut out = Vec::new();
    let input = Pieces { bytes, sizes: sizes.iter().cycle() };
    runtime.block_on(guard(input, &mut out)).expect("no pipe that could break");
    out
}

/// The bodies of frames that follow each other without a byte between.
fn bodies(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("the end of the headers");
        let head = std::str::from_utf8(&bytes[..end]).expect("a header in UTF-8");
        let length =
            head.strip_prefix("Content-Length: ").expect("a length").parse().expect("a number");
        let (body, rest) = bytes[end + 4..].split_at(length);
        bodies.push(body);
        bytes = rest;
    }
    bodies
}

pub fn check(data: &[u8]) {
    let whole = passed(data, &[usize::MAX]);
    for body in bodies(&whole) {
        let message: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        assert!(message.is_object(), "{message}");
    }
    for sizes in [&[1][..], &[2, 1, 7], &[100, 3]] {
        let again = passed(data, sizes);
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&whole), "{sizes:?}");
    }
}
