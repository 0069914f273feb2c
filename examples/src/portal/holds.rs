use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Ask, Ticket};
use jit_saml::logout::SessionAtIdp;

use super::view::DecisionView;
use crate::web::{CookieName, Expiring, RandomError, cookie, random_token};

const MOST_HOLDS: usize = 10_000;
/// As long as the engine keeps a held sign-in.
pub(super) const HOLD_LASTS: TimeDelta = TimeDelta::minutes(30);

/// Keeps the tickets of held sign-ins on the server: only the browser that began a sign-in can answer for it.
#[derive(Debug)]
pub(super) struct Holds {
    open: Expiring<Hold>,
    cookie: CookieName,
}

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
        Self { open: Expiring::new(MOST_HOLDS), cookie: CookieName::new("hold", base_url) }
    }

    /// Keeps a hold under a new id, and gives the header value that hands the id to the browser.
    pub(super) fn open(&self, hold: Hold, now: DateTime<Utc>) -> Result<String, RandomError> {
        let id = random_token()?;
        let header = self.cookie.set(&id);
        self.open.put(id, hold, now + HOLD_LASTS, now);
        Ok(header)
    }

    /// Tells the id of the hold of a request, to be remembered through a sign-in at another provider.
    pub(super) fn id(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<String> {
        let id = cookie(headers, &self.cookie)?;
        self.open.with(id, now, |_| id.to_owned())
    }

    /// Looks at the hold of this id.
    pub(super) fn with_id(&self, id: &str, now: DateTime<Utc>) -> Option<Hold> {
        self.open.with(id, now, |hold| hold.clone())
    }

    /// Looks at the hold of a request.
    pub(super) fn find(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Hold> {
        self.open.with(cookie(headers, &self.cookie)?, now, |hold| hold.clone())
    }

    /// Says on the page of the hold what was wrong with an answer.
    pub(super) fn complain(&self, headers: &HeaderMap, problem: String, sent: &str, now: DateTime<Utc>) {
        let Some(id) = cookie(headers, &self.cookie) else { return };
        self.open.with(id, now, |hold| {
            hold.problem = Some(problem);
            sent.clone_into(&mut hold.suggestion);
        });
    }

    /// Ends the hold of a request, and gives the header value that takes the id away.
    pub(super) fn close(&self, headers: &HeaderMap, now: DateTime<Utc>) -> String {
        if let Some(id) = cookie(headers, &self.cookie) {
            self.open.take(id, now);
        }
        self.cookie.clear()
    }
}
