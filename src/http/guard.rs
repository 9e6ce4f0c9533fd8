//! Who may ask: programs of this machine that mean to, and nobody else.
//!
//! In: a request's headers. Out: nothing, or why not. Any web page can make a browser send requests to
//! loopback, also under a name of its own that it lets point here (DNS rebinding); so a request with an
//! `Origin` is refused, and one whose `Host` is not this address. A token, where there is one, keeps out
//! other users of the machine too.

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Whom to let in.
pub struct Guard {
    /// Where this server listens.
    pub port: u16,
    /// What has to come as `Authorization: Bearer`.
    pub token: Option<SecretString>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: &'static str,
}

impl Guard {
    /// May this request be answered?
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let refused = |status, code, message| Err(Refused { status, code, message });
        if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
            let message = "a browser has sent this; tandem answers no web pages";
            return refused(StatusCode::FORBIDDEN, "browser", message);
        }
        let hosts: Vec<_> = headers.get_all(HOST).iter().collect();
        let named = match hosts[..] {
            [host] => host.to_str().ok().and_then(|host| host.parse().ok()),
            _ => None,
        };
        // A request line may name the host as well.
        let all_here = named.is_some_and(|host| self.is_here(&host))
            && uri.authority().is_none_or(|host| self.is_here(host));
        if !all_here {
            let message = "the Host header must be this machine's loopback address and port";
            return refused(StatusCode::FORBIDDEN, "host", message);
        }
        if let Some(token) = &self.token {
            let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
            let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
            if !given.is_some_and(|given| is_same(given, token.expose_secret().as_bytes())) {
                let message = "a token is wanted, as `Authorization: Bearer TOKEN`: that of \
                               http.token in tandem's config.toml, or of TANDEM_HTTP_TOKEN";
                return refused(StatusCode::UNAUTHORIZED, "invalid_api_key", message);
            }
        }
        Ok(())
    }

    fn is_here(&self, host: &Authority) -> bool {
        let name = host.host();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let loopback = name.eq_ignore_ascii_case("localhost")
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        loopback && host.port_u16().unwrap_or(80) == self.port && !host.as_str().contains('@')
    }
}

/// Compares digests, so that how long it takes says nothing of where the two differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter().zip(other.iter()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: Option<&str>, headers: &[(&'static str, &str)]) -> Option<&'static str> {
        let guard = Guard { port: 4127, token: token.map(Into::into) };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.check(&Uri::from_static("/v1/models"), &map).err().map(|refused| refused.code)
    }

    #[test]
    fn hosts_are_this_machine_with_this_port() {
        for here in ["127.0.0.1:4127", "localhost:4127", "LOCALHOST:4127", "[::1]:4127"] {
            assert_eq!(check(None, &[("host", here)]), None, "{here}");
        }
        for there in [
            "127.0.0.1",
            "127.0.0.1:80",
            "evil.example:4127",
            "localhost.evil.example:4127",
            "127.0.0.1.evil.example:4127",
            "me@127.0.0.1:4127",
            "10.0.0.1:4127",
            "",
        ] {
            assert_eq!(check(None, &[("host", there)]), Some("host"), "{there}");
        }
        assert_eq!(check(None, &[]), Some("host"));
        let two = [("host", "localhost:4127"), ("host", "evil.example:4127")];
        assert_eq!(check(None, &two), Some("host"));
    }

    #[test]
    fn a_host_in_the_request_line_counts_too() {
        let guard = Guard { port: 4127, token: None };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost:4127".parse().unwrap());
        let uri = Uri::from_static("http://evil.example:4127/v1/models");
        assert!(guard.check(&uri, &headers).is_err());
    }

    #[test]
    fn what_a_browser_sends_is_refused_wherever_it_comes_from() {
        for (name, value) in
            [("origin", "http://localhost:4127"), ("origin", "null"), ("sec-fetch-site", "none")]
        {
            let headers = [("host", "localhost:4127"), (name, value)];
            assert_eq!(check(None, &headers), Some("browser"), "{name}: {value}");
        }
    }

    #[test]
    fn a_token_must_be_the_same_to_the_last_letter() {
        let with = |value: &str| {
            check(Some("secret"), &[("host", "localhost:4127"), ("authorization", value)])
        };
        assert_eq!(with("Bearer secret"), None);
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer ", "secret", "Basic secret"] {
            assert_eq!(with(wrong), Some("invalid_api_key"), "{wrong}");
        }
        assert_eq!(check(Some("secret"), &[("host", "localhost:4127")]), Some("invalid_api_key"));
    }
}
