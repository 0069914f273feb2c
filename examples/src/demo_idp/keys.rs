use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// Names how the provider signs the tokens of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSASSA-PKCS1-v1.5 with 2,048 bits.
    Rs256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Holds the provider's keys, made when it starts and gone when it ends.
pub(crate) struct SigningKeys {
    ec: EcdsaKeyPair,
    ec_jwk: Value,
    rsa: RsaKeyPair,
    rsa_jwk: Value,
    random: SystemRandom,
}

impl SigningKeys {
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let (ec_jwk, rsa_jwk) = (ec_jwk(&ec)?, rsa_jwk(&rsa));
        Ok(Self { ec, ec_jwk, rsa, rsa_jwk, random: SystemRandom::new() })
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.ec_jwk, self.rsa_jwk] })
    }

    /// Signs claims as a compact JWS ([RFC 7515 section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)).
    pub(crate) fn sign(&self, algorithm: Algorithm, claims: &Value) -> Result<String, Unspecified> {
        let jwk = match algorithm {
            Algorithm::Es256 => &self.ec_jwk,
            Algorithm::Rs256 => &self.rsa_jwk,
        };
        let header = json!({ "alg": algorithm.name(), "kid": jwk.get("kid"), "typ": "JWT" });
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = match algorithm {
            Algorithm::Es256 => self.ec.sign(&self.random, signed.as_bytes())?.as_ref().to_vec(),
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature)?;
                signature
            }
        };
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }
}

fn ec_jwk(key: &EcdsaKeyPair) -> Result<Value, Unspecified> {
    let point: EcPublicKeyUncompressedBin<'_> = key.public_key().as_be_bytes()?;
    let (x, y) = point.as_ref().get(1..).and_then(|both| both.split_at_checked(32)).ok_or(Unspecified)?;
    let (x, y) = (BASE64.encode(x), BASE64.encode(y));
    let kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
    Ok(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256" }))
}

fn rsa_jwk(key: &RsaKeyPair) -> Value {
    let public = key.public_key();
    let n = BASE64.encode(public.modulus().big_endian_without_leading_zero());
    let e = BASE64.encode(public.exponent().big_endian_without_leading_zero());
    let kid = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
    json!({ "kty": "RSA", "n": n, "e": e, "kid": kid, "use": "sig", "alg": "RS256" })
}

/// Names a key by what it is ([RFC 7638 section 3](https://www.rfc-editor.org/rfc/rfc7638#section-3)).
fn thumbprint(required_members: &str) -> String {
    BASE64.encode(digest(&SHA256, required_members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    use super::*;

    fn parts(token: &str) -> (&str, Vec<u8>) {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        (signed, BASE64.decode(signature).unwrap())
    }

    fn member(jwk: &Value, name: &str) -> Vec<u8> {
        BASE64.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn published_keys_verify_what_is_signed() {
        let keys = SigningKeys::generate().unwrap();
        let jwks = keys.jwks();
        let claims = json!({ "sub": "x" });

        let token = keys.sign(Algorithm::Es256, &claims).unwrap();
        let (signed, signature) = parts(&token);
        let point = [&[4][..], &member(&jwks["keys"][0], "x"), &member(&jwks["keys"][0], "y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .unwrap();

        let token = keys.sign(Algorithm::Rs256, &claims).unwrap();
        let (signed, signature) = parts(&token);
        RsaPublicKeyComponents { n: member(&jwks["keys"][1], "n"), e: member(&jwks["keys"][1], "e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap();
    }
}
