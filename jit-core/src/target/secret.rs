//! Secrets of remote accounts: drawn to the target's rules, handed out once, kept nowhere.

use std::fmt;

use crate::{BackendError, Entropy};

/// Holds the secret of a remote account. `Debug` does not show it, and it cannot be serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

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

/// Says what a target demands of secrets. Each holds letters of both cases, digits and other signs, drawn evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRules {
    length: usize,
}

const SHORTEST: usize = 16;
const LONGEST: usize = 128;
/// Sixty-four signs, so that six random bits choose one; none of them needs quoting in a shell, an address or LDAP.
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// One draw in some twenty lacks a class at the usual length; this many in a row say that the source is broken.
const DRAWS: usize = 256;

impl Default for SecretRules {
    /// Twenty-four signs: 144 bits.
    fn default() -> Self {
        Self { length: 24 }
    }
}

impl SecretRules {
    /// Demands this many signs, at least 16 (96 bits) and at most 128.
    #[must_use]
    pub fn of_length(length: usize) -> Self {
        Self { length: length.clamp(SHORTEST, LONGEST) }
    }

    /// Draws a secret.
    ///
    /// # Errors
    /// `store.unavailable` when there is no randomness to draw from.
    pub fn draw(self, entropy: &dyn Entropy) -> Result<Secret, BackendError> {
        let mut bytes = vec![0; self.length];
        for _ in 0..DRAWS {
            entropy.fill(&mut bytes)?;
            let signs = bytes.iter().filter_map(|byte| SIGNS.get(usize::from(byte & 0x3f)));
            let text: String = signs.map(|sign| char::from(*sign)).collect();
            if has_every_class(&text) {
                return Ok(Secret(text));
            }
        }
        Err(BackendError::new(crate::ErrorKind::Unavailable, "entropy.fill").caused_by("it repeats itself"))
    }
}

fn has_every_class(text: &str) -> bool {
    let classes: [fn(&char) -> bool; 4] =
        [char::is_ascii_uppercase, char::is_ascii_lowercase, char::is_ascii_digit, |sign| {
            matches!(sign, '-' | '_')
        }];
    // A leading dash would be taken for an option.
    !text.starts_with('-') && classes.iter().all(|class| text.chars().any(|sign| class(&sign)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn secrets_differ_and_hold_every_class() {
        let entropy = SeededEntropy::new(5);
        let drawn: std::collections::BTreeSet<_> =
            (0..500).map(|_| SecretRules::default().draw(&entropy).unwrap().0).collect();
        assert_eq!(drawn.len(), 500);
        assert!(drawn.iter().all(|text| text.len() == 24 && has_every_class(text)));
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
        assert_eq!(secret.reveal().len(), SHORTEST);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
