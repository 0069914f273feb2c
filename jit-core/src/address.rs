//! Which addresses belong to the public internet: what a client may reach when people or other systems name the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Tells whether an address belongs to the public internet (the special-purpose registries of RFC 6890). One that carries
/// an IPv4 address belongs there as that one does.
#[must_use]
pub fn is_public_address(address: IpAddr) -> bool {
    match address.to_canonical() {
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
    fn what_carries_an_address_is_judged_by_it() {
        let is_public = |text: &str| is_public_address(text.parse().unwrap());
        assert!(is_public("8.8.8.8") && is_public("::ffff:8.8.8.8") && is_public("64:ff9b::808:808"));
        for special in
            ["10.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::1", "fd00::1", "::1", "0.0.0.0"]
        {
            assert!(!is_public(special), "{special}");
        }
    }
}
