//! The port through which all cryptography goes.

use std::fmt::Debug;

use super::{
    ContentCipher, DecryptionKey, DigestAlgorithm, KeyTransport, SignatureAlgorithm, VerificationKey,
};

/// Says that a signature does not match; there is nothing more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

/// Says that something could not be decrypted. It is one error for every cause, because each distinction would be an
/// oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed")]
pub struct DecryptionFailed;

/// Carries out cryptography. It is handed over as a value; nothing is looked up process-wide.
pub trait CryptoProvider: Send + Sync + Debug {
    /// Verifies a signature. For elliptic curves it is `r || s` in full length (RFC 4050 §3.3), as XML carries it.
    ///
    /// # Errors
    /// [`BadSignature`] where it does not match, or where key and algorithm do not fit.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &VerificationKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature>;

    /// Computes a digest.
    fn digest(&self, algorithm: DigestAlgorithm, octets: &[u8]) -> Vec<u8>;

    /// Opens `IV || ciphertext` of CBC, padded as XML Encryption 1.1 §5.2 says, or `IV || ciphertext || tag` of GCM.
    ///
    /// # Errors
    /// [`DecryptionFailed`] for every cause.
    fn open(&self, cipher: ContentCipher, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DecryptionFailed>;

    /// Decrypts a transported content key.
    ///
    /// # Errors
    /// [`DecryptionFailed`] for every cause.
    fn unwrap_key(
        &self,
        transport: KeyTransport,
        key: &DecryptionKey,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, DecryptionFailed>;
}
