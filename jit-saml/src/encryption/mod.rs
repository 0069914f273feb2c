//! Decrypts what an identity provider encrypted for us (SAML Core §6, XML Encryption 1.1).
//!
//! What is decrypted proves nothing about who wrote it: anybody can encrypt with our public key. It goes back to the strict
//! reader and to the verification of signatures.

mod layout;
mod plaintext;

use std::cell::Cell;

use crate::crypto::{CryptoProvider, DecryptionKey};
use crate::rejection::Rejection;
use crate::xml::Element;
use layout::{Encrypted, WrappedKey};
pub(crate) use plaintext::{Opened, Plaintext};

/// The most that all attempts for one message may cost, however many encrypted elements and keys there are: 32 with RSA-2048,
/// 10 with RSA-4096. With what it takes to read the longest message beside them, nobody can make us spend more than 20
/// milliseconds before anything is proved.
const MAX_EFFORT: usize = 96;

/// The attempts with a private key for one message.
#[derive(Debug)]
pub(crate) struct Attempts {
    /// What they may still cost.
    left: Cell<usize>,
    /// Which encrypted key and which of ours fitted last: a provider encrypts all elements of a message alike.
    fitted: Cell<(usize, usize)>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { left: Cell::new(MAX_EFFORT), fitted: Cell::new((0, 0)) }
    }
}

impl Attempts {
    fn spend(&self, effort: usize) -> Result<(), Rejection> {
        let left = self.left.get().checked_sub(effort);
        self.left.set(left.unwrap_or_default());
        left.map(|_| ()).ok_or(Rejection::EncryptionTooManyKeys)
    }
}

/// With what is decrypted, and under which rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decryption<'a> {
    pub(crate) keys: &'a [DecryptionKey],
    /// Whether CBC is let through: the switch of the provider, under a response that is signed.
    pub(crate) cbc: bool,
    /// Our name, by which a provider may mark the key that is meant for us.
    pub(crate) recipient: &'a str,
    pub(crate) crypto: &'a dyn CryptoProvider,
    /// What is left for the message.
    pub(crate) attempts: &'a Attempts,
}

impl Decryption<'_> {
    /// Decrypts an `EncryptedAssertion`, `EncryptedID` or `EncryptedAttribute`: each of our keys with each of theirs in turn.
    ///
    /// What is wrong with the form is told; why a decryption failed is not.
    pub(crate) fn open(&self, holder: Element<'_>) -> Result<Plaintext, Rejection> {
        let encrypted = Encrypted::read(holder)?;
        if !encrypted.cipher.is_authenticated() && !self.cbc {
            return Err(Rejection::EncryptionCbc);
        }
        if self.keys.is_empty() {
            return Err(Rejection::DecryptionKeyMissing);
        }
        let wrapped: Vec<_> = self.meant_for_us(&encrypted.keys).collect();
        let (theirs, ours) = self.attempts.fitted.get();
        for (theirs, wrapped) in all_from(theirs, &wrapped) {
            for (ours, key) in all_from(ours, self.keys) {
                self.attempts.spend(key.effort())?;
                if let Some(octets) = self.attempt(&encrypted, wrapped, key) {
                    self.attempts.fitted.set((theirs, ours));
                    return Ok(Plaintext::new(octets, encrypted.cipher.is_authenticated()));
                }
            }
        }
        Err(Rejection::DecryptionFailed)
    }

    fn attempt(&self, encrypted: &Encrypted, wrapped: &WrappedKey, key: &DecryptionKey) -> Option<Vec<u8>> {
        let content_key = self.crypto.unwrap_key(wrapped.transport, key, &wrapped.octets).ok()?;
        let fits = content_key.len() == encrypted.cipher.key_length();
        fits.then(|| self.crypto.open(encrypted.cipher, &content_key, &encrypted.content).ok())?
    }

    /// Chooses the keys that name us, or all where none does.
    fn meant_for_us<'k>(&self, keys: &'k [WrappedKey]) -> impl Iterator<Item = &'k WrappedKey> {
        let names_us = |key: &WrappedKey, name: &str| key.recipient.as_deref() == Some(name);
        let marked = keys.iter().any(|key| names_us(key, self.recipient));
        let recipient = self.recipient;
        keys.iter().filter(move |key| !marked || names_us(key, recipient))
    }
}

/// Walks through all of a list, from this place on and then from the beginning.
fn all_from<T>(first: usize, items: &[T]) -> impl Iterator<Item = (usize, &T)> {
    items.iter().enumerate().cycle().skip(first).take(items.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_keys_are_tried_less_often() {
        for (effort, most) in [(3, 32), (5, 19), (9, 10), (48, 2)] {
            let attempts = Attempts::default();
            assert_eq!((0..100).filter(|_| attempts.spend(effort).is_ok()).count(), most, "{effort}");
        }
    }

    #[test]
    fn nothing_is_left_out_wherever_one_begins() {
        for first in 0..5 {
            let mut seen: Vec<_> = all_from(first, &["a", "b", "c"]).collect();
            assert_eq!(seen.first(), [(0, &"a"), (1, &"b"), (2, &"c")].get(first % 3));
            seen.sort_unstable();
            assert_eq!(seen, [(0, &"a"), (1, &"b"), (2, &"c")]);
        }
    }
}
