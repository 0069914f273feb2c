use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::authorize::Code;
use super::client::Client;
use super::provider::{AccessToken, Shared, TOKEN_LASTS};
use crate::web::{Form, Parameters, json, random_token};

/// What a code stood for, once its use was found to be right.
struct Redeemed {
    scope: String,
    nonce: Option<String>,
    person: &'static super::Person,
    signed_in_at: DateTime<Utc>,
}

/// Exchanges a code for tokens
/// ([OpenID Connect Core section 3.1.3](https://openid.net/specs/openid-connect-core-1_0.html#TokenEndpoint)).
pub(super) async fn exchange(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Response {
    let Some(client) = Client::authenticated(&shared.clients, &headers) else {
        let mut response = refuse(StatusCode::UNAUTHORIZED, "invalid_client");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"demo\""));
        return response;
    };
    if sent.value("grant_type") != Some("authorization_code") {
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let Ok(access_token) = random_token() else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    };
    match redeem(&shared, client, &sent, &access_token) {
        Some(redeemed) => answer(&shared, client, redeemed, access_token),
        None => refuse(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}

/// Spends the code if this is its first use, by its client, for its redirect address, with its proof key.
fn redeem(shared: &Shared, client: &Client, sent: &Parameters, access_token: &str) -> Option<Redeemed> {
    let now = shared.now();
    let outcome = shared.codes.with(sent.value("code")?, now, |code| {
        if let Some(first_token) = &code.spent_for {
            return Err(Some(first_token.clone()));
        }
        // Whatever is wrong with this use, there is no second try: whoever holds the code may be guessing.
        code.spent_for = Some(access_token.to_owned());
        if !belongs(code, client, sent) {
            return Err(None);
        }
        Ok(Redeemed {
            scope: code.scope.clone(),
            nonce: code.nonce.clone(),
            person: code.person,
            signed_in_at: code.signed_in_at,
        })
    })?;
    match outcome {
        Ok(redeemed) => Some(redeemed),
        Err(first_token) => {
            // A code that comes twice was stolen once: what it gave ends (RFC 6749 section 4.1.2).
            first_token.and_then(|token| shared.tokens.take(&token, now));
            None
        }
    }
}

fn belongs(code: &Code, client: &Client, sent: &Parameters) -> bool {
    code.client == client.id()
        && sent.value("redirect_uri") == Some(code.redirect_uri.as_str())
        && sent.value("code_verifier").is_some_and(|verifier| proves(verifier, &code.challenge))
}

/// Compares the proof key ([RFC 7636 section 4.6](https://www.rfc-editor.org/rfc/rfc7636#section-4.6)).
fn proves(verifier: &str, challenge: &str) -> bool {
    let computed = BASE64.encode(digest(&SHA256, verifier.as_bytes()));
    (43..=128).contains(&verifier.len())
        && verify_slices_are_equal(computed.as_bytes(), challenge.as_bytes()).is_ok()
}

fn answer(shared: &Shared, client: &Client, redeemed: Redeemed, access_token: String) -> Response {
    let now = shared.now();
    let claims = id_token_claims(shared, client, &redeemed, &access_token, now);
    let Ok(id_token) = shared.keys.sign(client.algorithm(), &claims) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    };
    let body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LASTS.num_seconds(),
        "scope": redeemed.scope,
        "id_token": id_token,
    });
    let granted = AccessToken { person: redeemed.person, scope: redeemed.scope };
    shared.tokens.put(access_token, granted, now + TOKEN_LASTS, now);
    json(StatusCode::OK, &body)
}

fn id_token_claims(
    shared: &Shared,
    client: &Client,
    redeemed: &Redeemed,
    access_token: &str,
    now: DateTime<Utc>,
) -> Value {
    let mut claims = redeemed.person.claims(&redeemed.scope, now);
    claims.insert("iss".into(), json!(shared.issuer));
    claims.insert("aud".into(), json!(client.id()));
    claims.insert("azp".into(), json!(client.id()));
    claims.insert("iat".into(), json!(now.timestamp()));
    claims.insert("exp".into(), json!((now + TOKEN_LASTS).timestamp()));
    claims.insert("auth_time".into(), json!(redeemed.signed_in_at.timestamp()));
    claims.insert("at_hash".into(), json!(at_hash(access_token)));
    if let Some(nonce) = &redeemed.nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    Value::Object(claims)
}

/// Binds the access token ([OpenID Connect Core section 3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
fn at_hash(access_token: &str) -> String {
    let hash = digest(&SHA256, access_token.as_bytes());
    BASE64.encode(hash.as_ref().get(..16).unwrap_or_default())
}

fn refuse(status: StatusCode, error: &str) -> Response {
    json(status, &json!({ "error": error }))
}
