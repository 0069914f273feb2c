//! What is the same in every message.

use chrono::{DateTime, SecondsFormat, Utc};
use jit_saml::xml::writer::Writer;

use crate::web::{RandomError, random_token};

pub(super) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(super) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
pub(super) const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// Makes an identifier that nobody can guess; it must not begin with a digit (SAML Core §1.3.4).
pub(super) fn new_id() -> Result<String, RandomError> {
    Ok(format!("_{}", random_token()?))
}

/// Writes an instant as SAML does (SAML Core §1.3.3).
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What the root of every message says.
pub(super) struct Header<'a> {
    pub(super) id: &'a str,
    pub(super) now: DateTime<Utc>,
    pub(super) destination: &'a str,
    pub(super) in_response_to: Option<&'a str>,
    pub(super) not_on_or_after: Option<DateTime<Utc>>,
    pub(super) issuer: &'a str,
}

impl Header<'_> {
    /// Opens a message of the protocol and writes who sends it.
    pub(super) fn open(&self, name: &str) -> Writer {
        let end = self.not_on_or_after.map(instant);
        Writer::new()
            .open(name)
            .attribute("xmlns:samlp", SAMLP)
            .attribute("xmlns:saml", SAML)
            .attribute("ID", self.id)
            .attribute("Version", "2.0")
            .attribute("IssueInstant", &instant(self.now))
            .attribute("Destination", self.destination)
            .optional("InResponseTo", self.in_response_to)
            .optional("NotOnOrAfter", end.as_deref())
            .leaf("saml:Issuer", self.issuer)
    }
}

/// Writes a status, and below it a second one where there is one (SAML Core §3.2.2.2).
pub(super) fn status(writer: Writer, code: &str, second: Option<&str>) -> Writer {
    let writer = writer.open("samlp:Status").open("samlp:StatusCode").attribute("Value", code);
    let writer = match second {
        Some(second) => writer.open("samlp:StatusCode").attribute("Value", second).close(),
        None => writer,
    };
    writer.close().close()
}
