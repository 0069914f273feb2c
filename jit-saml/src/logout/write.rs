//! The messages of a sign-out that we send.

use chrono::{DateTime, TimeDelta, Utc};

use super::session::SessionAtIdp;
use crate::assertion::NameId;
use crate::names::{SAML, SAMLP};
use crate::time::written;
use crate::xml::writer::Writer;

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";
const PARTIAL: &str = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
/// The reason of every sign-out that is begun here (SAML Core §3.7.3).
const BY_PERSON: &str = "urn:oasis:names:tc:SAML:2.0:logout:user";
/// How long a request may be acted upon.
const REQUEST_LIFE: TimeDelta = TimeDelta::minutes(5);

/// What became of the sessions that a provider wanted ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the provider is told one of these")]
pub enum Ended {
    /// All of them have ended, or there were none.
    All,
    /// Some of them have ended.
    Some,
    /// None of them could be ended.
    Nothing,
}

/// The envelope of a message.
#[derive(Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) id: &'a str,
    pub(super) issuer: &'a str,
    pub(super) destination: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// Writes a request (SAML Core §3.7.1). The name is written exactly as it was received (SDP-SP29) and never encrypted
/// (SDP-SP30).
pub(super) fn request(envelope: Envelope<'_>, session: &SessionAtIdp) -> String {
    let request = begin("samlp:LogoutRequest", envelope)
        .attribute("NotOnOrAfter", &written(envelope.now + REQUEST_LIFE))
        .attribute("Reason", BY_PERSON)
        .leaf("saml:Issuer", envelope.issuer)
        .with(|writer| name_id(writer, &session.name_id));
    let index = |writer: Writer, index: &String| writer.leaf("samlp:SessionIndex", index);
    session.session_indexes.iter().fold(request, index).finish()
}

/// Writes a response (SAML Core §3.7.2).
pub(super) fn response(envelope: Envelope<'_>, in_response_to: &str, ended: Ended) -> String {
    let (code, below) = match ended {
        Ended::All => (SUCCESS, None),
        Ended::Some => (SUCCESS, Some(PARTIAL)),
        Ended::Nothing => (RESPONDER, None),
    };
    let status = begin("samlp:LogoutResponse", envelope)
        .attribute("InResponseTo", in_response_to)
        .leaf("saml:Issuer", envelope.issuer)
        .open("samlp:Status")
        .open("samlp:StatusCode")
        .attribute("Value", code);
    match below {
        Some(below) => status.open("samlp:StatusCode").attribute("Value", below).finish(),
        None => status.finish(),
    }
}

fn begin(name: &str, envelope: Envelope<'_>) -> Writer {
    Writer::new()
        .open(name)
        .attribute("xmlns:samlp", SAMLP)
        .attribute("xmlns:saml", SAML)
        .attribute("ID", envelope.id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", &written(envelope.now))
        .attribute("Destination", envelope.destination)
}

fn name_id(writer: Writer, name: &NameId) -> Writer {
    writer
        .open("saml:NameID")
        .optional("NameQualifier", name.name_qualifier.as_deref())
        .optional("SPNameQualifier", name.sp_name_qualifier.as_deref())
        .optional("Format", name.format.as_deref())
        .optional("SPProvidedID", name.sp_provided_id.as_deref())
        .text(&name.value)
        .close()
}
