//! Steps 9, 10 and 13: the times.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::checks::{Check, CheckList};
use crate::expectations::{Expectations, TokenPolicy};
use crate::numeric_date;
use crate::rejection::Rejection;

/// Step 9.
pub(super) fn check_expiry(
    claims: &Map<String, Value>,
    policy: &TokenPolicy,
    now: DateTime<Utc>,
    checks: &mut CheckList,
) -> Result<DateTime<Utc>, Rejection> {
    let exp = claims.get("exp").ok_or(Rejection::ExpiryMissing)?;
    let exp = numeric_date::parse(exp).ok_or(Rejection::ExpiryMalformed)?;
    if now.signed_duration_since(exp) >= policy.leeway {
        return Err(Rejection::Expired);
    }
    checks.add(Check::Expiry);
    Ok(exp)
}

/// Step 10, with a bound on the lifetime.
pub(super) fn check_issued_at(
    claims: &Map<String, Value>,
    policy: &TokenPolicy,
    exp: DateTime<Utc>,
    now: DateTime<Utc>,
    checks: &mut CheckList,
) -> Result<DateTime<Utc>, Rejection> {
    let iat = claims.get("iat").ok_or(Rejection::IssuedAtMissing)?;
    let iat = numeric_date::parse(iat).ok_or(Rejection::IssuedAtMalformed)?;
    let age = now.signed_duration_since(iat);
    if -age > policy.leeway {
        return Err(Rejection::IssuedInFuture);
    }
    if policy.max_issued_ago.is_some_and(|limit| age > limit + policy.leeway) {
        return Err(Rejection::IssuedTooLongAgo);
    }
    let lifetime = exp.signed_duration_since(iat);
    if lifetime < TimeDelta::zero() {
        return Err(Rejection::ExpiresBeforeIssued);
    }
    if lifetime > policy.max_lifetime {
        return Err(Rejection::LifetimeTooLong);
    }
    checks.add(Check::IssuedAt);
    Ok(iat)
}

/// RFC 7519 §4.1.5.
pub(super) fn check_not_before(
    claims: &Map<String, Value>,
    policy: &TokenPolicy,
    now: DateTime<Utc>,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    let Some(nbf) = claims.get("nbf") else { return Ok(()) };
    let nbf = numeric_date::parse(nbf).ok_or(Rejection::NotBeforeMalformed)?;
    if nbf.signed_duration_since(now) > policy.leeway {
        return Err(Rejection::NotYetValid);
    }
    checks.add(Check::NotBefore);
    Ok(())
}

/// Step 13: `auth_time` is read wherever it is there, and demanded where `max_age` is.
pub(super) fn check_auth_time(
    claims: &Map<String, Value>,
    expectations: &Expectations<'_>,
    now: DateTime<Utc>,
    checks: &mut CheckList,
) -> Result<Option<DateTime<Utc>>, Rejection> {
    let leeway = expectations.policy.leeway;
    let Some(auth_time) = claims.get("auth_time") else {
        return if expectations.max_age.is_some() { Err(Rejection::AuthTimeMissing) } else { Ok(None) };
    };
    let auth_time = numeric_date::parse(auth_time).ok_or(Rejection::AuthTimeMalformed)?;
    let age = now.signed_duration_since(auth_time);
    if -age > leeway {
        return Err(Rejection::AuthTimeInFuture);
    }
    if let Some(max_age) = expectations.max_age {
        let is_of_this_sign_in =
            expectations.begun.is_some_and(|begun| begun.signed_duration_since(auth_time) <= leeway);
        if age - leeway > max_age && !is_of_this_sign_in {
            return Err(Rejection::AuthenticationTooOld);
        }
        checks.add(Check::AuthTime);
    }
    Ok(Some(auth_time))
}
