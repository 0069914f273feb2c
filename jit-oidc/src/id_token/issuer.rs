//! Step 2: the issuer.

use serde_json::{Map, Value};

use crate::checks::{Check, CheckList};
use crate::expectations::{IssuerRule, Rule, TENANT_PLACEHOLDER, Tenants, is_tenant_id};
use crate::rejection::Rejection;

/// Returns the issuer that the identity carries, where it is not the one in `iss`.
pub(super) fn check_issuer(
    claims: &Map<String, Value>,
    rule: &IssuerRule,
    key_issuer: Option<&str>,
    checks: &mut CheckList,
) -> Result<Option<String>, Rejection> {
    let iss = match claims.get("iss") {
        None => return Err(Rejection::IssuerMissing),
        Some(Value::String(iss)) => iss,
        Some(_) => return Err(Rejection::IssuerMalformed),
    };
    let canonical = match &rule.0 {
        Rule::Exact { issuer, .. } if iss == issuer => None,
        Rule::Exact { issuer, aliases } if aliases.contains(iss) => Some(issuer.clone()),
        Rule::Exact { .. } => return Err(Rejection::IssuerMismatch),
        Rule::Template { template, tenants } => {
            check_tenant(claims, iss, template, tenants, key_issuer)?;
            checks.add(Check::Tenant);
            None
        }
    };
    checks.add(Check::Issuer);
    Ok(canonical)
}

/// A provider with many tenants signs for all of them with one key set, so `iss` alone proves nothing: it must be the
/// template with the tenant of `tid`, and the key must be published for that issuer.
fn check_tenant(
    claims: &Map<String, Value>,
    iss: &str,
    template: &str,
    tenants: &Tenants,
    key_issuer: Option<&str>,
) -> Result<(), Rejection> {
    let tid = claims.get("tid").and_then(Value::as_str).filter(|tid| is_tenant_id(tid));
    let tid = tid.ok_or(Rejection::TenantMissing)?;
    if template.replace(TENANT_PLACEHOLDER, tid) != iss {
        return Err(Rejection::IssuerMismatch);
    }
    if !tenants.allow(tid) {
        return Err(Rejection::TenantNotAllowed);
    }
    match key_issuer {
        Some(published) if published.replace(TENANT_PLACEHOLDER, tid) != iss => {
            Err(Rejection::KeyIssuerMismatch)
        }
        _ => Ok(()),
    }
}
