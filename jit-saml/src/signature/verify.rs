//! Verifies: the signature first, the digest after it.

use chrono::{DateTime, Utc};

use super::octets::{SignedOctets, VerifiedBy};
use super::profile::{Plan, SignatureRules};
use super::{ASSERTION_NAMESPACE, DSIG_NAMESPACE, SignatureError};
use crate::crypto::{CryptoProvider, SignatureAlgorithm, VerificationKey};
use crate::xml::{Document, Element, canonical_text};

/// The longest canonical form of `SignedInfo`, which is digested once for each key before anybody has proved anything.
/// It usually has less than a kilobyte.
const MAX_INFO: usize = 16 * 1024;
/// How much longer than its document the canonical form of an element may be, beside a little for small ones. Empty elements
/// and declarations that neighbours repeat make it twice as long where there are many.
const MAX_GROWTH: usize = 4;
const SMALL: usize = 64 * 1024;

/// Verifies the signature of an element and answers the octets that it covers.
///
/// The element must hold one `ds:Signature`: right after its `saml:Issuer`, or first where it has no issuer, as in
/// metadata (SAML Core §5.4.1, SAML Metadata §2.3). Nothing in `ds:KeyInfo` is looked at. Other signatures in the document
/// are not verified by this; [`signatures_in`] tells how many there are.
///
/// # Errors
/// `saml.signature_…`, `saml.canonicalization_not_allowed`, `saml.digest_…`, `saml.sha1_not_allowed`,
/// `saml.reference_…`, `saml.transforms_not_allowed`, `saml.id_…`, `saml.key_…`, `saml.canonical_too_large`: every [`SignatureError`] is possible.
pub fn verify(
    signed: Element<'_>,
    keys: &[VerificationKey],
    rules: &SignatureRules,
    now: DateTime<Utc>,
    crypto: &dyn CryptoProvider,
) -> Result<SignedOctets, SignatureError> {
    // 1. The signature stands where the schema has it.
    let signature = placed_signature(signed)?;
    // 2. It says nothing but what the profile allows (SAML Core §5.4).
    let plan = Plan::read(signature, signed, rules, now)?;
    // 3. A key of the connection signed SignedInfo (XML Signature §3.2.2). This comes before any work on the element, so
    //    that only the identity provider can make us do it.
    let info = canonical_text(plan.signed_info, None, &plan.info_form, MAX_INFO);
    let info = info.ok_or(SignatureError::CanonicalTooLarge)?;
    let by = verified_by(info.as_bytes(), plan.algorithm, &plan.value, keys, crypto)?;
    // 4. SignedInfo names the digest of the element (XML Signature §3.2.1). Who has any true signature of the provider can
    //    put it into a document of their own, so this step is bounded as well.
    let text = canonical_text(signed, Some(signature), &plan.form, longest_form(signed.document()));
    let text = text.ok_or(SignatureError::CanonicalTooLarge)?;
    if crypto.digest(plan.digest, text.as_bytes()) != plan.digest_value {
        return Err(SignatureError::DigestMismatch);
    }
    Ok(SignedOctets { text, by })
}

/// Answers how long the canonical form of an element may be.
pub(crate) fn longest_form(document: &Document<'_>) -> usize {
    document.size().saturating_mul(MAX_GROWTH).saturating_add(SMALL)
}

/// Verifies a signature over octets, as the HTTP-Redirect binding has it (SAML Bindings §3.4.4.1).
///
/// # Errors
/// `saml.signature_algorithm_not_allowed`, `saml.sha1_not_allowed`, `saml.key_missing`, `saml.key_mismatch`,
/// `saml.signature_invalid`.
pub fn verify_detached(
    octets: &[u8],
    algorithm: &str,
    signature: &[u8],
    keys: &[VerificationKey],
    rules: &SignatureRules,
    now: DateTime<Utc>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedBy, SignatureError> {
    let algorithm = rules.algorithm(algorithm, now)?;
    verified_by(octets, algorithm, signature, keys, crypto)
}

/// Answers the `ds:Signature` among the children of an element, wherever it stands.
#[must_use]
pub fn signature_of(element: Element<'_>) -> Option<Element<'_>> {
    element.children().find(|child| child.is(DSIG_NAMESPACE, "Signature"))
}

/// Lists all `ds:Signature` of a document. Each that was not verified is a reason to refuse the document.
pub fn signatures_in<'d>(document: &'d Document<'_>) -> impl Iterator<Item = Element<'d>> {
    document.signatures()
}

fn placed_signature(signed: Element<'_>) -> Result<Element<'_>, SignatureError> {
    let is_signature = |element: &Element<'_>| element.is(DSIG_NAMESPACE, "Signature");
    let mut found = signed.children().filter(is_signature);
    let signature = found.next().ok_or(SignatureError::Missing)?;
    if found.next().is_some() {
        return Err(SignatureError::Repeated);
    }
    let is_issuer = |element: &Element<'_>| element.is(ASSERTION_NAMESPACE, "Issuer");
    let issuers = signed.children().filter(is_issuer).count();
    let after_issuer = signed.children().find(|child| !is_issuer(child)) == Some(signature);
    let leading = signed.children().take_while(is_issuer).count();
    if issuers > 1 || leading != issuers || !after_issuer {
        return Err(SignatureError::Misplaced);
    }
    if signature.descendants().any(|inner| is_signature(&inner)) {
        return Err(SignatureError::Nested);
    }
    Ok(signature)
}

fn verified_by(
    octets: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    keys: &[VerificationKey],
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedBy, SignatureError> {
    if keys.is_empty() {
        return Err(SignatureError::KeyMissing);
    }
    let mut fitting = keys.iter().enumerate().filter(|(_, key)| key.fits(algorithm)).peekable();
    if fitting.peek().is_none() {
        return Err(SignatureError::KeyMismatch);
    }
    fitting
        .find(|(_, key)| crypto.verify(algorithm, key, octets, signature).is_ok())
        .map(|(place, key)| VerifiedBy { key: place, fingerprint: *key.fingerprint(), algorithm })
        .ok_or(SignatureError::Invalid)
}
