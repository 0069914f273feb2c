//! Steps 11 and 12 and the hashes: what binds the token to this sign-in.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::digest;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::checks::{Check, CheckList};
use crate::expectations::Expectations;
use crate::rejection::Rejection;

/// Step 11.
pub(super) fn check_nonce(
    claims: &Map<String, Value>,
    expected: Option<&str>,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    let found = match claims.get("nonce") {
        None => None,
        Some(Value::String(nonce)) => Some(nonce.as_bytes()),
        Some(_) => return Err(Rejection::NonceMalformed),
    };
    let Some(expected) = expected else { return Ok(()) };
    let found = found.ok_or(Rejection::NonceMissing)?;
    verify_slices_are_equal(found, expected.as_bytes()).map_err(|_| Rejection::NonceMismatch)?;
    checks.add(Check::Nonce);
    Ok(())
}

/// Step 12.
pub(super) fn check_acr(
    claims: &Map<String, Value>,
    accepted: &[String],
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    let found = match claims.get("acr") {
        None => None,
        Some(Value::String(acr)) => Some(acr),
        Some(_) => return Err(Rejection::AcrMalformed),
    };
    if accepted.is_empty() {
        return Ok(());
    }
    let found = found.ok_or(Rejection::AcrMissing)?;
    if !accepted.contains(found) {
        return Err(Rejection::AcrNotAccepted);
    }
    checks.add(Check::Acr);
    Ok(())
}

/// OpenID Connect Core §2: `amr` is an array of strings; policies decide on it, so nothing else may pass for one.
pub(super) fn check_amr(claims: &Map<String, Value>) -> Result<(), Rejection> {
    match claims.get("amr") {
        None => Ok(()),
        Some(Value::Array(methods)) if methods.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(Rejection::AmrMalformed),
    }
}

/// OpenID Connect Core §3.1.3.8: `at_hash` is checked wherever it is there and an access token is at hand.
pub(super) fn check_access_token(
    claims: &Map<String, Value>,
    algorithm: Algorithm,
    expectations: &Expectations<'_>,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    let demanded = expectations.policy.require_at_hash;
    match (claims.get("at_hash"), expectations.access_token) {
        (None, _) if demanded => Err(Rejection::AccessTokenHashMissing),
        (Some(_), None) if demanded => Err(Rejection::AccessTokenHashMismatch),
        (Some(found), Some(token)) if is_half_hash(found, token, algorithm) => {
            checks.add(Check::AccessTokenHash);
            Ok(())
        }
        (Some(_), Some(_)) => Err(Rejection::AccessTokenHashMismatch),
        (None, _) | (_, None) => Ok(()),
    }
}

/// OpenID Connect Core §3.3.2.11: likewise for `c_hash` and the authorization code.
pub(super) fn check_code(
    claims: &Map<String, Value>,
    algorithm: Algorithm,
    expectations: &Expectations<'_>,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    match (claims.get("c_hash"), expectations.code) {
        (Some(found), Some(code)) if is_half_hash(found, code, algorithm) => {
            checks.add(Check::CodeHash);
            Ok(())
        }
        (Some(_), Some(_)) => Err(Rejection::CodeHashMismatch),
        (None, _) | (_, None) => Ok(()),
    }
}

/// OpenID Connect Core §3.1.3.6: base64url of the left half of the hash.
fn is_half_hash(found: &Value, secret: &str, algorithm: Algorithm) -> bool {
    let hash = digest(algorithm.hash(), secret.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    found.as_str() == Some(base64url::encode(half).as_str())
}
