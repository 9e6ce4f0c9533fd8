//! Where to listen.
//!
//! In: what a person wrote behind `--http`. Out: addresses of this machine's own loopback, to be tried in
//! order. Refuses: everything that another machine could reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// What `--http` alone means. A fixed port, because an editor's settings name it.
pub const DEFAULT: &str = "127.0.0.1:4127";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Vec<SocketAddr>);

impl Address {
    /// The addresses, one of which is enough.
    pub fn all(&self) -> &[SocketAddr] {
        &self.0
    }
}

impl FromStr for Address {
    type Err = String;

    /// `ADDRESS:PORT`, `localhost:PORT` or `PORT`. Nobody is asked what `localhost` is: whoever answers could
    /// say anything.
    fn from_str(text: &str) -> Result<Address, String> {
        let on = |addresses: &[IpAddr], port: &str| {
            let port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
            Ok(Address(addresses.iter().map(|&address| (address, port).into()).collect()))
        };
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        if let Some(port) = text.strip_prefix("localhost:") {
            return on(&[v4, v6], port);
        }
        if text.parse::<u16>().is_ok() {
            return on(&[v4], text);
        }
        let address: SocketAddr = text
            .parse()
            .map_err(|_| format!("`{text}` is not ADDRESS:PORT, for example {DEFAULT}"))?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{} could be reached from other machines; tandem listens on loopback only, for \
                 example {DEFAULT}",
                address.ip()
            ));
        }
        Ok(Address(vec![address]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_on() {
        let all = |text: &str| {
            let address: Address = text.parse().unwrap();
            address.all().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(all(DEFAULT), ["127.0.0.1:4127"]);
        assert_eq!(all("9000"), ["127.0.0.1:9000"]);
        assert_eq!(all("[::1]:80"), ["[::1]:80"]);
        assert_eq!(all("localhost:80"), ["127.0.0.1:80", "[::1]:80"]);
        for (wrong, why) in [
            ("0.0.0.0:80", "other machines"),
            ("192.168.1.2:80", "other machines"),
            ("[::]:80", "other machines"),
            ("example.com:80", "is not ADDRESS:PORT"),
            ("127.0.0.1", "is not ADDRESS:PORT"),
            ("localhost:many", "is not a port"),
        ] {
            let refused = wrong.parse::<Address>().unwrap_err();
            assert!(refused.contains(why), "{wrong}: {refused}");
        }
    }
}
