//! ID tokens: one pure function over bytes, keys, expectations and the time.
//!
//! The steps are those of OpenID Connect Core §3.1.3.7, each in a function of its own. The header is read first, then
//! the signature is checked, and only then are the claims parsed: once, from exactly the bytes that were signed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::base64url::Scratch;
use crate::checks::{Check, CheckList};
use crate::expectations::Expectations;
use crate::jose::Compact;
use crate::keys::KeySet;
use crate::rejection::Rejection;

mod audience;
mod binding;
mod issuer;
mod times;

/// A verified ID token. Only [`verify`] makes one.
#[must_use]
pub struct IdToken {
    /// Set where the token used an alias.
    canonical_issuer: Option<String>,
    algorithm: Algorithm,
    kid: Option<String>,
    expires_at: DateTime<Utc>,
    issued_at: DateTime<Utc>,
    auth_time: Option<DateTime<Utc>>,
    claims: Map<String, Value>,
    checks: CheckList,
}

/// Verifies an ID token (OpenID Connect Core §3.1.3.7, §3.1.3.8, §3.3.2.11).
///
/// # Errors
/// The [`Rejection`] that names the first rule broken: `oidc.token_…`, `oidc.json_…`, `oidc.algorithm_…` for the form,
/// `oidc.key_…` and `oidc.signature_invalid` for the origin, and one code a claim.
pub fn verify(
    token: &[u8],
    keys: &KeySet,
    expectations: &Expectations<'_>,
    now: DateTime<Utc>,
) -> Result<IdToken, Rejection> {
    let policy = expectations.policy;
    let mut checks = CheckList::NONE;
    let mut scratch = Scratch::new();

    // step 1: encryption was not agreed on, so five parts are refused
    let compact = Compact::parse(token, &mut scratch)?;
    check_type(compact.header.typ.as_deref())?;
    // step 7 (and 8: MACs are no `Algorithm`)
    let algorithm = compact.header.algorithm;
    check_algorithm(algorithm, expectations)?;
    // step 6, before anything of the payload is read
    let signature = compact.signature(&mut scratch)?;
    let key = keys.verify(compact.header.kid.as_deref(), algorithm, compact.signed, signature)?;
    checks.add(Check::Signature);
    let claims = compact.claims(&mut scratch)?;

    // step 2
    let canonical_issuer = issuer::check_issuer(&claims, &policy.issuer, key.issuer.as_deref(), &mut checks)?;
    check_subject(&claims)?;
    // steps 3, 4 and 5
    audience::check_audience(&claims, policy, &mut checks)?;
    audience::check_authorized_party(&claims, policy, &mut checks)?;
    // steps 9 and 10, and `nbf` of RFC 7519 §4.1.5
    let expires_at = times::check_expiry(&claims, policy, now, &mut checks)?;
    let issued_at = times::check_issued_at(&claims, policy, expires_at, now, &mut checks)?;
    times::check_not_before(&claims, policy, now, &mut checks)?;
    // step 11
    binding::check_nonce(&claims, expectations.nonce, &mut checks)?;
    // step 12
    binding::check_acr(&claims, expectations.acr, &mut checks)?;
    // step 13
    let auth_time = times::check_auth_time(&claims, expectations, now, &mut checks)?;
    binding::check_amr(&claims)?;
    // §3.1.3.8 and §3.3.2.11
    binding::check_access_token(&claims, algorithm, expectations, &mut checks)?;
    binding::check_code(&claims, algorithm, expectations, &mut checks)?;

    let kid = compact.header.kid;
    Ok(IdToken { canonical_issuer, algorithm, kid, expires_at, issued_at, auth_time, claims, checks })
}

/// RFC 8725 §3.11: tokens of other kinds name their kind in `typ`; an ID token has none or `JWT`, which is short for
/// `application/jwt` (RFC 7519 §5.1, RFC 7515 §4.1.9).
fn check_type(typ: Option<&str>) -> Result<(), Rejection> {
    match typ {
        None => Ok(()),
        Some(typ) if ["JWT", "application/jwt"].iter().any(|own| typ.eq_ignore_ascii_case(own)) => Ok(()),
        Some(_) => Err(Rejection::TokenTypeMismatch),
    }
}

fn check_algorithm(algorithm: Algorithm, expectations: &Expectations<'_>) -> Result<(), Rejection> {
    if expectations.policy.algorithms.contains(algorithm) {
        Ok(())
    } else {
        Err(Rejection::AlgorithmNotAllowed)
    }
}

/// OpenID Connect Core §2: at most 255 ASCII characters, taken byte by byte. Control characters are refused because
/// stores and logs may cut at them.
fn check_subject(claims: &Map<String, Value>) -> Result<(), Rejection> {
    match claims.get("sub") {
        None => Err(Rejection::SubjectMissing),
        Some(Value::String(subject)) if is_subject(subject) => Ok(()),
        Some(_) => Err(Rejection::SubjectMalformed),
    }
}

pub(crate) fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

impl IdToken {
    /// Returns the issuer, in the spelling of the configuration where the token used an alias.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.canonical_issuer.as_deref().unwrap_or_else(|| self.text("iss"))
    }

    /// Returns the subject, byte for byte.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text("sub")
    }

    /// Returns the algorithm of the signature.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the name of the key, where the token has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the end of the token's life.
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Returns the time of issue.
    #[must_use]
    pub const fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    /// Returns when the person authenticated, where the provider says so.
    #[must_use]
    pub const fn auth_time(&self) -> Option<DateTime<Utc>> {
        self.auth_time
    }

    /// Returns the authentication context, where the provider says so.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.claims.get("acr").and_then(Value::as_str)
    }

    /// Walks through the authentication methods.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.claims.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns all claims, as signed.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Returns the checks that were made.
    #[must_use]
    pub const fn checks(&self) -> CheckList {
        self.checks
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn record(&mut self, check: Check) {
        self.checks.add(check);
    }
}

/// Shows no claim.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer())
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .field("expires_at", &self.expires_at)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}
