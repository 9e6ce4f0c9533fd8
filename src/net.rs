//! What every connection off this machine has in common.
//!
//! In: an address. Out: a client for it, not yet connected; why a request failed, in words; what somebody else
//! wrote, fit to be shown. Refuses: an address that would show what is sent there, to follow redirects (who
//! wants that does it by hand), and a proxy for an address on this machine.

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

/// An address that a key or code may be sent to. `insecure_http`: without encryption to other machines too.
///
/// # Errors
/// What is wrong with it, as a sentence's end that has no password in it.
pub fn address(text: &str, insecure_http: bool) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| error.to_string())?;
    let wrong = match url.scheme() {
        "http" if !is_loopback(&url) && !insecure_http => "it is not encrypted; use https",
        "http" | "https" if !url.has_host() => "it names no host",
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            "it has a name or a password in it, which do not belong there"
        }
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            "it has a `?` or a `#` in it"
        }
        "http" | "https" => return Ok(url),
        _ => "it does not begin with https",
    };
    Err(wrong.to_owned())
}

/// `api.example.com`, with a port if one is named; names of other scripts in their ASCII form.
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

/// Characters of somebody else's sentence that are shown.
#[cfg(feature = "net")]
const SHOWN: usize = 300;

/// What somebody else wrote, fit to be shown: without the key, without what is not seen, not too long.
#[cfg(feature = "net")]
pub fn clean(text: &str, secret: &str) -> String {
    let hidden =
        if secret.is_empty() { text.to_owned() } else { text.replace(secret, "(the key)") };
    let seen = |c: char| match c {
        c if c.is_control() => ' ',
        // Marks that turn the direction of text, and characters without width.
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => ' ',
        c => c,
    };
    let words: String = hidden.chars().map(seen).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &words[..cut]),
        None => words,
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
    fn an_address_that_would_show_code_or_keys_is_refused() {
        let refused = |text: &str| address(text, false).unwrap_err();
        assert!(refused("http://10.0.0.1:8000").contains("not encrypted"));
        assert!(address("http://10.0.0.1:8000", true).is_ok());
        for insecure in [false, true] {
            let refused = |text: &str| address(text, insecure).unwrap_err();
            let named = refused("https://me:secret@a.example");
            assert!(named.contains("password") && !named.contains("secret"), "{named}");
            assert!(refused("https://a.example/?key=1").contains('?'));
            assert!(refused("ftp://a.example").contains("https"));
        }
    }

    #[cfg(feature = "net")]
    #[test]
    fn the_words_of_others_are_made_fit_to_be_shown() {
        assert_eq!(clean("bad key sk-x sk-x", "sk-x"), "bad key (the key) (the key)");
        assert_eq!(clean("a\u{1b}[31mb\n\r\tc\u{202e}d", ""), "a [31mb c d");
        let long = clean(&"é".repeat(400), "");
        assert_eq!(long.chars().count(), SHOWN + 1);
    }

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
