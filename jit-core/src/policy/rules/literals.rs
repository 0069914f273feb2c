//! Finds which of the texts that rules ask for a claim holds, in one pass over its values.

use std::collections::BTreeMap;

/// The most texts, over all claims, that one pass finds; further ones are searched for one by one.
pub(super) const LITERALS: usize = 256;

/// Keeps which texts were found, by their number.
#[derive(Clone, Copy, Default)]
pub(super) struct Found([u64; LITERALS / 64]);

impl Found {
    pub(super) fn add(&mut self, number: u8) {
        if let Some(word) = self.0.get_mut(usize::from(number / 64)) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn has(&self, number: u8) -> bool {
        self.0.get(usize::from(number / 64)).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

/// Finds the number of a text. Fixed when compiled, so that no claim can make it grow or fill one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Literals {
    /// Places in a ring of a power of two, at least half of them free.
    places: Box<[Option<Literal>]>,
}

#[derive(Clone, Debug)]
struct Literal {
    text: Box<str>,
    number: u8,
}

impl Literals {
    pub(super) fn new(numbers: &BTreeMap<String, u8>) -> Self {
        if numbers.is_empty() {
            return Self::default();
        }
        let mut places: Box<[Option<Literal>]> = vec![None; numbers.len().next_power_of_two() * 2].into();
        for (text, &number) in numbers {
            let start = spread(text);
            let free = (0..places.len())
                .map(|step| start.wrapping_add(step) & (places.len() - 1))
                .find(|&place| places.get(place).is_some_and(Option::is_none));
            if let Some(place) = free.and_then(|place| places.get_mut(place)) {
                *place = Some(Literal { text: text.as_str().into(), number });
            }
        }
        Self { places }
    }

    /// The number of a text that some rule asks for.
    pub(super) fn number(&self, text: &str) -> Option<u8> {
        let mut place = spread(text);
        loop {
            // An empty ring, and a free place in any other, ends the search.
            let literal = self.places.get(place & self.places.len().wrapping_sub(1))?.as_ref()?;
            if *literal.text == *text {
                return Some(literal.number);
            }
            place = place.wrapping_add(1);
        }
    }
}

/// Spreads texts by length, beginning and end: group names differ in one of them, and long ones cost no more.
fn spread(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (head, tail) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (bytes.iter().fold(0, |word, &byte| (word << 8) | u64::from(byte)), 0),
    };
    let mixed = (head ^ tail.rotate_left(29) ^ (bytes.len() as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_by_its_number_and_no_other_text_is() {
        let numbers: BTreeMap<String, u8> =
            (0..=255_u8).map(|n| (format!("{:0width$}", n, width = usize::from(n % 40) + 3), n)).collect();
        let literals = Literals::new(&numbers);
        for (text, number) in &numbers {
            assert_eq!(literals.number(text), Some(*number));
            assert_eq!(literals.number(&format!("{text}x")), None);
        }
        assert_eq!(literals.number(""), None);
        assert_eq!(Literals::default().number("x"), None);
    }

    #[test]
    fn texts_that_fall_on_one_place_are_still_told_apart() {
        let numbers: BTreeMap<String, u8> =
            (0..50_u8).map(|n| (format!("same-beginning-{n:02}-same-ending"), n)).collect();
        let literals = Literals::new(&numbers);
        assert!(numbers.iter().all(|(text, number)| literals.number(text) == Some(*number)));
        assert_eq!(literals.number("same-beginning-77-same-ending"), None);
    }

    #[test]
    fn found_numbers_are_kept_apart() {
        let mut found = Found::default();
        for number in [0, 63, 64, 255] {
            found.add(number);
        }
        assert!([0, 63, 64, 255].iter().all(|&n| found.has(n)));
        assert!([1, 62, 65, 254].iter().all(|&n| !found.has(n)));
    }
}
