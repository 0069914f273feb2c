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

/// The most attempts with a private key for one element, so that nobody can make us spend more than 20 milliseconds
/// before anything is proved, even where the keys have 4,096 bits.
const MAX_ATTEMPTS: usize = 8;

/// The most that all attempts for one message may cost, which may hold many encrypted elements: 32 with RSA-2048, 12 with
/// RSA-4096.
const MAX_EFFORT: usize = 96;

/// What attempts with a private key may still cost for one message.
#[derive(Debug)]
pub(crate) struct Attempts(Cell<usize>);

impl Default for Attempts {
    fn default() -> Self {
        Self(Cell::new(MAX_EFFORT))
    }
}

impl Attempts {
    fn spend(&self, effort: usize) -> bool {
        let left = self.0.get().checked_sub(effort);
        self.0.set(left.unwrap_or_default());
        left.is_some()
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
    /// Decrypts an `EncryptedAssertion`, `EncryptedID` or `EncryptedAttribute`: each key in turn.
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
        if self.attempts.0.get() == 0 {
            return Err(Rejection::EncryptionTooManyKeys);
        }
        let wrapped = self.meant_for_us(&encrypted.keys);
        let attempts = wrapped.flat_map(|wrapped| self.keys.iter().map(move |key| (wrapped, key)));
        let mut opened = attempts
            .take(MAX_ATTEMPTS)
            .take_while(|(_, key)| self.attempts.spend(key.effort()))
            .filter_map(|(wrapped, key)| {
                let content_key = self.crypto.unwrap_key(wrapped.transport, key, &wrapped.octets).ok()?;
                let fits = content_key.len() == encrypted.cipher.key_length();
                fits.then(|| self.crypto.open(encrypted.cipher, &content_key, &encrypted.content).ok())?
            });
        let octets = opened.next().ok_or(Rejection::DecryptionFailed)?;
        Ok(Plaintext::new(octets, encrypted.cipher.is_authenticated()))
    }

    /// Chooses the keys that name us, or all where none does.
    fn meant_for_us<'k>(&self, keys: &'k [WrappedKey]) -> impl Iterator<Item = &'k WrappedKey> {
        let names_us = |key: &WrappedKey, name: &str| key.recipient.as_deref() == Some(name);
        let marked = keys.iter().any(|key| names_us(key, self.recipient));
        let recipient = self.recipient;
        keys.iter().filter(move |key| !marked || names_us(key, recipient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_keys_are_tried_less_often() {
        for (effort, most) in [(3, 32), (5, 19), (8, 12), (48, 2)] {
            let attempts = Attempts::default();
            assert_eq!((0..100).filter(|_| attempts.spend(effort)).count(), most, "{effort}");
        }
    }
}
