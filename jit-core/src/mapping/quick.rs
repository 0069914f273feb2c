//! A quick hash for tables whose keys come from configuration.
//!
//! Names of a source are only looked up there and never added, so that nobody can fill a table with collisions.

use std::hash::{BuildHasherDefault, Hasher};

pub(super) type BuildQuick = BuildHasherDefault<Quick>;

/// An odd number without a pattern in its bits.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Default)]
pub(super) struct Quick(u64);

impl Quick {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        match (rest.first_chunk::<4>(), rest.last_chunk::<4>(), rest) {
            (Some(first), Some(last), _) => {
                let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
                self.mix(u64::from(first) | u64::from(last) << 32);
            }
            (_, _, &[first, ref middle @ .., last]) => {
                let middle = middle.first().map_or(0, |byte| u64::from(*byte));
                self.mix(u64::from(first) | middle << 8 | u64::from(last) << 16);
            }
            (_, _, rest) => rest.iter().for_each(|byte| self.mix(u64::from(*byte))),
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        // The upper bits depend on all the others; tables look at both ends.
        self.0 ^ (self.0 >> 32)
    }
}
