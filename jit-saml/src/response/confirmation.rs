//! Who may present an assertion: whoever bears it, here, in answer to our request (SAML Profiles §3.3, §4.1.4.2).

use chrono::{DateTime, Utc};

use super::envelope::check_in_response_to;
use super::expectations::{Expectations, Solicitation};
use super::step::instant;
use crate::checks::{Check, CheckList};
use crate::names::{BEARER, SAML};
use crate::rejection::Rejection;
use crate::xml::Element;

/// Checks that one bearer confirmation holds, and returns the latest end of all of them: until then somebody could
/// present the assertion once more.
pub(super) fn check_confirmations(
    subject: Element<'_>,
    expected: &Expectations<'_>,
    checks: &mut CheckList,
) -> Result<DateTime<Utc>, Rejection> {
    let is_bearer = |child: &Element<'_>| {
        child.is(SAML, "SubjectConfirmation") && child.attribute("Method") == Some(BEARER)
    };
    let (mut refused, mut holds, mut latest) = (None, false, None);
    for confirmation in subject.children().filter(is_bearer) {
        let outcome = check_confirmation(confirmation, expected);
        if let Ok(end) | Err((_, Some(end))) = outcome {
            latest = latest.max(Some(end));
        }
        match outcome {
            Ok(_) => holds = true,
            // the first one is the usual one, so its refusal tells most
            Err((rejection, _)) => refused = refused.or(Some(rejection)),
        }
    }
    match (holds, latest) {
        (true, Some(latest)) => {
            checks.add(Check::Confirmation);
            checks.add(Check::Recipient);
            checks.add(match expected.solicitation {
                Solicitation::Request(_) => Check::InResponseTo,
                Solicitation::Unsolicited => Check::Unsolicited,
            });
            Ok(latest)
        }
        _ => Err(refused.unwrap_or(Rejection::ConfirmationMissing)),
    }
}

/// Returns when the confirmation ends; a refusal carries that as well where it could be read.
type Outcome = Result<DateTime<Utc>, (Rejection, Option<DateTime<Utc>>)>;

fn check_confirmation(confirmation: Element<'_>, expected: &Expectations<'_>) -> Outcome {
    let mut data = confirmation.children().filter(|child| child.is(SAML, "SubjectConfirmationData"));
    let (Some(data), None) = (data.next(), data.next()) else {
        return Err((Rejection::ConfirmationMissing, None));
    };
    let end = instant(data, "NotOnOrAfter", expected).map_err(|rejection| (rejection, None))?;
    let end = end.ok_or((Rejection::ConfirmationExpiryMissing, None))?;
    check_data(data, end, expected).map_err(|rejection| (rejection, Some(end)))?;
    Ok(end)
}

fn check_data(data: Element<'_>, end: DateTime<Utc>, expected: &Expectations<'_>) -> Result<(), Rejection> {
    // SAML Profiles §4.1.4.2: Recipient
    match data.attribute("Recipient") {
        Some(recipient) if recipient == expected.acs_url => {}
        Some(_) => return Err(Rejection::RecipientMismatch),
        None => return Err(Rejection::RecipientMissing),
    }
    // SAML Profiles §4.1.4.3: NotOnOrAfter lies ahead, and NotBefore is not there
    if expected.is_over(end) {
        return Err(Rejection::ConfirmationExpired);
    }
    if data.attribute("NotBefore").is_some() {
        return Err(Rejection::ConfirmationNotBefore);
    }
    // SAML Profiles §4.1.4.3 and §4.1.5: InResponseTo
    check_in_response_to(data, expected.solicitation)
}
