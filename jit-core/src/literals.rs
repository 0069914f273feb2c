//! Finds the texts that rules ask for among those that a source says: most others end at the first look.

use std::collections::BTreeMap;

use crate::text::spread;

/// How many pairs of length and last byte are told apart.
const ENDINGS: usize = 256;

/// Finds the number of a text. Fixed when compiled, so that no claim can make it grow or fill one place.
#[derive(Clone, Debug)]
pub(crate) struct Literals<N> {
    /// One mark for each pair of length and last byte: most other texts end here.
    endings: [bool; ENDINGS],
    /// One bit for the place of each text in a ring sixteen times as long: most of what is left ends here.
    sieve: Box<[u64]>,
    /// Places in a ring of a power of two, at least half of them free.
    places: Box<[Option<Literal<N>>]>,
}

#[derive(Clone, Debug)]
struct Literal<N> {
    text: Box<str>,
    number: N,
}

impl<N> Default for Literals<N> {
    fn default() -> Self {
        Self { endings: [false; ENDINGS], sieve: Box::default(), places: Box::default() }
    }
}

impl<N: Copy> Literals<N> {
    pub(crate) fn new(numbers: &BTreeMap<String, N>) -> Self {
        if numbers.is_empty() {
            return Self::default();
        }
        let length = numbers.len().next_power_of_two();
        let mut endings = [false; ENDINGS];
        let mut sieve: Box<[u64]> = vec![0; (length / 4).max(1)].into();
        let mut places: Box<[Option<Literal<N>>]> = vec![None; length * 2].into();
        for (text, &number) in numbers {
            let (start, ending) = (spread(text), ending_of(text));
            if let Some(mark) = endings.get_mut(ending) {
                *mark = true;
            }
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
        Self { endings, sieve, places }
    }

    /// Tells whether a text may be one of those that some rule asks for, by its length and last byte alone.
    #[inline]
    pub(crate) fn may_have(&self, text: &str) -> bool {
        self.endings.get(ending_of(text)) == Some(&true)
    }

    /// The number of a text that some rule asks for.
    #[inline]
    pub(crate) fn number(&self, text: &str) -> Option<N> {
        if self.may_have(text) { self.sift(text) } else { None }
    }

    #[inline(never)]
    fn sift(&self, text: &str) -> Option<N> {
        let start = spread(text);
        let word = place_of(start / 64, self.sieve.len()).and_then(|place| self.sieve.get(place))?;
        if word & (1 << (start % 64)) != 0 { self.search(text, start) } else { None }
    }

    fn search(&self, text: &str, start: usize) -> Option<N> {
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

/// The place of a text by its length and last byte.
#[inline]
fn ending_of(text: &str) -> usize {
    let last = text.as_bytes().last().copied().unwrap_or(0);
    (text.len() << 5).wrapping_add(last.into()) % ENDINGS
}

/// The place in a ring whose length is a power of two; an empty ring has none.
#[inline]
fn place_of(place: usize, length: usize) -> Option<usize> {
    Some(place & length.checked_sub(1)?)
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
        assert_eq!(Literals::<u8>::default().number("x"), None);
    }

    #[test]
    fn texts_that_fall_on_one_place_are_still_told_apart() {
        let numbers: BTreeMap<String, u8> =
            (0..50_u8).map(|n| (format!("same-beginning-{n:02}-same-ending"), n)).collect();
        let literals = Literals::new(&numbers);
        assert!(numbers.iter().all(|(text, number)| literals.number(text) == Some(*number)));
        assert_eq!(literals.number("same-beginning-77-same-ending"), None);
    }
}
