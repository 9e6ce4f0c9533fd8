//! The request itself: connect, follow redirects, read what the hub declares on the way.
//!
//! In: an address, a first byte. Out: an answer whose body has not been read, and the size and hash
//! that the hub declared. Refuses: a redirect from https to http, more than ten of them.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_RANGE, LOCATION, RANGE};
use url::Url;

use super::{ModelError, Setback, header};
use crate::net;
pub(super) use crate::net::reason;

const CONNECT: Duration = Duration::from_secs(5);
/// Silence in a stream after which it counts as broken.
const SILENCE: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 10;

/// What the hub says of a large file before it redirects to where the bytes are. For such files
/// its "linked etag" is the SHA-256.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

impl Declared {
    fn note(&mut self, headers: &HeaderMap) {
        let sha256 = header(headers, "x-linked-etag").and_then(sha256_in);
        let bytes = header(headers, "x-linked-size").and_then(|size| size.parse().ok());
        // The first to say it counts: later hosts are not the hub.
        self.sha256 = self.sha256.take().or(sha256);
        self.bytes = self.bytes.or(bytes);
    }
}

fn sha256_in(etag: &str) -> Option<String> {
    let bare = etag.trim().trim_start_matches("W/").trim_matches('"');
    let hash = bare.len() == 64 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    hash.then(|| bare.to_ascii_lowercase())
}

pub struct Client(reqwest::Client);

impl Client {
    pub fn new(url: &str) -> Result<Client, ModelError> {
        let failed = |reason: String| ModelError::Hub { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|e| failed(format!("its address is wrong: {e}")))?;
        let builder = net::client(&parsed).connect_timeout(CONNECT).read_timeout(SILENCE);
        Ok(Client(builder.build().map_err(|e| failed(reason(e)))?))
    }

    /// Asks for the file from byte `first` on, if its etag is still that one.
    pub(super) async fn get(
        &self,
        url: &str,
        first: u64,
        etag: Option<&str>,
        hub: impl Fn(String) -> ModelError,
    ) -> Result<(Response, Declared), Setback> {
        let mut at = Url::parse(url).map_err(|e| hub(e.to_string()))?;
        let mut declared = Declared::default();
        for _ in 0..REDIRECTS {
            // Compressed, the offsets would not be those of the file.
            let mut request = self.0.get(at.clone()).header(ACCEPT_ENCODING, "identity");
            if first > 0 {
                request = request.header(RANGE, format!("bytes={first}-"));
            }
            if let Some(etag) = etag {
                request = request.header(IF_RANGE, etag);
            }
            let response = match request.send().await {
                Ok(response) => response,
                // Nobody there. With bytes already here, the connection was only lost.
                Err(e) if e.is_connect() && first == 0 => return Err(hub(reason(e)).into()),
                Err(e) => return Err(Setback::Again(reason(e))),
            };
            declared.note(response.headers());
            if !response.status().is_redirection() {
                return Ok((response, declared));
            }
            let to = header(response.headers(), LOCATION.as_str())
                .and_then(|to| at.join(to).ok())
                .ok_or_else(|| hub("it redirects to nowhere".into()))?;
            if at.scheme() == "https" && to.scheme() != "https" {
                return Err(hub("it redirects to an unencrypted address".into()).into());
            }
            at = to;
        }
        Err(hub("it redirects in a circle".into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_etag_that_is_a_sha256_counts_as_a_hash() {
        let hash = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32";
        assert_eq!(sha256_in(&format!("\"{hash}\"")).as_deref(), Some(hash));
        assert_eq!(sha256_in("\"a1b2c3\""), None);
        assert_eq!(sha256_in(&"x".repeat(64)), None);
    }
}
