//! A hash that stays the same from release to release. It protects nothing.

/// FNV-1a, of 64 bits.
pub(crate) fn fnv1a(octets: impl Iterator<Item = u8>) -> u64 {
    octets.fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}
