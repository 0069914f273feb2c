use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{AccountId, TenantId};

use super::view::{ChangeRow, DecisionView};
use crate::web::{CookieName, Expiring, RandomError, random_token};

const MOST_SESSIONS: usize = 10_000;
const LONGEST: TimeDelta = TimeDelta::hours(12);

/// Keeps who is signed in, on the server; the browser holds nothing but a random id.
#[derive(Debug)]
pub(crate) struct Sessions {
    open: Expiring<Session>,
    cookie: CookieName,
}

/// Tells who is signed in, and what their sign-in led to.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    /// Sessions of an earlier epoch than the account's are void.
    pub(crate) epoch: u64,
    pub(crate) csrf: String,
    pub(crate) ends_at: DateTime<Utc>,
    pub(crate) decision: DecisionView,
    pub(crate) plan: Vec<ChangeRow>,
}

/// What a sign-in led to, before it has a session.
pub(crate) struct SignedIn {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) epoch: u64,
    pub(crate) limit: Option<TimeDelta>,
    pub(crate) decision: DecisionView,
    pub(crate) plan: Vec<ChangeRow>,
}

impl Sessions {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { open: Expiring::new(MOST_SESSIONS), cookie: CookieName::new("session", base_url) }
    }

    /// Opens a session under a new id, and gives the header value that hands the id to the browser.
    pub(crate) fn open(&self, who: SignedIn, now: DateTime<Utc>) -> Result<String, RandomError> {
        let id = random_token()?;
        let ends_at = now + who.limit.map_or(LONGEST, |limit| limit.min(LONGEST));
        let session = Session {
            tenant: who.tenant,
            account: who.account,
            epoch: who.epoch,
            csrf: random_token()?,
            ends_at,
            decision: who.decision,
            plan: who.plan,
        };
        let header = self.cookie.set(&id);
        self.open.put(id, session, ends_at, now);
        Ok(header)
    }

    /// Finds the session of a request.
    pub(crate) fn find(&self, headers: &axum::http::HeaderMap, now: DateTime<Utc>) -> Option<Session> {
        let id = crate::web::cookie(headers, &self.cookie)?;
        self.open.with(id, now, |session| session.clone())
    }

    /// Ends the session of a request, and gives the header value that takes the id away.
    pub(crate) fn close(&self, headers: &axum::http::HeaderMap, now: DateTime<Utc>) -> String {
        if let Some(id) = crate::web::cookie(headers, &self.cookie) {
            self.open.take(id, now);
        }
        self.cookie.clear()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}
