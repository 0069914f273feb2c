//! Reads a signature against the profile, before anything is computed.

use chrono::{DateTime, Utc};

use super::{DSIG_NAMESPACE, ENVELOPED, EXCLUSIVE, INCLUSIVE, SignatureError};
use crate::base64_text;
use crate::crypto::{DigestAlgorithm, SignatureAlgorithm};
use crate::xml::{Canonicalization, Element, PrefixList};

/// Says what one connection allows beyond the profile. The default is the profile itself.
///
/// Each allowance weakens the proof, so each is a switch of its own with a name that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignatureRules {
    /// Allows Canonical XML 1.0 instead of the exclusive form.
    pub inclusive_c14n: bool,
    /// Allows SHA-1, in signatures and digests, until this instant.
    pub sha1_until: Option<DateTime<Utc>>,
}

impl SignatureRules {
    pub(super) fn check_digest(
        &self,
        digest: DigestAlgorithm,
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        let sha1 = self.sha1_until.is_some_and(|until| now < until);
        if digest == DigestAlgorithm::Sha1 && !sha1 { Err(SignatureError::Sha1NotAllowed) } else { Ok(()) }
    }

    pub(super) fn algorithm(
        &self,
        uri: &str,
        now: DateTime<Utc>,
    ) -> Result<SignatureAlgorithm, SignatureError> {
        let algorithm = SignatureAlgorithm::from_uri(uri).ok_or(SignatureError::AlgorithmNotAllowed)?;
        self.check_digest(algorithm.digest(), now).map(|()| algorithm)
    }
}

/// What a signature claims, in the only form that is accepted.
#[derive(Debug)]
pub(super) struct Plan<'d> {
    pub(super) signed_info: Element<'d>,
    pub(super) info_form: Canonicalization,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) value: Vec<u8>,
    pub(super) form: Canonicalization,
    pub(super) digest: DigestAlgorithm,
    pub(super) digest_value: Vec<u8>,
}

impl<'d> Plan<'d> {
    /// Reads the signature of `signed` (SAML Core §5.4, XML Signature §4).
    pub(super) fn read(
        signature: Element<'d>,
        signed: Element<'d>,
        rules: &SignatureRules,
        now: DateTime<Utc>,
    ) -> Result<Self, SignatureError> {
        let [signed_info, value] = parts(signature)?;
        let [canonicalization, method, reference] = parts_of_info(signed_info)?;
        let info_form = form(canonicalization, rules).ok_or(SignatureError::CanonicalizationNotAllowed)?;
        if !only_attribute(method, "Algorithm") || method.children().next().is_some() || method.has_text() {
            return Err(SignatureError::AlgorithmNotAllowed);
        }
        let algorithm = rules.algorithm(method.attribute("Algorithm").unwrap_or_default(), now)?;
        let [transforms, digest_method, digest_value] = parts_of_reference(reference, signed)?;
        let form = transformed_form(transforms, rules)?;
        let digest = digest_algorithm(digest_method, rules, now)?;
        let digest_value = digest_value.plain_text().and_then(|text| base64_text::decode(text.as_bytes()));
        let value = value.plain_text().and_then(|text| base64_text::decode(text.as_bytes()));
        Ok(Self {
            signed_info,
            info_form,
            algorithm,
            value: value.filter(|value| !value.is_empty()).ok_or(SignatureError::ValueMalformed)?,
            form,
            digest,
            digest_value: digest_value.ok_or(SignatureError::DigestMalformed)?,
        })
    }
}

/// `SignedInfo`, `SignatureValue` and at most one `KeyInfo`, whose content has no meaning here: keys come from metadata.
fn parts(signature: Element<'_>) -> Result<[Element<'_>; 2], SignatureError> {
    let mut children = signature.children();
    let (Some(info), Some(value)) = (children.next(), children.next()) else {
        return Err(SignatureError::Malformed);
    };
    let key_info = children.next();
    let named =
        is(info, "SignedInfo") && is(value, "SignatureValue") && key_info.is_none_or(|it| is(it, "KeyInfo"));
    if !named || children.next().is_some() || signature.has_text() {
        return Err(SignatureError::Malformed);
    }
    Ok([info, value])
}

fn parts_of_info(info: Element<'_>) -> Result<[Element<'_>; 3], SignatureError> {
    let mut children = info.children();
    let (Some(form), Some(method)) = (children.next(), children.next()) else {
        return Err(SignatureError::Malformed);
    };
    let references: Vec<_> = children.take(2).collect();
    if !is(form, "CanonicalizationMethod") || !is(method, "SignatureMethod") || info.has_text() {
        return Err(SignatureError::Malformed);
    }
    match references.as_slice() {
        [reference] if is(*reference, "Reference") => Ok([form, method, *reference]),
        [_] => Err(SignatureError::Malformed),
        _ => Err(SignatureError::ReferenceCount),
    }
}

fn parts_of_reference<'d>(
    reference: Element<'d>,
    signed: Element<'d>,
) -> Result<[Element<'d>; 3], SignatureError> {
    let identifier = signed.attribute("ID").filter(|identifier| !identifier.is_empty());
    let identifier = identifier.ok_or(SignatureError::IdentifierMissing)?;
    let named = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    if named != Some(identifier) {
        return Err(SignatureError::ReferenceMismatch);
    }
    if signed.document().bearers_of(identifier) != 1 {
        return Err(SignatureError::IdentifierRepeated);
    }
    let mut children = reference.children();
    let parts = [children.next(), children.next(), children.next()];
    let [Some(transforms), Some(method), Some(value)] = parts else {
        return Err(SignatureError::TransformsNotAllowed);
    };
    let named = is(transforms, "Transforms") && is(method, "DigestMethod") && is(value, "DigestValue");
    if !named || children.next().is_some() || reference.has_text() {
        return Err(SignatureError::Malformed);
    }
    Ok([transforms, method, value])
}

/// Exactly the enveloped-signature transform and then the canonicalisation.
fn transformed_form(
    transforms: Element<'_>,
    rules: &SignatureRules,
) -> Result<Canonicalization, SignatureError> {
    let mut children = transforms.children();
    let both = (children.next(), children.next(), children.next());
    let (Some(enveloped), Some(canonical), None) = both else {
        return Err(SignatureError::TransformsNotAllowed);
    };
    let plain = is(enveloped, "Transform")
        && is(canonical, "Transform")
        && only_attribute(enveloped, "Algorithm")
        && enveloped.attribute("Algorithm") == Some(ENVELOPED)
        && enveloped.children().next().is_none()
        && !enveloped.has_text()
        && !transforms.has_text();
    if !plain {
        return Err(SignatureError::TransformsNotAllowed);
    }
    form(canonical, rules).ok_or(SignatureError::TransformsNotAllowed)
}

/// Reads a canonicalisation with its parameter (Exclusive XML Canonicalization 1.0 §4).
fn form(method: Element<'_>, rules: &SignatureRules) -> Option<Canonicalization> {
    if !only_attribute(method, "Algorithm") || method.has_text() {
        return None;
    }
    let mut children = method.children();
    let (parameter, more) = (children.next(), children.next());
    match (method.attribute("Algorithm")?, parameter, more) {
        (EXCLUSIVE, None, None) => Some(Canonicalization::Exclusive(PrefixList::default())),
        (EXCLUSIVE, Some(parameter), None) => {
            let sound = parameter.is(EXCLUSIVE, "InclusiveNamespaces")
                && only_attribute(parameter, "PrefixList")
                && parameter.children().next().is_none()
                && !parameter.has_text();
            let prefixes = parameter.attribute("PrefixList").filter(|list| sound && is_short(list))?;
            Some(Canonicalization::Exclusive(PrefixList::parse(prefixes)))
        }
        (INCLUSIVE, None, None) if rules.inclusive_c14n => Some(Canonicalization::Inclusive),
        _ => None,
    }
}

/// The list is read before anybody proved to be the identity provider, so it is bounded like the prefixes of a document.
fn is_short(prefixes: &str) -> bool {
    prefixes.split_ascii_whitespace().nth(64).is_none()
}

fn digest_algorithm(
    method: Element<'_>,
    rules: &SignatureRules,
    now: DateTime<Utc>,
) -> Result<DigestAlgorithm, SignatureError> {
    let plain =
        only_attribute(method, "Algorithm") && method.children().next().is_none() && !method.has_text();
    let uri = method.attribute("Algorithm").filter(|_| plain);
    let digest = uri.and_then(DigestAlgorithm::from_uri).ok_or(SignatureError::DigestNotAllowed)?;
    rules.check_digest(digest, now).map(|()| digest)
}

fn is(element: Element<'_>, local: &str) -> bool {
    element.is(DSIG_NAMESPACE, local)
}

fn only_attribute(element: Element<'_>, local: &str) -> bool {
    element.attributes().all(|attribute| attribute.namespace().is_empty() && attribute.local() == local)
}
