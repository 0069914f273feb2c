//! Where the parts of an encrypted element stand (SAML Core §6.1, XML Encryption 1.1 §3).
//!
//! Keys stand inside `EncryptedData`, or beside it and are named by a `RetrievalMethod`. Nothing outside the element is ever
//! looked up: references to other documents do not exist here.

use crate::base64_text;
use crate::crypto::{ContentCipher, DigestAlgorithm, KeyTransport};
use crate::names::{DS, XENC, XENC11};
use crate::rejection::Rejection;
use crate::xml::Element;

/// The most encrypted keys that one element may come with.
const MAX_KEYS: usize = 8;
/// `rsa-oaep-mgf1p` of XML Encryption 1.0, whose mask is made with SHA-1.
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
/// `rsa-oaep` of XML Encryption 1.1, which names its mask.
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const MGF1_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";

/// An encrypted element, read.
pub(super) struct Encrypted {
    pub(super) cipher: ContentCipher,
    pub(super) content: Vec<u8>,
    /// Those that can be unwrapped, in document order; never empty.
    pub(super) keys: Vec<WrappedKey>,
}

/// A content key, encrypted for somebody.
pub(super) struct WrappedKey {
    pub(super) transport: KeyTransport,
    pub(super) octets: Vec<u8>,
    pub(super) recipient: Option<String>,
}

impl Encrypted {
    /// Reads an `EncryptedAssertion`, `EncryptedID` or `EncryptedAttribute`.
    pub(super) fn read(holder: Element<'_>) -> Result<Self, Rejection> {
        let data = one(holder, XENC, "EncryptedData")?;
        let method = one(data, XENC, "EncryptionMethod")?.attribute("Algorithm");
        let cipher = method.and_then(ContentCipher::from_uri).ok_or(Rejection::EncryptionAlgorithm)?;
        let beside = holder.children().filter(|child| child.is(XENC, "EncryptedKey"));
        let infos = data.children().filter(|child| child.is(DS, "KeyInfo"));
        let inside = infos.flat_map(Element::children).filter(|child| child.is(XENC, "EncryptedKey"));
        let elements: Vec<_> = inside.chain(beside).take(MAX_KEYS + 1).collect();
        match elements.len() {
            0 => return Err(Rejection::EncryptionMalformed),
            1..=MAX_KEYS => {}
            _ => return Err(Rejection::EncryptionTooManyKeys),
        }
        let mut keys = Vec::with_capacity(elements.len());
        for element in elements {
            keys.extend(WrappedKey::read(element)?);
        }
        if keys.is_empty() {
            return Err(Rejection::EncryptionAlgorithm);
        }
        Ok(Self { cipher, content: cipher_value(data)?, keys })
    }
}

impl WrappedKey {
    /// Reads an `EncryptedKey`; `None` where its algorithm is none that is used here.
    fn read(element: Element<'_>) -> Result<Option<Self>, Rejection> {
        let Some(transport) = transport(one(element, XENC, "EncryptionMethod")?) else { return Ok(None) };
        let recipient = element.attribute("Recipient").map(str::to_owned);
        Ok(Some(Self { transport, octets: cipher_value(element)?, recipient }))
    }
}

fn transport(method: Element<'_>) -> Option<KeyTransport> {
    let algorithm = |namespace, local| {
        let found = method.children().find(|child| child.is(namespace, local));
        found.map(|found| found.attribute("Algorithm").unwrap_or_default())
    };
    // a label that both sides would have to know
    let label = method.children().find(|child| child.is(XENC, "OAEPparams"));
    if label.is_some_and(|label| label.only_text().is_none_or(|text| !text.trim().is_empty())) {
        return None;
    }
    let mask = match (method.attribute("Algorithm")?, algorithm(XENC11, "MGF")) {
        (OAEP_MGF1P, _) | (OAEP, None | Some(MGF1_SHA1)) => DigestAlgorithm::Sha1,
        (OAEP, Some(MGF1_SHA256)) => DigestAlgorithm::Sha256,
        _ => return None,
    };
    let digest = match algorithm(DS, "DigestMethod") {
        None => DigestAlgorithm::Sha1,
        Some(uri) => DigestAlgorithm::from_uri(uri)?,
    };
    match (digest, mask) {
        (DigestAlgorithm::Sha1, DigestAlgorithm::Sha1) => Some(KeyTransport::OaepSha1),
        (DigestAlgorithm::Sha256, DigestAlgorithm::Sha256) => Some(KeyTransport::OaepSha256),
        _ => None,
    }
}

/// Reads the octets of an `EncryptedType`; `CipherReference` would point elsewhere and is not followed.
fn cipher_value(encrypted: Element<'_>) -> Result<Vec<u8>, Rejection> {
    let data = one(encrypted, XENC, "CipherData")?;
    let value = one(data, XENC, "CipherValue")?;
    // a program that prefers the reference would decrypt something else
    if data.children().count() != 1 {
        return Err(Rejection::EncryptionMalformed);
    }
    let text = value.only_text().ok_or(Rejection::EncryptionMalformed)?;
    base64_text::decode(text.as_bytes()).ok_or(Rejection::EncryptionMalformed)
}

fn one<'d>(holder: Element<'d>, namespace: &str, local: &str) -> Result<Element<'d>, Rejection> {
    let mut found = holder.children().filter(|child| child.is(namespace, local));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Rejection::EncryptionMalformed),
    }
}
