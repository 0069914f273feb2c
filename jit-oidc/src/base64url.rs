//! Base64url without padding (RFC 4648 §5, RFC 7515 §2), in exactly one spelling for each value.
//!
//! Decoding is written out here because it is a fifth of all work beside the signature: a table for each of the four
//! places, one addition for each four characters, one look at the errors at the end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::rejection::Rejection;

/// Set in a table where the character is not of the alphabet; no value reaches this bit.
const INVALID: u32 = 1 << 31;
/// Texts up to this many bytes are decoded on the stack.
const USUAL: usize = 2000;

static PLACES: [[u32; 256]; 4] = [place(18), place(12), place(6), place(0)];

const fn place(shift: u32) -> [u32; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut table = [INVALID; 256];
    let mut value = 0;
    while value < alphabet.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            #[expect(clippy::cast_possible_truncation, reason = "below 64")]
            let bits = value as u32;
            table[alphabet[value] as usize] = bits << shift;
        }
        value += 1;
    }
    table
}

/// Room for decoded bytes, used again and again: a fresh block of this size makes the allocator tidy up, which costs
/// more than the decoding.
pub(crate) struct Scratch {
    usual: [u8; USUAL],
    large: Vec<u8>,
}

impl Scratch {
    pub(crate) const fn new() -> Self {
        Self { usual: [0; USUAL], large: Vec::new() }
    }

    /// Decodes a text; the bytes stay until the next one.
    pub(crate) fn decode(&mut self, text: &[u8]) -> Result<&[u8], Rejection> {
        let room = text.len() / 4 * 3 + 3;
        if room <= USUAL {
            return decode_into(text, &mut self.usual);
        }
        self.large.resize(room, 0);
        decode_into(text, &mut self.large)
    }
}

/// Decodes a text.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, Rejection> {
    Scratch::new().decode(text).map(<[u8]>::to_vec)
}

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode_into<'a>(text: &[u8], buffer: &'a mut [u8]) -> Result<&'a [u8], Rejection> {
    let (blocks, rest) = text.as_chunks::<4>();
    let (triples, _) = buffer.as_chunks_mut::<3>();
    let mut seen = 0;
    for (block, triple) in blocks.iter().zip(triples.iter_mut()) {
        let word = word(*block);
        seen |= word;
        let [_, first, second, third] = word.to_be_bytes();
        *triple = [first, second, third];
    }
    let (tail, len) = decode_rest(rest)?;
    if seen & INVALID != 0 {
        return Err(Rejection::Base64Invalid);
    }
    if let Some(triple) = triples.get_mut(blocks.len()) {
        *triple = tail;
    }
    buffer.get(..blocks.len() * 3 + len).ok_or(Rejection::Base64Invalid)
}

fn word([first, second, third, fourth]: [u8; 4]) -> u32 {
    let [high, upper, lower, low] = &PLACES;
    let look_up = |place: &[u32; 256], byte| place.get(usize::from(byte)).copied().unwrap_or(INVALID);
    look_up(high, first) | look_up(upper, second) | look_up(lower, third) | look_up(low, fourth)
}

/// RFC 4648 §3.5: bits that belong to no byte must be zero, or one value would have several spellings.
fn decode_rest(rest: &[u8]) -> Result<([u8; 3], usize), Rejection> {
    // `A` stands for zero bits
    let (word, len, stray) = match *rest {
        [] => (0, 0, 0),
        [first, second] => (word([first, second, b'A', b'A']), 1, INVALID | 0xffff),
        [first, second, third] => (word([first, second, third, b'A']), 2, INVALID | 0xff),
        _ => return Err(Rejection::Base64Invalid),
    };
    if word & stray != 0 {
        return Err(Rejection::Base64Invalid);
    }
    let [_, first, second, third] = word.to_be_bytes();
    Ok(([first, second, third], len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_was_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Ok(bytes));
        }

        #[test]
        fn agrees_with_another_decoder(text in "[A-Za-z0-9_+/=. -]{0,12}") {
            prop_assert_eq!(decode(text.as_bytes()).ok(), URL_SAFE_NO_PAD.decode(&text).ok());
        }

        #[test]
        fn agrees_on_any_bytes(text in proptest::collection::vec(any::<u8>(), 0..10)) {
            prop_assert_eq!(decode(&text).ok(), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }

    #[test]
    fn one_value_has_one_spelling() {
        assert_eq!(decode(b"AA"), Ok(vec![0]));
        for text in ["AB", "AAB", "A", "AAAAA", "AA==", "A A", "AA\n"] {
            assert_eq!(decode(text.as_bytes()), Err(Rejection::Base64Invalid), "{text}");
        }
    }
}
