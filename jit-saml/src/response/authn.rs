//! How and when the person signed in, and how long that lasts (SAML Core §2.7.2).

use chrono::{DateTime, Utc};

use super::expectations::Expectations;
use super::step::instant;
use crate::assertion::Assertion;
use crate::checks::{Check, CheckList};
use crate::names::SAML;
use crate::rejection::Rejection;
use crate::xml::Element;

/// What an assertion says of the sign-in.
pub(super) struct Authn {
    pub(super) instant: DateTime<Utc>,
    pub(super) context: Option<String>,
    pub(super) session_index: Option<String>,
    pub(super) session_end: Option<DateTime<Utc>>,
}

/// Checks the statements about the sign-in; the first one that says what was demanded counts.
pub(super) fn check_authn(
    assertion: Assertion<'_>,
    expected: &Expectations<'_>,
    checks: &mut CheckList,
) -> Result<Authn, Rejection> {
    let mut chosen = None;
    let mut refused = Rejection::AuthnStatementMissing;
    let mut session_end: Option<DateTime<Utc>> = None;
    for statement in assertion.statements("AuthnStatement") {
        let authn = read(statement, expected)?;
        // SAML Profiles §4.1.4.3: no session outlives the earliest end
        session_end = [session_end, authn.session_end].into_iter().flatten().min();
        match check_demands(&authn, expected) {
            Ok(()) => chosen = chosen.or(Some(authn)),
            Err(rejection) => refused = rejection,
        }
    }
    let mut authn: Authn = chosen.ok_or(refused)?;
    authn.session_end = session_end;
    if !expected.contexts.is_empty() {
        checks.add(Check::AuthnContext);
    }
    if expected.authenticated_after.is_some() {
        checks.add(Check::AuthnInstant);
    }
    if session_end.is_some() {
        checks.add(Check::Session);
    }
    Ok(authn)
}

fn read(statement: Element<'_>, expected: &Expectations<'_>) -> Result<Authn, Rejection> {
    let at = instant(statement, "AuthnInstant", expected)?.ok_or(Rejection::AuthnStatementMalformed)?;
    if expected.is_ahead(at) {
        return Err(Rejection::AuthnInstantInFuture);
    }
    let session_end = instant(statement, "SessionNotOnOrAfter", expected)?;
    if session_end.is_some_and(|end| expected.is_over(end)) {
        return Err(Rejection::SessionOver);
    }
    Ok(Authn {
        instant: at,
        context: context(statement)?,
        session_index: statement.attribute("SessionIndex").map(str::to_owned),
        session_end,
    })
}

/// SAML Core §2.7.2.2: at most one class.
fn context(statement: Element<'_>) -> Result<Option<String>, Rejection> {
    let mut contexts = statement.children().filter(|child| child.is(SAML, "AuthnContext"));
    let (Some(context), None) = (contexts.next(), contexts.next()) else {
        return Err(Rejection::AuthnStatementMalformed);
    };
    let mut classes = context.children().filter(|child| child.is(SAML, "AuthnContextClassRef"));
    match (classes.next(), classes.next()) {
        (None, _) => Ok(None),
        (Some(class), None) => {
            let text = class.only_text().ok_or(Rejection::AuthnStatementMalformed)?;
            Ok(Some(text.into_owned()))
        }
        _ => Err(Rejection::AuthnStatementMalformed),
    }
}

fn check_demands(authn: &Authn, expected: &Expectations<'_>) -> Result<(), Rejection> {
    // SAML Core §3.3.2.2.1: exact comparison
    let used = authn.context.as_ref();
    if !expected.contexts.is_empty() && !used.is_some_and(|used| expected.contexts.contains(used)) {
        return Err(Rejection::AuthnContextMismatch);
    }
    // SAML Core §3.4.1: ForceAuthn
    let is_old = |after: DateTime<Utc>| after.signed_duration_since(authn.instant) > expected.skew;
    if expected.authenticated_after.is_some_and(is_old) {
        Err(Rejection::AuthenticationTooOld)
    } else {
        Ok(())
    }
}
