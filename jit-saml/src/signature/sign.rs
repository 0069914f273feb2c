//! Signs what we emit.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256,
};

use super::{ASSERTION_NAMESPACE, DSIG_NAMESPACE, ENVELOPED, EXCLUSIVE};
use crate::base64_text;
use crate::crypto::{
    AwsLc, CryptoProvider as _, DigestAlgorithm, KeyError, SignatureAlgorithm, decode_pem, pkcs8,
};
use crate::xml::writer::Writer;
use crate::xml::{Canonicalization, Document, Element, Limits, PrefixList, XmlError, canonicalize};

/// Says why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The text is not XML.
    #[error("the text to sign is not well-formed")]
    Xml(#[from] XmlError),
    /// There is no element with this identifier, there are several, or it has no content.
    #[error("the element to sign is not found")]
    ElementNotFound,
    /// The key made no signature.
    #[error("the key does not sign")]
    Key,
}

/// A private key that signs: RSA with SHA-256, or an elliptic curve with the digest of its size. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<Pair>);

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, SignatureAlgorithm),
}

impl SigningKey {
    /// Reads a key in PEM: in PKCS#8, or in the older forms of RSA (PKCS#1) and of curves (SEC 1).
    ///
    /// # Errors
    /// `saml.key_malformed`, `saml.key_type_unsupported`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if let Some(der) = decode_pem("EC PRIVATE KEY", text) {
            return Self::new(on_a_curve(|curve| EcdsaKeyPair::from_private_key_der(curve, &der).ok()));
        }
        Self::from_pkcs8(&pkcs8(text).ok_or(KeyError::Malformed)?)
    }

    /// Reads a key in PKCS#8, DER form.
    ///
    /// # Errors
    /// `saml.key_type_unsupported`: it is neither an RSA key of 2048 to 8192 bits nor one of P-256, P-384 or P-521.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let rsa = RsaKeyPair::from_pkcs8(der).ok().filter(|pair| pair.public_modulus_len() >= 256);
        let on_a_curve = || on_a_curve(|curve| EcdsaKeyPair::from_pkcs8(curve, der).ok());
        Self::new(rsa.map(Pair::Rsa).or_else(on_a_curve))
    }

    fn new(pair: Option<Pair>) -> Result<Self, KeyError> {
        pair.map(|pair| Self(Arc::new(pair))).ok_or(KeyError::TypeUnsupported)
    }

    /// Answers the public half (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// `saml.key_invalid`
    pub fn public_key_info(&self) -> Result<Vec<u8>, KeyError> {
        use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
        let der: Result<PublicKeyX509Der<'_>, _> = match &*self.0 {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair, _) => pair.public_key().as_der(),
        };
        Ok(der.map_err(|_| KeyError::Invalid)?.as_ref().to_vec())
    }

    /// Names the algorithm of the signatures that this key makes.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.named().uri()
    }

    fn named(&self) -> SignatureAlgorithm {
        match &*self.0 {
            Pair::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Pair::Ec(_, algorithm) => *algorithm,
        }
    }

    /// Signs octets, as the HTTP-Redirect binding has it (SAML Bindings §3.4.4.1). Answers the algorithm as well.
    ///
    /// # Errors
    /// [`SigningError::Key`]
    pub fn sign_detached(&self, octets: &[u8]) -> Result<(&'static str, Vec<u8>), SigningError> {
        let random = SystemRandom::new();
        let signature = match &*self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, octets, &mut signature)
                    .map_err(|_| SigningError::Key)?;
                signature
            }
            Pair::Ec(pair, _) => pair.sign(&random, octets).map_err(|_| SigningError::Key)?.as_ref().to_vec(),
        };
        Ok((self.algorithm(), signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.named())
    }
}

/// Tries a key on each curve that is known.
fn on_a_curve(read: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>) -> Option<Pair> {
    [
        (&ECDSA_P256_SHA256_FIXED_SIGNING, SignatureAlgorithm::EcdsaSha256),
        (&ECDSA_P384_SHA384_FIXED_SIGNING, SignatureAlgorithm::EcdsaSha384),
        (&ECDSA_P521_SHA512_FIXED_SIGNING, SignatureAlgorithm::EcdsaSha512),
    ]
    .into_iter()
    .find_map(|(curve, name)| Some(Pair::Ec(read(curve)?, name)))
}

/// Signs the element with this `ID` in our own well-formed text and answers the text with the signature in it: after the
/// issuer, or first where there is none (SAML Core §5.4.1).
///
/// # Errors
/// Every [`SigningError`] is possible.
pub fn sign_enveloped(
    xml: &str,
    id: &str,
    key: &SigningKey,
    certificate: Option<&[u8]>,
) -> Result<String, SigningError> {
    let limits = Limits { bytes: usize::MAX, elements: usize::MAX, nodes: usize::MAX, ..Limits::default() };
    let document = Document::parse(xml.as_bytes(), &limits)?;
    let element = find(&document, id)?;
    let digest = AwsLc.digest(DigestAlgorithm::Sha256, &canonicalize(element, None, &exclusive()));
    let unsigned = signature(id, key, &digest, None, certificate).finish();
    let info = {
        let template = Document::parse(unsigned.as_bytes(), &limits)?;
        let info = template.root().children().next().ok_or(SigningError::ElementNotFound)?;
        canonicalize(info, None, &exclusive())
    };
    let (_, value) = key.sign_detached(&info)?;
    let signed = signature(id, key, &digest, Some(&value), certificate).finish();
    // The places are those of the text only where reading did not change it.
    let place = place_in(element).filter(|_| !xml.contains('\r') && !xml.starts_with('\u{feff}'));
    let (before, after) =
        place.and_then(|place| xml.split_at_checked(place)).ok_or(SigningError::ElementNotFound)?;
    Ok([before, &signed, after].concat())
}

fn exclusive() -> Canonicalization {
    Canonicalization::Exclusive(PrefixList::default())
}

fn find<'d>(document: &'d Document<'_>, id: &str) -> Result<Element<'d>, SigningError> {
    let root = document.root();
    let mut found =
        std::iter::once(root).chain(root.descendants()).filter(|it| it.attribute("ID") == Some(id));
    match (found.next(), found.next()) {
        (Some(element), None) => Ok(element),
        _ => Err(SigningError::ElementNotFound),
    }
}

/// Answers the octet of the text at which the signature belongs.
fn place_in(element: Element<'_>) -> Option<usize> {
    match element.children().next().filter(|first| first.is(ASSERTION_NAMESPACE, "Issuer")) {
        Some(issuer) => Some(issuer.end_place()),
        None => element.content_place(),
    }
}

fn signature(
    id: &str,
    key: &SigningKey,
    digest: &[u8],
    value: Option<&[u8]>,
    certificate: Option<&[u8]>,
) -> Writer {
    let transform = |name: &str| Writer::new().open("ds:Transform").attribute("Algorithm", name).close();
    let method = |tag: &str, name: &str| Writer::new().open(tag).attribute("Algorithm", name).close();
    Writer::new()
        .open("ds:Signature")
        .attribute("xmlns:ds", DSIG_NAMESPACE)
        .open("ds:SignedInfo")
        .fragment(method("ds:CanonicalizationMethod", EXCLUSIVE))
        .fragment(method("ds:SignatureMethod", key.algorithm()))
        .open("ds:Reference")
        .attribute("URI", &format!("#{id}"))
        .open("ds:Transforms")
        .fragment(transform(ENVELOPED))
        .fragment(transform(EXCLUSIVE))
        .close()
        .fragment(method("ds:DigestMethod", DigestAlgorithm::Sha256.uri()))
        .leaf("ds:DigestValue", &base64_text::encode(digest))
        .close()
        .close()
        .leaf("ds:SignatureValue", &base64_text::encode(value.unwrap_or_default()))
        .with(|writer| match certificate {
            None => writer,
            Some(der) => writer
                .open("ds:KeyInfo")
                .open("ds:X509Data")
                .leaf("ds:X509Certificate", &base64_text::encode(der))
                .close()
                .close(),
        })
        .close()
}
