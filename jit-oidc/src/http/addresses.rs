//! Which addresses a client may reach: an issuer is configured by people, its endpoints are named by the provider,
//! and neither may turn this machine against its own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The addresses that may be reached beside those of the public internet.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressRule {
    pub(super) loopback: bool,
    pub(super) ranges: Vec<IpNet>,
}

impl AddressRule {
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address)
            || self.loopback && address.is_loopback()
            || self.ranges.iter().any(|range| range.contains(&address))
    }
}

/// Says that a name has no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address that may be reached")]
pub(super) struct NoAllowedAddress;

/// Resolves names and keeps the allowed addresses, so that what was checked is what is connected to.
#[derive(Debug)]
pub(super) struct GuardedResolver(pub(super) Arc<AddressRule>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = Arc::clone(&self.0);
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = all.filter(|address| rule.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NoAllowedAddress.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// Tells whether an address belongs to the public internet (the special-purpose registries of RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // shared address space, RFC 6598
        || first == 100 && (64..128).contains(&second)
        // benchmarking, RFC 2544
        || first == 198 && (18..20).contains(&second)
        // protocol assignments, RFC 6890, and the 6to4 relay, RFC 7526
        || first == 192 && second == 0 && third == 0
        || first == 192 && second == 88 && third == 99)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 and 6to4 carry an IPv4 address that must be public itself
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // protocol assignments with Teredo and ORCHID, documentation
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // everything else that is global unicast; loopback, local, multicast and mapped addresses lie outside
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

const fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_refused_in_every_spelling() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!AddressRule::default().allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for address in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(AddressRule::default().allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn exceptions_are_as_narrow_as_they_say() {
        let rule = AddressRule { loopback: true, ranges: vec!["10.1.0.0/16".parse().unwrap()] };
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.1.2.3", true),
            ("10.2.0.1", false),
            ("::ffff:10.1.2.3", true),
        ] {
            assert_eq!(rule.allows(address.parse().unwrap()), allowed, "{address}");
        }
    }
}
