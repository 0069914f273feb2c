//! How this client proves to the token endpoint who it is (OpenID Connect Core §9, RFC 7523).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::base64url::encode;
use crate::secret::Secret;

/// How long a client assertion lives.
const ASSERTION_LIFE: TimeDelta = TimeDelta::minutes(2);
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client authenticates.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// Not at all: a public client, protected by PKCE.
    None,
    /// By its secret in the `Authorization` header.
    SecretBasic(Secret),
    /// By its secret in the body.
    SecretPost(Secret),
    /// By a signed assertion (RFC 7523).
    PrivateKeyJwt {
        /// The key that signs.
        key: SigningKey,
        /// For whom the assertion is made.
        audience: AssertionAudience,
    },
    /// By a signed token in the place of the secret, as Apple wants it.
    SignedSecret {
        /// The key that signs.
        key: SigningKey,
        /// The name of the team that owns the key.
        team: String,
    },
}

/// For whom a client assertion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer: an assertion that one provider receives is worth nothing at another.
    Issuer,
    /// The address of the token endpoint, for providers that know no other way.
    TokenEndpoint,
}

/// A private key of the client, with the name under which the provider knows it.
#[derive(Clone)]
pub struct SigningKey {
    kid: Option<String>,
    pair: Arc<Pair>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is not a PKCS#8 key for ES256, EdDSA or RS256")]
pub struct SigningKeyError;

impl SigningKey {
    /// Reads a PKCS#8 key in PEM: P-256, Ed25519 or RSA.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn from_pem(pem: &Secret, kid: Option<String>) -> Result<Self, SigningKeyError> {
        let text: String =
            pem.expose().lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(text).map_err(|_| SigningKeyError)?;
        Self::from_pkcs8(&der, kid)
    }

    /// Reads a PKCS#8 key in DER.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn from_pkcs8(der: &[u8], kid: Option<String>) -> Result<Self, SigningKeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map(Pair::Ecdsa)
            .or_else(|_| Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519))
            .or_else(|_| RsaKeyPair::from_pkcs8(der).map(Pair::Rsa))
            .map_err(|_| SigningKeyError)?;
        Ok(Self { kid, pair: Arc::new(pair) })
    }

    fn sign(&self, claims: &Value) -> Option<String> {
        let mut header = json!({ "alg": self.algorithm(), "typ": "JWT" });
        if let (Some(kid), Some(members)) = (&self.kid, header.as_object_mut()) {
            members.insert("kid".to_owned(), json!(kid));
        }
        let message =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = self.signature(message.as_bytes())?;
        Some(format!("{message}.{}", encode(&signature)))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self.pair.as_ref() {
            Pair::Ecdsa(pair) => Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self.pair.as_ref() {
            Pair::Ecdsa(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// To whom a client proves itself, and when.
pub(crate) struct Occasion<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) token_endpoint: &'a str,
    pub(crate) now: DateTime<Utc>,
    /// Fresh for each assertion.
    pub(crate) jti: String,
}

/// What a token request needs to carry.
pub(crate) struct Proof {
    pub(crate) authorization: Option<String>,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

impl ClientAuthentication {
    /// Makes the proof for one token request; `None` when the key cannot sign.
    pub(crate) fn prove(&self, occasion: &Occasion<'_>) -> Option<Proof> {
        let id = ("client_id", occasion.client_id.to_owned());
        let proof = match self {
            Self::None => Proof { authorization: None, parameters: vec![id] },
            Self::SecretBasic(secret) => {
                Proof { authorization: Some(basic(occasion.client_id, secret)), parameters: Vec::new() }
            }
            Self::SecretPost(secret) => {
                let secret = ("client_secret", secret.expose().to_owned());
                Proof { authorization: None, parameters: vec![id, secret] }
            }
            Self::PrivateKeyJwt { key, audience } => {
                let audience = match audience {
                    AssertionAudience::Issuer => occasion.issuer,
                    AssertionAudience::TokenEndpoint => occasion.token_endpoint,
                };
                let assertion = key.sign(&assertion(occasion, occasion.client_id, audience))?;
                let kind = ("client_assertion_type", ASSERTION_TYPE.to_owned());
                Proof { authorization: None, parameters: vec![id, kind, ("client_assertion", assertion)] }
            }
            Self::SignedSecret { key, team } => {
                let secret = key.sign(&assertion(occasion, team, occasion.issuer))?;
                Proof { authorization: None, parameters: vec![id, ("client_secret", secret)] }
            }
        };
        Some(proof)
    }
}

/// RFC 7523 §3; for Apple the issuer of the assertion is the team.
fn assertion(occasion: &Occasion<'_>, issuer: &str, audience: &str) -> Value {
    json!({
        "iss": issuer,
        "sub": occasion.client_id,
        "aud": audience,
        "jti": occasion.jti,
        "iat": occasion.now.timestamp(),
        "exp": (occasion.now + ASSERTION_LIFE).timestamp(),
    })
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret) -> String {
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form(client_id), form(secret.expose()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion() -> Occasion<'static> {
        Occasion {
            client_id: "my client",
            issuer: "https://op.example.com",
            token_endpoint: "https://op.example.com/token",
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            jti: "once".into(),
        }
    }

    #[test]
    fn basic_encodes_both_parts() {
        let proof = ClientAuthentication::SecretBasic(Secret::new("a:b+c")).prove(&occasion()).unwrap();
        let encoded = proof.authorization.unwrap();
        let decoded = STANDARD.decode(encoded.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(decoded, b"my+client:a%3Ab%2Bc");
        assert!(proof.parameters.is_empty());
    }

    #[test]
    fn assertions_are_for_the_issuer_and_short_lived() {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(pkcs8.as_ref())
        );
        let key = SigningKey::from_pem(&Secret::new(pem), Some("k1".into())).unwrap();
        let method = ClientAuthentication::PrivateKeyJwt { key, audience: AssertionAudience::Issuer };
        let proof = method.prove(&occasion()).unwrap();
        let (_, assertion) = proof.parameters.iter().find(|(name, _)| *name == "client_assertion").unwrap();
        let payload = crate::base64url::decode(assertion.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["aud"], "https://op.example.com");
        assert_eq!(claims["iss"], claims["sub"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", ClientAuthentication::SecretPost(Secret::new("hunter2")));
        assert!(!shown.contains("hunter2"));
    }
}
