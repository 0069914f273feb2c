//! The octets that were signed.

use std::fmt;

use crate::crypto::SignatureAlgorithm;
use crate::xml::{Document, Limits, XmlError};

/// Says which key verified a signature, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBy {
    pub(super) key: usize,
    pub(super) fingerprint: [u8; 32],
    pub(super) algorithm: SignatureAlgorithm,
}

impl VerifiedBy {
    /// Answers the place of the key among those that were offered.
    #[must_use]
    pub fn key(&self) -> usize {
        self.key
    }

    /// Answers the fingerprint of the key.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Answers the identifier of the signature algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.algorithm.uri()
    }
}

/// The octets whose digest a verified signature holds: the canonical form of the signed element without its signature.
///
/// Only verification makes them.
#[must_use = "what was signed is read from here and from nowhere else"]
pub struct SignedOctets {
    pub(super) text: String,
    pub(super) by: VerifiedBy,
}

impl SignedOctets {
    /// Answers the octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Reads what was signed.
    ///
    /// # Errors
    /// An [`XmlError`] where the signed element alone exceeds the limits.
    pub fn document(&self, limits: &Limits) -> Result<Document<'_>, XmlError> {
        Document::parse_canonical(&self.text, limits)
    }

    /// Says which key verified the signature, and how.
    #[must_use]
    pub fn by(&self) -> &VerifiedBy {
        &self.by
    }
}

impl fmt::Debug for SignedOctets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedOctets").field("by", &self.by).finish_non_exhaustive()
    }
}
