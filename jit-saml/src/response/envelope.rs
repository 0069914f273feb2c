//! The response around the assertion: who sends it, where to, in answer to what (SAML Core §3.2.2).

use super::expectations::{Expectations, Solicitation};
use super::status::Status;
use super::step::{check_id, check_issuer, check_version, instant};
use crate::checks::{Check, CheckList};
use crate::names::{DS, SAML, SAMLP};
use crate::rejection::Rejection;
use crate::xml::Element;

/// The parts of a response, found in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'d> {
    pub(super) element: Element<'d>,
    issuer: Option<Element<'d>>,
    status: Element<'d>,
    pub(super) payload: Option<Payload<'d>>,
}

/// What a response carries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload<'d> {
    Plain(Element<'d>),
    Encrypted(Element<'d>),
}

/// Places of the children in the schema's sequence.
const ISSUER: u8 = 1;
const SIGNATURE: u8 = 2;
const EXTENSIONS: u8 = 3;
const STATUS: u8 = 4;
const PAYLOAD: u8 = 5;

impl<'d> Envelope<'d> {
    /// Finds the parts. A child that the schema does not have, a second one, or another order is refused: every parser
    /// must see the same response.
    pub(super) fn read(element: Element<'d>) -> Result<Self, Rejection> {
        let (mut issuer, mut status, mut payload) = (None, None, None);
        let mut last = 0;
        for child in element.children() {
            let place = place(child).ok_or(Rejection::ResponseMalformed)?;
            match place {
                PAYLOAD if payload.is_some() => return Err(Rejection::AssertionSeveral),
                place if place <= last => return Err(Rejection::ResponseMalformed),
                ISSUER => issuer = Some(child),
                STATUS => status = Some(child),
                PAYLOAD if child.local() == "Assertion" => payload = Some(Payload::Plain(child)),
                PAYLOAD => payload = Some(Payload::Encrypted(child)),
                _ => {}
            }
            last = place;
        }
        if element.has_text() {
            return Err(Rejection::ResponseMalformed);
        }
        Ok(Self { element, issuer, status: status.ok_or(Rejection::StatusMissing)?, payload })
    }

    /// Checks everything but the assertion. `signed` tells whether these parts were read from signed octets.
    pub(super) fn check(
        &self,
        expected: &Expectations<'_>,
        signed: bool,
        checks: &mut CheckList,
    ) -> Result<(), Rejection> {
        // 1. SAML Core §3.2.2 and §4.1: Version, ID, IssueInstant
        check_version(self.element)?;
        check_id(self.element)?;
        instant(self.element, "IssueInstant", expected)?
            .ok_or(Rejection::IssueInstantMissing)
            .and_then(|at| if expected.is_ahead(at) { Err(Rejection::IssuedInFuture) } else { Ok(()) })?;
        // 2. SAML Bindings §3.5.5.2: Destination
        self.check_destination(expected, signed, checks)?;
        // 3. SAML Core §3.2.2, SAML Profiles §4.1.4.3 and §4.1.5: InResponseTo
        check_in_response_to(self.element, expected.solicitation)?;
        // 4. SAML Profiles §4.1.4.2: Issuer, which must be there on a signed response and around an encrypted assertion
        match self.issuer {
            Some(issuer) => {
                check_issuer(issuer, expected)?;
                checks.add(Check::ResponseIssuer);
            }
            None if signed || matches!(self.payload, Some(Payload::Encrypted(_))) => {
                return Err(Rejection::IssuerMissing);
            }
            None => {}
        }
        // 5. SAML Core §3.2.2.2: Status
        let status = Status::read(self.status)?;
        if status.is_success() { Ok(()) } else { Err(Rejection::Status(status)) }
    }

    fn check_destination(
        &self,
        expected: &Expectations<'_>,
        signed: bool,
        checks: &mut CheckList,
    ) -> Result<(), Rejection> {
        match self.element.attribute("Destination") {
            Some(destination) if destination == expected.acs_url => {
                checks.add(Check::Destination);
                Ok(())
            }
            Some(_) => Err(Rejection::DestinationMismatch),
            None if signed => Err(Rejection::DestinationMissing),
            None => Ok(()),
        }
    }
}

/// Compares `InResponseTo`, on the response and on the confirmation of the subject.
pub(super) fn check_in_response_to(
    element: Element<'_>,
    solicitation: Solicitation<'_>,
) -> Result<(), Rejection> {
    match (element.attribute("InResponseTo"), solicitation) {
        (Some(answered), Solicitation::Request(id)) if answered == id => Ok(()),
        (Some(_), Solicitation::Request(_)) => Err(Rejection::InResponseToMismatch),
        (None, Solicitation::Request(_)) => Err(Rejection::InResponseToMissing),
        (Some(_), Solicitation::Unsolicited) => Err(Rejection::InResponseToUnexpected),
        (None, Solicitation::Unsolicited) => Ok(()),
    }
}

fn place(child: Element<'_>) -> Option<u8> {
    Some(match (child.namespace(), child.local()) {
        (SAML, "Issuer") => ISSUER,
        (DS, "Signature") => SIGNATURE,
        (SAMLP, "Extensions") => EXTENSIONS,
        (SAMLP, "Status") => STATUS,
        (SAML, "Assertion" | "EncryptedAssertion") => PAYLOAD,
        _ => return None,
    })
}
