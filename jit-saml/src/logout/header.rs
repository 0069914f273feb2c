//! What requests and responses of a sign-out have in common (SAML Core §3.2).

use chrono::{DateTime, TimeDelta, Utc};

use super::rejection::LogoutRejection;
use crate::idp::TrustedIdp;
use crate::names::{DS, ENTITY, SAML, SAMLP};
use crate::time::instant;
use crate::xml::Element;

/// How old a message may be: it travels through a browser at once.
const LONGEST_AGE: TimeDelta = TimeDelta::minutes(5);
const MAX_ID: usize = 256;

/// What a message is measured by.
#[derive(Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) idp: &'a TrustedIdp,
    /// The address that the message came to.
    pub(super) address: &'a str,
    pub(super) skew: TimeDelta,
    pub(super) now: DateTime<Utc>,
}

/// The common part of a message, checked.
pub(super) struct Header<'d> {
    pub(super) id: &'d str,
    /// From when on the message is too old in any case, so that nobody needs to remember it.
    pub(super) forgotten: DateTime<Utc>,
}

impl<'d> Header<'d> {
    /// Checks, in this order:
    ///
    /// 1. `Version` (SAML Core §3.2.1);
    /// 2. `ID`;
    /// 3. `Issuer` is the provider whose keys proved the message (SAML Profiles §4.4.4);
    /// 4. `Destination` is the address that the message came to (SAML Bindings §3.4.5.2, §3.5.5.2);
    /// 5. `IssueInstant` is recent.
    pub(super) fn check(root: Element<'d>, measure: Measure<'_>) -> Result<Self, LogoutRejection> {
        if root.has_text() {
            return Err(LogoutRejection::Malformed);
        }
        if root.attribute("Version") != Some("2.0") {
            return Err(LogoutRejection::Version);
        }
        let id = root.attribute("ID").filter(|id| is_identifier(id)).ok_or(LogoutRejection::IdMissing)?;
        check_issuer(root, measure.idp)?;
        match root.attribute("Destination") {
            None | Some("") => return Err(LogoutRejection::DestinationMissing),
            Some(destination) if destination != measure.address => {
                return Err(LogoutRejection::DestinationMismatch);
            }
            Some(_) => {}
        }
        let issued = time(root.attribute("IssueInstant"), measure)?.ok_or(LogoutRejection::TimeMalformed)?;
        if issued > measure.now + measure.skew {
            return Err(LogoutRejection::IssuedInFuture);
        }
        let forgotten = issued + LONGEST_AGE + measure.skew;
        if measure.now >= forgotten {
            return Err(LogoutRejection::IssuedTooLongAgo);
        }
        Ok(Self { id, forgotten })
    }
}

/// Reads a time, if there is one.
pub(super) fn time(
    text: Option<&str>,
    measure: Measure<'_>,
) -> Result<Option<DateTime<Utc>>, LogoutRejection> {
    let read = |text| instant(text, measure.idp.time_form()).ok_or(LogoutRejection::TimeMalformed);
    text.map(read).transpose()
}

/// Walks through the children that belong to the message itself. What every message may hold comes first and in this order:
/// `Issuer`, `Signature`, `Extensions`.
pub(super) fn own_children(root: Element<'_>) -> Result<impl Iterator<Item = Element<'_>>, LogoutRejection> {
    let mut children = root.children().peekable();
    children.next_if(|child| child.is(SAML, "Issuer")).ok_or(LogoutRejection::IssuerMissing)?;
    // gone from the octets that a signature inside covers
    children.next_if(|child| child.is(DS, "Signature"));
    children.next_if(|child| child.is(SAMLP, "Extensions"));
    Ok(children)
}

fn check_issuer(root: Element<'_>, idp: &TrustedIdp) -> Result<(), LogoutRejection> {
    let issuer = root.children().next().filter(|child| child.is(SAML, "Issuer"));
    let issuer = issuer.ok_or(LogoutRejection::IssuerMissing)?;
    let is_entity = matches!(issuer.attribute("Format"), None | Some(ENTITY));
    let name = issuer.only_text().ok_or(LogoutRejection::Malformed)?;
    if is_entity && name == idp.entity_id() { Ok(()) } else { Err(LogoutRejection::IssuerMismatch) }
}

fn is_identifier(id: &str) -> bool {
    !id.is_empty() && id.chars().count() <= MAX_ID && !id.chars().any(|c| c.is_whitespace() || c.is_control())
}
