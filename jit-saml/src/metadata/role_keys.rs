//! The keys of a role (SAML Metadata §2.4.1.1, Metadata Interoperability Profile §2.6).

use super::key_value::{octets, public_key_info};
use super::names::{DS11, MD};
use super::rejection::MetadataWarning;
use crate::crypto::{KeyError, VerificationKey};
use crate::names::DS;
use crate::xml::Element;

/// More keys than a roll-over of all of them needs; each may cost a verification.
const MAX_KEYS: usize = 32;

/// Collects the keys of a role that verify signatures: those for `signing` and those for anything. A key that cannot be
/// used is left out with a warning and spoils nothing else.
pub(super) fn signing_keys(role: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> Vec<VerificationKey> {
    let mut keys: Vec<VerificationKey> = Vec::new();
    for descriptor in role.children().filter(|child| child.is(MD, "KeyDescriptor")) {
        match descriptor.attribute("use") {
            None | Some("signing") => {}
            Some("encryption") => continue,
            Some(_) => {
                warnings.push(MetadataWarning::KeyUse);
                continue;
            }
        }
        if keys.len() == MAX_KEYS {
            warnings.push(MetadataWarning::TooManyKeys);
            break;
        }
        match key(descriptor, warnings) {
            Ok(key) if keys.iter().any(|known| known.fingerprint() == key.fingerprint()) => {}
            Ok(key) => keys.push(key),
            Err(warning) => warnings.push(warning),
        }
    }
    keys
}

/// Reads the key of one descriptor. All that a certificate says besides its key is ignored: dates, names, issuer,
/// extensions. Of several certificates only the first holds the key; the others may be of authorities that sign for
/// everybody.
fn key(
    descriptor: Element<'_>,
    warnings: &mut Vec<MetadataWarning>,
) -> Result<VerificationKey, MetadataWarning> {
    let Some(info) = descriptor.children().find(|child| child.is(DS, "KeyInfo")) else {
        return Err(MetadataWarning::KeyMissing);
    };
    let data = info.children().filter(|child| child.is(DS, "X509Data"));
    let mut certificates = data.flat_map(Element::children).filter(|child| child.is(DS, "X509Certificate"));
    if let Some(certificate) = certificates.next() {
        warnings.extend(certificates.map(|_| MetadataWarning::FurtherCertificate));
        let der = octets(certificate).ok_or(MetadataWarning::KeyMalformed)?;
        return VerificationKey::from_certificate(&der).map_err(warning);
    }
    let is_value = |child: &Element<'_>| child.is(DS, "KeyValue") || child.is(DS11, "DEREncodedKeyValue");
    let value = info.children().find(is_value).ok_or(MetadataWarning::KeyMissing)?;
    let der = public_key_info(value).ok_or(MetadataWarning::KeyMalformed)?;
    VerificationKey::from_public_key_info(&der).map_err(warning)
}

const fn warning(error: KeyError) -> MetadataWarning {
    match error {
        KeyError::Malformed | KeyError::Invalid => MetadataWarning::KeyMalformed,
        _ => MetadataWarning::KeyUnsupported,
    }
}
