//! Accounts of which nobody needs anything any longer.

use chrono::{DateTime, Utc};

use super::{Account, AccountState};

impl Account {
    /// Since when it keeps a lease that is over for good, and nothing else: nobody has to look after it, to be told of it or to
    /// decide anything about it. It counts from the last change. `None` for whatever must stay: people and workloads, leases
    /// that may be in a target, what a person declared gone, and what came back after it had been gone.
    #[must_use]
    pub fn over_since(&self) -> Option<DateTime<Utc>> {
        let since = self.lease.as_deref()?.over_since()?;
        let is_over = matches!(self.state, AccountState::Ended { .. });
        (is_over && self.keeps_nothing_else()).then(|| since.max(self.updated_at))
    }

    fn keeps_nothing_else(&self) -> bool {
        self.elevation.is_none()
            && self.identities.is_empty()
            && self.user_name.is_none()
            && self.email.is_none()
            && self.attributes.is_empty()
            && self.grants.is_empty()
            && self.consents.is_empty()
            && self.cut_off.is_empty()
            && self.records.is_empty()
            && self.mirrors.is_empty()
            && self.end_review.is_none()
    }
}
