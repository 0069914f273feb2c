//! Sign-in by a name and a password that a directory takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Event, Trigger as _, VerifyError};
use jit_ldap::{BindEvidence, LdapError, Reason};
use tokio::time::timeout;

use super::arrival::{Incoming, Purpose, arrive};
use crate::portal::failure::Failure;
use crate::portal::house::{Door, House, LdapWay, Way};
use crate::portal::pages;
use crate::portal::refusal::Refusal;
use crate::portal::view::{SignInView, TroubleView};
use crate::web::{Form, html, with_header};

/// The largest form: a name of 256 bytes, a password of 1 KiB, each byte written as three, and the rest.
pub(super) const LARGEST: usize = 8 * 1024;

/// Less than the portal gives any answer, so that there is still time to say so.
const LONGEST: Duration = Duration::from_secs(25);

/// Shows the form.
pub(super) async fn ask(
    house: &House,
    door: &Door,
    purpose: &Purpose,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    show(house, &Asked { door, purpose, user_name: "", refusal: None }, headers).await
}

/// Takes the form.
pub(super) async fn answer(
    State(house): State<Arc<House>>,
    Path(connection): Path<String>,
    peer: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(mut sent): Form,
) -> Result<Response, Failure> {
    let password = sent.take_secret("password").unwrap_or_default();
    let door = house.door(&connection).ok_or(Failure::NotFound)?;
    let Way::Ldap(way) = &door.way else { return Err(Failure::NotFound) };
    if !house.sign_in_forms.showed(&headers, &sent) {
        return Err(Failure::Forged);
    }
    let purpose = Purpose::of_form(&house, &sent, &headers)?;
    // Keyboards add a blank behind a word; no name begins or ends with one.
    let user_name = sent.value("user_name").unwrap_or_default().trim();
    let context = house.proxies.context(peer.0, &headers);
    let evidence = BindEvidence { user_name: user_name.to_owned(), password, context };
    match verify(way, evidence).await {
        Ok(event) => {
            let answer = arrive(&house, door, event, Incoming { purpose, at_idp: None }, &headers).await?;
            Ok(with_header(answer, SET_COOKIE, &house.sign_in_forms.forget()))
        }
        Err(error) => {
            let refusal = Refusal::of(&error, way.shut_for)?;
            let asked = Asked { door, purpose: &purpose, user_name, refusal: Some(refusal) };
            show(&house, &asked, &headers).await
        }
    }
}

/// What is asked once more, or for the first time.
struct Asked<'a> {
    door: &'a Door,
    purpose: &'a Purpose,
    user_name: &'a str,
    refusal: Option<Refusal>,
}

async fn show(house: &House, asked: &Asked<'_>, headers: &HeaderMap) -> Result<Response, Failure> {
    let token = house.sign_in_forms.token(headers)?;
    let trouble = asked.refusal.as_ref().map(|refusal| TroubleView {
        reason: refusal.reason.clone(),
        code: refusal.code.to_string(),
        is_about_the_answer: refusal.is_about_the_answer,
    });
    let view = SignInView {
        action: format!("/login/{}", asked.door.id),
        label: asked.door.label.clone(),
        csrf: token.csrf,
        prove: asked.purpose.token(house)?,
        user_name: asked.user_name.to_owned(),
        trouble,
    };
    let status = asked.refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.status);
    let page = html(status, pages::sign_in(&house.frame_of(headers).await, &view));
    let page = with_header(page, SET_COOKIE, &token.cookie);
    Ok(match asked.refusal.as_ref().and_then(|refusal| refusal.retry_after) {
        Some(seconds) => with_header(page, RETRY_AFTER, &seconds.to_string()),
        None => page,
    })
}

async fn verify(way: &LdapWay, evidence: BindEvidence) -> Result<Event, VerifyError> {
    let late = |_| VerifyError::from(LdapError::from(Reason::Timeout));
    timeout(LONGEST, way.trigger.verify(evidence)).await.map_err(late)?
}
