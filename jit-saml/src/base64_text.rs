//! Base64 as XML and forms carry it: lines may be wrapped.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Decodes canonical base64 with padding. Space, tab, line feed and carriage return may stand anywhere (XML Schema Part 2
/// §3.2.16), nothing else may.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let spaced = text.iter().fold(0, |found, octet| found | u8::from(*octet <= b' '));
    if spaced == 0 {
        return STANDARD.decode(text).ok();
    }
    let mut packed = Vec::with_capacity(text.len());
    for run in text.split(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r')) {
        packed.extend_from_slice(run);
    }
    STANDARD.decode(packed).ok()
}

/// Encodes without line breaks.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_text_is_read_and_nothing_else_is_skipped() {
        for good in ["aGVsbG8h", "aGVs\nbG8h", " aGVs\r\n\tbG8h \n"] {
            assert_eq!(decode(good.as_bytes()).unwrap(), b"hello!");
        }
        for bad in ["aGVsbG8", "aGVsbG8*", "aGVs\u{b}bG8h", "aGVs\0bG8h", "aGV-bG8_", "aGVs bG9=", "===="] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
