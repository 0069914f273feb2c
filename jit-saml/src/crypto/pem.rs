//! The textual form of keys and certificates (RFC 7468).

use crate::base64_text;

/// Decodes the first block with this label.
#[must_use]
pub fn decode(label: &str, text: &str) -> Option<Vec<u8>> {
    decode_all(label, text).into_iter().next()
}

/// Decodes every block with this label; one that is malformed is left out.
#[must_use]
pub fn decode_all(label: &str, text: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let blocks = text.split(&begin).skip(1);
    blocks
        .filter_map(|block| base64_text::decode(block.split_once(&end)?.0.as_bytes()))
        .filter(|octets| !octets.is_empty())
        .collect()
}
