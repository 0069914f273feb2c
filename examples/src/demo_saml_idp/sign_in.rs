use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jit_saml::binding::{Direction, RedirectMessage};
use jit_saml::xml::{Document, Limits};

use super::message::{SAML, SAMLP};
use super::provider::{PENDING_LASTS, SESSION_LASTS, Session, Shared};
use super::{pages, response};
use crate::web::{Form, html, html_with_policy, random_token, with_header};

/// A request that waits for somebody to sign in.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: String,
    relay_state: Option<String>,
}

/// Takes a request by redirect, and asks who is there (SAML Profiles §4.1.3.3).
pub(super) async fn ask(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let Some(pending) = query.and_then(|query| read(&shared, &query)) else {
        return problem(
            &shared,
            "The application that sent you here is not known, or asks for something odd.",
        );
    };
    let Ok(id) = random_token() else { return problem(&shared, "Nothing can be drawn by lot just now.") };
    let page = pages::sign_in(shared.realm, &shared.service.entity_id, &id);
    let now = shared.now();
    shared.pending.put(id, pending, now + PENDING_LASTS, now);
    html_with_policy(StatusCode::OK, page, &[&shared.service.origin()])
}

/// Takes the person's choice and sends the browser back with a response.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, Form(sent): Form) -> Response {
    let now = shared.now();
    let Some(pending) = sent.value("request").and_then(|id| shared.pending.take(id, now)) else {
        return problem(&shared, "This sign-in is over. Go back to the application and start again.");
    };
    let Some(person) = sent.value("person").and_then(|id| shared.realm.find(id)) else {
        return send(&shared, &pending, response::cancelled(&shared, &pending));
    };
    let (Ok(index), Ok(cookie)) = (random_token(), random_token()) else {
        return problem(&shared, "Nothing can be drawn by lot just now.");
    };
    let answer = send(&shared, &pending, response::signed_in(&shared, &pending, person, &index));
    shared.sessions.put(cookie.clone(), Session { person, index }, now + SESSION_LASTS, now);
    with_header(answer, SET_COOKIE, &shared.cookie.set(&cookie))
}

/// Sends a response by form (SAML Bindings §3.5).
fn send(shared: &Shared, pending: &Pending, xml: Option<String>) -> Response {
    let Some(xml) = xml else { return problem(shared, "The answer could not be signed.") };
    let encoded = BASE64_STANDARD.encode(xml);
    let mut fields = vec![("SAMLResponse", encoded.as_str())];
    if let Some(state) = &pending.relay_state {
        fields.push(("RelayState", state));
    }
    let page = pages::form_post(shared.realm, &shared.service.acs_url, &fields);
    html_with_policy(StatusCode::OK, page, &[&shared.service.origin()])
}

/// Reads a request of the one service provider that is known; where the answer goes is never taken from it.
fn read(shared: &Shared, query: &str) -> Option<Pending> {
    let message = RedirectMessage::from_query(query).ok()?;
    if message.direction() != Direction::Request || !shared.trusts(message.signature()) {
        return None;
    }
    let document = Document::parse(message.xml(), &Limits::default()).ok()?;
    let request = document.root();
    let issuer = request.children().find(|child| child.is(SAML, "Issuer"))?;
    let is_known = request.is(SAMLP, "AuthnRequest")
        && issuer.only_text()?.trim() == shared.service.entity_id
        && request.attribute("AssertionConsumerServiceURL").is_none_or(|url| url == shared.service.acs_url);
    is_known.then_some(())?;
    let relay_state = message.relay_state().map(str::to_owned);
    Some(Pending { id: request.attribute("ID")?.to_owned(), relay_state })
}

pub(super) fn problem(shared: &Shared, what: &str) -> Response {
    html(StatusCode::BAD_REQUEST, pages::problem(shared.realm, what))
}
