//! The answer to a request: a signed assertion in a signed response, or a status that says why there is none.

use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::signature::sign_enveloped;
use jit_saml::xml::writer::Writer;

use super::message::{Header, PERSISTENT, SUCCESS, instant, new_id, status};
use super::provider::Shared;
use super::sign_in::Pending;
use crate::demo_idp::Person;

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";
const AUTHN_FAILED: &str = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";
const LASTS: TimeDelta = TimeDelta::minutes(5);
const SESSION_LASTS: TimeDelta = TimeDelta::hours(4);

/// Says who signed in (SAML Profiles §4.1.4.2).
pub(super) fn signed_in(
    shared: &Shared,
    pending: &Pending,
    person: &Person,
    session_index: &str,
) -> Option<String> {
    let now = shared.now();
    let (response, assertion) = (new_id().ok()?, new_id().ok()?);
    let writer = status(header(shared, pending, &response).open("samlp:Response"), SUCCESS, None)
        .open("saml:Assertion")
        .attribute("ID", &assertion)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", &instant(now))
        .leaf("saml:Issuer", &shared.entity_id);
    let writer = subject(writer, shared, pending, person, now);
    let writer = conditions(writer, shared, now);
    let writer = statement(writer, session_index, now);
    let xml = attributes(writer, person).close().close().finish();
    let certificate = Some(shared.certificate.as_slice());
    let signed = sign_enveloped(&xml, &assertion, &shared.key, certificate).ok()?;
    sign_enveloped(&signed, &response, &shared.key, certificate).ok()
}

/// Says that nobody signed in.
pub(super) fn cancelled(shared: &Shared, pending: &Pending) -> Option<String> {
    let response = new_id().ok()?;
    let writer = header(shared, pending, &response).open("samlp:Response");
    let xml = status(writer, RESPONDER, Some(AUTHN_FAILED)).close().finish();
    sign_enveloped(&xml, &response, &shared.key, Some(&shared.certificate)).ok()
}

fn header<'a>(shared: &'a Shared, pending: &'a Pending, id: &'a str) -> Header<'a> {
    Header {
        id,
        now: shared.now(),
        destination: &shared.service.acs_url,
        in_response_to: Some(&pending.id),
        not_on_or_after: None,
        issuer: &shared.entity_id,
    }
}

fn subject(
    writer: Writer,
    shared: &Shared,
    pending: &Pending,
    person: &Person,
    now: DateTime<Utc>,
) -> Writer {
    name_id(writer.open("saml:Subject"), shared, &person.subject())
        .open("saml:SubjectConfirmation")
        .attribute("Method", BEARER)
        .open("saml:SubjectConfirmationData")
        .attribute("NotOnOrAfter", &instant(now + LASTS))
        .attribute("Recipient", &shared.service.acs_url)
        .attribute("InResponseTo", &pending.id)
        .close()
        .close()
        .close()
}

/// Writes the name of a person, which is for this service provider alone (SAML Core §8.3.7).
pub(super) fn name_id(writer: Writer, shared: &Shared, subject: &str) -> Writer {
    writer
        .open("saml:NameID")
        .attribute("Format", PERSISTENT)
        .attribute("NameQualifier", &shared.entity_id)
        .attribute("SPNameQualifier", &shared.service.entity_id)
        .text(subject)
        .close()
}

fn conditions(writer: Writer, shared: &Shared, now: DateTime<Utc>) -> Writer {
    writer
        .open("saml:Conditions")
        .attribute("NotBefore", &instant(now))
        .attribute("NotOnOrAfter", &instant(now + LASTS))
        .open("saml:AudienceRestriction")
        .leaf("saml:Audience", &shared.service.entity_id)
        .close()
        .close()
}

fn statement(writer: Writer, session_index: &str, now: DateTime<Utc>) -> Writer {
    writer
        .open("saml:AuthnStatement")
        .attribute("AuthnInstant", &instant(now))
        .attribute("SessionIndex", session_index)
        .attribute("SessionNotOnOrAfter", &instant(now + SESSION_LASTS))
        .open("saml:AuthnContext")
        .leaf("saml:AuthnContextClassRef", PASSWORD)
        .close()
        .close()
}

fn attributes(writer: Writer, person: &Person) -> Writer {
    let name = person.name();
    let single = [
        ("urn:oid:0.9.2342.19200300.100.1.3", "mail", person.email),
        ("urn:oid:2.16.840.1.113730.3.1.241", "displayName", name.as_str()),
        ("urn:oid:2.5.4.42", "givenName", person.given_name),
        ("urn:oid:2.5.4.4", "sn", person.family_name),
        ("urn:oid:2.16.840.1.113730.3.1.4", "employeeType", person.employment),
        ("urn:oid:0.9.2342.19200300.100.1.1", "uid", person.user_name.unwrap_or_default()),
    ];
    let writer = writer.open("saml:AttributeStatement");
    let writer = single
        .iter()
        .filter(|(.., value)| !value.is_empty())
        .fold(writer, |writer, (name, friendly, value)| attribute(writer, name, friendly, &[*value]));
    attribute(writer, "urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "isMemberOf", person.groups).close()
}

fn attribute(writer: Writer, name: &str, friendly: &str, values: &[&str]) -> Writer {
    let writer = writer
        .open("saml:Attribute")
        .attribute("Name", name)
        .attribute("NameFormat", URI)
        .attribute("FriendlyName", friendly);
    values.iter().fold(writer, |writer, value| writer.leaf("saml:AttributeValue", value)).close()
}
