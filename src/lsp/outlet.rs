//! Between tower-lsp and standard output: what a client does not read must not stop the server, and a
//! client that is gone must not break it.
//!
//! In: the bytes that tower-lsp writes. Out: the same bytes, as fast as the client takes them. What it
//! does not take is held, up to [`MOST`] bytes, so that its changes and its `exit` are still read
//! (tower-lsp 0.20 reads, runs and writes in one task). Refuses: to hold more; tower-lsp waits then.
//! An output that fails is reported by ending, and tower-lsp never sees it: it would panic.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes that are held for a client that does not read.
const MOST: usize = 16 << 20;
/// Bytes taken from tower-lsp at a time.
const TAKE: usize = 64 << 10;

/// Carries bytes until the writer has ended and all is written.
///
/// # Errors
/// Those of the output.
pub async fn carry<R, W>(from: &mut R, mut to: W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut held: Vec<u8> = Vec::new();
    // Bytes of `held` that are written.
    let mut at = 0;
    let mut ended = false;
    // Something was written and not flushed.
    let mut fresh = false;
    let mut taken = vec![0; TAKE];
    while !ended || at < held.len() || fresh {
        tokio::select! {
            biased;
            pushed = push(&mut to, &held[at..]), if fresh || at < held.len() => {
                let pushed = pushed?;
                fresh = pushed > 0;
                at += pushed;
            }
            read = from.read(&mut taken), if !ended && held.len() - at < MOST => match read {
                Ok(0) | Err(_) => ended = true,
                Ok(bytes) => {
                    if at > held.len() / 2 {
                        held.drain(..at);
                        at = 0;
                    }
                    held.extend_from_slice(&taken[..bytes]);
                }
            },
        }
        if at == held.len() {
            // Room for a burst is not held for the rest of the session.
            held = if held.capacity() > 16 * TAKE { Vec::new() } else { held };
            held.clear();
            at = 0;
        }
    }
    Ok(())
}

/// Writes some of this, or where there is nothing, sees that what was written is on its way.
async fn push<W: AsyncWrite + Unpin>(to: &mut W, rest: &[u8]) -> io::Result<usize> {
    if rest.is_empty() {
        return to.flush().await.map(|()| 0);
    }
    match to.write(rest).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_reads_is_held_and_comes_in_order() {
        let (mut writer, mut from) = tokio::io::duplex(1 << 10);
        let (to, mut reader) = tokio::io::duplex(16);
        let carrying = tokio::spawn(async move { carry(&mut from, to).await });
        let all: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
        // Returns although nobody reads yet.
        writer.write_all(&all).await.unwrap();
        drop(writer);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == all);
        carrying.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_output_that_is_gone_ends_it() {
        let (mut writer, mut from) = tokio::io::duplex(1 << 10);
        let (to, reader) = tokio::io::duplex(16);
        drop(reader);
        let carrying = tokio::spawn(async move { carry(&mut from, to).await });
        writer.write_all(b"anything").await.unwrap();
        assert!(carrying.await.unwrap().is_err());
    }
}
