//! Cryptography behind one trait.
//!
//! What an algorithm is allowed for is decided in [`crate::signature`] and in the reading of encrypted assertions; here
//! it is only carried out. RSA with PKCS#1 v1.5 encryption and Triple DES are not here at all.

mod algorithm;
mod aws_lc;
mod certificate;
mod decryption_key;
mod key;
mod pem;
mod private_key;
mod provider;

pub use algorithm::{ContentCipher, DigestAlgorithm, KeyTransport, SignatureAlgorithm};
pub use aws_lc::AwsLc;
pub use decryption_key::DecryptionKey;
pub use key::{Curve, KeyError, PublicKey, VerificationKey};
pub use pem::{decode as decode_pem, decode_all as decode_all_pem};
pub(crate) use private_key::pkcs8;
pub use provider::{BadSignature, CryptoProvider, DecryptionFailed};
