//! Signs tokens with keys made on the spot.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair with its algorithm and name.
pub(crate) struct Signer {
    pair: Pair,
    algorithm: String,
    kid: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str, Vec<u8>),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// Makes a key for an algorithm.
    pub(crate) fn generate(algorithm: &str, kid: &str) -> Self {
        let pair = match algorithm {
            "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            "EdDSA" | "Ed25519" => Pair::Ed(Ed25519KeyPair::generate().expect("a key")),
            _ => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        };
        Self { pair, algorithm: algorithm.to_owned(), kid: kid.to_owned() }
    }

    /// The algorithm that the key was made for.
    pub(crate) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The public key as `aws-lc-rs` reads it.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair, ..) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let components = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": encode(&components.n), "e": encode(&components.e) })
            }
            Pair::Ec(pair, curve, _) => {
                let point = pair.public_key().as_ref().get(1..).expect("a point");
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        };
        let members = jwk.as_object_mut().expect("an object");
        members.insert("kid".into(), json!(self.kid));
        members.insert("alg".into(), json!(self.algorithm));
        members.insert("use".into(), json!("sig"));
        jwk
    }

    /// The header that goes with the key.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.algorithm, "kid": self.kid })
    }

    /// Signs claims under the key's own header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    /// Signs claims under any header.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// Signs any bytes.
    pub(crate) fn token_of(&self, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", encode(&signature))
    }

    /// Signs a message with the key's algorithm.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(&self.algorithm, message)
    }

    /// Signs a message with another algorithm of the same family.
    pub(crate) fn sign_as(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa(algorithm), &SystemRandom::new(), message, &mut signature)
                    .expect("a signature");
                signature
            }
            Pair::Ec(pair, ..) => {
                pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// Signs a message on P-256 in DER, as X.509 does and JOSE does not.
    pub(crate) fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let Pair::Ec(_, _, pkcs8) = &self.pair else { return Vec::new() };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).expect("the same key");
        pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec(algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm, curve: &'static str) -> Pair {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("the same key");
    Pair::Ec(pair, curve, pkcs8.as_ref().to_vec())
}

fn rsa(algorithm: &str) -> &'static dyn RsaEncoding {
    match algorithm {
        "RS384" => &RSA_PKCS1_SHA384,
        "RS512" => &RSA_PKCS1_SHA512,
        "PS256" => &RSA_PSS_SHA256,
        "PS384" => &RSA_PSS_SHA384,
        "PS512" => &RSA_PSS_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}
