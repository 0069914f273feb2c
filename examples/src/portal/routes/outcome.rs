use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Ask, Denied, ErrorClass, Held, Outcome, Reply, SignedIn};
use jit_saml::logout::SessionAtIdp;

use crate::portal::failure::Failure;
use crate::portal::holds::{Guest, Hold};
use crate::portal::house::{Door, House};
use crate::portal::view::{Frame, GuestView, RefusalView, WaitingView};
use crate::portal::{pages, present};
use crate::web::{html, random_token, see_other, with_header};

/// Answers a held sign-in and shows what comes of it. After a failure that passes the same answer may be given again.
pub(super) async fn answer(
    house: &House,
    hold: Hold,
    reply: Reply,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let (tenant, connection) = hold.ticket.connection();
    let door = house.door_of(tenant, connection).ok_or(Failure::NotFound)?;
    let chosen = reply.user_name.as_ref().map(|name| name.as_str().to_owned());
    let outcome = house.jit.answer(&hold.ticket, reply).await.inspect_err(|error| {
        if error.class() != ErrorClass::Transient {
            house.holds.close(headers, house.now());
        }
    })?;
    if let (Some(name), Outcome::Held(held)) = (&chosen, &outcome)
        && held.asks.contains(&Ask::UserName)
    {
        let problem = Some(format!("`{name}` is taken. Choose another name."));
        return ask(house, held, Again { guest: hold.guest, suggestion: name.clone(), problem }, headers);
    }
    show(house, door, outcome, hold.guest, headers).await
}

/// Shows what a sign-in came to.
pub(super) async fn show(
    house: &House,
    door: &Door,
    outcome: Outcome,
    guest: Guest,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    match outcome {
        Outcome::SignedIn(signed_in) => enter(house, door, &signed_in, guest.at_idp, headers),
        Outcome::Held(held) if held.ticket.is_some() => ask(house, &held, Again::first(guest), headers),
        Outcome::Held(held) => Ok(wait(house, &held, guest.name, headers).await),
        Outcome::Denied(denied) => Ok(refuse(house, &denied, headers).await),
        // A record lets nobody in.
        Outcome::Provisioned(_) => Err(Failure::NotFound),
    }
}

fn enter(
    house: &House,
    door: &Door,
    signed_in: &SignedIn,
    at_idp: Option<SessionAtIdp>,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let now = house.now();
    // Whoever signs in leaves the session that this browser had: its id may be known to somebody else.
    house.sessions.close(headers, now);
    let session = house.sessions.open(signed_in, door, at_idp, now)?;
    let response = with_header(see_other("/me"), SET_COOKIE, &session);
    Ok(with_header(response, SET_COOKIE, &house.holds.close(headers, now)))
}

/// What a page of a question shows besides the question.
struct Again {
    guest: Guest,
    suggestion: String,
    problem: Option<String>,
}

impl Again {
    fn first(guest: Guest) -> Self {
        Self { guest, suggestion: String::new(), problem: None }
    }
}

fn ask(house: &House, held: &Held, again: Again, headers: &HeaderMap) -> Result<Response, Failure> {
    let now = house.now();
    let (Some(ticket), Some(ask)) = (&held.ticket, held.asks.first()) else { return Err(Failure::NotFound) };
    let question = Hold {
        ticket: ticket.clone(),
        ask: ask.clone(),
        csrf: random_token()?,
        guest: again.guest,
        decision: present::held(held),
        suggestion: again.suggestion,
        problem: again.problem,
    };
    house.holds.close(headers, now);
    let cookie = house.holds.open(question, now)?;
    Ok(with_header(see_other("/hold"), SET_COOKIE, &cookie))
}

async fn wait(house: &House, held: &Held, name: String, headers: &HeaderMap) -> Response {
    let closed = house.holds.close(headers, house.now());
    let frame = house.frame_of(headers).await;
    // There is nothing to answer, and so nothing to give up.
    let guest = frame.visitor.is_none().then(|| GuestView { name: name.clone(), csrf: None });
    let view = WaitingView { name, decision: present::held(held) };
    let page = pages::waiting(&Frame { guest, ..frame }, &view);
    with_header(html(StatusCode::OK, page), SET_COOKIE, &closed)
}

async fn refuse(house: &House, denied: &Denied, headers: &HeaderMap) -> Response {
    let closed = house.holds.close(headers, house.now());
    let denial = &denied.denial;
    let view = RefusalView {
        code: denial.code.to_string(),
        reason: denial.message.clone().unwrap_or_else(|| reason(denial.code.as_str()).to_owned()),
        advice: "If you think that this is wrong, show the code to an administrator.".into(),
        anew: None,
        decision: Some(present::denied(denied)),
    };
    let page = pages::refused(&house.frame_of(headers).await, &view);
    with_header(html(StatusCode::FORBIDDEN, page), SET_COOKIE, &closed)
}

fn reason(code: &str) -> &'static str {
    match code {
        "policy.no_rule" => "No rule lets you in.",
        "link.email_taken" | "link.email_unverified" | "link.not_authoritative" | "link.proof_required" => {
            "An account with your address exists already, and nothing proves that it is yours."
        }
        "link.subject_changed" => {
            "An account with your address exists already and belongs to somebody before you."
        }
        "link.ambiguous" => "More than one account carries what you came with.",
        "name.taken" => "Your user name belongs to somebody else.",
        "account.suspended" | "account.disabled" => "An administrator has stopped your account.",
        "account.expired" => "Your account has reached its end.",
        "account.idle" => "Your account was not used for too long.",
        "account.ended" => "Your account has ended for good.",
        "account.no_seat" => "There is no seat left.",
        _ => "The policy says no.",
    }
}
