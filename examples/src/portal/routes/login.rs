use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{arrival::Purpose, ldap, oidc, saml};
use crate::portal::failure::Failure;
use crate::portal::house::{House, Way};
use crate::portal::pages;
use crate::web::{Query, html};

/// Shows the ways to sign in.
pub(super) async fn home(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let visit = house.visit(&headers).await?;
    Ok(html(StatusCode::OK, pages::home(&house.frame_for(visit.as_ref(), &headers), &house.cards())))
}

/// Sends the browser to the provider of a connection, or asks for a name and a password here.
pub(super) async fn begin(
    State(house): State<Arc<House>>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    Query(sent): Query,
) -> Result<Response, Failure> {
    let door = house.door(&connection).ok_or(Failure::NotFound)?;
    let purpose = Purpose::of(&house, &sent, &headers)?;
    match &door.way {
        Way::Oidc(trigger) => oidc::begin(trigger, purpose).await,
        Way::Saml(way) => saml::begin(&house, door, way, purpose).await,
        Way::Ldap(_) => ldap::ask(&house, door, &purpose, &headers).await,
    }
}
