//! Sign-in at an OpenID provider.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use jit_oidc::{Begin, Callback, OidcTrigger};

use super::arrival::{Incoming, Purpose, arrive};
use crate::portal::failure::Failure;
use crate::portal::house::{House, Way};
use crate::web::{see_other, with_header};

/// Sends the browser to the provider.
pub(super) async fn begin(trigger: &OidcTrigger, purpose: Purpose) -> Result<Response, Failure> {
    let mut begin = Begin::default();
    begin.return_to = purpose.remember();
    if purpose != Purpose::Enter {
        // A session that is open at the provider would say least of all who sits there now.
        begin.prompt = Some("login".to_owned());
        // Asking is not enough: the answer must say that it was done.
        begin.max_age = Some(0);
    }
    let redirect = trigger.begin(begin).await?;
    Ok(with_header(see_other(redirect.url.as_str()), SET_COOKIE, &redirect.cookie.set_header()))
}

/// Takes the provider's answer from the query.
pub(super) async fn callback(
    state: State<Arc<House>>,
    connection: Path<String>,
    peer: ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let callback = Callback::from_query(query.as_deref().unwrap_or_default())?;
    finish(&state, &connection, peer.0, &callback, &headers).await
}

/// Takes the provider's answer from a form (OAuth 2.0 Form Post Response Mode).
pub(super) async fn callback_by_form(
    state: State<Arc<House>>,
    connection: Path<String>,
    peer: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let callback = Callback::from_form(&body)?;
    finish(&state, &connection, peer.0, &callback, &headers).await
}

async fn finish(
    house: &House,
    connection: &str,
    peer: SocketAddr,
    callback: &Callback,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let door = house.door(connection).ok_or(Failure::NotFound)?;
    let Way::Oidc(trigger) = &door.way else { return Err(Failure::NotFound) };
    let (login, cookies) = (trigger.login(), cookies(headers));
    let cookie = login.cookie_of(callback, cookies.as_deref());
    let arrival = async {
        let authentication = login.finish(callback, cookies.as_deref()).await?;
        let incoming = Incoming { purpose: Purpose::remembered(authentication.return_to()), at_idp: None };
        let event = trigger.attest(authentication, house.proxies.context(peer, headers))?;
        arrive(house, door, event, incoming, headers).await
    };
    Ok(clearing(cookie.map(|cookie| cookie.clear_header()), arrival.await))
}

/// Clears the cookie of a sign-in that has its answer. Where the database could not be asked whether there is such a
/// sign-in, the answer may come again.
pub(super) fn clearing(cookie: Option<String>, answered: Result<Response, Failure>) -> Response {
    let is_undecided = matches!(answered, Err(Failure::DatabaseDown));
    let response = answered.into_response();
    match cookie.filter(|_| !is_undecided) {
        Some(cookie) => with_header(response, SET_COOKIE, &cookie),
        None => response,
    }
}

/// The whole `Cookie` header, however many lines it came in.
pub(super) fn cookies(headers: &HeaderMap) -> Option<String> {
    let all: Vec<_> = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
