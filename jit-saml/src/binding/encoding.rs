//! Percent encoding and DEFLATE, each bounded.

use std::borrow::Cow;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use url::form_urlencoded;

use crate::base64_text;
use crate::rejection::Rejection;

/// The longest message that is inflated: requests and responses of a logout have a few kilobytes.
const MAX_INFLATED: usize = 256 * 1024;

/// Reads base64 with its padding.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, Rejection> {
    base64_text::decode(text).ok_or(Rejection::Base64Invalid)
}

/// Percent-encodes a value for a query.
pub(super) fn percent_encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Splits a parameter and decodes it; `None` when it is not UTF-8.
pub(super) fn parameter(piece: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (name, value) = form_urlencoded::parse(piece).next()?;
    // the decoder puts this character where the text was not UTF-8
    let is_text = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
    (is_text(&name) && is_text(&value)).then_some((name, value))
}

/// Compresses as RFC 1951 says, without a header.
pub(super) fn deflate(octets: &[u8]) -> Option<Vec<u8>> {
    // stored blocks add a few bytes to each 16 KiB
    let mut packed = Vec::with_capacity(octets.len().checked_add(octets.len() / 8)?.checked_add(64)?);
    let mut compress = Compress::new(Compression::default(), false);
    match compress.compress_vec(octets, &mut packed, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => Some(packed),
        _ => None,
    }
}

/// Inflates up to a bound, whatever the compressed text promises.
pub(super) fn inflate(packed: &[u8]) -> Result<Vec<u8>, Rejection> {
    let mut octets = Vec::with_capacity(packed.len().saturating_mul(4).clamp(1024, MAX_INFLATED));
    let mut decompress = Decompress::new(false);
    let mut read = 0;
    loop {
        let before = (read, octets.len());
        let rest = packed.get(read..).unwrap_or_default();
        let status = decompress.decompress_vec(rest, &mut octets, FlushDecompress::None);
        read = usize::try_from(decompress.total_in()).map_err(|_| Rejection::DeflateInvalid)?;
        if octets.len() > MAX_INFLATED {
            return Err(Rejection::DeflateTooLarge);
        }
        match status {
            Ok(Status::StreamEnd) if read == packed.len() => return Ok(octets),
            // one octet beyond the bound tells a message that is too long from one that just fits
            Ok(Status::Ok | Status::BufError) if octets.len() == octets.capacity() => {
                let left = MAX_INFLATED.saturating_sub(octets.len()).saturating_add(1);
                octets.reserve_exact(octets.len().min(left));
            }
            Ok(Status::Ok) if before != (read, octets.len()) => {}
            _ => return Err(Rejection::DeflateInvalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = deflate(&vec![b'a'; 64 * 1024 * 1024]).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb), Err(Rejection::DeflateTooLarge));
        let full = deflate(&vec![b'a'; MAX_INFLATED]).unwrap();
        assert_eq!(inflate(&full).map(|octets| octets.len()), Ok(MAX_INFLATED));
        let over = deflate(&vec![b'a'; MAX_INFLATED + 1]).unwrap();
        assert_eq!(inflate(&over), Err(Rejection::DeflateTooLarge));
    }

    #[test]
    fn what_follows_or_is_missing_is_refused() {
        let mut packed = deflate(b"<a/>").unwrap();
        packed.push(0);
        assert_eq!(inflate(&packed), Err(Rejection::DeflateInvalid));
        packed.truncate(packed.len() - 2);
        assert_eq!(inflate(&packed), Err(Rejection::DeflateInvalid));
        assert_eq!(inflate(b""), Err(Rejection::DeflateInvalid));
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(octets in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(inflate(&deflate(&octets).unwrap()).unwrap(), octets);
        }

        #[test]
        fn any_octets_are_answered(octets in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = inflate(&octets);
        }
    }
}
