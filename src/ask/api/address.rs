//! Where the API is.
//!
//! In: an address from the user's own settings or environment, never from a workspace's. Out: the address of
//! its messages, and the host to show. Refuses: plain http off this machine, and parts that have no place
//! there: a name and password, a question mark.

use url::Url;

use super::ApiError;
use crate::net;

const USUAL: &str = "https://api.anthropic.com";

/// The variable that official clients read too.
const VARIABLE: &str = "ANTHROPIC_BASE_URL";

/// A checked address of the API, or of a gateway that speaks as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// The setting `ask.base_url`, else `ANTHROPIC_BASE_URL`, else Anthropic's own.
    ///
    /// # Errors
    /// [`ApiError::Address`] when it is none that a key may be sent to.
    pub fn find(setting: Option<&str>) -> Result<Address, ApiError> {
        let variable = std::env::var(VARIABLE).ok().filter(|address| !address.is_empty());
        Address::parse(setting.or(variable.as_deref()).unwrap_or(USUAL))
    }

    /// # Errors
    /// [`ApiError::Address`] when it is none that a key may be sent to.
    pub fn parse(text: &str) -> Result<Address, ApiError> {
        let wrong = |reason| ApiError::Address { reason };
        let mut url = net::address(text, false).map_err(wrong)?;
        let path = format!("{}/v1/messages", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Address(url))
    }

    /// `api.anthropic.com`, with a port if one is named; names of other scripts in their ASCII form.
    pub fn host(&self) -> String {
        net::host(&self.0)
    }

    /// The whole address of its messages.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_below_the_address() {
        let cases = [
            (
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1/messages",
                "api.anthropic.com",
            ),
            (
                "https://gw.corp:8443/claude/ ",
                "https://gw.corp:8443/claude/v1/messages",
                "gw.corp:8443",
            ),
            ("http://127.0.0.1:99", "http://127.0.0.1:99/v1/messages", "127.0.0.1:99"),
        ];
        for (text, url, host) in cases {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.url().as_str(), address.host().as_str()), (url, host));
        }
    }

    #[test]
    fn the_host_that_is_shown_is_the_one_that_is_asked() {
        let address = Address::parse("https://good.example\\@evil.example/x");
        assert_eq!(address.unwrap().host(), "good.example");
        // A letter of another script that looks like ours.
        assert!(Address::parse("https://аpi.example").unwrap().host().starts_with("xn--"));
    }

    #[test]
    fn an_address_that_a_key_must_not_go_to_is_refused() {
        let refused = [
            "http://api.anthropic.com",
            "http://127.0.0.1.evil.example",
            "https://name:word@gw.corp",
            "https://gw.corp/?to=x",
            "ftp://gw.corp",
            "file:///etc/passwd",
            "gw.corp",
            "",
        ];
        for text in refused {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains("ask.base_url") && !error.contains("word@"), "{text}: {error}");
        }
    }
}
