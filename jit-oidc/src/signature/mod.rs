//! Signature checks as a value that is handed over: nothing here is chosen by features or looked up process-wide.

use std::fmt;
use std::sync::Arc;

use crate::algorithm::Algorithm;
use crate::keys::PublicKey;

#[cfg(feature = "engine-aws-lc")]
mod aws_lc;
#[cfg(feature = "engine-jsonwebtoken")]
mod jsonwebtoken;

/// Prepares public keys so that each is parsed once and used many times.
pub trait SignatureEngine: Send + Sync + fmt::Debug {
    /// Parses a public key for one algorithm.
    ///
    /// # Errors
    /// [`KeyRefused`] when the key is not one that the algorithm can use, for example a point off its curve.
    fn prepare(&self, key: &PublicKey, algorithm: Algorithm) -> Result<Box<dyn PreparedKey>, KeyRefused>;
}

/// A parsed public key that is bound to one algorithm.
pub trait PreparedKey: Send + Sync {
    /// Checks a signature in its JOSE form (RFC 7518 §3.4: ECDSA signatures are R and S, not DER).
    ///
    /// # Errors
    /// [`BadSignature`] whenever the signature is not proved good.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature>;
}

/// A key cannot be used with an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature engine refuses the key")]
pub struct KeyRefused;

/// A signature does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

/// A shared [`SignatureEngine`], by name.
#[derive(Debug, Clone)]
pub struct Engine(Arc<dyn SignatureEngine>);

impl Engine {
    /// Checks with `aws-lc-rs` itself and keeps parsed keys: the fast one.
    #[cfg(feature = "engine-aws-lc")]
    #[must_use]
    pub fn aws_lc() -> Self {
        Self(Arc::new(aws_lc::AwsLc))
    }

    /// Checks with the explicitly named `aws-lc-rs` provider of `jsonwebtoken`.
    ///
    /// Its verifiers are neither `Send` nor `Sync`, so they are built anew for each signature and parse an RSA key
    /// each time. The answers are those of [`Engine::aws_lc`].
    #[cfg(feature = "engine-jsonwebtoken")]
    #[must_use]
    pub fn jsonwebtoken() -> Self {
        Self(Arc::new(jsonwebtoken::JsonWebToken))
    }

    /// Wraps an engine of the caller, for example one over a hardware module.
    #[must_use]
    pub fn custom(engine: Arc<dyn SignatureEngine>) -> Self {
        Self(engine)
    }

    pub(crate) fn prepare(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
    ) -> Result<Box<dyn PreparedKey>, KeyRefused> {
        self.0.prepare(key, algorithm)
    }
}
