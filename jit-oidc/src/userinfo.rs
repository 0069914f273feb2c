//! Asking for more claims (OpenID Connect Core §5.3).

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::base64url::Scratch;
use crate::error::LoginError;
use crate::expectations::TokenPolicy;
use crate::http::{FetchError, Http, HttpError, HttpErrorKind, is_json, media_type};
use crate::jose::Compact;
use crate::json;
use crate::jwks_cache::Channel;
use crate::keys::KeySet;
use crate::provider::{Provider, Published};
use crate::rejection::Rejection;
use crate::secret::Secret;

const OPERATION: &str = "userinfo";
const MAX_RESPONSE: usize = 1024 * 1024;
const MAX_VALUES: usize = 16 * 1024;

/// Fetches the claims about `subject`. A response about anybody else is refused before anything of it is used.
pub(crate) async fn fetch(
    provider: &Provider,
    http: &dyn Http,
    published: &Published,
    access_token: &Secret,
    subject: &str,
) -> Result<Option<Map<String, Value>>, LoginError> {
    let Some(endpoint) = &published.metadata.userinfo_endpoint else { return Ok(None) };
    let request = Request::get(endpoint.as_str())
        .header(header::ACCEPT, "application/json, application/jwt")
        .header(header::AUTHORIZATION, format!("Bearer {}", access_token.expose()))
        .body(Bytes::new())
        .map_err(|error| failed(HttpError::new(HttpErrorKind::Invalid).caused_by(error)))?;
    let response = http.send(request, MAX_RESPONSE).await.map_err(failed)?;
    check_status(response.status())?;
    let claims = claims(provider, published, &response).await?;
    check_subject(&claims, subject)?;
    Ok(Some(claims))
}

fn failed(source: HttpError) -> FetchError {
    FetchError::Http { operation: OPERATION, source }
}

fn check_status(status: StatusCode) -> Result<(), LoginError> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Rejection::UserInfoRefused.into()),
        status => Err(FetchError::Status { operation: OPERATION, status: status.as_u16() }.into()),
    }
}

async fn claims(
    provider: &Provider,
    published: &Published,
    response: &Response<Bytes>,
) -> Result<Map<String, Value>, LoginError> {
    if is_json(response) {
        return Ok(json::object(response.body(), MAX_VALUES)?);
    }
    if media_type(response).as_deref() != Some("application/jwt") {
        return Err(Rejection::ContentType.into());
    }
    let token = response.body();
    let policy = published.policy();
    let check = |keys: &KeySet| signed(token, keys, policy);
    Ok(provider.with_keys(token, published, Channel::Trusted, check).await??)
}

/// OpenID Connect Core §5.3.2: a signed response should name issuer and audience; where it does, they are ours.
fn signed(token: &[u8], keys: &KeySet, policy: &TokenPolicy) -> Result<Map<String, Value>, Rejection> {
    let mut scratch = Scratch::new();
    let compact = Compact::parse(token, &mut scratch)?;
    let algorithm = compact.header.algorithm;
    if !policy.algorithms.contains(algorithm) {
        return Err(Rejection::AlgorithmNotAllowed);
    }
    let kid = compact.header.kid.as_deref();
    let signature = compact.signature(&mut scratch)?;
    let _key = keys.verify(kid, algorithm, compact.signed, signature)?;
    let claims = compact.claims(&mut scratch)?;
    let is_ours = |iss: &Value| iss.as_str().is_some_and(|iss| policy.issuer.admits(iss));
    if claims.get("iss").is_some_and(|iss| !is_ours(iss)) {
        return Err(Rejection::UserInfoIssuerMismatch);
    }
    if claims.get("aud").is_some_and(|audience| !names(audience, &policy.client_id)) {
        return Err(Rejection::UserInfoAudienceMismatch);
    }
    Ok(claims)
}

fn names(audience: &Value, client_id: &str) -> bool {
    match audience {
        Value::String(audience) => audience == client_id,
        Value::Array(audiences) => audiences.iter().any(|audience| audience == client_id),
        _ => false,
    }
}

/// OpenID Connect Core §5.3.2: `sub` must be exactly that of the ID token.
fn check_subject(claims: &Map<String, Value>, subject: &str) -> Result<(), Rejection> {
    match claims.get("sub") {
        Some(Value::String(found)) if found == subject => Ok(()),
        Some(Value::String(_)) => Err(Rejection::UserInfoSubjectMismatch),
        _ => Err(Rejection::UserInfoMalformed),
    }
}
