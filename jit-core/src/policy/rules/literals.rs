//! Finds which of the texts that rules ask for a claim holds, in one pass over its values.

use std::collections::BTreeMap;

/// The most texts, over all claims, that one pass finds; further ones are searched for one by one.
pub(super) const LITERALS: usize = 256;

/// Keeps which texts were found, or are looked for, by their number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found([u64; LITERALS / 64]);

impl Found {
    pub(super) fn add(&mut self, number: u8) {
        if let Some(word) = self.0.get_mut(usize::from(number / 64)) {
            *word |= 1 << (number % 64);
        }
    }

    /// Tells whether one of the texts that are looked for was found.
    pub(super) fn meets(&self, wanted: &Self) -> bool {
        self.0.iter().zip(&wanted.0).fold(0, |met, (found, wanted)| met | (found & wanted)) != 0
    }

    /// Tells whether all texts that are looked for were found.
    pub(super) fn covers(&self, wanted: &Self) -> bool {
        self.0.iter().zip(&wanted.0).fold(0, |missing, (found, wanted)| missing | (wanted & !found)) == 0
    }
}

/// Finds the number of a text. Fixed when compiled, so that no claim can make it grow or fill one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Literals {
    /// One bit for the place of each text in a ring sixteen times as long: most other texts end here.
    sieve: Box<[u64]>,
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
        let length = numbers.len().next_power_of_two();
        let mut sieve: Box<[u64]> = vec![0; (length / 4).max(1)].into();
        let mut places: Box<[Option<Literal>]> = vec![None; length * 2].into();
        for (text, &number) in numbers {
            let start = spread(text);
            if let Some(word) = place_of(start / 64, sieve.len()).and_then(|place| sieve.get_mut(place)) {
                *word |= 1 << (start % 64);
            }
            let mut around =
                (0..length * 2).filter_map(|step| place_of(start.wrapping_add(step), length * 2));
            let free = around.find(|&place| places.get(place).is_some_and(Option::is_none));
            if let Some(place) = free.and_then(|place| places.get_mut(place)) {
                *place = Some(Literal { text: text.as_str().into(), number });
            }
        }
        Self { sieve, places }
    }

    /// The number of a text that some rule asks for.
    #[inline]
    pub(super) fn number(&self, text: &str) -> Option<u8> {
        let start = spread(text);
        let word = self.sieve.get(place_of(start / 64, self.sieve.len())?)?;
        if word & (1 << (start % 64)) == 0 { None } else { self.search(text, start) }
    }

    #[inline(never)]
    fn search(&self, text: &str, start: usize) -> Option<u8> {
        let mut place = start;
        loop {
            // A free place ends the search; there always is one.
            let literal = self.places.get(place_of(place, self.places.len())?)?.as_ref()?;
            if *literal.text == *text {
                return Some(literal.number);
            }
            place = place.wrapping_add(1);
        }
    }
}

/// The place in a ring whose length is a power of two; an empty ring has none.
#[inline]
fn place_of(place: usize, length: usize) -> Option<usize> {
    Some(place & length.checked_sub(1)?)
}

/// Spreads texts by length, beginning and end: group names differ in one of them, and long ones cost no more.
#[inline]
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
        let of = |numbers: &[u8]| {
            let mut found = Found::default();
            for &number in numbers {
                found.add(number);
            }
            found
        };
        let found = of(&[0, 63, 64, 255]);
        assert!([0, 63, 64, 255].iter().all(|&n| found.meets(&of(&[n])) && found.covers(&of(&[n]))));
        assert!([1, 62, 65, 254].iter().all(|&n| !found.meets(&of(&[n])) && !found.covers(&of(&[n]))));
        assert!(found.meets(&of(&[1, 255])) && !found.covers(&of(&[1, 255])));
        assert!(found.covers(&of(&[0, 64])) && !found.meets(&of(&[])) && found.covers(&of(&[])));
    }
}
