//! Secrets of remote accounts: drawn to the target's rules, handed out once, kept nowhere.

use std::fmt;

use zeroize::Zeroizing;

use crate::{BackendError, Entropy};

/// Holds the secret of a remote account. `Debug` does not show it, it cannot be serialised, and it is wiped from memory when
/// it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret. Whoever calls this is about to hand it out.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Says what a target demands of secrets. Each holds letters of both cases, digits and, unless that is left out, other
/// signs, drawn evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRules {
    length: usize,
    has_signs: bool,
}

/// Sixty-four signs, so that six random bits choose one; none of them needs quoting in a shell, an address or LDAP.
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// One draw in some twenty lacks a class at the usual length; this many in a row say that the source is broken.
const DRAWS: usize = 256;

impl Default for SecretRules {
    /// Twenty-four signs: 144 bits.
    fn default() -> Self {
        Self { length: 24, has_signs: true }
    }
}

impl SecretRules {
    /// The shortest secret: 95 bits.
    pub const SHORTEST: usize = 16;
    /// The longest secret.
    pub const LONGEST: usize = 128;

    /// Demands this many signs, at least 16 and at most 128.
    #[must_use]
    pub fn of_length(length: usize) -> Self {
        Self { length: length.clamp(Self::SHORTEST, Self::LONGEST), ..Self::default() }
    }

    /// Leaves `-` and `_` out, for targets that take letters and digits alone.
    #[must_use]
    pub const fn letters_and_digits(self) -> Self {
        Self { has_signs: false, ..self }
    }

    /// Draws a secret.
    ///
    /// # Errors
    /// `store.unavailable` when there is no randomness to draw from.
    pub fn draw(self, entropy: &dyn Entropy) -> Result<Secret, BackendError> {
        // What is left out leaves the rest drawn evenly; of twice as many as are needed, enough remain.
        let mut bytes = Zeroizing::new(vec![0; self.length.saturating_mul(2)]);
        for _ in 0..DRAWS {
            entropy.fill(&mut bytes)?;
            let signs = bytes.iter().filter_map(|byte| SIGNS.get(usize::from(byte & 0x3f)));
            let signs = signs.filter(|sign| self.has_signs || sign.is_ascii_alphanumeric());
            // It never grows, which would leave copies behind.
            let mut text = Zeroizing::new(String::with_capacity(self.length));
            text.extend(signs.take(self.length).map(|sign| char::from(*sign)));
            if text.len() == self.length && self.has_every_class(&text) {
                return Ok(Secret(text));
            }
        }
        Err(BackendError::new(crate::ErrorKind::Unavailable, "entropy.fill").caused_by("it repeats itself"))
    }

    fn has_every_class(self, text: &str) -> bool {
        let classes = [char::is_ascii_uppercase, char::is_ascii_lowercase, char::is_ascii_digit];
        let has = |class: fn(&char) -> bool| text.chars().any(|sign| class(&sign));
        // A leading dash would be taken for an option.
        !text.starts_with('-')
            && classes.into_iter().all(has)
            && self.has_signs == has(|sign| matches!(sign, '-' | '_'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn a_secret_is_wiped_when_it_is_dropped() {
        fn is_wiped(_: &impl zeroize::ZeroizeOnDrop) {}
        is_wiped(&SecretRules::default().draw(&SeededEntropy::new(5)).unwrap().0);
    }

    #[test]
    fn secrets_differ_and_hold_every_class() {
        let entropy = SeededEntropy::new(5);
        let drawn: std::collections::BTreeSet<_> =
            (0..500).map(|_| SecretRules::default().draw(&entropy).unwrap().reveal().to_owned()).collect();
        assert_eq!(drawn.len(), 500);
        assert!(drawn.iter().all(|text| text.len() == 24 && SecretRules::default().has_every_class(text)));
        let plain = SecretRules::of_length(64).letters_and_digits();
        for _ in 0..500 {
            let secret = plain.draw(&entropy).unwrap();
            assert!(
                secret.reveal().len() == 64
                    && secret.reveal().chars().all(|sign| sign.is_ascii_alphanumeric())
            );
        }
    }

    #[test]
    fn a_source_that_repeats_itself_ends_in_an_error() {
        struct Zeros;
        impl Entropy for Zeros {
            fn fill(&self, buffer: &mut [u8]) -> Result<(), BackendError> {
                buffer.fill(0);
                Ok(())
            }
        }
        assert!(SecretRules::default().draw(&Zeros).is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretRules::of_length(1).draw(&SeededEntropy::new(1)).unwrap();
        assert_eq!(secret.reveal().len(), SecretRules::SHORTEST);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
