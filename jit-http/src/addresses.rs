//! Which addresses the client may reach.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use jit_core::is_public_address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The addresses that may be reached beside those of the public internet.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressRule {
    pub(crate) loopback: bool,
    pub(crate) ranges: Vec<IpNet>,
}

impl AddressRule {
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public_address(address)
            || self.loopback && address.is_loopback()
            || self.ranges.iter().any(|range| range.contains(&address))
    }
}

/// Says that a name has no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address that may be reached")]
pub(crate) struct NoAllowedAddress;

/// Resolves names and keeps the allowed addresses, so that what was checked is what is connected to.
#[derive(Debug)]
pub(crate) struct GuardedResolver(pub(crate) Arc<AddressRule>);

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
