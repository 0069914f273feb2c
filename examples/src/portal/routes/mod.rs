//! The routes: from requests to the engine, and from its answers to pages.

mod access;
mod account;
mod admin;
mod arrival;
mod failing;
mod hold;
mod ldap;
mod leases;
mod login;
mod oidc;
mod outcome;
mod place;
mod saml;
mod trail;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use super::failure::Failure;
use super::house::House;
use super::pages;
use crate::web::{Parameters, PerBrowser, STYLE_PATH, is_same, style};

/// Gives all routes of the portal.
pub(super) fn routes(house: Arc<House>) -> Router {
    Router::new()
        .route("/", get(login::home))
        .route(
            "/login/{*connection}",
            get(login::begin).post(ldap::answer).layer(DefaultBodyLimit::max(ldap::LARGEST)),
        )
        .route("/callback/{*connection}", get(oidc::callback).post(oidc::callback_by_form))
        .route("/saml/{*place}", get(saml::get).post(saml::post).layer(DefaultBodyLimit::max(saml::LARGEST)))
        .route("/hold", get(hold::ask))
        .route("/hold/consent", post(hold::consent))
        .route("/hold/user-name", post(hold::user_name))
        .route("/hold/password", post(hold::password))
        .route("/hold/leave", post(hold::leave))
        .route("/me", get(account::me))
        .route("/access", get(access::show))
        .route("/access/out", post(access::out))
        .route("/access/in", post(access::check_in))
        .route("/access/extend", post(access::extend))
        .route("/leases", get(leases::show))
        .route("/leases/compare", post(leases::compare))
        .route("/leases/end", post(leases::end))
        .route("/leases/extend", post(leases::extend))
        .route(pages::COUNTDOWN_PATH, get(access::countdown))
        .route("/audit", get(trail::show))
        .route("/admin", get(admin::show))
        .route("/admin/decide", post(admin::decide))
        .route("/logout", post(account::logout))
        .route(STYLE_PATH, get(style))
        .fallback(async || Failure::NotFound)
        .layer(middleware::from_fn_with_state(Arc::clone(&house), failing::show))
        .with_state(house)
}

/// Refuses a form that was not made for this session, by the token that its forms carry.
fn check_form(sent: &Parameters, csrf: &str) -> Result<(), Failure> {
    if is_same(sent.value("csrf").unwrap_or_default(), csrf) { Ok(()) } else { Err(Failure::Forged) }
}

/// Ends what somebody leaves by a form, and gives it with the header value that takes its id from the browser. Whoever wants
/// to leave, leaves: where there is nothing left, nothing is asked of the form.
fn left<V: Clone>(
    kept: &PerBrowser<V>,
    csrf: impl FnOnce(&V) -> &str,
    (headers, sent): (&HeaderMap, &Parameters),
    now: DateTime<Utc>,
) -> Result<Option<(V, String)>, Failure> {
    let Some(found) = kept.find(headers, now) else { return Ok(None) };
    check_form(sent, csrf(&found))?;
    Ok(Some((found, kept.close(headers, now))))
}
