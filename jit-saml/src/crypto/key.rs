//! Keys that verify signatures.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::ParsedPublicKey;

use super::{SignatureAlgorithm, aws_lc, certificate, pem};

/// Says why a key is not used. It concerns that key only: the other keys of a connection work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// `saml.key_malformed`
    #[error("the certificate or key cannot be read")]
    Malformed,
    /// `saml.key_type_unsupported`
    #[error("the key is neither an RSA nor an elliptic curve key")]
    TypeUnsupported,
    /// `saml.key_curve_unsupported`
    #[error("the curve of the key is not P-256, P-384 or P-521")]
    CurveUnsupported,
    /// `saml.key_rsa_too_small`
    #[error("the RSA key is shorter than 2048 bits")]
    RsaTooSmall,
    /// `saml.key_rsa_too_large`
    #[error("the RSA key is longer than 8192 bits")]
    RsaTooLarge,
    /// `saml.key_invalid`
    #[error("the numbers of the key are not a key")]
    Invalid,
}

impl KeyError {
    /// Lists every error.
    pub const ALL: &'static [Self] = &[
        Self::Malformed,
        Self::TypeUnsupported,
        Self::CurveUnsupported,
        Self::RsaTooSmall,
        Self::RsaTooLarge,
        Self::Invalid,
    ];

    /// Names the error; stable across releases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "saml.key_malformed",
            Self::TypeUnsupported => "saml.key_type_unsupported",
            Self::CurveUnsupported => "saml.key_curve_unsupported",
            Self::RsaTooSmall => "saml.key_rsa_too_small",
            Self::RsaTooLarge => "saml.key_rsa_too_large",
            Self::Invalid => "saml.key_invalid",
        }
    }
}

/// The curves that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
}

impl Curve {
    /// Answers how many octets a coordinate has.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A public key as a [`super::CryptoProvider`] takes it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// `RSAPublicKey` in DER (RFC 8017 §A.1.1).
    Rsa {
        /// The encoded key.
        pkcs1: Vec<u8>,
    },
    /// A point of a curve (SEC 1 §2.3.3).
    Ec {
        /// The curve.
        curve: Curve,
        /// The encoded point.
        point: Vec<u8>,
    },
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { .. } => f.write_str("Rsa"),
            Self::Ec { curve, .. } => write!(f, "Ec({curve:?})"),
        }
    }
}

/// A key that verifies signatures of one connection: RSA of 2048 to 8192 bits, or P-256, P-384, P-521.
///
/// It is read once and cheap to clone.
#[derive(Clone)]
pub struct VerificationKey(Arc<Inner>);

struct Inner {
    public: PublicKey,
    fingerprint: [u8; 32],
    /// The key as aws-lc holds it, for each digest; made when it is first used.
    prepared: [OnceLock<Option<ParsedPublicKey>>; 4],
}

impl VerificationKey {
    /// Takes the public key out of an X.509 certificate. Nothing else of the certificate is read: it may be expired,
    /// self-signed, of version 1.
    ///
    /// # Errors
    /// Every [`KeyError`] is possible.
    pub fn from_certificate(der: &[u8]) -> Result<Self, KeyError> {
        Self::new(certificate::of_certificate(der)?)
    }

    /// Takes a bare public key (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// Every [`KeyError`] is possible.
    pub fn from_public_key_info(der: &[u8]) -> Result<Self, KeyError> {
        Self::new(certificate::of_public_key(der)?)
    }

    /// Takes the first certificate or public key of a PEM text.
    ///
    /// # Errors
    /// Every [`KeyError`] is possible.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if let Some(der) = pem::decode("CERTIFICATE", text) {
            return Self::from_certificate(&der);
        }
        pem::decode("PUBLIC KEY", text)
            .map_or(Err(KeyError::Malformed), |der| Self::from_public_key_info(&der))
    }

    fn new(public: PublicKey) -> Result<Self, KeyError> {
        let octets = match &public {
            PublicKey::Rsa { pkcs1 } => check_rsa(pkcs1).map(|()| pkcs1)?,
            PublicKey::Ec { point, .. } => point,
        };
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, octets).as_ref());
        let key = Self(Arc::new(Inner { public, fingerprint, prepared: Default::default() }));
        let usual = match key.public() {
            PublicKey::Rsa { .. } => SignatureAlgorithm::RsaSha256,
            PublicKey::Ec { .. } => SignatureAlgorithm::EcdsaSha256,
        };
        if key.prepared(usual).is_none() { Err(KeyError::Invalid) } else { Ok(key) }
    }

    /// Answers the key itself.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Answers the SHA-256 digest of the key, which tells keys apart in logs.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// Says whether the key can have made signatures of this algorithm.
    #[must_use]
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        algorithm.is_rsa() == matches!(self.public(), PublicKey::Rsa { .. })
    }

    pub(super) fn prepared(&self, algorithm: SignatureAlgorithm) -> Option<&ParsedPublicKey> {
        let place = self.0.prepared.get(algorithm.digest() as usize)?;
        place.get_or_init(|| aws_lc::prepare(self.public(), algorithm)).as_ref()
    }
}

impl PartialEq for VerificationKey {
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}

impl Eq for VerificationKey {}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({:?}, ", self.public())?;
        self.fingerprint().iter().take(8).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str("…)")
    }
}

fn check_rsa(pkcs1: &[u8]) -> Result<(), KeyError> {
    match certificate::modulus_bits(pkcs1)? {
        0..2048 => Err(KeyError::RsaTooSmall),
        2048..=8192 => Ok(()),
        _ => Err(KeyError::RsaTooLarge),
    }
}
