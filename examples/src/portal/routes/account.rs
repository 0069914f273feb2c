use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{left, saml};
use crate::portal::failure::Failure;
use crate::portal::house::House;
use crate::portal::view::MeView;
use crate::portal::{pages, present};
use crate::web::{Form, html, see_other, with_header};

/// Shows the account, why it is there, and what the sign-in changed.
pub(super) async fn me(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let view = MeView {
        account: present::account_view(&visit.account, house.now()),
        decision: visit.session.decision.clone(),
        plan: visit.session.plan.clone(),
        session_ends: present::instant(visit.session.ends_at),
    };
    Ok(html(StatusCode::OK, pages::account(&house.frame(Some(&visit)), &view)))
}

/// Ends the session.
pub(super) async fn logout(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    // The session here ends first, without the database, so that it is over even if the browser never comes back from the
    // provider.
    let left = left(&house.sessions, |session| &session.csrf, (&headers, &sent), house.now())?;
    let Some((session, cleared)) = left else { return Ok(see_other("/")) };
    let answer = saml::sign_out(&house, &session).await.unwrap_or_else(|| see_other("/"));
    Ok(with_header(answer, SET_COOKIE, &cleared))
}
