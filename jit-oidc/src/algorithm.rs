//! Signature algorithms by their exact JOSE names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An asymmetric signature algorithm of RFC 7518, RFC 8037 or RFC 9864. MACs are not in it on purpose: a key
/// that everybody can read must never become a secret (RFC 8725 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// `EdDSA`; only with Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// Ed25519 under the fully specified name of RFC 9864.
    #[serde(rename = "Ed25519")]
    Ed25519,
}

impl Algorithm {
    /// Lists every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// Finds an algorithm by its exact name; case matters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// Names the algorithm as headers and metadata do.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The hash that `at_hash` and `c_hash` use beside this algorithm (OpenID Connect Core §3.1.3.6).
    pub(crate) fn hash(self) -> &'static aws_lc_rs::digest::Algorithm {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &aws_lc_rs::digest::SHA256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => &aws_lc_rs::digest::SHA384,
            Self::Rs512 | Self::Ps512 | Self::EdDsa | Self::Ed25519 => &aws_lc_rs::digest::SHA512,
        }
    }

    /// Tells whether a key that is bound to `other` serves this algorithm: the two names of Ed25519 are one.
    pub(crate) fn is_same_scheme(self, other: Self) -> bool {
        let is_ed25519 = |algorithm| matches!(algorithm, Self::EdDsa | Self::Ed25519);
        self == other || is_ed25519(self) && is_ed25519(other)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of allowed algorithms; configured, and at most narrowed by what a provider publishes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The set without any algorithm.
    pub const EMPTY: Self = Self(0);

    /// Collects algorithms.
    #[must_use]
    pub fn of(algorithms: &[Algorithm]) -> Self {
        Self(algorithms.iter().fold(0, |bits, algorithm| bits | algorithm.bit()))
    }

    /// Tells whether the set holds `algorithm`.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Keeps what both sets hold.
    #[must_use]
    pub const fn narrowed_to(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Tells whether nothing is allowed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Walks through the algorithms.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.iter().copied().filter(move |algorithm| self.contains(*algorithm))
    }
}

/// RS256, PS256, ES256, ES384 and Ed25519 under both names.
impl Default for AlgorithmSet {
    fn default() -> Self {
        use Algorithm::{Ed25519, EdDsa, Es256, Es384, Ps256, Rs256};
        Self::of(&[Rs256, Ps256, Es256, Es384, EdDsa, Ed25519])
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
        }
        for name in ["rs256", "RS256 ", "HS256", "none", "", "ES256K", "ES512", "RSA-OAEP"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn sets_only_narrow() {
        let configured = AlgorithmSet::of(&[Algorithm::Es256, Algorithm::Rs256]);
        let published = AlgorithmSet::of(&[Algorithm::Rs256, Algorithm::Rs512]);
        assert_eq!(configured.narrowed_to(published), AlgorithmSet::of(&[Algorithm::Rs256]));
        assert!(configured.narrowed_to(AlgorithmSet::EMPTY).is_empty());
    }
}
