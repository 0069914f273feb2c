//! Which addresses a client may reach: a target is configured by people, and must not turn this machine against its own
//! network.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use jit_core::is_public_address;
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
        is_public_address(address)
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
