//! Which of the texts that rules ask for were found, in one pass over the values of a claim.

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

    /// Joins both.
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
        self
    }

    /// Tells whether one of the texts that are looked for was found.
    pub(super) fn meets(&self, wanted: &Self) -> bool {
        self.0.iter().zip(&wanted.0).fold(0, |met, (found, wanted)| met | (found & wanted)) != 0
    }

    /// Joins the sets that belong to what was found.
    pub(super) fn join(&self, sets: &[u64]) -> u64 {
        let mut joined = 0;
        for (mut word, sets) in self.0.iter().copied().zip(sets.chunks(64)) {
            while word != 0 {
                let number = usize::try_from(word.trailing_zeros()).ok();
                joined |= number.and_then(|number| sets.get(number)).copied().unwrap_or(0);
                word &= word - 1;
            }
        }
        joined
    }

    /// The numbers of the texts.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|number| {
            let word = self.0.get(usize::from(number / 64));
            word.is_some_and(|word| word & (1 << (number % 64)) != 0)
        })
    }

    /// Tells whether all texts that are looked for were found.
    pub(super) fn covers(&self, wanted: &Self) -> bool {
        self.0.iter().zip(&wanted.0).fold(0, |missing, (found, wanted)| missing | (wanted & !found)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
