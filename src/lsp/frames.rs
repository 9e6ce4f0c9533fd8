//! A guard in front of tower-lsp's standard input.
//!
//! tower-lsp 0.20 stops reading for good at the first frame it cannot decode, and one lone
//! surrogate escape from a JavaScript client is such a frame.
//! In: the bytes a client sends. Out: frames that tower-lsp decodes, valid bodies byte for byte.
//! Refuses: a frame that cannot be found, read or understood. In its place goes a request for
//! [`PARSE_ERROR`] or [`INVALID_REQUEST`], which the service behind answers with -32700 or
//! -32600; so a client gets its reply in order and the session goes on.
//!
//! After a bad frame the guard looks for the next `Content-Length: N` with a line end after it,
//! anywhere and not only at the start of a line: a JSON body has no line end behind it, so the
//! next header usually stands in mid-line. Inside JSON text it cannot be mistaken, because a line
//! end in a string is escaped. A body too short or too long by a wrong length is found out the
//! same way.

mod body;
#[cfg(test)]
mod tests;

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Method of the request that stands for a frame that is no JSON-RPC at all; answer -32700.
pub(crate) const PARSE_ERROR: &str = "tandem/parseError";

/// Method of the request that stands for JSON-RPC that says nothing valid; answer -32600 under
/// the request's own `id`, which is the client's where it could be read and null elsewhere.
pub(crate) const INVALID_REQUEST: &str = "tandem/invalidRequest";

/// Longest body passed on, in bytes.
const MAX_FRAME: usize = 64 << 20;

/// Longest block of headers, in bytes.
const MAX_HEAD: usize = 8 << 10;

/// Bytes asked of the input at a time.
const READ: usize = 64 << 10;

/// Copies frames from `input` to `output` until the input ends, then closes the output. A frame
/// the end cuts short is dropped. Errors are those of reading and writing. Holds at most one frame
/// in memory, with room for as much again while it grows.
pub async fn guard<R, W>(input: R, mut output: W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut frames = Frames::new(input);
    while let Some(body) = frames.next().await? {
        let head = format!("Content-Length: {}\r\n\r\n", body.len());
        output.write_all(head.as_bytes()).await?;
        output.write_all(&body).await?;
        output.flush().await?;
    }
    output.shutdown().await
}

/// Bytes read and not yet used (`bytes[at..]`), and what they are taken for. The reply to a bad
/// frame goes out before more is read, as the client may be waiting for it.
struct Frames<R> {
    input: R,
    bytes: Vec<u8>,
    at: usize,
    expect: Expect,
}

/// What the next bytes are.
enum Expect {
    /// The start of a frame, or a line end or two before it.
    Frame,
    /// Anything, after headers that made no sense.
    Anything,
    /// A body of this many bytes that is no JSON. If its length was too great, the next frame
    /// starts in it; otherwise behind it.
    BadBody(usize),
}

impl<R: AsyncRead + Unpin> Frames<R> {
    fn new(input: R) -> Self {
        Frames { input, bytes: Vec::new(), at: 0, expect: Expect::Frame }
    }

    /// The next body to pass on, checked or substituted. None at the end of the input.
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.expect {
                Expect::Frame => {}
                Expect::Anything => self.skip(usize::MAX).await?,
                Expect::BadBody(length) => self.skip(length).await?,
            }
            self.expect = Expect::Frame;
            self.skip_blank_lines();
            match parse_head(&self.bytes[self.at..]) {
                Head::Incomplete => {
                    if !self.read().await? {
                        return Ok(None);
                    }
                }
                Head::Bad(why) => {
                    // One byte on, so as not to find the same header again.
                    self.at += 1;
                    self.expect = Expect::Anything;
                    return Ok(Some(body::parse_error(why)));
                }
                Head::Good { head, length } => {
                    self.at += head;
                    while self.unused() < length && self.read().await? {}
                    if self.unused() >= length {
                        return Ok(Some(self.take(length)));
                    }
                    // Cut short by the end of the input, unless the length was wrong.
                    self.expect = Expect::Anything;
                }
            }
        }
    }

    fn unused(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Takes a body of `length` bytes, all of them read, or its substitute.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let body = &self.bytes[self.at..self.at + length];
        let (passed, used) = match body::check(body) {
            body::Verdict::Good => (body.to_vec(), length),
            body::Verdict::Substitute(substitute) => (substitute, length),
            body::Verdict::NotJson(substitute) => {
                self.expect = Expect::BadBody(length);
                (substitute, 0)
            }
        };
        self.at += used;
        passed
    }

    fn skip_blank_lines(&mut self) {
        let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        self.at += self.bytes[self.at..].iter().take_while(blank).count();
    }

    /// Skips to the first header that starts within the next `most` bytes, else past them, else to
    /// the end of the input.
    async fn skip(&mut self, mut most: usize) -> io::Result<()> {
        loop {
            let (header, whole) = find_header(&self.bytes[self.at..]);
            let skipped = header.min(most);
            self.at += skipped;
            most -= skipped;
            if whole || most == 0 {
                return Ok(());
            }
            if !self.read().await? {
                self.at += self.unused().min(most);
                return Ok(());
            }
        }
    }

    /// Reads some bytes; false at the end of the input.
    async fn read(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.at);
        self.at = 0;
        // A large document passes once; its room is not held for the rest of the session.
        if self.bytes.len() < READ && self.bytes.capacity() > 16 * READ {
            self.bytes.shrink_to(READ);
        }
        self.bytes.reserve(READ);
        Ok(self.input.read_buf(&mut self.bytes).await? > 0)
    }
}

/// What the bytes start with.
#[derive(Debug, PartialEq)]
enum Head {
    /// Not all headers are there yet.
    Incomplete,
    /// Headers of `head` bytes in all, and a body of `length` bytes behind them.
    Good {
        head: usize,
        length: usize,
    },
    Bad(&'static str),
}

/// Reads a block of headers. Names in any case, any number of them, lines ended by CRLF or LF.
/// Of two lengths the last counts, as in tower-lsp.
fn parse_head(bytes: &[u8]) -> Head {
    let mut length = None;
    let mut at = 0;
    while let Some(end) = bytes[at..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[at..at + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += end + 1;
        if at > MAX_HEAD {
            break;
        }
        match (header(line), length) {
            (Ok(Some(value)), _) => length = Some(value),
            (Ok(None), _) => {}
            (Err(_), Some(length)) if line.is_empty() => return Head::Good { head: at, length },
            (Err(_), None) if line.is_empty() => return Head::Bad("no Content-Length header"),
            (Err(why), _) => return Head::Bad(why),
        }
    }
    if bytes.len() > MAX_HEAD {
        return Head::Bad("the headers are longer than 8 KiB");
    }
    Head::Incomplete
}

/// The length a header line gives; none for a header of another name.
fn header(line: &[u8]) -> Result<Option<usize>, &'static str> {
    let colon = line.iter().position(|&byte| byte == b':');
    let (name, value) = line.split_at(colon.ok_or("a header line has no colon")?);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
    if name.is_empty() || !name.iter().all(token) {
        return Err("a header has no valid name");
    }
    if !name.eq_ignore_ascii_case(b"Content-Length") {
        return Ok(None);
    }
    let value = value[1..].trim_ascii();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err("Content-Length is not a number of bytes");
    }
    let length = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
    match length {
        Some(length) if length <= MAX_FRAME => Ok(Some(length)),
        _ => Err("Content-Length is over 64 MiB"),
    }
}

/// Offset of the first `Content-Length: N` line, and true; or of a piece at the very end that more
/// bytes could make one, or else of the end, and false.
fn find_header(bytes: &[u8]) -> (usize, bool) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(byte, b'c' | b'C')
            && let Some(whole) = header_start(&bytes[at..])
        {
            return (at, whole);
        }
    }
    (bytes.len(), false)
}

/// Whether `bytes` start with a whole `Content-Length: N` line (true), or end too soon to tell
/// (false). None if they do not. Looks at some fifty bytes and no more, so that little is held
/// back.
fn header_start(bytes: &[u8]) -> Option<bool> {
    const NAME: &[u8] = b"content-length:";
    let name = bytes.len().min(NAME.len());
    if !bytes[..name].eq_ignore_ascii_case(&NAME[..name]) {
        return None;
    }
    let run = |rest: &[u8], most: usize, wanted: fn(&u8) -> bool| {
        rest.iter().take(most).take_while(|byte| wanted(byte)).count()
    };
    let mut rest = &bytes[name..];
    rest = &rest[run(rest, 8, |byte| *byte == b' ')..];
    let digits = run(rest, 20, u8::is_ascii_digit);
    rest = &rest[digits..];
    if digits > 0 {
        rest = &rest[run(rest, 8, |byte| *byte == b' ')..];
        rest = &rest[run(rest, 1, |byte| *byte == b'\r')..];
    }
    match rest.first() {
        None => Some(false),
        Some(b'\n') if digits > 0 => Some(true),
        Some(_) => None,
    }
}
