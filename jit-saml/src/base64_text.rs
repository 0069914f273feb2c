//! Base64 as XML and forms carry it: lines may be wrapped.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Set in a table where an octet is not of the alphabet.
const FOREIGN: u32 = 1 << 31;

/// What an octet of the alphabet means in each of the four places of a group; the first of the three octets stands lowest.
static PLACES: [[u32; 256]; 4] = [place(18), place(12), place(6), place(0)];

const fn place(shift: u32) -> [u32; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [FOREIGN; 256];
    let mut value = 0_u32;
    while value < 64 {
        #[expect(clippy::indexing_slicing, reason = "64 letters into a table of 256")]
        {
            table[alphabet[value as usize] as usize] = (value << shift).swap_bytes() >> 8;
        }
        value += 1;
    }
    table
}

/// Decodes canonical base64 with padding. Space, tab, line feed and carriage return may stand anywhere (XML Schema Part 2
/// §3.2.16), nothing else may.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let spaced = text.iter().fold(0, |found, octet| found | u8::from(*octet <= b' '));
    if spaced == 0 {
        return decode_packed(text);
    }
    let mut packed = Vec::with_capacity(text.len());
    for run in text.split(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r')) {
        packed.extend_from_slice(run);
    }
    decode_packed(&packed)
}

/// Decodes pairs of groups by table, which costs less than the crate does on a whole message, and leaves the rest with its
/// padding to the crate.
fn decode_packed(text: &[u8]) -> Option<Vec<u8>> {
    // At least the last group is left over, for only that may be padded.
    let pairs = text.len().saturating_sub(4) / 8;
    let (body, rest) = text.split_at(pairs * 8);
    let mut octets = vec![0; pairs * 6];
    let mut seen = 0;
    let [first, second, third, fourth] = &PLACES;
    let look = |place: &[u32; 256], octet: u8| place.get(usize::from(octet)).copied().unwrap_or(FOREIGN);
    let outputs = octets.as_chunks_mut::<6>().0;
    for ([a, b, c, d, e, f, g, h], out) in body.as_chunks::<8>().0.iter().zip(outputs) {
        let low = look(first, *a) | look(second, *b) | look(third, *c) | look(fourth, *d);
        let high = look(first, *e) | look(second, *f) | look(third, *g) | look(fourth, *h);
        seen |= low | high;
        let [o0, o1, o2, o3, o4, o5, ..] = (u64::from(low) | (u64::from(high) << 24)).to_le_bytes();
        *out = [o0, o1, o2, o3, o4, o5];
    }
    if seen & FOREIGN != 0 {
        return None;
    }
    STANDARD.decode_vec(rest, &mut octets).ok()?;
    Some(octets)
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
}
