use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use jit_core::{Context, Network};

const FORWARDED: &str = "x-forwarded-for";

/// Knows which proxies may say from where a request came.
#[derive(Debug, Default)]
pub(super) struct Proxies(Vec<Network>);

impl Proxies {
    pub(super) fn new(trusted: Vec<Network>) -> Self {
        Self(trusted)
    }

    /// Tells from where a request came: the nearest address that is no trusted proxy. What a client itself writes into
    /// the header stands further away and never counts. Where a trusted proxy writes nonsense, nothing is known.
    pub(super) fn context(&self, peer: SocketAddr, headers: &HeaderMap) -> Context {
        let mut client = peer.ip().to_canonical();
        let hops = headers.get_all(FORWARDED).iter().rev().flat_map(|value| {
            value.to_str().unwrap_or_default().rsplit(',').map(str::trim).collect::<Vec<_>>()
        });
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            match hop.parse::<IpAddr>() {
                Ok(address) => client = address.to_canonical(),
                Err(_) => return Context { client: None },
            }
        }
        Context { client: Some(client) }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> Option<String> {
        let proxies = Proxies::new(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, HeaderValue::from_static(value));
        }
        let context = proxies.context(SocketAddr::new(peer.parse().unwrap(), 1), &headers);
        context.client.map(|address| address.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let header = ["203.0.113.9"];
        assert_eq!(client(&[], "192.0.2.1", &header).unwrap(), "192.0.2.1");
        assert_eq!(client(&["192.0.2.1"], "192.0.2.1", &header).unwrap(), "203.0.113.9");
        assert_eq!(client(&["192.0.2.1"], "192.0.2.1", &[]).unwrap(), "192.0.2.1");
    }

    #[test]
    fn what_the_client_wrote_itself_does_not_count() {
        let forged = ["10.0.0.1, 203.0.113.9, 192.0.2.2"];
        assert_eq!(client(&["192.0.2.0/24"], "192.0.2.1", &forged).unwrap(), "203.0.113.9");
        let in_two_lines = ["10.0.0.1", "203.0.113.9"];
        assert_eq!(client(&["192.0.2.0/24"], "192.0.2.1", &in_two_lines).unwrap(), "203.0.113.9");
    }

    #[test]
    fn nonsense_from_a_trusted_proxy_leaves_the_address_unknown() {
        assert_eq!(client(&["192.0.2.1"], "192.0.2.1", &["unknown"]), None);
    }
}
