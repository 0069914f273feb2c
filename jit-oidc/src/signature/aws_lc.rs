//! The direct engine: keys become `ParsedPublicKey` once.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
};

use super::{BadSignature, KeyRefused, PreparedKey, SignatureEngine};
use crate::algorithm::Algorithm;
use crate::keys::PublicKey;

#[derive(Debug)]
pub(super) struct AwsLc;

impl SignatureEngine for AwsLc {
    fn prepare(&self, key: &PublicKey, algorithm: Algorithm) -> Result<Box<dyn PreparedKey>, KeyRefused> {
        let parsed = match (key, algorithm) {
            (PublicKey::Rsa { n, e }, _) => {
                let parameters = rsa(algorithm).ok_or(KeyRefused)?;
                PublicKeyComponents { n, e }.to_parsed_public_key(parameters)
            }
            (PublicKey::P256 { x, y }, Algorithm::Es256) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(x, y))
            }
            (PublicKey::P384 { x, y }, Algorithm::Es384) => {
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point(x, y))
            }
            (PublicKey::Ed25519 { x }, Algorithm::EdDsa | Algorithm::Ed25519) => {
                ParsedPublicKey::new(&ED25519, x)
            }
            _ => return Err(KeyRefused),
        };
        Ok(Box::new(Parsed(parsed.map_err(|_| KeyRefused)?)))
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// SEC 1 §2.3.3: an uncompressed point.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

struct Parsed(ParsedPublicKey);

impl PreparedKey for Parsed {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.0.verify_sig(message, signature).map_err(|_| BadSignature)
    }
}
