//! `jsonwebtoken` as an engine: its provider is named here, its process-wide default and its `decode` are never used.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

use super::{BadSignature, KeyRefused, PreparedKey, SignatureEngine};
use crate::algorithm::Algorithm;
use crate::base64url::encode;
use crate::keys::PublicKey;

#[derive(Debug)]
pub(super) struct JsonWebToken;

impl SignatureEngine for JsonWebToken {
    fn prepare(&self, key: &PublicKey, algorithm: Algorithm) -> Result<Box<dyn PreparedKey>, KeyRefused> {
        let (key, algorithm) = match (key, scheme(algorithm)) {
            (PublicKey::Rsa { n, e }, algorithm) if is_rsa(algorithm) => {
                (DecodingKey::from_rsa_raw_components(n, e), algorithm)
            }
            (PublicKey::P256 { x, y }, jsonwebtoken::Algorithm::ES256)
            | (PublicKey::P384 { x, y }, jsonwebtoken::Algorithm::ES384) => {
                (elliptic(x, y)?, scheme(algorithm))
            }
            (PublicKey::Ed25519 { x }, jsonwebtoken::Algorithm::EdDSA) => {
                let x = encode(x);
                (DecodingKey::from_ed_components(&x).map_err(|_| KeyRefused)?, scheme(algorithm))
            }
            _ => return Err(KeyRefused),
        };
        Ok(Box::new(Named { key, algorithm }))
    }
}

fn elliptic(x: &[u8], y: &[u8]) -> Result<DecodingKey, KeyRefused> {
    DecodingKey::from_ec_components(&encode(x), &encode(y)).map_err(|_| KeyRefused)
}

const fn scheme(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDsa | Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
    }
}

const fn is_rsa(algorithm: jsonwebtoken::Algorithm) -> bool {
    use jsonwebtoken::Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512)
}

struct Named {
    key: DecodingKey,
    algorithm: jsonwebtoken::Algorithm,
}

impl PreparedKey for Named {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let verifier =
            (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key).map_err(|_| BadSignature)?;
        verifier.verify(message, &signature.to_vec()).map_err(|_| BadSignature)
    }
}
