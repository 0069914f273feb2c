//! A provider's demand to end sessions (SAML Core §3.7.1, SAML Profiles §4.4.4.1).

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::header::{Header, Measure, own_children, time};
use super::rejection::LogoutRejection;
use crate::assertion::{NameId, read_name_id};
use crate::binding::Binding;
use crate::encryption::Decryption;
use crate::idp::TrustedIdp;
use crate::names::{SAML, SAMLP};
use crate::xml::{Document, Element, Limits};

const MAX_SESSIONS: usize = 256;
const MAX_SESSION_INDEX: usize = 1024;

/// A demand to end sessions that its provider is proved to have sent, for the first time. Only
/// [`SingleLogout::receive`](super::SingleLogout::receive) makes one; it is answered by
/// [`SingleLogout::answer`](super::SingleLogout::answer).
#[must_use = "the provider waits for an answer"]
pub struct VerifiedLogout {
    pub(super) idp: Arc<TrustedIdp>,
    pub(super) request: LogoutDemand,
    pub(super) binding: Binding,
    pub(super) relay_state: Option<String>,
}

/// What a request says.
pub(super) struct LogoutDemand {
    pub(super) id: String,
    pub(super) name_id: NameId,
    pub(super) session_indexes: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) forgotten: DateTime<Utc>,
}

impl VerifiedLogout {
    /// Returns the provider that demands it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.idp.entity_id()
    }

    /// Returns whose sessions are to end, as the provider named the person at the sign-in.
    #[must_use]
    pub const fn name_id(&self) -> &NameId {
        &self.request.name_id
    }

    /// Returns which sessions are to end, by the `SessionIndex` of their sign-ins. When it is empty, all sessions of the
    /// person that began at this provider are to end (SAML Core §3.7.1).
    #[must_use]
    pub fn session_indexes(&self) -> &[String] {
        &self.request.session_indexes
    }

    /// Tells whether a session is to end.
    ///
    /// Names are compared as the sign-in brought them, qualifiers included; a qualifier that the provider left out on one side
    /// may be filled in on the other with the default that SAML gives it (SAML Core §2.2.2).
    #[must_use]
    pub fn ends(&self, issuer: &str, name_id: &NameId, session_index: Option<&str>) -> bool {
        let indexes = &self.request.session_indexes;
        let is_named =
            indexes.is_empty() || indexes.iter().any(|index| Some(index.as_str()) == session_index);
        is_named && issuer == self.issuer() && is_same(&self.request.name_id, name_id)
    }

    /// Returns the identifier of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.id
    }

    /// Returns why, as a URI, where the provider says so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.request.reason.as_deref()
    }
}

/// Shows nobody's name.
impl fmt::Debug for VerifiedLogout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedLogout")
            .field("issuer", &self.issuer())
            .field("session_indexes", &self.request.session_indexes.len())
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}

/// Value and format are the person. Qualifiers must not contradict each other.
fn is_same(one: &NameId, other: &NameId) -> bool {
    let agrees =
        |one: &Option<String>, other: &Option<String>| one.is_none() || other.is_none() || one == other;
    one.value == other.value
        && one.format() == other.format()
        && agrees(&one.name_qualifier, &other.name_qualifier)
        && agrees(&one.sp_name_qualifier, &other.sp_name_qualifier)
}

/// Reads a request from octets that were signed: [`Header::check`], then `NotOnOrAfter`, the person and the sessions.
pub(super) fn read(
    octets: &[u8],
    measure: Measure<'_>,
    decryption: Decryption<'_>,
) -> Result<LogoutDemand, LogoutRejection> {
    let document = Document::parse(octets, &Limits::default())?;
    let root = document.root();
    if !root.is(SAMLP, "LogoutRequest") {
        return Err(LogoutRejection::Root);
    }
    let header = Header::check(root, measure)?;
    let end = time(root.attribute("NotOnOrAfter"), measure)?;
    if end.is_some_and(|end| measure.now >= end + measure.skew) {
        return Err(LogoutRejection::Expired);
    }
    let mut children = own_children(root)?;
    let person = children.next().ok_or(LogoutRejection::NameMissing)?;
    let name_id = name_id(person, decryption)?;
    let session_indexes = session_indexes(children)?;
    let reason = root.attribute("Reason").map(str::to_owned);
    let (id, forgotten) = (header.id.to_owned(), header.forgotten);
    Ok(LogoutDemand { id, name_id, session_indexes, reason, forgotten })
}

/// The name is proved by the signature of the request, and where it is encrypted, by that of the request around it.
fn name_id(person: Element<'_>, decryption: Decryption<'_>) -> Result<NameId, LogoutRejection> {
    if person.is(SAML, "NameID") {
        return read_name_id(person).map_err(|_| LogoutRejection::NameMalformed);
    }
    if !person.is(SAML, "EncryptedID") {
        return Err(LogoutRejection::NameMissing);
    }
    let plain = decryption.open(person)?;
    let opened = plain.read(person, &Limits::default())?;
    read_name_id(opened.document.root()).map_err(|rejection| plain.refusal(rejection).into())
}

fn session_indexes<'d>(children: impl Iterator<Item = Element<'d>>) -> Result<Vec<String>, LogoutRejection> {
    let mut indexes = Vec::new();
    for child in children {
        if !child.is(SAMLP, "SessionIndex") {
            return Err(LogoutRejection::Malformed);
        }
        if indexes.len() == MAX_SESSIONS {
            return Err(LogoutRejection::TooManySessions);
        }
        let index = child.only_text().filter(|index| !index.is_empty() && index.len() <= MAX_SESSION_INDEX);
        indexes.push(index.ok_or(LogoutRejection::SessionIndexMalformed)?.into_owned());
    }
    Ok(indexes)
}
