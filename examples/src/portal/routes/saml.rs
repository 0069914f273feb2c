//! Sign-in and sign-out at a SAML identity provider.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jit_core::Event;
use jit_saml::binding::{Outbound, PostForm, ResponseForm};
use jit_saml::login::Authentication;
use jit_saml::logout::{Ended, LogoutError, LogoutMessage, Received, SessionAtIdp};
use jit_saml::{Begin, LoginError, Rejection, VerifiedResponse};
use maud::Markup;
use url::Url;

use super::arrival::{Incoming, Purpose, arrive};
use super::oidc::{clearing, cookies};
use crate::portal::failure::{Failure, tell};
use crate::portal::house::{Door, House, SamlWay, Way};
use crate::portal::pages;
use crate::portal::session::Session;
use crate::portal::view::{OnwardView, SignOutView};
use crate::web::{html, html_with_policy, see_other, with_header};

/// The largest body that is read here: a long assertion in a form.
pub(super) const LARGEST: usize = 2 * 1024 * 1024;

/// Sends the browser to the provider.
pub(super) async fn begin(
    house: &House,
    door: &Door,
    way: &SamlWay,
    purpose: Purpose,
) -> Result<Response, Failure> {
    let mut begin = Begin::at(&door.issuer);
    begin.return_to = purpose.remember();
    // A session that is open at the provider would say least of all who sits there now.
    begin.force_authn = purpose != Purpose::Enter;
    let departure = way.trigger.begin(begin).await?;
    let response = send(house, door, &departure.outbound);
    Ok(with_header(response, SET_COOKIE, &departure.cookie.set_header()))
}

/// Answers what is asked for by GET: metadata, and sign-outs by redirect.
pub(super) async fn get(
    State(house): State<Arc<House>>,
    Path(place): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let (door, way, what) = find(&house, &place)?;
    match what {
        "metadata" => {
            Ok(([(CONTENT_TYPE, "application/samlmetadata+xml")], way.metadata.clone()).into_response())
        }
        "logout" => {
            let message = LogoutMessage::from_query(query.as_deref().unwrap_or_default())?;
            receive(&house, door, way, &message).await
        }
        _ => Err(Failure::NotFound),
    }
}

/// Takes what comes in a form: responses, and sign-outs.
pub(super) async fn post(
    State(house): State<Arc<House>>,
    Path(place): Path<String>,
    peer: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (door, way, what) = find(&house, &place)?;
    match what {
        "acs" => {
            let form = ResponseForm::from_body(&body)?;
            let cookie = way.trigger.login().cookie_of(&form, cookies(&headers).as_deref());
            let answered = finish(&house, door, way, peer.0, &form, &headers).await;
            Ok(clearing(cookie.map(|cookie| cookie.clear_header()), answered))
        }
        "logout" => receive(&house, door, way, &LogoutMessage::from_form(&body)?).await,
        _ => Err(Failure::NotFound),
    }
}

/// Finds the door of a path: the connection's id, then what is wanted of it.
fn find<'a, 'p>(house: &'a House, place: &'p str) -> Result<(&'a Door, &'a SamlWay, &'p str), Failure> {
    let (connection, what) = place.rsplit_once('/').ok_or(Failure::NotFound)?;
    let door = house.door(connection).ok_or(Failure::NotFound)?;
    match &door.way {
        Way::Saml(way) => Ok((door, way, what)),
        Way::Oidc(_) | Way::Ldap(_) => Err(Failure::NotFound),
    }
}

async fn finish(
    house: &House,
    door: &Door,
    way: &SamlWay,
    peer: SocketAddr,
    form: &ResponseForm,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let login = way.trigger.login();
    let attest = |authentication: &Authentication| -> Result<(Event, Option<SessionAtIdp>), Failure> {
        let event = way.trigger.attest(authentication, house.proxies.context(peer, headers))?;
        Ok((event, session_at_idp(authentication.response())))
    };
    let resumed = match login.resume(form, cookies(headers).as_deref()).await {
        Err(error) if login.config().accepts_unsolicited() && is_of_no_sign_in(&error) => {
            let (event, at_idp) = attest(&login.finish_unsolicited(form).await?)?;
            return arrive(house, door, event, Incoming { purpose: Purpose::Enter, at_idp }, headers).await;
        }
        resumed => resumed?,
    };
    let purpose = Purpose::remembered(resumed.return_to());
    let answered = login.answer(resumed, form).await.map_err(Failure::from);
    let (event, at_idp) = answered
        .and_then(|authentication| attest(&authentication))
        .map_err(|failure| failure.beginning_anew_at(purpose.begins_at(door)))?;
    arrive(house, door, event, Incoming { purpose, at_idp }, headers).await
}

/// Tells whether no sign-in of this browser was named. A provider that begins sign-ins itself may send a `RelayState` of its
/// own.
fn is_of_no_sign_in(error: &LoginError) -> bool {
    matches!(error.rejection(), Some(Rejection::RelayStateMissing | Rejection::StateNotThisBrowser))
}

/// What the portal keeps to be able to sign out at both places; nothing where the provider names nobody.
fn session_at_idp(response: &VerifiedResponse) -> Option<SessionAtIdp> {
    let indexes = response.session_index().map(str::to_owned);
    Some(SessionAtIdp {
        issuer: response.issuer().to_owned(),
        name_id: response.name_id()?.clone(),
        session_indexes: indexes.into_iter().collect(),
    })
}

/// Ends the sessions that a provider wants to end, or takes its answer to a sign-out that began here.
async fn receive(
    house: &House,
    door: &Door,
    way: &SamlWay,
    message: &LogoutMessage,
) -> Result<Response, Failure> {
    let logout = way.logout.as_ref().ok_or(Failure::NotFound)?;
    match logout.receive(message).await? {
        Received::Request(demand) => {
            house.sessions.end_at(door, &demand);
            Ok(send(house, door, &logout.answer(demand, Ended::All)?))
        }
        Received::Response(_) => Ok(see_other("/")),
    }
}

/// Shows the way to sign out at the provider as well, where the session came from one that offers it.
pub(super) async fn sign_out(house: &House, session: &Session) -> Option<Response> {
    let there = session.at_idp.as_ref()?;
    let door = house.door_of(&session.tenant, &session.connection)?;
    let Way::Saml(way) = &door.way else { return None };
    let outbound = match way.logout.as_ref()?.begin(there, None).await {
        Ok(outbound) => outbound,
        Err(LogoutError::NoEndpoint) => return None,
        Err(error) => {
            tell(&error);
            return None;
        }
    };
    let frame = house.frame(None);
    Some(match outbound {
        Outbound::Redirect(address) => {
            let view = SignOutView::Link { label: door.label.clone(), address };
            html(StatusCode::OK, pages::signed_out(&frame, &view))
        }
        Outbound::Post(form) => {
            let page = pages::signed_out(&frame, &SignOutView::Form(onward(door, &form)));
            show_onward(page, &form)
        }
    })
}

/// Sends the browser to the provider, by a redirect or by a form.
fn send(house: &House, door: &Door, outbound: &Outbound) -> Response {
    match outbound {
        Outbound::Redirect(address) => see_other(address),
        Outbound::Post(form) => {
            let page = pages::go_on(&house.frame(None), &onward(door, form));
            show_onward(page, form)
        }
    }
}

/// What a page needs to show a form of the protocol.
fn onward(door: &Door, form: &PostForm) -> OnwardView {
    let fields = form.fields().map(|(name, value)| (name, value.to_owned())).collect();
    OnwardView { label: door.label.clone(), action: form.action().to_owned(), fields }
}

/// Shows a page with a form of the protocol. Browsers hold its policy against each redirect that follows as well, and a
/// provider hands people on to whichever of its hosts they sign in at.
fn show_onward(page: Markup, form: &PostForm) -> Response {
    let Ok(action) = Url::parse(form.action()) else { return html(StatusCode::OK, page) };
    let origin = action.origin().ascii_serialization();
    match action.scheme() {
        "http" => {
            let here = [&*origin, "https:", "http://127.0.0.1:*", "http://localhost:*"];
            html_with_policy(StatusCode::OK, page, &here)
        }
        _ => html_with_policy(StatusCode::OK, page, &["https:"]),
    }
}
