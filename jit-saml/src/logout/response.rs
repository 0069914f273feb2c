//! The answer of a provider to a sign-out that was begun here (SAML Core §3.7.2, SAML Profiles §4.4.4.2).

use super::header::{Header, Measure, own_children};
use super::rejection::LogoutRejection;
use crate::names::SAMLP;
use crate::xml::{Document, Element, Limits};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const PARTIAL: &str = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
const MAX_ID: usize = 256;

/// What the provider achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a page tells the person one of these")]
pub enum LogoutStatus {
    /// The session is over, at the provider and at all services that it told.
    Complete,
    /// The session at the provider is over; some services could not be told (SAML Core §3.7.3.2).
    Partial,
    /// The session at the provider may go on.
    Failed,
}

/// What a response says, before it is known which request it answers.
pub(super) struct Answer {
    pub(super) in_response_to: String,
    pub(super) status: LogoutStatus,
}

/// Reads a response from octets that were signed: [`Header::check`], then `InResponseTo` and the status.
pub(super) fn read(octets: &[u8], measure: Measure<'_>) -> Result<Answer, LogoutRejection> {
    let document = Document::parse(octets, &Limits::default())?;
    let root = document.root();
    if !root.is(SAMLP, "LogoutResponse") {
        return Err(LogoutRejection::Root);
    }
    Header::check(root, measure)?;
    let request = root.attribute("InResponseTo").filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    let in_response_to = request.ok_or(LogoutRejection::InResponseToMissing)?.to_owned();
    let mut children = own_children(root)?;
    let status = children.next().filter(|child| child.is(SAMLP, "Status"));
    let status = status_of(status.ok_or(LogoutRejection::StatusMissing)?)?;
    if children.next().is_some() {
        return Err(LogoutRejection::Malformed);
    }
    Ok(Answer { in_response_to, status })
}

/// Providers write a partial logout as the first code or below it.
fn status_of(status: Element<'_>) -> Result<LogoutStatus, LogoutRejection> {
    let first = code_in(status).ok_or(LogoutRejection::StatusMissing)?;
    let value = first.attribute("Value").ok_or(LogoutRejection::StatusMissing)?;
    let second = code_in(first).and_then(|second| second.attribute("Value"));
    Ok(match (value, second) {
        (PARTIAL, _) | (_, Some(PARTIAL)) => LogoutStatus::Partial,
        (SUCCESS, _) => LogoutStatus::Complete,
        _ => LogoutStatus::Failed,
    })
}

fn code_in(holder: Element<'_>) -> Option<Element<'_>> {
    holder.children().find(|child| child.is(SAMLP, "StatusCode"))
}
