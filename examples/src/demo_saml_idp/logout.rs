//! Single logout, begun here or at the service provider (SAML Profiles §4.4).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_saml::binding::{Direction, RedirectMessage, redirect_url};
use jit_saml::xml::{Document, Limits};

use super::message::{Header, SAML, SAMLP, SUCCESS, new_id, status};
use super::pages;
use super::provider::{LOGOUT_LASTS, Session, Shared};
use super::response::name_id;
use super::sign_in::problem;
use crate::web::{cookie, html, html_with_policy, see_other, with_header};

/// Shows whose session this browser has.
pub(super) async fn home(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let session = session(&shared, &headers);
    let name = session.map(|session| session.person.name());
    html_with_policy(StatusCode::OK, pages::home(shared.realm, name.as_deref()), &[&shared.service.origin()])
}

/// Ends the session of this browser here, and asks the service provider to end its own.
pub(super) async fn begin(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some(session) =
        cookie(&headers, &shared.cookie).and_then(|id| shared.sessions.take(id, shared.now()))
    else {
        return see_other("/");
    };
    let address = new_id().ok().and_then(|id| {
        let header = header(&shared, &id, None);
        let header = Header { not_on_or_after: Some(header.now + LOGOUT_LASTS), ..header };
        let xml = name_id(header.open("samlp:LogoutRequest"), &shared, &session.person.subject())
            .leaf("samlp:SessionIndex", &session.index)
            .close()
            .finish();
        redirect_url(&shared.service.logout_url, Direction::Request, &xml, None, Some(&shared.key))
    });
    match address {
        Some(address) => with_header(see_other(&address), SET_COOKIE, &shared.cookie.clear()),
        None => problem(&shared, "The request could not be signed."),
    }
}

/// Takes a request to end a session, or the answer to ours.
pub(super) async fn take(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let message = RedirectMessage::from_query(query.as_deref().unwrap_or_default());
    let message =
        message.ok().filter(|message| message.signature().is_some() && shared.trusts(message.signature()));
    let Some(message) = message else {
        return problem(&shared, "The message is not signed by the application that is known here.");
    };
    match message.direction() {
        Direction::Response => {
            html(StatusCode::OK, pages::signed_out(shared.realm, is_success(message.xml())))
        }
        Direction::Request => end(&shared, &message),
    }
}

fn end(shared: &Shared, message: &RedirectMessage) -> Response {
    let answer = requested(shared, message.xml()).and_then(|request| {
        shared.end(&request.subject, request.index.as_deref());
        let id = new_id().ok()?;
        let writer = header(shared, &id, Some(&request.id)).open("samlp:LogoutResponse");
        let xml = status(writer, SUCCESS, None).close().finish();
        redirect_url(
            &shared.service.logout_url,
            Direction::Response,
            &xml,
            message.relay_state(),
            Some(&shared.key),
        )
    });
    match answer {
        Some(address) => with_header(see_other(&address), SET_COOKIE, &shared.cookie.clear()),
        None => problem(shared, "The request to sign out cannot be read."),
    }
}

fn header<'a>(shared: &'a Shared, id: &'a str, in_response_to: Option<&'a str>) -> Header<'a> {
    Header {
        id,
        now: shared.now(),
        destination: &shared.service.logout_url,
        in_response_to,
        not_on_or_after: None,
        issuer: &shared.entity_id,
    }
}

struct Request {
    id: String,
    subject: String,
    index: Option<String>,
}

fn requested(shared: &Shared, xml: &[u8]) -> Option<Request> {
    let document = Document::parse(xml, &Limits::default()).ok()?;
    let request = document.root();
    let child = |namespace, name| request.children().find(|child| child.is(namespace, name));
    let issuer = child(SAML, "Issuer")?.only_text()?;
    let is_known = request.is(SAMLP, "LogoutRequest") && issuer.trim() == shared.service.entity_id;
    is_known.then_some(())?;
    Some(Request {
        id: request.attribute("ID")?.to_owned(),
        subject: child(SAML, "NameID")?.only_text()?.into_owned(),
        index: child(SAMLP, "SessionIndex").and_then(|index| Some(index.only_text()?.into_owned())),
    })
}

fn is_success(xml: &[u8]) -> bool {
    let Ok(document) = Document::parse(xml, &Limits::default()) else { return false };
    let status = document.root().children().find(|child| child.is(SAMLP, "Status"));
    let code = status.and_then(|status| status.children().find(|child| child.is(SAMLP, "StatusCode")));
    code.is_some_and(|code| code.attribute("Value") == Some(SUCCESS))
}

fn session(shared: &Shared, headers: &HeaderMap) -> Option<Session> {
    let id = cookie(headers, &shared.cookie)?;
    shared.sessions.with(id, shared.now(), |session| session.clone())
}
