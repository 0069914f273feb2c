use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Ask, Ticket};
use jit_saml::logout::SessionAtIdp;

use super::view::DecisionView;
use crate::web::{PerBrowser, RandomError};

const MOST_HOLDS: usize = 10_000;
/// As long as the engine keeps a held sign-in.
pub(super) const HOLD_LASTS: TimeDelta = TimeDelta::minutes(30);

/// Keeps the tickets of held sign-ins: only the browser that began a sign-in can answer for it.
pub(super) type Holds = PerBrowser<Hold>;

/// A sign-in that waits for an answer of the person.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) ticket: Ticket,
    /// What is asked next.
    pub(super) ask: Ask,
    pub(super) csrf: String,
    pub(super) guest: Guest,
    pub(super) decision: DecisionView,
    pub(super) suggestion: String,
    pub(super) problem: Option<String>,
}

/// Somebody who came from a provider and has no session yet.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// The name that pages address the person by.
    pub(super) name: String,
    /// The session at the provider, where the provider can end it.
    pub(super) at_idp: Option<SessionAtIdp>,
}

impl Holds {
    pub(super) fn new(base_url: &str) -> Self {
        Self::in_cookie("hold", base_url, MOST_HOLDS)
    }

    /// Keeps a hold under a new id, and gives the header value that hands the id to the browser.
    pub(super) fn open(&self, hold: Hold, now: DateTime<Utc>) -> Result<String, RandomError> {
        self.keep(hold, now + HOLD_LASTS, now)
    }

    /// Says on the page of the hold what was wrong with an answer.
    pub(super) fn complain(&self, headers: &HeaderMap, problem: String, sent: &str, now: DateTime<Utc>) {
        self.with(headers, now, |hold| {
            hold.problem = Some(problem);
            sent.clone_into(&mut hold.suggestion);
        });
    }
}
