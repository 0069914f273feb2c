//! Checks that the response and the assertion have in common.

use chrono::{DateTime, Utc};

use super::expectations::Expectations;
use crate::names::ENTITY;
use crate::rejection::Rejection;
use crate::time;
use crate::xml::Element;

/// SAML Core §4.1.
pub(super) fn check_version(element: Element<'_>) -> Result<(), Rejection> {
    if element.attribute("Version") == Some("2.0") { Ok(()) } else { Err(Rejection::VersionUnsupported) }
}

/// SAML Core §1.3.4: `ID` is an XML name without a colon, and no other element has it.
pub(super) fn check_id(element: Element<'_>) -> Result<&str, Rejection> {
    let id = element.attribute("ID").ok_or(Rejection::IdMalformed)?;
    let mut characters = id.chars();
    let starts = |c: char| c == '_' || c.is_alphabetic();
    let goes_on = |c: char| starts(c) || c.is_alphanumeric() || matches!(c, '-' | '.' | '\u{b7}');
    if !characters.next().is_some_and(starts) || !characters.all(goes_on) {
        return Err(Rejection::IdMalformed);
    }
    if element.document().bearers_of(id) == 1 { Ok(id) } else { Err(Rejection::DuplicateId) }
}

/// SAML Profiles §4.1.4.3 and SAML Core §8.3.6: the name of an entity, byte for byte.
pub(super) fn check_issuer(issuer: Element<'_>, expected: &Expectations<'_>) -> Result<(), Rejection> {
    let text = issuer.only_text().ok_or(Rejection::IssuerMalformed)?;
    let is_entity = issuer.attribute("Format").is_none_or(|format| format == ENTITY);
    let qualified = ["NameQualifier", "SPNameQualifier", "SPProvidedID"];
    if !is_entity || qualified.iter().any(|name| issuer.attribute(name).is_some()) {
        return Err(Rejection::IssuerMalformed);
    }
    if text == expected.idp.entity_id() { Ok(()) } else { Err(Rejection::IssuerMismatch) }
}

/// Reads a time, where there is one.
pub(super) fn instant(
    element: Element<'_>,
    name: &str,
    expected: &Expectations<'_>,
) -> Result<Option<DateTime<Utc>>, Rejection> {
    let text = element.attribute(name);
    let read = |text| time::instant(text, expected.idp.time_form()).ok_or(Rejection::TimeMalformed);
    text.map(read).transpose()
}
