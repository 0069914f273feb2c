use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{AccountId, ConnectionId, SignedIn, StoreId, TenantId};
use jit_saml::logout::{SessionAtIdp, VerifiedLogout};

use super::house::Door;
use super::present;
use super::view::{DecisionView, PlanView};
use crate::web::{PerBrowser, RandomError, random_token};

const MOST_SESSIONS: usize = 10_000;
const LONGEST: TimeDelta = TimeDelta::hours(12);

/// Keeps who is signed in.
pub(super) type Sessions = PerBrowser<Session>;

/// Tells who is signed in, and what their sign-in led to.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) tenant: TenantId,
    pub(super) store: Option<StoreId>,
    /// The connection that the person came over.
    pub(super) connection: ConnectionId,
    /// The session at the provider, where signing out there ends this one and the other way round.
    pub(super) at_idp: Option<SessionAtIdp>,
    pub(super) account: AccountId,
    /// Sessions of another epoch than the account's are void.
    pub(super) epoch: u64,
    pub(super) csrf: String,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) decision: DecisionView,
    pub(super) plan: PlanView,
}

impl Sessions {
    pub(super) fn new(base_url: &str) -> Self {
        Self::in_cookie("session", base_url, MOST_SESSIONS)
    }

    /// Opens a session under a new id, and gives the header value that hands the id to the browser.
    pub(super) fn open(
        &self,
        who: &SignedIn,
        door: &Door,
        at_idp: Option<SessionAtIdp>,
        now: DateTime<Utc>,
    ) -> Result<String, RandomError> {
        let longest = now + LONGEST;
        let ends_at = who.session.ends_at.map_or(longest, |end| end.min(longest));
        let session = Session {
            tenant: who.account.tenant.clone(),
            store: door.store.clone(),
            connection: door.id.clone(),
            at_idp,
            account: who.account.id,
            epoch: who.session.epoch,
            csrf: random_token()?,
            ends_at,
            decision: present::permitted(who),
            plan: present::plan_view(&who.plan),
        };
        self.keep(session, ends_at, now)
    }

    /// Ends the sessions over a connection that a provider demands to end.
    pub(super) fn end_at(&self, door: &Door, demand: &VerifiedLogout) {
        self.end_where(|session| {
            let is_over_door = session.connection == door.id && session.tenant == door.tenant;
            is_over_door && session.at_idp.as_ref().is_some_and(|there| is_demanded(demand, there))
        });
    }
}

fn is_demanded(demand: &VerifiedLogout, there: &SessionAtIdp) -> bool {
    let indexes = there.session_indexes.iter().map(|index| Some(index.as_str()));
    let mut indexes = indexes.chain(there.session_indexes.is_empty().then_some(None));
    indexes.any(|index| demand.ends(&there.issuer, &there.name_id, index))
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}
