use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use url::Url;

use super::pages;
use super::provider::{CODE_LASTS, PENDING_LASTS, Shared};
use super::{Person, Realm};
use crate::web::{Form, Parameters, Query, html, html_with_policy, random_token, see_other};

/// An authorization request that waits for somebody to sign in.
#[derive(Debug)]
pub(super) struct Pending {
    client: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: String,
    by_form: bool,
}

/// A code that was given out, bound to all that it was asked for with.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) person: &'static Person,
    pub(super) signed_in_at: DateTime<Utc>,
    /// The access token it was exchanged for: a second use ends that token.
    pub(super) spent_for: Option<String>,
}

/// What is wrong with a request whose client and redirect address are right.
struct Refusal {
    error: &'static str,
    description: &'static str,
}

pub(super) async fn ask(State(shared): State<Arc<Shared>>, Query(sent): Query) -> Response {
    consider(&shared, &sent)
}

pub(super) async fn ask_by_form(State(shared): State<Arc<Shared>>, Form(sent): Form) -> Response {
    consider(&shared, &sent)
}

/// Takes the person's choice and sends the browser back to the client.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, Form(sent): Form) -> Response {
    let Some(pending) = sent.value("request").and_then(|id| shared.pending.take(id, shared.now())) else {
        return problem(shared.realm, "This sign-in is over. Go back to the application and start again.");
    };
    let Some(person) = sent.value("person").and_then(|id| shared.realm.find(id)) else {
        return send_back(&shared, &pending, &[("error", "access_denied")]);
    };
    let Ok(code) = random_token() else {
        return send_back(&shared, &pending, &[("error", "server_error")]);
    };
    let response = send_back(&shared, &pending, &[("code", &code)]);
    let now = shared.now();
    let granted = Code {
        client: pending.client,
        redirect_uri: pending.redirect_uri,
        scope: pending.scope,
        nonce: pending.nonce,
        challenge: pending.challenge,
        person,
        signed_in_at: now,
        spent_for: None,
    };
    shared.codes.put(code, granted, now + CODE_LASTS, now);
    response
}

/// Checks the request and shows the sign-in page
/// ([OpenID Connect Core section 3.1.2.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequestValidation)).
fn consider(shared: &Shared, sent: &Parameters) -> Response {
    // Until client and redirect address are known to belong together, nothing may be sent anywhere.
    let Some(client) = sent.value("client_id").and_then(|id| shared.client(id)) else {
        return problem(shared.realm, "The application that sent you here is not known.");
    };
    let Some(redirect_uri) = sent.value("redirect_uri").filter(|uri| client.knows_redirect(uri)) else {
        return problem(
            shared.realm,
            "The application asked to send you to an address that it did not register.",
        );
    };
    let pending = Pending {
        client: client.id().to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scope: sent.value("scope").unwrap_or_default().to_owned(),
        state: sent.value("state").map(str::to_owned),
        nonce: sent.value("nonce").map(str::to_owned),
        challenge: sent.value("code_challenge").unwrap_or_default().to_owned(),
        by_form: sent.value("response_mode") == Some("form_post"),
    };
    match check(sent, &pending) {
        Ok(()) => show_sign_in(shared, pending),
        Err(Refusal { error, description }) => {
            send_back(shared, &pending, &[("error", error), ("error_description", description)])
        }
    }
}

fn check(sent: &Parameters, pending: &Pending) -> Result<(), Refusal> {
    let refuse = |error, description| Err(Refusal { error, description });
    if sent.value("request").is_some() {
        return refuse("request_not_supported", "request objects are not supported");
    }
    if sent.value("request_uri").is_some() {
        return refuse("request_uri_not_supported", "request objects are not supported");
    }
    if sent.value("response_type") != Some("code") {
        return refuse("unsupported_response_type", "only the code flow is supported");
    }
    if !matches!(sent.value("response_mode"), None | Some("query" | "form_post")) {
        return refuse("invalid_request", "the response mode is not supported");
    }
    if !pending.scope.split(' ').any(|scope| scope == "openid") {
        return refuse("invalid_scope", "the scope must contain openid");
    }
    if sent.value("code_challenge_method") != Some("S256") || !is_challenge(&pending.challenge) {
        return refuse("invalid_request", "proof key for code exchange with S256 is required");
    }
    // Everybody signs in anew each time, so an answer without a page is never possible.
    if sent.value("prompt").is_some_and(|prompt| prompt.split(' ').any(|one| one == "none")) {
        return refuse("login_required", "nobody is signed in");
    }
    Ok(())
}

fn show_sign_in(shared: &Shared, pending: Pending) -> Response {
    let Ok(id) = random_token() else {
        return send_back(shared, &pending, &[("error", "server_error")]);
    };
    let target = origin(&pending.redirect_uri);
    let page = pages::sign_in(shared.realm, &pending.client, &id);
    let now = shared.now();
    shared.pending.put(id, pending, now + PENDING_LASTS, now);
    html_with_policy(StatusCode::OK, page, &[&target])
}

/// Answers the client, with `iss` so that it cannot mix up providers
/// ([RFC 9207 section 2](https://www.rfc-editor.org/rfc/rfc9207#section-2)).
fn send_back(shared: &Shared, pending: &Pending, answer: &[(&str, &str)]) -> Response {
    let mut parameters = answer.to_vec();
    if let Some(state) = &pending.state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", &shared.issuer));
    if pending.by_form {
        let page = pages::form_post(shared.realm, &pending.redirect_uri, &parameters);
        return html_with_policy(StatusCode::OK, page, &[&origin(&pending.redirect_uri)]);
    }
    let Ok(mut location) = Url::parse(&pending.redirect_uri) else {
        return problem(shared.realm, "The application asked to send you to an address that is not one.");
    };
    location.query_pairs_mut().extend_pairs(parameters);
    see_other(location.as_str())
}

fn problem(realm: &Realm, what: &str) -> Response {
    html(StatusCode::BAD_REQUEST, pages::problem(realm, what))
}

fn origin(uri: &str) -> String {
    Url::parse(uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Tells whether this can be the base64url of a SHA-256
/// ([RFC 7636 section 4.2](https://www.rfc-editor.org/rfc/rfc7636#section-4.2)).
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
