//! JSON Web Keys (RFC 7517) as a provider publishes them, checked one by one and prepared once.

use std::fmt;

use serde_json::{Map, Value};

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::base64url;
use crate::jose::MAX_KID;
use crate::json;
use crate::rejection::Rejection;
use crate::signature::{Engine, PreparedKey};

/// The longest key set that is read.
pub const MAX_KEY_SET: usize = 256 * 1024;
/// The highest number of keys in a set.
pub const MAX_KEYS: usize = 100;

const MAX_VALUES: usize = 8 * 1024;
/// Keys that share a `kid` and an algorithm are tried one after the other, up to this many.
const MAX_CANDIDATES: usize = 4;
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
const RSA_EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=0x1_ffff_ffff;

/// The numbers of a public key, big-endian; lengths are checked, the mathematics is left to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA modulus and exponent without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A point on P-256.
    P256 {
        /// 32 bytes.
        x: Vec<u8>,
        /// 32 bytes.
        y: Vec<u8>,
    },
    /// A point on P-384.
    P384 {
        /// 48 bytes.
        x: Vec<u8>,
        /// 48 bytes.
        y: Vec<u8>,
    },
    /// An Ed25519 key.
    Ed25519 {
        /// 32 bytes.
        x: Vec<u8>,
    },
}

/// The keys of one issuer, prepared for the allowed algorithms.
pub struct KeySet {
    keys: Vec<Key>,
    refused: Vec<RefusedKey>,
}

/// A published key that is never used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedKey {
    /// Its place in the published array.
    pub index: usize,
    /// Its name, where it has a readable one.
    pub kid: Option<String>,
    /// The rule that it breaks.
    pub reason: Rejection,
}

pub(crate) struct Key {
    kid: Option<String>,
    /// Microsoft Entra publishes for each key the issuer that may use it.
    pub(crate) issuer: Option<String>,
    prepared: Vec<(Algorithm, Box<dyn PreparedKey>)>,
}

impl KeySet {
    /// Reads a key set and prepares each key for those allowed algorithms that it fits. A key that cannot be used
    /// is left out and listed in [`KeySet::refused`]; it never spoils the others.
    ///
    /// # Errors
    /// `oidc.key_set_too_large`, `oidc.key_set_malformed`, or `oidc.json_…` and `oidc.utf8_invalid` for the text.
    pub fn parse(text: &[u8], engine: &Engine, allowed: AlgorithmSet) -> Result<Self, Rejection> {
        if text.len() > MAX_KEY_SET {
            return Err(Rejection::KeySetTooLarge);
        }
        let document = json::object(text, MAX_VALUES)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(Rejection::KeySetMalformed)?;
        if keys.len() > MAX_KEYS {
            return Err(Rejection::KeySetTooLarge);
        }
        let mut set = Self { keys: Vec::with_capacity(keys.len()), refused: Vec::new() };
        for (index, key) in keys.iter().enumerate() {
            let members = key.as_object().ok_or(Rejection::KeySetMalformed)?;
            match Key::parse(members, engine, allowed) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.refused.push(RefusedKey { index, kid: text_of(members, "kid"), reason }),
            }
        }
        Ok(set)
    }

    /// Lists the published keys that are never used.
    #[must_use]
    pub fn refused(&self) -> &[RefusedKey] {
        &self.refused
    }

    /// Counts the keys that can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Tells whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Tells whether a key with this name can be used.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Checks a signature with the key that `kid` names, or with the only key that fits.
    pub(crate) fn verify(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<&Key, Rejection> {
        for (key, prepared) in self.candidates(kid, algorithm)? {
            if prepared.verify(message, signature).is_ok() {
                return Ok(key);
            }
        }
        Err(Rejection::SignatureInvalid)
    }

    fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<impl Iterator<Item = (&Key, &dyn PreparedKey)>, Rejection> {
        let fitting = self
            .keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
            .filter_map(move |key| Some((key, key.prepared_for(algorithm)?)));
        match (fitting.clone().count(), kid) {
            (0, Some(kid)) => Err(self.why_not(kid)),
            (0, None) => Err(Rejection::KeyMissing),
            // OpenID Connect Core §10.1: `kid` is required when the set holds several keys
            (2.., None) => Err(Rejection::KeyAmbiguous),
            _ => Ok(fitting.take(MAX_CANDIDATES)),
        }
    }

    fn why_not(&self, kid: &str) -> Rejection {
        if self.has(kid) {
            return Rejection::KeyAlgorithmMismatch;
        }
        let refused = self.refused.iter().find(|key| key.kid.as_deref() == Some(kid));
        refused.map_or(Rejection::KeyUnknown, |key| key.reason)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<_> = self.keys.iter().map(|key| key.kid.as_deref()).collect();
        f.debug_struct("KeySet").field("kids", &kids).field("refused", &self.refused).finish()
    }
}

impl Key {
    fn parse(
        members: &Map<String, Value>,
        engine: &Engine,
        allowed: AlgorithmSet,
    ) -> Result<Self, Rejection> {
        let public = PublicKey::from_jwk(members)?;
        check_use(members)?;
        let bound = bound_algorithm(members)?;
        let usable = allowed
            .iter()
            .filter(|algorithm| public.fits(*algorithm))
            .filter(|algorithm| bound.is_none_or(|bound| algorithm.is_same_scheme(bound)));
        let mut prepared = Vec::new();
        for algorithm in usable {
            prepared
                .push((algorithm, engine.prepare(&public, algorithm).map_err(|_| Rejection::KeyInvalid)?));
        }
        if prepared.is_empty() {
            return Err(Rejection::KeyAlgorithmMismatch);
        }
        Ok(Self { kid: kid(members)?, issuer: text_of(members, "issuer"), prepared })
    }

    fn prepared_for(&self, algorithm: Algorithm) -> Option<&dyn PreparedKey> {
        let (_, key) = self.prepared.iter().find(|(prepared, _)| *prepared == algorithm)?;
        Some(key.as_ref())
    }
}

impl PublicKey {
    fn from_jwk(members: &Map<String, Value>) -> Result<Self, Rejection> {
        let kty = members.get("kty").and_then(Value::as_str).ok_or(Rejection::KeyMalformed)?;
        if kty == "oct" {
            return Err(Rejection::KeySymmetric);
        }
        if members.contains_key("d") {
            return Err(Rejection::KeyPrivate);
        }
        match (kty, members.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => Self::rsa(members),
            ("EC", Some("P-256")) => {
                Ok(Self::P256 { x: fixed(members, "x", 32)?, y: fixed(members, "y", 32)? })
            }
            ("EC", Some("P-384")) => {
                Ok(Self::P384 { x: fixed(members, "x", 48)?, y: fixed(members, "y", 48)? })
            }
            ("OKP", Some("Ed25519")) => Ok(Self::Ed25519 { x: fixed(members, "x", 32)? }),
            ("EC" | "OKP", None) => Err(Rejection::KeyMalformed),
            _ => Err(Rejection::KeyTypeUnsupported),
        }
    }

    fn rsa(members: &Map<String, Value>) -> Result<Self, Rejection> {
        let n = without_leading_zeros(bytes(members, "n")?);
        let e = without_leading_zeros(bytes(members, "e")?);
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if bits < *RSA_BITS.start() {
            return Err(Rejection::KeyRsaTooSmall);
        }
        if bits > *RSA_BITS.end() {
            return Err(Rejection::KeyRsaTooLarge);
        }
        if n.last().is_none_or(|byte| byte % 2 == 0) {
            return Err(Rejection::KeyRsaModulus);
        }
        let exponent =
            if e.len() <= 8 { e.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) } else { 0 };
        if exponent % 2 == 0 || !RSA_EXPONENTS.contains(&exponent) {
            return Err(Rejection::KeyRsaExponent);
        }
        Ok(Self::Rsa { n, e })
    }

    const fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{Ed25519, EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::P256 { .. } => matches!(algorithm, Es256),
            Self::P384 { .. } => matches!(algorithm, Es384),
            Self::Ed25519 { .. } => matches!(algorithm, EdDsa | Ed25519),
        }
    }
}

/// RFC 7517 §4.2 and §4.3.
fn check_use(members: &Map<String, Value>) -> Result<(), Rejection> {
    let signs = members.get("use").is_none_or(|purpose| purpose == "sig");
    let verifies = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => return Err(Rejection::KeyMalformed),
    };
    if signs && verifies { Ok(()) } else { Err(Rejection::KeyNotForSignatures) }
}

/// RFC 8725 §3.1: a key is used with one algorithm only, where it names one.
fn bound_algorithm(members: &Map<String, Value>) -> Result<Option<Algorithm>, Rejection> {
    match members.get("alg") {
        None => Ok(None),
        Some(Value::String(name)) => {
            Algorithm::from_name(name).map(Some).ok_or(Rejection::KeyAlgorithmMismatch)
        }
        Some(_) => Err(Rejection::KeyMalformed),
    }
}

fn kid(members: &Map<String, Value>) -> Result<Option<String>, Rejection> {
    match members.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.clone())),
        Some(_) => Err(Rejection::KeyMalformed),
    }
}

fn text_of(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_str).filter(|text| text.len() <= MAX_KID).map(str::to_owned)
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Rejection> {
    let text = members.get(name).and_then(Value::as_str).ok_or(Rejection::KeyMalformed)?;
    base64url::decode(text.as_bytes()).map_err(|_| Rejection::KeyMalformed)
}

fn fixed(members: &Map<String, Value>, name: &str, len: usize) -> Result<Vec<u8>, Rejection> {
    bytes(members, name)
        .and_then(|bytes| if bytes.len() == len { Ok(bytes) } else { Err(Rejection::KeyMalformed) })
}

/// RFC 7518 §6.3.1.1 forbids leading zeros; some Java providers publish one all the same, and it changes nothing.
fn without_leading_zeros(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}
