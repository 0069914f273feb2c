//! Base64 as XML and forms carry it: lines may be wrapped.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// So many times four groups are decoded before they are appended.
const RUN: usize = 32;
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
    decode_packed(text).or_else(|| {
        let is_space = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\n' | b'\r');
        if !text.iter().any(is_space) {
            return None;
        }
        let mut packed = Vec::with_capacity(text.len());
        text.split(is_space).for_each(|run| packed.extend_from_slice(run));
        decode_packed(&packed)
    })
}

/// Decodes four groups at a time by table, which costs less than the crate does on a whole message, and leaves the rest with
/// its padding to the crate.
fn decode_packed(text: &[u8]) -> Option<Vec<u8>> {
    // At least the last group is left over, for only that may be padded.
    let fours = text.len().saturating_sub(4) / 16;
    let (body, rest) = text.split_at(fours * 16);
    let mut octets = Vec::with_capacity(fours * 12 + rest.len());
    let mut decoded = [0; RUN * 12];
    for run in body.chunks(RUN * 16) {
        let length = run.len() / 16 * 12;
        decode_fours(run, decoded.get_mut(..length)?)?;
        octets.extend_from_slice(decoded.get(..length)?);
    }
    // into a room of its own: behind the others the crate would ask for more than it needs
    let mut end = [0; 15];
    let length = STANDARD.decode_slice(rest, &mut end).ok()?;
    octets.extend_from_slice(end.get(..length)?);
    Some(octets)
}

fn decode_fours(text: &[u8], octets: &mut [u8]) -> Option<()> {
    let mut seen = 0;
    let [first, second, third, fourth] = &PLACES;
    let look = |place: &[u32; 256], octet: u8| place.get(usize::from(octet)).copied().unwrap_or(FOREIGN);
    // three octets, the first of which stands lowest
    let group =
        |[a, b, c, d]: &[u8; 4]| look(first, *a) | look(second, *b) | look(third, *c) | look(fourth, *d);
    let words = octets.as_chunks_mut::<4>().0.as_chunks_mut::<3>().0;
    for ([a, b, c, d], [low, middle, high]) in text.as_chunks::<4>().0.as_chunks::<4>().0.iter().zip(words) {
        let (a, b, c, d) = (group(a), group(b), group(c), group(d));
        seen |= a | b | c | d;
        *low = (a | (b << 24)).to_le_bytes();
        *middle = ((b >> 8) | (c << 16)).to_le_bytes();
        *high = ((c >> 16) | (d << 8)).to_le_bytes();
    }
    (seen & FOREIGN == 0).then_some(())
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
