//! Base64 as XML and forms carry it: lines may be wrapped.

use base64::Engine as _;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use {
    base64::engine::{Simd, general_purpose::PAD},
    std::sync::LazyLock,
};

/// Looks at 32 octets at once where the processor can.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// Decodes canonical base64 with padding. Space, tab, line feed and carriage return may stand anywhere (XML Schema Part 2
/// §3.2.16), nothing else may.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok().or_else(|| {
        let is_space = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\n' | b'\r');
        if !text.iter().any(is_space) {
            return None;
        }
        let mut packed = Vec::with_capacity(text.len());
        text.split(is_space).for_each(|run| packed.extend_from_slice(run));
        ENGINE.decode(&packed).ok()
    })
}

/// Encodes without line breaks.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    ENGINE.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn every_length_and_octet_comes_back() {
        let octets: Vec<u8> = (0..=255).cycle().take(1024).collect();
        for length in 0..1024 {
            let part = octets.get(..length).unwrap();
            assert_eq!(decode(encode(part).as_bytes()).unwrap(), part);
        }
    }

    #[test]
    fn the_answer_is_that_of_the_crate() {
        for octet in 0..=u8::MAX {
            for place in 0..8 {
                let mut text = *b"aGVsbG8h";
                text[place] = octet;
                let theirs = STANDARD.decode(text).ok();
                assert!(octet <= b' ' || decode(&text) == theirs, "{octet} at {place}");
            }
        }
    }

    #[test]
    fn wrapped_text_is_read_and_nothing_else_is_skipped() {
        for good in ["aGVsbG8h", "aGVs\nbG8h", " aGVs\r\n\tbG8h \n"] {
            assert_eq!(decode(good.as_bytes()).unwrap(), b"hello!");
        }
        for bad in ["aGVsbG8", "aGVsbG8*", "aGVs\u{b}bG8h", "aGVs\0bG8h", "aGV-bG8_", "aGVs bG9=", "===="] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn the_answer_for_a_long_text_is_that_of_the_crate_without_vectors() {
        let good = STANDARD.encode([0x5a; 150]).into_bytes();
        for at in [0, 1, 31, 32, 63, 64, 100, good.len() - 5, good.len() - 1] {
            for octet in 0..=u8::MAX {
                let mut text = good.clone();
                text[at] = octet;
                if !matches!(octet, b' ' | b'\t' | b'\n' | b'\r') {
                    assert_eq!(decode(&text), STANDARD.decode(&text).ok(), "{octet} at {at}");
                }
            }
        }
    }
}
