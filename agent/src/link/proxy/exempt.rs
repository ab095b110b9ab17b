//! `NO_PROXY`, as people expect it.

use std::net::IpAddr;

use super::ProxyError;

/// The hosts that are reached without the proxy.
pub(super) struct Exempt(Vec<Entry>);

struct Entry {
    place: Place,
    port: Option<u16>,
}

enum Place {
    Everything,
    /// The host itself and all below it.
    Domain(String),
    /// What is below it alone: `.example.com`, `*.example.com`.
    Below(String),
    Network(IpAddr, u8),
}

impl Exempt {
    /// Reads a list divided by commas or white space.
    pub(super) fn read(text: &str) -> Result<Self, ProxyError> {
        entries(text)
            .map(|entry| {
                read_entry(entry).ok_or_else(|| ProxyError::NoProxy { entry: entry.to_owned() })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The entries of a list that can be read.
    pub(super) fn readable(text: &str) -> String {
        let readable: Vec<&str> = entries(text).filter(|e| read_entry(e).is_some()).collect();
        readable.join(",")
    }

    /// Whether a host is reached without the proxy. This machine itself always is: a proxy
    /// elsewhere can't reach our loopback.
    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let host = normal(host);
        let address: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        self.0
            .iter()
            .filter(|entry| entry.port.is_none_or(|wanted| wanted == port))
            .any(|entry| entry.place.covers(&host, address))
    }
}

impl Place {
    fn covers(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::Everything => true,
            Self::Domain(domain) => host == domain || is_below(host, domain),
            Self::Below(domain) => is_below(host, domain),
            Self::Network(network, bits) => {
                address.is_some_and(|address| in_network(address, *network, *bits))
            }
        }
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty())
}

fn read_entry(entry: &str) -> Option<Entry> {
    if entry == "*" {
        return Some(Entry { place: Place::Everything, port: None });
    }
    if let Some(place) = read_network(entry) {
        return Some(Entry { place, port: None });
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    if let Some(place) = read_network(host) {
        return Some(Entry { place, port });
    }
    let host = normal(host);
    let place = match host.strip_prefix("*.").or_else(|| host.strip_prefix('.')) {
        Some(domain) => Place::Below(domain.to_owned()),
        None => Place::Domain(host.clone()),
    };
    let (Place::Domain(name) | Place::Below(name)) = &place else { return None };
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then_some(Entry { place, port })
}

/// An address, `[address]`, or `address/bits`.
fn read_network(text: &str) -> Option<Place> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = normal(address).parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(all);
    (bits <= all).then_some(Place::Network(address, bits))
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32 - u32::from(bits);
            u32::from(address).checked_shr(shift) == u32::from(network).checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128 - u32::from(bits);
            u128::from(address).checked_shr(shift) == u128::from(network).checked_shr(shift)
        }
        _ => false,
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
}

/// Lower case, without brackets and without the root's dot.
fn normal(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, host: &str) -> bool {
        Exempt::read(list).unwrap().covers(host, 7443)
    }

    #[test]
    fn a_domain_covers_itself_and_what_is_below_it_and_nothing_that_ends_like_it() {
        for host in ["example.com", "EXAMPLE.com.", "kernel.example.com", "a.b.example.com"] {
            assert!(covers("other.org, example.com", host), "{host}");
        }
        for host in ["notexample.com", "example.com.evil.org", "com"] {
            assert!(!covers("example.com", host), "{host}");
        }
    }

    #[test]
    fn a_leading_dot_or_star_covers_what_is_below_alone() {
        for list in [".example.com", "*.example.com"] {
            assert!(covers(list, "kernel.example.com"));
            assert!(!covers(list, "example.com"));
        }
    }

    #[test]
    fn networks_cover_addresses_and_never_names() {
        for (list, host) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.7", "10.0.0.7"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("fd00::/8", "fd12::1"),
            ("[fd12::1]", "[fd12::1]"),
        ] {
            assert!(covers(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/8", "kernel.example"),
            ("0.0.0.0/0", "fd12::1"),
            ("::/0", "10.0.0.1"),
        ] {
            assert!(!covers(list, host), "{list} {host}");
        }
    }

    #[test]
    fn a_port_narrows_an_entry_and_a_star_covers_everything() {
        assert!(covers("kernel.example:7443", "kernel.example"));
        assert!(!covers("kernel.example:443", "kernel.example"));
        assert!(covers("[fd12::1]:7443", "fd12::1"));
        assert!(!covers("[fd12::1]:443", "fd12::1"));
        assert!(covers("*", "anything.at.all"));
        assert!(!covers("", "anything.at.all"));
    }

    #[test]
    fn this_machine_is_never_reached_through_a_proxy() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(covers("", host), "{host}");
        }
    }

    #[test]
    fn an_entry_that_is_nothing_is_named() {
        for entry in ["10.0.0.0/33", "exa mple.com/8", "kernel.example:http", ".", "a/b"] {
            let Err(ProxyError::NoProxy { .. }) = Exempt::read(entry) else { panic!("{entry}") };
        }
    }
}
