//! What every connection off this machine has in common.
//!
//! In: an address. Out: a client for it, not yet connected; why a request failed, in words. Refuses: to
//! follow redirects (who wants that does it by hand), and a proxy for an address on this machine.

use url::{Host, Url};

/// Is this an address on this machine?
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A client for this address, to be given its time limits.
#[cfg(feature = "net")]
pub fn client(url: &Url) -> reqwest::ClientBuilder {
    // Only the first call counts; a provider that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none());
    // What is on this machine is not asked for through a proxy.
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

/// The whole chain of causes: the outermost alone says only that a request failed.
#[cfg(feature = "net")]
pub fn reason(error: reqwest::Error) -> String {
    use std::error::Error;
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        for here in
            ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9/x", "http://[::1]:2"]
        {
            assert!(is_loopback(&Url::parse(here).unwrap()), "{here}");
        }
        for there in ["http://localhost.evil.com", "http://10.0.0.1", "http://127.0.0.1.evil.com"] {
            assert!(!is_loopback(&Url::parse(there).unwrap()), "{there}");
        }
    }
}
