//! When and for whom an assertion is valid (SAML Core §2.5).

use chrono::{DateTime, Utc};

use super::expectations::Expectations;
use super::step::instant;
use crate::checks::{Check, CheckList};
use crate::names::SAML;
use crate::rejection::Rejection;
use crate::xml::Element;

/// Checks the conditions and returns when they end.
pub(super) fn check_conditions(
    conditions: Element<'_>,
    expected: &Expectations<'_>,
    checks: &mut CheckList,
) -> Result<Option<DateTime<Utc>>, Rejection> {
    // SAML Core §2.5.1.2
    let begin = instant(conditions, "NotBefore", expected)?;
    let end = instant(conditions, "NotOnOrAfter", expected)?;
    if let (Some(begin), Some(end)) = (begin, end)
        && begin >= end
    {
        return Err(Rejection::ExpiresBeforeValid);
    }
    if let Some(begin) = begin {
        if expected.is_ahead(begin) {
            return Err(Rejection::NotYetValid);
        }
        checks.add(Check::NotBefore);
    }
    if let Some(end) = end {
        if expected.is_over(end) {
            return Err(Rejection::Expired);
        }
        checks.add(Check::NotOnOrAfter);
    }
    check_kinds(conditions, expected)?;
    checks.add(Check::Audience);
    Ok(end)
}

/// SAML Core §2.5.1.1: a condition that is not understood leaves the assertion without validity.
fn check_kinds(conditions: Element<'_>, expected: &Expectations<'_>) -> Result<(), Rejection> {
    let (mut audiences, mut one_time, mut proxy) = (0_u32, 0_u32, 0_u32);
    for condition in conditions.children() {
        match (condition.namespace(), condition.local()) {
            (SAML, "AudienceRestriction") => {
                check_audience(condition, expected)?;
                audiences = audiences.saturating_add(1);
            }
            // §2.5.1.5: every assertion is used once here
            (SAML, "OneTimeUse") => one_time = one_time.saturating_add(1),
            // §2.5.1.6: nothing is issued on the strength of an assertion here
            (SAML, "ProxyRestriction") => proxy = proxy.saturating_add(1),
            _ => return Err(Rejection::ConditionUnknown),
        }
    }
    if one_time > 1 || proxy > 1 || conditions.has_text() {
        return Err(Rejection::AssertionMalformed);
    }
    // SAML Profiles §4.1.4.2
    if audiences == 0 { Err(Rejection::AudienceMissing) } else { Ok(()) }
}

/// SAML Core §2.5.1.4: one of the audiences of each restriction.
fn check_audience(restriction: Element<'_>, expected: &Expectations<'_>) -> Result<(), Rejection> {
    let mut names_us = false;
    for audience in restriction.children() {
        if !audience.is(SAML, "Audience") {
            return Err(Rejection::AssertionMalformed);
        }
        names_us |= audience.only_text().is_some_and(|name| name == expected.sp_entity_id);
    }
    if names_us { Ok(()) } else { Err(Rejection::AudienceMismatch) }
}
