//! Looks at the ends of texts, so that most texts that differ are told apart without comparing them.

/// Holds characters of ASCII, to be asked for byte by byte.
#[derive(Debug)]
pub(crate) struct Characters([bool; 256]);

impl Characters {
    /// Letters, digits and these.
    #[expect(clippy::indexing_slicing, reason = "runs when compiled; iterators do not")]
    pub(crate) const fn letters_digits_and(others: &[u8]) -> Self {
        let (mut holds, mut byte) = ([false; 256], 0_u8);
        while byte < 128 {
            let mut other = 0;
            let mut is_other = false;
            while other < others.len() {
                is_other |= others[other] == byte;
                other += 1;
            }
            holds[byte as usize] = is_other || byte.is_ascii_alphanumeric();
            byte += 1;
        }
        Self(holds)
    }

    #[inline]
    pub(crate) fn hold(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)) == Some(&true)
    }
}

/// The first eight bytes as a number that has their order, zeros in the place of those that are missing.
#[inline]
pub(crate) fn head(text: &str) -> u64 {
    let bytes = text.as_bytes();
    match bytes.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => short(bytes),
    }
}

/// The last eight bytes as a number; `None` where there are less.
#[inline]
pub(crate) fn tail(text: &str) -> Option<u64> {
    text.as_bytes().last_chunk::<8>().map(|last| u64::from_be_bytes(*last))
}

/// The beginning and the end of a text, as numbers.
#[inline]
fn ends(text: &str) -> (u64, u64) {
    let bytes = text.as_bytes();
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_be_bytes(*first), u64::from_be_bytes(*last)),
        _ => (short(bytes), 0),
    }
}

/// Less than eight bytes, moved to the upper end. Bytes in the middle are read twice, which changes nothing.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u64::from(u32::from_be_bytes(*first)), u64::from(u32::from_be_bytes(*last)));
        let missing = 8_usize.saturating_sub(bytes.len());
        return first << 32 | last << (missing * 8);
    }
    let at = |place: usize| bytes.get(place).map_or(0, |byte| u64::from(*byte) << (56 - 8 * place));
    at(0) | at(1) | at(2)
}

/// Tells whether a text holds an upper-case letter of ASCII. Looks at every byte without stopping in between: the
/// processor does that with many of them at a time.
#[inline]
pub(crate) fn has_upper(text: &str) -> bool {
    text.bytes().fold(false, |has, byte| has | byte.is_ascii_uppercase())
}

/// Spreads texts by length, beginning and end: names differ in one of them, and long ones cost no more.
#[inline]
pub(crate) fn spread(text: &str) -> usize {
    let (first, last) = ends(text);
    let mixed = (first ^ last.rotate_left(29) ^ (text.len() as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn heads_have_the_order_of_texts(a in "[\\x00ab\u{e9}]{0,10}", b in "[\\x00ab\u{e9}]{0,10}") {
            prop_assert_eq!(head(&a).cmp(&head(&b)).then_with(|| a.cmp(&b)), a.cmp(&b));
        }

        #[test]
        fn a_head_is_the_first_bytes(text in "[\\x00-\\x7f\u{e9}]{0,10}") {
            let mut bytes = [0; 8];
            for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
                *place = byte;
            }
            prop_assert_eq!(head(&text), u64::from_be_bytes(bytes));
            prop_assert_eq!(ends(&text).0, head(&text));
        }
    }
}
