//! What happens once a provider's answer was verified, whatever the protocol.

use axum::http::HeaderMap;
use axum::response::Response;
use jit_core::{Ask, Event, LinkAnswer, Reply, VerifiedIdentity};
use jit_saml::logout::SessionAtIdp;

use super::outcome;
use crate::portal::failure::Failure;
use crate::portal::holds::{Guest, Hold};
use crate::portal::house::{Door, House};
use crate::web::{Parameters, is_same};

/// What the names of people are called, best first, by OpenID providers, in SAML assertions and in directories.
const NAMES: [&str; 11] = [
    "name",
    "displayName",
    "cn",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "given_name",
    "urn:oid:2.5.4.42",
    "preferred_username",
    "email",
    "urn:oid:0.9.2342.19200300.100.1.3",
];

/// Stands before the id of the hold that a sign-in answers.
const ANSWERS: &str = "hold:";

/// Why somebody signs in. It is remembered with the sign-in and so bound to the browser that began it: an answer that
/// comes in a form from another site brings no other cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To come in.
    Enter,
    /// To prove that an account is the person's, for the held sign-in of this id.
    ProveLink(String),
}

impl Purpose {
    /// Reads what the request asks for.
    pub(super) fn of(house: &House, sent: &Parameters, headers: &HeaderMap) -> Result<Self, Failure> {
        match sent.value("prove") {
            None => Ok(Self::Enter),
            Some("link") => house.holds.id(headers, house.now()).map(Self::ProveLink).ok_or_else(over),
            Some(_) => Err(Failure::NotFound),
        }
    }

    /// Reads what a form was shown for: to come in, or to prove a link for the held sign-in that it has the token of.
    pub(super) fn of_form(house: &House, sent: &Parameters, headers: &HeaderMap) -> Result<Self, Failure> {
        let Some(token) = sent.value("prove") else { return Ok(Self::Enter) };
        let id = house.holds.id(headers, house.now()).ok_or_else(over)?;
        let hold = house.holds.find_by_id(&id, house.now());
        let is_meant = hold.is_some_and(|hold| is_same(token, &hold.csrf));
        if is_meant { Ok(Self::ProveLink(id)) } else { Err(over()) }
    }

    /// The token of the held sign-in, for a form.
    pub(super) fn token(&self, house: &House) -> Result<Option<String>, Failure> {
        let Self::ProveLink(id) = self else { return Ok(None) };
        let hold = house.holds.find_by_id(id, house.now());
        hold.map(|hold| Some(hold.csrf)).ok_or_else(over)
    }

    /// The purpose of a sign-in that remembers this.
    pub(super) fn remembered(text: Option<&str>) -> Self {
        let held = text.and_then(|text| text.strip_prefix(ANSWERS));
        held.map_or(Self::Enter, |id| Self::ProveLink(id.to_owned()))
    }

    /// Where a sign-in for the same purpose begins anew.
    pub(super) fn begins_at(&self, door: &Door) -> String {
        let proof = if *self == Self::Enter { "" } else { "?prove=link" };
        format!("/login/{}{proof}", door.id)
    }

    /// What the sign-in has to remember.
    pub(super) fn remember(&self) -> Option<String> {
        match self {
            Self::Enter => None,
            Self::ProveLink(id) => Some(format!("{ANSWERS}{id}")),
        }
    }
}

/// What comes with an event.
pub(super) struct Incoming {
    pub(super) purpose: Purpose,
    /// The session at the provider, where the provider can end it.
    pub(super) at_idp: Option<SessionAtIdp>,
}

/// Hands the event to the engine, or to the held sign-in that it is the proof for.
pub(super) async fn arrive(
    house: &House,
    door: &Door,
    event: Event,
    visit: Incoming,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let Incoming { purpose, at_idp } = visit;
    if let Purpose::ProveLink(id) = purpose {
        let hold = house.holds.find_by_id(&id, house.now()).filter(|hold| hold.ask == Ask::LinkProof);
        return prove_link(house, hold.ok_or_else(over)?, event, headers).await;
    }
    let guest = Guest { name: name_of(&event), at_idp };
    let outcome = house.jit.handle(event).await?;
    outcome::show(house, door, outcome, guest, headers).await
}

/// Answers a held sign-in with the identity that the same browser has just signed in with.
async fn prove_link(
    house: &House,
    hold: Hold,
    event: Event,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let Event::SignIn(sign_in) = event else { return Err(Failure::NotFound) };
    let link = Some(LinkAnswer::OtherIdentity(Box::new(sign_in.identity)));
    outcome::answer(house, hold, Reply { link, ..Reply::default() }, headers).await
}

fn over() -> Failure {
    Failure::refused("hold.unknown_ticket", "The sign-in that waited is over.")
}

/// The name that the pages address a person by who has no account yet.
fn name_of(event: &Event) -> String {
    let Event::SignIn(sign_in) = event else { return String::new() };
    NAMES
        .iter()
        .find_map(|claim| text(&sign_in.identity, claim))
        .unwrap_or_else(|| sign_in.identity.key().subject.to_string())
}

fn text(identity: &VerifiedIdentity, claim: &str) -> Option<String> {
    let text = identity.claims().get(claim).values()?.text()?;
    Some(text.chars().take(100).collect())
}
