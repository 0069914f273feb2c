use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Ask, Reply, UserName};

use super::{check_form, left, outcome};
use crate::portal::failure::Failure;
use crate::portal::holds::Hold;
use crate::portal::house::House;
use crate::portal::pages;
use crate::portal::view::{ConnectionCard, QuestionView};
use crate::web::{Form, Parameters, html, see_other, with_header};

const SHORTEST_PASSWORD: usize = 12;

/// Shows the question that the sign-in of this browser waits for.
pub(super) async fn ask(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    let Some(hold) = house.holds.find(&headers, house.now()) else { return see_other("/") };
    let frame = house.frame_of(&headers).await;
    let view = question(&house, &hold);
    let page = match &hold.ask {
        Ask::Consent(_) => pages::consent(&frame, &view),
        Ask::UserName => pages::choose_user_name(&frame, &view),
        Ask::Password => pages::choose_password(&frame, &view),
        Ask::LinkProof => pages::prove_link(&frame, &view),
        // The engine hands out no ticket for it: an administrator answers.
        Ask::Approval => return see_other("/"),
    };
    html(StatusCode::OK, page)
}

/// Takes consent, or its refusal.
pub(super) async fn consent(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let hold = held(&house, &headers, &sent)?;
    let Ask::Consent(terms) = &hold.ask else { return Ok(see_other("/hold")) };
    // The person agreed to what the page showed; another tab may have gone on to other terms since.
    if sent.value("terms") != Some(terms.as_str()) {
        return Ok(see_other("/hold"));
    }
    if sent.value("answer") != Some("agree") {
        house.holds.close(&headers, house.now());
        return Err(Failure::refused("portal.no_consent", "You did not agree, so nothing was made or kept."));
    }
    let reply = Reply { consents: BTreeSet::from([terms.clone()]), ..Reply::default() };
    outcome::answer(&house, hold, reply, &headers).await
}

/// Takes a chosen user name.
pub(super) async fn user_name(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let hold = held(&house, &headers, &sent)?;
    let text = sent.value("user_name").unwrap_or_default().trim();
    if hold.ask != Ask::UserName {
        return Ok(see_other("/hold"));
    }
    let name = match UserName::new(text) {
        Ok(name) if name.looks_like_address() => Err("a user name must not look like an address".to_owned()),
        Ok(name) => Ok(name),
        Err(error) => Err(error.to_string()),
    };
    match name {
        Ok(name) => {
            let reply = Reply { user_name: Some(name), ..Reply::default() };
            outcome::answer(&house, hold, reply, &headers).await
        }
        Err(problem) => {
            house.holds.complain(&headers, format!("Not possible: {problem}."), text, house.now());
            Ok(see_other("/hold"))
        }
    }
}

/// Takes a password, as far as this portal does: it looks at the length and keeps nothing.
pub(super) async fn password(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let hold = held(&house, &headers, &sent)?;
    if hold.ask != Ask::Password {
        return Ok(see_other("/hold"));
    }
    if sent.value("password").unwrap_or_default().chars().count() < SHORTEST_PASSWORD {
        let problem = format!("Take {SHORTEST_PASSWORD} characters or more.");
        house.holds.complain(&headers, problem, "", house.now());
        return Ok(see_other("/hold"));
    }
    let reply = Reply { password_taken: true, ..Reply::default() };
    outcome::answer(&house, hold, reply, &headers).await
}

/// Gives the sign-in up. Nothing comes of it.
pub(super) async fn leave(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let left = left(&house.holds, |hold| &hold.csrf, (&headers, &sent), house.now())?;
    let Some((_, cleared)) = left else { return Ok(see_other("/")) };
    Ok(with_header(see_other("/"), SET_COOKIE, &cleared))
}

/// Finds the hold that a form answers: the browser's own, with its own token.
fn held(house: &House, headers: &HeaderMap, sent: &Parameters) -> Result<Hold, Failure> {
    let hold = house.holds.find(headers, house.now()).ok_or(Failure::Forged)?;
    check_form(sent, &hold.csrf)?;
    Ok(hold)
}

fn question(house: &House, hold: &Hold) -> QuestionView {
    let terms = match &hold.ask {
        Ask::Consent(terms) => terms.clone(),
        _ => String::new(),
    };
    QuestionView {
        csrf: hold.csrf.clone(),
        name: hold.guest.name.clone(),
        terms,
        suggestion: hold.suggestion.clone(),
        ways: other_ways(house, hold),
        problem: hold.problem.clone(),
        decision: hold.decision.clone(),
    }
}

/// The connections of the same tenant and store: only through them can somebody be signed in to the account.
fn other_ways(house: &House, hold: &Hold) -> Vec<ConnectionCard> {
    let (tenant, connection) = hold.ticket.connection();
    let Some(own) = house.door_of(tenant, connection) else { return Vec::new() };
    let doors = house.doors.iter();
    let others =
        doors.filter(|door| door.tenant == own.tenant && door.store == own.store && door.id != own.id);
    others.map(crate::portal::house::Door::card).collect()
}
