//! Steps 3, 4 and 5: for whom the token is meant.

use serde_json::{Map, Value};

use crate::checks::{Check, CheckList};
use crate::expectations::TokenPolicy;
use crate::rejection::Rejection;

/// Step 3: `aud` must name the client, and may name no one who is not trusted.
pub(super) fn check_audience(
    claims: &Map<String, Value>,
    policy: &TokenPolicy,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    match claims.get("aud") {
        None => return Err(Rejection::AudienceMissing),
        Some(Value::String(audience)) if *audience == policy.client_id => {}
        Some(Value::String(_)) => return Err(Rejection::AudienceMismatch),
        Some(Value::Array(audiences)) => check_audiences(audiences, policy)?,
        Some(_) => return Err(Rejection::AudienceMalformed),
    }
    checks.add(Check::Audience);
    Ok(())
}

fn check_audiences(audiences: &[Value], policy: &TokenPolicy) -> Result<(), Rejection> {
    if audiences.is_empty() {
        return Err(Rejection::AudienceMissing);
    }
    if audiences.iter().any(|audience| !audience.is_string()) {
        return Err(Rejection::AudienceMalformed);
    }
    if !audiences.iter().any(|audience| *audience == policy.client_id) {
        return Err(Rejection::AudienceMismatch);
    }
    let is_trusted = |audience: &Value| {
        *audience == policy.client_id || policy.trusted_audiences.iter().any(|trusted| audience == trusted)
    };
    if audiences.iter().all(is_trusted) { Ok(()) } else { Err(Rejection::AudienceUntrusted) }
}

/// Steps 4 and 5: with several audiences `azp` must say to whom the token was issued, and wherever it is there it must
/// be this client.
pub(super) fn check_authorized_party(
    claims: &Map<String, Value>,
    policy: &TokenPolicy,
    checks: &mut CheckList,
) -> Result<(), Rejection> {
    match claims.get("azp") {
        Some(azp) if *azp == policy.client_id => {
            checks.add(Check::AuthorizedParty);
            Ok(())
        }
        Some(_) => Err(Rejection::AuthorizedPartyMismatch),
        None if several_audiences(claims) => Err(Rejection::AuthorizedPartyMissing),
        None => Ok(()),
    }
}

fn several_audiences(claims: &Map<String, Value>) -> bool {
    claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1)
}
