use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Ask, Event, LinkAnswer, Reply, VerifiedIdentity};
use jit_oidc::{Begin, Callback};

use super::outcome;
use crate::portal::failure::Failure;
use crate::portal::house::House;
use crate::portal::pages;
use crate::web::{Query, html, see_other, with_header};

/// Remembered through a sign-in that only proves that an account is the person's.
const TO_PROVE_A_LINK: &str = "link";

/// Shows the ways to sign in.
pub(super) async fn home(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let visit = house.visit(&headers).await?;
    Ok(html(StatusCode::OK, pages::home(&house.frame(visit.as_ref()), &house.cards())))
}

/// Sends the browser to the provider of a connection.
pub(super) async fn begin(
    State(house): State<Arc<House>>,
    Path(connection): Path<String>,
    Query(sent): Query,
) -> Result<Response, Failure> {
    let door = house.door(&connection).ok_or(Failure::NotFound)?;
    let mut begin = Begin::default();
    if sent.value("prove") == Some(TO_PROVE_A_LINK) {
        begin.return_to = Some(TO_PROVE_A_LINK.to_owned());
        // A session that is open at the provider would say least of all who sits there now.
        begin.prompt = Some("login".to_owned());
    }
    let redirect = door.trigger.begin(begin).await?;
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
    let authentication = door.trigger.login().finish(callback, cookies(headers).as_deref()).await?;
    let proves_link = authentication.return_to() == Some(TO_PROVE_A_LINK);
    let event = door.trigger.attest(authentication, house.proxies.context(peer, headers))?;
    if proves_link {
        return prove_link(house, event, headers).await;
    }
    let name = name_of(&event);
    let outcome = house.jit.handle(event).await?;
    outcome::show(house, door, outcome, name, headers)
}

/// Answers a held sign-in with the identity that the same browser has just signed in with.
async fn prove_link(house: &House, event: Event, headers: &HeaderMap) -> Result<Response, Failure> {
    let hold = house.holds.find(headers, house.now()).filter(|hold| hold.ask == Ask::LinkProof);
    let hold =
        hold.ok_or_else(|| Failure::refused("hold.unknown_ticket", "The sign-in that waited is over."))?;
    let Event::SignIn(sign_in) = event else { return Err(Failure::NotFound) };
    let link = Some(LinkAnswer::OtherIdentity(Box::new(sign_in.identity)));
    outcome::answer(house, hold, Reply { link, ..Reply::default() }, headers).await
}

fn cookies(headers: &HeaderMap) -> Option<String> {
    let all: Vec<_> = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The name that the pages address a person by who has no account yet.
fn name_of(event: &Event) -> String {
    let Event::SignIn(sign_in) = event else { return String::new() };
    ["name", "given_name", "preferred_username", "email"]
        .iter()
        .find_map(|claim| text(&sign_in.identity, claim))
        .unwrap_or_else(|| sign_in.identity.key().subject.to_string())
}

fn text(identity: &VerifiedIdentity, claim: &str) -> Option<String> {
    let text = identity.claims().get(claim).values()?.text()?;
    Some(text.chars().take(100).collect())
}
